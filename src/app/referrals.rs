//! The referral desk: what decisions have left to people, and the determinations that answer it.
//!
//! A referral is opened by the decision that raised it and recorded with it. It is closed by a determination that
//! answers the question put, about the same paper and person, by somebody it was put to; the next decision on the same
//! facts then uses that determination. Nothing is closed by itself.
//!
//! Whoever has a post sees what is put to that post; the Monitoring Officer sees all (`policies/callers`). Each
//! reading is logged.

use serde_json::{Value, json};

use super::{App, Caller, decide::read_back, facts::WriteError, history::HistoryError};
use crate::{
    audit::{AppendError, EntryKind, ReferralFilter, StoredReferral, Unmet, Write},
    domain::{
        calendar::london_day,
        decision::{Decision, Referral},
        id::Id,
        referral::{Mismatch, Raised, Status, mismatches},
        words::ReferralRole,
    },
    pap::callers::{Circumstances, Errand},
    pip::{Change, Page, PageRequest},
};

#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    #[error(transparent)]
    Read(#[from] HistoryError),
    #[error("the determination does not answer the referral")]
    NotAnAnswer(Vec<Mismatch>),
    #[error(transparent)]
    Write(WriteError),
}

/// A referral, with the answer that raised it.
pub struct Told {
    pub stored: StoredReferral,
    pub decision: Decision,
    pub referral: Referral,
    pub status: Status,
}

impl App {
    pub async fn list_referrals(
        &self,
        caller: &Caller,
        mut filter: ReferralFilter,
        status: Option<Status>,
        page: PageRequest,
    ) -> Result<Page<Told>, HistoryError> {
        let addressed = filter.to.is_some_and(|role| self.holds(caller, &[role]));
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

    /// Closes a referral with the determination that answers it.
    pub async fn close_referral(&self, caller: &Caller, id: &Id, determination: &Id) -> Result<Told, CloseError> {
        let told = self.referral(caller, Errand::CloseReferral, id).await?;
        let answer = self.store.determination(determination).await.map_err(HistoryError::from)?;
        let Some(answer) = answer else {
            return Err(CloseError::NotAnAnswer(vec![("/determination", "is not a determination on record")]));
        };
        let found = mismatches(&raised(&told), told.referral.question, &answer, self.clock.now());
        if !found.is_empty() {
            return Err(CloseError::NotAnAnswer(found));
        }
        let change = Change::CloseReferral { referral: id.clone(), determination: determination.clone() };
        let entry =
            self.act(EntryKind::ReferralClosed, caller, json!({"referral": id, "determination": determination}));
        self.store.write(Write { change, if_version: None }, entry).await.map_err(|error| {
            CloseError::Write(match error {
                AppendError::Precondition(unmet) => WriteError::Unmet(unmet),
                AppendError::Full => WriteError::Busy,
                other => WriteError::Unrecorded(other.into()),
            })
        })?;
        let closed = self.store.referral(id).await.map_err(HistoryError::from)?;
        let closed = closed.ok_or(CloseError::Write(WriteError::Unmet(Unmet::NotFound)))?;
        self.told(closed).ok_or(CloseError::Read(HistoryError::NotKept))
    }

    /// What a caller may not see is told as what is not there.
    async fn referral(&self, caller: &Caller, errand: Errand, id: &Id) -> Result<Told, HistoryError> {
        let stored = self.store.referral(id).await?.ok_or(HistoryError::NotFound)?;
        let told = self.told(stored).ok_or(HistoryError::NotKept)?;
        let addressed = self.holds(caller, &told.referral.to);
        if self.allows(caller, errand, Circumstances { addressed, ..Circumstances::default() }) {
            Ok(told)
        } else {
            Err(HistoryError::NotFound)
        }
    }

    /// Whether the person the caller speaks for holds one of the posts.
    fn holds(&self, caller: &Caller, roles: &[ReferralRole]) -> bool {
        let snapshot = self.store.snapshot();
        let today = self.today();
        let person = caller.person.as_ref().and_then(|id| snapshot.register.person(id));
        let current = person.filter(|person| person.term.is_none_or(|term| term.covers(today)));
        current
            .is_some_and(|person| person.posts.iter().any(|post| roles.iter().any(|role| role.word() == post.word())))
    }

    fn today(&self) -> jiff::civil::Date {
        london_day(self.clock.now())
    }

    /// `None` where the answer that raised it has been erased.
    fn told(&self, stored: StoredReferral) -> Option<Told> {
        let decision = read_back(&stored.entry).ok()?;
        let referral = decision.verdict.referrals().find(|referral| referral.id.as_ref() == Some(&stored.id))?.clone();
        let status = Status::of(stored.due, stored.closed.as_ref(), self.today());
        Some(Told { stored, decision, referral, status })
    }
}

fn raised(told: &Told) -> Raised {
    let person = told.decision.principal.person().map_or_else(String::new, ToString::to_string);
    Raised {
        id: told.stored.id.clone(),
        document: told.decision.document.clone(),
        person,
        to: told.referral.to.clone(),
        due: told.stored.due,
    }
}

impl Told {
    /// As it leaves the service: what the person deciding needs (law.md §5), and the determination to fill in.
    pub fn to_json(&self) -> Value {
        let withheld: Vec<&Id> = self
            .decision
            .verdict
            .parts
            .iter()
            .filter(|part| part.outcome == crate::domain::words::PartOutcome::Withhold)
            .map(|part| &part.id)
            .collect();
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
        Some(json!({
            "kind": question, "person": self.decision.principal.person(), "document": self.decision.document,
            "parts": withheld,
        }))
    }
}
