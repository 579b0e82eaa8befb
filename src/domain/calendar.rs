//! Statutory time: London days, clear days, whole years.
//!
//! Clear days leave out both the day of the event and the day of the meeting and count weekdays that are not bank
//! holidays in England (CD-1, CD-2). The dates are data: `policies/law/bank-holidays.json`.

use std::collections::BTreeSet;

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz::TimeZone,
};
use serde::Deserialize;

/// Bank holidays, and how to count days between them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Calendar {
    england_and_wales: BTreeSet<Date>,
    /// The last day for which the dates are known.
    pub holds_until: Option<Date>,
}

impl Calendar {
    pub fn is_working_day(&self, day: Date) -> bool {
        !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && !self.england_and_wales.contains(&day)
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
        let mut day = from;
        let mut left = days;
        while left > 0 {
            day = day.tomorrow().ok()?;
            left -= u16::from(self.is_working_day(day));
        }
        Some(day)
    }
}

/// The day in Europe/London on which an instant falls.
pub fn london_day(at: Timestamp) -> Date {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC).to_datetime(at).date()
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
