//! The schema files: they validate requests, and they are the OpenAPI document.

use std::collections::{BTreeMap, BTreeSet};

use include_dir::{Dir, include_dir};
use jsonschema::{Registry, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::problem::Fault;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/schemas");
const OPENAPI: &str = "openapi.json";

/// Messages that are checked.
const MESSAGES: [&str; 13] = [
    "audience-request",
    "decision-request",
    "batch-request",
    "determination-request",
    "referral-closing",
    "hold-request",
    "erasure-request",
    "replay-request",
    "register",
    "group",
    "ward",
    "body",
    "person",
];
/// A document of its own, which must say more than its id.
const REGISTERED_DOCUMENT: &str = "registered-document";

/// Compiled validators, and the composed description.
pub struct Schemas {
    validators: BTreeMap<&'static str, Validator>,
    openapi: Value,
    hash: String,
}

/// The schema files do not fit together: a fault of the build.
#[derive(Debug, thiserror::Error)]
#[error("the schemas are faulty: {0}")]
pub struct SchemaFault(String);

impl Schemas {
    pub fn load() -> Result<Self, SchemaFault> {
        let fault = |error: &dyn std::fmt::Display| SchemaFault(error.to_string());
        let mut files: BTreeMap<String, Value> = BTreeMap::new();
        for file in FILES.files() {
            let (Some(name), Some(text)) = (file.path().to_str(), file.contents_utf8()) else { continue };
            files.insert(name.to_owned(), serde_json::from_str(text).map_err(|error| fault(&error))?);
        }
        let openapi = files.remove(OPENAPI).ok_or_else(|| SchemaFault(format!("`{OPENAPI}` is missing")))?;
        let hash = hash(&files);
        let mut registry = Registry::new();
        for schema in files.values() {
            let id = schema.get("$id").and_then(Value::as_str).unwrap_or_default();
            registry = registry.add(id, schema).map_err(|error| fault(&error))?;
        }
        let registry = registry.prepare().map_err(|error| fault(&error))?;
        let mut validators = BTreeMap::new();
        for message in MESSAGES.into_iter().chain([REGISTERED_DOCUMENT]) {
            let schema = files
                .get(&format!("{message}.json"))
                .ok_or_else(|| SchemaFault(format!("`{message}.json` is missing")))?;
            let validator = jsonschema::options()
                .with_registry(&registry)
                .offline()
                .should_validate_formats(true)
                .build(schema)
                .map_err(|error| fault(&error))?;
            validators.insert(message, validator);
        }
        Ok(Self { validators, openapi: compose(openapi, &files), hash })
    }

    /// The OpenAPI 3.1 document.
    pub fn openapi(&self) -> &Value {
        &self.openapi
    }

    /// `sha256:` and the hash over every message's schema: which messages were taken when a decision was made.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// Every fault of a message, in the order of their pointers.
    pub fn faults(&self, message: &str, value: &Value) -> Vec<Fault> {
        let Some(validator) = self.validators.get(message) else {
            return vec![Fault { pointer: String::new(), message: "cannot be checked".to_owned() }];
        };
        let mut faults: BTreeMap<String, String> = BTreeMap::new();
        for error in validator.iter_errors(value) {
            for (pointer, message) in told(&error) {
                faults.entry(pointer).or_insert(message);
            }
        }
        faults.into_iter().map(|(pointer, message)| Fault { pointer, message }).collect()
    }
}

/// Over each name and schema with its length before it.
fn hash(files: &BTreeMap<String, Value>) -> String {
    let mut hasher = Sha256::new();
    for (name, schema) in files {
        for piece in [name, &schema.to_string()] {
            hasher.update((piece.len() as u64).to_be_bytes());
            hasher.update(piece);
        }
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

/// A fault in words that never echo what was sent.
fn told(error: &ValidationError<'_>) -> Vec<(String, String)> {
    let at = error.instance_path().to_string();
    let below = |name: &str| format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
    let here = |message: String| vec![(at.clone(), message)];
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            vec![(below(property.as_str().unwrap_or_default()), "is missing".to_owned())]
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|name| (below(name), "is not a member here".to_owned())).collect()
        }
        ValidationErrorKind::Type { kind } => here(format!("must be of type {}", type_names(kind))),
        ValidationErrorKind::Enum { options } => here(format!("must be one of {options}")),
        ValidationErrorKind::Constant { expected_value } => here(format!("must be {expected_value}")),
        ValidationErrorKind::Format { format } => here(format!("must be a valid {format}")),
        ValidationErrorKind::Pattern { .. } => here("has characters or a form that is not allowed here".to_owned()),
        ValidationErrorKind::MaxLength { limit } => here(format!("must have at most {limit} characters")),
        ValidationErrorKind::MinLength { limit } => here(format!("must have at least {limit} characters")),
        ValidationErrorKind::MaxItems { limit } => here(format!("must have at most {limit} items")),
        ValidationErrorKind::MinItems { limit } => here(format!("must have at least {limit} items")),
        ValidationErrorKind::MinProperties { limit } => here(format!("must have at least {limit} members")),
        ValidationErrorKind::Maximum { limit } => here(format!("must be at most {limit}")),
        ValidationErrorKind::Minimum { limit } => here(format!("must be at least {limit}")),
        ValidationErrorKind::UniqueItems => here("must not repeat an item".to_owned()),
        ValidationErrorKind::FalseSchema => here("is not allowed here".to_owned()),
        _ => here("is not valid here".to_owned()),
    }
}

fn type_names(kind: &jsonschema::error::TypeKind) -> String {
    match kind {
        jsonschema::error::TypeKind::Single(one) => one.to_string(),
        jsonschema::error::TypeKind::Multiple(several) => {
            several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

/// The paths with every schema file as a component: `x-y.json` becomes `#/components/schemas/XY`.
fn compose(mut openapi: Value, files: &BTreeMap<String, Value>) -> Value {
    let mut components = Map::new();
    for (file, schema) in files {
        let mut schema = schema.clone();
        if let Some(object) = schema.as_object_mut() {
            object.remove("$id");
            object.remove("$schema");
        }
        relink(&mut schema);
        components.insert(component(file), schema);
    }
    relink(&mut openapi);
    if let Some(slot) = openapi.pointer_mut("/components/schemas") {
        *slot = Value::Object(components);
    }
    openapi
}

fn component(file: &str) -> String {
    let words: Vec<&str> = file.trim_end_matches(".json").split('-').collect();
    words
        .into_iter()
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
        })
        .collect()
}

fn relink(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(target)) = object.get_mut("$ref")
                && target.ends_with(".json")
                && !target.contains('/')
            {
                *target = format!("#/components/schemas/{}", component(target));
            }
            object.values_mut().for_each(relink);
        }
        Value::Array(items) => items.iter_mut().for_each(relink),
        _ => {}
    }
}

/// Ids that stand twice in a list of objects: what a schema cannot say.
pub fn repeated_ids(value: &Value, list: &str) -> Vec<Fault> {
    let mut seen = BTreeSet::new();
    let items = value.get(list).and_then(Value::as_array).into_iter().flatten();
    items
        .enumerate()
        .filter_map(|(at, item)| Some((at, item.get("id")?.as_str()?)))
        .filter(|(_, id)| !seen.insert(id.to_owned()))
        .map(|(at, _)| Fault { pointer: format!("/{list}/{at}/id"), message: "stands twice".to_owned() })
        .collect()
}
