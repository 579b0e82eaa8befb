//! What a newcomer does: start it, open the description, press "Execute" on every operation unedited.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::{Client, Method};
use serde_json::Value;

/// The program itself, as `cargo run` starts it, in a directory of its own.
pub struct Demo {
    process: Child,
    url: String,
    tokens: Vec<(String, String)>,
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

pub fn start(home: &std::path::Path) -> Demo {
    let mut process = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .current_dir(home)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut url = String::new();
    let mut tokens = Vec::new();
    for line in lines.by_ref().map_while(Result::ok) {
        if let Some(at) = line.find("http://") {
            url = line[at..].trim_end_matches("/docs/").to_owned();
        }
        if let Some(at) = line.find("pp_") {
            let token = line[at..].split_whitespace().next().expect("a token").to_owned();
            tokens.push((line[..at].trim().to_owned(), token));
        }
        if tokens.len() == 8 {
            break;
        }
    }
    Demo { process, url, tokens }
}

impl Demo {
    fn token(&self, role: &str) -> &str {
        &self.tokens.iter().find(|(name, _)| name == role).expect("a token for each role").1
    }
}

/// A parameter's example, or that of what it refers to.
fn example(description: &Value, parameter: &Value) -> (String, String, Option<String>) {
    let parameter = match parameter.get("$ref").and_then(Value::as_str) {
        Some(target) => description.pointer(target.trim_start_matches('#')).expect("resolves"),
        None => parameter,
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    (text(&parameter["name"]), text(&parameter["in"]), parameter.get("example").map(text))
}

fn role_for(path: &str, method: &str) -> &'static str {
    match (path, method) {
        (p, "post") if p.ends_with("/replay") => "monitoring_officer",
        (p, "post") if p.starts_with("/v1/decisions") => "pep",
        (p, _) if p.starts_with("/v1/register") || p.starts_with("/v1/documents") => "registrar",
        _ => "monitoring_officer",
    }
}

#[tokio::test]
async fn every_operation_succeeds_unedited_on_the_demonstration_council() {
    let home = tempfile::tempdir().expect("a directory");
    let demo = start(home.path());
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let get = |path: &str| client.get(format!("{}{path}", demo.url)).send();
    let description: Value =
        serde_json::from_slice(&get("/openapi.json").await.expect("answers").bytes().await.expect("bytes"))
            .expect("JSON");
    assert_eq!(get("/docs/").await.expect("answers").status(), 200);
    let paths = description["paths"].as_object().expect("paths");
    // Reading first, then writing, deleting last, as one would.
    for verb in ["get", "post", "put", "delete"] {
        for (path, item) in paths {
            let Some(operation) = item.get(verb) else { continue };
            execute(&demo, &client, &description, path, verb, operation).await;
        }
    }
}

async fn execute(demo: &Demo, client: &Client, description: &Value, path: &str, verb: &str, operation: &Value) {
    let mut address = path.to_owned();
    let mut query = Vec::new();
    let mut headers = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let (name, place, example) = example(description, parameter);
        match (place.as_str(), example) {
            ("path", Some(example)) => address = address.replace(&format!("{{{name}}}"), &example),
            ("header", Some(example)) => headers.push((name, example)),
            ("query", Some(example)) => query.push(format!("{name}={}", example.replace(' ', "%20"))),
            _ => {}
        }
    }
    let address = format!("{}{address}?{}", demo.url, query.join("&"));
    let bodies: Vec<Value> = operation
        .pointer("/requestBody/content/application~1json/examples")
        .and_then(Value::as_object)
        .map(|examples| examples.values().map(|example| example["value"].clone()).collect())
        .or_else(|| operation.pointer("/requestBody/content/application~1json/example").map(|e| vec![e.clone()]))
        .unwrap_or_else(|| vec![Value::Null]);
    assert!(!bodies.is_empty(), "{verb} {path} has no example");
    for body in bodies {
        let method: Method = verb.to_uppercase().parse().expect("a method");
        let mut request = client.request(method, &address).bearer_auth(demo.token(role_for(path, verb)));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let told = answer.text().await.expect("a body");
        assert!(status.is_success(), "{verb} {path}: {status} {told}\n{body:#}");
    }
}

#[tokio::test]
async fn a_second_start_keeps_the_data_and_the_first_start_is_guarded() {
    let home = tempfile::tempdir().expect("a directory");
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let count = |demo: &Demo| {
        let request = client.get(format!("{}/v1/decisions", demo.url)).bearer_auth(demo.token("monitoring_officer"));
        async move {
            let bytes = request.send().await.expect("answers").bytes().await.expect("bytes");
            let body: Value = serde_json::from_slice(&bytes).expect("JSON");
            body["items"].as_array().expect("items").len()
        }
    };
    let first = start(home.path());
    assert_eq!(count(&first).await, 3, "the demonstration asks three questions");
    let second = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .current_dir(home.path())
        .output()
        .expect("runs");
    assert!(!second.status.success(), "two processes on one database");
    drop(first);
    assert_eq!(count(&start(home.path())).await, 3, "nothing is loaded twice");
}

#[test]
fn the_demonstration_keeps_to_this_machine() {
    let home = tempfile::tempdir().expect("a directory");
    let refused = |plain: &str| {
        let run = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
            .args(["demo", "--listen", "0.0.0.0:0"])
            .env("PINKPAPER_TLS__PLAIN_HTTP", plain)
            .current_dir(home.path())
            .output()
            .expect("runs");
        assert!(!run.status.success() && run.stdout.is_empty(), "it started");
        String::from_utf8_lossy(&run.stderr).into_owned()
    };
    assert!(refused("false").contains("tls.plain_http"));
    assert!(refused("true").contains("the demonstration listens on a loopback address only"));
}
