//! Decisions counted for a report: by the columns they are found by, never by opening what is kept of them.

use std::{collections::BTreeMap, ops::Range, str::FromStr};

use jiff::Timestamp;
use sqlx::QueryBuilder;

use super::{dialect::Db, facts::unreadable, fault::Fault, store::Store};
use crate::{
    audit::statistics::{Asked, Counts},
    pip::Unreadable,
};

const REFERRED: &str = " AND EXISTS (SELECT 1 FROM referral f WHERE f.seq = l.seq";
const DAY: u64 = 24 * 60 * 60;

/// What is selected of which decisions: those of a time, about a document, decided by a rule. What was erased is still an
/// outcome of its day, but found by neither.
fn decisions(select: &str, asked: &Asked, time: &Range<Timestamp>) -> QueryBuilder<Db> {
    let mut query = QueryBuilder::new(select);
    if let Some(rule) = &asked.rule {
        query.push(" JOIN log_search_rule w ON w.seq = l.seq AND w.rule = ").push_bind(rule.as_str());
    }
    if let Some(document) = &asked.document {
        query.push(" JOIN log_search d ON d.seq = l.seq AND d.document = ").push_bind(document.as_str());
    }
    query.push(" WHERE l.kind = 'decision' AND l.at >= ").push_bind(time.start.as_microsecond());
    query.push(" AND l.at < ").push_bind(time.end.as_microsecond());
    query
}

impl Store {
    pub(super) async fn count(&self, asked: &Asked) -> Result<Counts, Unreadable> {
        let mut counts = Counts::default();
        for month in &asked.months {
            let mut query = decisions("SELECT l.outcome, count(*) FROM log_leaf l", asked, &month.time);
            query.push(" GROUP BY l.outcome");
            counts.months.push(self.by(query).await?);
        }
        let whole = asked.whole();
        let actions = "SELECT s.action, count(*) FROM log_leaf l JOIN log_search s ON s.seq = l.seq";
        let mut query = decisions(actions, asked, &whole);
        query.push(" GROUP BY s.action");
        counts.actions = self.by(query).await?;
        let rules = "SELECT r.rule, count(*) FROM log_leaf l JOIN log_search_rule r ON r.seq = l.seq";
        let mut query = decisions(rules, asked, &whole);
        query.push(" GROUP BY r.rule");
        counts.rules = self.by(query).await?;
        counts.referred = self.referred(asked, &whole, "").await?;
        counts.open = self.referred(asked, &whole, " AND f.closed_at IS NULL").await?;
        let overdue = format!(" AND f.closed_at IS NULL AND f.due < '{}'", asked.today);
        counts.overdue = self.referred(asked, &whole, &overdue).await?;
        counts.days_to_answer = self.days_to_answer(asked, &whole).await?;
        Ok(counts)
    }

    async fn by<K: FromStr + Ord>(&self, mut query: QueryBuilder<Db>) -> Result<BTreeMap<K, u64>, Unreadable> {
        let rows: Vec<(String, i64)> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        let key = |text: &str| text.parse().map_err(|_| unreadable(Fault::Damaged("word")));
        rows.iter().map(|(text, count)| Ok((key(text)?, count.cast_unsigned()))).collect()
    }

    /// Decisions that left something to a person, of which something holds.
    async fn referred(&self, asked: &Asked, time: &Range<Timestamp>, what: &str) -> Result<u64, Unreadable> {
        let mut query = decisions("SELECT count(*) FROM log_leaf l", asked, time);
        query.push(REFERRED).push(what).push(")");
        let count: i64 = self.ask(query.build_query_scalar().fetch_one(&self.readers)).await?;
        Ok(count.cast_unsigned())
    }

    /// From each decision to the answer of what it referred, in whole days.
    async fn days_to_answer(&self, asked: &Asked, time: &Range<Timestamp>) -> Result<Vec<u64>, Unreadable> {
        let select =
            "SELECT l.at, f.closed_at FROM log_leaf l JOIN referral f ON f.seq = l.seq AND f.closed_at IS NOT NULL";
        let mut query = decisions(select, asked, time);
        let rows: Vec<(i64, String)> = self.ask(query.build_query_as().fetch_all(&self.readers)).await?;
        let damaged = || unreadable(Fault::Damaged("time"));
        rows.into_iter()
            .map(|(at, closed)| {
                let at = Timestamp::from_microsecond(at).map_err(|_| damaged())?;
                let closed = Timestamp::from_str(&closed).map_err(|_| damaged())?;
                Ok(closed.duration_since(at).as_secs().max(0).cast_unsigned() / DAY)
            })
            .collect()
    }
}
