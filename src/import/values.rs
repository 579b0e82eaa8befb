//! Values as modern.gov writes them: `True`, `05/09/2019`, ` 3`, `10.00 am`, HTML inside XML.
//!
//! Each reader takes the text or says `None`: no reader guesses. A time without `am` or `pm` is taken only where no
//! evening could be meant.

use jiff::{
    Timestamp,
    civil::{Date, Time},
};

use crate::domain::{
    calendar::{london, london_midnight},
    id::Id,
};

/// `True` or `False`.
pub fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A whole number, with room around it.
pub fn number(text: &str) -> Option<u64> {
    let digits = text.trim();
    let plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// `dd/MM/yyyy`.
pub fn day(text: &str) -> Option<Date> {
    let mut pieces = text.trim().split('/');
    let (day, month, year) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let short = |piece: &str| (1..=2).contains(&piece.len());
    if pieces.next().is_some() || !short(day) || !short(month) || year.len() != 4 {
        return None;
    }
    let (day, month, year) = (number(day)?, number(month)?, number(year)?);
    let year = i16::try_from(year).ok().filter(|year| (1900..2200).contains(year))?;
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `10.00 am`, `2:30 pm`, `7 pm`, `12.00 noon`, `18.30`, `09:15`.
pub fn clock(text: &str) -> Option<Time> {
    let text = text.trim().to_ascii_lowercase();
    if text == "noon" {
        return Time::new(12, 0, 0, 0).ok();
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ':')).unwrap_or(text.len());
    let (digits, half) = text.split_at_checked(end)?;
    let half: String = half.chars().filter(|c| !c.is_whitespace() && *c != '.').collect();
    let digits = digits.trim_end_matches('.');
    let (hours, minutes) = digits.split_once(['.', ':']).unwrap_or((digits, "00"));
    if !(1..=2).contains(&hours.len()) || minutes.len() != 2 {
        return None;
    }
    let (hour, minute) = (i8::try_from(number(hours)?).ok()?, i8::try_from(number(minutes)?).ok()?);
    let hour = match (half.as_str(), hour) {
        ("am", 12) => 0,
        ("am", 1..=11) | ("pm" | "noon", 12) => hour,
        ("pm", 1..=11) => hour + 12,
        ("", 13..) => hour,
        ("", 0..=9) if hours.starts_with('0') => hour,
        _ => return None,
    };
    Time::new(hour, minute, 0, 0).ok()
}

/// When a clock in London shows this.
pub fn at_london(day: Date, time: Time) -> Option<Timestamp> {
    day.to_datetime(time).to_zoned(london()).ok().map(|zoned| zoned.timestamp())
}

/// The first instant at which a day is over in London: what happened on it has happened by then.
pub fn end_of(day: Date) -> Option<Timestamp> {
    london_midnight(day.tomorrow().ok()?)
}

/// Text without mark-up and with single spaces. modern.gov escapes what is in its text once more.
pub fn plain(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        bare.push_str(before);
        let named = tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        match tag.split_once('>').filter(|_| named) {
            Some((_, after)) => {
                bare.push(' ');
                rest = after;
            }
            // `5 < 6` is no mark-up.
            None => {
                bare.push('<');
                rest = tag;
            }
        }
    }
    bare.push_str(rest);
    for (entity, is) in
        [("&nbsp;", " "), ("&quot;", "\""), ("&#39;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
    {
        bare = bare.replace(entity, is);
    }
    bare.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A title as an id: its letters and digits, joined with hyphens.
pub fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_ascii_lowercase()
}

/// What an id must be, or why this is none.
pub fn id(text: &str) -> Result<String, String> {
    Id::try_from(text).map(String::from).map_err(|error| format!("{error}, not `{}`", short(text)))
}

/// As much of a text as is repeated in a message.
pub fn short(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}
