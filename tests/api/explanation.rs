//! How an answer came about: in words for whoever asked, rule by rule for those entitled, and what a committee is owed.

use std::collections::BTreeMap;

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, COUNCILLOR, Service, key_of, read_json};

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// A Part II licensing report, asked for by a councillor.
fn asked_by(person: &str) -> Value {
    json!({
        "principal": {"type": "person", "id": person}, "action": "read",
        "document": {
            "id": "edrms:2026/0117", "title": "Review of the Crown Bar licence", "kind": "report",
            "held_by": "council", "council_business": true,
            "business": [{"body": "licensing", "meeting": "m", "status": "to_be_transacted", "private": true,
                          "meeting_at": "2126-12-01T18:30:00Z", "convened_at": "2026-01-01T10:00:00Z", "concluded_at": null}],
            "published_at": null, "draft": "none", "matters": ["licensing", "licence:crown-bar"], "wards": [],
            "group_internal_of": null, "administration_only": false, "personal_record": false,
            "third_party_personal": false, "staff_matter": false, "proceedings": "none",
            "classification": {"access": "exempt", "exempt": [{"paragraph": 7}], "public_interest": "maintain",
                               "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"}
        },
        "purpose": {"capacity": "councillor", "ground": "other", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": true
    })
}

/// Asks, and gives the address of the decision.
async fn decided(service: &Service, question: &Value) -> String {
    let answer = service.ask(question).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    format!("/v1/decisions/{}", answer.body["id"].as_str().expect("an id"))
}

async fn explained(service: &Service, role: CallerRole, decision: &str) -> Answer {
    service.call(role, Method::GET, &format!("{decision}/explanation"), None).await
}

fn text(answer: &Answer) -> String {
    answer.body["text"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn a_councillor_is_told_in_words_and_only_about_himself_or_herself() {
    let service = service().await;
    let own = decided(&service, &asked_by(COUNCILLOR)).await;
    let told = explained(&service, CallerRole::Councillor, &own).await;
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!((&told.body["outcome"], &told.body["held"]), (&json!("deny"), &json!(true)));
    for member in ["parts", "changes", "searched_all"] {
        assert!(told.body.get(member).is_none(), "{member} is told");
    }
    let words = text(&told);
    for expected in ["TH52-3.15-b", "Licensing Committee", "Monitoring Officer", "An answer is due by"] {
        assert!(words.contains(expected), "`{expected}` is not in: {words}");
    }
    for unwanted in ["Crown Bar", "principal.", "context.", "permit ("] {
        assert!(!words.contains(unwanted), "`{unwanted}` is in: {words}");
    }
    let anothers = decided(&service, &asked_by("b3")).await;
    assert_eq!(explained(&service, CallerRole::Councillor, &anothers).await.status, 404);
    let missing = "/v1/decisions/00000000-0000-7000-8000-000000000000";
    assert_eq!(explained(&service, CallerRole::MonitoringOfficer, missing).await.status, 404);
}

#[tokio::test]
async fn the_monitoring_officer_is_told_every_condition_and_what_would_change_the_answer() {
    let service = service().await;
    let decision = decided(&service, &asked_by("b3")).await;
    let told = explained(&service, CallerRole::MonitoringOfficer, &decision).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let part = &told.body["parts"][0];
    assert_eq!((&part["part"], &part["outcome"]), (&json!("document"), &json!("withhold")));
    let rules = part["rules"].as_array().expect("rules");
    let own_body = rules.iter().find(|rule| rule["rule"] == "TH52-10.3-ii").expect("the own-body rule was tried");
    assert_eq!(own_body["result"], "not_met");
    let conditions = own_body["conditions"].as_array().expect("conditions");
    let results: Vec<&Value> = conditions.iter().map(|condition| &condition["result"]).collect();
    assert_eq!(results, ["held", "held", "failed", "held", "held"], "{own_body}");
    let failed = &conditions[2];
    assert!(failed["condition"].as_str().is_some_and(|text| text.contains("principal.bodies")), "{failed}");
    assert!(failed["missing"].as_str().is_some_and(|text| text.contains("membership")), "{failed}");
    assert!(failed["facts"].as_array().is_some_and(|facts| !facts.is_empty()), "{failed}");
    let sets = told.body["changes"].as_array().expect("changes");
    let single = |set: &Value| set["facts"].as_array().is_some_and(|facts| facts.len() == 1);
    let alone: Vec<&Value> = sets.iter().filter(|set| single(set)).map(|set| &set["facts"][0]).collect();
    assert!(sets.iter().all(|set| set["part"] == "document"));
    let member = alone.iter().find(|fact| fact["what"].as_str().is_some_and(|what| what.contains("membership")));
    assert_eq!(member.expect("a seat on the committee would do")["from"], "register");
    let need = alone.iter().find(|fact| fact["what"].as_str().is_some_and(|what| what.contains("need_to_know")));
    let need = need.expect("a recorded need would do");
    assert_eq!(need["from"], "determination");
    assert!(need["supplied_by"].to_string().contains("Monitoring Officer"), "{need}");
}

/// How long a refusal takes would tell whether a person is known, were less done for somebody the register does not know.
/// Times differ from run to run; the steps do not.
#[tokio::test]
async fn a_refusal_takes_the_same_steps_whether_or_not_the_register_knows_the_person() {
    let service = service().await;
    let entries = async || service.app.checkpoint().await.expect("signed").checkpoint.size;
    let steps = async |person: &str| {
        let before = entries().await;
        let decision = decided(&service, &asked_by(person)).await;
        let recorded = entries().await - before;
        let told = explained(&service, CallerRole::MonitoringOfficer, &decision).await.body;
        let rules = told["parts"][0]["rules"].as_array().expect("rules").clone();
        let tried: BTreeMap<String, usize> = rules
            .iter()
            .map(|rule| (rule["policy"].to_string(), rule["conditions"].as_array().expect("conditions").len()))
            .collect();
        let taken = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/log/export", None).await;
        let id = format!("\"id\":{}", told["decision"]);
        let line = taken.body.as_str().expect("lines").lines().find(|line| line.contains(&id)).expect("the entry");
        let entry: Value = serde_json::from_str(line).expect("JSON");
        let groups: Vec<String> = entry["payload"].as_object().expect("groups").keys().cloned().collect();
        (told["outcome"].clone(), recorded, tried, groups)
    };
    let known = steps("b3").await;
    assert_eq!((&known.0, known.1), (&json!("deny"), 1));
    assert!(known.2.len() > 30, "only {} rules were tried", known.2.len());
    assert_eq!(known, steps("nobody").await);
}

#[tokio::test]
async fn an_officer_is_told_in_full_what_that_officer_asked_and_a_system_in_words() {
    let service = service().await;
    let by_system = decided(&service, &asked_by("b3")).await;
    let told = explained(&service, CallerRole::Pep, &by_system).await;
    assert_eq!((told.status.as_u16(), told.body.get("parts")), (200, None));
    let key = key_of("o-case");
    let answer = service.call_with(Some(&key), Method::POST, "/v1/decisions", Some(&asked_by("b3")), &[]).await;
    let path = format!("/v1/decisions/{}/explanation", answer.body["id"].as_str().expect("an id"));
    let told = service.call_with(Some(&key), Method::GET, &path, None, &[]).await;
    assert_eq!(told.status, 200);
    assert!(told.body["parts"].is_array(), "{}", told.body);
    assert_eq!(service.call(CallerRole::Officer, Method::GET, &path, None).await.status, 404, "another officer's");
    let elsewhere = format!("{by_system}/explanation");
    assert_eq!(service.call_with(Some(&key), Method::GET, &elsewhere, None, &[]).await.status, 404);
}

#[tokio::test]
async fn it_is_told_from_the_facts_of_then_and_not_of_today() {
    let service = service().await;
    let decision = decided(&service, &asked_by("b3")).await;
    let then = explained(&service, CallerRole::MonitoringOfficer, &decision).await.body;
    let need = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Needed."
    });
    assert_eq!(service.determine(&need).await.status, 201);
    assert_eq!(service.ask(&asked_by("b3")).await.body["outcome"], "allow");
    assert_eq!(explained(&service, CallerRole::MonitoringOfficer, &decision).await.body, then);
}

#[tokio::test]
async fn a_refusal_that_rests_on_a_sensitive_interest_gives_nothing_away() {
    let service = service().await;
    service
        .put_person(&json!({
            "id": COUNCILLOR, "name": "Cllr B. One", "kind": "councillor", "group": "blue", "wards": ["west"],
            "memberships": [{"body": "licensing", "role": "member", "voting": true, "from": "2026-01-01", "to": null}],
            "interests": [{"id": "i-b1-1", "kind": "disclosable_pecuniary", "holder": "self",
                           "matter": "licence:crown-bar", "relation": "directly_relates", "registered": true,
                           "sensitive": true}]
        }))
        .await;
    let decision = decided(&service, &asked_by(COUNCILLOR)).await;
    let told = explained(&service, CallerRole::Councillor, &decision).await;
    let words = text(&told);
    assert_eq!(told.body["outcome"], "deny", "a seat on the committee alone would have opened it: {words}");
    assert!(words.contains("TH52-10.4-b"), "{words}");
    for unwanted in ["sensitive", "pecuniary", "disclosable", "i-b1-1", "crown-bar", "Crown Bar"] {
        assert!(!told.body.to_string().contains(unwanted), "`{unwanted}` is in: {words}");
    }
    let full = explained(&service, CallerRole::MonitoringOfficer, &decision).await.body;
    for unwanted in ["i-b1-1", "licence:crown-bar", "Crown Bar", "Cllr B. One"] {
        assert!(!full.to_string().contains(unwanted), "`{unwanted}` is a value: {full}");
    }
}

/// A report on a private executive decision already made, asked for by a member of Overview and Scrutiny.
fn asked_for_scrutiny() -> Value {
    json!({
        "principal": {"type": "person", "id": COUNCILLOR}, "action": "read",
        "document": {
            "id": "cab:award", "kind": "report", "held_by": "council", "held_by_executive": true,
            "council_business": true,
            "business": [{"body": "cabinet", "meeting": "m", "status": "transacted", "private": true,
                          "meeting_at": "2026-01-05T18:30:00Z", "convened_at": "2025-12-20T10:00:00Z",
                          "concluded_at": "2026-01-05T20:30:00Z", "item_was_open": "excluded_exempt"}],
            "published_at": null, "draft": "none", "taken_into_consideration": true, "matters": ["leisure"],
            "wards": [], "group_internal_of": null, "administration_only": false, "personal_record": false,
            "third_party_personal": false, "staff_matter": false, "proceedings": "none",
            "classification": {"access": "exempt", "exempt": [{"paragraph": 4}], "public_interest": "maintain",
                               "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"},
            "parts": [{"id": "staffing", "title": "Redundancies proposed", "tags": []}]
        },
        "purpose": {"capacity": "councillor", "ground": "scrutiny", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": false
    })
}

#[tokio::test]
async fn a_statement_is_there_only_where_one_is_owed() {
    let service = service().await;
    let statement = |decision: String| {
        let service = &service;
        async move {
            let path = format!("{decision}/statement");
            service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await
        }
    };
    assert_eq!(statement(decided(&service, &asked_by("b3")).await).await.status, 404);
    let unasked = statement(decided(&service, &asked_for_scrutiny()).await).await;
    assert_eq!(unasked.status, 404, "the executive has not said no: {}", unasked.body);
}

#[tokio::test]
async fn the_statement_names_the_committee_the_parts_and_the_reasons_and_not_the_member() {
    let service = service().await;
    let reasons = "The committee has no review of leisure under way.";
    let refusal = json!({
        "kind": "scrutiny_relevance", "answer": false, "person": COUNCILLOR, "document": "cab:award", "parts": null,
        "decided_by": {"body": "cabinet"}, "decided_at": "2026-01-08T10:00:00Z", "valid_until": null,
        "reasons": reasons
    });
    let determination = service.determine(&refusal).await;
    assert_eq!(determination.status, 201, "{}", determination.body);
    let decision = decided(&service, &asked_for_scrutiny()).await;
    let path = format!("{decision}/statement");
    let told = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let told = told.body;
    assert_eq!(told["rule"], "R-17-5");
    assert_eq!(told["addressed_to"], json!(["Overview and Scrutiny"]));
    assert_eq!(told["parts"][0]["id"], "staffing");
    assert!(told["parts"][0]["reasons"].to_string().contains("R-17-3"), "{told}");
    assert_eq!(told["determination"]["id"], determination.body["id"]);
    assert_eq!(told["determination"]["decided_by"], json!({"body": "cabinet"}));
    let words = told["text"].as_str().expect("a text");
    for expected in ["Overview and Scrutiny", "staffing", reasons, "regulation 17(4)"] {
        assert!(words.contains(expected), "`{expected}` is not in: {words}");
    }
    for unwanted in ["\"b1\"", "Cllr", "Redundancies"] {
        assert!(!told.to_string().contains(unwanted), "`{unwanted}` is in: {told}");
    }
    assert!(!words.split_whitespace().any(|word| word == COUNCILLOR), "{words}");
    let member = service.call(CallerRole::Councillor, Method::GET, &path, None).await;
    assert_eq!(member.status, 200, "the member reads it too");
}
