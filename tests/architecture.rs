//! The rules of the house, held by a test: who may know whom, which words must agree, what must not be there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// Module → the modules it may use. `http → app → {pip, pdp, pap, audit} → domain`; `store` implements ports;
/// only `cli` knows which store.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &[]),
    ("telemetry", &[]),
    ("spreadsheet", &[]),
    ("pap", &["domain"]),
    ("pip", &["domain", "pap"]),
    ("audit", &["domain", "pip", "spreadsheet"]),
    ("pdp", &["domain", "pap", "pip"]),
    ("outbound", &[]),
    ("publish", &["audit", "outbound"]),
    ("import", &["domain", "outbound", "spreadsheet"]),
    ("app", &["audit", "clock", "domain", "pap", "pdp", "pip", "publish", "telemetry"]),
    ("auth", &["app", "domain", "outbound"]),
    ("store", &["audit", "domain", "pip", "telemetry"]),
    ("http", &["app", "audit", "auth", "domain", "pap", "pdp", "pip", "spreadsheet", "telemetry"]),
    ("config", &["audit", "auth", "domain", "pdp", "publish"]),
    ("demo", &["app", "audit", "auth", "domain", "http", "pip"]),
    (
        "cli",
        &[
            "app",
            "audit",
            "auth",
            "clock",
            "config",
            "demo",
            "domain",
            "http",
            "import",
            "outbound",
            "pap",
            "publish",
            "store",
            "telemetry",
        ],
    ),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(files(&entry, ending));
        } else if entry.extension().is_some_and(|e| e == ending) {
            found.push(entry);
        }
    }
    found
}

/// Code without comments, doc links and unit tests.
fn code(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a source file");
    let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The modules of this crate that a file names, in `use crate::{…}` trees and in paths.
fn uses(code: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(tree) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            let mut expecting = true;
            for c in tree.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => expecting = true,
                    c if depth == 0 && expecting && (c.is_alphanumeric() || c == '_') => word.push(c),
                    _ if !word.is_empty() => {
                        used.insert(std::mem::take(&mut word));
                        expecting = false;
                    }
                    _ => {}
                }
            }
            if !word.is_empty() {
                used.insert(word);
            }
        } else {
            used.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    used
}

#[test]
fn modules_know_only_whom_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut faults = Vec::new();
    for file in files(&root().join("src"), "rs") {
        let place = file.strip_prefix(root().join("src")).expect("in src").to_string_lossy().into_owned();
        let module = place.split('/').next().expect("a name").trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let may = allowed.get(module.as_str()).unwrap_or_else(|| panic!("`{module}` has no row in the table"));
        for used in uses(&code(&file)) {
            if used != module && !may.contains(&used.as_str()) {
                faults.push(format!("{place} uses `{used}`"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn only_http_knows_actix_and_only_store_knows_sqlx() {
    for file in files(&root().join("src"), "rs") {
        let place = file.to_string_lossy().into_owned();
        let text = code(&file);
        if !place.contains("/src/http/") && !place.contains("/src/cli") {
            assert!(!text.contains("actix_web"), "{place} knows actix-web");
        }
        if !place.contains("/src/store/") {
            assert!(!text.contains("sqlx::"), "{place} knows sqlx");
        }
        if !["/src/pap/", "/src/pdp/"].iter().any(|room| place.contains(room)) {
            assert!(!text.contains("cedar_policy"), "{place} knows Cedar");
        }
    }
}

#[test]
fn the_decision_point_is_pure() {
    for file in files(&root().join("src/pdp"), "rs") {
        let text = code(&file);
        for impure in [
            ".await",
            "async ",
            "tracing::",
            "Timestamp::now",
            "std::fs",
            "std::net",
            "println!",
            "unwrap()",
            "expect(",
        ] {
            assert!(!text.contains(impure), "{} has `{impure}`", file.display());
        }
    }
}

#[test]
fn every_module_page_and_file_opens_with_its_purpose() {
    for file in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(&file).expect("a source file");
        assert!(text.starts_with("//! "), "{} opens without a purpose", file.display());
    }
}

#[test]
fn the_vocabularies_of_code_policies_and_schemas_agree() {
    use pinkpaper::domain::words as w;
    let schema = fs::read_to_string(root().join("policies/council.cedarschema")).expect("the Cedar schema");
    macro_rules! agree {
        ($($name:ident),+) => {$(
            let words: Vec<&str> = w::$name::ALL.iter().map(|word| word.word()).collect();
            assert_eq!(enumerated(&schema, stringify!($name)), words, "{}", stringify!($name));
        )+};
    }
    agree!(
        PersonKind,
        Post,
        Employment,
        BodyKind,
        InterestKind,
        DocumentKind,
        DraftKind,
        Proceedings,
        Tag,
        Access,
        ConfidentialLimb,
        ClassifiedBy,
        Balance,
        BusinessStatus,
        ItemOpenness,
        DecisionMaker,
        Regime,
        Capacity,
        Ground,
        OnBehalfOf,
        Channel,
        Setting,
        DisputedBy,
        Determination,
        DamageLevel,
        Finding,
        Basis
    );
    let callers = fs::read_to_string(root().join("policies/callers/callers.cedarschema")).expect("the callers' schema");
    let roles: Vec<&str> = w::CallerRole::ALL.iter().map(|role| role.word()).collect();
    assert_eq!(enumerated(&callers, "Role"), roles);
    for (file, words) in [
        ("determination-kind", w::Determination::ALL.iter().map(|word| word.word()).collect::<BTreeSet<_>>()),
        ("document-kind", w::DocumentKind::ALL.iter().map(|word| word.word()).collect()),
        ("action", w::Action::ALL.iter().map(|word| word.word()).collect()),
        ("post", w::Post::ALL.iter().map(|word| word.word()).collect()),
        ("tag", w::Tag::ALL.iter().map(|word| word.word()).collect()),
    ] {
        let text = fs::read_to_string(root().join(format!("schemas/{file}.json"))).expect("a schema");
        let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let listed: BTreeSet<&str> =
            schema["enum"].as_array().expect("an enumeration").iter().filter_map(|v| v.as_str()).collect();
        assert_eq!(listed, words, "{file}");
    }
}

/// The values of an enumerated entity, in their order.
fn enumerated<'a>(schema: &'a str, name: &str) -> Vec<&'a str> {
    let head = format!("entity {name} enum [");
    let at = schema.find(&head).unwrap_or_else(|| panic!("no `{name}` in the Cedar schema"));
    let list = schema[at + head.len()..].split("];").next().expect("its end");
    let list: Vec<&str> = list.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
    let quoted = list.into_iter().flat_map(|line| line.split('"').skip(1).step_by(2));
    quoted.collect()
}

#[test]
fn the_top_level_holds_what_was_agreed() {
    let agreed =
        ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "policies", "schemas", "tests", "deploy", "target"];
    for entry in fs::read_dir(root()).expect("the root") {
        let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
        let visible = !name.starts_with('.') && !name.starts_with("pinkpaper.");
        assert!(!visible || agreed.contains(&name.as_str()), "`{name}` stands at the top level");
    }
}

/// What a message may be made of: each text and list in it has an end, so that a body within its size cannot be blown up.
#[test]
fn every_string_and_list_of_a_message_has_a_bound() {
    let folder = root().join("schemas");
    let read = |name: &str| -> Value {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|_| panic!("{name}"));
        serde_json::from_str(&text).expect("JSON")
    };
    let mut left: Vec<String> = [
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
        "registered-document",
    ]
    .map(|name| format!("{name}.json"))
    .to_vec();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut unbounded = Vec::new();
    while let Some(name) = left.pop() {
        if seen.insert(name.clone()) {
            bounds(&name, &read(&name), &mut left, &mut unbounded);
        }
    }
    assert!(seen.len() > 40, "only {} schemas were reached", seen.len());
    assert!(unbounded.is_empty(), "{}", unbounded.join("\n"));
}

/// Looks through a schema, and notes the files it refers to.
fn bounds(at: &str, schema: &Value, refers: &mut Vec<String>, unbounded: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            let is = |kind: &str| match &members.get("type") {
                Some(Value::String(only)) => only == kind,
                Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
                _ => false,
            };
            let says = |words: &[&str]| words.iter().any(|word| members.contains_key(*word));
            // Formats here are those of times; a list of different words of a set ends with the set.
            if is("string") && !says(&["maxLength", "enum", "const", "format", "pattern", "$ref", "anyOf"]) {
                unbounded.push(format!("{at}: a text without end"));
            }
            if members
                .get("pattern")
                .and_then(Value::as_str)
                .is_some_and(|p| p.contains('*') || p.contains('+') || p.contains(",}"))
                && !says(&["maxLength"])
                && !members.contains_key("format")
            {
                unbounded.push(format!("{at}: a pattern without end"));
            }
            if is("array") && !says(&["maxItems", "uniqueItems"]) {
                unbounded.push(format!("{at}: a list without end"));
            }
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("$ref", Value::String(target)) => {
                        refers.push(target.split('#').next().unwrap_or_default().to_owned())
                    }
                    ("examples" | "enum" | "description" | "const" | "if", _) => {}
                    _ => bounds(&format!("{at}/{name}"), value, refers, unbounded),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                bounds(&format!("{at}/{index}"), item, refers, unbounded);
            }
        }
        _ => {}
    }
}

#[test]
fn every_test_the_threat_model_names_is_there() {
    let model = fs::read_to_string(root().join("deploy/THREATS.md")).expect("the threat model");
    let code: String = [root().join("src"), root().join("tests")]
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .map(|file| fs::read_to_string(file).expect("a file"))
        .collect();
    let rows: Vec<&str> =
        model.lines().filter(|line| line.starts_with("| ") && line.matches('|').count() == 4).collect();
    let mut named = 0;
    for row in rows {
        let tests = row.split('|').nth(3).unwrap_or_default();
        assert!(tests.trim() == "Test" || tests.contains('`'), "no test stands behind: {row}");
        for name in tests.split('`').skip(1).step_by(2) {
            assert!(code.contains(&format!("fn {name}(")), "`{name}` is named by the threat model and is not there");
            named += 1;
        }
    }
    assert!(named > 40, "only {named} tests are named");
}
