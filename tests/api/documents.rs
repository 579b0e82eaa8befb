//! Documents: registered once, never overridden by whoever asks.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, read_json};

#[tokio::test]
async fn a_registered_document_is_named_by_id_and_not_overridden() {
    let service = Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await;
    let document = json!({"id": "edrms:2026/0117", "kind": "report", "held_by": "council", "business": [],
                          "classification": {"access": "open"}});
    let path = "/v1/documents/edrms:2026/0117";
    let ask = |document: Value| json!({"principal": {"type": "public"}, "action": "read", "document": document});
    let by_id = ask(json!({"id": "edrms:2026/0117"}));
    assert_eq!(service.ask(&by_id).await.status, 404);
    assert_eq!(service.call(CallerRole::Registrar, Method::PUT, path, Some(&document)).await.status, 201);
    assert_eq!(service.call(CallerRole::Registrar, Method::PUT, path, Some(&document)).await.status, 200);
    assert_eq!(service.call(CallerRole::Registrar, Method::GET, path, None).await.body, document);
    assert_eq!(service.ask(&by_id).await.status, 200);
    assert_eq!(service.ask(&ask(document.clone())).await.status, 200, "saying the same is allowed");
    let mut other = document.clone();
    other["published_at"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(service.ask(&ask(other)).await.status, 409);
    assert_eq!(service.call(CallerRole::Registrar, Method::DELETE, path, None).await.status, 204);
    assert_eq!(service.call(CallerRole::Registrar, Method::DELETE, path, None).await.status, 404);
}

#[tokio::test]
async fn a_document_must_bear_the_id_of_its_address_and_say_more_than_its_id() {
    let service = Service::start("th52").await;
    let other = json!({"id": "other", "kind": "report", "held_by": "council"});
    let answer = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/one", Some(&other)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!("/id")));
    let bare = json!({"id": "one"});
    assert_eq!(service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/one", Some(&bare)).await.status, 400);
    let twice = json!({"id": "one", "kind": "report", "held_by": "council", "parts": [{"id": "a"}, {"id": "a"}]});
    let answer = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/one", Some(&twice)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!("/parts/1/id")));
}

#[tokio::test]
async fn documents_are_listed_by_kind_and_body() {
    let service = Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await;
    for (id, kind, body) in [("a", "report", "cabinet"), ("b", "minutes", "cabinet"), ("c", "report", "licensing")] {
        let document = json!({"id": id, "kind": kind, "held_by": "council",
                              "business": [{"body": body, "meeting": "m", "status": "to_be_transacted"}]});
        let path = format!("/v1/documents/{id}");
        let answer = service.call(CallerRole::Registrar, Method::PUT, &path, Some(&document)).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
    }
    let ids = |query: &'static str| {
        let service = &service;
        async move {
            let path = format!("/v1/documents{query}");
            let body = service.call(CallerRole::Registrar, Method::GET, &path, None).await.body;
            body["items"].as_array().expect("items").iter().map(|d| d["id"].to_string()).collect::<Vec<_>>().join(",")
        }
    };
    assert_eq!(ids("").await, r#""a","b","c""#);
    assert_eq!(ids("?kind=report").await, r#""a","c""#);
    assert_eq!(ids("?body=cabinet").await, r#""a","b""#);
    assert_eq!(ids("?kind=report&body=licensing").await, r#""c""#);
}

/// What is read can be written back as it is.
#[tokio::test]
async fn a_document_read_back_is_a_document() {
    let service = Service::start("th52").await;
    let document = json!({
        "id": "doc:sealed", "kind": "report", "held_by": "council",
        "classification": {"access": "confidential", "confidential": {"limb": "enactment_or_court"}}
    });
    let put = async |document: &Value| {
        service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc:sealed", Some(document)).await
    };
    let first = put(&document).await;
    assert_eq!(first.status, 201, "{}", first.body);
    let read = service.call(CallerRole::Registrar, Method::GET, "/v1/documents/doc:sealed", None).await;
    let second = put(&read.body).await;
    assert_eq!(second.status, 200, "{}", second.body);
    // An address that is no id bears no document.
    let path = format!("/v1/documents/{}", "0".repeat(201));
    let long = service.call(CallerRole::Registrar, Method::PUT, &path, Some(&document)).await;
    assert_eq!(long.status, 400, "{}", long.body);
}
