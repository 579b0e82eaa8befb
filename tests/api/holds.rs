//! Holds over HTTP: placed, looked at, released, and by whom.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, key, key_of, read_json};

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

fn hold(scope: Value) -> Value {
    json!({"kind": "foi", "reference": "FOI 2026/0412", "reason": "The review of the request is not over.", "scope": scope})
}

async fn place(service: &Service, hold: &Value) -> Answer {
    service.call(CallerRole::InformationGovernance, Method::POST, "/v1/holds", Some(hold)).await
}

async fn placed(service: &Service, scope: Value) -> String {
    let answer = place(service, &hold(scope)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["id"].as_str().expect("an id").to_owned()
}

async fn get(service: &Service, path: &str) -> Answer {
    service.call(CallerRole::MonitoringOfficer, Method::GET, path, None).await
}

async fn release(service: &Service, id: &str) -> Answer {
    service.call(CallerRole::MonitoringOfficer, Method::DELETE, &format!("/v1/holds/{id}"), None).await
}

/// How many entries the log has.
async fn entries(service: &Service) -> u64 {
    service.app.store.head().await.expect("readable").peaks.size()
}

#[tokio::test]
async fn a_hold_is_placed_looked_at_and_released() {
    let service = service().await;
    let asked = hold(json!({"person": "b3", "from": "2026-01-01"}));
    let answer = place(&service, &asked).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let path = answer.headers["location"].to_str().expect("an address").to_owned();
    assert_eq!(path, format!("/v1/holds/{}", answer.body["id"].as_str().expect("an id")));
    for member in ["kind", "reference", "reason", "scope"] {
        assert_eq!(answer.body[member], asked[member], "{member}");
    }
    assert_eq!(
        (&answer.body["status"], &answer.body["placed_by"], &answer.body["keeps_until"]),
        (&json!("open"), &json!("test-information_governance"), &Value::Null)
    );
    assert_eq!(get(&service, &path).await.body, answer.body);
    let id = path.trim_start_matches("/v1/holds/");
    assert_eq!(release(&service, id).await.status, 204);
    let released = get(&service, &path).await.body;
    assert_eq!(released["status"], "released");
    let at = |member: &str| released[member].as_str().expect("a time").parse::<jiff::Timestamp>().expect("a time");
    let four_months = at("released_at").to_zoned(jiff::tz::TimeZone::get("Europe/London").expect("London"));
    let four_months = four_months.checked_add(jiff::ToSpan::months(4)).expect("a time").timestamp();
    assert_eq!(at("keeps_until"), four_months, "as the schedule says of requests for information");
    let again = release(&service, id).await;
    assert_eq!((again.status.as_u16(), &again.body["type"]), (409, &json!("/docs#already-released")));
    assert_eq!(get(&service, &path).await.body, released);
}

#[tokio::test]
async fn holds_are_listed_newest_first_and_by_their_state() {
    let service = service().await;
    let first = placed(&service, json!({"person": "b3"})).await;
    let second = placed(&service, json!({"document": "edrms:2026/0117"})).await;
    assert_eq!(release(&service, &first).await.status, 204);
    let listed = async |query: &str| {
        let page = get(&service, &format!("/v1/holds{query}")).await;
        assert_eq!(page.status, 200, "{query}: {}", page.body);
        let ids = page.body["items"].as_array().expect("items").iter().map(|item| item["id"].clone());
        (ids.collect::<Vec<_>>(), page.body["next_cursor"].clone())
    };
    assert_eq!(listed("").await.0, [json!(second), json!(first)]);
    assert_eq!(listed("?status=open").await.0, [json!(second)]);
    assert_eq!(listed("?status=released").await.0, [json!(first)]);
    let (page, cursor) = listed("?limit=1").await;
    assert_eq!(page, [json!(second)]);
    let cursor = cursor.as_str().expect("a next page").to_owned();
    assert_eq!(listed(&format!("?limit=1&cursor={cursor}")).await, (vec![json!(first)], Value::Null));
    for query in ["?status=closed", "?colour=pink"] {
        assert_eq!(get(&service, &format!("/v1/holds{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_scope_that_names_nothing_is_refused() {
    let service = service().await;
    for (scope, pointer) in [
        (json!({}), "/scope"),
        (json!({"decision": "no-such-decision"}), "/scope/decision"),
        (json!({"from": "2026-05-31", "to": "2026-05-01"}), "/scope/to"),
        (json!({"from": "yesterday"}), "/scope/from"),
        (json!({"outcome": "deny"}), "/scope/outcome"),
        (json!({"person": "Cllr B. One"}), "/scope/person"),
        (json!({"person": null}), "/scope/person"),
    ] {
        let answer = place(&service, &hold(scope.clone())).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!(pointer)), "{scope}");
    }
    let determination = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Needed."
    });
    let entry = service.determine(&determination).await.body["id"].clone();
    assert_eq!(place(&service, &hold(json!({"decision": entry}))).await.status, 400, "another entry is no decision");
    assert_eq!(get(&service, "/v1/holds").await.body["items"], json!([]), "and nothing is held");
    for path in ["no-such-hold", entry.as_str().expect("an id")] {
        assert_eq!(get(&service, &format!("/v1/holds/{path}")).await.status, 404);
        assert_eq!(release(&service, path).await.status, 404);
    }
}

#[tokio::test]
async fn only_those_who_answer_for_records_hold_and_erase_them() {
    let service = service().await;
    let id = placed(&service, json!({"person": "b3"})).await;
    let keepers = [CallerRole::InformationGovernance, CallerRole::MonitoringOfficer];
    let others = CallerRole::ALL.iter().filter(|role| !keepers.contains(role)).map(|role| key(*role));
    let erasure = json!({"decision": "d", "groups": "all", "outcome": "erased", "basis": "b", "authorised_by": "a"});
    let one = format!("/v1/holds/{id}");
    // A Monitoring Officer who calls as an officer is one.
    for key in others.chain([key_of("o-mo")]) {
        for (method, path, body) in [
            (Method::POST, "/v1/holds", Some(hold(json!({"person": "b3"})))),
            (Method::GET, "/v1/holds", None),
            (Method::GET, &one, None),
            (Method::DELETE, &one, None),
            (Method::POST, "/v1/log/erasures", Some(erasure.clone())),
        ] {
            let answer = service.call_with(Some(&key), method.clone(), path, body.as_ref(), &[]).await;
            assert_eq!(answer.status, 403, "{key} {method} {path}");
        }
    }
    assert_eq!(get(&service, &one).await.body["status"], "open");
}

#[tokio::test]
async fn the_same_key_places_one_hold() {
    let service = service().await;
    let (key, path) = (key(CallerRole::InformationGovernance), "/v1/holds");
    let send = async |body: &Value| {
        service.call_with(Some(&key), Method::POST, path, Some(body), &[("Idempotency-Key", "k-1")]).await
    };
    let first = send(&hold(json!({"person": "b3"}))).await;
    let again = send(&hold(json!({"person": "b3"}))).await;
    assert_eq!((again.status.as_u16(), &again.body), (201, &first.body));
    let other = send(&hold(json!({"person": "b4"}))).await;
    assert_eq!((other.status.as_u16(), &other.body["type"]), (409, &json!("/docs#key-reused")));
    assert_eq!(get(&service, path).await.body["items"].as_array().expect("items").len(), 1);
}

#[tokio::test]
async fn every_act_on_a_hold_is_an_entry() {
    let service = service().await;
    let before = entries(&service).await;
    let id = placed(&service, json!({"person": "b3"})).await;
    get(&service, &format!("/v1/holds/{id}")).await;
    get(&service, "/v1/holds").await;
    release(&service, &id).await;
    assert_eq!(entries(&service).await, before + 4);
    let raw = service.app.store.raw(before, 4).await.expect("readable");
    let leaves: Vec<String> = raw.into_iter().map(|entry| String::from_utf8(entry.leaf).expect("text")).collect();
    for (leaf, kind) in leaves.iter().zip(["hold", "log_read", "log_read", "hold_released"]) {
        assert!(leaf.contains(&format!(r#""kind":"{kind}""#)), "{leaf}");
        for private in ["\"b3\"", "FOI", "review", "governance"] {
            assert!(!leaf.contains(private), "`{private}` is in {leaf}");
        }
    }
}
