//! Keyset pages: `?limit=&cursor=` in, `{"items": […], "next_cursor": …|null}` out.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{Timestamp, civil::Date};
use serde_json::{Value, json};

use super::problem::{Fault, Problem};
use crate::{
    domain::{calendar::london_midnight, id::Id, words::Word},
    pip::{Page, PageRequest},
};

const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 200;

/// The query of a list, each parameter taken once; what is left over is unknown.
pub struct Query {
    left: BTreeMap<String, String>,
    faults: Vec<Fault>,
}

impl Query {
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs = actix_web::web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_| Problem::invalid("?", "is not a query"))?;
        let mut query = Self { left: BTreeMap::new(), faults: Vec::new() };
        for (name, value) in pairs.into_inner() {
            if query.left.insert(name.clone(), value).is_some() {
                query.fault(&name, "stands twice");
            }
        }
        Ok(query)
    }

    fn fault(&mut self, name: &str, message: &str) {
        self.faults.push(Fault { pointer: name.to_owned(), message: message.to_owned() });
    }

    /// For forms, which send what was left empty.
    pub fn drop_empty(&mut self) {
        self.left.retain(|_, value| !value.is_empty());
    }

    /// Refuses a query without something that must be there.
    pub fn need(&mut self, name: &str, is_there: bool) {
        if !is_there && !self.faults.iter().any(|fault| fault.pointer == name) {
            self.fault(name, "is missing");
        }
    }

    /// A parameter of a form, or nothing.
    pub fn take<T>(&mut self, name: &str, parse: impl Fn(&str) -> Option<T>, expected: &str) -> Option<T> {
        let text = self.left.remove(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.fault(name, expected);
        }
        value
    }

    pub fn word<T: Word>(&mut self, name: &str) -> Option<T> {
        let listed: Vec<&str> = T::WORDS.iter().map(|word| word.word()).collect();
        let expected = format!("must be one of {}", listed.join(", "));
        self.take(name, |text| T::WORDS.iter().copied().find(|word| word.word() == text), &expected)
    }

    /// The time from the day `from` to the day `to`, both included.
    pub fn days(&mut self) -> (Option<Timestamp>, Option<Timestamp>) {
        let mut day = |name| self.take(name, |text| text.parse::<Date>().ok(), "must be a day, YYYY-MM-DD");
        let (from, to) = (day("from"), day("to"));
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            self.fault("from", "is after `to`");
        }
        (from.and_then(london_midnight), to.and_then(|day| london_midnight(day.tomorrow().ok()?)))
    }

    pub fn id(&mut self, name: &str) -> Option<Id> {
        self.take(name, |text| Id::try_from(text).ok(), "is not an id")
    }

    /// The id of a rule, known or not.
    pub fn rule(&mut self, name: &str) -> Option<String> {
        self.take(name, |text| (1..=200).contains(&text.len()).then(|| text.to_owned()), "is not the id of a rule")
    }

    pub fn page(&mut self) -> PageRequest {
        let limit = self.take(
            "limit",
            |text| text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit)),
            "must be a whole number from 1 to 200",
        );
        let after = self.take(
            "cursor",
            // No key has this character: PostgreSQL would not even be asked for one that has.
            |text| {
                String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?)
                    .ok()
                    .filter(|key| !key.is_empty() && !key.contains('\0'))
            },
            "is not a cursor of this list",
        );
        PageRequest { after, limit: limit.unwrap_or(DEFAULT_LIMIT) }
    }

    /// Refuses the query that had a fault or an unknown parameter.
    pub fn finish(mut self) -> Result<(), Problem> {
        for name in std::mem::take(&mut self.left).into_keys() {
            self.fault(&name, "is not a parameter here");
        }
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::Invalid(self.faults)) }
    }
}

/// A page as it leaves the service.
pub fn told<T>(page: Page<T>, item: impl Fn(T) -> Value) -> Value {
    let next = page.next.map(|key| URL_SAFE_NO_PAD.encode(key));
    json!({"items": page.items.into_iter().map(item).collect::<Vec<_>>(), "next_cursor": next})
}
