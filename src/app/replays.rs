//! Makes every decision of a log again, oldest first, a page at a time.
//!
//! It reads the log alone ([`LogReader`]): no service, no register and no key, so it runs beside a service and over a
//! copy. It writes nothing and tells no person: what it gives has decision ids, rules and kinds of person.
//!
//! Worked example: the policy administrator would drop TH52-10.4-b. Under [`Policies::Other`] each decision of the year
//! is made again without it; Cllr B. One's refusal comes out as an allowance, and [`super::impact`] counts it.
//!
//! The invariants: every decision of the days asked for is given exactly once, whatever became of it; no more than a
//! page is held at a time. One core works; the others are the service's.
//!
//! Where next: `cli/replay.rs`, which tells it.

use std::{ops::Range, sync::Arc};

use jiff::Timestamp;
use serde_json::Value;

use super::{
    again::{Lack, Made, NoPolicies, policies},
    replay::Replayed,
};
use crate::{
    audit::{
        EntryKind, LogReader, RawEntry,
        entry::{Leaf, unseal},
    },
    domain::words::PersonKind,
    pap::{Bundle, RuleBook},
    pdp::StatutoryLayer,
    pip::Unreadable,
};

/// Entries read at a time. An entry may hold a whole register.
const PAGE: u32 = 64;
/// Policies kept loaded; a log goes back and forth between few.
const LOADED: usize = 3;

/// Which decisions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    /// Inclusive.
    pub from: Option<Timestamp>,
    /// Exclusive.
    pub to: Option<Timestamp>,
}

impl Period {
    fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.to.is_none_or(|to| at < to)
    }
}

/// Under which policies.
#[derive(Clone, Debug)]
pub enum Policies {
    /// Each under those it was made under.
    Own,
    /// All under these, and this profile or each its own.
    Other { bundle: Arc<Bundle>, profile: Option<String> },
}

/// What became of a decision.
#[derive(Clone, Debug)]
pub enum Again {
    Made {
        replayed: Box<Replayed>,
        /// Whose question it was.
        kind: PersonKind,
    },
    /// What it would be made of is not there.
    NotKept {
        decision: String,
        /// It was there once; otherwise the decision is older than the keeping of facts.
        erased: bool,
    },
    /// It cannot be made again though it should be.
    Failed { entry: String, why: String },
}

/// The decisions of a log that are still to be made again.
pub struct Replays {
    log: Arc<dyn LogReader>,
    period: Period,
    under: Policies,
    /// The statutory layer of decisions that do not tell theirs.
    configured: StatutoryLayer,
    left: Range<u64>,
    loaded: Vec<Arc<Bundle>>,
}

/// A decision before its turn, or what hinders it.
enum Ready {
    Go(Box<Made>, Arc<Bundle>, Arc<RuleBook>),
    Stop(Again),
}

impl Replays {
    /// Those on record now; what is appended later is not among them.
    pub async fn of(
        log: Arc<dyn LogReader>,
        period: Period,
        under: Policies,
        configured: StatutoryLayer,
    ) -> Result<Self, Unreadable> {
        let left = log.indexes(period.from, period.to).await?;
        Ok(Self { log, period, under, configured, left, loaded: Vec::new() })
    }

    /// The next few; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Vec<Again>>, Unreadable> {
        if self.left.is_empty() {
            return Ok(None);
        }
        let page = self.log.raw(self.left.start, PAGE).await?;
        let mut ready = Vec::new();
        let last = page.last().map_or(self.left.end, |entry| entry.index + 1);
        let left = self.left.clone();
        for entry in page.iter().filter(|entry| left.contains(&entry.index)) {
            ready.extend(self.ready(entry).await?);
        }
        self.left.start = last;
        let configured = self.configured;
        let work = move || ready.into_iter().map(|one| one.made(configured)).collect();
        tokio::task::spawn_blocking(work).await.map(Some).map_err(|error| Unreadable(error.into()))
    }

    /// An entry, if it is a decision of the period.
    async fn ready(&mut self, entry: &RawEntry) -> Result<Option<Ready>, Unreadable> {
        let (leaf, payload) = match unseal(&entry.leaf, &entry.leaf_hash, &entry.groups) {
            Ok(halves) => halves,
            Err(altered) => return Ok(failed(format!("log entry {}", entry.index), altered)),
        };
        if leaf.kind != EntryKind::Decision || !self.period.holds(leaf.at) {
            return Ok(None);
        }
        let made = match made(&leaf, &payload) {
            Ok(made) => made,
            Err(stop) => return Ok(Some(Ready::Stop(stop))),
        };
        let (bundle, profile) = match &self.under {
            Policies::Other { bundle, profile } => (Arc::clone(bundle), profile.as_ref()),
            Policies::Own => match self.own(&made.decision.policy_bundle).await {
                Ok(bundle) => (bundle, None),
                Err(NoPolicies::Unreadable(error)) => return Err(error),
                Err(error) => return Ok(failed(leaf.id, error)),
            },
        };
        let profile = profile.unwrap_or(&made.decision.profile);
        Ok(match bundle.book(profile).cloned() {
            Some(book) => Some(Ready::Go(Box::new(made), bundle, book)),
            None => failed(leaf.id, format!("the policies have no profile `{profile}`")),
        })
    }

    async fn own(&mut self, hash: &str) -> Result<Arc<Bundle>, NoPolicies> {
        if let Some(loaded) = self.loaded.iter().find(|bundle| bundle.hash == hash) {
            return Ok(Arc::clone(loaded));
        }
        let bundle = Arc::new(policies(&*self.log, hash).await?);
        if self.loaded.len() == LOADED {
            self.loaded.remove(0);
        }
        self.loaded.push(Arc::clone(&bundle));
        Ok(bundle)
    }
}

/// A lack of what the leaf commits to is an erasure.
fn made(leaf: &Leaf, payload: &[(String, Value)]) -> Result<Made, Again> {
    Made::of(payload).map_err(|lack| match lack {
        Lack::NotKept(group) => {
            Again::NotKept { decision: leaf.id.clone(), erased: leaf.commitments.contains_key(group) }
        }
        Lack::Unreadable(_) => Again::Failed { entry: leaf.id.clone(), why: lack.to_string() },
    })
}

fn failed(entry: String, why: impl std::fmt::Display) -> Option<Ready> {
    Some(Ready::Stop(Again::Failed { entry, why: why.to_string() }))
}

impl Ready {
    fn made(self, configured: StatutoryLayer) -> Again {
        match self {
            Self::Go(made, bundle, book) => Again::Made {
                replayed: Box::new(Replayed::of(&made, &bundle, &book, configured)),
                kind: made.case.principal.kind,
            },
            Self::Stop(again) => again,
        }
    }
}
