//! What a caller of the service may do: Cedar policy too, with a small schema of its own (`policies/callers/`).

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId, PolicySet,
    Request, RestrictedExpression, Schema, ValidationMode, Validator,
};

use super::{LoadError, source::PolicyFiles};
use crate::domain::words::CallerRole;

const FOLDER: &str = "callers/";
const SCHEMA: &str = "callers/callers.cedarschema";

/// What a caller wants of the service. Each route of the API asks for exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    Decide,
    ReadDecision,
    ListDecisions,
    Determine,
    ReadDeterminations,
    ReadRegister,
    WriteRegister,
    ReadDocuments,
    WriteDocuments,
    ReadPolicies,
    ExplainInFull,
    ReadReferrals,
    CloseReferral,
}

impl Errand {
    pub const ALL: [Self; 13] = [
        Self::Decide,
        Self::ReadDecision,
        Self::ListDecisions,
        Self::Determine,
        Self::ReadDeterminations,
        Self::ReadRegister,
        Self::WriteRegister,
        Self::ReadDocuments,
        Self::WriteDocuments,
        Self::ReadPolicies,
        Self::ExplainInFull,
        Self::ReadReferrals,
        Self::CloseReferral,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::ReadDecision => "read_decision",
            Self::ListDecisions => "list_decisions",
            Self::Determine => "determine",
            Self::ReadDeterminations => "read_determinations",
            Self::ReadRegister => "read_register",
            Self::WriteRegister => "write_register",
            Self::ReadDocuments => "read_documents",
            Self::WriteDocuments => "write_documents",
            Self::ReadPolicies => "read_policies",
            Self::ExplainInFull => "explain_in_full",
            Self::ReadReferrals => "read_referrals",
            Self::CloseReferral => "close_referral",
        }
    }
}

/// In what circumstances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// About the person the caller speaks for.
    pub about_self: bool,
    /// Made at this caller's request.
    pub own: bool,
    /// Put to a post that the person the caller speaks for holds.
    pub addressed: bool,
}

/// The policies about callers, checked.
#[derive(Debug)]
pub struct CallerPolicies {
    schema: Schema,
    policies: PolicySet,
}

impl CallerPolicies {
    pub fn load(files: &PolicyFiles) -> Result<Self, LoadError> {
        let fault =
            |file: &str, why: &dyn std::fmt::Display| LoadError::Parse { file: file.to_owned(), why: why.to_string() };
        let text = files.text(SCHEMA).ok_or(LoadError::NoFile(SCHEMA))?;
        let (schema, _) = Schema::from_cedarschema_str(text).map_err(|error| fault(SCHEMA, &error))?;
        let mut policies = PolicySet::new();
        for (file, text) in files.below(FOLDER, ".cedar") {
            let stem = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".cedar");
            let policy = Policy::parse(Some(PolicyId::new(stem)), text).map_err(|error| fault(file, &error))?;
            if policy.annotation("id") != Some(stem) {
                return Err(LoadError::Id { file: file.to_owned(), expected: stem.to_owned() });
            }
            policies.add(policy).map_err(|error| fault(file, &error))?;
        }
        let result = Validator::new(schema.clone()).validate(&policies, ValidationMode::Strict);
        if let Some(error) = result.validation_errors().next() {
            return Err(LoadError::Validation { file: FOLDER.to_owned(), why: error.to_string() });
        }
        Ok(Self { schema, policies })
    }

    /// Whether the policies allow the errand. Any error refuses.
    pub fn allow(&self, roles: &[CallerRole], errand: Errand, circumstances: Circumstances) -> bool {
        self.ask(roles, errand, circumstances).unwrap_or(false)
    }

    fn ask(&self, roles: &[CallerRole], errand: Errand, circumstances: Circumstances) -> Option<bool> {
        let uid = |of: &str, id: &str| {
            Some(EntityUid::from_type_name_and_id(EntityTypeName::from_str(of).ok()?, EntityId::new(id)))
        };
        let caller = uid("Caller", "caller")?;
        let roles = roles.iter().filter_map(|role| uid("Role", role.word())).map(RestrictedExpression::new_entity_uid);
        let attributes = HashMap::from([("roles".to_owned(), RestrictedExpression::new_set(roles))]);
        let entity = Entity::new(caller.clone(), attributes, HashSet::new()).ok()?;
        let entities = Entities::from_entities([entity], Some(&self.schema)).ok()?;
        let context = Context::from_pairs([
            ("about_self".to_owned(), RestrictedExpression::new_bool(circumstances.about_self)),
            ("own".to_owned(), RestrictedExpression::new_bool(circumstances.own)),
            ("addressed".to_owned(), RestrictedExpression::new_bool(circumstances.addressed)),
        ])
        .ok()?;
        let action = uid("Action", errand.name())?;
        let request = Request::new(caller, action, uid("Service", "pinkpaper")?, context, Some(&self.schema)).ok()?;
        let response = Authorizer::new().is_authorized(&request, &self.policies, &entities);
        Some(response.decision() == Decision::Allow && response.diagnostics().errors().next().is_none())
    }
}
