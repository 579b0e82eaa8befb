//! The register: whole and one by one, validated, atomic, versioned.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, key, read_json};

fn cast() -> Value {
    read_json("tests/api/cases/th52.json")["register"].clone()
}

#[tokio::test]
async fn a_register_is_written_whole_and_read_back() {
    let service = Service::start("th52").await;
    assert_eq!(service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await.status, 404);
    let first = service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&cast())).await;
    assert_eq!(first.status, 201);
    let again = service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&cast())).await;
    assert_eq!(again.status, 200);
    let read = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    assert_eq!(read.headers["etag"], again.headers["etag"]);
    assert_eq!(read.body["people"].as_array().map(Vec::len), cast()["people"].as_array().map(Vec::len));
}

#[tokio::test]
async fn if_match_is_honoured() {
    let service = Service::with_register("th52", &cast()).await;
    let read = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    let tag = read.headers["etag"].to_str().expect("a tag").to_owned();
    let put = |tag: String| {
        let service = &service;
        async move {
            let key = key(CallerRole::Registrar);
            let headers = [("If-Match", tag.as_str())];
            service.call_with(Some(&key), Method::PUT, "/v1/register", Some(&cast()), &headers).await.status.as_u16()
        }
    };
    assert_eq!(put(tag.clone()).await, 200);
    assert_eq!(put(tag).await, 412, "the version has moved on");
    assert_eq!(put("nonsense".to_owned()).await, 412);
}

#[tokio::test]
async fn a_faulty_register_changes_nothing() {
    let service = Service::with_register("th52", &cast()).await;
    let mut faulty = cast();
    faulty["people"][0]["kind"] = json!("king");
    faulty["colour"] = json!("pink");
    let answer = service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&faulty)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body["errors"].as_array().map(Vec::len), Some(2), "{}", answer.body);
    let mut twice = cast();
    twice["people"][1]["id"] = twice["people"][0]["id"].clone();
    let answer = service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&twice)).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!("/people/1/id")));
    let read = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    assert_eq!(read.body["people"][0]["kind"], "councillor");
}

#[tokio::test]
async fn single_objects_are_written_read_listed_and_deleted() {
    let service = Service::with_register("th52", &cast()).await;
    let ward = json!({"id": "quay", "name": "Quay"});
    let path = "/v1/register/wards/quay";
    let call = |method, path: &'static str, body: Option<Value>| {
        let service = &service;
        async move { service.call(CallerRole::Registrar, method, path, body.as_ref()).await }
    };
    assert_eq!(call(Method::PUT, path, Some(ward.clone())).await.status, 201);
    assert_eq!(call(Method::PUT, path, Some(ward.clone())).await.status, 200);
    assert_eq!(call(Method::GET, path, None).await.body, ward);
    assert_eq!(call(Method::PUT, "/v1/register/wards/other", Some(ward)).await.status, 400, "another id");
    let list = call(Method::GET, "/v1/register/wards?limit=2", None).await.body;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert!(list["next_cursor"].is_string());
    assert_eq!(call(Method::DELETE, path, None).await.status, 204);
    assert_eq!(call(Method::DELETE, path, None).await.status, 404);
    assert_eq!(call(Method::GET, path, None).await.status, 404);
}

/// Who belongs to which political group is special category data.
#[tokio::test]
async fn each_reading_of_people_is_on_record() {
    let service = Service::with_register("th52", &cast()).await;
    for (role, path, expected) in [
        (CallerRole::Registrar, "/v1/register", 200),
        (CallerRole::InformationGovernance, "/v1/register/people?limit=2", 200),
        (CallerRole::MonitoringOfficer, "/v1/register/people/b3", 200),
        // These tell of nobody.
        (CallerRole::MonitoringOfficer, "/v1/register/people/nobody", 404),
        (CallerRole::Registrar, "/v1/register/bodies", 200),
        (CallerRole::Registrar, "/v1/register/groups", 200),
        (CallerRole::Pep, "/v1/register", 403),
    ] {
        assert_eq!(service.call(role, Method::GET, path, None).await.status, expected, "{role} {path}");
    }
    let read: Vec<_> =
        service.acts("log_read").await.into_iter().filter(|(_, act)| act.get("register").is_some()).collect();
    let by = |role: CallerRole, what: Value| (format!("test-{role}"), json!({"register": what}));
    assert_eq!(
        read,
        [
            by(CallerRole::Registrar, json!("whole")),
            by(CallerRole::InformationGovernance, json!({"people": {"after": null}})),
            by(CallerRole::MonitoringOfficer, json!({"person": "b3"})),
        ]
    );
    // What cannot be recorded is not told.
    let mut outsider = service.outsider().await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    let refused = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    assert_eq!((refused.status.as_u16(), refused.body.get("people")), (503, None));
}
