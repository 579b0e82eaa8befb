//! Policy sets beside the rule book: about callers and about deciders. Each folder has a schema and files of its own,
//! one policy to a file named by its `@id`.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::{LoadError, source::PolicyFiles};

/// Attributes or context members by name.
pub type Members = HashMap<String, RestrictedExpression>;

/// A question to a set.
pub struct Asked<'a> {
    pub principal: &'a str,
    pub attributes: Members,
    pub action: &'a str,
    pub resource: &'a str,
    pub context: Members,
}

/// The policies of a folder, checked.
#[derive(Debug)]
pub struct SideSet {
    schema: Schema,
    policies: PolicySet,
}

impl SideSet {
    pub fn load(files: &PolicyFiles, folder: &'static str, schema_file: &'static str) -> Result<Self, LoadError> {
        let fault =
            |file: &str, why: &dyn std::fmt::Display| LoadError::Parse { file: file.to_owned(), why: why.to_string() };
        let text = files.text(schema_file).ok_or(LoadError::NoFile(schema_file))?;
        let (schema, _) = Schema::from_cedarschema_str(text).map_err(|error| fault(schema_file, &error))?;
        let mut policies = PolicySet::new();
        for (file, text) in files.below(folder, ".cedar") {
            let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".cedar");
            let policy = Policy::parse(Some(PolicyId::new(stem)), text).map_err(|error| fault(file, &error))?;
            if policy.annotation("id") != Some(stem) {
                return Err(LoadError::Id { file: file.to_owned(), expected: stem.to_owned() });
            }
            policies.add(policy).map_err(|error| fault(file, &error))?;
        }
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            return Err(LoadError::Validation { file: folder.to_owned(), why: error.to_string() });
        }
        Ok(Self { schema, policies })
    }

    /// Whether the policies allow it. Any error refuses.
    pub fn allows(&self, asked: Asked<'_>) -> bool {
        self.ask(asked).unwrap_or(false)
    }

    fn ask(&self, asked: Asked<'_>) -> Option<bool> {
        let principal = uid(asked.principal, "it")?;
        let entity = Entity::new(principal.clone(), asked.attributes, HashSet::new()).ok()?;
        let entities = Entities::from_entities([entity], Some(&self.schema)).ok()?;
        let context = Context::from_pairs(asked.context).ok()?;
        let (action, resource) = (uid("Action", asked.action)?, uid(asked.resource, "pinkpaper")?);
        let request = Request::new(principal, action, resource, context, Some(&self.schema)).ok()?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        Some(response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none())
    }
}

/// A word of a vocabulary of the set.
pub fn word(vocabulary: &str, word: &str) -> Option<RestrictedExpression> {
    uid(vocabulary, word).map(RestrictedExpression::new_entity_uid)
}

fn uid(of: &str, id: &str) -> Option<EntityUid> {
    Some(EntityUid::from_type_name_and_id(EntityTypeName::from_str(of).ok()?, EntityId::new(id)))
}
