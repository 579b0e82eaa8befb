//! An answer in plain words, made only of texts that give nothing away: no title, no content, no interest.
//!
//! Every reader of words gets them from here: the person asked for (`GET /v1/decisions/{id}/explanation`), the officer who
//! enquires, the page that is printed. What each rule is called and says is the policies' own; here is only the order in
//! which it is told.
//!
//! Worked example: "Cllr Okafor may read the report but not Appendix B of doc:crown-bar." Then why, what would have been enough, who decides
//! now and by when, what to keep to, what else to know.
//!
//! The invariant: a telling says nothing that is not in the answer.

use serde::Serialize;

use crate::{
    domain::{
        decision::{Decision, PartVerdict, Reason},
        question::PartyType,
        words::{Action, Layer, Outcome, PartOutcome, PersonKind, TestResult},
    },
    pip::Indexed,
};

/// An answer, ready to be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Telling {
    /// The outcome in a sentence.
    pub headline: String,
    /// Parts that are left out, with what is printed in their place.
    pub withheld: Vec<Withheld>,
    pub why: Vec<Why>,
    /// For each withheld part, what would have been enough.
    pub missing: Vec<String>,
    pub who_decides: Vec<String>,
    pub duties: Vec<String>,
    pub information: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Withheld {
    pub part: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A rule that decided, with the place it stands at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Why {
    pub text: String,
    pub citation: String,
    pub rule: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Telling {
    /// Of an answer about somebody called so; without a name, of the paper.
    pub fn of(decision: &Decision, name: Option<&str>) -> Self {
        let verdict = &decision.verdict;
        let referrals = verdict.referrals().filter_map(|referral| {
            let text = referral.text.clone()?;
            Some(match referral.due {
                Some(due) => format!("{text} An answer is due by {}.", due.strftime("%-d %B %Y")),
                None => text,
            })
        });
        Self {
            headline: name.map_or_else(|| of_the_paper(decision), |name| of_the_person(decision, name)),
            withheld: parts(decision, PartOutcome::Withhold).map(withheld).collect(),
            why: once(verdict.reasons.iter().map(why).collect()),
            missing: once(nearest(decision)),
            who_decides: once(referrals.collect()),
            duties: once(verdict.obligations.iter().map(|duty| duty.text.clone()).collect()),
            information: once(verdict.information.iter().map(|duty| duty.text.clone()).collect()),
        }
    }

    /// As lines of text.
    pub fn text(&self) -> String {
        let mut lines = vec![self.headline.clone()];
        let why = self.why.iter().map(|why| format!("{} ({}; {})", why.text, why.citation, why.rule)).collect();
        for (heading, items) in [
            ("Why:", why),
            ("Any one of these would have been enough:", self.missing.clone()),
            ("Who decides now:", self.who_decides.clone()),
            ("What you must keep to:", self.duties.clone()),
            ("You should know:", self.information.clone()),
        ] {
            if !items.is_empty() {
                lines.push(heading.to_owned());
                lines.extend(items.into_iter().map(|item| format!("- {item}")));
            }
        }
        lines.join("\n")
    }
}

/// What the register calls the person an answer is about, or what kind of person it is.
pub fn name_of(decision: &Decision, register: &Indexed) -> String {
    let known = decision.principal.person().and_then(|id| register.person(id)).map(|person| person.name.clone());
    let named = decision.principal.id.as_ref().map(|id| format!("{id}, who is not in the register,"));
    known.or(named).unwrap_or_else(|| match decision.principal.kind {
        PartyType::Typed(PersonKind::Public) => "A member of the public".to_owned(),
        PartyType::Typed(kind) => {
            let kind = kind.word().replace('_', " ");
            let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "An" } else { "A" };
            format!("{article} {kind}")
        }
        PartyType::Person(_) => "This person".to_owned(),
    })
}

fn of_the_paper(decision: &Decision) -> String {
    let what = match decision.outcome {
        Outcome::Allow => "may be given in full",
        Outcome::Redact => "may be given in part",
        Outcome::Deny if decision.held => "is withheld until somebody has decided",
        Outcome::Deny => "may not be given",
    };
    let line = format!("{} {what} (action: {}).", decision.document, decision.action.word());
    if decision.outcome != Outcome::Redact {
        return line;
    }
    let withheld: Vec<&str> = parts(decision, PartOutcome::Withhold).map(|part| part.id.as_str()).collect();
    format!("{line}\nWithheld: {}.", withheld.join(", "))
}

fn of_the_person(decision: &Decision, name: &str) -> String {
    let (verb, paper) = (verb(decision.action), &decision.document);
    let listed =
        |outcome, last| in_a_row(parts(decision, outcome).map(|part| called(part.id.as_str())).collect(), last);
    match decision.outcome {
        Outcome::Allow => format!("{name} may {verb} {paper}."),
        Outcome::Redact => {
            let (given, kept) = (listed(PartOutcome::Disclose, "and"), listed(PartOutcome::Withhold, "or"));
            let unless = if decision.held { ", unless a person decides otherwise" } else { "" };
            format!("{name} may {verb} {given} but not {kept} of {paper}{unless}.")
        }
        Outcome::Deny if decision.held => format!("{name} may not {verb} {paper}, unless a person decides otherwise."),
        Outcome::Deny => format!("{name} may not {verb} {paper}."),
    }
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::Read => "read",
        Action::Disclose => "hand on",
        Action::Discuss => "speak of",
        Action::Use => "use",
        Action::BriefGroup => "brief a group on",
        Action::Relay => "relay",
        Action::LearnRequest => "learn who asked for",
    }
}

/// A part as one says it: `appendix-b` is Appendix B, `report` is the report. Any other id is told as it is. The id is all
/// there is to go by: a title may give away what is withheld.
fn called(id: &str) -> String {
    let words: Vec<&str> = id.split(['-', '_']).collect();
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_mark = |word: &str| match word.as_bytes() {
        [one] => one.is_ascii_alphanumeric(),
        all => !all.is_empty() && all.iter().all(u8::is_ascii_digit),
    };
    match words.as_slice() {
        all if all.iter().all(is_word) => format!("the {}", all.join(" ")),
        [before @ .., mark] if !before.is_empty() && before.iter().all(is_word) && is_mark(mark) => {
            let (name, mark) = (before.join(" "), mark.to_ascii_uppercase());
            let (first, rest) = name.split_at_checked(1).unwrap_or_default();
            format!("{}{rest} {mark}", first.to_ascii_uppercase())
        }
        _ => id.to_owned(),
    }
}

fn in_a_row(mut names: Vec<String>, before_the_last: &str) -> String {
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} {before_the_last} {last}", names.join(", ")),
        only => only.unwrap_or_default(),
    }
}

fn parts(decision: &Decision, outcome: PartOutcome) -> impl Iterator<Item = &PartVerdict> {
    decision.verdict.parts.iter().filter(move |part| part.outcome == outcome)
}

fn withheld(part: &PartVerdict) -> Withheld {
    let cut = part.redaction.as_ref();
    Withheld {
        part: part.id.to_string(),
        locator: cut.and_then(|cut| cut.locator.clone()),
        label: cut.map(|cut| cut.label.clone()),
    }
}

fn why(reason: &Reason) -> Why {
    let place = [reason.citation.instrument.as_str(), reason.citation.provision.as_str()].join(" ");
    Why {
        text: reason.text.clone(),
        citation: place.trim_end().to_owned(),
        rule: reason.rule.clone(),
        url: reason.citation.url.clone(),
    }
}

/// Neighbours that are the same stand once.
fn once<T: PartialEq>(mut items: Vec<T>) -> Vec<T> {
    items.dedup();
    items
}

/// What a paper is by itself: nobody could add it.
pub const OF_THE_PAPER: [&str; 2] = ["the register of interests", "the part being neither exempt nor confidential"];

/// For each withheld part, what the rules that lacked one thing only were lacking.
fn nearest(decision: &Decision) -> Vec<String> {
    let of_part = |part: &PartVerdict| {
        // Where a rule stands in the way, no local ground is enough; a right would be.
        let enough = |layer| part.because.is_empty() || layer == Layer::Statute;
        let tested = decision.verdict.tested.iter();
        let near = tested.filter(|tested| tested.part == part.id && enough(tested.layer));
        let mut lacking: Vec<&str> = near
            .filter(|tested| matches!(tested.result, TestResult::NotMet | TestResult::Unknown))
            .filter_map(|tested| <&[String; 1]>::try_from(tested.missing.as_slice()).ok())
            .map(|[only]| only.as_str())
            .filter(|lacking| !OF_THE_PAPER.contains(lacking))
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        (!lacking.is_empty()).then(|| format!("for {}: {}", part.id, lacking.join("; or ")))
    };
    parts(decision, PartOutcome::Withhold).filter_map(of_part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_called_as_one_says_it() {
        for (id, name) in [
            ("report", "the report"),
            ("background-paper", "the background paper"),
            ("appendix-b", "Appendix B"),
            ("exempt_annex_12", "Exempt annex 12"),
            ("p1", "p1"),
            ("b", "b"),
            ("doc:7/a", "doc:7/a"),
            ("-", "-"),
            ("appendix-", "appendix-"),
        ] {
            assert_eq!(called(id), name);
        }
    }

    #[test]
    fn a_row_ends_as_a_sentence_does() {
        let names = |count: usize| ["one", "two", "three"].iter().take(count).map(ToString::to_string).collect();
        assert_eq!(in_a_row(names(0), "or"), "");
        assert_eq!(in_a_row(names(1), "or"), "one");
        assert_eq!(in_a_row(names(2), "or"), "one or two");
        assert_eq!(in_a_row(names(3), "and"), "one, two and three");
    }
}
