//! A store to test, and things to put into it.

use std::{any::Any, sync::Arc};

use ed25519_dalek::VerifyingKey;
use jiff::Timestamp;
use pinkpaper::{
    audit::{
        AppendError, DecisionLog, EntryKind, IdempotencyKey, LogFilter, NewEntry, SearchKeys, StoredEntry, Unmet,
        Write, Written,
    },
    domain::{
        determination::Entered,
        document::Document,
        id::Id,
        register::{Person, Register},
        words::{Action, Outcome},
    },
    pip::{Change, PageRequest},
};
use serde_json::{Value, json};

pub const ORIGIN: &str = "papers.exampleton.gov.uk/log";

/// An open store, the key its receipts verify under, and what must outlive it.
pub struct Bench {
    pub store: Arc<dyn DecisionLog>,
    pub key: VerifyingKey,
    pub keep: Box<dyn Any + Send>,
}

impl Bench {
    pub fn version(&self) -> u64 {
        self.store.snapshot().facts_version
    }

    /// A write under a fresh entry, at any version.
    pub async fn write(&self, id: &str, change: Change) -> Result<Written, AppendError> {
        self.store.write(Write { change, if_version: None }, entry(id)).await
    }

    pub async fn unmet(&self, id: &str, change: Change) -> Unmet {
        match self.write(id, change).await {
            Err(AppendError::Precondition(unmet)) => unmet,
            other => panic!("expected an unmet precondition, not {other:?}"),
        }
    }

    /// Every decision that a filter finds, newest first.
    pub async fn found(&self, filter: LogFilter) -> Vec<StoredEntry> {
        self.store.decisions(&filter, &page(None, 10_000)).await.expect("readable").items
    }

    pub async fn all(&self) -> Vec<StoredEntry> {
        self.found(LogFilter::default()).await
    }
}

pub fn page(after: Option<&str>, limit: u32) -> PageRequest {
    PageRequest { after: after.map(str::to_owned), limit }
}

pub fn id(text: &str) -> Id {
    text.try_into().expect("an id")
}

pub fn time(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// An act that is no decision and rests on no facts.
pub fn entry(id: &str) -> NewEntry {
    NewEntry {
        kind: EntryKind::RegisterWrite,
        id: id.to_owned(),
        at: time("2026-11-22T12:00:00.123456Z"),
        outcome: None,
        policy_bundle: "sha256:0a".to_owned(),
        facts_version: None,
        payload: vec![("request", json!({"by": "registrar", "what": id}))],
        search: None,
        idempotency: None,
        erased: None,
    }
}

/// Cllr B. One is refused Appendix B.
pub fn decision(id: &str, facts_version: u64) -> NewEntry {
    NewEntry {
        kind: EntryKind::Decision,
        outcome: Some(Outcome::Deny),
        facts_version: Some(facts_version),
        payload: vec![
            ("request", json!({"principal": {"type": "person", "id": "b1"}, "document": {"id": "edrms:2026/0117"}})),
            ("answer", json!({"parts": [{"id": "appendix-b", "outcome": "withhold"}], "days": 10})),
        ],
        search: Some(SearchKeys {
            person: "b1".to_owned(),
            document: "edrms:2026/0117".to_owned(),
            action: Action::Read,
            rules: vec!["S-100F-3".to_owned(), "S-100F-3".to_owned(), "TH52-10.3-ii".to_owned()],
            referrals: Vec::new(),
        }),
        ..entry(id)
    }
}

pub fn keyed(entry: NewEntry, key: &str, body: u8) -> NewEntry {
    NewEntry { idempotency: Some(IdempotencyKey { key: key.to_owned(), body_hash: [body; 32] }), ..entry }
}

fn parse<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("the example parses")
}

/// The example of contract §2.
pub fn register() -> Register {
    parse(json!({
        "authority": {"id": "exampleton", "name": "Exampleton Council", "governance": "executive"},
        "groups": [{"id": "red", "name": "Red Group", "administration": true}, {"id": "blue", "name": "Blue Group"}],
        "wards": [{"id": "north", "name": "North"}, {"id": "west", "name": "West"}],
        "bodies": [
            {"id": "oas", "name": "Overview and Scrutiny", "kind": "overview_and_scrutiny",
             "work_programme": [{"id": "wp-7", "title": "Repairs contract", "matters": ["housing-repairs"],
                                 "from": "2026-09-01", "to": null}]},
            {"id": "licensing", "name": "Licensing Committee", "kind": "committee", "terms_of_reference": ["licensing"]}
        ],
        "people": [
            {"id": "b1", "name": "Cllr B. One", "kind": "councillor", "term": {"from": "2026-05-11", "to": null},
             "group": "blue", "wards": ["west"],
             "memberships": [{"body": "oas", "role": "member", "voting": true, "from": "2026-05-20", "to": null}],
             "interests": [{"id": "i-1", "kind": "disclosable_pecuniary", "holder": "self",
                            "matter": "organisation:03216549", "relation": "directly_relates", "registered": true}],
             "dispensations": [{"interest": "i-1", "from": "2026-10-01", "to": "2027-10-01"}]},
            {"id": "a-blue", "name": "Blue Group assistant", "kind": "political_assistant", "assists": {"group": "blue"}},
            {"id": "o-mo", "name": "Monitoring Officer", "kind": "officer", "posts": ["monitoring_officer"]}
        ]
    }))
}

pub fn person(person_id: &str, name: &str) -> Person {
    parse(json!({"id": person_id, "name": name, "kind": "councillor"}))
}

/// The example of contract §3: some members none, some unknown, a part that overrides.
pub fn document(document_id: &str) -> Document {
    parse(json!({
        "id": document_id, "title": "Review of the Crown Bar licence", "kind": "report", "held_by": "council",
        "business": [{"body": "licensing", "meeting": "lic-2026-12-01", "item": "7.2", "status": "to_be_transacted",
                      "meeting_at": "2026-12-01T18:30:00Z", "private": true, "concluded_at": null}],
        "published_at": null, "draft": "none", "matters": ["licensing"], "group_internal_of": null,
        "parts": [
            {"id": "report", "title": "Report"},
            {"id": "appendix-b", "title": "Valuation", "locator": "pp. 12-19", "tags": ["commercial"], "business": [
                {"body": "oas", "meeting": "oas-2026-12-08", "status": "to_be_transacted"}],
             "classification": {"access": "exempt", "exempt": [{"paragraph": 3, "negotiation_terms": true}],
                                "determined_by": "proper_officer", "determined_at": "2026-11-20T10:00:00Z"}}
        ]
    }))
}

pub fn other_document(document_id: &str, kind: &str, body: &str) -> Document {
    parse(json!({"id": document_id, "kind": kind, "held_by": "council",
                 "business": [{"body": body, "status": "to_be_transacted"}]}))
}

pub fn entered(kind: &str, document: Option<&str>, person: Option<&str>) -> Box<Entered> {
    Box::new(parse(json!({
        "kind": kind, "answer": true, "person": person, "document": document, "parts": ["appendix-b"],
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-11-21T09:00:00Z",
        "conditions": "Read at the council offices", "reasons": "The ward's tenants asked"
    })))
}

pub fn determine(determination: &str, entered: Box<Entered>) -> Change {
    Change::Determine { id: id(determination), entered, entered_by: "key:mo".to_owned() }
}
