//! Records what a person or body determined, once it is shown that they may.
//!
//! Whether they may turns on the register and the policies: a determination is recorded under those it was checked
//! against, or checked again.

use serde_json::json;

use super::{App, Caller, Idempotency, new_id, policies::NoRules};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, Unmet, Write},
    domain::{
        calendar::london_day,
        determination::{DecidedBy, Determination, Entered},
        id::{Id, NotAnId},
        words::Determination as Kind,
    },
    pap::{
        Bundle, RuleBook,
        callers::{Circumstances, Errand},
        deciders::Case,
    },
    pip::{Change, Indexed, Unreadable},
};

/// How often a determination is checked again because facts or policies changed under it. Of those entered at once one is
/// recorded at a time, since each changes the facts.
const ATTEMPTS: usize = 32;

#[derive(Debug, thiserror::Error)]
pub enum DetermineError {
    /// What the determination names does not exist: pointer and what was expected.
    #[error("the determination names something unknown")]
    Unknown(Vec<(&'static str, String)>),
    #[error("that person or body may not decide this")]
    NotEntitled,
    #[error("there is no such determination")]
    NotFound,
    #[error("the idempotency key was used with another body")]
    KeyReused,
    #[error("the log has too many entries waiting")]
    Busy,
    #[error("the facts keep changing")]
    Unsettled,
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the determination cannot be recorded")]
    Unrecorded(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error(transparent)]
    NoRules(#[from] NoRules),
    #[error(transparent)]
    Id(#[from] NotAnId),
}

impl App {
    pub async fn determine(
        &self,
        caller: &Caller,
        entered: Entered,
        idempotency: Option<Idempotency>,
    ) -> Result<Determination, DetermineError> {
        if let Some(first) = self.first_determination(caller, idempotency.as_ref()).await? {
            return Ok(first);
        }
        for _ in 0..ATTEMPTS {
            match self.try_to_determine(caller, entered.clone(), idempotency.as_ref()).await {
                Err(DetermineError::Unsettled) => {}
                done => return done,
            }
        }
        Err(DetermineError::Unsettled)
    }

    async fn try_to_determine(
        &self,
        caller: &Caller,
        mut entered: Entered,
        idempotency: Option<&Idempotency>,
    ) -> Result<Determination, DetermineError> {
        let as_of = self.store.current().await?.facts_version;
        self.check_names(&mut entered).await?;
        let may_enter = self.allows(caller, Errand::Determine, self.about(caller, &entered).await?);
        if !may_enter || !self.entitled(&entered).await? {
            let refusal = self.act(EntryKind::Refusal, caller, json!({"determination": entered}));
            self.store.append(refusal).await.map_err(failed)?;
            return Err(DetermineError::NotEntitled);
        }
        let id = Id::try_from(new_id())?;
        let now = self.clock.now();
        let determination = Determination {
            id: id.clone(),
            entered: entered.clone(),
            entered_by: caller.name.clone(),
            recorded_at: now,
            withdrawn_at: None,
        };
        let entry = NewEntry {
            id: id.to_string(),
            at: now,
            payload: vec![("caller", json!(caller.name)), ("determination", json!(determination))],
            idempotency: idempotency.map(|sent| sent.of(caller, None)),
            ..self.act(EntryKind::Determination, caller, json!(null))
        };
        let change = Change::Determine { id, entered: Box::new(entered), entered_by: caller.name.clone() };
        match self.store.write(Write { change, if_version: Some(as_of) }, entry).await {
            Ok(_) => Ok(determination),
            Err(AppendError::Stale | AppendError::Precondition(Unmet::Version)) => Err(DetermineError::Unsettled),
            Err(AppendError::Repeated { same_body: true, first }) => parse(first.group("determination")),
            Err(error) => Err(failed(error)),
        }
    }

    pub async fn withdraw(&self, caller: &Caller, id: Id) -> Result<(), DetermineError> {
        let kept = self.store.determination(&id).await?.ok_or(DetermineError::NotFound)?;
        // What the caller may not see is not there for it to withdraw either.
        let is_seen = self.shows(caller, &kept);
        if !is_seen || !self.allows(caller, Errand::Determine, self.about(caller, &kept.entered).await?) {
            let refusal = self.act(EntryKind::Refusal, caller, json!({"withdrawal": id}));
            self.store.append(refusal).await.map_err(failed)?;
            return Err(if is_seen { DetermineError::NotEntitled } else { DetermineError::NotFound });
        }
        let entry = self.act(EntryKind::Withdrawal, caller, json!({"determination": id}));
        let write = Write { change: Change::Withdraw(id), if_version: None };
        self.store.write(write, entry).await.map(|_| ()).map_err(failed)
    }

    async fn first_determination(
        &self,
        caller: &Caller,
        idempotency: Option<&Idempotency>,
    ) -> Result<Option<Determination>, DetermineError> {
        let Some(sent) = idempotency else { return Ok(None) };
        match self.store.repeated(&sent.of(caller, None).key).await? {
            None => Ok(None),
            Some((first, hash)) if hash == sent.body_hash => parse(first.group("determination")).map(Some),
            Some(_) => Err(DetermineError::KeyReused),
        }
    }

    /// Everyone and everything named must be known; the version in force is taken where none is named.
    pub(super) async fn check_names(&self, entered: &mut Entered) -> Result<(), DetermineError> {
        let snapshot = self.store.current().await?;
        let register = &snapshot.register;
        let mut faults: Vec<(&'static str, String)> = Vec::new();
        // Need is of a document (CL-16: no general resolution opens everything).
        if entered.document.is_none() && matches!(entered.kind, Kind::NeedToKnow | Kind::DocumentRelevant) {
            faults.push(("/document", "must name the document this is about".to_owned()));
        }
        if entered.person.as_ref().is_some_and(|id| register.person(id).is_none()) {
            faults.push(("/person", "is not a person of the register".to_owned()));
        }
        match &entered.decided_by {
            DecidedBy::Person { person, .. } if register.person(person).is_none() => {
                faults.push(("/decided_by/person", "is not a person of the register".to_owned()));
            }
            DecidedBy::Body { body } if register.body(body).is_none() => {
                faults.push(("/decided_by/body", "is not a body of the register".to_owned()));
            }
            _ => {}
        }
        if let Some(id) = entered.document.clone()
            && let Some(document) = self.store.document(&id).await?
        {
            let parts = document.whole_parts();
            if entered.parts.iter().flatten().any(|wanted| !parts.iter().any(|part| part.id == *wanted)) {
                faults.push(("/parts", "names a part the registered document does not have".to_owned()));
            }
            if entered.document_version.is_none() {
                entered.document_version = document.version;
            }
        }
        if faults.is_empty() { Ok(()) } else { Err(DetermineError::Unknown(faults)) }
    }

    /// Whether it concerns the person the caller speaks for, and whether that can be told.
    async fn about(&self, caller: &Caller, entered: &Entered) -> Result<Circumstances, Unreadable> {
        let nobody_known = Self::nobody_known(caller, &self.store.current().await?.register);
        let about_self = caller.person.as_ref().is_some_and(|person| entered.concerns(person));
        Ok(Circumstances { about_self, nobody_known, ..Circumstances::default() })
    }

    async fn entitled(&self, entered: &Entered) -> Result<bool, DetermineError> {
        let snapshot = self.store.current().await?;
        let rules = self.rules_with(&snapshot).await?;
        let today = london_day(self.clock.now());
        Ok(entitled(entered, &rules.bundle, &rules.book, &snapshot.register, today))
    }
}

/// Whether the policies let this post or body decide this kind, and the person holds the post.
fn entitled(entered: &Entered, bundle: &Bundle, book: &RuleBook, register: &Indexed, today: jiff::civil::Date) -> bool {
    let case = |own| Case { kind: entered.kind, profile: &book.profile.id, own };
    match &entered.decided_by {
        DecidedBy::Person { person, post } => {
            let holds = register
                .person(person)
                .is_some_and(|p| p.posts.contains(post) && p.term.is_none_or(|term| term.covers(today)));
            holds && bundle.deciders.post_may(*post, case(entered.concerns(person)))
        }
        DecidedBy::Body { body } => {
            register.body(body).is_some_and(|body| bundle.deciders.body_may(body.kind, case(false)))
        }
    }
}

fn parse(value: Option<&serde_json::Value>) -> Result<Determination, DetermineError> {
    let value = value.cloned().ok_or_else(|| DetermineError::Unrecorded("the record has been erased".into()))?;
    serde_json::from_value(value).map_err(|error| DetermineError::Unrecorded(error.into()))
}

fn failed(error: AppendError) -> DetermineError {
    match error {
        AppendError::Precondition(Unmet::NotFound) => DetermineError::NotFound,
        AppendError::Repeated { .. } => DetermineError::KeyReused,
        AppendError::Full => DetermineError::Busy,
        other => DetermineError::Unrecorded(other.into()),
    }
}
