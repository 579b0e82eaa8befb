//! Tells two answers to one question apart, in words for whoever answers for them.
//!
//! It compares everything an answer says, to the order in which it says it, and knows neither why they differ nor
//! which is right.
//!
//! Worked example: under the policies of March Appendix B was withheld from Cllr B. One by TH52-10.4-b; under those
//! proposed it is given. Two differences: the answer, "refused" then and "allowed" now, and the outcome of the part.
//!
//! The invariant: there is a difference to tell exactly where the answers are not equal.

use std::fmt;

use serde::Serialize;

use super::again::Judged;
use crate::domain::{
    decision::{Conflict, Duty, HumanReview, PartVerdict, Reason, Referral, Superseded, Tested},
    id::Id,
    words::{Outcome, PartOutcome},
};

/// What of an answer is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The answer as a whole, and whether it waits for a person.
    Answer,
    /// Whether a part is given.
    Outcome,
    /// The rules that decided a part.
    Because,
    Redaction,
    Reasons,
    /// What became of a rule that was tried.
    Tested,
    Referral,
    Obligations,
    Information,
    Conflicts,
    HumanReview,
    Superseded,
}

impl About {
    const fn words(self) -> &'static str {
        match self {
            Self::Answer => "the answer",
            Self::Outcome => "the outcome",
            Self::Because => "the rules that decided",
            Self::Redaction => "the redaction",
            Self::Reasons => "a reason",
            Self::Tested => "a rule tried",
            Self::Referral => "a referral",
            Self::Obligations => "an obligation",
            Self::Information => "a piece of information",
            Self::Conflicts => "a conflict of protocol and law",
            Self::HumanReview => "review by a person",
            Self::Superseded => "a determination set aside",
        }
    }
}

/// One thing told otherwise. `None` on a side: not told there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub about: About,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<Id>,
    pub then: Option<String>,
    pub now: Option<String>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(part) = &self.part {
            write!(f, "{part}: ")?;
        }
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: then {}; now {}", self.about.words(), side(&self.then), side(&self.now))
    }
}

/// Everything that is told otherwise.
pub fn differences(then: &Judged, now: &Judged) -> Vec<Difference> {
    let mut told = Told(Vec::new());
    let answer = |judged: &Judged| vec![(judged.outcome, judged.held)];
    told.compare(About::Answer, (answer(then), answer(now)), |_| (None, String::new()), |it| answered(*it));
    told.parts(&then.verdict.parts, &now.verdict.parts);
    let (then, now) = (&then.verdict, &now.verdict);
    told.compare(About::Reasons, (&then.reasons, &now.reasons), |it| (None, it.rule.clone()), reason);
    told.compare(About::Tested, (&then.tested, &now.tested), |it| (Some(it.part.clone()), it.rule.clone()), tested);
    let key = |it: &Referral| (None, it.rule.clone().unwrap_or_default());
    told.compare(About::Referral, (referrals(&then.referral), referrals(&now.referral)), key, referral);
    told.compare(About::Obligations, (&then.obligations, &now.obligations), |it| (None, it.rule.clone()), duty);
    told.compare(About::Information, (&then.information, &now.information), |it| (None, it.rule.clone()), duty);
    let key = |it: &Conflict| (Some(it.part.clone()), format!("{} {}", it.protocol.rule, it.statute.rule));
    told.compare(About::Conflicts, (&then.conflicts, &now.conflicts), key, conflict);
    let review = |it: &HumanReview| vec![it.clone()];
    let reviews = (review(&then.human_review), review(&now.human_review));
    told.compare(About::HumanReview, reviews, |_| (None, String::new()), human_review);
    let key = |it: &Superseded| (None, format!("{} {}", it.standing, it.set_aside));
    told.compare(About::Superseded, (&then.superseded, &now.superseded), key, superseded);
    told.0
}

/// An answer in a word or two.
pub fn answered((outcome, held): (Outcome, bool)) -> String {
    let outcome = match outcome {
        Outcome::Allow => "allowed",
        Outcome::Redact => "allowed in part",
        Outcome::Deny => "refused",
    };
    if held { format!("{outcome}, held until somebody has decided") } else { outcome.to_owned() }
}

struct Told(Vec<Difference>);

impl Told {
    /// Compares two lists item by item, each under its key; where only their order differs, says so.
    fn compare<T: PartialEq + Serialize>(
        &mut self,
        about: About,
        (then, now): (impl AsRef<[T]>, impl AsRef<[T]>),
        key: impl Fn(&T) -> (Option<Id>, String),
        words: impl Fn(&T) -> String,
    ) {
        let (then, now) = (then.as_ref(), now.as_ref());
        let before = self.0.len();
        let mut keys: Vec<(Option<Id>, String)> = Vec::new();
        for of in then.iter().chain(now).map(&key) {
            if !keys.contains(&of) {
                keys.push(of);
            }
        }
        for of in keys {
            let under = |list: &'_ [T]| -> Vec<usize> {
                list.iter().enumerate().filter(|(_, item)| key(item) == of).map(|(at, _)| at).collect()
            };
            let items = |list: &'_ [T]| -> Vec<String> {
                under(list).iter().filter_map(|at| list.get(*at)).map(&words).collect()
            };
            let whole = |list: &'_ [T]| -> Vec<String> {
                let items = under(list).into_iter().filter_map(|at| list.get(at));
                items.filter_map(|item| serde_json::to_string(item).ok()).collect()
            };
            if whole(then) == whole(now) {
                continue;
            }
            // What the words leave out is told as it stands.
            let (one, other) =
                if items(then) == items(now) { (whole(then), whole(now)) } else { (items(then), items(now)) };
            self.push(about, of.0, &one, &other);
        }
        if then != now && self.0.len() == before {
            let order = |list: &[T]| list.iter().map(|item| key(item).1).collect::<Vec<_>>();
            self.push(about, None, &order(then), &order(now));
        }
    }

    fn push(&mut self, about: About, part: Option<Id>, then: &[String], now: &[String]) {
        let side = |words: &[String]| (!words.is_empty()).then(|| words.join("; "));
        self.0.push(Difference { about, part, then: side(then), now: side(now) });
    }

    fn parts(&mut self, then: &[PartVerdict], now: &[PartVerdict]) {
        let each = |list: &[PartVerdict]| -> Vec<_> { list.iter().map(|it| (it.id.clone(), it.outcome)).collect() };
        self.compare(About::Outcome, (each(then), each(now)), part, |(_, outcome)| {
            match outcome {
                PartOutcome::Disclose => "given",
                PartOutcome::Withhold => "withheld",
            }
            .to_owned()
        });
        let each =
            |list: &[PartVerdict]| -> Vec<_> { list.iter().map(|it| (it.id.clone(), it.because.clone())).collect() };
        self.compare(About::Because, (each(then), each(now)), part, |(_, because)| {
            if because.is_empty() { "no rule permits".to_owned() } else { because.join(", ") }
        });
        let each = |list: &[PartVerdict]| -> Vec<_> {
            list.iter().filter_map(|it| Some((it.id.clone(), it.redaction.clone()?))).collect()
        };
        self.compare(About::Redaction, (each(then), each(now)), part, |(_, redaction)| {
            [redaction.locator.as_deref(), Some(redaction.label.as_str())]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": ")
        });
    }
}

fn part<T>((id, _): &(Id, T)) -> (Option<Id>, String) {
    (Some(id.clone()), id.to_string())
}

fn reason(it: &Reason) -> String {
    let place = [it.citation.instrument.as_str(), it.citation.provision.as_str()].join(" ");
    format!("{}: {} ({})", it.rule, it.text, place.trim_end())
}

fn tested(it: &Tested) -> String {
    let result = it.result.word().replace('_', " ");
    if it.missing.is_empty() {
        return format!("{}: {result}", it.rule);
    }
    format!("{}: {result}, missing {}", it.rule, it.missing.join(", "))
}

/// Each by itself, whether or not one must be made.
fn referrals(first: &Referral) -> Vec<Referral> {
    let alone = Referral { also: Vec::new(), ..first.clone() };
    std::iter::once(alone).chain(first.also.iter().cloned()).filter(|it| *it != Referral::default()).collect()
}

fn referral(it: &Referral) -> String {
    let to: Vec<String> = it.to.iter().map(|role| role.word().replace('_', " ")).collect();
    let due = it.due.map(|day| format!(", due {day}")).unwrap_or_default();
    let rule = it.rule.as_deref().unwrap_or("no rule");
    format!("{rule}: to the {}: {}{due}", to.join(", then the "), it.text.as_deref().unwrap_or_default())
}

fn duty<T>(it: &Duty<T>) -> String {
    let properties = it.properties.as_ref();
    let due = properties.and_then(|it| it.due).map(|day| format!(" Due {day}.")).unwrap_or_default();
    format!("{}: {}{due}", it.rule, it.text)
}

fn conflict(it: &Conflict) -> String {
    format!("{} yields to {}", it.protocol.rule, it.statute.rule)
}

fn human_review(it: &HumanReview) -> String {
    match (it.required, &it.reason) {
        (true, Some(reason)) => format!("required: {reason}"),
        (true, None) => "required".to_owned(),
        (false, _) => "not required".to_owned(),
    }
}

fn superseded(it: &Superseded) -> String {
    format!("on {}, {} stands and sets aside {}", it.question.word(), it.standing, it.set_aside)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::decision::Verdict;

    fn refused() -> Judged {
        let verdict: Verdict = serde_json::from_value(json!({
            "parts": [
                {"id": "a", "outcome": "withhold", "because": [], "redaction": {"label": "Withheld"}},
                {"id": "b", "outcome": "disclose", "because": ["F-1", "R-7-1"]}
            ],
            "reasons": [], "obligations": [], "information": [], "conflicts": [],
            "tested": [{"layer": "statute", "rule": "F-1", "part": "a", "result": "not_met", "missing": ["a seat"]}],
            "referral": {"required": true, "to": ["monitoring_officer"], "rule": "X-1", "text": "Ask.", "due": "2026-12-01"},
            "human_review": {"required": false}
        }))
        .expect("a verdict");
        Judged { outcome: Outcome::Redact, held: true, verdict }
    }

    fn told(change: impl FnOnce(&mut Judged)) -> Vec<String> {
        let mut now = refused();
        change(&mut now);
        differences(&refused(), &now).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_answers_have_nothing_to_tell() {
        assert!(told(|_| {}).is_empty());
    }

    #[test]
    fn each_member_is_told_in_words() {
        assert_eq!(
            told(|now| (now.outcome, now.held) = (Outcome::Deny, false)),
            ["the answer: then allowed in part, held until somebody has decided; now refused"]
        );
        assert_eq!(
            told(|now| now.verdict.parts[0].outcome = PartOutcome::Disclose),
            ["a: the outcome: then withheld; now given"]
        );
        assert_eq!(
            told(|now| now.verdict.parts[1].because.clear()),
            ["b: the rules that decided: then F-1, R-7-1; now no rule permits"]
        );
        assert_eq!(told(|now| now.verdict.parts[0].redaction = None), ["a: the redaction: then Withheld; now nothing"]);
        assert_eq!(
            told(|now| now.verdict.tested.clear()),
            ["a: a rule tried: then F-1: not met, missing a seat; now nothing"]
        );
        assert_eq!(
            told(|now| now.verdict.referral.due = None),
            [
                "a referral: then X-1: to the monitoring officer: Ask., due 2026-12-01; now X-1: to the monitoring officer: Ask."
            ]
        );
    }

    #[test]
    fn a_change_of_order_alone_is_a_difference() {
        assert_eq!(told(|now| now.verdict.parts.reverse()).len(), 2, "of outcomes and of rules");
    }

    #[test]
    fn what_the_words_leave_out_is_a_difference() {
        let told = told(|now| now.verdict.referral.would_help = vec!["a record".to_owned()]);
        assert_eq!(told.len(), 1);
        assert!(told[0].contains("would_help"), "{told:?}");
    }
}
