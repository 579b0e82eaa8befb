//! How long the log keeps what is personal in it: periods by class of record, counted by the calendar of London.
//!
//! No enactment fixes a period for a log of access decisions (law.md F-17). The periods here are what is shipped, for
//! the Data Protection Officer to change. It deliberately does not know what an entry is, nor where it is kept.
//!
//! Worked example: Cllr B. One was refused Appendix B on 22 November 2026, the Monitoring Officer closed the referral on
//! 4 December, and a freedom of information request that covered it was closed on 1 March 2033. With six years for
//! refusals and four months after such a request, what is personal in the entry is due on 1 July 2033.
//!
//! The invariant: a period that cannot be reckoned never ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use jiff::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    calendar::london,
    id::Id,
    words::{ErasedUnder, ErasureOutcome, HoldKind, RecordClass},
};

/// A whole number of years, months, weeks or days: `6y`, `4mo`, `6w`, `90d`; `0` is no period at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "Written")]
pub struct Period {
    count: u16,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Years,
    Months,
    Weeks,
    Days,
}

const UNITS: [(Unit, &str); 4] = [(Unit::Years, "y"), (Unit::Months, "mo"), (Unit::Weeks, "w"), (Unit::Days, "d")];

/// A text that is no period.
#[derive(Debug, thiserror::Error)]
#[error("a period is a whole number with `y`, `mo`, `w` or `d`, such as `6y`, or `0`")]
pub struct NotAPeriod;

/// As a configuration may have it: the environment and TOML know `0` as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(u16),
}

impl Period {
    const fn years(count: u16) -> Self {
        Self { count, unit: Unit::Years }
    }

    const fn months(count: u16) -> Self {
        Self { count, unit: Unit::Months }
    }

    const fn weeks(count: u16) -> Self {
        Self { count, unit: Unit::Weeks }
    }

    pub const fn is_none(self) -> bool {
        self.count == 0
    }

    /// The latest moment for which this period is over.
    pub fn over_for(self, now: Timestamp) -> Option<Timestamp> {
        let then = now.to_zoned(london()).checked_sub(self.span()?).ok()?;
        Some(then.timestamp())
    }

    /// When this period, begun at a moment, ends.
    pub fn from(self, begun: Timestamp) -> Option<Timestamp> {
        let end = begun.to_zoned(london()).checked_add(self.span()?).ok()?;
        Some(end.timestamp())
    }

    fn span(self) -> Option<Span> {
        let (count, span) = (i64::from(self.count), Span::new());
        match self.unit {
            Unit::Years => span.try_years(count),
            Unit::Months => span.try_months(count),
            Unit::Weeks => span.try_weeks(count),
            Unit::Days => span.try_days(count),
        }
        .ok()
    }
}

impl FromStr for Period {
    type Err = NotAPeriod;

    fn from_str(text: &str) -> Result<Self, NotAPeriod> {
        if text == "0" {
            return Ok(Self::years(0));
        }
        let digits = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let unit = text.strip_prefix(digits).ok_or(NotAPeriod)?;
        let (unit, _) = UNITS.into_iter().find(|(_, word)| *word == unit).ok_or(NotAPeriod)?;
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.parse().ok().filter(|_| plain).ok_or(NotAPeriod)?;
        Ok(Self { count, unit })
    }
}

impl TryFrom<Written> for Period {
    type Error = NotAPeriod;

    fn try_from(written: Written) -> Result<Self, NotAPeriod> {
        match written {
            Written::Text(text) => text.parse(),
            Written::Number(0) => Ok(Self::years(0)),
            Written::Number(_) => Err(NotAPeriod),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.into_iter().find(|(unit, _)| *unit == self.unit) {
            Some((_, word)) if !self.is_none() => write!(f, "{}{word}", self.count),
            _ => f.write_str("0"),
        }
    }
}

impl From<Period> for String {
    fn from(period: Period) -> Self {
        period.to_string()
    }
}

/// The retention schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Whether the service applies it by itself, once a day.
    pub enabled: bool,
    pub allow: Period,
    pub redact_or_deny: Period,
    pub determination: Period,
    pub register_write: Period,
    pub document_write: Period,
    pub log_read: Period,
    pub other: Period,
    pub after: After,
}

/// How long a released hold still keeps what it covers, by its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct After {
    pub foi: Period,
    pub complaint: Period,
    pub litigation: Period,
    pub other: Period,
}

/// Up to when released holds no longer keep anything. A kind that is missing keeps for good.
pub type Ended = BTreeMap<HoldKind, Timestamp>;

/// What of a class is due: nothing that has happened to it is later than this.
#[derive(Clone, Debug)]
pub struct Due {
    pub class: RecordClass,
    pub until: Timestamp,
    pub ended: Ended,
}

/// What an erasure leaves in its leaf for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasing {
    pub under: ErasedUnder,
    pub entries: Vec<Erased>,
}

/// The groups of one entry that were erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    pub index: u64,
    pub groups: Vec<String>,
}

/// Somebody's decision on whether parts of a decision's record are erased before their time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErasureRequest {
    pub decision: Id,
    pub groups: Groups,
    pub outcome: ErasureOutcome,
    /// The ground for it, or for refusing it.
    pub basis: String,
    pub authorised_by: String,
}

/// Which groups of a record.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Groups {
    Named(BTreeSet<String>),
    Every(Every),
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub enum Every {
    #[serde(rename = "all")]
    All,
}

impl Schedule {
    pub fn period(&self, class: RecordClass) -> Period {
        match class {
            RecordClass::Allow => self.allow,
            RecordClass::RedactOrDeny => self.redact_or_deny,
            RecordClass::Determination => self.determination,
            RecordClass::RegisterWrite => self.register_write,
            RecordClass::DocumentWrite => self.document_write,
            RecordClass::LogRead => self.log_read,
            RecordClass::Other => self.other,
        }
    }

    /// What is due now, class by class. A class without a period is kept for good.
    pub fn due(&self, now: Timestamp) -> Vec<Due> {
        let ended = self.after.ended(now);
        let limited = RecordClass::ALL.iter().filter(|class| !self.period(**class).is_none());
        let due = |class: &RecordClass| {
            let until = self.period(*class).over_for(now)?;
            Some(Due { class: *class, until, ended: ended.clone() })
        };
        limited.filter_map(due).collect()
    }
}

impl After {
    pub fn period(&self, kind: HoldKind) -> Period {
        match kind {
            HoldKind::Foi => self.foi,
            HoldKind::Complaint => self.complaint,
            HoldKind::Litigation => self.litigation,
            HoldKind::Other => self.other,
        }
    }

    pub fn ended(&self, now: Timestamp) -> Ended {
        HoldKind::ALL.iter().filter_map(|kind| Some((*kind, self.period(*kind).over_for(now)?))).collect()
    }
}

impl Default for Schedule {
    /// Six years, the outer limit of most claims; two for what was given without more ado.
    fn default() -> Self {
        let six_years = Period::years(6);
        Self {
            enabled: true,
            allow: Period::years(2),
            redact_or_deny: six_years,
            determination: six_years,
            register_write: six_years,
            document_write: six_years,
            log_read: six_years,
            other: six_years,
            after: After::default(),
        }
    }
}

impl Default for After {
    /// The Ombudsman's practice, and the six weeks in which a decision of the Commissioner can be taken further.
    fn default() -> Self {
        Self {
            foi: Period::months(4),
            complaint: Period::months(12),
            litigation: Period::weeks(6),
            other: Period::weeks(6),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_period_is_a_number_and_a_unit_and_is_told_as_it_was_written() {
        for text in ["6y", "4mo", "6w", "90d", "0"] {
            assert_eq!(text.parse::<Period>().expect(text).to_string(), text);
        }
        assert_eq!("0d".parse::<Period>().expect("none").to_string(), "0");
        for text in ["", "6", "y", "-6y", "+6y", "6 y", "6m", "6Y", "1.5y", "6years", "6y6mo", "70000d", "keep"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn periods_are_counted_by_the_calendar_of_london() {
        let over = |period: &str, now: &str| period.parse::<Period>().expect("a period").over_for(time(now));
        assert_eq!(over("6y", "2032-11-22T12:00:00Z"), Some(time("2026-11-22T12:00:00Z")));
        assert_eq!(over("4mo", "2026-07-31T11:00:00Z"), Some(time("2026-03-31T11:00:00Z")));
        // The clocks went forward on 29 March.
        assert_eq!(over("1w", "2026-04-01T11:00:00Z"), Some(time("2026-03-25T12:00:00Z")));
        assert_eq!(over("0", "2026-04-01T11:00:00Z"), Some(time("2026-04-01T11:00:00Z")));
        assert_eq!(over("60000y", "2026-04-01T11:00:00Z"), None);
    }

    #[test]
    fn a_class_without_a_period_is_never_due() {
        let now = time("2032-11-22T12:00:00Z");
        let schedule = Schedule { allow: Period::years(0), log_read: Period::years(60_000), ..Schedule::default() };
        let due: Vec<RecordClass> = schedule.due(now).iter().map(|due| due.class).collect();
        let kept = [RecordClass::Allow, RecordClass::LogRead];
        let expected: Vec<RecordClass> =
            RecordClass::ALL.iter().copied().filter(|class| !kept.contains(class)).collect();
        assert_eq!(due, expected);
    }
}
