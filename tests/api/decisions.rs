//! Asking, asking many, looking up.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, key, read_json};

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// A Part II licensing report, asked for by someone not on the committee.
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
        "purpose": {"capacity": "councillor", "ground": "other", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": true
    })
}

#[tokio::test]
async fn a_refusal_says_why_what_was_missing_and_who_decides() {
    let service = service().await;
    let answer = service.ask(&refused()).await;
    assert_eq!(answer.status, 200);
    let body = &answer.body;
    assert_eq!((&body["outcome"], &body["held"]), (&json!("deny"), &json!(true)));
    assert_eq!(body["referral"]["to"][0], "monitoring_officer");
    assert_eq!(body["referral"]["rule"], "TH52-3.15-b");
    let tested = body["tested"].as_array().expect("tested");
    let own_body = tested.iter().find(|one| one["rule"] == "TH52-10.3-ii").expect("the own-body rule was tried");
    assert_eq!(own_body["result"], "not_met");
    assert!(own_body["missing"].to_string().contains("Licensing Committee"), "{own_body}");
    let due =
        &body["obligations"].as_array().expect("obligations").iter().find(|o| o["type"] == "reply_within_working_days");
    assert_eq!(due.expect("a routine enquiry has its period")["properties"]["days"], 10);
    assert!(body["log"]["receipt"].as_str().is_some_and(|receipt| receipt.len() > 40));
}

#[tokio::test]
async fn an_answer_can_be_read_back_as_it_was_given() {
    let service = service().await;
    let answer = service.ask(&refused()).await.body;
    let path = format!("/v1/decisions/{}", answer["id"].as_str().expect("an id"));
    let read = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await;
    assert_eq!(read.status, 200);
    for member in answer.as_object().expect("an object").keys() {
        assert_eq!(read.body[member], answer[member], "{member}");
    }
    assert_eq!(read.body["request"]["principal"]["id"], "b3");
    assert_eq!(read.body["entry"]["caller"], "test-pep");
}

#[tokio::test]
async fn a_decision_one_may_not_see_is_not_there() {
    let service = service().await;
    let answer = service.ask(&refused()).await.body;
    let path = format!("/v1/decisions/{}", answer["id"].as_str().expect("an id"));
    for role in [CallerRole::Councillor, CallerRole::Officer] {
        assert_eq!(service.call(role, Method::GET, &path, None).await.status, 404, "{role}");
    }
    let missing = "/v1/decisions/00000000-0000-7000-8000-000000000000";
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::GET, missing, None).await.status, 404);
}

#[tokio::test]
async fn a_councillor_asks_and_looks_up_only_about_themselves() {
    let service = service().await;
    let mut own = refused();
    own["principal"]["id"] = json!("b1");
    let answer = service.call(CallerRole::Councillor, Method::POST, "/v1/decisions", Some(&own)).await;
    assert_eq!(answer.status, 200);
    let other = service.call(CallerRole::Councillor, Method::POST, "/v1/decisions", Some(&refused())).await;
    assert_eq!(other.status, 403);
    let path = format!("/v1/decisions/{}", answer.body["id"].as_str().expect("an id"));
    assert_eq!(service.call(CallerRole::Councillor, Method::GET, &path, None).await.status, 200);
    let list = |query: &str| format!("/v1/decisions{query}");
    let own = service.call(CallerRole::Councillor, Method::GET, &list("?person=b1"), None).await;
    assert_eq!(own.body["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(service.call(CallerRole::Councillor, Method::GET, &list("?person=b3"), None).await.status, 403);
    assert_eq!(service.call(CallerRole::Councillor, Method::GET, &list(""), None).await.status, 403);
}

#[tokio::test]
async fn the_same_key_and_body_give_the_first_answer_and_another_body_conflicts() {
    let service = service().await;
    let send = |body: Value| {
        let service = &service;
        async move {
            let key = key(CallerRole::Pep);
            let headers = [("Idempotency-Key", "once")];
            service.call_with(Some(&key), Method::POST, "/v1/decisions", Some(&body), &headers).await
        }
    };
    let first = send(refused()).await;
    let second = send(refused()).await;
    assert_eq!(first.body, second.body);
    let mut other = refused();
    other["routine"] = json!(false);
    assert_eq!(send(other).await.status, 409);
    let list = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/decisions", None).await;
    assert_eq!(list.body["items"].as_array().map(Vec::len), Some(1), "one decision is on record");
}

#[tokio::test]
async fn a_batch_keeps_its_order_and_a_bad_item_spoils_no_other() {
    let service = service().await;
    let mut bad = refused();
    bad["colour"] = json!("pink");
    let unknown = json!({"principal": {"type": "public"}, "action": "read", "document": {"id": "not-registered"}});
    let batch = json!({"requests": [refused(), bad, unknown, refused()]});
    let answer = service.call(CallerRole::Pep, Method::POST, "/v1/decisions/batch", Some(&batch)).await;
    assert_eq!(answer.status, 200);
    let decisions = answer.body["decisions"].as_array().expect("decisions");
    assert_eq!(decisions[0]["outcome"], "deny");
    assert_eq!((&decisions[1]["status"], &decisions[1]["errors"][0]["pointer"]), (&json!(400), &json!("/colour")));
    assert_eq!(decisions[2]["status"], 404);
    assert_eq!(decisions[3]["outcome"], "deny");
    let first = decisions[0]["log"]["index"].as_u64().expect("an index");
    assert_eq!(decisions[3]["log"]["index"], first + 1, "recorded together");
}

#[tokio::test]
async fn a_decision_after_a_write_sees_it() {
    let service = service().await;
    assert_eq!(service.ask(&refused()).await.body["outcome"], "deny");
    let cast = read_json("tests/api/cases/th52.json");
    let mut person =
        cast["register"]["people"].as_array().expect("people").iter().find(|p| p["id"] == "b3").expect("b3").clone();
    person["memberships"] =
        json!([{"body": "licensing", "role": "member", "voting": true, "from": "2026-01-01", "to": null}]);
    service.put_person(&person).await;
    let answer = service.ask(&refused()).await.body;
    assert_eq!(answer["outcome"], "allow", "{answer:#}");
    person["memberships"][0]["to"] = json!("2026-01-02");
    service.put_person(&person).await;
    assert_eq!(service.ask(&refused()).await.body["outcome"], "deny", "a membership that has ended counts no more");
}

#[tokio::test]
async fn lists_are_filtered_and_paged_newest_first() {
    let service = service().await;
    for person in ["b3", "b2", "b3", "b3"] {
        let mut request = refused();
        request["principal"]["id"] = json!(person);
        service.ask(&request).await;
    }
    let get = |path: String| {
        let service = &service;
        async move { service.call(CallerRole::InformationGovernance, Method::GET, &path, None).await.body }
    };
    let page = get("/v1/decisions?person=b3&limit=2".to_owned()).await;
    assert_eq!(page["items"].as_array().map(Vec::len), Some(2));
    let cursor = page["next_cursor"].as_str().expect("a next page").to_owned();
    let rest = get(format!("/v1/decisions?person=b3&limit=2&cursor={cursor}")).await;
    assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(1), &Value::Null));
    let index = |page: &Value, at: usize| page["items"][at]["log"]["index"].as_u64().expect("an index");
    assert!(index(&page, 0) > index(&page, 1) && index(&page, 1) > index(&rest, 0));
    let allowed = get("/v1/decisions?outcome=allow".to_owned()).await;
    assert_eq!(allowed["items"].as_array().map(Vec::len), Some(1), "b2 sits on the committee");
    let by_rule = get("/v1/decisions?rule=TH52-10.3-ii".to_owned()).await;
    assert_eq!(by_rule["items"].as_array().map(Vec::len), Some(1));
    let future = get("/v1/decisions?from=2126-01-01".to_owned()).await;
    assert_eq!(future["items"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn part_of_a_document_can_be_asked_for() {
    let service = service().await;
    let mut request = refused();
    request["document"]["parts"] = json!([{"id": "a"}, {"id": "b"}]);
    request["parts"] = json!(["b"]);
    let answer = service.ask(&request).await.body;
    assert_eq!(answer["parts"].as_array().map(Vec::len), Some(1));
    request["parts"] = json!(["c"]);
    let answer = service.ask(&request).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!("/parts")));
}

#[tokio::test]
async fn a_person_the_register_does_not_know_has_the_publics_access_and_is_told_so() {
    let service = service().await;
    let mut request = refused();
    request["principal"]["id"] = json!("nobody-known");
    let answer = service.ask(&request).await.body;
    assert_eq!(answer["outcome"], "deny");
    assert!(answer["tested"].to_string().contains("current entry in the council's register"));
}

#[tokio::test]
async fn a_paper_counts_as_given_only_under_a_decision_that_gave_it_to_the_same_person() {
    let service = service().await;
    let reading = |person: &str| {
        let mut request = refused();
        request["principal"]["id"] = json!(person);
        request
    };
    let id = |answer: &Value| answer["id"].as_str().expect("an id").to_owned();
    let denied = id(&service.ask(&reading("b3")).await.body);
    let to_another = id(&service.ask(&reading("b2")).await.body);
    let discuss = |under: String| {
        let mut request = reading("b3");
        request["action"] = json!("discuss");
        request["setting"] = json!("part_ii_meeting");
        request["purpose"]["provided_under"] = json!(under);
        request
    };
    for under in ["no-such-decision".to_owned(), denied, to_another] {
        let answer = service.ask(&discuss(under.clone())).await;
        assert_eq!(answer.body["outcome"], "deny", "{under}: {}", answer.body);
    }
    let determination = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Needed."
    });
    let recorded = service.determine(&determination).await;
    let given = service.ask(&reading("b3")).await.body;
    assert_eq!(given["outcome"], "allow");
    let place = recorded.headers["location"].to_str().expect("an address").to_owned();
    service.call(CallerRole::MonitoringOfficer, Method::DELETE, &place, None).await;
    let answer = service.ask(&discuss(id(&given))).await;
    assert_eq!(answer.body["outcome"], "allow", "what was given may be discussed in private: {}", answer.body);
}

#[tokio::test]
async fn a_need_to_know_of_no_document_is_refused() {
    let service = service().await;
    let general = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": null, "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Everything."
    });
    let answer = service.determine(&general).await;
    assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!("/document")));
}
