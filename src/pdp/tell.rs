//! Tells a verdict: reasons, what was tried, duties, referrals, conflicts, in words that give nothing away.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    evaluate::{Consequence, Engine, PartRun, Tried},
    outcome,
};
use crate::{
    domain::{
        calendar::london_day,
        decision::{
            Conflict, Duty, DutyProperties, HumanReview, PartVerdict, Reason, Redaction, Referral, RuleAndCitation,
            Superseded, Tested, Verdict,
        },
        id::Id,
        words::{
            Access, Basis, Determination, Finding, InformationType, Layer, Outcome, PartOutcome, PersonKind, TestResult,
        },
    },
    pap::{annotations::Role, book::Rule, placeholders::filled},
    pip::facts::PartFacts,
};

pub fn verdict(engine: &Engine<'_>, runs: &[PartRun<'_>]) -> Verdict {
    let mut parts: Vec<PartVerdict> = runs.iter().map(part_verdict).collect();
    if outcome(&parts) == Outcome::Redact {
        for (part, run) in parts.iter_mut().zip(runs).filter(|(part, _)| part.outcome == PartOutcome::Withhold) {
            part.redaction = Some(redaction(run));
        }
    }
    Verdict {
        parts,
        reasons: reasons(engine, runs),
        tested: runs.iter().flat_map(|run| tested(engine, run)).collect(),
        referral: referral(engine, runs),
        obligations: duties(engine, runs, Role::Obligation, |rule| rule.annotations.obligation),
        information: information(engine, runs),
        conflicts: runs.iter().flat_map(conflicts).collect(),
        human_review: human_review(runs),
        superseded: superseded(runs),
    }
}

/// Determinations that contradict one another, each pair named once.
fn superseded(runs: &[PartRun<'_>]) -> Vec<Superseded> {
    let mut told: Vec<Superseded> = Vec::new();
    for pair in runs.iter().flat_map(|run| &run.facts.recorded.superseded) {
        if !told.contains(pair) {
            told.push(pair.clone());
        }
    }
    told
}

fn part_verdict(run: &PartRun<'_>) -> PartVerdict {
    let mut because: Vec<String> = Vec::new();
    for id in run.standing.deciding.iter().flat_map(|rule| rule.rule_ids()) {
        if !because.contains(id) {
            because.push(id.clone());
        }
    }
    let outcome = if run.standing.disclosed() { PartOutcome::Disclose } else { PartOutcome::Withhold };
    PartVerdict { id: run.facts.part.id.clone(), outcome, because, redaction: None }
}

fn redaction(run: &PartRun<'_>) -> Redaction {
    let own = run.standing.deciding.iter().find_map(|rule| rule.annotations.label.clone());
    let label = own.filter(|_| run.standing.cut).unwrap_or_else(|| label(run.facts));
    Redaction { locator: run.facts.part.locator.clone(), label }
}

/// The description that S-100B-3 has printed on the copy.
fn label(part: &PartFacts) -> String {
    let Some(class) = part.part.facts.classification.known() else { return "Withheld".to_owned() };
    match class.access {
        Access::Exempt if !class.exempt.is_empty() => {
            let paragraphs: BTreeSet<u8> = class.exempt.iter().map(|claim| claim.paragraph).collect();
            let listed: Vec<String> = paragraphs.iter().map(u8::to_string).collect();
            let word = if listed.len() == 1 { "para" } else { "paras" };
            format!("Withheld: LGA 1972 Sch 12A {word} {}", listed.join(", "))
        }
        Access::Confidential => "Withheld: confidential information, LGA 1972 s100A(3)".to_owned(),
        Access::Open | Access::Exempt | Access::Unsettled => "Withheld".to_owned(),
    }
}

/// Fills a text's placeholders: the body, the part, local titles of posts.
pub(super) fn words(engine: &Engine<'_>, text: &str, body: Option<&Id>, part: Option<&PartFacts>) -> String {
    filled(text, |name| placeholder(engine, name, body, part))
}

fn placeholder(engine: &Engine<'_>, name: &str, body: Option<&Id>, part: Option<&PartFacts>) -> String {
    match name {
        "body" => body
            .and_then(|id| engine.case.body_names.get(id))
            .cloned()
            .unwrap_or_else(|| "the body concerned".to_owned()),
        "part" => part.map_or_else(|| "the paper".to_owned(), |part| part.part.id.to_string()),
        "document" => engine.case.request.document.id.to_string(),
        post => engine.book.profile.title_of(post).map_or_else(|| post.replace('_', " "), str::to_owned),
    }
}

fn first_body(run: &PartRun<'_>) -> Option<Id> {
    run.facts.business.iter().flatten().find_map(|business| business.body.clone())
}

/// The body under which a rule came nearest.
fn body_of(run: &PartRun<'_>, rule: &Rule) -> Option<Id> {
    let tried = run.tried.iter().find(|tried| tried.rule.id() == rule.id()).and_then(|tried| tried.body.clone());
    tried.or_else(|| first_body(run))
}

fn reasons(engine: &Engine<'_>, runs: &[PartRun<'_>]) -> Vec<Reason> {
    let mut told: Vec<Reason> = Vec::new();
    for run in runs {
        // That a part is not exempt helps to open it; that it is exempt opens nothing.
        let opens = |rule: &&Arc<Rule>| rule.annotations.finding == Some(Finding::NotExempt);
        let findings = run.findings.iter().filter(opens).filter(|_| run.standing.disclosed());
        let referring = run.consequences.iter().map(|c| &c.rule).filter(|rule| rule.role() == Role::Refer);
        for rule in run.standing.deciding.iter().chain(findings).chain(referring) {
            let text = words(engine, &rule.reason, body_of(run, rule).as_ref(), Some(run.facts));
            for id in rule.rule_ids() {
                let reason = Reason {
                    rule: id.clone(),
                    policy: rule.id().to_owned(),
                    layer: rule.annotations.layer,
                    effect: rule.role().effect(),
                    citation: rule.citation.clone(),
                    text: text.clone(),
                };
                if !told.contains(&reason) {
                    told.push(reason);
                }
            }
        }
    }
    told.sort_by_key(|reason| reason.layer);
    told
}

fn tested(engine: &Engine<'_>, run: &PartRun<'_>) -> Vec<Tested> {
    let part = &run.facts.part.id;
    let mut told: Vec<Tested> = run
        .tried
        .iter()
        .filter(|tried| tried.result != TestResult::NotApplicable)
        .flat_map(|tried| {
            let missing = missing(engine, run, tried);
            tried
                .rule
                .rule_ids()
                .map(move |id| Tested {
                    layer: tried.rule.annotations.layer,
                    rule: id.clone(),
                    part: part.clone(),
                    result: tried.result,
                    missing: missing.clone(),
                })
                .collect::<Vec<_>>()
        })
        .collect();
    for consequence in run.consequences.iter().filter(|c| c.rule.role() == Role::Residual) {
        let rule = &consequence.rule;
        let help = rule.annotations.would_help.iter().chain(&rule.annotations.lifted_by);
        told.push(Tested {
            layer: rule.annotations.layer,
            rule: rule.rule.clone(),
            part: part.clone(),
            result: TestResult::NotMet,
            missing: help.map(|text| words(engine, text, consequence.body.as_ref(), Some(run.facts))).collect(),
        });
    }
    told.sort_by_key(|tested| tested.layer);
    told
}

fn missing(engine: &Engine<'_>, run: &PartRun<'_>, tried: &Tried) -> Vec<String> {
    let mut texts: Vec<String> = tried
        .failed
        .iter()
        .filter_map(|at| tried.rule.annotations.missing.get(*at))
        .map(|text| words(engine, text, tried.body.as_ref(), Some(run.facts)))
        .collect();
    if tried.result == TestResult::Barred {
        let stops = run.applicable.prohibitions.iter().chain(run.applicable.stops());
        texts.extend(
            stops
                .filter_map(|rule| rule.annotations.lifted_by.as_ref())
                .map(|text| words(engine, text, tried.body.as_ref(), Some(run.facts))),
        );
    }
    if engine.case.principal.kind == PersonKind::NotInOffice && !texts.is_empty() {
        texts.insert(
            0,
            "a current entry in the council's register: without one a person has the public's access".to_owned(),
        );
    }
    texts
}

/// Obligations or information of all parts, each told once.
fn duties<T: Copy + PartialEq>(
    engine: &Engine<'_>,
    runs: &[PartRun<'_>],
    role: Role,
    kind: impl Fn(&Rule) -> Option<T>,
) -> Vec<Duty<T>> {
    let mut told: Vec<Duty<T>> = Vec::new();
    for (run, consequence) in of_role(runs, role) {
        let rule = &consequence.rule;
        let Some(kind) = kind(rule) else { continue };
        if told.iter().any(|duty| duty.kind == kind && duty.rule == rule.rule) {
            continue;
        }
        told.push(Duty {
            kind,
            rule: rule.rule.clone(),
            text: words(engine, &rule.reason, consequence.body.as_ref(), Some(run.facts)),
            properties: properties(engine, rule),
        });
    }
    told
}

/// What the asker should know: of the rules, and the conditions under which a determination relied on was given. On a
/// part given as of statutory right no condition may be put (CL-13).
fn information(engine: &Engine<'_>, runs: &[PartRun<'_>]) -> Vec<Duty<InformationType>> {
    let mut told = duties(engine, runs, Role::Information, |rule| rule.annotations.information);
    let granted = |run: &&PartRun<'_>| matches!(run.standing.basis, Basis::CommonLaw | Basis::Protocol);
    for run in runs.iter().filter(granted) {
        for rule in run.standing.deciding.iter().filter(|rule| rule.role() == Role::Ground) {
            let names = |kind: &Determination| {
                let word = ("Determination".to_owned(), kind.word().to_owned());
                rule.clauses.iter().any(|clause| clause.names.contains(&word))
            };
            let conditions = run.facts.recorded.conditions.iter().filter(|(kind, _)| names(kind));
            for (_, text) in conditions {
                let text = format!("It was determined on this condition: {text}");
                if !told.iter().any(|known| known.text == text) {
                    let kind = InformationType::HandlingDuty;
                    told.push(Duty { kind, rule: rule.rule.clone(), text, properties: None });
                }
            }
        }
    }
    told
}

fn of_role<'r>(runs: &'r [PartRun<'_>], role: Role) -> impl Iterator<Item = (&'r PartRun<'r>, &'r Consequence)> {
    runs.iter().flat_map(move |run| {
        run.consequences.iter().filter(move |c| c.rule.role() == role).map(move |consequence| (run, consequence))
    })
}

/// The number of days and the last of them, where the profile sets a limit.
fn properties(engine: &Engine<'_>, rule: &Rule) -> Option<DutyProperties> {
    let limit = engine.book.profile.time_limits.get(rule.annotations.time_limit.as_ref()?)?;
    let due = engine.bundle.calendar.due(received(engine), limit)?;
    Some(DutyProperties { days: Some(due.days), due: Some(due.on), latest: due.latest })
}

/// The first referral, with any others beside it: questions that suspend, then the law's own, then the protocol's.
fn referral(engine: &Engine<'_>, runs: &[PartRun<'_>]) -> Referral {
    let mut all: Vec<Referral> = Vec::new();
    let mut add = |rule: &Arc<Rule>, body: Option<&Id>, run: &PartRun<'_>| {
        let next = refer(engine, rule, body, run);
        match all.iter_mut().find(|known| known.rule == next.rule && known.to == next.to) {
            Some(known) => {
                let new: Vec<String> =
                    next.would_help.into_iter().filter(|help| !known.would_help.contains(help)).collect();
                known.would_help.extend(new);
            }
            None => all.push(next),
        }
    };
    for run in runs.iter().filter(|run| !run.standing.disclosed()) {
        for rule in run.standing.deciding.iter().filter(|rule| rule.role() == Role::Suspend) {
            add(rule, first_body(run).as_ref(), run);
        }
    }
    let mut refers: Vec<_> = of_role(runs, Role::Refer).collect();
    refers.sort_by_key(|(_, consequence)| consequence.rule.annotations.layer);
    for (run, consequence) in refers {
        add(&consequence.rule, consequence.body.as_ref(), run);
    }
    let mut all = all.into_iter();
    let Some(mut first) = all.next() else { return Referral::default() };
    first.also = all.collect();
    first
}

fn refer(engine: &Engine<'_>, rule: &Arc<Rule>, body: Option<&Id>, run: &PartRun<'_>) -> Referral {
    let would_help = rule.annotations.would_help.iter();
    Referral {
        required: true,
        to: rule.refer_to.clone(),
        question: rule.annotations.question,
        rule: Some(rule.rule.clone()),
        text: Some(words(engine, &rule.reason, body, Some(run.facts))),
        would_help: would_help.map(|text| words(engine, text, body, Some(run.facts))).collect(),
        due: due(engine, rule),
        also: Vec::new(),
        id: None,
    }
}

/// A referral is due with the rule's own period, else with the profile's for referrals, else when a written request
/// must be answered under freedom of information, which every written enquiry also is (F-2).
fn due(engine: &Engine<'_>, rule: &Rule) -> Option<jiff::civil::Date> {
    let limits = &engine.book.profile.time_limits;
    let own = rule.annotations.time_limit.as_ref().and_then(|name| limits.get(name));
    let limit = own.or_else(|| limits.get("referral")).or_else(|| limits.get("foia"))?;
    engine.bundle.calendar.due(received(engine), limit).map(|due| due.on)
}

/// The day the request was received: as said, else the day it is decided.
fn received(engine: &Engine<'_>) -> jiff::civil::Date {
    engine.case.request.request_received_at.map_or(engine.case.today, london_day)
}

/// Every bar that yielded to a statutory right, or (where the statute only advises) every right not given.
fn conflicts(run: &PartRun<'_>) -> Vec<Conflict> {
    let Some(right) = run.applicable.rights.first().filter(|_| run.applicable.prohibitions.is_empty()) else {
        return Vec::new();
    };
    let local = run.applicable.stops().filter(|rule| rule.annotations.layer != Layer::Statute);
    local
        .map(|bar| Conflict {
            part: run.facts.part.id.clone(),
            protocol: RuleAndCitation { rule: bar.rule.clone(), citation: bar.citation.clone() },
            statute: RuleAndCitation { rule: right.rule.clone(), citation: right.citation.clone() },
            text: if run.standing.disclosed() {
                format!("{} would withhold this part; {} gives it as of right.", bar.rule, right.rule)
            } else {
                format!("{} withholds this part although {} gives it as of right.", bar.rule, right.rule)
            },
        })
        .collect()
}

/// A refusal resting wholly or partly on special category data wants a person (F-22).
fn human_review(runs: &[PartRun<'_>]) -> HumanReview {
    let rests_on = runs
        .iter()
        .filter(|run| !run.standing.disclosed())
        .flat_map(|run| &run.standing.deciding)
        .find(|rule| rule.annotations.special_category.is_some());
    match rests_on {
        None => HumanReview::default(),
        Some(rule) => HumanReview {
            required: true,
            reason: Some(format!(
                "The refusal rests on {}, which turns on a person's political group: special category data, so a \
                 person must be meaningfully involved (UK GDPR Arts 22A to 22D).",
                rule.rule
            )),
        },
    }
}
