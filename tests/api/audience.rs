//! For whom a document is: everyone of the register, as JSON, as a table, as a list to print.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    replay::{MEMBER, OWN_BODY, asked_by, service},
    support::{Service, key},
};

async fn list(service: &Service, body: &Value) -> Value {
    let answer = service.call(CallerRole::Officer, Method::POST, "/v1/audience", Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn of<'a>(audience: &'a Value, person: &str) -> &'a Value {
    let people = audience["people"].as_array().expect("people");
    people.iter().find(|listed| listed["person"] == person).expect("listed")
}

/// The document that the questions of the replay tests are about.
async fn with_document() -> (Service, Value) {
    let service = service().await;
    let mut document = asked_by(MEMBER, &json!(["appendix"]))["document"].clone();
    if document.get("parts").is_none() {
        return (service, document["id"].clone());
    }
    document["id"] = json!("doc-listed");
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-listed", Some(&document)).await;
    assert_eq!(put.status, 201, "{}", put.body);
    (service, json!("doc-listed"))
}

#[tokio::test]
async fn everyone_is_listed_with_what_a_decision_would_give_them() {
    let (service, document) = with_document().await;
    let audience = list(&service, &json!({"document": document, "action": "read"})).await;
    let people = audience["people"].as_array().expect("people");
    let register = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await.body;
    assert_eq!(people.len(), register["people"].as_array().expect("people").len());
    let member = of(&audience, MEMBER);
    assert_eq!(member["outcome"], "allow", "{member}");
    assert_eq!(of(&audience, "b3")["withheld"], json!(["appendix"]));
    // Those given most come first.
    let order: Vec<&str> = people.iter().map(|listed| listed["outcome"].as_str().expect("an outcome")).collect();
    let rank = |outcome: &&str| ["allow", "redact", "deny"].iter().position(|known| known == outcome);
    assert!(order.is_sorted_by_key(rank), "{order:?}");

    // Each is what a decision says to the same purpose.
    for listed in people {
        let mut purpose = json!({});
        if let Some(ground) = listed["on_stating"].as_str() {
            purpose["ground"] = json!(ground);
        }
        purpose["capacity"] = match listed["kind"].as_str() {
            Some("councillor" | "elected_mayor" | "co_opted_member") => json!("councillor"),
            Some("officer") => json!("officer_duty"),
            _ => Value::Null,
        };
        purpose.as_object_mut().expect("members").retain(|_, value| !value.is_null());
        let question = json!({
            "principal": {"type": "person", "id": listed["person"]}, "action": "read", "document": {"id": document},
            "purpose": purpose
        });
        let decided = service.ask(&question).await.body;
        assert_eq!(decided["outcome"], listed["outcome"], "{listed}");
    }
    assert!(OWN_BODY.len() > 1);
}

#[tokio::test]
async fn a_list_is_one_entry_and_no_decision() {
    let (service, document) = with_document().await;
    let audience = list(&service, &json!({"document": document, "action": "read"})).await;
    let decisions = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/decisions", None).await;
    assert_eq!(decisions.body["items"], json!([]));
    let export = service.client.get(format!("{}/v1/log/export", service.url));
    let export = export.bearer_auth(key(CallerRole::MonitoringOfficer)).send().await.expect("answers");
    let text = export.text().await.expect("text");
    let kept: Vec<&str> = text.lines().filter(|line| line.contains(audience["id"].as_str().expect("an id"))).collect();
    assert!(kept.len() == 1 && kept[0].contains("audience"), "{kept:?}");
    // What may be released of it names nobody.
    let foi = service.client.get(format!("{}/v1/log/export?view=foi", service.url));
    let foi =
        foi.bearer_auth(key(CallerRole::MonitoringOfficer)).send().await.expect("answers").text().await.expect("text");
    assert!(!foi.contains("\"b3\""), "a released line names somebody");
}

#[tokio::test]
async fn a_list_is_erased_when_it_is_asked_for() {
    let (service, document) = with_document().await;
    let audience = list(&service, &json!({"document": document, "action": "read"})).await;
    let erasure = json!({
        "decision": audience["id"], "groups": "all", "outcome": "erased", "basis": "A list made by mistake.",
        "authorised_by": "o-mo",
    });
    let path = "/v1/log/erasures";
    let done = service.call(CallerRole::InformationGovernance, Method::POST, path, Some(&erasure)).await;
    assert_eq!(done.status, 201, "{}", done.body);
    let export = service.client.get(format!("{}/v1/log/export?view=full", service.url));
    let export = export.bearer_auth(key(CallerRole::MonitoringOfficer)).send().await.expect("answers");
    let text = export.text().await.expect("text");
    let id = format!("\"id\":{}", audience["id"]);
    let entry = text.lines().find(|line| line.contains(&id)).expect("the entry");
    assert!(entry.ends_with("\"payload\":{}}"), "{entry}");
}

#[tokio::test]
async fn a_stated_purpose_is_everyones() {
    let (service, document) = with_document().await;
    let purpose = json!({"capacity": "councillor", "ground": "curiosity"});
    let audience = list(&service, &json!({"document": document, "action": "read", "purpose": purpose})).await;
    assert_eq!(audience["purpose"], purpose);
    assert!(audience["people"].as_array().expect("people").iter().all(|listed| listed["on_stating"] == "curiosity"));
}

#[tokio::test]
async fn it_is_a_table_and_a_list_to_print_and_for_officers_only() {
    let (service, document) = with_document().await;
    let body = json!({"document": document, "action": "read"});
    let take = async |accept: &str| {
        let request = service.client.post(format!("{}/v1/audience", service.url)).bearer_auth(key(CallerRole::Officer));
        let answer = request.header("Accept", accept).json(&body).send().await.expect("answers");
        (answer.headers()["content-type"].to_str().expect("text").to_owned(), answer.text().await.expect("text"))
    };
    let (kind, table) = take("text/csv").await;
    assert!(kind.starts_with("text/csv") && table.starts_with("person,name,kind,outcome"), "{table}");
    let (kind, page) = take("text/html").await;
    assert!(kind.starts_with("text/html") && page.contains("May have it in full"), "{page}");
    for role in [CallerRole::Pep, CallerRole::Councillor, CallerRole::Registrar, CallerRole::InformationGovernance] {
        assert_eq!(service.call(role, Method::POST, "/v1/audience", Some(&body)).await.status, 403, "{role}");
    }
    let unknown = json!({"document": "doc-none", "action": "read"});
    assert_eq!(service.call(CallerRole::Officer, Method::POST, "/v1/audience", Some(&unknown)).await.status, 404);
}
