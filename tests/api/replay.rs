//! A decision made again: the same under its own policies, told apart under others, from its own record alone.

use std::sync::Arc;

use pinkpaper::{
    app::{
        again::Made,
        replay::{ReplayError, Under},
        replays::{Again, Period, Policies, Replays},
    },
    audit::{EntryKind, NewEntry},
    domain::words::{CallerRole, Outcome},
    pap::{Bundle, PolicyFiles},
    pdp::StatutoryLayer,
    pip::{Page, PageRequest},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Service, read_json};

/// The policy that gives members the Part II papers of their own body, by TH52-10.3-ii.
pub const OWN_BODY: &str = "need-to-know/members-of-the-body-see-its-part-ii.cedar";

/// A member of the Licensing Committee.
pub const MEMBER: &str = "b2";

pub async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// A licensing report with a private appendix, for a meeting of the Licensing Committee.
pub fn asked_by(person: &str, parts: &Value) -> Value {
    let exempt = json!({"access": "exempt", "exempt": [{"paragraph": 7}], "public_interest": "maintain",
                        "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"});
    let open = json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"});
    json!({
        "principal": {"type": "person", "id": person}, "action": "read",
        "document": {
            "id": "edrms:2026/0117", "title": "Review of the Crown Bar licence", "kind": "report",
            "held_by": "council", "council_business": true,
            "business": [{"body": "licensing", "meeting": "m", "status": "to_be_transacted", "private": false,
                          "meeting_at": "2126-12-01T18:30:00Z", "convened_at": "2026-01-01T10:00:00Z", "concluded_at": null}],
            "published_at": "2026-01-02T10:00:00Z", "draft": "none", "matters": ["licensing", "licence:crown-bar"],
            "wards": [], "group_internal_of": null, "administration_only": false, "personal_record": false,
            "third_party_personal": false, "staff_matter": false, "proceedings": "none",
            "parts": [{"id": "report", "title": "Report", "tags": [], "classification": open},
                      {"id": "appendix", "title": "Appendix", "tags": [], "classification": exempt,
                       "published_at": null}]
        },
        "parts": parts,
        "purpose": {"capacity": "councillor", "ground": "other", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": true
    })
}

pub async fn make(service: &Service, question: &Value) -> Value {
    let answer = service.ask(question).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

async fn replayed_by(service: &Service, role: CallerRole, decision: &Value, under: Option<&Value>) -> Answer {
    let path = format!("/v1/decisions/{}/replay", decision["id"].as_str().expect("an id"));
    service.call(role, Method::POST, &path, under).await
}

async fn replayed(service: &Service, decision: &Value, under: Option<&Value>) -> Answer {
    replayed_by(service, CallerRole::MonitoringOfficer, decision, under).await
}

/// Every decision of the service's log comes out the same, by the way the command goes.
pub async fn repeats(service: &Service) {
    let log = Arc::clone(&service.app.store);
    let mut replays =
        Replays::of(log, Period::default(), Policies::Own, StatutoryLayer::Enforce).await.expect("readable");
    let mut made = 0;
    while let Some(page) = replays.next().await.expect("readable") {
        for again in page {
            let Again::Made { replayed, .. } = again else { panic!("{again:?}") };
            assert!(replayed.same, "{}: {:#?}", replayed.decision, replayed.differences);
            made += 1;
        }
    }
    let page = PageRequest { after: None, limit: 10_000 };
    let Page { items, .. } = service.app.store.decisions(&Default::default(), &page).await.expect("readable");
    assert!(made > 0 && made == items.len(), "{made} of {} decisions were made again", items.len());
}

/// Keeps policies in the service's log, as a start with them would; gives their hash.
async fn met(service: &Service, files: PolicyFiles) -> String {
    let in_force = service.app.policies.load_full();
    let other = Arc::new(Bundle::load(&files).expect("the policies load"));
    service.app.policies.store(Arc::clone(&other));
    service.app.start_policies().await.expect("in force");
    service.app.policies.store(in_force);
    service.app.start_policies().await.expect("in force again");
    other.hash.clone()
}

/// The shipped policies without those of a file.
pub fn without(file: &str) -> PolicyFiles {
    let mut files = PolicyFiles::shipped();
    files.0.remove(file).expect("the policy is there");
    let policy = file.rsplit('/').next().expect("a name").trim_end_matches(".cedar");
    for (_, text) in files.0.iter_mut().filter(|(path, _)| path.starts_with("profiles/")) {
        let mut profile: Value = serde_json::from_str(text).expect("JSON");
        profile["rules"].as_array_mut().expect("rules").retain(|rule| rule["policy"] != policy);
        *text = profile.to_string();
    }
    files
}

#[tokio::test]
async fn under_its_own_policies_every_sort_of_answer_comes_out_the_same() {
    let service = service().await;
    for (question, outcome, held) in [
        (asked_by("b3", &json!(["report"])), "allow", false),
        (asked_by("b3", &json!(["report", "appendix"])), "redact", true),
        (asked_by("b3", &json!(["appendix"])), "deny", true),
    ] {
        let decision = make(&service, &question).await;
        assert_eq!((&decision["outcome"], &decision["held"]), (&json!(outcome), &json!(held)), "{decision}");
        for under in [None, Some(json!({})), Some(json!({"policy_bundle": decision["policy_bundle"]}))] {
            let answer = replayed(&service, &decision, under.as_ref()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let told = answer.body;
            assert_eq!((&told["same"], &told["differences"]), (&json!(true), &json!([])));
            assert_eq!((&told["then"]["outcome"], &told["now"]["outcome"]), (&json!(outcome), &json!(outcome)));
            assert_eq!(told["now"]["parts"], decision["parts"]);
            assert_eq!(told["then"]["statutory_layer"], "enforce");
            assert_eq!(told["then"]["engine"], told["now"]["engine"]);
            assert_eq!(told["then"]["schemas"], service.schemas.hash());
        }
    }
    repeats(&service).await;
}

#[tokio::test]
async fn it_is_made_from_the_facts_of_then_and_not_of_today() {
    let service = service().await;
    let question = asked_by("b3", &json!(["appendix"]));
    let decision = make(&service, &question).await;
    let need = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "Needed."
    });
    assert_eq!(service.determine(&need).await.status, 201);
    assert_eq!(make(&service, &question).await["outcome"], "allow");
    assert_eq!(replayed(&service, &decision, None).await.body["now"]["outcome"], "deny");
}

#[tokio::test]
async fn under_other_policies_each_difference_is_told_in_words() {
    let service = service().await;
    let decision = make(&service, &asked_by(MEMBER, &json!(["appendix"]))).await;
    assert_eq!(decision["outcome"], "allow", "a member of the committee: {decision}");
    assert!(decision["parts"][0]["because"].to_string().contains("TH52-10.3-ii"), "{decision}");
    let other = met(&service, without(OWN_BODY)).await;
    let told = replayed(&service, &decision, Some(&json!({"policy_bundle": other}))).await;
    assert_eq!(told.status, 200, "{}", told.body);
    let told = told.body;
    assert_eq!((&told["same"], &told["now"]["policy_bundle"]), (&json!(false), &json!(other)));
    assert_eq!((&told["then"]["outcome"], &told["now"]["outcome"]), (&json!("allow"), &json!("deny")));
    let differences = told["differences"].as_array().expect("differences");
    let about = |about: &str| differences.iter().find(|it| it["about"] == about).cloned().unwrap_or_default();
    assert_eq!(about("answer")["then"], "allowed");
    assert_eq!(about("answer")["now"], "refused, held until somebody has decided");
    let outcome = json!({"about": "outcome", "part": "appendix", "then": "given", "now": "withheld"});
    assert_eq!(about("outcome"), outcome);
    assert_eq!((&about("because")["now"], &about("referral")["then"]), (&json!("no rule permits"), &Value::Null));
    for unwanted in ["Crown Bar", "Cllr", "\"b2\""] {
        assert!(!told.to_string().contains(unwanted), "`{unwanted}` is in: {told}");
    }
    // Nothing but a reading came of it.
    let waiting = service.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/referrals", None).await;
    assert_eq!(waiting.body["items"], json!([]), "a replay refers nothing");
}

#[tokio::test]
async fn under_another_profile_the_facts_stay_and_the_rules_change() {
    let service = service().await;
    let decision = make(&service, &asked_by(MEMBER, &json!(["appendix"]))).await;
    let told = replayed(&service, &decision, Some(&json!({"profile": "baseline"}))).await.body;
    assert_eq!((&told["then"]["profile"], &told["now"]["profile"]), (&json!("th52"), &json!("baseline")));
    assert_eq!((&told["now"]["outcome"], &told["same"]), (&json!("deny"), &json!(false)));
}

#[tokio::test]
async fn policies_and_profiles_that_are_not_there_are_faults_of_the_message() {
    let service = service().await;
    let decision = make(&service, &asked_by("b3", &json!(["report", "appendix"]))).await;
    let unknown = format!("sha256:{}", "0".repeat(64));
    for (under, pointer) in [
        (json!({"policy_bundle": unknown}), "/policy_bundle"),
        (json!({"policy_bundle": "latest"}), "/policy_bundle"),
        (json!({"profile": "nowhere"}), "/profile"),
        (json!({"policies": "new"}), "/policies"),
    ] {
        let answer = replayed(&service, &decision, Some(&under)).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!(pointer)), "{under}");
    }
}

#[tokio::test]
async fn only_those_who_read_the_log_may_and_each_time_is_on_record() {
    let service = service().await;
    let decision = make(&service, &asked_by(MEMBER, &json!(["report", "appendix"]))).await;
    for role in CallerRole::ALL {
        let reads = matches!(role, CallerRole::MonitoringOfficer | CallerRole::InformationGovernance);
        let before = readings(&service).await;
        let status = replayed_by(&service, *role, &decision, None).await.status;
        assert_eq!(status, if reads { 200 } else { 403 }, "{role}");
        assert_eq!(readings(&service).await - before, usize::from(reads), "{role}");
    }
    let missing = json!({"id": "00000000-0000-7000-8000-000000000000"});
    assert_eq!(replayed(&service, &missing, None).await.status, 404);
}

/// Readings of the log that are on record.
async fn readings(service: &Service) -> usize {
    let entries = service.app.store.raw(0, 10_000).await.expect("readable");
    entries.iter().filter(|entry| String::from_utf8_lossy(&entry.leaf).contains(r#""kind":"log_read""#)).count()
}

#[tokio::test]
async fn what_was_erased_cannot_be_made_again() {
    let service = service().await;
    let decision = make(&service, &asked_by("b3", &json!(["report", "appendix"]))).await;
    let kept = make(&service, &asked_by(MEMBER, &json!(["report", "appendix"]))).await;
    let erasure = json!({"decision": decision["id"], "groups": "all", "outcome": "erased", "basis": "UK GDPR Article 17",
                         "authorised_by": "Data Protection Officer"});
    let done = service.call(CallerRole::InformationGovernance, Method::POST, "/v1/log/erasures", Some(&erasure)).await;
    assert_eq!(done.status, 201, "{}", done.body);
    let answer = replayed(&service, &decision, None).await;
    assert_eq!((answer.status.as_u16(), &answer.body["type"]), (410, &json!("/docs#not-kept")));
    assert_eq!(replayed(&service, &kept, None).await.status, 200);
}

/// An entry like that of a decision, changed, under another id.
pub async fn like(service: &Service, decision: &Value, change: impl FnOnce(&mut Vec<(&'static str, Value)>)) -> Value {
    let id = decision["id"].as_str().expect("an id");
    let entry = service.app.store.entry(id).await.expect("readable").expect("there");
    let group = |name| (name, entry.group(name).cloned().expect("kept"));
    let mut payload = ["caller", "request", "answer", "facts", "basis"].map(group).to_vec();
    let id = format!("{id}-like");
    payload[2].1["id"] = json!(id);
    change(&mut payload);
    let entry = NewEntry {
        kind: EntryKind::Decision,
        id: id.clone(),
        at: entry.at,
        outcome: Some(Outcome::Allow),
        policy_bundle: decision["policy_bundle"].as_str().expect("a hash").to_owned(),
        facts_version: None,
        payload,
        search: None,
        erased: None,
        idempotency: None,
    };
    service.app.store.append(entry).await.expect("appended");
    json!({"id": id})
}

#[tokio::test]
async fn an_answer_that_its_own_record_does_not_bear_out_is_said_to_be_a_fault() {
    let service = service().await;
    let decision = make(&service, &asked_by("b3", &json!(["appendix"]))).await;
    let forged = like(&service, &decision, |payload| {
        let answer = &mut payload[2].1;
        (answer["outcome"], answer["held"]) = (json!("allow"), json!(false));
        answer["parts"] = json!([{"id": "appendix", "outcome": "disclose", "because": ["TH52-10.3-ii"]}]);
    })
    .await;
    let answer = replayed(&service, &forged, None).await;
    assert_eq!((answer.status.as_u16(), &answer.body["type"]), (500, &json!("/docs#not-repeatable")));
    let detail = answer.body["detail"].as_str().expect("in words");
    assert!(detail.contains("appendix: the outcome: then given; now withheld"), "{detail}");
    assert!(detail.contains("Made by Pinkpaper"), "{detail}");
    let under = Under::default();
    let caller = pinkpaper::app::Caller {
        name: "test".to_owned(),
        roles: vec![CallerRole::InformationGovernance],
        person: None,
        personal: false,
    };
    let id = forged["id"].as_str().expect("an id");
    assert!(matches!(service.app.replay(&caller, id, under).await, Err(ReplayError::NotRepeatable(_))));
}

#[tokio::test]
async fn a_decision_from_before_the_basis_was_kept_is_made_again_as_configured() {
    let service = service().await;
    let decision = make(&service, &asked_by("b3", &json!(["report", "appendix"]))).await;
    let old = like(&service, &decision, |payload| payload.truncate(4)).await;
    let told = replayed(&service, &old, None).await;
    assert_eq!(told.status, 200, "{}", told.body);
    assert_eq!((&told.body["same"], told.body["then"].get("statutory_layer")), (&json!(true), None));
    assert_eq!(told.body["now"]["statutory_layer"], "enforce", "the layer assumed is told");
}

#[tokio::test]
async fn a_decision_is_kept_with_all_that_made_it() {
    let service = service().await;
    let decision = make(&service, &asked_by("b3", &json!(["report", "appendix"]))).await;
    let id = decision["id"].as_str().expect("an id");
    let entry = service.app.store.entry(id).await.expect("readable").expect("there");
    let basis = Made::of(&entry.payload).expect("whole").basis.expect("kept");
    assert_eq!((basis.profile.as_str(), basis.statutory_layer), ("th52", StatutoryLayer::Enforce));
    assert_eq!(basis.engine.pinkpaper, env!("CARGO_PKG_VERSION"));
    assert_eq!(basis.schemas.as_deref(), Some(service.schemas.hash()));
}
