//! Conditions of a policy, each made a policy of its own so that it can be asked by itself.
//!
//! Which condition failed is what an officer needs to know; Cedar reports only whole policies. A condition is rebuilt
//! from the policy's JSON form with an open scope and the effect `permit`, so one evaluation of all of them tells
//! which hold. A condition that relies on an earlier one (`has`) errors when that one failed: it is then left out.

use std::collections::BTreeSet;

use cedar_policy::{Policy, PolicyId};
use serde_json::{Value, json};

/// One `when` or `unless` of a policy.
#[derive(Clone, Debug)]
pub struct Clause {
    /// Asks this condition alone.
    pub policy: Policy,
    /// Paths it reads, such as `principal.kind`.
    pub reads: BTreeSet<String>,
    /// Paths whose presence it tests with `has`.
    pub tests: BTreeSet<String>,
    /// Words of fixed vocabularies it names: vocabulary and word.
    pub names: BTreeSet<(String, String)>,
    /// The condition as written.
    pub text: String,
}

impl Clause {
    fn alone(policy: Policy) -> Self {
        let whole = policy.to_string();
        let begins = ["when {", "unless {"].iter().filter_map(|word| whole.find(word)).min();
        let text = begins.and_then(|at| whole.get(at..)).unwrap_or_default();
        let text = text.trim().trim_end_matches(';').to_owned();
        Self { policy, reads: BTreeSet::new(), tests: BTreeSet::new(), names: BTreeSet::new(), text }
    }

    /// Turns only on which law governs the business: if it fails, the rule does not apply at all.
    pub fn is_about_regime(&self) -> bool {
        self.reads.iter().all(|path| ["context.business", "context.business.regime"].contains(&path.as_str()))
    }

    /// Turns only on what kind of person asks.
    pub fn is_about_kind(&self) -> bool {
        self.reads.iter().all(|path| path == "principal.kind")
    }
}

/// The id of the n-th condition's own policy.
pub fn clause_id(policy: &str, at: usize) -> String {
    format!("{policy}#{at}")
}

/// The conditions of a policy, in order.
pub fn split(id: &str, policy: &Policy) -> Result<Vec<Clause>, Box<dyn std::error::Error + Send + Sync>> {
    let whole = policy.to_json()?;
    let conditions = whole.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    let clause = |(at, condition): (usize, &Value)| {
        let alone = json!({
            "effect": "permit",
            "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"},
            "conditions": [condition],
        });
        let policy = Policy::from_json(Some(PolicyId::new(clause_id(id, at))), alone)?;
        let mut clause = Clause::alone(policy);
        collect(condition.get("body").unwrap_or(&Value::Null), &mut clause);
        Ok(clause)
    };
    conditions.iter().enumerate().map(clause).collect()
}

/// Gathers the paths an expression reads.
fn collect(node: &Value, clause: &mut Clause) {
    match node {
        Value::Object(object) => {
            if let Some(name) = entity(node) {
                clause.names.insert(name);
            } else if let Some(path) = path(node) {
                clause.reads.insert(path);
            } else if let Some(tested) = object.get("has").and_then(member) {
                clause.reads.insert(tested.clone());
                clause.tests.insert(tested);
            } else {
                object.values().for_each(|inner| collect(inner, clause));
            }
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, clause)),
        _ => {}
    }
}

/// `Ground::"ward"` as vocabulary and word.
fn entity(node: &Value) -> Option<(String, String)> {
    let entity = node.get("Value")?.get("__entity")?;
    Some((entity.get("type")?.as_str()?.to_owned(), entity.get("id")?.as_str()?.to_owned()))
}

/// `resource.matters` for a chain of attribute accesses from a variable.
fn path(node: &Value) -> Option<String> {
    match node.get("Var").and_then(Value::as_str) {
        Some(variable) => Some(variable.to_owned()),
        None => node.get(".").and_then(member),
    }
}

fn member(access: &Value) -> Option<String> {
    Some(format!("{}.{}", path(access.get("left")?)?, access.get("attr")?.as_str()?))
}
