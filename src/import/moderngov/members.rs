//! Who is on a committee: the people listed at its latest meeting.
//!
//! The web service has no list of a committee's members. A meeting lists who is expected or came, each with a role, and
//! the council says since which day such a list is to be believed. Without that day nobody is taken for a member.

use jiff::civil::Date;
use roxmltree::Node;
use serde_json::{Value, json};

use super::{Reader, Source, named};
use crate::import::{List, values};

/// Who was listed at a meeting, and where that stands.
pub(super) struct Listed {
    day: Date,
    people: Vec<(u64, String, String)>,
}

impl Reader<'_> {
    /// Notes who is listed, if no later meeting of the body is known.
    pub(super) fn listed(&mut self, file: &Source<'_>, node: Node<'_, '_>, body: &str) {
        let Some(day) = self.day(file, node, "meetingdate") else { return };
        let mut people = Vec::new();
        for attendee in named(node, "attendee") {
            let told = |name| attendee.attribute(name).map(values::plain).filter(|value: &String| !value.is_empty());
            let here = file.at(attendee);
            match told("memberid").as_deref().and_then(values::number) {
                Some(number) => people.push((number, told("roledescription").unwrap_or_default(), here)),
                None => self.faults.add(here, "memberid: expected a number"),
            }
        }
        let Some(since) = self.map.meetings.members_since else {
            if !people.is_empty() {
                self.note("memberships, for `meetings.members_since` is not given, of", body);
            }
            return;
        };
        if day >= since && self.latest.get(body).is_none_or(|latest| latest.day < day) {
            self.latest.insert(body.to_owned(), Listed { day, people });
        }
    }

    /// Makes memberships of the lists.
    pub(super) fn members(&mut self) {
        for (body, listed) in std::mem::take(&mut self.latest) {
            for (number, word, here) in &listed.people {
                let Some(person) = self.people.get(number).cloned() else {
                    self.note("people listed at meetings whom GetCouncillorsByWard does not name", number.to_string());
                    continue;
                };
                let Some(role) = self.map.role(word) else {
                    self.note("roles that `roles` does not map", word.clone());
                    continue;
                };
                let Some(kind) = role.role else { continue };
                let mut membership = json!({"body": body, "role": kind});
                if let (Some(voting), Value::Object(membership)) = (role.voting, &mut membership) {
                    membership.insert("voting".to_owned(), json!(voting));
                }
                self.found.refer(here, List::Bodies, &body);
                let people = self.found.lists.entry(List::People).or_default();
                if let Some(item) = people.iter_mut().find(|item| item.id == person)
                    && let Value::Array(all) =
                        item.told.entry("memberships").or_insert_with(|| Value::Array(Vec::new()))
                {
                    all.push(membership);
                }
            }
            self.latest.insert(body, listed);
        }
    }
}
