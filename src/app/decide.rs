//! The story: gather, evaluate, record, answer.

use serde_json::json;

use super::{
    App, Caller, Idempotency,
    again::{Judged, judge},
    new_id,
    policies::{NoRules, Rules},
    traced,
};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, SearchKeys, StoredEntry, export::SUMMARY},
    domain::{
        decision::{Decision, Verdict},
        document::Document,
        id::Id,
        question::{PartyType, Request},
        referral::Raised,
        words::{Action, Layer, PartOutcome},
    },
    pap::callers::{Circumstances, Errand},
    pip::{
        Snapshot, Unreadable,
        facts::{Case, Provided},
        gather::{self, GatherError},
    },
    telemetry::{metrics, step},
};

/// How often a decision is made again because the facts changed under it.
const ATTEMPTS: usize = 8;

/// Why there is no answer. Nothing was recorded unless a first answer had been.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    #[error("the caller may not ask this")]
    NotAllowed,
    #[error("the document is not registered")]
    NoDocument,
    #[error("the document is registered with other facts")]
    OtherFacts,
    #[error("the document has no part of that name")]
    NoPart(Id),
    #[error("the idempotency key was used with another body")]
    KeyReused,
    #[error("the facts keep changing")]
    Unsettled,
    #[error("the log has too many entries waiting")]
    Busy,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the answer cannot be recorded")]
    Unrecorded(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    NoRules(#[from] NoRules),
}

impl App {
    /// Decides one request. When this returns an answer, the answer is on record.
    pub async fn decide(
        &self,
        caller: &Caller,
        request: Request,
        idempotency: Option<Idempotency>,
    ) -> Result<Decision, DecideError> {
        self.may_ask(caller, &request, Errand::Decide)?;
        self.settle(caller, request, idempotency, Purpose::ToAct).await
    }

    /// The same for whoever may ask it.
    pub(super) async fn settle(
        &self,
        caller: &Caller,
        request: Request,
        idempotency: Option<Idempotency>,
        purpose: Purpose,
    ) -> Result<Decision, DecideError> {
        if let Some(first) = self.first_answer(caller, idempotency.as_ref(), None).await? {
            return Ok(first);
        }
        for _ in 0..ATTEMPTS {
            let (case, decision) = self.make(&request, purpose).await?;
            let entry = self.entry(caller, &case, &decision, idempotency.as_ref(), None);
            let entry = NewEntry { kind: purpose.kind(), ..entry };
            match step("record", self.store.append(entry)).await {
                Ok(position) => return Ok(given(Decision { log: Some(position), ..decision }, purpose)),
                Err(AppendError::Stale) => metrics::made_again(),
                Err(error) => return unrecorded(error),
            }
        }
        Err(DecideError::Unsettled)
    }

    /// Decides many. Order is kept; what cannot be decided is an error in its place, the rest is decided and recorded
    /// together.
    pub async fn decide_all(
        &self,
        caller: &Caller,
        requests: Vec<Result<Request, DecideError>>,
        idempotency: Option<Idempotency>,
    ) -> Result<Vec<Result<Decision, DecideError>>, DecideError> {
        for _ in 0..ATTEMPTS {
            let mut answers: Vec<Result<Decision, DecideError>> = Vec::with_capacity(requests.len());
            let mut waiting: Vec<(usize, NewEntry)> = Vec::new();
            for (at, request) in requests.iter().enumerate() {
                let answer = match request {
                    Ok(request) => self.prepare(caller, request, idempotency.as_ref(), at).await,
                    Err(error) => Err(error.again()),
                };
                answers.push(match answer {
                    Ok(Prepared::Known(decision)) => Ok(*decision),
                    Ok(Prepared::New(decision, entry)) => {
                        waiting.push((at, *entry));
                        Ok(*decision)
                    }
                    Err(error @ (DecideError::Unreadable(_) | DecideError::NoRules(_))) => return Err(error),
                    Err(error) => Err(error),
                });
            }
            let (places, entries): (Vec<usize>, Vec<NewEntry>) = waiting.into_iter().unzip();
            match step("record", self.store.append_all(entries)).await {
                Ok(positions) => {
                    for (at, position) in places.into_iter().zip(positions) {
                        if let Some(Ok(decision)) = answers.get_mut(at) {
                            *decision = given(Decision { log: Some(position), ..decision.clone() }, Purpose::ToAct);
                        }
                    }
                    return Ok(answers);
                }
                Err(AppendError::Stale) => metrics::made_again(),
                Err(error) => return unrecorded(error).map(|decision| vec![Ok(decision)]),
            }
        }
        Err(DecideError::Unsettled)
    }

    /// One item of a batch, ready to be recorded.
    async fn prepare(
        &self,
        caller: &Caller,
        request: &Request,
        idempotency: Option<&Idempotency>,
        at: usize,
    ) -> Result<Prepared, DecideError> {
        self.may_ask(caller, request, Errand::Decide)?;
        if let Some(first) = self.first_answer(caller, idempotency, Some(at)).await? {
            return Ok(Prepared::Known(Box::new(first)));
        }
        let (case, decision) = self.make(request, Purpose::ToAct).await?;
        let entry = self.entry(caller, &case, &decision, idempotency, Some(at));
        Ok(Prepared::New(Box::new(decision), Box::new(entry)))
    }

    /// Nobody but the person may ask as a councillor's own caller.
    pub(super) fn may_ask(&self, caller: &Caller, request: &Request, errand: Errand) -> Result<(), DecideError> {
        let about_self = caller.person.is_some() && request.principal.person() == caller.person.as_ref();
        let allowed = self.allows(caller, errand, Circumstances { about_self, ..Circumstances::default() });
        if allowed { Ok(()) } else { Err(DecideError::NotAllowed) }
    }

    async fn first_answer(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
        item: Option<usize>,
    ) -> Result<Option<Decision>, DecideError> {
        let Some(sent) = idempotency else { return Ok(None) };
        match self.store.repeated(&sent.of(caller, item).key).await? {
            None => Ok(None),
            Some((first, hash)) if hash == sent.body_hash => read_back(&first).map(Some),
            Some(_) => Err(DecideError::KeyReused),
        }
    }

    /// Gathers the facts and evaluates the rules, all at one version: the register is read first, with it the policies
    /// in force, and the append checks that nothing came after them.
    async fn make(&self, request: &Request, purpose: Purpose) -> Result<(Case, Decision), DecideError> {
        let snapshot = self.store.snapshot();
        let rules = self.rules_with(&snapshot).await?;
        let case = step("gather", self.gather(&rules, &snapshot, request.clone())).await?;
        let decision = step("evaluate", async { self.evaluate(&rules, &case, purpose) }).await;
        Ok((case, decision))
    }

    async fn gather(&self, rules: &Rules, snapshot: &Snapshot, request: Request) -> Result<Case, DecideError> {
        let document = self.document(&request).await?;
        let determinations = self.store.determinations_about(&document.id).await?;
        let sources = gather::Sources {
            snapshot,
            calendar: &rules.bundle.calendar,
            profile: &rules.book.profile,
            deciders: &rules.bundle.deciders,
            determinations: &determinations,
            provided: self.provided(&request).await?,
            now: self.clock.now(),
        };
        gather::gather(request, &document, &sources).map_err(|GatherError::NoPart(part)| DecideError::NoPart(part))
    }

    /// What the decision named in `provided_under` gave: only one on record, to the same person, of the same document.
    async fn provided(&self, request: &Request) -> Result<Option<Provided>, DecideError> {
        let Some(id) = &request.purpose.provided_under else { return Ok(None) };
        let Some(entry) = self.store.entry(id.as_str()).await?.filter(|entry| entry.kind == EntryKind::Decision) else {
            return Ok(None);
        };
        // What has been erased shows nothing.
        let Ok(given) = read_back(&entry) else { return Ok(None) };
        if given.principal != request.principal || given.document != request.document.id || given.action != Action::Read
        {
            return Ok(None);
        }
        let parts = given.verdict.parts.into_iter().filter(|part| part.outcome == PartOutcome::Disclose);
        let ground = entry.group("request").and_then(|asked| asked.pointer("/purpose/ground")).cloned();
        Ok(Some(Provided {
            parts: parts.map(|part| part.id).collect(),
            ground: ground.and_then(|ground| serde_json::from_value(ground).ok()),
        }))
    }

    /// The registered document, or the one sent where none is registered; a caller never overrides registered facts.
    async fn document(&self, request: &Request) -> Result<Document, DecideError> {
        let sent = &request.document;
        match self.store.document(&sent.id).await? {
            Some(registered) if sent.is_reference() || *sent == registered => Ok(registered),
            Some(_) => Err(DecideError::OtherFacts),
            None if sent.is_reference() => Err(DecideError::NoDocument),
            None => Ok(sent.clone()),
        }
    }

    fn evaluate(&self, rules: &Rules, case: &Case, purpose: Purpose) -> Decision {
        let judged = judge(&rules.bundle, &rules.book, self.statutory, case);
        self.answer(case, judged, &rules.bundle.hash, purpose)
    }

    fn answer(&self, case: &Case, judged: Judged, bundle: &str, purpose: Purpose) -> Decision {
        let Judged { outcome, held, mut verdict } = judged;
        if purpose == Purpose::ToAct {
            verdict.name_referrals(|| Id::try_from(new_id()).ok());
        }
        Decision {
            id: new_id(),
            outcome,
            held,
            document: case.request.document.id.clone(),
            principal: case.request.principal.clone(),
            action: case.request.action,
            verdict,
            profile: self.profile.clone(),
            policy_bundle: bundle.to_owned(),
            facts_version: case.facts_version,
            decided_at: case.now,
            log: None,
        }
    }

    fn entry(
        &self,
        caller: &Caller,
        case: &Case,
        decision: &Decision,
        idempotency: Option<&Idempotency>,
        item: Option<usize>,
    ) -> NewEntry {
        NewEntry {
            kind: EntryKind::Decision,
            id: decision.id.clone(),
            at: decision.decided_at,
            outcome: Some(decision.outcome),
            policy_bundle: decision.policy_bundle.clone(),
            facts_version: Some(decision.facts_version),
            payload: [
                ("caller", json!(caller.name)),
                ("request", json!(case.request)),
                ("answer", json!(decision)),
                (SUMMARY, summary(case, decision)),
                ("facts", json!(case)),
                ("basis", json!(self.basis())),
            ]
            .into_iter()
            .chain(traced())
            .collect(),
            search: Some(SearchKeys {
                person: searched_person(&case.request),
                document: decision.document.to_string(),
                action: decision.action,
                rules: rules_of(&decision.verdict),
                referrals: raised(decision, &searched_person(&case.request)),
            }),
            idempotency: idempotency.map(|sent| sent.of(caller, item)),
            erased: None,
        }
    }
}

/// What somebody wants the answer for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To do with the paper what was asked. What is left to a person waits on the referral desk.
    ToAct,
    ToKnow,
}

impl Purpose {
    fn kind(self) -> EntryKind {
        match self {
            Self::ToAct => EntryKind::Decision,
            Self::ToKnow => EntryKind::Enquiry,
        }
    }
}

/// Counts an answer that is on record and about to be given.
fn given(decision: Decision, purpose: Purpose) -> Decision {
    metrics::decided(&metrics::Decided {
        outcome: decision.outcome.word(),
        held: decision.held,
        profile: &decision.profile,
        layer: decision.verdict.deciding_layer().map_or("none", Layer::word),
        kind: purpose.kind().word(),
    });
    decision
}

enum Prepared {
    /// Answered before, under the same key.
    Known(Box<Decision>),
    New(Box<Decision>, Box<NewEntry>),
}

impl DecideError {
    /// The same fault of a request, for another attempt at its batch.
    fn again(&self) -> Self {
        match self {
            Self::NotAllowed => Self::NotAllowed,
            Self::NoPart(part) => Self::NoPart(part.clone()),
            Self::OtherFacts => Self::OtherFacts,
            Self::KeyReused => Self::KeyReused,
            _ => Self::NoDocument,
        }
    }
}

/// A first answer under the same key stands; everything else is no answer.
fn unrecorded(error: AppendError) -> Result<Decision, DecideError> {
    match error {
        AppendError::Repeated { same_body: true, first } => read_back(&first),
        AppendError::Repeated { same_body: false, .. } => Err(DecideError::KeyReused),
        AppendError::Full => Err(DecideError::Busy),
        other => Err(DecideError::Unrecorded(other.into())),
    }
}

/// Why what has no answer of its own to repeat is not on record.
pub(super) fn unrecorded_act(error: AppendError) -> DecideError {
    match error {
        AppendError::Full => DecideError::Busy,
        other => DecideError::Unrecorded(other.into()),
    }
}

/// The answer an entry holds, with its place in the log.
pub fn read_back(entry: &StoredEntry) -> Result<Decision, DecideError> {
    let erased = || DecideError::Unrecorded("the answer has been erased".into());
    let answer = entry.group("answer").cloned().ok_or_else(erased)?;
    let decision: Decision = serde_json::from_value(answer).map_err(|error| DecideError::Unrecorded(error.into()))?;
    Ok(Decision { log: Some(entry.position.clone()), ..decision })
}

fn searched_person(request: &Request) -> String {
    match (&request.principal.id, request.principal.kind) {
        (Some(id), _) => id.to_string(),
        (None, PartyType::Typed(kind)) => kind.word().to_owned(),
        (None, PartyType::Person(_)) => "-".to_owned(),
    }
}

/// What goes to the referral desk.
fn raised(decision: &Decision, person: &str) -> Vec<Raised> {
    decision
        .verdict
        .referrals()
        .filter_map(|referral| {
            Some(Raised {
                id: referral.id.clone()?,
                document: decision.document.clone(),
                person: person.to_owned(),
                to: referral.to.clone(),
                due: referral.due,
            })
        })
        .collect()
}

/// What may be said of a decision to anyone: nothing of the person but the kind, and none of the words.
fn summary(case: &Case, decision: &Decision) -> serde_json::Value {
    let referral = &decision.verdict.referral;
    json!({
        "action": decision.action,
        "document": decision.document,
        "held": decision.held,
        "outcome": decision.outcome,
        "parts": decision.verdict.parts.iter().map(|part| json!(part.outcome)).collect::<Vec<_>>(),
        "person_kind": case.principal.kind,
        "profile": decision.profile,
        "referred_to": referral.required.then_some(&referral.to),
        "rules": rules_of(&decision.verdict),
    })
}

/// Every rule that decided or referred.
pub(super) fn rules_of(verdict: &Verdict) -> Vec<String> {
    let referrals = verdict.referrals();
    let mut rules: Vec<String> = verdict
        .parts
        .iter()
        .flat_map(|part| part.because.iter().cloned())
        .chain(referrals.filter_map(|referral| referral.rule.clone()))
        .collect();
    rules.sort();
    rules.dedup();
    rules
}
