//! The impact of other policies as a report: plain text to paste in a committee paper, or JSON.
//!
//! It names decisions by their ids and people by their kind.

use std::fmt::{Display, Write as _};

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use crate::app::{
    impact::{Counts, Extent, Impact},
    replay::Replayed,
};

/// What was asked.
#[derive(Debug, Serialize)]
pub struct Heading {
    pub policy_bundle: String,
    pub profile: Option<String>,
    pub from: Option<Date>,
    pub to: Option<Date>,
    /// Whether the reading is in the log.
    pub recorded: bool,
}

/// The members of the heading, then those of the count.
pub fn json(heading: &Heading, impact: &Impact) -> Value {
    let mut told = json!(heading);
    if let (Some(told), Value::Object(count)) = (told.as_object_mut(), json!(impact)) {
        told.extend(count);
    }
    told
}

/// A decision that is not as it is on record.
pub fn differing(replayed: &Replayed) -> String {
    let mut told = format!("{} does not come out as it is on record\n", replayed.decision);
    for difference in &replayed.differences {
        line(&mut told, format_args!("  {difference}"));
    }
    told
}

/// The report.
pub fn text(heading: &Heading, impact: &Impact) -> String {
    let mut told = String::from("What other policies would have done\n\n");
    let profile = heading.profile.as_deref().unwrap_or("that of each decision");
    line(&mut told, format_args!("Policies   {}", heading.policy_bundle));
    line(&mut told, format_args!("Profile    {profile}"));
    line(&mut told, format_args!("Period     {}", period(heading)));
    let counts = &impact.counts;
    line(
        &mut told,
        format_args!("Decisions  {}, each made again from the facts kept with it\n", grouped(counts.decisions)),
    );
    for (what, count) in [
        ("another answer", counts.answer),
        ("the same answer, other duties or referrals", counts.duties),
        ("the same answer, other reasons", counts.reasons),
        ("no change", counts.unchanged),
    ] {
        line(&mut told, format_args!("{:>9}  {what}", grouped(count)));
    }
    ways(&mut told, impact);
    rules(&mut told, impact);
    people(&mut told, impact);
    let not_made = not_made(impact);
    if !not_made.is_empty() {
        line(&mut told, format_args!("\nTo bear in mind\n{}", not_made.trim_end()));
    }
    changed(&mut told, impact);
    told
}

fn period(heading: &Heading) -> String {
    match (heading.from, heading.to) {
        (None, None) => "every decision on record".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("to {to}"),
        (Some(from), Some(to)) => format!("{from} to {to}"),
    }
}

fn ways(told: &mut String, impact: &Impact) {
    if impact.ways.is_empty() {
        return;
    }
    line(told, format_args!("\nAnother answer"));
    let mut ways: Vec<_> = impact.ways.iter().collect();
    ways.sort_by_key(|way| std::cmp::Reverse(way.decisions));
    for way in ways {
        let parts = if way.then == way.now { " (other parts)" } else { "" };
        line(told, format_args!("{:>9}  {} -> {}{parts}", grouped(way.decisions), way.then, way.now));
    }
}

fn rules(told: &mut String, impact: &Impact) {
    if impact.rules.is_empty() {
        return;
    }
    line(told, format_args!("\nBy rule: decisions in which it would newly decide or refer, and would no longer"));
    line(told, format_args!("    newly  no longer"));
    for (rule, counts) in &impact.rules {
        line(told, format_args!("{:>9}  {:>9}  {rule}", grouped(counts.newly), grouped(counts.no_longer)));
    }
}

fn people(told: &mut String, impact: &Impact) {
    if impact.people.is_empty() {
        return;
    }
    line(told, format_args!("\nBy who asked"));
    line(told, format_args!("decisions  answer  duties  reasons"));
    for (kind, Counts { decisions, answer, duties, reasons, .. }) in &impact.people {
        let kind = kind.word().replace('_', " ");
        let (decisions, answer) = (grouped(*decisions), grouped(*answer));
        let (duties, reasons) = (grouped(*duties), grouped(*reasons));
        line(told, format_args!("{decisions:>9}  {answer:>6}  {duties:>6}  {reasons:>7}  {kind}"));
    }
}

/// What could not be made again, and what was assumed.
pub fn not_made(impact: &Impact) -> String {
    let mut told = String::new();
    for (count, what) in [
        (impact.erased, "not made again: erased"),
        (impact.without_facts, "not made again: from before facts were kept"),
        (impact.layer_assumed, "from before the statutory layer was recorded: made under the one configured"),
    ] {
        if count > 0 {
            line(&mut told, format_args!("{:>9}  {what}", grouped(count)));
        }
    }
    for failed in &impact.failed {
        line(&mut told, format_args!("could not be made again: {}: {}", failed.entry, failed.why));
    }
    told
}

fn changed(told: &mut String, impact: &Impact) {
    for (extent, heading) in [
        (Extent::Answer, "Decisions with another answer"),
        (Extent::Duties, "Decisions with other duties or referrals"),
        (Extent::Reasons, "Decisions with other reasons"),
    ] {
        let mut those = impact.changed.iter().filter(|changed| changed.extent == extent).peekable();
        if those.peek().is_some() {
            line(told, format_args!("\n{heading}"));
        }
        for changed in those {
            match extent {
                Extent::Answer => line(told, format_args!("{}  {} -> {}", changed.decision, changed.then, changed.now)),
                _ => line(told, format_args!("{}  {}", changed.decision, changed.now)),
            }
        }
    }
}

fn line(told: &mut String, line: impl Display) {
    // Writing to a string does not fail.
    let _written = writeln!(told, "{line}");
}

/// 1204 as `1,204`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut told = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            told.push(',');
        }
        told.push(digit);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let told: Vec<String> = [0, 12, 999, 1000, 12_345, 1_234_567].map(grouped).to_vec();
        assert_eq!(told, ["0", "12", "999", "1,000", "12,345", "1,234,567"]);
    }
}
