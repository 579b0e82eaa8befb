//! What other policies would have done: the decisions of a log, made again, counted.
//!
//! Three extents of change are kept apart, because they matter to different people: another *answer*, the same answer
//! with other *duties* (obligations, information, referrals), the same answer told for other *reasons*. It counts by
//! rule and by kind of person and knows no person.
//!
//! Worked example: without TH52-10.4-b, of 1,204 decisions twelve have another answer; seven of those go from refused to
//! allowed, all asked by councillors, Cllr B. One's among them under its decision id.
//!
//! The invariant: every decision is counted once: in one extent, as not kept, or as failed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    differences::{About, answered},
    replay::{Replayed, Side},
    replays::Again,
};
use crate::domain::words::PersonKind;

/// How far a decision changes. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    Unchanged,
    Reasons,
    Duties,
    Answer,
}

impl Extent {
    fn of(replayed: &Replayed) -> Self {
        let about = replayed.differences.iter().map(|difference| match difference.about {
            About::Answer | About::Outcome => Self::Answer,
            About::Obligations | About::Information | About::Referral | About::HumanReview => Self::Duties,
            About::Because
            | About::Redaction
            | About::Reasons
            | About::Tested
            | About::Conflicts
            | About::Superseded => Self::Reasons,
        });
        about.max().unwrap_or(Self::Unchanged)
    }
}

/// How many decisions change, and how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    pub decisions: u64,
    pub answer: u64,
    pub duties: u64,
    pub reasons: u64,
    pub unchanged: u64,
}

impl Counts {
    fn add(&mut self, extent: Extent) {
        self.decisions += 1;
        *match extent {
            Extent::Answer => &mut self.answer,
            Extent::Duties => &mut self.duties,
            Extent::Reasons => &mut self.reasons,
            Extent::Unchanged => &mut self.unchanged,
        } += 1;
    }
}

/// In how many decisions a rule newly decides or refers, and in how many it no longer does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RuleCounts {
    pub newly: u64,
    pub no_longer: u64,
}

/// From which answer to which: the same on both sides where other parts are given.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    pub then: String,
    pub now: String,
    pub decisions: u64,
}

/// A decision that changes.
#[derive(Clone, Debug, Serialize)]
pub struct Changed {
    pub decision: String,
    pub extent: Extent,
    /// The answer in words.
    pub then: String,
    pub now: String,
}

/// Why a decision could not be made again.
#[derive(Clone, Debug, Serialize)]
pub struct Failed {
    pub entry: String,
    pub why: String,
}

/// The count. Grows only with the decisions that change.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Impact {
    pub counts: Counts,
    /// Of those with another answer, how many go from which to which.
    pub ways: Vec<Way>,
    pub rules: BTreeMap<String, RuleCounts>,
    pub people: BTreeMap<PersonKind, Counts>,
    pub changed: Vec<Changed>,
    pub erased: u64,
    /// Made before facts were kept.
    pub without_facts: u64,
    /// Made before the statutory layer was recorded: the one configured was assumed.
    pub layer_assumed: u64,
    pub failed: Vec<Failed>,
}

impl Impact {
    pub fn add(&mut self, again: Again) {
        match again {
            Again::Made { replayed, kind } => self.add_made(&replayed, kind),
            Again::NotKept { erased: true, .. } => self.erased += 1,
            Again::NotKept { erased: false, .. } => self.without_facts += 1,
            Again::Failed { entry, why } => self.failed.push(Failed { entry, why }),
        }
    }

    fn add_made(&mut self, replayed: &Replayed, kind: PersonKind) {
        let extent = Extent::of(replayed);
        self.counts.add(extent);
        self.people.entry(kind).or_default().add(extent);
        self.layer_assumed += u64::from(replayed.then.statutory_layer.is_none());
        let (then, now) = (&replayed.then, &replayed.now);
        for rule in now.rules.iter().filter(|rule| !then.rules.contains(rule)) {
            self.rules.entry(rule.clone()).or_default().newly += 1;
        }
        for rule in then.rules.iter().filter(|rule| !now.rules.contains(rule)) {
            self.rules.entry(rule.clone()).or_default().no_longer += 1;
        }
        if extent == Extent::Unchanged {
            return;
        }
        let answer = |side: &Side| answered((side.outcome, side.held));
        let (then, now) = (answer(then), answer(now));
        if extent == Extent::Answer {
            match self.ways.iter_mut().find(|way| way.then == then && way.now == now) {
                Some(way) => way.decisions += 1,
                None => self.ways.push(Way { then: then.clone(), now: now.clone(), decisions: 1 }),
            }
        }
        self.changed.push(Changed { decision: replayed.decision.clone(), extent, then, now });
    }
}
