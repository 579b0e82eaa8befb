//! The loader: reads every file, refuses what is incomplete, slices what remains.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    str::FromStr,
    sync::Arc,
};

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use super::{
    Bundle,
    annotations::{AnnotationFault, Annotations, Role},
    book::{Rule, RuleBook, Slice},
    callers::CallerPolicies,
    citation::Sources,
    clause::{self, Clause},
    deciders::Deciders,
    line,
    profile::{Profile, Selection},
    source::PolicyFiles,
};
use crate::domain::{
    calendar::TimeLimit,
    decision::Citation,
    words::{Action, Layer},
};

const SCHEMA: &str = "council.cedarschema";
const SOURCES: &str = "law/sources.json";
const HOLIDAYS: &str = "law/bank-holidays.json";
const FACTS: &str = "facts.json";
const TIME_LIMITS: &str = "law/time-limits.json";
const PROFILES: &str = "profiles/";
/// Policies about callers and deciders have schemas and loaders of their own ([`super::side`]).
const BESIDE: [&str; 2] = ["callers/", "deciders/"];

/// Why a bundle was refused. The file is named; nothing of it is in force.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("`{0}` is missing")]
    NoFile(&'static str),
    #[error("`{file}` does not parse: {why}")]
    Parse { file: String, why: String },
    #[error("`{file}`: `@id` must be the file's name, `{expected}`")]
    Id { file: String, expected: String },
    #[error("`{0}` and `{1}` have the same id")]
    Duplicate(String, String),
    #[error("`{file}`: {fault}")]
    Annotation { file: String, fault: AnnotationFault },
    #[error("`{file}`: `{citation}` names no instrument of `law/sources.json`")]
    Citation { file: String, citation: String },
    #[error("`{file}` fails strict validation: {why}")]
    Validation { file: String, why: String },
    #[error("profile `{profile}` selects `{policy}`, which does not exist")]
    NoPolicy { profile: String, policy: String },
    #[error("profile `{profile}` selects `{policy}` without naming {what}")]
    Selection { profile: String, policy: String, what: &'static str },
    #[error("profile `{profile}`: `{policy}` names `{name}`, which the profile does not have")]
    Named { profile: String, policy: String, name: String },
    #[error("no profile selects `{0}`")]
    Unselected(String),
}

/// Loads bundles one after another, checking only the files that changed since: validation is most of the work.
#[derive(Default)]
pub struct Loader {
    schema: String,
    known: HashMap<String, Arc<Checked>>,
}

/// A policy file, checked, before any profile has it.
struct Checked {
    file: String,
    policy: Policy,
    annotations: Annotations,
    clauses: Vec<Clause>,
    text: String,
    actions: Vec<Action>,
}

impl Bundle {
    pub fn load(files: &PolicyFiles) -> Result<Self, LoadError> {
        Loader::default().load(files)
    }
}

impl Loader {
    pub fn load(&mut self, files: &PolicyFiles) -> Result<Bundle, LoadError> {
        let schema = schema(files)?;
        let sources: Sources = json(files, SOURCES)?;
        let policies = self.policies(files, &schema)?;
        let time_limits: BTreeMap<String, TimeLimit> = json(files, TIME_LIMITS)?;
        let mut books = BTreeMap::new();
        for (file, text) in files.below(PROFILES, ".json") {
            let profile: Profile = parse_json(file, text)?;
            books.insert(profile.id.clone(), Arc::new(book(profile, &policies, &sources, &time_limits)?));
        }
        let selected: BTreeSet<&str> = books.values().flat_map(|book| book.rules.keys().map(String::as_str)).collect();
        if let Some(idle) = policies.keys().find(|id| !selected.contains(id.as_str())) {
            return Err(LoadError::Unselected(idle.clone()));
        }
        Ok(Bundle {
            hash: files.hash(),
            files: files.clone(),
            facts: json(files, FACTS)?,
            schema,
            calendar: json(files, HOLIDAYS)?,
            deciders: Deciders::load(files)?,
            callers: CallerPolicies::load(files)?,
            books,
        })
    }

    fn policies(&mut self, files: &PolicyFiles, schema: &Schema) -> Result<BTreeMap<String, Arc<Checked>>, LoadError> {
        let text = files.text(SCHEMA).unwrap_or_default();
        if self.schema != text {
            self.known.clear();
            text.clone_into(&mut self.schema);
        }
        let validator = Validator::new(schema.clone());
        let mut policies: BTreeMap<String, Arc<Checked>> = BTreeMap::new();
        let own = |file: &str| !BESIDE.iter().any(|folder| file.starts_with(folder));
        for (file, text) in files.below("", ".cedar").filter(|(file, _)| own(file)) {
            let checked = match self.known.get(file).filter(|known| known.text == text) {
                Some(known) => Arc::clone(known),
                None => Arc::new(check(file, text, &validator, schema)?),
            };
            self.known.insert(file.to_owned(), Arc::clone(&checked));
            if let Some(other) = policies.insert(checked.annotations.id.clone(), checked) {
                return Err(LoadError::Duplicate(other.file.clone(), file.to_owned()));
            }
        }
        Ok(policies)
    }
}

fn parse_error(file: &str, why: impl std::fmt::Display) -> LoadError {
    LoadError::Parse { file: file.to_owned(), why: why.to_string() }
}

fn parse_json<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, LoadError> {
    serde_json::from_str(text).map_err(|error| parse_error(file, error))
}

fn json<T: serde::de::DeserializeOwned>(files: &PolicyFiles, file: &'static str) -> Result<T, LoadError> {
    parse_json(file, files.text(file).ok_or(LoadError::NoFile(file))?)
}

fn schema(files: &PolicyFiles) -> Result<Schema, LoadError> {
    let text = files.text(SCHEMA).ok_or(LoadError::NoFile(SCHEMA))?;
    let (schema, _) =
        Schema::from_cedarschema_str(text).map_err(|error| parse_error(SCHEMA, line::told(text, &error)))?;
    Ok(schema)
}

fn check(file: &str, text: &str, validator: &Validator, schema: &Schema) -> Result<Checked, LoadError> {
    let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".cedar");
    let policy =
        Policy::parse(Some(PolicyId::new(stem)), text).map_err(|error| parse_error(file, line::told(text, &error)))?;
    let clauses = clause::split(stem, &policy).map_err(|error| parse_error(file, error))?;
    let annotations = Annotations::parse(&policy, clauses.len())
        .map_err(|fault| LoadError::Annotation { file: file.to_owned(), fault })?;
    if annotations.id != stem {
        return Err(LoadError::Id { file: file.to_owned(), expected: stem.to_owned() });
    }
    let actions = validate(file, text, &policy, validator, schema)?;
    Ok(Checked { file: file.to_owned(), policy, annotations, clauses, text: text.to_owned(), actions })
}

/// Strict validation; gives the actions the policy's scope covers.
fn validate(
    file: &str,
    text: &str,
    policy: &Policy,
    validator: &Validator,
    schema: &Schema,
) -> Result<Vec<Action>, LoadError> {
    let set = PolicySet::from_policies([policy.clone()]).map_err(|error| parse_error(file, error))?;
    let result = validator.validate(&set, ValidationMode::Strict);
    let errors = result.validation_errors().map(|error| line::told(text, error));
    // A fault is found again for each kind of request.
    let faults: BTreeSet<String> =
        errors.chain(result.validation_warnings().map(|warning| line::told(text, warning))).collect();
    if !faults.is_empty() {
        let why = faults.into_iter().collect::<Vec<_>>().join("; ");
        return Err(LoadError::Validation { file: file.to_owned(), why });
    }
    let covered: BTreeSet<Action> = policy
        .get_valid_request_envs(schema)
        .filter_map(|env| Action::from_str(env.action().id().unescaped()).ok())
        .collect();
    Ok(covered.into_iter().collect())
}

fn book(
    mut profile: Profile,
    policies: &BTreeMap<String, Arc<Checked>>,
    sources: &Sources,
    statutory: &BTreeMap<String, TimeLimit>,
) -> Result<RuleBook, LoadError> {
    for (name, limit) in statutory {
        // The law's own periods stand under every profile; none may be set otherwise.
        profile.time_limits.insert(name.clone(), limit.clone());
    }
    let mut rules = HashMap::new();
    let mut chosen: Vec<(&Checked, Option<&Selection>)> =
        policies.values().filter(|p| p.annotations.layer == Layer::Statute).map(|p| (&**p, None)).collect();
    for selection in &profile.rules {
        let policy = policies
            .get(&selection.policy)
            .ok_or_else(|| LoadError::NoPolicy { profile: profile.id.clone(), policy: selection.policy.clone() })?;
        chosen.push((policy, Some(selection)));
    }
    for (policy, selection) in &chosen {
        let rule = Arc::new(rule(&profile, policy, *selection, sources)?);
        if rules.insert(rule.id().to_owned(), rule).is_some() {
            return Err(LoadError::Duplicate(policy.file.clone(), format!("profiles/{}.json", profile.id)));
        }
    }
    let slices = Action::ALL
        .iter()
        .map(|action| Ok((*action, slice(*action, &chosen, &rules)?)))
        .collect::<Result<_, LoadError>>()?;
    Ok(RuleBook { profile, rules, slices })
}

/// A policy as this profile has it: its rule id, citation and wording.
fn rule(
    profile: &Profile,
    policy: &Checked,
    selection: Option<&Selection>,
    sources: &Sources,
) -> Result<Rule, LoadError> {
    let annotations = policy.annotations.clone();
    let lacking = |what| LoadError::Selection { profile: profile.id.clone(), policy: annotations.id.clone(), what };
    let own = || annotations.rule.clone();
    let rule = selection.and_then(|s| s.rule.clone()).or_else(own).ok_or_else(|| lacking("a rule"))?;
    let citation = match (selection.and_then(|s| s.paragraph.as_ref()), &annotations.citation) {
        (Some(paragraph), _) => {
            let instrument = selection.and_then(|s| s.instrument.as_ref()).unwrap_or(&profile.instrument);
            Citation { instrument: instrument.name.clone(), provision: paragraph.clone(), url: instrument.url.clone() }
        }
        (None, Some(citation)) => sources
            .cite(citation)
            .ok_or_else(|| LoadError::Citation { file: policy.file.clone(), citation: citation.clone() })?,
        (None, None) => return Err(lacking("a paragraph")),
    };
    Ok(Rule {
        rule,
        also: selection.map(|s| s.also.clone()).unwrap_or_default(),
        citation,
        reason: selection.and_then(|s| s.reason.clone()).unwrap_or_else(|| annotations.reason.clone()),
        refer_to: route(profile, &annotations)?,
        clauses: policy.clauses.clone(),
        theme: policy.file.split('/').next().unwrap_or_default().to_owned(),
        text: policy.text.clone(),
        actions: policy.actions.clone(),
        annotations,
    })
}

fn route(profile: &Profile, annotations: &Annotations) -> Result<Vec<crate::domain::words::ReferralRole>, LoadError> {
    let named = |name: &String| LoadError::Named {
        profile: profile.id.clone(),
        policy: annotations.id.clone(),
        name: name.clone(),
    };
    if let Some(limit) = &annotations.time_limit
        && !profile.time_limits.contains_key(limit)
    {
        return Err(named(limit));
    }
    match &annotations.route {
        None => Ok(annotations.refer_to.clone()),
        Some(route) => profile.routes.get(route).cloned().ok_or_else(|| named(route)),
    }
}

/// What can apply to an action, by pass.
fn slice(
    action: Action,
    chosen: &[(&Checked, Option<&Selection>)],
    rules: &HashMap<String, Arc<Rule>>,
) -> Result<Slice, LoadError> {
    let mut slice = Slice::default();
    for (checked, _) in chosen.iter().filter(|(policy, _)| policy.actions.contains(&action)) {
        let role = checked.annotations.role;
        let set = match role {
            Role::Finding => &mut slice.findings,
            role if role.forbids() => &mut slice.forbids,
            role if role.gives() => &mut slice.permits,
            _ => &mut slice.consequences,
        };
        set.add(checked.policy.clone()).map_err(|error| parse_error(&checked.file, error))?;
        if role.gives() {
            for clause in &checked.clauses {
                slice.clauses.add(clause.policy.clone()).map_err(|error| parse_error(&checked.file, error))?;
            }
            slice.giving.extend(rules.get(&checked.annotations.id).cloned());
        }
    }
    slice.giving.sort_by(|a, b| (a.annotations.layer, &a.rule).cmp(&(b.annotations.layer, &b.rule)));
    Ok(slice)
}
