//! The cast and the papers of the tables.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

use jiff::Timestamp;
use pinkpaper::{
    domain::relative::resolve,
    pap::{Bundle, PolicyFiles},
};
use serde_json::Value;

pub static NOW: LazyLock<Timestamp> = LazyLock::new(|| "2026-11-18T12:00:00Z".parse().expect("a time"));

pub static FILES: LazyLock<PolicyFiles> =
    LazyLock::new(|| PolicyFiles::read(&root().join("policies")).expect("the policies can be read"));

pub static BUNDLE: LazyLock<Arc<Bundle>> =
    LazyLock::new(|| Arc::new(Bundle::load(&FILES).unwrap_or_else(|error| panic!("the bundle is refused: {error}"))));

pub static WORLD: LazyLock<World> = LazyLock::new(World::read);

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Register and papers as JSON, so that a row can change a member.
pub struct World {
    pub register: Value,
    pub papers: BTreeMap<String, Value>,
}

impl World {
    fn read() -> Self {
        let here = root().join("tests/policy");
        let register = read_json(&here.join("cast.json"));
        let mut raw: BTreeMap<String, Value> = BTreeMap::new();
        for file in fs::read_dir(here.join("papers")).expect("papers/ exists").map(|e| e.expect("an entry").path()) {
            let Value::Object(papers) = read_json(&file) else { panic!("{} is no object", file.display()) };
            for (id, paper) in papers {
                assert!(raw.insert(id.clone(), paper).is_none(), "paper `{id}` stands twice");
            }
        }
        let papers = raw.keys().map(|id| (id.clone(), inherit(id, &raw))).collect();
        Self { register, papers }
    }
}

pub fn read_json(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    resolve(&mut value, *NOW).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    value
}

/// A paper with the members of the one it is `like`.
fn inherit(id: &str, raw: &BTreeMap<String, Value>) -> Value {
    let own = raw.get(id).unwrap_or_else(|| panic!("no paper `{id}`")).as_object().expect("a paper is an object");
    let mut paper = match own.get("like").and_then(Value::as_str) {
        Some(like) => inherit(like, raw),
        None => serde_json::json!({}),
    };
    let members = paper.as_object_mut().expect("an object");
    for (name, value) in own.iter().filter(|(name, _)| *name != "like") {
        members.insert(name.clone(), value.clone());
    }
    members.insert("id".to_owned(), Value::String(id.to_owned()));
    paper
}
