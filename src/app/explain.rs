//! Tells how a decision came about: in plain words for whoever asked, rule by rule for those entitled.
//!
//! Both are told from the entry in the log, never from the facts of today: the case as it was gathered, under the
//! policies whose hash the decision names. What was erased cannot be explained.

use serde_json::{Value, json};

use super::{
    App, Caller,
    again::Made,
    decide::read_back,
    history::{HistoryError, made_by},
};
use crate::{
    domain::{
        decision::{Decision, PartVerdict},
        words::{Layer, Outcome, PartOutcome, TestResult},
    },
    pap::callers::{Circumstances, Errand},
    pdp::explain::{Explanation, explain},
    pip::Unreadable,
};

/// An explanation, as far as the caller may have it.
pub struct Explained {
    pub decision: Decision,
    /// For the person who asked.
    pub text: String,
    /// Rule by rule, for those entitled.
    pub in_full: Option<Explanation>,
}

impl App {
    pub async fn explain(&self, caller: &Caller, id: &str) -> Result<Explained, HistoryError> {
        let entry = self.read_decision(caller, id).await?;
        let decision = read_back(&entry).map_err(|_| HistoryError::NotKept)?;
        let own = made_by(&entry, caller);
        let entitled = self.allows(caller, Errand::ExplainInFull, Circumstances { own, ..Circumstances::default() });
        let in_full = if entitled { Some(self.in_full(self.made(&entry).await?).await?) } else { None };
        Ok(Explained { text: for_the_person(&decision), decision, in_full })
    }

    async fn in_full(&self, made: Made) -> Result<Explanation, HistoryError> {
        let bundle = self.met(&made.decision.policy_bundle).await?;
        let book = bundle.book(&made.decision.profile).cloned().ok_or(HistoryError::NotKept)?;
        let statutory = made.statutory(self.statutory);
        let work = move || explain(&bundle, &book, statutory, &made.case);
        // A search decides the case some hundred times: not on a thread that others wait for.
        let told = tokio::task::spawn_blocking(work).await.map_err(|error| Unreadable(error.into()))?;
        told.map_err(|error| Unreadable(error.into()).into())
    }

    /// Keeps the policies in force in the log, so that what is decided under them can be explained.
    pub async fn keep_policies(&self) -> Result<(), super::facts::WriteError> {
        let bundle = self.policies.load_full();
        let kept =
            self.store.policies(&bundle.hash).await.map_err(|e| super::facts::WriteError::Unrecorded(e.into()))?;
        if kept.is_some() {
            return Ok(());
        }
        let change = crate::pip::Change::KeepPolicies { hash: bundle.hash.clone(), files: bundle.files.0.clone() };
        self.write(&Caller::service(), change, None).await.map(|_| ())
    }
}

/// The answer in plain words, made only of texts that give nothing away: no title, no content, no interest.
pub fn for_the_person(decision: &Decision) -> String {
    let mut lines = vec![first_line(decision)];
    let verdict = &decision.verdict;
    let withheld: Vec<&str> = verdict
        .parts
        .iter()
        .filter(|part| part.outcome == PartOutcome::Withhold)
        .map(|part| part.id.as_str())
        .collect();
    if decision.outcome == Outcome::Redact {
        lines.push(format!("Withheld: {}.", withheld.join(", ")));
    }
    let reasons: Vec<String> = verdict
        .reasons
        .iter()
        .map(|reason| {
            let place = [reason.citation.instrument.as_str(), reason.citation.provision.as_str()].join(" ");
            format!("{} ({}; {})", reason.text, place.trim_end(), reason.rule)
        })
        .collect();
    lines.extend(listed("Why:", reasons));
    lines.extend(listed("Any one of these would have been enough:", nearest(decision)));
    let asked = verdict.referrals().filter_map(|referral| {
        let text = referral.text.clone()?;
        Some(match referral.due {
            Some(due) => format!("{text} An answer is due by {due}."),
            None => text,
        })
    });
    lines.extend(listed("Who decides now:", asked.collect()));
    lines.extend(listed("What you must keep to:", verdict.obligations.iter().map(|duty| duty.text.clone()).collect()));
    lines.extend(listed("You should know:", verdict.information.iter().map(|duty| duty.text.clone()).collect()));
    lines.join("\n")
}

/// For each withheld part, what the rules that lacked one thing only were lacking.
fn nearest(decision: &Decision) -> Vec<String> {
    let withheld = decision.verdict.parts.iter().filter(|part| part.outcome == PartOutcome::Withhold);
    let of_part = |part: &PartVerdict| {
        // Where a rule stands in the way, no local ground is enough; a right would be.
        let enough = |layer| part.because.is_empty() || layer == Layer::Statute;
        let tested = decision.verdict.tested.iter();
        let near = tested.filter(|tested| tested.part == part.id && enough(tested.layer));
        let mut lacking: Vec<&str> = near
            .filter(|tested| matches!(tested.result, TestResult::NotMet | TestResult::Unknown))
            .filter_map(|tested| <&[String; 1]>::try_from(tested.missing.as_slice()).ok())
            .map(|[only]| only.as_str())
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        (!lacking.is_empty()).then(|| format!("for {}: {}", part.id, lacking.join("; or ")))
    };
    withheld.filter_map(of_part).collect()
}

fn first_line(decision: &Decision) -> String {
    let what = match decision.outcome {
        Outcome::Allow => "may be given in full",
        Outcome::Redact => "may be given in part",
        Outcome::Deny if decision.held => "is withheld until somebody has decided",
        Outcome::Deny => "may not be given",
    };
    format!("{} {what} (action: {}).", decision.document, decision.action.word())
}

fn listed(heading: &str, mut items: Vec<String>) -> Vec<String> {
    items.dedup();
    if items.is_empty() {
        return Vec::new();
    }
    std::iter::once(heading.to_owned()).chain(items.into_iter().map(|item| format!("- {item}"))).collect()
}

/// As it leaves the service.
pub fn told(explained: &Explained) -> Value {
    let decision = &explained.decision;
    let mut told = json!({
        "decision": decision.id, "outcome": decision.outcome, "held": decision.held,
        "document": decision.document, "action": decision.action, "profile": decision.profile,
        "policy_bundle": decision.policy_bundle, "decided_at": decision.decided_at, "text": explained.text,
    });
    if let (Some(full), Some(told)) = (&explained.in_full, told.as_object_mut())
        && let Value::Object(members) = json!(full)
    {
        told.extend(members);
    }
    told
}
