//! Papers of modern.gov, and how what it tells is laid over what the register of documents has.
//!
//! The table of flags is on the page of [`super::moderngov`].
//!
//! The invariant: an import closes what modern.gov restricts, and never opens what a recorded opinion closed, nor what
//! another import closed at an item that this one does not tell about.

use roxmltree::Node;
use serde_json::{Value, json};

use super::{
    Item, Members,
    mapping::Mapping,
    moderngov::{Meeting, Reader, child, named, text},
    values,
};

mod over;

pub(super) use over::over;

/// What modern.gov says of an attachment's restriction; `None`: it does not say.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    pub item_restricted: Option<bool>,
    pub restricted: Option<bool>,
    /// The element, and what it holds.
    pub reference: Option<Option<String>>,
    /// Of meeting and item.
    pub shown: Option<bool>,
}

impl Flags {
    /// What these flags make of a paper.
    pub fn classification(&self, map: &Mapping) -> Value {
        let free = self.item_restricted == Some(false) && self.restricted == Some(false);
        if free && self.reference == Some(None) && self.shown == Some(true) {
            return json!({"access": "open"});
        }
        let restricted = self.item_restricted == Some(true) || self.restricted == Some(true);
        let reference = self.reference.iter().flatten().find_map(|text| map.restrictions.get(text));
        match reference.filter(|_| restricted) {
            Some(paragraphs) => {
                let exempt: Vec<Value> = paragraphs.iter().map(|paragraph| json!({"paragraph": paragraph})).collect();
                json!({"access": "exempt", "exempt": exempt, "label": "Restricted in modern.gov"})
            }
            None if restricted => json!({"access": "unsettled", "label": "Restricted in modern.gov"}),
            None => json!({"access": "unsettled", "label": "Not known to be unrestricted in modern.gov"}),
        }
    }
}

/// The attachments of every item of a meeting.
pub(super) fn read(reader: &mut Reader<'_>, meeting: &Meeting<'_, '_>) {
    let day = reader.day(meeting.file, meeting.node, "meetingdate");
    let time = text(meeting.node, "meetingtime").and_then(|text| values::clock(&text));
    let begins = day.zip(time).and_then(|(day, time)| values::at_london(day, time));
    if begins.is_none() {
        reader.note("times of meetings, for they cannot be read, of", meeting.number.to_string());
    }
    for item in named(meeting.node, "agendaitem") {
        let told = |tag| text(item, tag).and_then(|text| values::flag(&text));
        let number = text(item, "fulldisplaynumberformat").or_else(|| text(item, "agendaitemnumber"));
        let number = number.map(|number| number.trim_end_matches('.').to_owned());
        let number = number.filter(|number| (1..=100).contains(&number.chars().count()));
        let done = told("isminutepublished") == Some(true);
        let mut business = json!({
            "body": meeting.body, "meeting": format!("mg:meeting:{}", meeting.number),
            "status": if done { "transacted" } else { "to_be_transacted" },
        });
        if let Value::Object(business) = &mut business {
            let private = told("isrestricted").filter(|_| reader.map.meetings.public_unless_restricted);
            let more = [("item", json!(number)), ("meeting_at", json!(begins)), ("private", json!(private))];
            business
                .extend(more.map(|(name, value)| (name.to_owned(), value)).into_iter().filter(|(_, v)| !v.is_null()));
        }
        for attachment in named(item, "linkeddoc") {
            read_one(reader, meeting, item, attachment, &business);
        }
    }
}

fn read_one(
    reader: &mut Reader<'_>,
    meeting: &Meeting<'_, '_>,
    item: Node<'_, '_>,
    node: Node<'_, '_>,
    business: &Value,
) {
    let file = meeting.file;
    let Some(number) = reader.number(file, node, "attachmentid") else { return };
    let Some(title) = reader.title(file, node, "title") else { return };
    let told = |node, tag| text(node, tag).and_then(|text| values::flag(&text));
    if told(node, "isurl") == Some(true) {
        reader.note("attachments that are links to elsewhere", number.to_string());
        return;
    }
    let flags = Flags {
        item_restricted: told(item, "isrestricted"),
        restricted: told(node, "isrestricted"),
        reference: child(node, "restrictionsref").map(|_| text(node, "restrictionsref")),
        shown: Some(meeting.shown && told(item, "isdisplayallowed") == Some(true)),
    };
    if let Some(Some(reference)) = &flags.reference
        && !reader.map.restrictions.contains_key(reference)
    {
        reader.note("restrictions that `restrictions` does not map", reference.clone());
    }
    let mut classification = flags.classification(reader.map);
    if !meeting.takes_place && !is_open(&classification) {
        over::remember(&mut classification, meeting.number);
    }
    let mut told = Members::from_iter([("title".to_owned(), json!(title))]);
    let published = reader.day(file, node, "publicationdate").filter(|_| meeting.published).and_then(values::end_of);
    if is_open(&classification)
        && let Some(published) = published
    {
        told.insert("published_at".to_owned(), json!(published));
    }
    told.insert("classification".to_owned(), classification);
    let business = match meeting.takes_place {
        true => business.clone(),
        // No business any more, if it was any.
        false => json!({"body": business.get("body"), "meeting": business.get("meeting"), "status": null}),
    };
    told.insert("business".to_owned(), json!([business]));
    let kind = reader.map.documents.kind.map_or_else(|| json!("other"), |kind| json!(kind));
    let at_first = Members::from_iter([("kind".to_owned(), kind), ("held_by".to_owned(), json!("council"))]);
    let id = format!("mg:attachment:{number}");
    match reader.found.documents.iter_mut().find(|known| known.id == id) {
        Some(known) => again(known, told),
        None => reader.found.documents.push(Item { id, at: file.at(node), told, at_first }),
    }
}

fn is_open(classification: &Value) -> bool {
    classification.get("access").and_then(Value::as_str) == Some("open")
}

/// The same attachment at another item: it serves both, and is as closed as the more closed of them. Of two that close
/// it, one that gives no business is kept, for it is remembered nowhere else.
fn again(known: &mut Item, told: Members) {
    if let (Some(Value::Array(all)), Some(Value::Array(more))) = (known.told.get_mut("business"), told.get("business"))
    {
        all.extend(more.iter().cloned());
    }
    let open = |members: &Members| members.get("classification").is_some_and(is_open);
    let remembered =
        |members: &Members| members.get("classification").is_some_and(|one| over::remembered(one).is_some());
    if !open(&told) && (open(&known.told) || remembered(&told)) {
        known.told.shift_remove("published_at");
        known.told.extend(told.get("classification").map(|one| ("classification".to_owned(), one.clone())));
    }
}
