//! The referral desk: what decisions leave to people, who sees it, and what answers it.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, key, key_of, read_json};

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// A Part II licensing report, asked for by someone not on the committee: the Monitoring Officer decides.
fn refused() -> Value {
    json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read",
        "document": {
            "id": "edrms:2026/0117", "kind": "report", "held_by": "council", "council_business": true,
            "business": [{"body": "licensing", "meeting": "m", "status": "to_be_transacted", "private": true,
                          "meeting_at": "2126-12-01T18:30:00Z", "convened_at": "2026-01-01T10:00:00Z", "concluded_at": null}],
            "published_at": null, "draft": "none", "matters": ["licensing"], "wards": [], "group_internal_of": null,
            "administration_only": false, "personal_record": false, "third_party_personal": false,
            "staff_matter": false, "proceedings": "none",
            "classification": {"access": "exempt", "exempt": [{"paragraph": 7}], "public_interest": "maintain",
                               "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"}
        },
        "purpose": {"capacity": "councillor", "ground": "other", "justification": "A licensee has written to me.",
                    "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": true
    })
}

/// The id of the referral that a question raises.
async fn raised(service: &Service, question: &Value) -> String {
    let answer = service.ask(question).await;
    assert_eq!(answer.body["referral"]["required"], true, "{}", answer.body);
    answer.body["referral"]["id"].as_str().expect("an id").to_owned()
}

fn answer(kind: &str, person: &str, document: &str, by: (&str, &str)) -> Value {
    json!({
        "kind": kind, "answer": true, "person": person, "document": document, "parts": null,
        "decided_by": {"person": by.0, "post": by.1}, "decided_at": "2026-01-02T10:00:00Z", "valid_until": null,
        "reasons": "As decided."
    })
}

/// Records a determination and gives its id.
async fn determined(service: &Service, determination: &Value) -> String {
    let recorded = service.determine(determination).await;
    assert_eq!(recorded.status, 201, "{}", recorded.body);
    recorded.body["id"].as_str().expect("an id").to_owned()
}

async fn list(service: &Service, query: &str) -> Vec<String> {
    let path = format!("/v1/referrals{query}");
    let page = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await;
    assert_eq!(page.status, 200, "{query}: {}", page.body);
    let items = page.body["items"].as_array().expect("items").clone();
    items.iter().map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

async fn read(service: &Service, referral: &str) -> Answer {
    service.call(CallerRole::MonitoringOfficer, Method::GET, &format!("/v1/referrals/{referral}"), None).await
}

async fn close(service: &Service, referral: &str, determination: &str) -> Answer {
    let path = format!("/v1/referrals/{referral}/close");
    let body = json!({"determination": determination});
    service.call(CallerRole::MonitoringOfficer, Method::POST, &path, Some(&body)).await
}

#[tokio::test]
async fn a_refusal_puts_a_question_on_the_desk_with_what_is_needed_to_decide_it() {
    let service = service().await;
    let decision = service.ask(&refused()).await.body;
    let referral = &decision["referral"];
    assert!(referral["due"].is_string(), "{referral}");
    for other in referral["also"].as_array().into_iter().flatten() {
        assert!(other["id"].is_string(), "{other}");
    }
    let id = referral["id"].as_str().expect("an id");
    let told = read(&service, id).await;
    assert_eq!(told.status, 200);
    let told = told.body;
    for (member, expected) in [
        ("id", json!(id)),
        ("status", json!("open")),
        ("due", referral["due"].clone()),
        ("to", json!(["monitoring_officer"])),
        ("question", json!("need_to_know")),
        ("rule", json!("TH52-3.15-b")),
        ("decision", decision["id"].clone()),
        ("principal", json!({"type": "person", "id": "b3"})),
        ("document", json!("edrms:2026/0117")),
        ("withheld", json!(["document"])),
        ("channel", json!("member_enquiry")),
        ("closed", Value::Null),
    ] {
        assert_eq!(told[member], expected, "{member}");
    }
    assert_eq!(told["purpose"]["justification"], "A licensee has written to me.", "for a person to weigh");
    let start = json!({"kind": "need_to_know", "person": "b3", "document": "edrms:2026/0117", "parts": ["document"]});
    assert_eq!(told["answer_with"], start);
}

#[tokio::test]
async fn the_monitoring_officer_finds_it_by_state_addressee_document_and_person() {
    let service = service().await;
    let id = raised(&service, &refused()).await;
    for query in [
        "",
        "?status=open",
        "?to=monitoring_officer",
        "?document=edrms:2026/0117",
        "?person=b3",
        "?status=open&to=monitoring_officer&document=edrms:2026/0117&person=b3",
    ] {
        assert!(list(&service, query).await.contains(&id), "{query}");
    }
    for query in ["?status=closed", "?status=overdue", "?to=proper_officer", "?document=other", "?person=b4"] {
        assert!(!list(&service, query).await.contains(&id), "{query}");
    }
    let key = key(CallerRole::MonitoringOfficer);
    for query in ["?status=waiting", "?to=nobody", "?colour=pink"] {
        let path = format!("/v1/referrals{query}");
        assert_eq!(service.call_with(Some(&key), Method::GET, &path, None, &[]).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn what_is_due_first_comes_first_and_what_is_late_is_overdue() {
    let service = service().await;
    let mut early = refused();
    early["request_received_at"] = json!("2020-01-06T10:00:00Z");
    let waiting = raised(&service, &refused()).await;
    let late = raised(&service, &early).await;
    assert_eq!(read(&service, &late).await.body["status"], "overdue");
    assert!(list(&service, "?status=open").await.contains(&late), "an overdue referral still waits");
    let overdue = list(&service, "?status=overdue").await;
    assert!(overdue.contains(&late) && !overdue.contains(&waiting));
    assert_eq!(list(&service, "").await.first(), Some(&late));
    let first = service.call(CallerRole::InformationGovernance, Method::GET, "/v1/referrals?limit=1", None).await.body;
    assert_eq!(first["items"][0]["id"], json!(late));
    let cursor = first["next_cursor"].as_str().expect("a next page");
    assert!(!list(&service, &format!("?cursor={cursor}")).await.contains(&late));
}

#[tokio::test]
async fn those_it_is_not_put_to_are_told_that_it_is_not_there() {
    let service = service().await;
    let id = raised(&service, &refused()).await;
    let (one, all) = (format!("/v1/referrals/{id}"), "/v1/referrals?to=monitoring_officer");
    let determination =
        determined(&service, &answer("need_to_know", "b3", "edrms:2026/0117", ("o-mo", "monitoring_officer"))).await;
    let body = json!({"determination": determination});
    let closing = format!("{one}/close");
    for key in [key(CallerRole::Pep), key(CallerRole::Officer), key(CallerRole::Councillor), key_of("o-case")] {
        let get = |path: &str| {
            let (service, key, path) = (&service, key.clone(), path.to_owned());
            async move { service.call_with(Some(&key), Method::GET, &path, None, &[]).await.status }
        };
        assert_eq!(get(&one).await, 404, "{key}");
        assert_eq!(get(all).await, 403, "{key}");
        let closed = service.call_with(Some(&key), Method::POST, &closing, Some(&body), &[]).await;
        assert_eq!(closed.status, 404, "{key}");
    }
    let governance = service.call(CallerRole::InformationGovernance, Method::POST, &closing, Some(&body)).await;
    assert_eq!(governance.status, 403, "who reads it does not answer it");
    let addressed = key_of("o-mo");
    assert_eq!(service.call_with(Some(&addressed), Method::GET, &one, None, &[]).await.status, 200);
    let page = service.call_with(Some(&addressed), Method::GET, all, None, &[]).await;
    assert_eq!((page.status.as_u16(), page.body["items"].to_string().contains(&id)), (200, true));
    let everything = service.call_with(Some(&addressed), Method::GET, "/v1/referrals", None, &[]).await;
    assert_eq!(everything.status, 403, "an officer names the post");
    let closed = service.call_with(Some(&addressed), Method::POST, &closing, Some(&body), &[]).await;
    assert_eq!((closed.status.as_u16(), &closed.body["status"]), (200, &json!("closed")));
}

#[tokio::test]
async fn only_a_determination_that_answers_it_closes_it() {
    let service = service().await;
    let id = raised(&service, &refused()).await;
    let (mo, paper) = (("o-mo", "monitoring_officer"), "edrms:2026/0117");
    let mut past = answer("need_to_know", "b3", paper, mo);
    past["valid_until"] = json!("2026-01-03T10:00:00Z");
    for (why, determination) in [
        ("another paper", answer("need_to_know", "b3", "edrms:2026/0118", mo)),
        ("another person", answer("need_to_know", "b4", paper, mo)),
        ("another question", answer("ward_problem", "b3", paper, mo)),
        ("another post", answer("need_to_know", "b3", paper, ("o-cd", "corporate_director"))),
        ("no longer in force", past),
    ] {
        let determination = determined(&service, &determination).await;
        let told = close(&service, &id, &determination).await;
        assert_eq!(told.status, 400, "{why}: {}", told.body);
        assert_eq!(told.body["errors"][0]["pointer"], "/determination", "{why}");
    }
    let unknown = close(&service, &id, "no-such-determination").await;
    assert_eq!((unknown.status.as_u16(), &unknown.body["errors"][0]["pointer"]), (400, &json!("/determination")));
    assert_eq!(read(&service, &id).await.body["status"], "open", "and it still waits");
    let path = format!("/v1/referrals/{id}/close");
    for (body, pointer) in [(json!({}), "/determination"), (json!({"determination": "d", "colour": "pink"}), "/colour")]
    {
        let told = service.call(CallerRole::MonitoringOfficer, Method::POST, &path, Some(&body)).await;
        assert_eq!((told.status.as_u16(), &told.body["errors"][0]["pointer"]), (400, &json!(pointer)));
    }
    assert_eq!(close(&service, "no-such-referral", "d").await.status, 404);
}

#[tokio::test]
async fn what_is_closed_stays_closed_and_the_next_decision_uses_the_answer() {
    let service = service().await;
    let id = raised(&service, &refused()).await;
    let need = answer("need_to_know", "b3", "edrms:2026/0117", ("o-mo", "monitoring_officer"));
    let determination = determined(&service, &need).await;
    let closed = close(&service, &id, &determination).await;
    assert_eq!(closed.status, 200, "{}", closed.body);
    assert_eq!(closed.body["status"], "closed");
    assert_eq!(closed.body["closed"]["determination"], json!(determination));
    let again = close(&service, &id, &determination).await;
    assert_eq!((again.status.as_u16(), &again.body["type"]), (409, &json!("/docs#already-closed")));
    assert_eq!(read(&service, &id).await.body, closed.body);
    assert!(list(&service, "?status=closed").await.contains(&id));
    assert!(!list(&service, "?status=open").await.contains(&id));
    let next = service.ask(&refused()).await.body;
    assert_eq!((&next["outcome"], &next["held"]), (&json!("allow"), &json!(false)), "{next}");
}

#[tokio::test]
async fn a_determination_set_aside_is_named_beside_the_one_that_stands() {
    let service = service().await;
    let paper = "edrms:2026/0117";
    let mut doubt = answer("need_to_know", "b3", paper, ("o-cd", "corporate_director"));
    doubt["answer"] = json!(false);
    let set_aside = determined(&service, &doubt).await;
    let mut need = answer("need_to_know", "b3", paper, ("o-mo", "monitoring_officer"));
    need["decided_at"] = json!("2026-01-03T10:00:00Z");
    let standing = determined(&service, &need).await;
    let decision = service.ask(&refused()).await.body;
    assert_eq!(decision["outcome"], "allow", "{decision}");
    let named = json!([{"question": "need_to_know", "standing": standing, "set_aside": set_aside}]);
    assert_eq!(decision["superseded"], named);
}

#[tokio::test]
async fn whom_a_referral_concerns_neither_decides_nor_closes_it() {
    let service = service().await;
    // One who asks as a member and holds the post to which the question is put.
    let mut both = service.call(CallerRole::Registrar, Method::GET, "/v1/register/people/b3", None).await.body;
    both["id"] = json!("o-case");
    both["posts"] = json!(["monitoring_officer"]);
    service.put_person(&both).await;
    let mut question = refused();
    question["principal"]["id"] = json!("o-case");
    let id = raised(&service, &question).await;
    let told = read(&service, &id).await.body;
    let kind = told["question"].as_str().expect("a question").to_owned();
    let post = told["to"][0].as_str().expect("a post").to_owned();
    assert_eq!(post, "monitoring_officer", "{told}");
    // It names nobody, so only here does it show that it is a case of one's own.
    let mut own = answer(&kind, "o-case", "edrms:2026/0117", ("o-case", &post));
    own["person"] = Value::Null;
    let own = determined(&service, &own).await;
    let refused = close(&service, &id, &own).await;
    assert_eq!(refused.status, 400, "{}", refused.body);
    assert!(refused.body.to_string().contains("whom the referral concerns"), "{}", refused.body);
    let path = format!("/v1/referrals/{id}/close");
    let by_hand = service
        .call_with(Some(&key_of("o-case")), Method::POST, &path, Some(&json!({"determination": own})), &[])
        .await;
    assert_eq!(by_hand.status, 403, "{}", by_hand.body);
    assert_eq!(read(&service, &id).await.body["status"], "open");
}
