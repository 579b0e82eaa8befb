//! One row: a question, what is recorded, and what must be answered.

use std::collections::BTreeMap;

use pinkpaper::{
    domain::{
        decision::Verdict,
        determination::Determination,
        document::Document,
        question::Request,
        register::Register,
        words::{Effect, Outcome, PartOutcome},
    },
    pap::{Bundle, RuleBook, annotations::Role},
    pdp::{self, StatutoryLayer},
    pip::{
        Indexed, Snapshot,
        facts::{Case, Provided},
        gather,
    },
};
use serde_json::{Value, json};

use crate::world::{NOW, WORLD};

/// The cells of a row by their column.
#[derive(Clone, Debug)]
pub struct Row {
    pub place: String,
    pub cells: BTreeMap<String, String>,
}

pub struct Question {
    pub profile: String,
    pub request: Request,
    pub document: Document,
    pub register: Register,
    pub determinations: Vec<Determination>,
}

impl Row {
    pub fn cell(&self, name: &str) -> &str {
        self.cells.get(name).map_or("-", String::as_str)
    }

    fn list(&self, name: &str) -> Vec<String> {
        let cell = self.cell(name);
        if cell == "-" {
            return Vec::new();
        }
        cell.split([',', ';']).map(|item| item.trim().trim_matches('`').to_owned()).filter(|i| !i.is_empty()).collect()
    }

    /// Its table and what it shows: its name wherever it stands in the file.
    pub fn name(&self) -> String {
        let table = self.place.split(".md").next().unwrap_or_default();
        format!("{table}: {}", self.cell("Shows"))
    }

    pub fn question(&self) -> Question {
        let mut register = WORLD.register.clone();
        let paper = self.cell("Paper");
        let mut document =
            WORLD.papers.get(paper).cloned().unwrap_or_else(|| panic!("{}: no paper `{paper}`", self.place));
        let who = self.cell("Who").to_owned();
        let principal =
            if is_person(&register, &who) { json!({"type": "person", "id": who}) } else { json!({"type": who}) };
        let mut request = json!({
            "principal": principal, "action": self.cell("Action"), "channel": "director", "routine": false,
            "disputed": false, "confidentiality_requested": false, "repeat_of": null,
            "purpose": {"capacity": "councillor", "ground": "other", "on_behalf_of": {"type": "none"}},
        });
        for pair in self.cell("Asked").split(';').map(str::trim).filter(|pair| !pair.is_empty() && *pair != "-") {
            let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("{}: `{pair}`", self.place));
            let (name, value) = (name.trim(), value.trim());
            if let Some(member) = name.strip_prefix("paper.") {
                change(&mut document, member, value);
            } else if let Some(member) = name.strip_prefix("person.") {
                let people = register["people"].as_array_mut().expect("people");
                let person = people.iter_mut().find(|p| p["id"] == who.as_str()).expect("the asker is in the cast");
                change(person, member, value);
            } else if let Some(member) = name.strip_prefix("authority.") {
                change(&mut register["authority"], member, value);
            } else {
                ask(&mut request, name, value, &register, &self.place);
            }
        }
        request["document"] = document.clone();
        let parse_error = |what: &str, error: serde_json::Error| -> ! { panic!("{}: {what}: {error}", self.place) };
        Question {
            profile: self.cell("Profile").to_owned(),
            determinations: self.recorded(&who, paper),
            request: serde_json::from_value(request).unwrap_or_else(|error| parse_error("request", error)),
            document: serde_json::from_value(document).unwrap_or_else(|error| parse_error("document", error)),
            register: serde_json::from_value(register).unwrap_or_else(|error| parse_error("register", error)),
        }
    }

    /// `need_to_know=yes by o-mo for b3 parts a+b; damage_level=severe by o-mo`
    fn recorded(&self, who: &str, paper: &str) -> Vec<Determination> {
        let about_paper = [
            "redaction_decided",
            "administration_only",
            "illegality",
            "maladministration",
            "damage_level",
            "classification",
            "discloses_exempt",
            "public_interest",
            "sensitive_agreed",
            "chief_executive_agreement",
            "group_request",
            "confidential_nature",
            "owner_consent",
            "legal_requirement",
        ];
        let cell = self.cell("Recorded");
        let mut all = Vec::new();
        for (at, text) in cell.split(';').map(str::trim).filter(|t| !t.is_empty() && *t != "-").enumerate() {
            let mut words = text.split_whitespace();
            let (kind, answer) =
                words.next().and_then(|w| w.split_once('=')).unwrap_or_else(|| panic!("{}: `{text}`", self.place));
            let mut entered = json!({
                "kind": kind, "answer": answer != "no", "document": paper, "reasons": "As recorded.",
                "decided_at": (*NOW - jiff::SignedDuration::from_hours(48) + jiff::SignedDuration::from_hours(at as i64)).to_string(),
                "person": if about_paper.contains(&kind) { Value::Null } else { json!(who) },
                "decided_by": {"person": "o-mo", "post": "monitoring_officer"},
            });
            if kind == "damage_level" {
                entered["level"] = json!(answer);
                entered["answer"] = json!(answer != "none");
            }
            while let Some(word) = words.next() {
                let value = words.next().unwrap_or_else(|| panic!("{}: `{text}`", self.place));
                match word {
                    "by" => entered["decided_by"] = decided_by(value),
                    "for" => entered["person"] = if value == "all" { Value::Null } else { json!(value) },
                    "parts" => entered["parts"] = json!(value.split('+').collect::<Vec<_>>()),
                    "until" | "valid_until" => entered["valid_until"] = when(value),
                    "at" | "decided_at" => entered["decided_at"] = when(value),
                    "paper" | "document" => {
                        entered["document"] = if value == "all" { Value::Null } else { json!(value) }
                    }
                    "version" => entered["document_version"] = json!(value),
                    other => panic!("{}: `{other}` in `{text}`", self.place),
                }
            }
            all.push(Determination {
                id: format!("det-{at}").as_str().try_into().expect("an id"),
                entered: serde_json::from_value(entered).unwrap_or_else(|error| panic!("{}: {error}", self.place)),
                entered_by: "table".to_owned(),
                recorded_at: *NOW,
                withdrawn_at: None,
            });
        }
        all
    }

    /// What the answer gets wrong; empty when the row holds.
    pub fn faults(&self, bundle: &Bundle) -> Vec<String> {
        let question = self.question();
        match answer(bundle, &question) {
            Ok(verdict) => self.compare(&verdict, &residuals(bundle, &question.profile)),
            Err(error) => vec![format!("failed: {error}")],
        }
    }

    fn compare(&self, verdict: &Verdict, residuals: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        let outcome = pdp::outcome(&verdict.parts);
        let held = outcome != Outcome::Allow && verdict.referral.required;
        let told = format!("{outcome}{}", if held { " held" } else { "" });
        if self.cell("Outcome") != "-" && told != self.cell("Outcome") {
            faults.push(format!("outcome {told}, expected {}", self.cell("Outcome")));
        }
        let withheld: Vec<String> = verdict
            .parts
            .iter()
            .filter(|part| part.outcome == PartOutcome::Withhold)
            .map(|part| part.id.to_string())
            .collect();
        let mut expected = self.cells.get("Withheld").map(|_| self.list("Withheld").join("+")).unwrap_or_default();
        expected = expected.split('+').map(str::trim).collect::<Vec<_>>().join("+");
        if self.cell("Withheld") != "all" && self.cells.contains_key("Withheld") && withheld.join("+") != expected {
            faults.push(format!("withheld `{}`, expected `{expected}`", withheld.join("+")));
        }
        self.compare_rules(verdict, residuals, &mut faults);
        let obligations: Vec<&str> = verdict.obligations.iter().map(|duty| duty.kind.word()).collect();
        let information: Vec<&str> = verdict.information.iter().map(|duty| duty.kind.word()).collect();
        presence("obligation", &self.list("Obligations"), &obligations, &mut faults);
        presence("information", &self.list("Information"), &information, &mut faults);
        self.compare_referral(verdict, &mut faults);
        faults
    }

    fn compare_rules(&self, verdict: &Verdict, residuals: &[String], faults: &mut Vec<String>) {
        let mut told: Vec<&str> = verdict.parts.iter().flat_map(|part| &part.because).map(String::as_str).collect();
        let deciding = verdict.reasons.iter().filter(|reason| reason.effect != Effect::Refer);
        told.extend(deciding.map(|reason| reason.rule.as_str()));
        // A refusal that no rule made is told by those that came near; what disclosed a part is told by its own rules.
        let mut withheld = verdict.parts.iter().filter(|part| part.outcome != PartOutcome::Disclose).peekable();
        let unexplained = withheld.peek().is_some() && withheld.all(|part| part.because.is_empty());
        let mut near: Vec<&str> = Vec::new();
        if unexplained {
            near.extend(verdict.tested.iter().map(|tested| tested.rule.as_str()));
            let referrals = std::iter::once(&verdict.referral).chain(&verdict.referral.also);
            near.extend(referrals.filter_map(|referral| referral.rule.as_deref()));
        }
        let worded: Vec<&str> = verdict
            .tested
            .iter()
            .map(|tested| tested.rule.as_str())
            .filter(|rule| residuals.iter().any(|residual| residual == rule))
            .collect();
        for rule in self.list("Because") {
            match rule.strip_prefix('!') {
                Some(absent) if told.contains(&absent) || worded.contains(&absent) => {
                    faults.push(format!("{absent} decided or worded the refusal"));
                }
                None if !told.contains(&rule.as_str()) && !near.contains(&rule.as_str()) => {
                    faults.push(format!("{rule} did not decide; {told:?} did; near {near:?}"));
                }
                _ => {}
            }
        }
    }

    fn compare_referral(&self, verdict: &Verdict, faults: &mut Vec<String>) {
        let cell = self.cell("Referral");
        let first = verdict.referral.to.first().map(|role| role.word());
        let rule = verdict.referral.rule.as_deref().unwrap_or_default();
        let (role, of) = cell.split_once('@').unwrap_or((cell, ""));
        let all = || std::iter::once(&verdict.referral).chain(&verdict.referral.also);
        let holds = match role {
            "-" => !verdict.referral.required,
            // `!@RULE`: that rule must refer nothing, whatever else does.
            "!" => all().all(|r| r.rule.as_deref() != Some(of)),
            role if of.is_empty() => first == Some(role),
            role => all().any(|r| r.rule.as_deref() == Some(of) && r.to.first().map(|role| role.word()) == Some(role)),
        };
        if self.cells.contains_key("Referral") && !holds {
            faults.push(format!("referral {first:?} by {rule}, expected {cell}"));
        }
    }
}

pub fn answer(bundle: &Bundle, question: &Question) -> Result<Verdict, pdp::EvaluationError> {
    pdp::decide(bundle, book(bundle, question), StatutoryLayer::Enforce, &case(bundle, question))
}

pub fn book<'b>(bundle: &'b Bundle, question: &Question) -> &'b RuleBook {
    bundle.book(&question.profile).unwrap_or_else(|| panic!("no profile `{}`", question.profile))
}

pub fn case(bundle: &Bundle, question: &Question) -> Case {
    let book = book(bundle, question);
    let snapshot =
        Snapshot { facts_version: 1, register: Indexed::new(Some(question.register.clone())).into(), policies: None };
    let sources = gather::Sources {
        snapshot: &snapshot,
        calendar: &bundle.calendar,
        profile: &book.profile,
        deciders: &bundle.deciders,
        determinations: &question.determinations,
        provided: question.request.purpose.provided_under.as_ref().map(|_| Provided {
            parts: question.document.whole_parts().into_iter().map(|part| part.id).collect(),
            ground: question.request.purpose.reference.as_ref().and_then(|ground| ground.as_str().parse().ok()),
        }),
        now: *NOW,
    };
    gather::gather(question.request.clone(), &question.document, &sources).expect("the parts exist")
}

/// Rules that word a refusal and bar nothing.
fn residuals(bundle: &Bundle, profile: &str) -> Vec<String> {
    let rules = bundle.book(profile).map(|book| book.rules()).unwrap_or_default();
    rules.into_iter().filter(|rule| rule.role() == Role::Residual).map(|rule| rule.rule.clone()).collect()
}

fn presence(what: &str, expected: &[String], told: &[&str], faults: &mut Vec<String>) {
    for name in expected {
        match name.strip_prefix('!') {
            Some(absent) if told.contains(&absent) => faults.push(format!("{what} {absent} is told")),
            None if !told.contains(&name.as_str()) => faults.push(format!("{what} {name} is not told; {told:?} are")),
            _ => {}
        }
    }
}

fn is_person(register: &Value, id: &str) -> bool {
    let known = |list: &str| register[list].as_array().is_some_and(|items| items.iter().any(|item| item["id"] == id));
    known("people") || id.starts_with("nobody")
}

/// A time as the cases write it, or as it stands.
fn when(text: &str) -> Value {
    let mut value = json!(if text.starts_with("{{") { text.to_owned() } else { format!("{{{{{text}}}}}") });
    if pinkpaper::domain::relative::resolve(&mut value, *NOW).is_err() {
        value = json!(text);
    }
    value
}

fn decided_by(id: &str) -> Value {
    if let Some(body) = id.strip_prefix("body:") {
        return json!({"body": body});
    }
    if let Some((person, post)) = id.split_once('/') {
        return json!({"person": person, "post": post});
    }
    let people = WORLD.register["people"].as_array().expect("people");
    let post =
        people.iter().find(|p| p["id"] == id).map(|p| p["posts"][0].clone()).unwrap_or_else(|| panic!("no `{id}`"));
    json!({"person": id, "post": post})
}

/// `unknown` removes the member; anything else is JSON, or a plain word.
fn change(object: &mut Value, member: &str, value: &str) {
    let mut target = object;
    let mut path = member.split('.').peekable();
    while let Some(name) = path.next() {
        if path.peek().is_some() {
            target = match name.parse::<usize>() {
                Ok(at) => &mut target[at],
                Err(_) => &mut target[name],
            };
            continue;
        }
        if value == "unknown" {
            target.as_object_mut().expect("an object").remove(name);
            return;
        }
        let mut parsed = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        pinkpaper::domain::relative::resolve(&mut parsed, *NOW).expect("a placeholder");
        match name.parse::<usize>() {
            Ok(at) => target[at] = parsed,
            Err(_) => target[name] = parsed,
        }
        return;
    }
}

fn party(text: &str, register: &Value) -> Value {
    match text.split_once(':') {
        Some((kind, id)) => json!({"type": kind, "id": id}),
        None if is_person(register, text) => json!({"type": "person", "id": text}),
        None => json!({"type": text}),
    }
}

/// Members of the request itself that a row may ask with.
const WHOLE: [&str; 12] = [
    "channel",
    "routine",
    "disputed",
    "disputed_by",
    "confidentiality_requested",
    "repeat_of",
    "circumstances_changed",
    "requested_by",
    "copy_is_open",
    "author_told",
    "setting",
    "request_received_at",
];

fn ask(request: &mut Value, name: &str, value: &str, register: &Value, place: &str) {
    let plain = |value: &str| serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    match (name, value) {
        ("capacity" | "ground" | "provided_under" | "justification" | "reference", "unknown") => {
            request["purpose"].as_object_mut().expect("purpose").remove(name);
        }
        ("capacity" | "ground" | "provided_under" | "justification" | "reference", _) => {
            request["purpose"][name] = json!(value)
        }
        ("on_behalf_of", _) => {
            request["purpose"]["on_behalf_of"] = party(value, &json!({"people": []}));
        }
        ("recipient", _) if value.ends_with("+undertaking") => {
            let mut recipient = party(value.trim_end_matches("+undertaking"), register);
            recipient["undertaking"] = json!(true);
            request["recipient"] = recipient;
        }
        ("recipient", _) => request["recipient"] = party(value, register),
        ("attendees", _) => {
            request["attendees"] = value.split('+').map(|one| party(one.trim(), register)).collect();
        }
        ("parts", _) => request["parts"] = value.split('+').collect(),
        _ if WHOLE.contains(&name) && value == "unknown" => {
            request.as_object_mut().expect("a request").remove(name);
        }
        _ if WHOLE.contains(&name) => request[name] = plain(value),
        _ => panic!("{place}: `{name}` cannot be asked"),
    }
}
