//! An officer's enquiry: the same question, asked to know the answer and not to open the paper.
//!
//! It is decided as any question is, and recorded as an enquiry: nobody was given anything, so it counts as no access and
//! puts nothing on the referral desk. What it says of who would decide, and by when, is what a request made now would get.

use super::{
    App, Caller, Idempotency,
    decide::{DecideError, Purpose},
    told::{Telling, name_of},
};
use crate::{
    domain::{decision::Decision, question::Request, words::Outcome},
    pap::callers::Errand,
};

/// An answer and how it reads.
#[derive(Clone, Debug)]
pub struct Enquired {
    pub decision: Decision,
    pub told: Telling,
}

impl App {
    /// Answers an enquiry. When this returns, it is on record.
    pub async fn enquire(
        &self,
        caller: &Caller,
        request: Request,
        idempotency: Option<Idempotency>,
    ) -> Result<Enquired, DecideError> {
        self.may_ask(caller, &request, Errand::Enquire)?;
        let stated = request.purpose.capacity.is_some() && request.purpose.ground.is_some();
        let decision = self.settle(caller, request, idempotency, Purpose::ToKnow).await?;
        let name = name_of(&decision, &self.store.snapshot().register);
        let mut told = Telling::of(&decision, Some(&name));
        if !stated && decision.outcome != Outcome::Allow && decision.principal.person().is_some() {
            told.missing
                .insert(0, "perhaps the capacity and the purpose: ask again with what the person states".to_owned());
        }
        Ok(Enquired { told, decision })
    }
}
