//! Bad input: every fault named at once, with its pointer, and nothing echoed.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, key};

fn pointers(body: &Value) -> Vec<&str> {
    body["errors"].as_array().map(|all| all.iter().filter_map(|e| e["pointer"].as_str()).collect()).unwrap_or_default()
}

#[tokio::test]
async fn every_fault_of_a_body_is_named_at_once() {
    let service = Service::start("th52").await;
    let request = json!({
        "principal": {"type": "person"}, "action": "peek", "colour": "pink",
        "document": {"id": "doc one", "kind": "report"}, "routine": "yes"
    });
    let answer = service.ask(&request).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.headers["content-type"], "application/problem+json");
    let told = pointers(&answer.body);
    for pointer in ["/action", "/colour", "/document/held_by", "/document/id", "/principal/id", "/routine"] {
        assert!(told.contains(&pointer), "{pointer} is not among {told:?}");
    }
    assert!(!answer.body.to_string().contains("peek"), "what was sent is not echoed");
}

#[tokio::test]
async fn strict_json_is_asked_for() {
    let service = Service::start("th52").await;
    let send = |kind: &'static str, body: &'static [u8]| {
        let service = &service;
        async move { service.send(CallerRole::Pep, Method::POST, "/v1/decisions", kind, body).await }
    };
    let twice = send("application/json", br#"{"action": "read", "action": "use"}"#).await;
    assert_eq!((twice.status.as_u16(), pointers(&twice.body)), (400, vec!["/action"]));
    assert_eq!(send("application/json", b"{").await.status, 400);
    assert_eq!(send("application/json", b"").await.status, 400);
    assert_eq!(send("application/json", b"[[[[[[]]]]]]").await.status, 400);
    assert_eq!(send("text/plain", b"{}").await.status, 415);
    let deep = vec![b'['; 100_000];
    assert_eq!(
        service.send(CallerRole::Pep, Method::POST, "/v1/decisions", "application/json", &deep).await.status,
        400
    );
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let service = Service::start("th52").await;
    let large = vec![b' '; (1 << 20) + 1];
    let answer = service.send(CallerRole::Pep, Method::POST, "/v1/decisions", "application/json", &large).await;
    assert_eq!(answer.status, 413);
    let larger = vec![b' '; (16 << 20) + 1];
    let answer = service.send(CallerRole::Pep, Method::POST, "/v1/decisions/batch", "application/json", &larger).await;
    assert_eq!((answer.status.as_u16(), &answer.body["status"]), (413, &json!(413)));
}

#[tokio::test]
async fn unknown_addresses_methods_and_parameters_are_problems_too() {
    let service = Service::start("th52").await;
    let key = key(CallerRole::MonitoringOfficer);
    for (method, path, status) in [
        (Method::GET, "/v1/nothing", 404),
        (Method::GET, "/v1/log/colours", 404),
        (Method::DELETE, "/v1/decisions", 405),
        (Method::GET, "/v1/decisions?colour=pink", 400),
        (Method::GET, "/v1/decisions?limit=0", 400),
        (Method::GET, "/v1/decisions?limit=1&limit=2", 400),
        (Method::GET, "/v1/decisions?cursor=%21", 400),
        (Method::GET, "/v1/decisions?cursor=AA", 400),
        (Method::GET, "/v1/decisions?rule=%00", 400),
        (Method::GET, "/v1/register/colours", 404),
    ] {
        let answer = service.call_with(Some(&key), method.clone(), path, None, &[]).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{method} {path}");
        assert_eq!(answer.body["status"], status);
    }
}

#[tokio::test]
async fn the_request_id_comes_back() {
    let service = Service::start("th52").await;
    let key = key(CallerRole::Pep);
    let sent = service.call_with(Some(&key), Method::GET, "/v1/profile", None, &[("X-Request-ID", "abc-1")]).await;
    assert_eq!(sent.headers["x-request-id"], "abc-1");
    let made = service.call_with(Some(&key), Method::GET, "/v1/profile", None, &[]).await;
    assert!(made.headers["x-request-id"].len() > 10);
}

#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_not_given() {
    use sqlx::Connection;
    let service = Service::start("th52").await;
    let question = json!({"principal": {"type": "public"}, "action": "read",
                          "document": {"id": "a", "kind": "report", "held_by": "council"}});
    assert_eq!(service.ask(&question).await.status, 200);
    let address = format!("sqlite://{}", service.database.display());
    let mut other = sqlx::SqliteConnection::connect(&address).await.expect("a second connection");
    let full = "CREATE TRIGGER disk_full BEFORE INSERT ON log_leaf BEGIN SELECT RAISE(ABORT, 'full'); END";
    sqlx::query(full).execute(&mut other).await.expect("the log is spoilt");
    let refused = service.ask(&question).await;
    assert_eq!(refused.status, 503);
    assert!(refused.body.get("outcome").is_none(), "no outcome: {}", refused.body);
    assert!(refused.headers.contains_key("retry-after"));
    sqlx::query("DROP TRIGGER disk_full").execute(&mut other).await.expect("mended");
    assert_eq!(service.ask(&question).await.status, 200, "and it recovers");
}

/// A restriction that passes strict validation and fails when it is evaluated: Cedar would skip it and allow.
const FAILING: &str = r#"// Overflows.
@id("a-restriction-that-fails")
@role("bar")
@layer("protocol")
@title("A restriction that fails")
@reason("None.")
@since("2026-11-22")
@status("adopted")
forbid (principal, action, resource)
when { context has business && context.business has clear_days_to_meeting }
when { context.business.clear_days_to_meeting + 9223372036854775807 > 0 };
"#;

#[tokio::test]
async fn a_rule_that_cannot_be_evaluated_withholds_everything_and_refers() {
    let mut files = pinkpaper::pap::PolicyFiles::shipped();
    files.0.insert("restrictions/a-restriction-that-fails.cedar".to_owned(), FAILING.to_owned());
    let profile = files.0.get_mut("profiles/th52.json").expect("the profile");
    let selected = "\"rules\": [{\"policy\": \"a-restriction-that-fails\", \"rule\": \"X\", \"paragraph\": \"0\"},";
    *profile = profile.replacen("\"rules\": [", selected, 1);
    let service = Service::with_policies("th52", &files).await;
    let cast = crate::support::read_json("tests/api/cases/th52.json");
    service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&cast["register"])).await;
    let open_paper = &cast["cases"][0]["request"];
    let answer = service.ask(open_paper).await;
    assert_eq!(answer.status, 200);
    assert_eq!((&answer.body["outcome"], &answer.body["held"]), (&json!("deny"), &json!(true)), "{}", answer.body);
    assert_eq!(answer.body["referral"]["to"][0], "monitoring_officer");
    let sound = Service::with_register("th52", &cast["register"]).await;
    assert_eq!(sound.ask(open_paper).await.body["outcome"], "allow", "without it the paper is open");
}
