//! The written statement of reasons that regulation 17(4) of SI 2012/2089 wants (R-17-5), told from a decision.
//!
//! It goes to the overview and scrutiny committee and not only to the member, so it does not name the member: the
//! regulation asks for the executive's reasons, and who asked is held in confidence (law.md §12, row 22).

use serde_json::{Value, json};

use super::{App, Caller, decide::read_back, history::HistoryError};
use crate::{
    domain::{
        decision::{Decision, Tested},
        id::Id,
        words::{Determination as Kind, ObligationType, TestResult},
    },
    pip::facts::Case,
};

impl App {
    /// The statement a decision calls for; not found where it calls for none.
    pub async fn statement(&self, caller: &Caller, id: &str) -> Result<Value, HistoryError> {
        let entry = self.read_decision(caller, id).await?;
        let decision = read_back(&entry).map_err(|_| HistoryError::NotKept)?;
        let duties = &decision.verdict.obligations;
        let owed = duties.iter().find(|duty| duty.kind == ObligationType::WrittenReasonsToCommittee);
        let Some(owed) = owed else { return Err(HistoryError::NotFound) };
        let Some(facts) = entry.group("facts") else { return Err(self.not_kept(entry.position.index).await) };
        let case: Case = serde_json::from_value(facts.clone()).map_err(|_| HistoryError::NotKept)?;
        let committees: Vec<String> = case
            .principal
            .scrutiny_bodies
            .iter()
            .map(|id| case.body_names.get(id).cloned().unwrap_or_else(|| id.to_string()))
            .collect();
        let parts = parts(&decision);
        let determined = self.determined(&case).await?;
        let text = text(&decision, &committees, &parts, determined.as_ref());
        Ok(json!({
            "decision": decision.id, "rule": owed.rule, "addressed_to": committees, "document": decision.document,
            "parts": parts.iter().map(|(id, reasons)| json!({"id": id, "reasons": reasons})).collect::<Vec<_>>(),
            "determination": determined, "decided_at": decision.decided_at, "text": text,
        }))
    }

    /// The executive's determination on relevance, with its reasons.
    async fn determined(&self, case: &Case) -> Result<Option<Value>, HistoryError> {
        let about = self.store.determinations_about(&case.request.document.id).await?;
        let person = case.request.principal.person();
        let relevance = about.into_iter().filter(|determination| {
            determination.entered.kind == Kind::ScrutinyRelevance
                && !determination.entered.answer
                && determination.in_force(case.now)
                && determination.entered.person.as_ref().is_none_or(|id| Some(id) == person)
                && determination
                    .entered
                    .parts
                    .as_ref()
                    .is_none_or(|parts| case.parts.iter().any(|facts| parts.contains(&facts.part.id)))
        });
        let last = relevance.max_by_key(|determination| determination.entered.decided_at);
        Ok(last.map(|last| {
            json!({"id": last.id, "decided_by": last.entered.decided_by, "decided_at": last.entered.decided_at,
                   "parts": last.entered.parts, "reasons": last.entered.reasons})
        }))
    }
}

/// The parts of which a copy was refused, each with what regulation 17 wanted and did not find. A part that another
/// right opens is still one of which no copy was due, so long as it was tried under regulation 17(3) and failed.
fn parts(decision: &Decision) -> Vec<(String, Vec<String>)> {
    let verdict = &decision.verdict;
    let refused = |part: &Id| {
        let tested =
            verdict.tested.iter().filter(move |tested| tested.part == *part && tested.rule.starts_with("R-17-"));
        let failed: Vec<&Tested> = tested.clone().filter(|tested| tested.result != TestResult::Met).collect();
        // Given as of right under regulation 17 itself: no refusal of this part.
        (tested.count() == failed.len()).then_some(failed).filter(|failed| !failed.is_empty())
    };
    let told = |tested: &&Tested| format!("{}: not shown: {}", tested.rule, tested.missing.join("; "));
    let all = verdict.parts.iter();
    all.filter_map(|part| Some((part.id.to_string(), refused(&part.id)?.iter().map(told).collect()))).collect()
}

fn text(
    decision: &Decision,
    committees: &[String],
    parts: &[(String, Vec<String>)],
    determined: Option<&Value>,
) -> String {
    let mut lines = vec![
        "Statement of reasons under regulation 17(4) of the Local Authorities (Executive Arrangements) (Meetings and \
         Access to Information) (England) Regulations 2012"
            .to_owned(),
        format!("To: {}", committees.join(", ")),
        format!("Document: {}. Decision {} of {}.", decision.document, decision.id, decision.decided_at),
    ];
    // The executive speaks of the parts it determined; of the others there is nothing to state but what the facts lack.
    let of_all = |determined: &Value| determined.get("parts").is_none_or(Value::is_null);
    let named = |determined: &Value, id: &str| {
        determined.get("parts").and_then(Value::as_array).is_some_and(|parts| parts.iter().any(|part| part == id))
    };
    let is_determined = |id: &str| determined.is_some_and(|by| of_all(by) || named(by, id));
    let (decided, open): (Vec<_>, Vec<_>) = parts.iter().partition(|(id, _)| is_determined(id));
    if let (false, Some(reasons)) = (decided.is_empty(), determined.and_then(|by| by.get("reasons")?.as_str())) {
        lines.push(
            "The executive has determined that a member of the committee is not entitled under regulation 17 to a copy of:"
                .to_owned(),
        );
        lines.extend(decided.iter().map(|(part, _)| format!("- {part}")));
        lines.push(format!("The executive's reasons: {reasons}"));
    }
    if !open.is_empty() {
        lines.push(
            "No copy was due under regulation 17, as the facts stood and without a determination, of:".to_owned(),
        );
    }
    for (part, reasons) in open {
        lines.push(format!("- {part}"));
        lines.extend(reasons.iter().map(|reason| format!("  {reason}")));
    }
    lines.push("Rights under other provisions are not affected (regulations 16(8) and 21(8)).".to_owned());
    lines.join("\n")
}
