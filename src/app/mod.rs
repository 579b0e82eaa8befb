//! What the service does, one verb to a file: [`decide`] tells the main story.
//!
//! It deliberately knows no HTTP and no database: callers come in as [`Caller`], facts and log through the ports of
//! [`crate::pip`] and [`crate::audit`].
//!
//! Worked example: the EDRMS asks whether Cllr B. One may read `edrms:2026/0117`. [`decide`] gathers the facts at
//! version 41, evaluates the policies, records the answer at version 41, and only then returns it. Had the register
//! changed meanwhile, the append would have said so and the question would have been asked again.
//!
//! The invariant: nothing is returned that is not recorded.

use std::sync::Arc;

use arc_swap::ArcSwap;
use serde_json::json;

use crate::{
    audit::{DecisionLog, EntryKind, IdempotencyKey, NewEntry},
    clock::Clock,
    domain::{id::Id, retention::Schedule, words::CallerRole},
    pap::{
        Bundle,
        callers::{Circumstances, Errand},
    },
    pdp::StatutoryLayer,
    pip::Indexed,
    telemetry,
};

pub mod again;
pub mod audience;
pub mod conflicts;
pub mod decide;
pub mod determine;
pub mod determined;
pub mod differences;
pub mod enquire;
pub mod erasure;
pub mod evidence;
pub mod explain;
pub mod export;
pub mod facts;
pub mod history;
pub mod holds;
pub mod impact;
pub mod policies;
pub mod prove;
pub mod referrals;
pub mod replay;
pub mod replays;
pub mod rounds;
pub mod situations;
pub mod standing;
pub mod statement;
pub mod statistics;
pub mod told;

/// The service.
pub struct App {
    pub store: Arc<dyn DecisionLog>,
    /// Those in force as far as this process knows: see [`policies`].
    pub policies: ArcSwap<Bundle>,
    pub profile: String,
    pub statutory: StatutoryLayer,
    /// How long what is personal in the log is kept.
    pub retention: Schedule,
    pub clock: Box<dyn Clock>,
    /// Hash of the schemas that check questions.
    pub schemas: Option<String>,
    pub checkpoints: evidence::Checkpoints,
    /// Where policies are read from again.
    pub source: policies::Source,
    turn: policies::Turn,
    /// Held by the one audience that is being listed.
    audiences: tokio::sync::Mutex<()>,
}

/// The configured profile is not in the bundle.
#[derive(Debug, thiserror::Error)]
#[error("profile `{0}` is not among the policies")]
pub struct NoProfile(pub String);

/// Who calls the service.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: String,
    pub roles: Vec<CallerRole>,
    /// The person of the register for whom the caller speaks.
    pub person: Option<Id>,
    /// Whether the credential is one person's own, who is then to be known: a token is, a key need not be.
    pub personal: bool,
}

impl Caller {
    /// The service itself.
    pub fn service() -> Self {
        Self { name: "pinkpaper".to_owned(), roles: Vec::new(), person: None, personal: false }
    }
}

impl App {
    pub fn new(
        store: Arc<dyn DecisionLog>,
        checkpoints: evidence::Checkpoints,
        bundle: Arc<Bundle>,
        profile: String,
        statutory: StatutoryLayer,
        clock: Box<dyn Clock>,
    ) -> Result<Self, NoProfile> {
        if bundle.book(&profile).is_none() {
            return Err(NoProfile(profile));
        }
        Ok(Self {
            store,
            policies: ArcSwap::new(bundle),
            profile,
            statutory,
            retention: Schedule::default(),
            clock,
            schemas: None,
            checkpoints,
            source: policies::Source::default(),
            turn: policies::Turn::default(),
            audiences: tokio::sync::Mutex::default(),
        })
    }

    /// With a council's own schedule.
    pub fn keeping(self, retention: Schedule) -> Self {
        Self { retention, ..self }
    }

    /// Records with each decision by which schemas its question was checked.
    pub fn checked_by(self, schemas: &str) -> Self {
        Self { schemas: Some(schemas.to_owned()), ..self }
    }

    /// With policies that are read again from there.
    pub fn reading(self, source: policies::Source) -> Self {
        Self { source, ..self }
    }

    /// Whether a credential is one person's own and the register does not know whose.
    fn nobody_known(caller: &Caller, register: &Indexed) -> bool {
        caller.personal && caller.person.as_ref().is_none_or(|id| register.person(id).is_none())
    }

    /// Whether there are circumstances in which the policies allow the errand.
    pub fn might_allow(&self, caller: &Caller, errand: Errand) -> bool {
        Circumstances::all().any(|circumstances| self.allows(caller, errand, circumstances))
    }

    pub fn allows(&self, caller: &Caller, errand: Errand, circumstances: Circumstances) -> bool {
        self.policies.load().callers.allow(&caller.roles, errand, circumstances)
    }

    /// An entry for an act other than a decision.
    fn act(&self, kind: EntryKind, caller: &Caller, what: serde_json::Value) -> NewEntry {
        NewEntry {
            kind,
            id: new_id(),
            at: self.clock.now(),
            outcome: None,
            policy_bundle: self.policies.load().hash.clone(),
            facts_version: None,
            payload: [("caller", json!(caller.name)), ("act", what)].into_iter().chain(traced()).collect(),
            search: None,
            idempotency: None,
            erased: None,
        }
    }
}

/// By which trace an act can be found among what the process sent of itself.
fn traced() -> Option<(&'static str, serde_json::Value)> {
    telemetry::trace_id().map(|id| ("trace", json!({"trace_id": id})))
}

/// A fresh id, in order of time.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// What an idempotent request was sent with.
#[derive(Clone, Debug)]
pub struct Idempotency {
    pub key: String,
    /// SHA-256 of method, path and body.
    pub body_hash: [u8; 32],
}

impl Idempotency {
    /// The key of one answer: a caller's keys are its own, and each item of a batch has its own.
    fn of(&self, caller: &Caller, item: Option<usize>) -> IdempotencyKey {
        let item = item.map(|at| format!("#{at}")).unwrap_or_default();
        // The length keeps a caller `a/b` with key `c` apart from a caller `a` with key `b/c`.
        let key = format!("{}:{}/{}{item}", caller.name.len(), caller.name, self.key);
        IdempotencyKey { key, body_hash: self.body_hash }
    }
}
