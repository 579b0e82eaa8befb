//! Statutory time: London days, clear days, whole years.
//!
//! Clear days leave out both the day of the event and the day of the meeting and count weekdays that are not bank
//! holidays in England (CD-1, CD-2). The working days of freedom of information leave out the bank holidays of every
//! part of the United Kingdom (F-3). The dates are data: `policies/law/bank-holidays.json`; past the day to which
//! they hold only weekends are left out, which the readiness of the service says.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

/// Bank holidays, and how to count days between them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Calendar {
    england_and_wales: BTreeSet<Date>,
    #[serde(default)]
    scotland: BTreeSet<Date>,
    #[serde(default)]
    northern_ireland: BTreeSet<Date>,
    /// The last day for which the dates are known.
    pub holds_until: Option<Date>,
}

/// A period within which the law or a protocol wants an answer, counted from receipt.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimeLimit {
    /// The rule that sets it, where a statute does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_days: Option<u16>,
    /// Clear days for an outer limit: the target is the calendar day, the latest arguable day the weekday (CD-4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_days: Option<u16>,
    /// Whether the bank holidays of every part of the United Kingdom are left out (F-3), or those of England alone.
    #[serde(default)]
    pub anywhere_in_the_united_kingdom: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub says: Option<String>,
}

/// When an answer is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub days: u16,
    pub on: Date,
    /// The latest day that can be argued for, where that is a later one.
    pub latest: Option<Date>,
}

impl Calendar {
    pub fn is_working_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.england_and_wales.contains(&day)
    }

    /// A working day in every part of the United Kingdom.
    fn is_working_day_everywhere(&self, day: Date) -> bool {
        self.is_working_day(day) && !self.scotland.contains(&day) && !self.northern_ireland.contains(&day)
    }

    /// When an answer to something received on a day is due; `None` where the limit names no period.
    pub fn due(&self, received: Date, limit: &TimeLimit) -> Option<Due> {
        if let Some(days) = limit.clear_days {
            let on = received.checked_add(i64::from(days).days()).ok()?;
            return Some(Due { days, on, latest: self.working_days_after(received, days) });
        }
        let days = limit.working_days?;
        let on = if limit.anywhere_in_the_united_kingdom {
            nth_day(received, days, |day| self.is_working_day_everywhere(day))?
        } else {
            self.working_days_after(received, days)?
        };
        Some(Due { days, on, latest: None })
    }

    /// Working days strictly between the two days.
    pub fn clear_days(&self, from: Date, to: Date) -> i64 {
        let mut count = 0;
        let mut day = from;
        while let Ok(next) = day.tomorrow() {
            if next >= to {
                break;
            }
            count += i64::from(self.is_working_day(next));
            day = next;
        }
        count
    }

    /// The nth working day after a day; day 1 is the next working day.
    pub fn working_days_after(&self, from: Date, days: u16) -> Option<Date> {
        nth_day(from, days, |day| self.is_working_day(day))
    }
}

fn nth_day(from: Date, days: u16, counts: impl Fn(Date) -> bool) -> Option<Date> {
    let mut day = from;
    let mut left = days;
    while left > 0 {
        day = day.tomorrow().ok()?;
        left -= u16::from(counts(day));
    }
    Some(day)
}

/// The day in Europe/London on which an instant falls.
pub fn london_day(at: Timestamp) -> Date {
    london_clock(at).date()
}

/// What calendar and clock show in Europe/London.
pub fn london_clock(at: Timestamp) -> DateTime {
    london().to_datetime(at)
}

/// The instant a day begins in Europe/London.
pub fn london_midnight(day: Date) -> Option<Timestamp> {
    day.to_zoned(london()).ok().map(|zoned| zoned.timestamp())
}

/// The zone whose clocks councils go by.
pub fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

/// Whole years since a day: 0 until its first anniversary, when a period "of one year beginning with" it has ended.
pub fn whole_years(since: Date, today: Date) -> i64 {
    let mut years = i64::from(today.year()) - i64::from(since.year());
    if since.checked_add(years.years()).is_ok_and(|anniversary| today < anniversary) {
        years -= 1;
    }
    years.max(0)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn calendar() -> Calendar {
        serde_json::from_str(include_str!("../../policies/law/bank-holidays.json")).expect("the shipped dates parse")
    }

    #[test]
    fn five_clear_days_leave_out_both_ends_and_the_weekend() {
        // law.md example 49
        assert_eq!(calendar().clear_days(date(2026, 11, 9), date(2026, 11, 17)), 5);
        assert_eq!(calendar().clear_days(date(2026, 11, 10), date(2026, 11, 17)), 4);
    }

    #[test]
    fn the_tenth_weekday_after_receipt_is_counted_from_the_next_working_day() {
        // law.md example 50
        assert_eq!(calendar().working_days_after(date(2026, 11, 2), 10), Some(date(2026, 11, 16)));
    }

    fn limit(name: &str) -> TimeLimit {
        let all = include_str!("../../policies/law/time-limits.json");
        let all: std::collections::BTreeMap<String, TimeLimit> = serde_json::from_str(all).expect("limits");
        all.get(name).expect("a limit").clone()
    }

    #[test]
    fn freedom_of_information_leaves_out_the_bank_holidays_of_every_part_of_the_kingdom() {
        // law.md example 52: 30 November is St Andrew's Day.
        let due = calendar().due(date(2026, 11, 27), &limit("foia")).expect("due");
        assert_eq!((due.days, due.on), (20, date(2026, 12, 30)));
        // The Battle of the Boyne, kept in Northern Ireland on Monday 13 July 2026.
        assert_eq!(calendar().due(date(2026, 7, 10), &limit("eir")).expect("due").on, date(2026, 8, 11));
    }

    #[test]
    fn a_scrutiny_copy_has_a_target_and_a_latest_day() {
        // law.md example 50
        let due = calendar().due(date(2026, 11, 2), &limit("scrutiny_copy")).expect("due");
        assert_eq!((due.on, due.latest), (date(2026, 11, 12), Some(date(2026, 11, 16))));
    }

    #[test]
    fn six_years_beginning_with_a_day_end_on_the_eve_of_the_anniversary() {
        assert_eq!(whole_years(date(2020, 11, 22), date(2026, 11, 21)), 5);
        assert_eq!(whole_years(date(2020, 11, 22), date(2026, 11, 22)), 6);
        assert_eq!(whole_years(date(2024, 2, 29), date(2025, 2, 28)), 1);
    }

    #[test]
    fn a_summer_evening_in_utc_is_the_next_day_in_london() {
        assert_eq!(london_day("2026-07-01T23:30:00Z".parse().expect("a time")), date(2026, 7, 2));
    }
}
