//! Decisions counted, so that the counts can be released: small numbers are left out, and whatever they could be worked out
//! from.
//!
//! A count of one to four may tell of somebody ([`SMALL`], the threshold official statistics commonly use). A count of
//! nought tells of nobody. Where a total is told beside its parts, what is left out must have more than one value that
//! fits ([`Division`]): the smallest other part is left out too, or all of them, or the total.
//!
//! It counts nothing itself ([`super::DecisionLog::counted`]) and knows no period but what it is told. Of a document or rule,
//! a count is also left out where taking it from the same count of all documents or all rules leaves a small one. Reports of
//! overlapping periods, and a report and the list of decisions it counts, can still be subtracted from each other: release
//! whole, separate periods, and one or the other.
//!
//! Worked example: of a year's 40 decisions in March 2 were refusals and in every other month 5 or more. March is left out,
//! and the smallest other month with it, because the year's refusals are told.
//!
//! The invariant: no count of one to four is in a [`Report`], nor does only one value of such a count fit what a division
//! and its total tell. What counts by *different* divisions tell together (rules with outcomes, say) is not worked out
//! here: a person looks before release.

use std::{collections::BTreeMap, ops::Range};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;

use crate::{
    domain::{
        id::Id,
        words::{Action, Outcome},
    },
    spreadsheet::written,
};

/// Counts below this, but not nought, are not told.
pub const SMALL: u64 = 5;

/// A count that may be told; `None`: left out.
pub type Told = Option<u64>;

/// Which decisions are counted.
#[derive(Clone, Debug)]
pub struct Asked {
    pub months: Vec<Month>,
    /// About this document.
    pub document: Option<Id>,
    /// In which this rule decided or referred.
    pub rule: Option<String>,
    /// What is overdue is so on this day.
    pub today: Date,
}

/// A month by its name, `YYYY-MM`.
#[derive(Clone, Debug)]
pub struct Month {
    pub name: String,
    pub time: Range<Timestamp>,
}

impl Asked {
    /// The same of all documents, of all rules, and of all, as far as one of each was asked for.
    pub fn broader(&self) -> Vec<Self> {
        let documents = self.document.as_ref().map(|_| Self { document: None, ..self.clone() });
        let rules = self.rule.as_ref().map(|_| Self { rule: None, ..self.clone() });
        let all = documents.as_ref().zip(rules.as_ref()).map(|(of, _)| Self { rule: None, ..of.clone() });
        documents.into_iter().chain(rules).chain(all).collect()
    }

    /// From the beginning of the first month to the end of the last.
    pub fn whole(&self) -> Range<Timestamp> {
        let start = self.months.first().map_or(Timestamp::MIN, |month| month.time.start);
        let end = self.months.last().map_or(Timestamp::MIN, |month| month.time.end);
        start..end
    }
}

/// What the store counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// For each month asked about, in their order.
    pub months: Vec<BTreeMap<Outcome, u64>>,
    pub actions: BTreeMap<Action, u64>,
    /// By rule, the decisions in which it decided or referred.
    pub rules: BTreeMap<String, u64>,
    pub referred: u64,
    /// How many days each referral took that was closed in the time.
    pub days_to_answer: Vec<u64>,
    pub open: u64,
    pub overdue: u64,
}

/// What may be released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// First and last month.
    pub from: Option<String>,
    pub to: Option<String>,
    pub document: Option<Id>,
    pub rule: Option<String>,
    pub suppressed_below: u64,
    pub decisions: Told,
    pub outcomes: BTreeMap<Outcome, Told>,
    pub months: Vec<MonthTold>,
    pub actions: BTreeMap<Action, Told>,
    pub rules: BTreeMap<String, Told>,
    pub referrals: Referrals,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MonthTold {
    /// `YYYY-MM`.
    pub month: String,
    pub outcomes: BTreeMap<Outcome, Told>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Referrals {
    /// Decisions that left something to a person.
    pub raised: Told,
    pub answered: Told,
    /// Half took no longer than this; left out where few were answered.
    pub median_days: Told,
    pub open: Told,
    pub overdue: Told,
}

/// Whether a number tells of nobody, by itself and as what is left of each broader one.
fn is_safe(count: u64, broader: impl IntoIterator<Item = u64>) -> bool {
    let large = |count: u64| count == 0 || count >= SMALL;
    large(count) && broader.into_iter().all(|all| large(all.saturating_sub(count)))
}

fn alone(count: u64) -> Told {
    is_safe(count, []).then_some(count)
}

/// The parts of a total, each with whether it may be told.
struct Division {
    parts: Vec<(u64, bool)>,
}

impl Division {
    /// What is told of the parts, and whether their total may be.
    ///
    /// Whoever knows this rule, the total and the parts that are told must find at least two values for each part that
    /// is left out.
    fn told(&self) -> (Vec<Told>, bool) {
        if self.parts.iter().all(|(_, safe)| *safe) {
            return (self.parts.iter().map(|(count, _)| Some(*count)).collect(), true);
        }
        let others = self.parts.iter().filter(|(count, safe)| *safe && *count > 0);
        let Some(smallest) = others.map(|(count, _)| *count).min() else {
            // Noughts are left out as well, so that any could be the part that is not. All of them four is only one way.
            let total: u64 = self.parts.iter().map(|(count, _)| count).sum();
            let full = (SMALL - 1) * self.parts.len() as u64;
            return (vec![None; self.parts.len()], alone(total).is_some() && total != full);
        };
        // All that are equal, so that their order does not tell which is the small one.
        let told = |(count, safe): &(u64, bool)| (*safe && *count != smallest).then_some(*count);
        (self.parts.iter().map(told).collect(), true)
    }
}

impl Counts {
    fn outcome(&self, outcome: Outcome) -> u64 {
        self.months.iter().filter_map(|month| month.get(&outcome)).sum()
    }

    fn in_month(&self, at: usize, outcome: Outcome) -> u64 {
        self.months.get(at).and_then(|month| month.get(&outcome)).copied().unwrap_or(0)
    }

    fn action(&self, action: Action) -> u64 {
        self.actions.get(&action).copied().unwrap_or(0)
    }

    fn whole(&self) -> u64 {
        Outcome::ALL.iter().map(|outcome| self.outcome(*outcome)).sum()
    }
}

impl Report {
    /// What may be told of what was counted as asked; `broader` is the same of all documents or rules, where one was asked
    /// for.
    pub fn of(counts: &Counts, broader: &[Counts], asked: &Asked) -> Self {
        let safe = |of: &dyn Fn(&Counts) -> u64| is_safe(of(counts), broader.iter().map(of));
        let months_of = |outcome: Outcome| {
            let part = |at: usize| (counts.in_month(at, outcome), safe(&|of| of.in_month(at, outcome)));
            Division { parts: (0..asked.months.len()).map(part).collect() }.told()
        };
        let by_outcome = Outcome::ALL
            .iter()
            .map(|outcome| (counts.outcome(*outcome), safe(&|of| of.outcome(*outcome)) && months_of(*outcome).1));
        let by_action = Action::ALL.iter().map(|action| (counts.action(*action), safe(&|of| of.action(*action))));
        let (mut outcomes, sum) = Division { parts: by_outcome.collect() }.told();
        let (mut actions, same_sum) = Division { parts: by_action.collect() }.told();
        // Each division would tell the other's total.
        let whole = Some(counts.whole()).filter(|_| sum && same_sum && safe(&Counts::whole));
        if whole.is_none() {
            outcomes.fill(None);
            actions.fill(None);
        }
        let outcomes: BTreeMap<Outcome, Told> = Outcome::ALL.iter().copied().zip(outcomes).collect();
        let month = |(at, month): (usize, &Month)| {
            // Months of a sum that is not told would tell it.
            let told = |(outcome, sum): (&Outcome, &Told)| {
                let month = sum.and_then(|_| months_of(*outcome).0.get(at).copied().flatten());
                (*outcome, month)
            };
            MonthTold { month: month.name.clone(), outcomes: outcomes.iter().map(told).collect() }
        };
        let rule = |(rule, count): (&String, &u64)| {
            let all = broader.iter().map(|of| of.rules.get(rule).copied().unwrap_or(0));
            let told = whole.filter(|whole| is_safe(*count, all.chain([*whole]))).map(|_| *count);
            (rule.clone(), told)
        };
        Self {
            from: asked.months.first().map(|month| month.name.clone()),
            to: asked.months.last().map(|month| month.name.clone()),
            document: asked.document.clone(),
            rule: asked.rule.clone(),
            suppressed_below: SMALL,
            decisions: whole,
            months: asked.months.iter().enumerate().map(month).collect(),
            outcomes,
            actions: Action::ALL.iter().copied().zip(actions).filter(|(_, told)| *told != Some(0)).collect(),
            rules: counts.rules.iter().map(rule).collect(),
            referrals: Referrals::of(counts, broader, whole),
        }
    }
}

impl Referrals {
    fn of(counts: &Counts, broader: &[Counts], whole: Told) -> Self {
        let told = |of: &dyn Fn(&Counts) -> u64, whole: u64| {
            is_safe(of(counts), broader.iter().map(of).chain([whole])).then(|| of(counts))
        };
        let answered = |of: &Counts| of.days_to_answer.len() as u64;
        let raised = whole.and_then(|whole| told(&|of| of.referred, whole));
        // The open and the answered are what was raised: either tells the other.
        let both = raised.and_then(|raised| Some((told(&|of| of.open, raised)?, told(&answered, raised)?)));
        Self {
            raised,
            answered: both.map(|(_, answered)| answered),
            median_days: both.and_then(|_| median(&counts.days_to_answer)),
            open: both.map(|(open, _)| open),
            overdue: both.and_then(|(open, _)| told(&|of| of.overdue, open)),
        }
    }
}

impl Report {
    /// As a table for a spreadsheet: what is counted, of what, how many. What is left out is empty.
    pub fn table(&self) -> String {
        let mut rows = vec![["count", "of", "decisions"].map(str::to_owned)];
        let number = |told: Told| told.map(|count| count.to_string()).unwrap_or_default();
        let mut row = |what: &str, of: &str, told: Told| rows.push([what.to_owned(), of.to_owned(), number(told)]);
        row("decisions", "", self.decisions);
        self.outcomes.iter().for_each(|(outcome, told)| row("outcome", outcome.word(), *told));
        for month in &self.months {
            for (outcome, told) in &month.outcomes {
                row(&format!("month {}", month.month), outcome.word(), *told);
            }
        }
        self.actions.iter().for_each(|(action, told)| row("action", action.word(), *told));
        self.rules.iter().for_each(|(rule, told)| row("rule", rule, *told));
        row("referrals", "raised", self.referrals.raised);
        row("referrals", "answered", self.referrals.answered);
        row("referrals", "median days to the answer", self.referrals.median_days);
        row("referrals", "open", self.referrals.open);
        row("referrals", "overdue", self.referrals.overdue);
        rows.iter().map(|row| written(row)).collect()
    }
}

fn median(days: &[u64]) -> Told {
    let mut days = days.to_vec();
    days.sort_unstable();
    if (days.len() as u64) < SMALL { None } else { days.get(days.len() / 2).copied() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn counted(months: &[[u64; 3]]) -> Counts {
        let month = |counts: &[u64; 3]| Outcome::ALL.iter().copied().zip(*counts).collect();
        Counts { months: months.iter().map(month).collect(), ..Counts::default() }
    }

    fn asked(months: usize) -> Asked {
        let time = Timestamp::MIN..Timestamp::MAX;
        let months = (1..=months).map(|at| Month { name: format!("2026-{at:02}"), time: time.clone() }).collect();
        Asked { months, document: None, rule: None, today: Date::MIN }
    }

    fn report(months: &[[u64; 3]]) -> Report {
        Report::of(&counted(months), &[], &asked(months.len()))
    }

    #[test]
    fn a_small_month_is_left_out_with_the_smallest_other() {
        let report = report(&[[10, 10, 9], [10, 10, 2], [10, 10, 7], [10, 10, 8]]);
        let deny: Vec<Told> = report.months.iter().map(|month| month.outcomes[&Outcome::Deny]).collect();
        assert_eq!((report.outcomes[&Outcome::Deny], deny), (Some(26), vec![Some(9), None, None, Some(8)]));
    }

    #[test]
    fn a_total_that_is_its_only_small_part_is_left_out() {
        let report = report(&[[0, 0, 3]]);
        assert_eq!((report.decisions, report.outcomes[&Outcome::Deny]), (None, None));
    }

    #[test]
    fn what_is_left_of_all_documents_is_not_small_either() {
        let (one, all) = (counted(&[[10, 0, 20]]), counted(&[[30, 0, 22]]));
        let told = Report::of(&one, std::slice::from_ref(&all), &asked(1));
        assert_eq!(told.outcomes[&Outcome::Deny], None, "two refusals are of other documents");
        let told = Report::of(&counted(&[[10, 0, 20]]), &[counted(&[[12, 0, 21]])], &asked(1));
        assert_eq!((told.decisions, told.outcomes[&Outcome::Allow]), (None, None), "three are of other documents");
    }

    #[test]
    fn the_open_are_not_what_is_left_of_the_answered() {
        let mut counts = counted(&[[20, 10, 0]]);
        counts.actions = BTreeMap::from([(Action::Read, 30)]);
        (counts.referred, counts.open, counts.days_to_answer) = (12, 3, vec![4; 9]);
        let told = Report::of(&counts, &[], &asked(1)).referrals;
        assert_eq!((told.raised, told.answered, told.open), (Some(12), None, None));
    }

    /// Every list of so many counts, each below `end`.
    fn lists(length: usize, end: u64) -> Vec<Vec<u64>> {
        (0..length).fold(vec![Vec::new()], |lists, _| {
            let longer = |list: Vec<u64>| (0..end).map(move |count| list.iter().copied().chain([count]).collect());
            lists.into_iter().flat_map(longer).collect()
        })
    }

    /// All lists that are told in the same way are what a reader who knows this rule can think of.
    fn holds_of(tell: impl Fn(&[u64]) -> (Vec<Told>, Told), length: usize, end: u64) {
        let mut told: BTreeMap<(Vec<Told>, Told), Vec<Vec<u64>>> = BTreeMap::new();
        for list in lists(length, end) {
            told.entry(tell(&list)).or_default().push(list);
        }
        for ((parts, total), lists) in told {
            // Where more counts than were tried fit, they were not all tried.
            if total.is_none() {
                continue;
            }
            for at in 0..length {
                let values: std::collections::BTreeSet<u64> = lists.iter().map(|list| list[at]).collect();
                let given_away = values.len() == 1 && alone(lists[0][at]).is_none();
                assert!(!given_away, "{parts:?} of {total:?} can only be {lists:?}");
            }
        }
    }

    #[test]
    fn no_small_part_of_a_total_can_be_worked_out() {
        let tell = |list: &[u64]| {
            let parts = list.iter().map(|count| (*count, alone(*count).is_some())).collect();
            let (parts, total) = Division { parts }.told();
            (parts, total.then(|| list.iter().sum()))
        };
        for (length, end) in [(1, 30), (2, 30), (3, 20), (4, 11), (5, 7)] {
            holds_of(tell, length, end);
        }
    }

    #[test]
    fn no_small_number_of_a_month_and_of_two_can_be_worked_out() {
        let tell = |list: &[u64]| {
            let months: Vec<[u64; 3]> = list.chunks(3).map(|month| [month[0], month[1], month[2]]).collect();
            let mut counts = counted(&months);
            counts.actions = BTreeMap::from([(Action::Read, list.iter().sum())]);
            let report = Report::of(&counts, &[], &asked(months.len()));
            let told = report.months.iter().flat_map(|month| month.outcomes.values().copied());
            (told.chain(report.outcomes.values().copied()).collect(), report.decisions)
        };
        holds_of(tell, 3, 16);
        holds_of(tell, 6, 6);
    }

    proptest! {
        #[test]
        fn no_small_number_is_told(months in prop::collection::vec([0u64..12, 0u64..12, 0u64..12], 1..13)) {
            let report = report(&months);
            let small = |told: Told| told.is_some_and(|count| count > 0 && count < SMALL);
            let cells = report.months.iter().flat_map(|month| month.outcomes.values());
            let all = cells.chain(report.outcomes.values()).chain(report.actions.values()).chain([&report.decisions]);
            prop_assert!(!all.copied().any(small));
        }
    }
}
