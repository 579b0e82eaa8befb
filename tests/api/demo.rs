//! What a newcomer does: start it, open the description, press "Execute" on every operation unedited.

use std::process::Command;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::{
    demonstration::{Demo, start},
    support::read_json,
};

/// A parameter's first example, or that of what it refers to.
fn example(description: &Value, parameter: &Value) -> (String, String, Option<String>) {
    let parameter = match parameter.get("$ref").and_then(Value::as_str) {
        Some(target) => description.pointer(target.trim_start_matches('#')).expect("resolves"),
        None => parameter,
    };
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let several = parameter.get("examples").and_then(Value::as_object).and_then(|all| all.values().next());
    let example = parameter.get("example").or(several.map(|first| &first["value"]));
    (text(&parameter["name"]), text(&parameter["in"]), example.map(text))
}

fn role_for(path: &str, method: &str) -> &'static str {
    match (path, method) {
        (p, "post") if p.ends_with("/replay") => "monitoring_officer",
        ("/v1/policies/reload", _) => "policy_admin",
        ("/metrics", _) => "operator",
        ("/v1/audience" | "/v1/enquiries", _) => "officer",
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

/// What of an answer is the same whenever it is asked.
fn lasting(answer: &Value) -> Value {
    let listed = |list: &str, member: &str| -> Value {
        answer[list].as_array().into_iter().flatten().map(|item| item[member].clone()).collect()
    };
    json!({
        "outcome": answer["outcome"], "held": answer["held"], "document": answer["document"], "parts": answer["parts"],
        "rules": listed("reasons", "rule"), "reasons": listed("reasons", "text"), "duties": listed("obligations", "text"),
        "put_to": answer["referral"]["to"], "headline": answer["told"]["headline"], "missing": answer["told"]["missing"],
    })
}

/// The answers shown in the description are those that the demonstration gives, but for what was tested, of which they
/// show some.
#[tokio::test]
async fn the_answers_in_the_description_are_real() {
    let home = tempfile::tempdir().expect("a directory");
    let demo = start(home.path());
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let description = read_json("schemas/openapi.json");
    let officer = demo.token("officer");
    let post = &description["paths"]["/v1/decisions"]["post"];
    let shown = &post["responses"]["200"]["content"]["application/json"]["examples"];
    let asked = &post["requestBody"]["content"]["application/json"]["examples"];
    for (question, answer) in [("allow", "allow"), ("redact", "redact"), ("brief", "deny"), ("deny", "held")] {
        let sent =
            client.post(format!("{}/v1/decisions", demo.url)).bearer_auth(officer).json(&asked[question]["value"]);
        let given: Value = sent.send().await.expect("answers").json().await.expect("JSON");
        let shown = &shown[answer]["value"];
        assert_eq!(lasting(&given), lasting(shown), "{answer}");
        let tested = shown["tested"].as_array().expect("a list");
        assert!(tested.iter().all(|test| given["tested"].as_array().expect("a list").contains(test)), "{answer}");
    }
    let query = "person=cllr-bennett&document=doc:cabinet-repairs-contract&capacity=councillor&ground=ward";
    let sent = client.get(format!("{}/v1/enquiries?{query}", demo.url)).bearer_auth(officer);
    let given: Value = sent.send().await.expect("answers").json().await.expect("JSON");
    let shown = "/paths/~1v1~1enquiries/get/responses/200/content/application~1json/examples/redact/value";
    assert_eq!(lasting(&given), lasting(description.pointer(shown).expect("shown")));
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

/// Whoever and whatever the description offers to choose from is there to be asked about.
#[tokio::test]
async fn every_person_and_paper_offered_to_choose_from_is_of_the_demonstration() {
    let home = tempfile::tempdir().expect("a directory");
    let demo = start(home.path());
    let client = pinkpaper::outbound::builder().build().expect("a client");
    let parameters = &read_json("schemas/openapi.json")["paths"]["/v1/enquiries"]["get"]["parameters"];
    let offered = |name: &str| -> Vec<String> {
        let parameter = parameters.as_array().expect("a list").iter().find(|parameter| parameter["name"] == name);
        let examples = parameter.expect("there")["examples"].as_object().expect("several");
        examples.values().map(|example| example["value"].as_str().expect("an id").to_owned()).collect()
    };
    for (collection, name) in [("register/people", "person"), ("documents", "document")] {
        let offered = offered(name);
        assert!(offered.len() > 3, "{name}");
        for id in offered {
            let asked = client.get(format!("{}/v1/{collection}/{id}", demo.url)).bearer_auth(demo.token("registrar"));
            assert_eq!(asked.send().await.expect("answers").status(), 200, "{id}");
        }
    }
}
