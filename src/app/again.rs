//! Decides a case again from what the log kept of it: the facts as they were gathered, the policies by their hash.
//!
//! Deciding for the first time, explaining and replaying all come here, so that they cannot decide differently. It
//! reads no register and no clock: everything a decision turns on is in its entry or in the policies it names. It does
//! not know who asks for it.
//!
//! Worked example: Cllr B. One was refused Appendix B in March. [`Made::of`] opens the entry, [`policies`] loads the
//! bundle of March from the log, and [`judge`] refuses again, though Cllr B. One has since joined the committee.
//!
//! The invariant: the same facts under the same policies, profile and statutory layer give the same [`Judged`].
//!
//! Where next: [`super::replay`] tells what is different, [`super::impact`] does so for a whole log.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::App;
use crate::{
    audit::LogReader,
    domain::{
        decision::{Decision, Verdict},
        words::Outcome,
    },
    pap::{Bundle, LoadError, PolicyFiles, RuleBook},
    pdp::{self, StatutoryLayer},
    pip::{Unreadable, facts::Case},
    telemetry::metrics,
};

/// What was decided, before it has an id and a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    pub outcome: Outcome,
    pub held: bool,
    pub verdict: Verdict,
}

impl Judged {
    fn of(verdict: Verdict) -> Self {
        let outcome = pdp::outcome(&verdict.parts);
        Self { outcome, held: outcome != Outcome::Allow && verdict.referral.required, verdict }
    }
}

/// The verdict of the policies; where one could not be evaluated, everything is withheld.
pub fn judge(bundle: &Bundle, book: &RuleBook, statutory: StatutoryLayer, case: &Case) -> Judged {
    Judged::of(pdp::decide(bundle, book, statutory, case).unwrap_or_else(|error| {
        tracing::error!(error = %error, "a decision failed closed");
        metrics::failed_closed(&book.profile.id);
        pdp::fail_closed(book, case)
    }))
}

/// What a decision was made by, besides its facts and its policies. Nothing in it is personal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    pub profile: String,
    pub statutory_layer: StatutoryLayer,
    pub engine: Engine,
    /// Hash of the schemas that checked the question, where the service had any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schemas: Option<String>,
}

/// Which versions decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    pub pinkpaper: String,
    pub cedar: String,
}

impl Engine {
    /// This one.
    pub fn running() -> Self {
        Self { pinkpaper: env!("CARGO_PKG_VERSION").to_owned(), cedar: pdp::cedar_version() }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pinkpaper {} with Cedar {}", self.pinkpaper, self.cedar)
    }
}

impl App {
    /// The policies of a hash: those in force, or as the log kept them.
    pub(super) async fn met(&self, hash: &str) -> Result<Arc<Bundle>, NoPolicies> {
        let in_force = self.policies.load_full();
        if in_force.hash == hash {
            return Ok(in_force);
        }
        let found = policies(&*self.store, hash).await.map(Arc::new);
        if let Err(error @ (NoPolicies::Altered(_) | NoPolicies::Unloadable(..))) = &found {
            tracing::error!(error = %error, "policies kept in the log are of no use");
        }
        found
    }

    pub(super) fn basis(&self) -> Basis {
        Basis {
            profile: self.profile.clone(),
            statutory_layer: self.statutory,
            engine: Engine::running(),
            schemas: self.schemas.clone(),
        }
    }
}

/// A decision as its entry tells it, with all it takes to make it again.
#[derive(Clone, Debug)]
pub struct Made {
    /// Without its place in the log.
    pub decision: Decision,
    pub case: Case,
    /// `None`: made before it was recorded.
    pub basis: Option<Basis>,
}

/// What an entry lacks to be decided again. Names the group, never what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    #[error("its `{0}` are not kept")]
    NotKept(&'static str),
    #[error("its `{0}` cannot be read by this version")]
    Unreadable(&'static str),
}

impl Made {
    /// From the groups of an entry.
    pub fn of(payload: &[(String, Value)]) -> Result<Self, Lack> {
        Ok(Self {
            decision: required(payload, "answer")?,
            case: required(payload, "facts")?,
            basis: group(payload, "basis")?,
        })
    }

    /// The answer as it was given, without the ids its referrals wait under.
    pub fn answer(&self) -> Judged {
        let mut verdict = self.decision.verdict.clone();
        verdict.name_referrals(|| None);
        Judged { outcome: self.decision.outcome, held: self.decision.held, verdict }
    }

    /// The layer it was made under, or where that was not recorded the one configured now.
    pub fn statutory(&self, configured: StatutoryLayer) -> StatutoryLayer {
        self.basis.as_ref().map_or(configured, |basis| basis.statutory_layer)
    }
}

fn group<T: DeserializeOwned>(payload: &[(String, Value)], name: &'static str) -> Result<Option<T>, Lack> {
    let kept = payload.iter().find(|(group, _)| group == name);
    kept.map(|(_, value)| serde_json::from_value(value.clone())).transpose().map_err(|_| Lack::Unreadable(name))
}

fn required<T: DeserializeOwned>(payload: &[(String, Value)], name: &'static str) -> Result<T, Lack> {
    group(payload, name)?.ok_or(Lack::NotKept(name))
}

/// Why policies cannot be had from the log.
#[derive(Debug, thiserror::Error)]
pub enum NoPolicies {
    #[error("the log keeps no policies under `{0}`")]
    NotMet(String),
    #[error("the policies kept under `{0}` have another hash")]
    Altered(String),
    #[error("the policies kept under `{0}` cannot be loaded by this version")]
    Unloadable(String, #[source] LoadError),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The policies of a hash, as the log kept them.
pub async fn policies(log: &dyn LogReader, hash: &str) -> Result<Bundle, NoPolicies> {
    let files = log.policies(hash).await?.ok_or_else(|| NoPolicies::NotMet(hash.to_owned()))?;
    // Loading takes a moment: not on a thread that others wait for.
    let loaded = tokio::task::spawn_blocking(move || Bundle::load(&PolicyFiles(files))).await;
    let loaded = loaded.map_err(|error| Unreadable(error.into()))?;
    match loaded {
        Ok(bundle) if bundle.hash == hash => Ok(bundle),
        Ok(_) => Err(NoPolicies::Altered(hash.to_owned())),
        Err(error) => Err(NoPolicies::Unloadable(hash.to_owned(), error)),
    }
}
