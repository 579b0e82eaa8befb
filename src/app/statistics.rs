//! How often, and by which rules: decisions of a period counted for release.
//!
//! The reading is logged first, as any of the log. What is counted and what is left out so that it tells of nobody stands
//! in [`crate::audit::statistics`]; no person can be asked for.

use jiff::{ToSpan, civil::Date};
use serde_json::json;

use super::{App, Caller, history::HistoryError};
use crate::{
    audit::statistics::{Asked, Month, Report},
    domain::{
        calendar::{london_day, london_midnight},
        id::Id,
    },
    pap::callers::{Circumstances, Errand},
};

/// As many months as one report may have.
pub const LONGEST: usize = 60;

/// Which decisions to count: of whole months, both included.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The first day of the first month.
    pub from: Date,
    /// The first day of the last month.
    pub to: Date,
    pub document: Option<Id>,
    pub rule: Option<String>,
}

impl Wanted {
    /// The twelve months up to the present one.
    pub fn last_year(today: Date) -> Self {
        let to = today.first_of_month();
        Self { from: to.saturating_sub(11.months()), to, document: None, rule: None }
    }

    fn months(&self) -> Vec<Month> {
        let mut months = Vec::new();
        let mut first = self.from.first_of_month();
        while first <= self.to && months.len() < LONGEST {
            let next = first.saturating_add(1.month());
            if let (Some(start), Some(end)) = (london_midnight(first), london_midnight(next)) {
                months.push(Month { name: first.strftime("%Y-%m").to_string(), time: start..end });
            }
            first = next;
        }
        months
    }
}

impl App {
    /// Counts decisions, for those who may take the log.
    pub async fn statistics(&self, caller: &Caller, wanted: &Wanted) -> Result<Report, HistoryError> {
        if !self.allows(caller, Errand::ExportLog, Circumstances::default()) {
            return Err(HistoryError::NotAllowed);
        }
        let what = json!({"statistics": {
            "from": wanted.from, "to": wanted.to, "document": wanted.document, "rule": wanted.rule,
        }});
        self.log_read(caller, what).await?;
        let asked = Asked {
            months: wanted.months(),
            document: wanted.document.clone(),
            rule: wanted.rule.clone(),
            today: london_day(self.clock.now()),
        };
        let counts = self.store.counted(&asked).await?;
        let mut broader = Vec::new();
        for asked in asked.broader() {
            broader.push(self.store.counted(&asked).await?);
        }
        Ok(Report::of(&counts, &broader, &asked))
    }
}
