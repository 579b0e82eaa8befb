//! The reverse question: of one document, who may have it, who gets it in part, and who not.
//!
//! Everyone in the register is asked for by the same rules as any question, all at one version of facts and policies. A
//! right of statute asks for no purpose; a protocol's ground often does. So unless the enquiry states a purpose, each
//! person is tried with none stated, then as stating each ground of their office ([`GROUNDS`]), and the answer that gives
//! most is listed with the ground it needs: "on stating committee business". What is listed is no access: whoever is given
//! the paper is decided on then.
//!
//! It is one entry of the log and no decision about anybody. It evaluates the whole rule book for everyone, so one is made
//! at a time.
//!
//! Worked example: of a Part II report to the Licensing Committee, its eleven members may read it on stating committee
//! business, the Monitoring Officer in duty, and nobody else; the list goes to the printer with the report.
//!
//! The invariant: nobody is listed with more than a decision made at the same version would give.

use std::{cmp::Reverse, sync::Arc};

use serde::Serialize;
use serde_json::json;

use super::{
    App, Caller,
    again::judge,
    decide::{DecideError, unrecorded_act},
    new_id,
    policies::Rules,
    traced,
};
use crate::{
    audit::{AppendError, EntryKind, NewEntry},
    domain::{
        decision::{LogPosition, PartVerdict},
        determination::Determination,
        document::Document,
        id::Id,
        question::{Behalf, Party, PartyType, PersonWord, Purpose, Request},
        words::{Action, Capacity, Ground, OnBehalfOf, Outcome, PartOutcome, PersonKind},
    },
    pap::callers::{Circumstances, Errand},
    pip::{Snapshot, gather},
};

/// What somebody may state by reason of an office. Another need is for a person to judge.
const GROUNDS: [Ground; 4] = [Ground::CommitteeBusiness, Ground::Scrutiny, Ground::Portfolio, Ground::Ward];
/// How often it is made again because facts or policies changed meanwhile.
const ATTEMPTS: usize = 3;

/// For whom a document is listed.
#[derive(Clone, Debug, serde::Deserialize)]
pub struct Asked {
    pub document: Id,
    pub action: Action,
    #[serde(default)]
    pub purpose: Option<Purpose>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Audience {
    pub id: String,
    pub document: Id,
    pub action: Action,
    /// Stated for everyone; `null`: each by their office.
    pub purpose: Option<Purpose>,
    /// Those given most first.
    pub people: Vec<Listed>,
    pub profile: String,
    pub policy_bundle: String,
    pub facts_version: u64,
    pub decided_at: jiff::Timestamp,
    pub log: Option<LogPosition>,
}

/// What one person would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    pub person: Id,
    pub name: String,
    pub kind: PersonKind,
    pub outcome: Outcome,
    /// Whether what is withheld would wait for a person.
    pub held: bool,
    /// The ground that has to be stated for it; `null`: none.
    pub on_stating: Option<Ground>,
    pub withheld: Vec<Id>,
    /// Rules that decided.
    pub rules: Vec<String>,
    /// What they say.
    pub why: Vec<String>,
}

impl App {
    pub async fn audience(&self, caller: &Caller, asked: &Asked) -> Result<Audience, DecideError> {
        if !self.allows(caller, Errand::ListAudience, Circumstances::default()) {
            return Err(DecideError::NotAllowed);
        }
        let _one = self.audiences.lock().await;
        for _ in 0..ATTEMPTS {
            let audience = self.listed(asked).await?;
            match self.store.append(self.recorded(caller, &audience)).await {
                Ok(position) => return Ok(Audience { log: Some(position), ..audience }),
                Err(AppendError::Stale) => {}
                Err(error) => return Err(unrecorded_act(error)),
            }
        }
        Err(DecideError::Unsettled)
    }

    async fn listed(&self, asked: &Asked) -> Result<Audience, DecideError> {
        let snapshot = self.store.snapshot();
        let rules = self.rules_with(&snapshot).await?;
        let document = self.store.document(&asked.document).await?.ok_or(DecideError::NoDocument)?;
        let determinations = self.store.determinations_about(&asked.document).await?;
        let now = self.clock.now();
        let trial = Trial { rules: rules.clone(), snapshot, document, determinations, now, statutory: self.statutory };
        let (version, wanted) = (trial.snapshot.facts_version, asked.clone());
        // The rule book is evaluated some hundred times: not on a thread that others wait for.
        let people = tokio::task::spawn_blocking(move || trial.everyone(&wanted)).await;
        let people = people.map_err(|error| DecideError::Unrecorded(error.into()))??;
        Ok(Audience {
            id: new_id(),
            document: asked.document.clone(),
            action: asked.action,
            purpose: asked.purpose.clone(),
            people,
            profile: self.profile.clone(),
            policy_bundle: rules.bundle.hash.clone(),
            facts_version: version,
            decided_at: now,
            log: None,
        })
    }

    fn recorded(&self, caller: &Caller, audience: &Audience) -> NewEntry {
        let listed =
            |listed: &Listed| json!({"person": listed.person, "outcome": listed.outcome, "withheld": listed.withheld});
        let told = json!({
            "document": audience.document, "action": audience.action, "purpose": audience.purpose,
            "people": audience.people.iter().map(listed).collect::<Vec<_>>(),
        });
        let payload = [("caller", json!(caller.name)), ("audience", told), ("basis", json!(self.basis()))];
        NewEntry {
            id: audience.id.clone(),
            at: audience.decided_at,
            policy_bundle: audience.policy_bundle.clone(),
            facts_version: Some(audience.facts_version),
            payload: payload.into_iter().chain(traced()).collect(),
            ..self.act(EntryKind::Audience, caller, serde_json::Value::Null)
        }
    }
}

/// All that everyone's answer turns on but themselves.
struct Trial {
    rules: Rules,
    snapshot: Arc<Snapshot>,
    document: Document,
    determinations: Vec<Determination>,
    now: jiff::Timestamp,
    statutory: crate::pdp::StatutoryLayer,
}

impl Trial {
    fn everyone(&self, asked: &Asked) -> Result<Vec<Listed>, DecideError> {
        let people = self.snapshot.register.register.iter().flat_map(|register| &register.people);
        let mut listed = people
            .map(|person| {
                let mut best: Option<Listed> = None;
                for purpose in purposes(asked, person.kind) {
                    let tried = self.answer(&person.id, &person.name, person.kind, asked.action, purpose)?;
                    if best.as_ref().is_none_or(|best| tried.is_more_than(best)) {
                        best = Some(tried);
                    }
                    if best.as_ref().is_some_and(|best| best.outcome == Outcome::Allow) {
                        break;
                    }
                }
                Ok(best)
            })
            .filter_map(Result::transpose)
            .collect::<Result<Vec<_>, DecideError>>()?;
        listed.sort_by_key(|listed| (listed.outcome, Reverse(listed.rules.len()), listed.name.clone()));
        Ok(listed)
    }

    fn answer(
        &self,
        person: &Id,
        name: &str,
        kind: PersonKind,
        action: Action,
        purpose: Purpose,
    ) -> Result<Listed, DecideError> {
        let on_stating = purpose.ground;
        let party = Party { kind: PartyType::Person(PersonWord::Person), id: Some(person.clone()), undertaking: None };
        let request = Request { action, purpose, ..Request::reading(party, self.document.clone()) };
        let sources = gather::Sources {
            snapshot: &self.snapshot,
            calendar: &self.rules.bundle.calendar,
            profile: &self.rules.book.profile,
            deciders: &self.rules.bundle.deciders,
            determinations: &self.determinations,
            provided: None,
            now: self.now,
        };
        let case = gather::gather(request, &self.document, &sources)
            .map_err(|gather::GatherError::NoPart(part)| DecideError::NoPart(part))?;
        let judged = judge(&self.rules.bundle, &self.rules.book, self.statutory, &case);
        let verdict = judged.verdict;
        let withheld = |part: &&PartVerdict| part.outcome == PartOutcome::Withhold;
        Ok(Listed {
            person: person.clone(),
            name: name.to_owned(),
            kind,
            outcome: judged.outcome,
            held: judged.held,
            on_stating,
            withheld: verdict.parts.iter().filter(withheld).map(|part| part.id.clone()).collect(),
            rules: super::decide::rules_of(&verdict),
            why: {
                let mut why: Vec<String> = verdict.reasons.iter().map(|reason| reason.text.clone()).collect();
                why.dedup();
                why
            },
        })
    }
}

impl Listed {
    /// Whether it gives more; of two that give the same, the one that asks for less stands.
    fn is_more_than(&self, other: &Self) -> bool {
        (self.outcome, self.withheld.len()) < (other.outcome, other.withheld.len())
    }
}

/// What may be stated for somebody: what the enquiry states for everyone, else nothing, then what their office gives.
fn purposes(asked: &Asked, kind: PersonKind) -> Vec<Purpose> {
    if let Some(purpose) = &asked.purpose {
        return vec![purpose.clone()];
    }
    let capacity = match kind {
        PersonKind::Councillor | PersonKind::ElectedMayor | PersonKind::CoOptedMember => Capacity::Councillor,
        PersonKind::Officer => Capacity::OfficerDuty,
        _ => return vec![for_themselves()],
    };
    let unstated = Purpose { capacity: Some(capacity), ..for_themselves() };
    let of_office = GROUNDS.iter().filter(|_| capacity == Capacity::Councillor);
    let stating = of_office.map(|ground| Purpose { ground: Some(*ground), ..unstated.clone() });
    std::iter::once(unstated.clone()).chain(stating).collect()
}

/// A list is of those who would have the paper for themselves.
fn for_themselves() -> Purpose {
    Purpose { on_behalf_of: Some(Behalf { kind: OnBehalfOf::None, id: None }), ..Purpose::default() }
}
