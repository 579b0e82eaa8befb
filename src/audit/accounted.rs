//! Is what is gone gone by an act on record?
//!
//! A leaf commits to groups that may be there no more. Each that was erased stands in the leaf of the erasure that took
//! it, for good; one that stands in none was taken away. Whoever goes through entries in their order notes what they
//! lack ([`Missing::note`]) and what erasures took ([`Missing::erased`]); what remains is unaccounted for.
//!
//! It deliberately knows neither exports nor tables. An entry that lacks something costs sixteen bytes.
//!
//! Worked example: entry 1234 commits to `answer` and `request`, and shows neither. The erasure at 9001 names it with
//! both: nothing is unaccounted for. Had it named `request` alone, `(1234, "answer")` would be.

use super::entry::Leaf;
use crate::domain::retention::Erasing;

/// Groups that leaves commit to and that are not there, less those that erasures took.
#[derive(Debug, Default)]
pub struct Missing {
    /// The names of groups met: their places are the bits below.
    names: Vec<String>,
    /// Entries in their order, each with what it lacks.
    lacking: Vec<(u64, u64)>,
}

/// No log has as many names of groups as there are bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany;

impl Missing {
    /// Notes which groups of an entry are not there, and tells how many. Entries come in the order of their indexes.
    pub fn note(&mut self, index: u64, leaf: &Leaf, is_there: impl Fn(&str) -> bool) -> Result<u64, TooMany> {
        let mut lacks = 0u64;
        for name in leaf.commitments.keys().filter(|name| !is_there(name)) {
            lacks |= self.bit(name).ok_or(TooMany)?;
        }
        if lacks != 0 {
            self.lacking.push((index, lacks));
        }
        Ok(u64::from(lacks.count_ones()))
    }

    /// Takes off what an erasure took of entries noted before.
    pub fn erased(&mut self, act: &Erasing) {
        for entry in &act.entries {
            let Ok(at) = self.lacking.binary_search_by_key(&entry.index, |(index, _)| *index) else { continue };
            let took = entry.groups.iter().filter_map(|name| self.known(name)).fold(0, |all, bit| all | bit);
            if let Some((_, lacks)) = self.lacking.get_mut(at) {
                *lacks &= !took;
            }
        }
    }

    /// How many groups are unaccounted for.
    pub fn count(&self) -> u64 {
        self.lacking.iter().map(|(_, lacks)| u64::from(lacks.count_ones())).sum()
    }

    /// The first of them: the entry's index and the group's name.
    pub fn first(&self) -> Option<(u64, &str)> {
        let (index, lacks) = self.lacking.iter().find(|(_, lacks)| *lacks != 0)?;
        let name = self.names.get(lacks.trailing_zeros() as usize)?;
        Some((*index, name))
    }

    fn known(&self, name: &str) -> Option<u64> {
        let at = self.names.iter().position(|known| known == name)?;
        1u64.checked_shl(u32::try_from(at).ok()?)
    }

    fn bit(&mut self, name: &str) -> Option<u64> {
        if self.known(name).is_none() {
            if self.names.len() >= u64::BITS as usize {
                return None;
            }
            self.names.push(name.to_owned());
        }
        self.known(name)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{
        audit::EntryKind,
        domain::{retention::Erased, words::ErasedUnder},
    };

    fn leaf(groups: &[String]) -> Leaf {
        let commitments: BTreeMap<String, String> = groups.iter().map(|name| (name.clone(), String::new())).collect();
        Leaf {
            v: 1,
            kind: EntryKind::Decision,
            id: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            outcome: None,
            policy_bundle: String::new(),
            facts_version: None,
            commitments,
            erased: None,
        }
    }

    fn act(index: u64, groups: &[&str]) -> Erasing {
        let groups = groups.iter().map(ToString::to_string).collect();
        Erasing { under: ErasedUnder::Schedule, entries: vec![Erased { index, groups }] }
    }

    #[test]
    fn what_no_act_took_remains() {
        let mut missing = Missing::default();
        let both = leaf(&["answer".to_owned(), "request".to_owned()]);
        assert_eq!(missing.note(3, &both, |_| true), Ok(0));
        assert_eq!(missing.note(4, &both, |_| false), Ok(2));
        assert_eq!(missing.note(7, &both, |name| name == "request"), Ok(1));
        for of_others in [act(3, &["answer"]), act(4, &["summary"]), act(9, &["answer"])] {
            missing.erased(&of_others);
        }
        assert_eq!((missing.count(), missing.first()), (3, Some((4, "answer"))));
        missing.erased(&act(4, &["request"]));
        assert_eq!((missing.count(), missing.first()), (2, Some((4, "answer"))));
        missing.erased(&act(4, &["answer"]));
        missing.erased(&act(7, &["answer", "request"]));
        assert_eq!((missing.count(), missing.first()), (0, None));
    }

    #[test]
    fn names_without_end_are_refused() {
        let names: Vec<String> = (0..65).map(|at| format!("group-{at}")).collect();
        assert_eq!(Missing::default().note(0, &leaf(&names[..64]), |_| false), Ok(64));
        assert_eq!(Missing::default().note(0, &leaf(&names), |_| false), Err(TooMany));
    }
}
