//! Runs the passes of one part.

use std::{collections::BTreeSet, sync::Arc};

use cedar_policy::{AuthorizationError, Authorizer, Context, PolicySet, Request};

use super::{
    EvaluationError,
    cedar::{
        self, World,
        question::{OthersMayRead, StandingFacts, question},
    },
    combine::{Applicable, Standing, StatutoryLayer, combine},
};
use crate::{
    domain::{
        id::Id,
        words::{Action, Finding, PersonKind, TestResult},
    },
    pap::{
        Bundle, RuleBook,
        book::{Rule, Slice},
        clause::{Clause, clause_id},
    },
    pip::facts::{BusinessFacts, Case, PartFacts},
};

/// Everything a part is evaluated with.
pub struct Engine<'a> {
    pub bundle: &'a Bundle,
    pub book: &'a RuleBook,
    pub slice: &'a Slice,
    pub case: &'a Case,
    pub statutory: StatutoryLayer,
}

/// What became of one part.
pub struct PartRun<'a> {
    pub facts: &'a PartFacts,
    pub findings: Vec<Arc<Rule>>,
    pub applicable: Applicable,
    pub standing: Standing,
    pub tried: Vec<Tried>,
    pub consequences: Vec<Consequence>,
}

/// A right or ground that was tried.
pub struct Tried {
    pub rule: Arc<Rule>,
    pub result: TestResult,
    /// Positions of the conditions that failed.
    pub failed: Vec<usize>,
    /// The body of the business under which it came nearest.
    pub body: Option<Id>,
}

/// An obligation, a piece of information, a referral or the words of a refusal, under the business it arose in.
pub struct Consequence {
    pub rule: Arc<Rule>,
    pub body: Option<Id>,
}

impl<'a> Engine<'a> {
    pub fn part(&self, part: &'a PartFacts) -> Result<PartRun<'a>, EvaluationError> {
        let world = cedar::world(self.case, part, &self.bundle.schema)?;
        let others = self.others(&part.part.id)?;
        let (found, findings) = self.findings(part, &world)?;
        let mut applicable = Applicable::default();
        let mut tried = Vec::new();
        for business in &part.business {
            let asked = question(self.case, part, business.as_ref(), &found, &others, None)?;
            let unknown: BTreeSet<String> = world.unknown.union(&asked.unknown).cloned().collect();
            let request = self.request(asked.context)?;
            self.apply(&request, &world, &mut applicable)?;
            self.try_conditions(business.as_ref(), &request, &world, &unknown, &mut tried);
        }
        let standing = combine(&applicable, self.statutory);
        mark_barred(&mut tried, &applicable, &standing);
        let consequences = self.consequences(part, &world, &found, &others, &applicable, &standing)?;
        Ok(PartRun { facts: part, findings, applicable, standing, tried, consequences })
    }

    /// Whether the others concerned would be given the part themselves: their own reading, by the same rules.
    pub(super) fn others(&self, part: &Id) -> Result<OthersMayRead, EvaluationError> {
        let may = |case: &Case| -> Result<bool, EvaluationError> {
            let slice = self.book.slice(Action::Read).ok_or(EvaluationError::NoRules)?;
            let engine = Engine { case, slice, ..*self };
            let part = case.parts.iter().find(|facts| facts.part.id == *part);
            part.map_or(Ok(false), |facts| engine.discloses(facts))
        };
        let one = |case: &Option<Box<Case>>| case.as_deref().map_or(Ok(false), may);
        let others = &self.case.others;
        Ok(OthersMayRead {
            named: one(&others.named)?,
            any_member: one(&others.any_member)?,
            recipient: one(&others.recipient)?,
            attendees: others.attendees.iter().map(may).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the rules disclose the part, with nothing told about why.
    pub(super) fn discloses(&self, part: &PartFacts) -> Result<bool, EvaluationError> {
        let world = cedar::world(self.case, part, &self.bundle.schema)?;
        let others = self.others(&part.part.id)?;
        let (found, _) = self.findings(part, &world)?;
        let mut applicable = Applicable::default();
        for business in &part.business {
            let asked = question(self.case, part, business.as_ref(), &found, &others, None)?;
            self.apply(&self.request(asked.context)?, &world, &mut applicable)?;
        }
        Ok(combine(&applicable, self.statutory).disclosed())
    }

    /// Adds the rules that apply under one piece of business.
    fn apply(&self, request: &Request, world: &World, applicable: &mut Applicable) -> Result<(), EvaluationError> {
        for set in [&self.slice.permits, &self.slice.forbids] {
            self.applying(set, request, world)?.iter().for_each(|rule| applicable.add(rule));
        }
        Ok(())
    }

    pub(super) fn request(&self, context: Context) -> Result<Request, EvaluationError> {
        Request::new(
            cedar::principal_uid()?,
            cedar::action_uid(self.case.request.action)?,
            cedar::part_uid()?,
            context,
            Some(&self.bundle.schema),
        )
        .map_err(|_| EvaluationError::Facts("the request"))
    }

    /// The rules of a set that apply. Each set holds permits alone or forbids alone, so all of them are reported.
    fn applying(&self, set: &PolicySet, request: &Request, world: &World) -> Result<Vec<Arc<Rule>>, EvaluationError> {
        let response = Authorizer::new().is_authorized(request, set, &world.entities);
        let errors: Vec<String> = response.diagnostics().errors().map(failed_policy).collect();
        if !errors.is_empty() {
            return Err(EvaluationError::Policies(errors));
        }
        let mut rules: Vec<Arc<Rule>> =
            response.diagnostics().reason().filter_map(|id| self.book.rule(id.as_ref())).cloned().collect();
        rules.sort_by(|a, b| (a.annotations.layer, a.id()).cmp(&(b.annotations.layer, b.id())));
        Ok(rules)
    }

    /// What Schedule 12A makes of the part: the same under every piece of business.
    pub(super) fn findings(
        &self,
        part: &PartFacts,
        world: &World,
    ) -> Result<(BTreeSet<Finding>, Vec<Arc<Rule>>), EvaluationError> {
        let business = part.business.first().and_then(Option::as_ref);
        let asked = question(self.case, part, business, &BTreeSet::new(), &OthersMayRead::default(), None)?;
        let rules = self.applying(&self.slice.findings, &self.request(asked.context)?, world)?;
        Ok((rules.iter().filter_map(|rule| rule.annotations.finding).collect(), rules))
    }

    /// Tries every condition of every right and ground by itself, keeping for each rule the business it came
    /// nearest under.
    fn try_conditions(
        &self,
        business: Option<&BusinessFacts>,
        request: &Request,
        world: &World,
        unknown: &BTreeSet<String>,
        tried: &mut Vec<Tried>,
    ) {
        let response = Authorizer::new().is_authorized(request, &self.slice.clauses, &world.entities);
        let holds: BTreeSet<&str> = response.diagnostics().reason().map(AsRef::as_ref).collect();
        let errors: BTreeSet<String> = response.diagnostics().errors().map(failed_policy).collect();
        for rule in &self.slice.giving {
            let ids: Vec<String> = (0..rule.clauses.len()).map(|at| clause_id(rule.id(), at)).collect();
            let failed: Vec<usize> = (0..ids.len())
                .filter(|at| ids.get(*at).is_some_and(|id| !holds.contains(id.as_str()) && !errors.contains(id)))
                .collect();
            let result = self.result(rule, &failed, business, unknown);
            let body = business.and_then(|business| business.body.clone());
            keep_nearest(tried, Tried { rule: Arc::clone(rule), result, failed, body });
        }
    }

    fn result(
        &self,
        rule: &Rule,
        failed: &[usize],
        business: Option<&BusinessFacts>,
        unknown: &BTreeSet<String>,
    ) -> TestResult {
        let clauses = || failed.iter().filter_map(|at| rule.clauses.get(*at));
        if failed.is_empty() {
            TestResult::Met
        } else if (business.is_some() && clauses().any(Clause::is_about_regime))
            || (!self.near_office() && clauses().any(Clause::is_about_kind))
        {
            TestResult::NotApplicable
        } else if clauses().any(|clause| clause.tests.iter().any(|path| unknown.contains(path))) {
            TestResult::Unknown
        } else {
            TestResult::NotMet
        }
    }

    /// Whether it helps the asker to be told that office is missing: officers and the public seek no office here.
    fn near_office(&self) -> bool {
        use PersonKind as K;
        matches!(
            self.case.principal.kind,
            K::Councillor
                | K::ElectedMayor
                | K::CoOptedMember
                | K::PoliticalAssistant
                | K::MayorsAssistant
                | K::NotInOffice
                | K::FormerCouncillor
        )
    }

    /// What follows from the outcome.
    fn consequences(
        &self,
        part: &PartFacts,
        world: &World,
        found: &BTreeSet<Finding>,
        others: &OthersMayRead,
        applicable: &Applicable,
        standing: &Standing,
    ) -> Result<Vec<Consequence>, EvaluationError> {
        let result = StandingFacts {
            standing: standing.clone(),
            barred: !standing.disclosed() && !applicable.bars.is_empty(),
            suspended: !standing.disclosed() && !applicable.suspensions.is_empty(),
        };
        let mut consequences: Vec<Consequence> = Vec::new();
        for business in &part.business {
            let asked = question(self.case, part, business.as_ref(), found, others, Some(&result))?;
            let request = self.request(asked.context)?;
            for rule in self.applying(&self.slice.consequences, &request, world)? {
                if !consequences.iter().any(|known| known.rule.id() == rule.id()) {
                    let body = business.as_ref().and_then(|business| business.body.clone());
                    consequences.push(Consequence { rule, body });
                }
            }
        }
        Ok(consequences)
    }
}

/// The id of a policy that could not be evaluated: never the message, which may hold facts.
pub(super) fn failed_policy(error: &AuthorizationError) -> String {
    match error {
        AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
    }
}

/// A rule is told once for a part: as it fared where it came nearest.
fn keep_nearest(tried: &mut Vec<Tried>, next: Tried) {
    let distance = |t: &Tried| (matches!(t.result, TestResult::NotApplicable), t.failed.len());
    match tried.iter_mut().find(|known| known.rule.id() == next.rule.id()) {
        Some(known) if distance(&next) < distance(known) => *known = next,
        Some(_) => {}
        None => tried.push(next),
    }
}

/// A ground that was met and stopped is told as barred.
fn mark_barred(tried: &mut [Tried], applicable: &Applicable, standing: &Standing) {
    let gives = |rule: &Rule| standing.deciding.iter().any(|deciding| deciding.id() == rule.id());
    let stopped = !applicable.prohibitions.is_empty() || applicable.stops().next().is_some();
    for one in tried.iter_mut().filter(|one| one.result == TestResult::Met) {
        if stopped && !gives(&one.rule) {
            one.result = TestResult::Barred;
        }
    }
}
