//! Erasure: what the schedule lets go, what somebody decides to, and what is told afterwards.

use std::collections::BTreeMap;

use pinkpaper::{
    app::{
        evidence::{Only, Wanted},
        export::Format,
    },
    audit::{
        export::View,
        verify::{Trust, verify},
    },
    domain::words::{CallerRole, RecordClass},
    pip::Unreadable,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, key, key_of, read_json};

/// Three days more than so many years.
const fn years(count: i64) -> i64 {
    count * 365 + count / 4 + 3
}

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// A Part II licensing report: given to a member of the committee (`b2`), refused to others (`b3`).
fn asked_by(person: &str) -> Value {
    json!({
        "principal": {"type": "person", "id": person}, "action": "read",
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

async fn decided(service: &Service, person: &str, outcome: &str) -> Value {
    let answer = service.ask(&asked_by(person)).await.body;
    assert_eq!(answer["outcome"], outcome, "{answer}");
    answer
}

fn id(answer: &Value) -> &str {
    answer["id"].as_str().expect("an id")
}

async fn get(service: &Service, path: &str) -> Answer {
    service.call(CallerRole::MonitoringOfficer, Method::GET, path, None).await
}

async fn read(service: &Service, decision: &Value) -> Answer {
    get(service, &format!("/v1/decisions/{}", id(decision))).await
}

async fn listed(service: &Service, query: &str) -> Vec<String> {
    let page = get(service, &format!("/v1/decisions{query}")).await.body;
    page["items"].as_array().expect("items").iter().map(|item| id(item).to_owned()).collect()
}

/// Applies the schedule; of which decisions something went.
async fn apply(service: &Service) -> (u64, u64) {
    let counts: BTreeMap<RecordClass, u64> = service.app.erase_due(false).await.expect("applied");
    (counts[&RecordClass::Allow], counts[&RecordClass::RedactOrDeny])
}

fn erasure(decision: &Value, groups: Value, outcome: &str) -> Value {
    json!({"decision": id(decision), "groups": groups, "outcome": outcome,
           "basis": "UK GDPR Article 17(1)(d)", "authorised_by": "Data Protection Officer"})
}

async fn erase(service: &Service, body: &Value) -> Answer {
    service.call(CallerRole::InformationGovernance, Method::POST, "/v1/log/erasures", Some(body)).await
}

fn gone(answer: &Answer) -> (u16, &str, &str) {
    let text = |member: &str| answer.body[member].as_str().unwrap_or_default();
    (answer.status.as_u16(), text("type"), text("detail"))
}

#[tokio::test]
async fn what_is_due_goes_class_by_class_and_reading_it_says_so() {
    let service = service().await;
    let (given, refused) = (decided(&service, "b2", "allow").await, decided(&service, "b3", "deny").await);
    assert_eq!(apply(&service).await, (0, 0));
    service.clock.put_forward(years(2));
    assert_eq!(service.app.erase_due(true).await.expect("counted")[&RecordClass::Allow], 1);
    assert_eq!(read(&service, &given).await.status, 200, "counting erases nothing");
    assert_eq!(apply(&service).await, (1, 0));
    let answer = read(&service, &given).await;
    let (status, kind, detail) = gone(&answer);
    assert_eq!((status, kind), (410, "/docs#not-kept"));
    assert!(
        detail.starts_with("It was erased on 20") && detail.ends_with(" under the retention schedule."),
        "{detail}"
    );
    for rest in ["explanation", "statement"] {
        let answer = get(&service, &format!("/v1/decisions/{}/{rest}", id(&given))).await;
        assert_eq!(gone(&answer), (410, kind, detail), "{rest}");
    }
    assert_eq!(read(&service, &refused).await.status, 200);
    for query in ["", "?person=b2", "?document=edrms:2026/0117", "?outcome=allow"] {
        assert!(!listed(&service, query).await.contains(&id(&given).to_owned()), "{query}");
    }
    assert_eq!(listed(&service, "").await, [id(&refused)]);
    assert_eq!(apply(&service).await, (0, 0), "what went is not due again");
    service.clock.put_forward(years(4));
    assert_eq!(apply(&service).await, (0, 1));
    assert!(listed(&service, "").await.is_empty());
    let asker = service.call(CallerRole::Pep, Method::GET, &format!("/v1/decisions/{}", id(&given)), None).await;
    assert_eq!(asker.status, 404, "whose it was is not known any more");
}

#[tokio::test]
async fn leaves_stay_and_name_nobody_when_everything_else_goes() {
    let service = service().await;
    decided(&service, "b3", "deny").await;
    let size = service.app.store.head().await.expect("readable").peaks.size();
    let before = service.app.store.raw(0, 1000).await.expect("readable");
    service.clock.put_forward(years(7));
    service.app.erase_due(false).await.expect("applied");
    let after = service.app.store.raw(0, 1000).await.expect("readable");
    assert!(after.len() as u64 > size, "the erasures are entries too");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.leaf, &before.leaf_hash), (&after.leaf, &after.leaf_hash));
        assert!(after.groups.is_empty());
    }
    let erasures: Vec<String> =
        after[before.len()..].iter().map(|entry| String::from_utf8(entry.leaf.clone()).expect("text")).collect();
    assert!(erasures.iter().all(|leaf| leaf.contains(r#""kind":"erasure""#)), "{erasures:?}");
    assert!(
        erasures
            .iter()
            .any(|leaf| leaf.contains(r#""groups":["answer","basis","caller","facts","request","summary"]"#))
    );
    assert!(erasures.iter().all(|leaf| !leaf.contains("\"b3\"") && !leaf.contains("edrms") && !leaf.contains("test-")));
}

#[tokio::test]
async fn a_hold_keeps_what_is_due_until_its_release_and_its_own_period_are_over() {
    let service = service().await;
    let hold = json!({"kind": "foi", "reference": "FOI 1", "reason": "Asked for.", "scope": {"person": "b3"}});
    let placed = service.call(CallerRole::MonitoringOfficer, Method::POST, "/v1/holds", Some(&hold)).await;
    let refused = decided(&service, "b3", "deny").await;
    service.clock.put_forward(years(7));
    assert_eq!(apply(&service).await, (0, 0), "a hold covers what was decided after it");
    let place = placed.headers["location"].to_str().expect("an address").to_owned();
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &place, None).await.status, 204);
    service.clock.put_forward(4 * 28);
    assert_eq!(apply(&service).await, (0, 0), "four months are not over");
    service.clock.put_forward(4 * 3);
    assert_eq!(apply(&service).await, (0, 1));
    assert_eq!(read(&service, &refused).await.status, 410);
    assert_eq!(get(&service, &place).await.status, 200, "the hold's own record has six years from its release");
    service.clock.put_forward(years(6));
    service.app.erase_due(false).await.expect("applied");
    let hold = get(&service, &place).await;
    assert_eq!((gone(&hold).0, gone(&hold).1), (410, "/docs#not-kept"));
    assert_eq!(get(&service, "/v1/holds").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_referral_closed_late_keeps_the_refusal_that_raised_it() {
    let service = service().await;
    let (early, late) = (decided(&service, "b3", "deny").await, decided(&service, "b4", "deny").await);
    service.clock.put_forward(years(5));
    let need = json!({
        "kind": "need_to_know", "answer": true, "person": "b4", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Needed."
    });
    let determination = service.determine(&need).await.body["id"].clone();
    let path = |answer: &Value, rest: &str| {
        format!("/v1/referrals/{}{rest}", answer["referral"]["id"].as_str().expect("an id"))
    };
    let body = json!({"determination": determination});
    let closed = service.call(CallerRole::MonitoringOfficer, Method::POST, &path(&late, "/close"), Some(&body)).await;
    assert_eq!(closed.status, 200, "{}", closed.body);
    service.clock.put_forward(years(1));
    assert_eq!(apply(&service).await, (0, 1));
    assert_eq!((read(&service, &early).await.status.as_u16(), read(&service, &late).await.status.as_u16()), (410, 200));
    assert_eq!(get(&service, &path(&early, "")).await.status, 410);
    let addressed = service.call_with(Some(&key_of("o-mo")), Method::GET, &path(&early, ""), None, &[]).await;
    assert_eq!(addressed.status, 404, "to whom it was put is not known any more");
    assert_eq!(get(&service, "/v1/referrals").await.body["items"].as_array().expect("items").len(), 1);
}

#[tokio::test]
async fn nothing_is_left_of_a_determination_out_of_force_when_its_period_is_over_and_every_proof_holds() {
    const REASONS: &str = "zebra-crossing";
    let service = service().await;
    let need = json!({
        "kind": "need_to_know", "answer": true, "person": "b4", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": REASONS
    });
    let withdrawn = service.determine(&need).await.body;
    let in_force = service.determine(&need).await.body;
    service.clock.put_forward(years(7));
    let applied = async || service.app.erase_due(false).await.expect("applied")[&RecordClass::Determination];
    assert_eq!(applied().await, 0, "both are in force");
    let path = format!("/v1/determinations/{}", id(&withdrawn));
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &path, None).await.status, 204);
    assert_eq!(applied().await, 0, "its period has only begun");
    service.clock.put_forward(years(6));
    assert_eq!(applied().await, 2, "the determination and its withdrawal");
    assert_eq!(get(&service, &path).await.status, 404);
    let listed = get(&service, "/v1/determinations").await.body;
    assert_eq!(listed["items"].as_array().expect("items").len(), 1, "{listed}");
    assert_eq!(listed["items"][0]["id"], in_force["id"]);
    let path = format!("/v1/determinations/{}", id(&in_force));
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &path, None).await.status, 204);
    service.clock.put_forward(years(6));
    assert_eq!(applied().await, 2);
    assert_eq!(get(&service, "/v1/determinations").await.body["items"], json!([]));
    let export = service.call(CallerRole::InformationGovernance, Method::GET, "/v1/log/export", None).await.body;
    let export = export.as_str().expect("lines");
    assert!(!export.contains(REASONS));
    verify(export.as_bytes(), &Trust::default(), |_| {}).expect("every proof holds");
}

#[tokio::test]
async fn one_group_goes_on_request_and_the_rest_is_still_told() {
    let service = service().await;
    let refused = decided(&service, "b3", "deny").await;
    let done = erase(&service, &erasure(&refused, json!(["facts"]), "erased")).await;
    assert_eq!(done.status, 201, "{}", done.body);
    assert_eq!((&done.body["groups"], &done.body["outcome"]), (&json!(["facts"]), &json!("erased")));
    assert_eq!(done.body["recorded_by"], "test-information_governance");
    assert_eq!(read(&service, &refused).await.status, 200);
    assert_eq!(listed(&service, "?person=b3").await, [id(&refused)]);
    let explained = get(&service, &format!("/v1/decisions/{}/explanation", id(&refused))).await;
    let (status, _, detail) = gone(&explained);
    assert_eq!(status, 410);
    assert!(detail.ends_with(" on request."), "{detail}");
    let again = erase(&service, &erasure(&refused, json!(["facts"]), "erased")).await;
    assert_eq!((again.status.as_u16(), &again.body["errors"][0]["pointer"]), (400, &json!("/groups")));
}

#[tokio::test]
async fn all_of_a_decision_goes_on_request_and_cannot_go_twice() {
    let service = service().await;
    let sent = [("Idempotency-Key", "k-1")];
    let pep = key(CallerRole::Pep);
    let ask = async || service.call_with(Some(&pep), Method::POST, "/v1/decisions", Some(&asked_by("b3")), &sent).await;
    let refused = ask().await.body;
    let done = erase(&service, &erasure(&refused, json!("all"), "erased")).await;
    assert_eq!(
        done.body["groups"],
        json!(["answer", "basis", "caller", "facts", "request", "summary"]),
        "{}",
        done.body
    );
    let answer = read(&service, &refused).await;
    assert!(answer.status == 410 && gone(&answer).2.ends_with(" on request."), "{}", answer.body);
    assert!(listed(&service, "").await.is_empty());
    for groups in [json!("all"), json!(["facts"])] {
        assert_eq!(erase(&service, &erasure(&refused, groups, "erased")).await.status, 410);
    }
    let anew = ask().await.body;
    assert_eq!((anew["outcome"] == "deny", id(&anew) == id(&refused)), (true, false), "its key is forgotten");
    let mut discuss = asked_by("b3");
    discuss["action"] = json!("discuss");
    discuss["setting"] = json!("part_ii_meeting");
    discuss["purpose"]["provided_under"] = json!(id(&refused));
    let answer = service.ask(&discuss).await;
    assert_eq!((answer.status.as_u16(), &answer.body["outcome"]), (200, &json!("deny")), "it shows nothing any more");
    let hold = json!({"kind": "other", "reference": "r", "reason": "r", "scope": {"decision": id(&refused)}});
    let held = service.call(CallerRole::MonitoringOfficer, Method::POST, "/v1/holds", Some(&hold)).await;
    assert_eq!((held.status.as_u16(), &held.body["errors"][0]["pointer"]), (400, &json!("/scope/decision")));
}

#[tokio::test]
async fn a_hold_refuses_a_request_and_is_named() {
    let service = service().await;
    let refused = decided(&service, "b3", "deny").await;
    let hold = json!({"kind": "litigation", "reference": "r", "reason": "r", "scope": {"document": "edrms:2026/0117"}});
    let hold = service.call(CallerRole::MonitoringOfficer, Method::POST, "/v1/holds", Some(&hold)).await.body;
    let held = async || {
        let answer = erase(&service, &erasure(&refused, json!("all"), "erased")).await;
        assert_eq!((answer.status.as_u16(), &answer.body["type"]), (409, &json!("/docs#held")));
        assert_eq!(answer.body["detail"], format!("Hold {} covers it.", id(&hold)));
    };
    held().await;
    let refusal = erase(&service, &erasure(&refused, json!("all"), "refused")).await;
    assert_eq!(refusal.status, 201, "that it is refused can be put on record all the same");
    let path = format!("/v1/holds/{}", id(&hold));
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &path, None).await.status, 204);
    held().await;
    service.clock.put_forward(6 * 7 + 1);
    assert_eq!(erase(&service, &erasure(&refused, json!("all"), "erased")).await.status, 201);
}

#[tokio::test]
async fn a_refusal_to_erase_is_recorded_and_erases_nothing() {
    let service = service().await;
    let refused = decided(&service, "b3", "deny").await;
    let body = erasure(&refused, json!("all"), "refused");
    let key = key(CallerRole::InformationGovernance);
    let send = async |body: &Value| {
        let sent = [("Idempotency-Key", "k-1")];
        service.call_with(Some(&key), Method::POST, "/v1/log/erasures", Some(body), &sent).await
    };
    let first = send(&body).await;
    assert_eq!((first.status.as_u16(), &first.body["outcome"]), (201, &json!("refused")), "{}", first.body);
    assert_eq!(read(&service, &refused).await.status, 200);
    assert_eq!(send(&body).await.body, first.body, "one request is one entry");
    let other = send(&erasure(&refused, json!("all"), "erased")).await;
    assert_eq!((other.status.as_u16(), &other.body["type"]), (409, &json!("/docs#key-reused")));
    let kept = service.app.store.entry(id(&first.body)).await.expect("readable").expect("on record");
    assert_eq!((kept.kind.word(), kept.erased.is_none()), ("erasure_refused", true));
}

#[tokio::test]
async fn a_request_that_names_nothing_is_refused() {
    let service = service().await;
    let refused = decided(&service, "b3", "deny").await;
    let unknown = json!({"id": "no-such-decision"});
    for (body, pointer) in [
        (erasure(&unknown, json!("all"), "erased"), "/decision"),
        (erasure(&refused, json!([]), "erased"), "/groups"),
        (erasure(&refused, json!(["name"]), "erased"), "/groups"),
        (erasure(&refused, json!("all"), "forgotten"), "/outcome"),
    ] {
        let answer = erase(&service, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!(pointer)), "{body}");
    }
    assert_eq!(read(&service, &refused).await.status, 200);
}

#[tokio::test]
async fn an_export_during_which_something_is_erased_breaks_off() {
    let service = service().await;
    let (first, second) = (decided(&service, "b3", "deny").await, decided(&service, "b2", "allow").await);
    let begun = async || {
        let wanted = Wanted { view: View::Full, from: None, to: None, only: Only::default() };
        service.app.export_by_operator(wanted, Format::Ndjson).await.expect("begun")
    };
    let ended = async |mut export| {
        let mut text = String::new();
        while let Some(lines) = service.app.more(&mut export).await? {
            text.push_str(&lines);
        }
        Ok::<String, Unreadable>(text)
    };
    let erased = async |decision: &Value| {
        let done = erase(&service, &erasure(decision, json!(["request"]), "erased")).await;
        assert_eq!(done.status, 201, "{}", done.body);
    };
    erased(&first).await;
    let export = begun().await;
    erased(&second).await;
    let broken = ended(export).await.expect_err("it would look as if the request had been taken away");
    assert!(broken.0.to_string().contains("export it again"), "{}", broken.0);
    let whole = ended(begun().await).await.expect("whole");
    let found = verify(whole.as_bytes(), &Trust::default(), |_| {}).expect("verified");
    assert_eq!((found.erased, found.erased_later), (2, 0));
    assert!(found.to_string().ends_with("\nerased: 2 groups of payload, by acts on record"), "{found}");
}
