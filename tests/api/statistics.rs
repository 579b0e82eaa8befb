//! Decisions counted for release, and taken out as a table for those who asked about one document or one rule.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Service;

/// A paper that anyone may read, or one that nobody has classified.
fn question(document: &str, published: bool) -> Value {
    let mut paper = json!({"id": document, "kind": "report", "held_by": "council"});
    if published {
        paper["council_business"] = json!(true);
        paper["published_at"] = json!("2026-01-20T09:00:00Z");
        paper["classification"] =
            json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-01-19T09:00:00Z"});
    }
    json!({"principal": {"type": "public"}, "action": "read", "document": paper})
}

async fn ask(service: &Service, document: &str, published: bool, times: usize) {
    for _ in 0..times {
        let answer = service.ask(&question(document, published)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

async fn read(service: &Service, query: &str) -> Value {
    let path = format!("/v1/log/statistics?{query}");
    let answer = service.call(CallerRole::InformationGovernance, Method::GET, &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

#[tokio::test]
async fn decisions_are_counted_by_outcome_rule_and_document() {
    let service = Service::start("baseline").await;
    ask(&service, "doc-open", true, 7).await;
    ask(&service, "doc-closed", false, 6).await;
    let all = read(&service, "").await;
    assert_eq!((&all["decisions"], &all["outcomes"]), (&json!(13), &json!({"allow": 7, "redact": 0, "deny": 6})));
    let months = all["months"].as_array().expect("months");
    assert_eq!(months.len(), 12);
    assert_eq!(months[11]["outcomes"], json!({"allow": 7, "redact": 0, "deny": 6}));
    assert_eq!(months[0]["outcomes"], json!({"allow": 0, "redact": 0, "deny": 0}));
    assert_eq!((&all["actions"]["read"], &all["rules"]["F-1"]), (&json!(13), &json!(7)));

    let one = read(&service, "document=doc-closed").await;
    assert_eq!((&one["decisions"], &one["outcomes"]["deny"]), (&json!(6), &json!(6)));
    let rule = read(&service, "rule=F-1").await;
    assert_eq!((&rule["decisions"], &rule["outcomes"]["allow"]), (&json!(7), &json!(7)));
    for path in ["/v1/decisions", "/v1/log/export"] {
        let path = format!("{path}?from=2026-12-01&to=2026-01-01");
        let refused = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["pointer"]), (400, &json!("from")), "{path}");
    }
    let before = read(&service, "from=2020-01&to=2020-12").await;
    assert_eq!((&before["decisions"], &before["rules"]), (&json!(0), &json!({})));
}

#[tokio::test]
async fn small_numbers_are_left_out_with_what_would_give_them_away() {
    let service = Service::start("baseline").await;
    ask(&service, "doc-open", true, 7).await;
    ask(&service, "doc-closed", false, 2).await;
    let all = read(&service, "").await;
    // Of seven and two, and nine in all, one alone would be worked out.
    assert_eq!((&all["decisions"], &all["outcomes"]), (&json!(9), &json!({"allow": null, "redact": 0, "deny": null})));
    assert_eq!(all["rules"]["F-1"], Value::Null, "seven of nine leaves two");
    let table = service.client.get(format!("{}/v1/log/statistics?format=csv", service.url));
    let table = table.bearer_auth(crate::support::key(CallerRole::MonitoringOfficer)).send().await.expect("answers");
    assert_eq!(table.headers()["content-type"], "text/csv; charset=utf-8");
    let table = table.text().await.expect("text");
    assert!(table.starts_with("count,of,decisions\r\ndecisions,,9\r\noutcome,allow,\r\n"), "{table}");
}

#[tokio::test]
async fn only_those_who_may_take_the_log_count_it_and_it_is_on_record() {
    let service = Service::start("baseline").await;
    for role in CallerRole::ALL {
        let may = matches!(role, CallerRole::MonitoringOfficer | CallerRole::InformationGovernance);
        let status = service.call(*role, Method::GET, "/v1/log/statistics", None).await.status;
        assert_eq!(status, if may { 200 } else { 403 }, "{role}");
    }
    let log = service.client.get(format!("{}/v1/log/export", service.url));
    let log = log.bearer_auth(crate::support::key(CallerRole::MonitoringOfficer)).send().await.expect("answers");
    let readings = log.text().await.expect("text").lines().filter(|line| line.contains("\"statistics\"")).count();
    assert_eq!(readings, 2);
    for (query, name) in [
        ("from=2026", "from"),
        ("to=2026-13", "to"),
        ("from=2026-03&to=2026-02", "from"),
        ("from=2020-01&to=2026-02", "from"),
        ("document=a b", "document"),
        ("rule=", "rule"),
        ("person=b1", "person"),
        ("format=pdf", "format"),
    ] {
        let path = format!("/v1/log/statistics?{query}");
        let refused = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["pointer"]), (400, &json!(name)), "{query}");
    }
}

#[tokio::test]
async fn what_was_decided_about_one_document_or_by_one_rule_is_a_table() {
    let service = Service::start("baseline").await;
    ask(&service, "doc-open", true, 2).await;
    ask(&service, "doc-closed", false, 1).await;
    let take = async |query: &str| {
        let path = format!("{}/v1/log/export?view=foi&format=csv&{query}", service.url);
        let request = service.client.get(path).bearer_auth(crate::support::key(CallerRole::InformationGovernance));
        request.send().await.expect("answers").text().await.expect("text")
    };
    // An enquiry decides nothing.
    let paper = json!({"id": "doc-asked", "kind": "report", "held_by": "council"});
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-asked", Some(&paper)).await;
    assert_eq!(put.status, 201, "{}", put.body);
    let asked = "/v1/enquiries?as=public&document=doc-asked";
    assert_eq!(service.call(CallerRole::Officer, Method::GET, asked, None).await.status, 200);
    for (query, rows) in [
        ("document=doc-open", 2),
        ("document=doc-closed", 1),
        ("document=doc-asked", 0),
        ("rule=F-1", 2),
        ("rule=F-1&document=doc-closed", 0),
        ("rule=none", 0),
    ] {
        let table = take(query).await;
        assert_eq!(table.lines().count(), rows + 1, "{query}: {table}");
    }
    let refused = service
        .call(CallerRole::MonitoringOfficer, Method::GET, "/v1/log/export?view=foi&document=doc-open", None)
        .await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["pointer"]), (400, &json!("format")));
}
