//! The story: gather, evaluate, record, answer.

use serde_json::json;

use super::{
    App, Caller, Idempotency, NoProfile,
    again::{Judged, judge},
    new_id,
};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, SearchKeys, StoredEntry, export::SUMMARY},
    domain::{
        decision::{Decision, Verdict},
        document::Document,
        id::Id,
        question::{PartyType, Request},
        referral::Raised,
        words::{Action, PartOutcome},
    },
    pap::callers::{Circumstances, Errand},
    pip::{
        Unreadable,
        facts::{Case, Provided},
        gather::{self, GatherError},
    },
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
    NoProfile(#[from] NoProfile),
}

impl App {
    /// Decides one request. When this returns an answer, the answer is on record.
    pub async fn decide(
        &self,
        caller: &Caller,
        request: Request,
        idempotency: Option<Idempotency>,
    ) -> Result<Decision, DecideError> {
        self.may_ask(caller, &request)?;
        if let Some(first) = self.first_answer(caller, idempotency.as_ref(), None).await? {
            return Ok(first);
        }
        for _ in 0..ATTEMPTS {
            let case = self.gather(request.clone()).await?;
            let decision = self.evaluate(&case)?;
            let entry = self.entry(caller, &case, &decision, idempotency.as_ref(), None);
            match self.store.append(entry).await {
                Ok(position) => return Ok(Decision { log: Some(position), ..decision }),
                Err(AppendError::Stale) => {}
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
                    Err(error @ (DecideError::Unreadable(_) | DecideError::NoProfile(_))) => return Err(error),
                    Err(error) => Err(error),
                });
            }
            let (places, entries): (Vec<usize>, Vec<NewEntry>) = waiting.into_iter().unzip();
            match self.store.append_all(entries).await {
                Ok(positions) => {
                    for (at, position) in places.into_iter().zip(positions) {
                        if let Some(Ok(decision)) = answers.get_mut(at) {
                            decision.log = Some(position);
                        }
                    }
                    return Ok(answers);
                }
                Err(AppendError::Stale) => {}
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
        self.may_ask(caller, request)?;
        if let Some(first) = self.first_answer(caller, idempotency, Some(at)).await? {
            return Ok(Prepared::Known(Box::new(first)));
        }
        let case = self.gather(request.clone()).await?;
        let decision = self.evaluate(&case)?;
        let entry = self.entry(caller, &case, &decision, idempotency, Some(at));
        Ok(Prepared::New(Box::new(decision), Box::new(entry)))
    }

    /// Nobody but the person may ask as a councillor's own caller.
    fn may_ask(&self, caller: &Caller, request: &Request) -> Result<(), DecideError> {
        let about_self = caller.person.is_some() && request.principal.person() == caller.person.as_ref();
        let allowed = self.allows(caller, Errand::Decide, Circumstances { about_self, ..Circumstances::default() });
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

    /// The facts, all at one version: the register is read first, and the append checks that nothing came after it.
    async fn gather(&self, request: Request) -> Result<Case, DecideError> {
        let (bundle, book) = self.rules()?;
        let snapshot = self.store.snapshot();
        let document = self.document(&request).await?;
        let determinations = self.store.determinations_about(&document.id).await?;
        let sources = gather::Sources {
            snapshot: &snapshot,
            calendar: &bundle.calendar,
            profile: &book.profile,
            deciders: &bundle.deciders,
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

    fn evaluate(&self, case: &Case) -> Result<Decision, DecideError> {
        let (bundle, book) = self.rules()?;
        let judged = judge(&bundle, &book, self.statutory, case);
        Ok(self.answer(case, judged, &bundle.hash))
    }

    fn answer(&self, case: &Case, judged: Judged, bundle: &str) -> Decision {
        let Judged { outcome, held, mut verdict } = judged;
        verdict.name_referrals(|| Id::try_from(new_id()).ok());
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
            payload: vec![
                ("caller", json!(caller.name)),
                ("request", json!(case.request)),
                ("answer", json!(decision)),
                (SUMMARY, summary(case, decision)),
                ("facts", json!(case)),
                ("basis", json!(self.basis())),
            ],
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
