//! Two replicas of the service on one PostgreSQL database: a caller cannot tell which one answers.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    cluster::Cluster,
    support::{Service, read_json},
};

async fn two() -> (Service, Service, TempDir) {
    let database = Cluster::shared().database().await;
    let keys = tempfile::tempdir().expect("a directory");
    let a = Service::replica(&database.url, keys.path()).await;
    let b = Service::replica(&database.url, keys.path()).await;
    (a, b, keys)
}

async fn read(service: &Service, path: &str) -> Value {
    let answer = service.call(CallerRole::MonitoringOfficer, Method::GET, path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

/// With its tag.
async fn read_register(service: &Service) -> (Value, String) {
    let answer = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    (answer.body, answer.headers["etag"].to_str().expect("a tag").to_owned())
}

fn question() -> Value {
    json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    })
}

#[tokio::test]
async fn what_one_replica_acknowledged_every_replica_answers_by() {
    let (a, b, _keys) = two().await;
    let mut register = read_json("tests/api/cases/th52.json")["register"].clone();
    let put = a.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&register)).await;
    assert_eq!(put.status, 201);
    let document = json!({"id": "doc-1", "kind": "correspondence", "held_by": "council"});
    assert_eq!(a.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-1", Some(&document)).await.status, 201);
    let (by_a, by_b) = (read_register(&a).await, read_register(&b).await);
    assert!(by_a == by_b, "the register or its tag is another");

    // Decided by one, read and proved by the other.
    let decided = b.ask(&question()).await;
    assert_eq!(decided.status, 200, "{}", decided.body);
    let id = decided.body["id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/decisions/{id}");
    assert_eq!(read(&a, &path).await["log"], decided.body["log"]);
    assert_eq!(read(&a, &format!("{path}/proof")).await["index"], decided.body["log"]["index"]);

    // Who lost the post by one replica can no longer determine by the other.
    let determination = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "doc-1", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "As decided."
    });
    assert_eq!(b.determine(&determination).await.status, 201);
    let people = register["people"].as_array_mut().expect("people");
    let officer = people.iter_mut().find(|person| person["id"] == "o-mo").expect("there");
    officer["posts"] = json!([]);
    a.put_person(officer).await;
    assert_eq!(b.determine(&determination).await.status, 403);
}

#[tokio::test]
async fn an_idempotency_key_gives_the_first_answer_by_any_replica() {
    let (a, b, _keys) = two().await;
    let document = json!({"id": "doc-1", "kind": "correspondence", "held_by": "council"});
    assert_eq!(a.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-1", Some(&document)).await.status, 201);
    let key = crate::support::key(CallerRole::Pep);
    let mut answers = Vec::new();
    for service in [&a, &b] {
        let sent = [("Idempotency-Key", "once")];
        answers.push(service.call_with(Some(&key), Method::POST, "/v1/decisions", Some(&question()), &sent).await);
    }
    assert_eq!(answers[0].status, 200, "{}", answers[0].body);
    assert_eq!(answers[0].body, answers[1].body);
}
