//! modern.gov: answers of a council's `mgWebService.asmx`, saved or asked for.
//!
//! | Answer | Gives |
//! |---|---|
//! | `GetCouncillorsByWard` | wards; councillors with name, ward, term of office, political group |
//! | `GetCommittees` | bodies, without their kind: that is the [mapping](super::mapping)'s |
//! | `GetMeetings` | which committee a meeting is of |
//! | `GetMeeting` | papers ([`super::papers`]); with `meetings.members_since`, who is on the committee |
//!
//! A *party* is not a political group: `politicalpartytitle` counts only where the mapping names it. A vote is never told,
//! so a membership has none unless the mapping gives it to a role. Who is not in `GetCouncillorsByWard` is nobody here.
//!
//! What an attachment's flags become. "Shown" is `isdisplayallowed` of meeting and item both `True`; "restricted" is
//! `isrestricted` of item or attachment `True`. A flag that is missing, empty or another word is *not told*.
//!
//! | `isrestricted` of item and attachment | `restrictionsRef` | Shown | `classification.access` | `published_at` |
//! |---|---|---|---|---|
//! | both `False` | there and empty | yes | `open` | end of `publicationdate`, if `agendapublished` is `True` |
//! | both `False` | there and empty | no, not told | `unsettled` | unknown |
//! | both `False` | filled, or missing | any | `unsettled` | unknown |
//! | one restricted | a text in the mapping's `restrictions` | any | `exempt`, with its paragraphs | unknown |
//! | one restricted | anything else | any | `unsettled` | unknown |
//! | not told of either, none restricted | any | any | `unsettled` | unknown |
//!
//! Nobody is named as having determined it (`determined_by`): modern.gov does not say. One attachment is one document
//! without parts. Its business is an item `to_be_transacted`, `transacted` once `isminutepublished` is `True`; a meeting
//! that is not `Confirmed` gives none. Where public and private are told apart only by the mapping, `private` is unknown.
//!
//! The invariant: what is not told is never read as public.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::json;

use super::{Faults, Found, Item, List, Members, Memberships, mapping::Mapping, values};

mod councillors;
mod members;
mod place;

pub(super) use place::Source;

/// An answer, and what to call it: a file's name or an address.
#[derive(Clone, Debug)]
pub struct Answer {
    pub name: String,
    pub text: String,
}

/// How many elements an answer may have.
const NODES: u32 = 2_000_000;

/// What is read so far.
pub(super) struct Reader<'m> {
    pub map: &'m Mapping,
    pub found: Found,
    pub faults: Faults,
    /// Ids of people by their numbers.
    people: BTreeMap<u64, String>,
    /// Ids of bodies by their numbers.
    bodies: BTreeMap<u64, String>,
    /// The committee of each meeting.
    committees: BTreeMap<u64, u64>,
    latest: BTreeMap<String, members::Listed>,
    unmapped: BTreeMap<&'static str, BTreeSet<String>>,
}

/// A meeting, as its papers need it.
pub(super) struct Meeting<'a, 'i> {
    pub file: &'a Source<'a>,
    pub node: Node<'a, 'i>,
    pub body: &'a str,
    pub number: u64,
    pub takes_place: bool,
    pub shown: bool,
    pub published: bool,
}

/// Everything that the answers tell.
pub fn read(answers: &[Answer], map: &Mapping) -> Result<Found, Faults> {
    let mut reader = Reader {
        map,
        found: Found { kinds: Some(&["councillor"]), ids: Some(map.ids()), ..Found::default() },
        faults: Faults::default(),
        people: BTreeMap::new(),
        bodies: BTreeMap::new(),
        committees: BTreeMap::new(),
        latest: BTreeMap::new(),
        unmapped: BTreeMap::new(),
    };
    reader.found.authority = map.authority.as_ref().map(|authority| json!(authority));
    let mut documents = Vec::new();
    for answer in answers {
        match parse(answer) {
            Ok(document) => documents.push((Source::new(&answer.name, &answer.text), document)),
            Err(error) => reader.faults.add(&answer.name, format!("is not whole XML: {error}")),
        }
    }
    // Committees and their meetings first: a meeting does not say whose it is.
    for operation in ["councillorsbyward", "committees", "getmeetings", "meeting"] {
        for (source, document) in &documents {
            let root = document.root_element();
            if root.tag_name().name() == operation {
                reader.answer(source, root);
            }
        }
    }
    for (source, document) in &documents {
        let root = document.root_element();
        if !["councillorsbyward", "committees", "getmeetings", "meeting"].contains(&root.tag_name().name()) {
            reader.faults.add(
                source.at(root),
                "expected an answer of GetCouncillorsByWard, GetCommittees, GetMeetings or GetMeeting",
            );
        }
    }
    reader.members();
    reader.finish()
}

fn parse(answer: &Answer) -> Result<Document<'_>, roxmltree::Error> {
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(&answer.text, options)
}

/// The numbers of the committees of an answer that are neither deleted nor expired.
pub fn committees(answer: &Answer) -> Result<Vec<u64>, Faults> {
    let document = parse(answer).map_err(|error| Faults::of(&answer.name, format!("is not whole XML: {error}")))?;
    let told = |node, tag| text(node, tag).and_then(|text| values::flag(&text));
    Ok(named(document.root_element(), "committee")
        .filter(|node| told(*node, "committeedeleted") == Some(false) && told(*node, "committeeexpired") == Some(false))
        .filter_map(|node| text(node, "committeeid").and_then(|text| values::number(&text)))
        .collect())
}

/// The numbers of the meetings of an answer.
pub fn meetings(answer: &Answer) -> Result<Vec<u64>, Faults> {
    let document = parse(answer).map_err(|error| Faults::of(&answer.name, format!("is not whole XML: {error}")))?;
    let found = named(document.root_element(), "meeting");
    Ok(found.filter_map(|node| text(node, "meetingid").and_then(|text| values::number(&text))).collect())
}

impl Reader<'_> {
    fn answer(&mut self, file: &Source<'_>, root: Node<'_, '_>) {
        match root.tag_name().name() {
            "councillorsbyward" => self.councillors(file, root),
            "committees" => named(root, "committee").for_each(|committee| self.committee(file, committee)),
            "getmeetings" => named(root, "committee").for_each(|committee| self.meetings(file, committee)),
            _ => self.meeting(file, root),
        }
    }

    fn committee(&mut self, file: &Source<'_>, node: Node<'_, '_>) {
        let here = file.at(node);
        let Some(number) = self.number(file, node, "committeeid") else { return };
        let Some(title) = self.title(file, node, "committeetitle") else { return };
        let deleted = self.flag(file, node, "committeedeleted");
        let expired = self.flag(file, node, "committeeexpired");
        let (Some(deleted), Some(expired)) = (deleted, expired) else { return };
        let told_of = self.map.bodies.get(&number.to_string());
        let own = told_of.and_then(|body| body.id.as_ref()).map(ToString::to_string);
        let id = own.unwrap_or_else(|| format!("mg:committee:{number}"));
        if self.bodies.contains_key(&number) {
            self.faults.add(here, format!("committee {number} stands twice"));
            return;
        }
        if deleted || expired {
            self.unmapped.entry("committees that are deleted or expired").or_default().insert(number.to_string());
            return;
        }
        let category = text(node, "committeecategory").map(|text| values::plain(&text));
        let by_category = category.as_ref().and_then(|category| self.map.kind_of(category));
        let mut told = Members::new();
        told.insert("name".to_owned(), json!(title));
        if let Some(kind) = told_of.and_then(|body| body.kind).or(by_category) {
            told.insert("kind".to_owned(), json!(kind));
        }
        if let Some(parent) = told_of.and_then(|body| body.parent.as_ref()) {
            told.insert("parent".to_owned(), json!(parent));
            self.found.refer(&here, List::Bodies, parent.as_str());
        }
        self.bodies.insert(number, id.clone());
        self.found.add(List::Bodies, Item { id, at: here, told, at_first: Members::new() });
    }

    fn meetings(&mut self, file: &Source<'_>, committee: Node<'_, '_>) {
        let Some(number) = self.number(file, committee, "committeeid") else { return };
        for meeting in named(committee, "meeting") {
            if let Some(meeting) = self.number(file, meeting, "meetingid") {
                self.committees.insert(meeting, number);
            }
        }
    }

    fn meeting(&mut self, file: &Source<'_>, node: Node<'_, '_>) {
        let Some(number) = self.number(file, node, "meetingid") else { return };
        let committee = self.committees.get(&number).copied();
        let Some(body) = committee.and_then(|committee| self.bodies.get(&committee)).cloned() else {
            let why = "meetings whose committee no answer of GetMeetings and GetCommittees tells";
            self.unmapped.entry(why).or_default().insert(number.to_string());
            return;
        };
        let status = text(node, "meetingstatus").unwrap_or_default();
        let takes_place = status == "Confirmed" || self.map.meetings.statuses.contains(&status);
        if !takes_place {
            self.unmapped.entry("statuses of meetings that are not known to take place").or_default().insert(status);
        }
        let told = |tag| text(node, tag).and_then(|text| values::flag(&text)) == Some(true);
        let (shown, published) = (told("isdisplayallowed"), told("agendapublished"));
        let meeting = Meeting { file, node, body: &body, number, takes_place, shown, published };
        super::papers::read(self, &meeting);
        if takes_place {
            self.listed(file, node, &body);
        }
    }

    /// Puts what was left out into words.
    fn finish(mut self) -> Result<Found, Faults> {
        for (what, which) in &self.unmapped {
            let which: Vec<String> = which.iter().map(|one| format!("`{}`", values::short(one))).collect();
            self.found.notes.push(format!("not taken, {what}: {}", which.join(", ")));
        }
        if self.map.meetings.members_since.is_some() {
            self.found.memberships = Memberships::In(self.latest.keys().cloned().collect());
        }
        self.faults.unless_any(self.found)
    }

    pub(super) fn number(&mut self, file: &Source<'_>, node: Node<'_, '_>, tag: &str) -> Option<u64> {
        let read = text(node, tag).and_then(|text| values::number(&text));
        self.expected(file, node, tag, "a number", read)
    }

    fn flag(&mut self, file: &Source<'_>, node: Node<'_, '_>, tag: &str) -> Option<bool> {
        let read = text(node, tag).and_then(|text| values::flag(&text));
        self.expected(file, node, tag, "`True` or `False`", read)
    }

    pub(super) fn title(&mut self, file: &Source<'_>, node: Node<'_, '_>, tag: &str) -> Option<String> {
        let read = text(node, tag).map(|text| values::plain(&text));
        let read = read.filter(|title| (1..=500).contains(&title.chars().count()));
        self.expected(file, node, tag, "1 to 500 characters", read)
    }

    /// A day that may be left out or `unspecified`.
    pub(super) fn day(&mut self, file: &Source<'_>, node: Node<'_, '_>, tag: &str) -> Option<Date> {
        let told = text(node, tag).filter(|text| text != "unspecified")?;
        self.expected(file, node, tag, "a day as dd/MM/yyyy", values::day(&told))
    }

    fn expected<T>(
        &mut self,
        file: &Source<'_>,
        node: Node<'_, '_>,
        tag: &str,
        what: &str,
        read: Option<T>,
    ) -> Option<T> {
        if read.is_none() {
            let told =
                text(node, tag).map_or_else(|| "nothing".to_owned(), |text| format!("`{}`", values::short(&text)));
            self.faults.add(file.at(child(node, tag).unwrap_or(node)), format!("{tag}: expected {what}, not {told}"));
        }
        read
    }

    pub(super) fn note(&mut self, why: &'static str, what: impl Into<String>) {
        self.unmapped.entry(why).or_default().insert(what.into());
    }
}

/// The elements of a name, at any depth.
pub(super) fn named<'a, 'i>(node: Node<'a, 'i>, tag: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |below| below.tag_name().name().eq_ignore_ascii_case(tag))
}

pub(super) fn child<'a, 'i>(node: Node<'a, 'i>, tag: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name().eq_ignore_ascii_case(tag))
}

/// What an element holds, if it holds more than space.
pub(super) fn text(node: Node<'_, '_>, tag: &str) -> Option<String> {
    let pieces: String =
        child(node, tag)?.descendants().filter_map(|piece| piece.text().filter(|_| piece.is_text())).collect();
    let trimmed = pieces.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
