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
    told::Telling,
};
use crate::{
    domain::decision::Decision,
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
        Ok(Explained { text: Telling::of(&decision, None).text(), decision, in_full })
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
