//! Questions in plain parameters, and how their answers read.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, key, read_json};

/// A committee's paper with a report for all and an appendix for the committee.
async fn service() -> Service {
    let register = &read_json("tests/api/cases/th52.json")["register"];
    let service = Service::with_register("th52", register).await;
    let open = json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-01-19T09:00:00Z"});
    let exempt = json!({
        "access": "exempt", "exempt": [{"paragraph": 3}], "public_interest": "maintain",
        "determined_by": "proper_officer", "determined_at": "2026-01-19T09:00:00Z"
    });
    let document = json!({
        "id": "doc-1", "title": "zztitle", "kind": "report", "held_by": "council", "council_business": true,
        "parts": [
            {"id": "report", "classification": open, "published_at": "2026-01-20T09:00:00Z"},
            {"id": "appendix", "classification": exempt, "locator": "pp. 4-5"}
        ]
    });
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-1", Some(&document)).await;
    assert_eq!(put.status, 201, "{}", put.body);
    service
}

async fn enquire(service: &Service, role: CallerRole, query: &str) -> Answer {
    service.call(role, Method::GET, &format!("/v1/enquiries?{query}"), None).await
}

async fn page(service: &Service, query: &str) -> (u16, String) {
    let request = service.client.get(format!("{}/v1/enquiries?{query}", service.url));
    let request = request.bearer_auth(key(CallerRole::Officer)).header("Accept", "text/html,application/json;q=0.5");
    let answer = request.send().await.expect("answers");
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test]
async fn the_answer_begins_with_a_sentence_to_pass_on() {
    let service = service().await;
    let redacted =
        enquire(&service, CallerRole::Officer, "person=b3&document=doc-1&capacity=councillor&ground=ward").await;
    assert_eq!(redacted.status, 200, "{}", redacted.body);
    assert_eq!(redacted.body["outcome"], "redact", "{}", redacted.body);
    let name = "Cllr B. Three";
    assert_eq!(
        redacted.body["told"]["headline"],
        format!("{name} may read the report but not the appendix of doc-1, unless a person decides otherwise.")
    );
    assert_eq!(redacted.body["told"]["withheld"][0]["part"], "appendix");
    assert_eq!(redacted.body["told"]["withheld"][0]["locator"], "pp. 4-5");
    assert!(!redacted.body["told"]["why"].as_array().expect("why").is_empty());
    let public = enquire(&service, CallerRole::Officer, "as=public&document=doc-1").await;
    assert_eq!(
        public.body["told"]["headline"],
        "A member of the public may read the report but not the appendix of doc-1."
    );
    // A slip of the pen is told, and so is what was not stated.
    let nobody = enquire(&service, CallerRole::Officer, "person=b33&document=doc-1&capacity=councillor").await;
    let told = &nobody.body["told"];
    assert!(told["headline"].as_str().expect("text").starts_with("b33, who is not in the register, may"), "{told}");
    assert!(told["missing"][0].as_str().expect("text").contains("the capacity and the purpose"), "{told}");
    // Nobody could make the paper another.
    assert!(!told["missing"].to_string().contains("the register of interests"), "{told}");
    let slip = enquire(&service, CallerRole::Officer, "person=b3&document=doc-1&action=reed").await;
    assert!(
        slip.body["errors"][0]["message"].as_str().expect("text").contains("one of read, disclose"),
        "{}",
        slip.body
    );
    // An empty field of a form is one left out.
    let form =
        enquire(&service, CallerRole::Officer, "person=b3&as=&document=doc-1&action=read&capacity=&ground=").await;
    assert_eq!(form.status, 200, "{}", form.body);
}

#[tokio::test]
async fn an_enquiry_is_on_record_as_one_and_puts_nothing_on_the_desk() {
    let service = service().await;
    let letter = json!({"id": "doc-2", "kind": "correspondence", "held_by": "council"});
    assert_eq!(
        service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-2", Some(&letter)).await.status,
        201
    );
    let question = "person=b3&document=doc-2&capacity=councillor&ground=casework";
    let asked = enquire(&service, CallerRole::Officer, question).await.body;
    assert_eq!((asked["referral"]["required"].as_bool(), asked["referral"].get("id")), (Some(true), None), "{asked}");
    let list = async |query: &str| -> usize {
        let answer =
            service.call(CallerRole::MonitoringOfficer, Method::GET, &format!("/v1/decisions{query}"), None).await;
        answer.body["items"].as_array().expect("items").len()
    };
    for filter in ["", "&person=b3", "&document=doc-2", "&outcome=deny", "&person=b3&outcome=deny"] {
        assert_eq!(list(&format!("?kind=enquiry{filter}")).await, 1, "{filter}");
        assert_eq!(list(&format!("?kind=decision{filter}")).await, 0, "{filter}");
    }
    assert_eq!(list("").await, 0);
    let referrals = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/referrals", None).await;
    assert_eq!(referrals.body["items"], json!([]));
    let id = asked["id"].as_str().expect("an id");
    let kept = service.call(CallerRole::MonitoringOfficer, Method::GET, &format!("/v1/decisions/{id}"), None).await;
    assert_eq!((&kept.body["entry"]["kind"], &kept.body["log"]), (&json!("enquiry"), &asked["log"]));
    // The officer who asked reads it back; somebody else's is not there.
    assert_eq!(service.call(CallerRole::Officer, Method::GET, &format!("/v1/decisions/{id}"), None).await.status, 200);
    assert_eq!(service.call(CallerRole::Pep, Method::GET, &format!("/v1/decisions/{id}"), None).await.status, 404);
    let replayed =
        service.call(CallerRole::MonitoringOfficer, Method::POST, &format!("/v1/decisions/{id}/replay"), None).await;
    assert_eq!(replayed.body["same"], true, "{}", replayed.body);
    // It counts as no decision, and stands under nothing that was given.
    let counted = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/log/statistics", None).await;
    assert_eq!(counted.body["decisions"], 0);
}

#[tokio::test]
async fn a_councillor_enquires_about_themselves_only_and_systems_not_at_all() {
    let service = service().await;
    let own = enquire(&service, CallerRole::Councillor, "person=b1&document=doc-1").await;
    assert_eq!(own.status, 200, "{}", own.body);
    assert_eq!(enquire(&service, CallerRole::Councillor, "person=b3&document=doc-1").await.status, 403);
    assert_eq!(enquire(&service, CallerRole::Councillor, "as=public&document=doc-1").await.status, 403);
    // What an officer asked about them beforehand is not theirs to read; what they asked themselves is.
    let others = enquire(&service, CallerRole::Officer, "person=b1&document=doc-1").await;
    let read = async |answer: &Answer| {
        let path = format!("/v1/decisions/{}", answer.body["id"].as_str().expect("an id"));
        service.call(CallerRole::Councillor, reqwest::Method::GET, &path, None).await.status.as_u16()
    };
    assert_eq!((read(&own).await, read(&others).await), (200, 404));
    let listed = async |query: &str| {
        let path = format!("/v1/decisions?person=b1{query}");
        service.call(CallerRole::Councillor, reqwest::Method::GET, &path, None).await.status.as_u16()
    };
    assert_eq!((listed("").await, listed("&kind=enquiry").await), (200, 403));
    for role in [CallerRole::Pep, CallerRole::Registrar, CallerRole::Operator, CallerRole::PolicyAdmin] {
        assert_eq!(enquire(&service, role, "person=b3&document=doc-1").await.status, 403, "{role}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_told_by_parameter_as_json_and_as_a_page() {
    let service = service().await;
    for (query, pointer) in [
        ("person=b3", "document"),
        ("document=doc-1", "person"),
        ("person=b3&as=public&document=doc-1", "as"),
        ("person=b 3&document=doc-1", "person"),
        ("person=b3&document=doc-1&action=peek", "action"),
        ("person=b3&document=doc-1&ground=nosiness", "ground"),
        ("person=b3&document=doc-1&colour=pink", "colour"),
        ("person=b3&person=b1&document=doc-1", "person"),
    ] {
        let refused = enquire(&service, CallerRole::Officer, query).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["pointer"]), (400, &json!(pointer)), "{query}");
        let (status, text) = page(&service, query).await;
        assert!(status == 400 && text.contains(&format!("<strong>{pointer}</strong>")), "{query}: {text}");
    }
    let (status, text) = page(&service, "person=b3&document=doc-none").await;
    assert!(status == 404 && text.contains("<h1>"), "{text}");
}

#[tokio::test]
async fn a_page_is_given_to_whoever_would_rather_have_one() {
    let service = service().await;
    let (status, text) = page(&service, "person=b3&document=doc-1").await;
    assert_eq!(status, 200);
    assert!(text.contains("<h1>Cllr B. Three may read the report but not the appendix of doc-1.</h1>"), "{text}");
    assert!(!text.contains("zztitle") && !text.contains("<script"), "{text}");
    for accept in ["application/json", "*/*", "text/html;q=0.1, application/json", "image/png"] {
        let request = service.client.get(format!("{}/v1/enquiries?person=b3&document=doc-1", service.url));
        let request = request.bearer_auth(key(CallerRole::Officer)).header("Accept", accept);
        let answer = request.send().await.expect("answers");
        assert_eq!(answer.headers()["content-type"], "application/json", "{accept}");
        assert_eq!(answer.headers()["vary"], "Accept");
    }
}

#[tokio::test]
async fn without_a_record_there_is_no_answer() {
    let service = service().await;
    let mut outsider = service.outsider().await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    let refused = enquire(&service, CallerRole::Officer, "person=b3&document=doc-1").await;
    assert_eq!((refused.status.as_u16(), refused.body.get("outcome")), (503, None::<&Value>));
    let (status, text) = page(&service, "person=b3&document=doc-1").await;
    assert!(status == 503 && !text.contains("Cllr"), "{text}");
}
