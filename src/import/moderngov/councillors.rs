//! Wards and councillors.

use roxmltree::Node;
use serde_json::{Value, json};

use super::{Reader, Source, child, named, text};
use crate::import::{Item, List, Members, values};

impl Reader<'_> {
    pub(super) fn councillors(&mut self, file: &Source<'_>, root: Node<'_, '_>) {
        for ward in named(root, "ward") {
            let Some(id) = self.ward(file, ward) else { continue };
            for councillor in named(ward, "councillor") {
                self.councillor(file, councillor, &id);
            }
        }
    }

    fn ward(&mut self, file: &Source<'_>, node: Node<'_, '_>) -> Option<String> {
        let title = self.title(file, node, "wardtitle")?;
        let own = self.map.wards.get(&title).and_then(|ward| ward.id.as_ref()).map(ToString::to_string);
        let id = own.unwrap_or_else(|| format!("mg:ward:{}", values::slug(&title)));
        let seen = self.found.lists.get(&List::Wards).into_iter().flatten().find(|ward| ward.id == id);
        match seen {
            Some(ward) if ward.told.get("name") == Some(&json!(title)) => {}
            Some(_) => self.faults.add(file.at(node), format!("two wards have the id `{id}`: give one in `wards`")),
            None => {
                let told = Members::from_iter([("name".to_owned(), json!(title))]);
                let item = Item { id: id.clone(), at: file.at(node), told, at_first: Members::new() };
                self.found.add(List::Wards, item);
            }
        }
        Some(id)
    }

    fn councillor(&mut self, file: &Source<'_>, node: Node<'_, '_>, ward: &str) {
        let here = file.at(node);
        let Some(number) = self.number(file, node, "councillorid") else { return };
        let Some(name) = self.title(file, node, "fullusername") else { return };
        let of = self.map.people.get(&number.to_string());
        let own = of.and_then(|person| person.id.as_ref()).map(ToString::to_string);
        let id = own.unwrap_or_else(|| format!("mg:user:{number}"));
        if self.people.insert(number, id.clone()).is_some() {
            self.faults.add(here, format!("councillor {number} stands twice"));
            return;
        }
        let mut told = Members::from_iter([("name".to_owned(), json!(name)), ("wards".to_owned(), json!([ward]))]);
        let mut at_first = Members::new();
        match of.and_then(|person| person.kind) {
            Some(kind) => told.insert("kind".to_owned(), json!(kind)),
            None => at_first.insert("kind".to_owned(), json!("councillor")),
        };
        if let Some(group) = self.group(file, node) {
            told.insert("group".to_owned(), json!(group));
        }
        if let Some(term) = self.term(file, node) {
            told.insert("term".to_owned(), term);
        }
        self.found.add(List::People, Item { id, at: here, told, at_first });
    }

    /// The political group. A party is one only where the council says so.
    fn group(&mut self, file: &Source<'_>, node: Node<'_, '_>) -> Option<String> {
        let (group, party) = (text(node, "politicalgrouptitle"), text(node, "politicalpartytitle"));
        let title = values::plain(group.as_ref().or(party.as_ref())?);
        let of = self.map.groups.get(&title);
        if of.is_none() && group.is_none() {
            self.note("parties that `groups` does not make a political group", title);
            return None;
        }
        let own = of.and_then(|of| of.id.as_ref()).map(ToString::to_string);
        let id = own.unwrap_or_else(|| format!("mg:group:{}", values::slug(&title)));
        let here = file.at(node);
        if self.found.lists.get(&List::Groups).into_iter().flatten().all(|known| known.id != id) {
            let name = of.and_then(|of| of.name.clone()).unwrap_or(title);
            let mut told = Members::from_iter([("name".to_owned(), json!(name))]);
            if let Some(administration) = of.and_then(|of| of.administration) {
                told.insert("administration".to_owned(), json!(administration));
            }
            self.found.add(List::Groups, Item { id: id.clone(), at: here, told, at_first: Members::new() });
        }
        Some(id)
    }

    /// The latest term of office, if any is told.
    fn term(&mut self, file: &Source<'_>, node: Node<'_, '_>) -> Option<Value> {
        let mut latest = None;
        for term in child(node, "termsofoffice").into_iter().flat_map(|terms| named(terms, "termofoffice")) {
            let (from, to) = (self.day(file, term, "startdate"), self.day(file, term, "enddate"));
            if let (Some(from), Some(to)) = (from, to)
                && to < from
            {
                self.faults.add(file.at(term), format!("the term ends on {to}, before it begins on {from}"));
            }
            if from.is_some() || to.is_some() {
                latest = latest.max(Some((from, to)));
            }
        }
        latest.map(|(from, to)| json!({"from": from, "to": to}))
    }
}
