//! Makes a decision again: the same facts, under the policies it was made under or under others.
//!
//! Under its own policies the answer must come out the same; where it does not, the record or the service is at fault,
//! and that is said as an error. It makes no new decision: nothing is held, referred, closed or signed.
//!
//! Worked example: the Monitoring Officer has Cllr B. One's refusal of March replayed under the policies now in force,
//! and reads that Appendix B would be given today, and by which rule.
//!
//! The invariant: facts stay as they were gathered then. Where gathering itself turns on the profile (bodies it names,
//! whose determination outranks whose), a replay under another profile keeps what its own profile made of them.
//!
//! Where next: [`super::impact`].

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    App, Caller,
    again::{Engine, Judged, Made, NoPolicies, judge},
    decide::rules_of,
    differences::{Difference, differences},
    history::HistoryError,
};
use crate::{
    domain::{decision::PartVerdict, words::Outcome},
    pap::{
        Bundle, RuleBook,
        callers::{Circumstances, Errand},
    },
    pdp::StatutoryLayer,
};

/// As many characters as a problem may tell.
const LONGEST_DETAIL: usize = 5000;

/// What to replay under. Left out: as it was made.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Under {
    pub policy_bundle: Option<String>,
    pub profile: Option<String>,
}

/// A decision beside itself, made again.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed {
    pub decision: String,
    pub same: bool,
    pub then: Side,
    pub now: Side,
    pub differences: Vec<Difference>,
}

/// One of the two answers, and what it was made by.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    pub policy_bundle: String,
    pub profile: String,
    /// Left out where it was not yet recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statutory_layer: Option<StatutoryLayer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schemas: Option<String>,
    pub outcome: Outcome,
    pub held: bool,
    pub parts: Vec<PartVerdict>,
    /// Every rule that decided or referred.
    pub rules: Vec<String>,
}

/// Why there is nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Read(#[from] HistoryError),
    #[error("the log has met no such policies")]
    NoBundle,
    #[error("this version cannot load those policies")]
    Unloadable,
    #[error("those policies have no such profile")]
    NoProfile,
    /// The same facts under the same policies came out otherwise.
    #[error("made again from its own record, the decision comes out otherwise")]
    NotRepeatable(Box<Replayed>),
}

impl App {
    pub async fn replay(&self, caller: &Caller, id: &str, under: Under) -> Result<Replayed, ReplayError> {
        if !self.allows(caller, Errand::ReplayDecision, Circumstances::default()) {
            return Err(HistoryError::NotAllowed.into());
        }
        let entry = self.store.entry(id).await.map_err(HistoryError::from)?;
        let entry = entry.filter(|entry| entry.kind.is_answer()).ok_or(HistoryError::NotFound)?;
        let what = json!({"replay": id, "policy_bundle": under.policy_bundle, "profile": under.profile});
        self.log_read(caller, what).await?;
        let made = self.made(&entry).await?;
        let bundle = match &under.policy_bundle {
            Some(other) if *other != made.decision.policy_bundle => self.met(other).await.map_err(another)?,
            _ => self.met(&made.decision.policy_bundle).await.map_err(HistoryError::from)?,
        };
        let profile = under.profile.as_ref().unwrap_or(&made.decision.profile);
        let book = bundle.book(profile).ok_or(ReplayError::NoProfile)?;
        let replayed = Replayed::of(&made, &bundle, book, self.statutory);
        if replayed.is_fault() {
            replayed.report();
            return Err(ReplayError::NotRepeatable(Box::new(replayed)));
        }
        Ok(replayed)
    }
}

/// Policies that the caller named, not the decision.
fn another(error: NoPolicies) -> ReplayError {
    match error {
        NoPolicies::NotMet(_) => ReplayError::NoBundle,
        NoPolicies::Altered(_) | NoPolicies::Unloadable(..) => ReplayError::Unloadable,
        NoPolicies::Unreadable(error) => HistoryError::from(error).into(),
    }
}

impl Replayed {
    pub fn of(made: &Made, bundle: &Bundle, book: &RuleBook, configured: StatutoryLayer) -> Self {
        let statutory = made.statutory(configured);
        let (then, now) = (made.answer(), judge(bundle, book, statutory, &made.case));
        let told = differences(&then, &now);
        Self {
            decision: made.decision.id.clone(),
            same: told.is_empty() && then == now,
            then: Side {
                policy_bundle: made.decision.policy_bundle.clone(),
                profile: made.decision.profile.clone(),
                statutory_layer: made.basis.as_ref().map(|basis| basis.statutory_layer),
                engine: made.basis.as_ref().map(|basis| basis.engine.clone()),
                schemas: made.basis.as_ref().and_then(|basis| basis.schemas.clone()),
                ..Side::of(then)
            },
            now: Side {
                policy_bundle: bundle.hash.clone(),
                profile: book.profile.id.clone(),
                statutory_layer: Some(statutory),
                engine: Some(Engine::running()),
                ..Side::of(now)
            },
            differences: told,
        }
    }

    /// Another answer though nothing is different that may make one.
    pub fn is_fault(&self) -> bool {
        let (then, now) = (&self.then, &self.now);
        !self.same && then.policy_bundle == now.policy_bundle && then.profile == now.profile
    }

    /// The fault in words for a reader of the log.
    pub fn fault(&self) -> String {
        let told: Vec<String> = self.differences.iter().map(ToString::to_string).collect();
        let detail = format!("Made by {}, made again by {}. {}.", self.made_by(), Engine::running(), told.join(". "));
        detail.chars().take(LONGEST_DETAIL).collect()
    }

    fn made_by(&self) -> String {
        self.then.engine.as_ref().map_or_else(|| "a version not recorded".to_owned(), ToString::to_string)
    }

    /// Says that it is a fault, by ids and members alone.
    fn report(&self) {
        let members: Vec<String> =
            self.differences.iter().map(|difference| format!("{:?}", difference.about)).collect();
        tracing::error!(
            decision = self.decision, bundle = self.then.policy_bundle, made_by = self.made_by(),
            made_again_by = %Engine::running(), members = members.join(", "),
            "a decision made again from its own record comes out otherwise"
        );
    }
}

impl Side {
    fn of(judged: Judged) -> Self {
        Self {
            policy_bundle: String::new(),
            profile: String::new(),
            statutory_layer: None,
            engine: None,
            schemas: None,
            outcome: judged.outcome,
            held: judged.held,
            rules: rules_of(&judged.verdict),
            parts: judged.verdict.parts,
        }
    }
}
