//! Every example of the description is true: valid, and answered as it says by the demonstration council.

use std::{fs, path::PathBuf};

use pinkpaper::http::schemas::Schemas;
use serde_json::Value;

#[test]
fn the_example_files_of_every_message_are_as_named() {
    let schemas = Schemas::load().expect("the schemas load");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("schemas/examples");
    let mut seen = 0;
    for folder in fs::read_dir(&root).expect("examples/").map(|e| e.expect("an entry").path()) {
        let message = folder.file_name().expect("a name").to_string_lossy().into_owned();
        for (sort, valid) in [("valid", true), ("invalid", false)] {
            for file in fs::read_dir(folder.join(sort)).into_iter().flatten().map(|e| e.expect("an entry").path()) {
                let value: Value = serde_json::from_str(&fs::read_to_string(&file).expect("a file")).expect("JSON");
                let faults = check(&schemas, &message, &value);
                assert_eq!(faults.is_empty(), valid, "{}: {faults:?}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 150, "only {seen} examples");
}

/// Faults of a value against any schema file, whether or not the service takes it as a message.
fn check(schemas: &Schemas, message: &str, value: &Value) -> Vec<String> {
    let name: String = message.split('-').map(|w| w[..1].to_uppercase() + &w[1..]).collect();
    let components = &schemas.openapi()["components"];
    let document = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "components": components, "$ref": format!("#/components/schemas/{name}"),
    });
    let validator = jsonschema::options().should_validate_formats(true).build(&document).expect("a schema");
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}
