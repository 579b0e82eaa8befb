//! Entries of some age, holds on them, and their erasure: what the claims of [`crate::erasure`] and [`crate::holds`]
//! are made with.

use pinkpaper::{
    audit::{AppendError, EntryKind, NewEntry, SearchKeys, Unmet, Write, Written},
    domain::{
        determination::Entered,
        hold::Scope,
        referral::Raised,
        retention::{Due, Ended, Erased, Erasing},
        words::{Action, ErasedUnder, HoldKind, Outcome, RecordClass, ReferralRole},
    },
    pip::{Change, DeterminationFilter},
};
use serde_json::json;

use crate::support::*;

/// When everything is old.
pub const LATE: &str = "2040-01-01T00:00:00Z";

pub const NOTHING: [u64; 0] = [];

/// A refusal to somebody of some paper under some rule, at some time.
pub fn refusal(id: &str, person: &str, document: &str, rule: &str, at: &str) -> NewEntry {
    NewEntry {
        at: time(at),
        payload: vec![
            ("caller", json!("edrms")),
            ("request", json!({"principal": {"type": "person", "id": person}, "document": {"id": document}})),
            ("answer", json!({"document": document, "parts": [{"id": "appendix-b", "outcome": "withhold"}]})),
            ("facts", json!({"case": {"asks": person}, "paper": document})),
        ],
        search: Some(SearchKeys {
            person: person.to_owned(),
            document: document.to_owned(),
            action: Action::Read,
            rules: vec![rule.to_owned()],
            referrals: Vec::new(),
        }),
        ..decision(id, 0)
    }
}

/// The refusal that most claims are about.
pub fn refused(id: &str) -> NewEntry {
    refusal(id, "b1", "edrms:2026/0117", "S-100F-3", "2026-11-22T12:00:00.123456Z")
}

pub fn referred(id_: &str, referral: &str) -> NewEntry {
    let mut entry = refused(id_);
    if let Some(search) = &mut entry.search {
        let to = vec![ReferralRole::MonitoringOfficer];
        let (document, person) = (id("edrms:2026/0117"), "b1".to_owned());
        search.referrals = vec![Raised { id: id(referral), document, person, to, due: None }];
    }
    entry
}

pub fn kind(entry: NewEntry, kind: EntryKind, outcome: Option<Outcome>) -> NewEntry {
    NewEntry { kind, outcome, ..entry }
}

/// What whoever holds the database may try after [`Bench::partly_erased`], each in a transaction of its own.
pub const PRETENCES: [&[&str]; 9] = [
    // By nothing, or by the erasure of another group.
    &["DELETE FROM log_payload WHERE grp = 'request'"],
    &["DELETE FROM log_search"],
    &["DELETE FROM log_search_rule"],
    &["DELETE FROM log_idempotency"],
    // By an entry that is there: no erasure, or one that took something else.
    &["INSERT INTO log_erased (seq, erasure) VALUES (0, 'hb')"],
    &["INSERT INTO log_erased_group (erasure, seq, grp) VALUES ('e-1', 0, 'request')"],
    // By an entry that never comes, is no erasure, or does not name it.
    &[TAKE_RECORD, TAKE_GROUP, TAKE_REQUEST, "COMMIT"],
    &[TAKE_RECORD, TAKE_GROUP, TAKE_REQUEST, HEARTBEAT, "COMMIT"],
    &[TAKE_RECORD, TAKE_GROUP, TAKE_REQUEST, ERASURE, "COMMIT"],
];

const TAKE_RECORD: &str = "INSERT INTO log_erased (seq, erasure) VALUES (0, 'new')";
const TAKE_GROUP: &str = "INSERT INTO log_erased_group (erasure, seq, grp) VALUES ('new', 0, 'request')";
const TAKE_REQUEST: &str = "DELETE FROM log_payload WHERE seq = 0 AND grp = 'request'";
/// Like the entry `e-1`, under a hash that no leaf has yet.
const HEARTBEAT: &str = "INSERT INTO log_leaf (seq, epoch, kind, leaf, leaf_hash, entry_id, at)
    SELECT 3, l.epoch, 'heartbeat', l.leaf, n.hash, 'new', l.at FROM log_leaf l, log_node n WHERE l.seq = 1";
const ERASURE: &str = "INSERT INTO log_leaf (seq, epoch, kind, leaf, leaf_hash, entry_id, at)
    SELECT 3, l.epoch, 'erasure', l.leaf, n.hash, 'new', l.at FROM log_leaf l, log_node n WHERE l.seq = 1";

/// That Cllr B. One needs to know, for good or until some time.
pub fn need(valid_until: Option<&str>) -> Box<Entered> {
    let mut entered = entered("need_to_know", Some("edrms:2026/0117"), Some("b1"));
    entered.valid_until = valid_until.map(time);
    entered
}

/// What the store leaves alone, whoever holds the database may not take either: each is refused for a reason of its own.
pub const DETERMINATIONS_THAT_STAY: [(&str, &str); 4] = [
    ("DELETE FROM determination WHERE id = 'kept'", "a determination goes with the record of it"),
    ("DELETE FROM determination WHERE id = 'in-part'", "a determination goes with the record of it"),
    ("DELETE FROM determination WHERE id = 'in-force'", "a determination in force is kept"),
    ("DELETE FROM determination WHERE id = 'for-long'", "a determination in force is kept"),
];

/// Due of a class when nothing in it is later than a time, no released hold keeping any more.
pub fn due_until(class: RecordClass, until: &str) -> Due {
    Due { class, until: time(until), ended: ended(LATE) }
}

pub fn ended(until: &str) -> Ended {
    HoldKind::ALL.iter().map(|kind| (*kind, time(until))).collect()
}

impl Bench {
    /// The indexes that are due.
    pub async fn due(&self, due: &Due) -> Vec<u64> {
        let due = self.store.due(due, None, 1000).await.expect("readable");
        due.into_iter().map(|entry| entry.index).collect()
    }

    /// Which refusals are due when all of them are old.
    pub async fn refusals_due(&self) -> Vec<u64> {
        self.due(&due_until(RecordClass::RedactOrDeny, LATE)).await
    }

    pub async fn events(&self) -> u64 {
        self.store.retention_events().await.expect("readable")
    }

    /// Erases under an entry of its own.
    pub async fn erase(&self, by: &str, entries: Vec<Erased>) -> Result<Written, AppendError> {
        let as_of = self.events().await;
        self.erase_as_of(by, entries, as_of, false).await
    }

    pub async fn erase_as_of(
        &self,
        by: &str,
        entries: Vec<Erased>,
        as_of: u64,
        findable: bool,
    ) -> Result<Written, AppendError> {
        let change = Change::Erase { by: by.to_owned(), as_of, entries: entries.clone(), findable };
        let erased = Some(Erasing { under: ErasedUnder::Schedule, entries });
        let entry = NewEntry { kind: EntryKind::Erasure, at: time(LATE), erased, ..entry(by) };
        self.store.write(Write { change, if_version: None }, entry).await
    }

    /// Erases all there is of an entry.
    pub async fn erase_whole(&self, by: &str, index: u64) {
        let raw = self.store.raw(index, 1).await.expect("readable").remove(0);
        let mut groups: Vec<String> = raw.groups.into_iter().map(|group| group.name).collect();
        groups.sort();
        self.erase(by, vec![Erased { index, groups }]).await.expect("erased");
    }

    /// One group of entry 0 is erased by `e-1`, and `hb` is a heartbeat: before [`PRETENCES`].
    pub async fn partly_erased(&self) {
        self.store.append(keyed(refused("d-1"), "edrms:k", 1)).await.expect("appended");
        let facts = vec![Erased { index: 0, groups: vec!["facts".to_owned()] }];
        self.erase_as_of("e-1", facts, 0, true).await.expect("erased");
        self.store.append(kind(entry("hb"), EntryKind::Heartbeat, None)).await.expect("appended");
    }

    /// That nothing went but the one group, and that all the rest can go as it should.
    pub async fn is_partly_erased(&self) {
        let kept = self.store.entry("d-1").await.expect("readable").expect("there");
        assert_eq!(kept.payload.len(), 3);
        assert_eq!(self.all().await.len(), 1, "it is found");
        assert!(self.store.repeated("edrms:k").await.expect("readable").is_some());
        self.erase_whole("e-2", 0).await;
        assert!(self.all().await.is_empty());
    }

    pub async fn place(&self, hold: &str, kind: HoldKind, scope: Scope) -> Written {
        let entry = NewEntry {
            kind: EntryKind::Hold,
            payload: vec![("hold", json!({"reason": "asked for", "scope": scope}))],
            ..entry(hold)
        };
        let change = Change::PlaceHold { id: id(hold), kind, scope };
        self.store.write(Write { change, if_version: None }, entry).await.expect("placed")
    }

    pub async fn release(&self, entry_id: &str, hold: &str, at: &str) -> Result<Written, AppendError> {
        let entry = NewEntry { kind: EntryKind::HoldReleased, at: time(at), ..entry(entry_id) };
        let write = Write { change: Change::ReleaseHold(id(hold)), if_version: None };
        self.store.write(write, entry).await
    }

    pub async fn close(&self, referral: &str, at: &str) {
        let answer = determine("det-1", entered("need_to_know", Some("edrms:2026/0117"), Some("b1")));
        self.write("w-det", answer).await.expect("determined");
        let change = Change::CloseReferral { referral: id(referral), determination: id("det-1") };
        let entry = NewEntry { kind: EntryKind::ReferralClosed, at: time(at), ..entry("c-1") };
        self.store.write(Write { change, if_version: None }, entry).await.expect("closed");
    }

    /// Under an entry of its own name, as the service does.
    pub async fn determined(&self, name: &str, at: &str, entered: Box<Entered>) {
        let payload = vec![("caller", json!("key:mo")), ("determination", json!(entered))];
        let entry = NewEntry { kind: EntryKind::Determination, at: time(at), payload, ..entry(name) };
        let write = Write { change: determine(name, entered), if_version: None };
        self.store.write(write, entry).await.expect("determined");
    }

    pub async fn withdrawn(&self, entry_id: &str, determination: &str, at: &str) {
        let payload = vec![("caller", json!("key:mo")), ("act", json!({"determination": determination}))];
        let entry = NewEntry { kind: EntryKind::Withdrawal, at: time(at), payload, ..entry(entry_id) };
        let write = Write { change: Change::Withdraw(id(determination)), if_version: None };
        self.store.write(write, entry).await.expect("withdrawn");
    }

    /// Before [`DETERMINATIONS_THAT_STAY`], with one that may go. Their records are erased without them.
    pub async fn determinations_of_all_sorts(&self) {
        let at = "2019-11-22T12:00:00Z";
        let until = [None, None, None, Some("2120-01-01T00:00:00Z"), Some("2020-01-01T00:00:00Z")];
        let names = ["kept", "in-part", "in-force", "for-long", "past"];
        for (name, until) in names.into_iter().zip(until) {
            self.determined(name, at, need(until)).await;
        }
        self.withdrawn("w-5", "kept", at).await;
        self.withdrawn("w-6", "in-part", at).await;
        let erased = |index, groups: &[&str]| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            Erased { index, groups }
        };
        let whole = ["caller", "determination"];
        let entries = vec![erased(1, &whole[..1]), erased(2, &whole), erased(3, &whole), erased(4, &whole)];
        self.erase_as_of("e-1", entries, 0, true).await.expect("erased");
    }

    /// The determinations kept, by name.
    pub async fn determinations(&self) -> Vec<String> {
        let all = self.store.list_determinations(&DeterminationFilter::default(), &page(None, 1000)).await;
        all.expect("readable").items.into_iter().map(|determination| determination.id.to_string()).collect()
    }

    pub async fn covering(&self, index: u64) -> Option<String> {
        let hold = self.store.covering(index, &ended(LATE)).await.expect("readable");
        hold.map(|hold| hold.to_string())
    }
}

pub fn moved(done: Result<Written, AppendError>) -> bool {
    matches!(done, Err(AppendError::Precondition(Unmet::Moved)))
}
