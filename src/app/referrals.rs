//! The referral desk: what decisions have left to people, and the determinations that answer it.
//!
//! A referral is opened by the decision that raised it and recorded with it. It is closed by a determination that
//! answers the question put, about the same paper and person, by somebody it was put to; the next decision on the same
//! facts then uses that determination. Nothing is closed by itself.
//!
//! Whoever has a post sees what is put to that post; the Monitoring Officer sees all (`policies/callers`). Each
//! reading is logged.

use serde_json::{Value, json};

use super::{
    App, Caller, Idempotency, decide::read_back, determine::DetermineError, facts::WriteError, history::HistoryError,
};
use crate::{
    audit::{AppendError, EntryKind, NewEntry, ReferralFilter, StoredReferral, Unmet, Write},
    domain::{
        calendar::london_day,
        decision::{Decision, Referral},
        determination::{DecidedBy, Determination, Entered},
        document::{Document, Part},
        id::Id,
        question::Party,
        referral::{Mismatch, Question, Status, mismatches},
        words::{Action, PartOutcome, ReferralRole},
    },
    pap::{
        callers::{Circumstances, Errand},
        deciders::Case,
    },
    pip::{Change, Page, PageRequest, Unreadable},
};

#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    #[error(transparent)]
    Read(#[from] HistoryError),
    #[error("the determination does not answer the referral")]
    NotAnAnswer(Vec<Mismatch>),
    #[error("the idempotency key was used with another body")]
    KeyReused,
    #[error(transparent)]
    Write(WriteError),
}

/// Why a referral was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The determination would not answer it: nothing is determined.
    #[error(transparent)]
    Refused(CloseError),
    #[error(transparent)]
    Undetermined(#[from] DetermineError),
    /// It is determined, and somebody else closed the referral in the moment between.
    #[error(transparent)]
    NotClosed(CloseError),
}

/// A referral, with the answer that raised it.
pub struct Told {
    pub stored: StoredReferral,
    pub decision: Decision,
    pub referral: Referral,
    pub status: Status,
    /// Who would have received it, where that is a person of the register.
    recipient: Option<Id>,
}

impl App {
    pub async fn list_referrals(
        &self,
        caller: &Caller,
        mut filter: ReferralFilter,
        status: Option<Status>,
        page: PageRequest,
    ) -> Result<Page<Told>, HistoryError> {
        let addressed = match filter.to {
            Some(role) => self.holds(caller, &[role]).await?,
            None => false,
        };
        if !self.allows(caller, Errand::ReadReferrals, Circumstances { addressed, ..Circumstances::default() }) {
            return Err(HistoryError::NotAllowed);
        }
        filter.status = status.map(|status| (status, self.today()));
        let what = json!({"referrals": {
            "status": status.map(Status::word), "to": filter.to, "document": filter.document, "person": filter.person,
        }});
        self.log_read(caller, what).await?;
        let page = self.store.referrals(&filter, &page).await?;
        Ok(Page { items: page.items.into_iter().filter_map(|stored| self.told(stored)).collect(), next: page.next })
    }

    pub async fn read_referral(&self, caller: &Caller, id: &Id) -> Result<Told, HistoryError> {
        let told = self.referral(caller, Errand::ReadReferrals, id).await?;
        self.log_read(caller, json!({"referral": id})).await?;
        Ok(told)
    }

    /// A referral that the caller may close.
    pub async fn closable(&self, caller: &Caller, id: &Id) -> Result<Told, HistoryError> {
        self.referral(caller, Errand::CloseReferral, id).await
    }

    /// Closes a referral with the determination that answers it.
    pub async fn close_referral(
        &self,
        caller: &Caller,
        id: &Id,
        determination: &Id,
        idempotency: Option<Idempotency>,
    ) -> Result<Told, CloseError> {
        let told = self.referral(caller, Errand::CloseReferral, id).await?;
        let answer = self.store.determination(determination).await.map_err(HistoryError::from)?;
        let Some(answer) = answer else {
            return Err(CloseError::NotAnAnswer(vec![("/determination", "is not a determination on record")]));
        };
        self.must_answer(&told, &answer)?;
        let change = Change::CloseReferral { referral: id.clone(), determination: determination.clone() };
        let act = json!({"referral": id, "determination": determination});
        let entry = NewEntry {
            idempotency: idempotency.map(|sent| sent.of(caller, None)),
            ..self.act(EntryKind::ReferralClosed, caller, act)
        };
        match self.store.write(Write { change, if_version: None }, entry).await {
            Ok(_) | Err(AppendError::Repeated { same_body: true, .. }) => {}
            Err(AppendError::Repeated { same_body: false, .. }) => return Err(CloseError::KeyReused),
            Err(AppendError::Precondition(unmet)) => return Err(CloseError::Write(WriteError::Unmet(unmet))),
            Err(AppendError::Full) => return Err(CloseError::Write(WriteError::Busy)),
            Err(other) => return Err(CloseError::Write(WriteError::Unrecorded(other.into()))),
        }
        let closed = self.store.referral(id).await.map_err(HistoryError::from)?;
        let closed = closed.ok_or(CloseError::Write(WriteError::Unmet(Unmet::NotFound)))?;
        self.told(closed).ok_or(CloseError::Read(HistoryError::NotKept))
    }

    /// Whether whoever decided may do so in this case. Of a determination that names nobody this shows only here.
    /// Determines what a referral asks and closes it with that. What would not answer it is not determined either.
    pub async fn answer_referral(
        &self,
        caller: &Caller,
        id: &Id,
        entered: Entered,
        idempotency: Idempotency,
    ) -> Result<Told, AnswerError> {
        let told = self.closable(caller, id).await.map_err(|error| AnswerError::Refused(error.into()))?;
        if told.stored.closed.is_some() {
            return Err(AnswerError::Refused(CloseError::Write(WriteError::Unmet(Unmet::Closed))));
        }
        let mut as_recorded = entered.clone();
        self.check_names(&mut as_recorded).await?;
        let wanted = Determination {
            id: id.clone(),
            entered: as_recorded,
            entered_by: caller.name.clone(),
            recorded_at: self.clock.now(),
            withdrawn_at: None,
        };
        self.must_answer(&told, &wanted).map_err(AnswerError::Refused)?;
        let determined = self.determine(caller, entered, Some(idempotency)).await?;
        self.close_referral(caller, id, &determined.id, None).await.map_err(AnswerError::NotClosed)
    }

    fn must_answer(&self, told: &Told, answer: &Determination) -> Result<(), CloseError> {
        let mut found = told.mismatches(answer, self.clock.now());
        if !self.decided_rightly(told, answer) {
            found.push(("/determination", "was decided by the person whom the referral concerns"));
        }
        if found.is_empty() { Ok(()) } else { Err(CloseError::NotAnAnswer(found)) }
    }

    fn decided_rightly(&self, told: &Told, answer: &Determination) -> bool {
        let DecidedBy::Person { person, post } = &answer.entered.decided_by else { return true };
        let case = Case { kind: answer.entered.kind, profile: &self.profile, own: told.concerns(person) };
        !case.own || self.policies.load().deciders.post_may(*post, case)
    }

    /// What a caller may not see is told as what is not there.
    async fn referral(&self, caller: &Caller, errand: Errand, id: &Id) -> Result<Told, HistoryError> {
        let stored = self.store.referral(id).await?.ok_or(HistoryError::NotFound)?;
        let index = stored.entry.position.index;
        let Some(told) = self.told(stored) else {
            let any = self.allows(caller, Errand::ReadReferrals, Circumstances::default());
            return Err(if any { self.not_kept(index).await } else { HistoryError::NotFound });
        };
        let addressed = self.holds(caller, &told.referral.to).await?;
        let about_self = caller.person.as_ref().is_some_and(|person| told.concerns(person));
        let nobody_known = Self::nobody_known(caller, &self.store.current().await?.register);
        let circumstances = Circumstances { addressed, about_self, nobody_known, ..Circumstances::default() };
        if self.allows(caller, errand, circumstances) {
            Ok(told)
        } else if self.allows(caller, Errand::ReadReferrals, circumstances) {
            Err(HistoryError::NotAllowed)
        } else {
            Err(HistoryError::NotFound)
        }
    }

    /// Whether the person the caller speaks for holds one of the posts.
    /// To which roles referrals are put that the caller's person answers for: their current posts.
    pub async fn answers_for(&self, caller: &Caller) -> Result<Vec<ReferralRole>, Unreadable> {
        let mut held = Vec::new();
        for role in ReferralRole::ALL {
            if self.holds(caller, &[*role]).await? {
                held.push(*role);
            }
        }
        Ok(held)
    }

    /// Whether the caller may list them all, whoever they are put to.
    pub fn lists_every_referral(&self, caller: &Caller) -> bool {
        self.allows(caller, Errand::ReadReferrals, Circumstances::default())
    }

    async fn holds(&self, caller: &Caller, roles: &[ReferralRole]) -> Result<bool, Unreadable> {
        let snapshot = self.store.current().await?;
        let today = self.today();
        let person = caller.person.as_ref().and_then(|id| snapshot.register.person(id));
        let current = person.filter(|person| person.term.is_none_or(|term| term.covers(today)));
        let posts = current.iter().flat_map(|person| &person.posts);
        Ok(posts.into_iter().any(|post| roles.iter().any(|role| role.word() == post.word())))
    }

    fn today(&self) -> jiff::civil::Date {
        london_day(self.clock.now())
    }

    /// `None` where the answer that raised it has been erased.
    fn told(&self, stored: StoredReferral) -> Option<Told> {
        let decision = read_back(&stored.entry).ok()?;
        let referral = decision.verdict.referrals().find(|referral| referral.id.as_ref() == Some(&stored.id))?.clone();
        let status = Status::of(stored.due, stored.closed.as_ref(), self.today());
        let recipient = stored.entry.group("request").and_then(|request| request.get("recipient"));
        let recipient = recipient.and_then(|party| serde_json::from_value::<Party>(party.clone()).ok());
        let recipient = recipient.and_then(|party| party.person().cloned());
        Some(Told { stored, decision, referral, status, recipient })
    }
}

impl Told {
    /// Whether it is about what this person may see or would be given.
    fn concerns(&self, person: &Id) -> bool {
        let asking = self.decision.principal.person();
        asking.into_iter().chain(&self.recipient).any(|concerned| concerned == person)
    }

    /// What of a determination does not fit the question.
    fn mismatches(&self, answer: &Determination, now: jiff::Timestamp) -> Vec<Mismatch> {
        let id_at = |pointer: &str| {
            let value = self.stored.entry.group("request")?.pointer(pointer)?.clone();
            serde_json::from_value::<Id>(value).ok()
        };
        let (recipient, version) = (id_at("/recipient/id"), id_at("/document/version"));
        let parts: Vec<&Id> = self.withheld().collect();
        let asked = Question {
            raised_at: self.decision.decided_at,
            document: &self.decision.document,
            version: version.as_ref(),
            parts: &parts,
            person: self.about(),
            action: self.decision.action,
            recipient: recipient.as_ref(),
            kind: self.referral.question,
            to: &self.referral.to,
        };
        mismatches(&asked, answer, now)
    }

    /// What is withheld, by its class and paragraphs of Schedule 12A.
    pub fn kinds(&self, document: &Document) -> Vec<String> {
        let withheld: Vec<&Id> = self.withheld().collect();
        let parts = document.whole_parts();
        let kind = |part: &Part| {
            let class = part.facts.classification.or(&document.facts.classification).known()?;
            let paragraphs: Vec<String> = class.exempt.iter().map(|exempt| exempt.paragraph.to_string()).collect();
            let of =
                if paragraphs.is_empty() { String::new() } else { format!(", paragraph {}", paragraphs.join(", ")) };
            Some(format!("{}: {}{of}", part.id, class.access.word()))
        };
        parts.iter().filter(|part| withheld.contains(&&part.id)).filter_map(kind).collect()
    }

    fn withheld(&self) -> impl Iterator<Item = &Id> {
        let parts = self.decision.verdict.parts.iter();
        parts.filter(|part| part.outcome == PartOutcome::Withhold).map(|part| &part.id)
    }

    /// About whom it is to be decided, where that is a person of the register.
    fn about(&self) -> Option<&Id> {
        if self.decision.action == Action::Relay { self.recipient.as_ref() } else { self.decision.principal.person() }
    }

    /// As it leaves the service: what the person deciding needs (law.md §5), and the determination to fill in.
    pub fn to_json(&self) -> Value {
        let withheld: Vec<&Id> = self.withheld().collect();
        let request = self.stored.entry.group("request");
        let asked = |member: &str| request.and_then(|request| request.get(member)).cloned();
        let referral = &self.referral;
        json!({
            "id": self.stored.id, "status": self.status.word(), "opened_at": self.decision.decided_at,
            "due": self.stored.due, "to": referral.to, "question": referral.question, "rule": referral.rule,
            "text": referral.text, "would_help": referral.would_help,
            "decision": self.decision.id, "principal": self.decision.principal, "action": self.decision.action,
            "document": self.decision.document, "withheld": withheld,
            "purpose": asked("purpose"), "channel": asked("channel"), "recipient": asked("recipient"),
            "closed": self.stored.closed.as_ref().map(|closed| {
                json!({"at": closed.at, "determination": closed.determination})
            }),
            "answer_with": self.answer_with(&withheld),
        })
    }

    /// The members of the determination that would answer it, for whoever decides to complete.
    fn answer_with(&self, withheld: &[&Id]) -> Option<Value> {
        let question = self.referral.question?;
        let parts = (!withheld.is_empty()).then_some(withheld);
        Some(json!({
            "kind": question, "person": self.about(), "document": self.decision.document, "parts": parts,
        }))
    }
}
