//! The guides for integrators and officers, done as they say: every message is sent to the demonstration council, in order,
//! and every answer shown is the answer given.
//!
//! The opening line of a block, which a reader of the page does not see, says what to do with it:
//! `json POST /v1/decisions as officer with Idempotency-Key K gives 409 keeps NAME=/pointer`, `json answer`,
//! `http as officer` (method and address are the text).

use std::collections::BTreeMap;

use reqwest::{Client, Method};
use serde_json::Value;

use crate::{
    demonstration::{self as demo, Demo},
    guide::{Block, blocks, differences},
};

struct Reader<'d> {
    demo: &'d Demo,
    client: Client,
    /// Ids that a guide calls by a name in capitals.
    names: BTreeMap<String, String>,
    last: Value,
    sent: usize,
    compared: usize,
}

impl Reader<'_> {
    fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (name, id)| text.replace(name, id))
    }

    async fn follow(&mut self, block: &Block) {
        let text = self.named(&block.text);
        let json = || serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", block.place));
        match (block.kind.as_str(), block.says.as_str()) {
            ("json", "answer") => {
                let found = differences(&self.last, &json());
                assert!(found.is_empty(), "{}: the answer is otherwise:\n{}", block.place, found.join("\n"));
                self.compared += 1;
            }
            ("json", says) => {
                let (what, rest) = says.split_once(" as ").unwrap_or_else(|| panic!("{}: of no use", block.place));
                self.send(block, what, rest, Some(json())).await;
            }
            ("http", says) => {
                let role = says.strip_prefix("as ").unwrap_or_else(|| panic!("{}: of no use", block.place));
                self.send(block, text.trim(), role, None).await;
            }
            ("sh", "") => {}
            (kind, says) => panic!("{}: nobody tries `{kind} {says}`", block.place),
        }
    }

    async fn send(&mut self, block: &Block, what: &str, rest: &str, body: Option<Value>) {
        let (method, path) = what.split_once(' ').expect("a method and an address");
        let mut words = rest.split(' ');
        let role = words.next().expect("a role");
        let address = format!("{}{}", self.demo.url, self.named(path));
        let method: Method = method.parse().expect("a method");
        let mut request = self.client.request(method, &address).bearer_auth(self.demo.token(role));
        let (mut status, mut kept) = (200..300, Vec::new());
        while let Some(word) = words.next() {
            match word {
                "with" => {
                    let (name, value) = (words.next().expect("a header"), words.next().expect("its value"));
                    request = request.header(name, value);
                }
                "gives" => {
                    let one: u16 = words.next().and_then(|word| word.parse().ok()).expect("a status");
                    status = one..one + 1;
                }
                "keeps" => kept.extend(words.by_ref()),
                other => panic!("{}: `{other}`", block.place),
            }
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let (given, told) = (answer.status().as_u16(), answer.text().await.expect("text"));
        assert!(status.contains(&given), "{}: {given} {told}", block.place);
        // An export is lines of JSON, and nothing comes of a release.
        self.last = serde_json::from_str(&told).unwrap_or(Value::Null);
        self.sent += 1;
        for pair in kept {
            let (name, pointer) = pair.split_once('=').expect("a name and a pointer");
            let id = self.last.pointer(pointer).and_then(Value::as_str);
            let id = id.unwrap_or_else(|| panic!("{}: no {pointer} in {told}", block.place));
            self.names.insert(name.to_owned(), id.to_owned());
        }
    }
}

/// Follows a guide from its beginning; gives how many messages were sent and how many answers compared.
async fn followed(guide: &str) -> (usize, usize) {
    let home = tempfile::tempdir().expect("a directory");
    let demo = demo::start(home.path());
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let mut reader = Reader { demo: &demo, client, names: BTreeMap::new(), last: Value::Null, sent: 0, compared: 0 };
    for block in blocks(guide) {
        reader.follow(&block).await;
    }
    (reader.sent, reader.compared)
}

#[tokio::test]
async fn an_integrator_gets_what_the_guide_promises() {
    let (sent, compared) = followed("deploy/INTEGRATING.md").await;
    assert!(sent >= 7 && compared >= 6, "{sent} sent, {compared} compared");
}

#[tokio::test]
async fn an_officer_gets_what_the_guide_promises() {
    let (sent, compared) = followed("deploy/OFFICERS.md").await;
    assert!(sent >= 15 && compared >= 6, "{sent} sent, {compared} compared");
}

/// A duty that the guide does not tell of would be met by nobody's program.
#[test]
fn the_guide_and_both_examples_know_every_duty() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    let schema: Value = serde_json::from_str(&read("schemas/obligation.json")).expect("JSON");
    let duties = schema["properties"]["type"]["enum"].as_array().expect("an enumeration");
    assert!(duties.len() > 10);
    for duty in duties {
        let duty = duty.as_str().expect("a word");
        assert!(read("deploy/INTEGRATING.md").contains(&format!("`{duty}`")), "the guide does not tell of {duty}");
        for file in ["deploy/examples/python/pep.py", "deploy/examples/csharp/Pep.cs"] {
            assert!(read(file).contains(&format!("\"{duty}\"")), "{file} does not know {duty}");
        }
    }
}

#[test]
fn every_link_of_the_guides_leads_somewhere() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &std::path::Path| std::fs::read_to_string(file).ok();
    let mut broken = Vec::new();
    let mut followed = 0;
    for guide in
        ["README.md", "deploy/INTEGRATING.md", "deploy/OFFICERS.md", "policies/AUTHORING.md", "tests/README.md"]
    {
        let here = root.join(guide);
        let text = read(&here).expect("the guide");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.starts_with("http") {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { here.clone() } else { here.with_file_name(path) };
            let there =
                file.exists() && (anchor.is_empty() || read(&file).is_some_and(|text| has_heading(&text, anchor)));
            if !there {
                broken.push(format!("{guide}: {target}"));
            }
            followed += 1;
        }
    }
    assert!(broken.is_empty() && followed > 20, "{followed} followed, broken: {broken:?}");
}

/// Whether a page has a heading of that anchor, as forges make them.
fn has_heading(text: &str, anchor: &str) -> bool {
    let slug = |heading: &str| {
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        kept.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect::<String>()
    };
    text.lines().filter(|line| line.starts_with('#')).any(|line| slug(line.trim_start_matches('#')) == anchor)
}
