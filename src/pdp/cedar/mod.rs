//! Facts as Cedar reads them. What is unknown is left out, and remembered as unknown.
//!
//! One file for each thing a policy can name: [`person`] (principal, the person acted for, the recipient), [`paper`]
//! (the resource) and [`question`] (the context). Attribute names are those of `policies/council.cedarschema`.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    str::FromStr,
    sync::LazyLock,
};

use cedar_policy::{Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};

use super::EvaluationError;
use crate::{
    domain::{
        id::Id,
        words::{Action, Word},
    },
    pip::facts::{Case, PartFacts},
};

mod paper;
mod person;
pub mod question;

pub(super) type Value = RestrictedExpression;

/// Attributes under construction, and the paths left out because they are unknown.
#[derive(Default)]
pub(super) struct Record {
    pub(super) values: HashMap<String, Value>,
    pub(super) unknown: BTreeSet<String>,
    prefix: &'static str,
}

impl Record {
    pub(super) fn at(prefix: &'static str) -> Self {
        Self { prefix, ..Self::default() }
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Left out when there is none.
    pub(super) fn optional(&mut self, name: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.set(name, value);
        }
    }

    /// Left out and remembered when it is not known.
    pub(super) fn known(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => self.set(name, value),
            None => {
                self.unknown.insert(format!("{}{name}", self.prefix));
            }
        }
    }

    pub(super) fn value(self) -> Result<Value, EvaluationError> {
        Value::new_record(self.values).map_err(|_| EvaluationError::Facts("a record"))
    }
}

pub(super) fn flag(value: bool) -> Value {
    Value::new_bool(value)
}

pub(super) fn text(value: impl ToString) -> Value {
    Value::new_string(value.to_string())
}

pub(super) fn number(value: i64) -> Value {
    Value::new_long(value)
}

pub(super) fn ids<'a>(values: impl IntoIterator<Item = &'a Id>) -> Value {
    Value::new_set(values.into_iter().map(text))
}

pub(super) static TYPES: LazyLock<HashMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    let names = [
        "Person",
        "Part",
        "Action",
        "PersonKind",
        "Post",
        "Employment",
        "BodyKind",
        "InterestKind",
        "DocumentKind",
        "DraftKind",
        "Proceedings",
        "Tag",
        "Access",
        "ConfidentialLimb",
        "ClassifiedBy",
        "Balance",
        "BusinessStatus",
        "ItemOpenness",
        "DecisionMaker",
        "Regime",
        "Capacity",
        "Ground",
        "OnBehalfOf",
        "Channel",
        "Setting",
        "DisputedBy",
        "Determination",
        "DamageLevel",
        "Finding",
        "Basis",
    ];
    names.into_iter().filter_map(|name| Some((name, EntityTypeName::from_str(name).ok()?))).collect()
});

pub(super) fn uid(of: &'static str, id: &str) -> Result<EntityUid, EvaluationError> {
    let name = TYPES.get(of).ok_or(EvaluationError::Facts("a vocabulary"))?;
    Ok(EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id)))
}

/// A word as its entity. A vocabulary that policies do not have yields none, which closes.
pub(super) fn word<T: Word>(value: T) -> Option<Value> {
    uid(value.cedar_type(), value.word()).ok().map(Value::new_entity_uid)
}

pub(super) fn words<'a, T: Word + 'a>(values: impl IntoIterator<Item = &'a T>) -> Value {
    Value::new_set(values.into_iter().filter_map(|value| word(*value)))
}

/// Ids of the entities of one question. Names of roles, not of people: they may appear in errors.
pub(super) const ASKER: &str = "asker";
pub(super) const NAMED: &str = "named";
pub(super) const RECIPIENT: &str = "recipient";
pub(super) const PART: &str = "part";

pub fn principal_uid() -> Result<EntityUid, EvaluationError> {
    uid("Person", ASKER)
}

pub fn action_uid(action: Action) -> Result<EntityUid, EvaluationError> {
    uid("Action", action.word())
}

pub fn part_uid() -> Result<EntityUid, EvaluationError> {
    uid("Part", PART)
}

pub(super) fn entity(uid: EntityUid, record: Record) -> Result<Entity, EvaluationError> {
    Entity::new(uid, record.values, HashSet::new()).map_err(|_| EvaluationError::Facts("an entity"))
}

/// The entities of one part's question.
pub struct World {
    pub entities: Entities,
    /// Paths the facts leave unknown.
    pub unknown: BTreeSet<String>,
}

pub fn world(case: &Case, part: &PartFacts, schema: &Schema) -> Result<World, EvaluationError> {
    let mut resource = paper::record(part, case);
    let unknown = std::mem::take(&mut resource.unknown);
    let mut all = vec![entity(part_uid()?, resource)?, person::entity(ASKER, &case.principal)?];
    if let Some(named) = &case.named {
        all.push(person::entity(NAMED, named)?);
    }
    if let Some(recipient) = &case.recipient {
        all.push(person::entity(RECIPIENT, &recipient.person)?);
    }
    let entities = Entities::from_entities(all, Some(schema)).map_err(|_| EvaluationError::Facts("the entities"))?;
    Ok(World { entities, unknown })
}
