//! What a person or body decided: who may, what it must name, and how it is used.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, key, key_of, read_json};

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

fn need(by: &str, post: &str, answer: bool, at: &str) -> Value {
    json!({
        "kind": "need_to_know", "answer": answer, "person": "b3", "document": "memo:1", "parts": null,
        "decided_by": {"person": by, "post": post}, "decided_at": at, "valid_until": null, "reasons": "As decided."
    })
}

fn question() -> Value {
    json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read",
        "document": {
            "id": "memo:1", "kind": "correspondence", "held_by": "council", "council_business": true, "business": [],
            "published_at": null, "draft": "none", "matters": ["waste"], "wards": [], "group_internal_of": null,
            "administration_only": false, "personal_record": false, "third_party_personal": false,
            "staff_matter": false, "proceedings": "none", "classification": {"access": "open"}
        },
        "purpose": {"capacity": "councillor", "ground": "casework", "on_behalf_of": {"type": "none"}},
        "channel": "director", "routine": false
    })
}

#[tokio::test]
async fn a_recorded_need_opens_and_its_withdrawal_closes() {
    let service = service().await;
    assert_eq!(service.ask(&question()).await.body["outcome"], "deny");
    let recorded = service.determine(&need("o-cd", "corporate_director", true, "2026-01-02T10:00:00Z")).await;
    assert_eq!(recorded.status, 201);
    let place = recorded.headers["location"].to_str().expect("an address").to_owned();
    assert_eq!(service.ask(&question()).await.body["outcome"], "allow");
    let read = service.call(CallerRole::MonitoringOfficer, Method::GET, &place, None).await;
    assert_eq!(read.body["entered_by"], "test-monitoring_officer");
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &place, None).await.status, 204);
    assert_eq!(service.ask(&question()).await.body["outcome"], "deny");
    let kept = service.call(CallerRole::MonitoringOfficer, Method::GET, &place, None).await;
    assert!(kept.body["withdrawn_at"].is_string(), "kept, no longer in force");
}

#[tokio::test]
async fn the_post_is_checked_and_the_attempt_is_logged() {
    let service = service().await;
    for (by, post) in [("o-case", "monitoring_officer"), ("o-so", "scrutiny_officer"), ("b3", "monitoring_officer")] {
        let answer = service.determine(&need(by, post, true, "2026-01-02T10:00:00Z")).await;
        assert_eq!(answer.status, 403, "{by} as {post}");
    }
    let attempts = service.acts("refusal").await;
    let told =
        |act: &Value| (act["determination"]["decided_by"]["person"].clone(), act["determination"]["kind"].clone());
    let attempts: Vec<_> = attempts.iter().map(|(caller, act)| (caller.as_str(), told(act))).collect();
    let attempt = |by: &str| ("test-monitoring_officer", (json!(by), json!("need_to_know")));
    assert_eq!(attempts, ["o-case", "o-so", "b3"].map(attempt));
    assert_eq!(service.ask(&question()).await.body["outcome"], "deny");
}

#[tokio::test]
async fn unknown_people_bodies_kinds_and_parts_are_refused() {
    let service = service().await;
    let mut document = question()["document"].clone();
    document["parts"] = json!([{"id": "one"}]);
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/memo:1", Some(&document)).await;
    assert_eq!(put.status, 201);
    let base = need("o-mo", "monitoring_officer", true, "2026-01-02T10:00:00Z");
    for (member, value, pointer) in [
        ("person", json!("nobody"), "/person"),
        ("decided_by", json!({"person": "nobody", "post": "monitoring_officer"}), "/decided_by/person"),
        ("decided_by", json!({"body": "nothing"}), "/decided_by/body"),
        ("kind", json!("whim"), "/kind"),
        ("parts", json!(["two"]), "/parts"),
    ] {
        let mut determination = base.clone();
        determination[member] = value;
        let answer = service.determine(&determination).await;
        assert_eq!((answer.status.as_u16(), &answer.body["errors"][0]["pointer"]), (400, &json!(pointer)));
    }
}

#[tokio::test]
async fn a_later_determination_further_along_the_route_supersedes_and_between_equals_the_closing_one_wins() {
    let service = service().await;
    service.determine(&need("o-cd", "corporate_director", true, "2026-01-02T10:00:00Z")).await;
    service.determine(&need("o-cd", "corporate_director", false, "2026-01-03T10:00:00Z")).await;
    assert_eq!(service.ask(&question()).await.body["outcome"], "deny", "between equals the closing one wins");
    service.determine(&need("o-mo", "monitoring_officer", true, "2026-01-04T10:00:00Z")).await;
    assert_eq!(service.ask(&question()).await.body["outcome"], "allow", "the Monitoring Officer settles it");
    service.determine(&need("o-cd", "corporate_director", false, "2026-01-05T10:00:00Z")).await;
    assert_eq!(service.ask(&question()).await.body["outcome"], "allow", "a director does not unsettle it");
}

#[tokio::test]
async fn a_determination_past_its_validity_is_not_used() {
    let service = service().await;
    let mut determination = need("o-mo", "monitoring_officer", true, "2026-01-02T10:00:00Z");
    determination["valid_until"] = json!("2026-01-09T10:00:00Z");
    assert_eq!(service.determine(&determination).await.status, 201);
    assert_eq!(service.ask(&question()).await.body["outcome"], "deny");
}

#[tokio::test]
async fn a_determination_binds_the_version_it_was_made_on() {
    let service = service().await;
    let mut document = question()["document"].clone();
    document["version"] = json!("1");
    service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/memo:1", Some(&document)).await;
    service.determine(&need("o-mo", "monitoring_officer", true, "2026-01-02T10:00:00Z")).await;
    let mut asked = question();
    asked["document"] = json!({"id": "memo:1"});
    assert_eq!(service.ask(&asked).await.body["outcome"], "allow");
    document["version"] = json!("2");
    service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/memo:1", Some(&document)).await;
    assert_eq!(service.ask(&asked).await.body["outcome"], "deny", "a new version is a new question");
}

#[tokio::test]
async fn the_conditions_of_a_determination_are_told_with_what_it_opens() {
    let service = service().await;
    let mut determination = need("o-cd", "corporate_director", true, "2026-01-02T10:00:00Z");
    determination["conditions"] = json!("To be read in the Monitoring Officer's room.");
    service.determine(&determination).await;
    let told = |body: &Value| {
        let all = body["information"].as_array().cloned().unwrap_or_default();
        all.iter().any(|one| one["type"] == "handling_duty" && one["text"].to_string().contains("Officer's room"))
    };
    let answer = service.ask(&question()).await;
    assert_eq!(answer.body["outcome"], "allow");
    assert!(told(&answer.body), "{}", answer.body["information"]);
    // CL-13: no condition is put on what a statute gives.
    let mut of_right = question();
    of_right["document"]["kind"] = json!("report");
    of_right["document"]["business"] = json!([{
        "body": "licensing", "meeting": "m-1", "status": "to_be_transacted", "private": false, "concluded_at": null,
        "meeting_at": "2099-01-05T10:00:00Z", "convened_at": "2026-01-01T10:00:00Z"}]);
    of_right["document"]["classification"] =
        json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"});
    let answer = service.ask(&of_right).await;
    assert_eq!(answer.body["outcome"], "allow", "{}", answer.body);
    assert!(!told(&answer.body), "{}", answer.body["information"]);
}

#[tokio::test]
async fn an_opinion_lapses_with_a_later_classification() {
    let service = service().await;
    let mut asked = question();
    asked["document"]["kind"] = json!("report");
    asked["document"]["business"] = json!([{
        "body": "licensing", "meeting": "m-1", "status": "to_be_transacted", "private": true, "concluded_at": null,
        "meeting_at": "2099-01-05T10:00:00Z", "convened_at": "2026-01-01T10:00:00Z"}]);
    let classified = |at: &str| {
        json!({"access": "exempt", "exempt": [{"paragraph": 1}], "public_interest": "maintain",
               "determined_by": "proper_officer", "determined_at": at})
    };
    asked["document"]["classification"] = classified("2026-01-01T10:00:00Z");
    let opinion = json!({
        "kind": "discloses_exempt", "answer": false, "person": null, "document": "memo:1",
        "decided_by": {"person": "o-po", "post": "proper_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "reasons": "It names nobody."
    });
    assert_eq!(service.ask(&asked).await.body["outcome"], "deny");
    assert_eq!(service.determine(&opinion).await.status, 201);
    assert_eq!(service.ask(&asked).await.body["outcome"], "allow", "the proper officer's opinion");
    asked["document"]["classification"] = classified("2026-01-03T10:00:00Z");
    assert_eq!(service.ask(&asked).await.body["outcome"], "deny", "a later opinion is a fresh start");
}

#[tokio::test]
async fn who_may_decide_is_the_profiles() {
    let decision = |register: &Value| {
        let person = register["people"][0]["id"].clone();
        json!({
            "kind": "service_head_decision", "answer": true, "person": person, "document": "memo:1",
            "decided_by": {"person": "o-cd", "post": "corporate_director"}, "decided_at": "2026-01-02T10:00:00Z",
            "reasons": "As decided."
        })
    };
    for (profile, expected) in [("cc", 201), ("th52", 403)] {
        let register = read_json(&format!("tests/api/cases/{profile}.json"))["register"].clone();
        let service = Service::with_register(profile, &register).await;
        let answer = service.determine(&decision(&register)).await;
        assert_eq!(answer.status, expected, "{profile}: {}", answer.body);
        let told = service.call(CallerRole::Officer, Method::GET, "/v1/profile", None).await;
        let posts = &told.body["determinations"]["service_head_decision"];
        assert_eq!(posts.to_string().contains("corporate_director"), expected == 201, "{posts}");
    }
}

/// An officer who asked for a paper decides nothing about it: not by a key of theirs, not by another's, not by taking a
/// refusal back.
#[tokio::test]
async fn nobody_determines_what_concerns_themselves() {
    let service = service().await;
    let about = |person: &str, by: &str| {
        let mut determination = need(by, "monitoring_officer", true, "2026-01-02T10:00:00Z");
        determination["person"] = json!(person);
        determination
    };
    let by_officer = async |determination: &Value| {
        let path = "/v1/determinations";
        service.call_with(Some(&key_of("o-mo")), Method::POST, path, Some(determination), &[]).await.status.as_u16()
    };
    // Decided by the person it is about, whoever enters it.
    assert_eq!(service.determine(&about("o-mo", "o-mo")).await.status, 403);
    // Entered by the person it is about, whoever decided it.
    let mut by_another = about("o-mo", "o-cd");
    by_another["decided_by"]["post"] = json!("corporate_director");
    assert_eq!(by_officer(&by_another).await, 403);
    assert_eq!(service.determine(&by_another).await.status, 201);
    // What would be given to that person is a case of theirs, too.
    let mut disclosure = about("b3", "o-mo");
    disclosure["recipient"] = json!("o-mo");
    assert_eq!(service.determine(&disclosure).await.status, 403);
    // Of others it stands to them.
    assert_eq!(by_officer(&about("b3", "o-mo")).await, 201);

    // A refusal is not taken back by the one it refuses.
    let mut refusal = by_another.clone();
    refusal["answer"] = json!(false);
    let recorded = service.determine(&refusal).await;
    let place = recorded.headers["location"].to_str().expect("an address").to_owned();
    let taken_back = service.call_with(Some(&key_of("o-mo")), Method::DELETE, &place, None, &[]).await;
    assert_eq!(taken_back.status, 404, "nor is it theirs to see: {}", taken_back.body);
    let kept = service.call(CallerRole::MonitoringOfficer, Method::GET, &place, None).await;
    assert!(kept.body["withdrawn_at"].is_null());
    assert_eq!(service.call(CallerRole::MonitoringOfficer, Method::DELETE, &place, None).await.status, 204);
}

/// One determination that the Monitoring Officer made, one that an officer entered for a director.
async fn two_makers(service: &Service) -> [String; 2] {
    let of_mo = service.determine(&need("o-mo", "monitoring_officer", true, "2026-01-02T10:00:00Z")).await;
    let for_director = need("o-cd", "corporate_director", false, "2026-01-02T10:00:00Z");
    let path = "/v1/determinations";
    let of_officer = service.call(CallerRole::Officer, Method::POST, path, Some(&for_director)).await;
    [of_mo, of_officer].map(|recorded| recorded.body["id"].as_str().expect("an id").to_owned())
}

#[tokio::test]
async fn an_officer_reads_what_they_entered_or_decided_and_nothing_else() {
    let service = service().await;
    let both = two_makers(&service).await;
    let [of_mo, of_officer] = &both;
    for (key, seen) in [
        (key(CallerRole::Officer), vec![of_officer]),
        (key_of("o-mo"), vec![of_mo]),
        (key_of("o-case"), vec![]),
        (key(CallerRole::MonitoringOfficer), vec![of_mo, of_officer]),
        (key(CallerRole::InformationGovernance), vec![of_mo, of_officer]),
    ] {
        let get = async |path: &str| service.call_with(Some(&key), Method::GET, path, None, &[]).await;
        for filter in ["", "?person=b3", "?document=memo:1&kind=need_to_know", "?limit=1"] {
            let listed = get(&format!("/v1/determinations{filter}")).await;
            let listed = listed.body["items"].as_array().expect("items").clone();
            let ids: Vec<&str> = listed.iter().map(|one| one["id"].as_str().expect("an id")).collect();
            let expected = if filter == "?limit=1" { &seen[..seen.len().min(1)] } else { &seen[..] };
            assert_eq!(ids, expected, "{key} {filter}");
        }
        for id in &both {
            let read = get(&format!("/v1/determinations/{id}")).await;
            assert_eq!(read.status == 200, seen.contains(&id), "{key} {id}: {}", read.status);
            assert!([200, 404].contains(&read.status.as_u16()), "what may not be seen is not there");
        }
    }
    // What is not there is not withdrawn either, and the attempt is on record.
    let place = format!("/v1/determinations/{of_mo}");
    assert_eq!(service.call(CallerRole::Officer, Method::DELETE, &place, None).await.status, 404);
    let kept = service.call(CallerRole::MonitoringOfficer, Method::GET, &place, None).await;
    assert!(kept.body["withdrawn_at"].is_null());
    let acts = service.acts("refusal").await;
    assert_eq!(acts, [("test-officer".to_owned(), json!({"withdrawal": of_mo}))]);
    // Whose roles read none are told so, whether there is one or not.
    for role in [CallerRole::Pep, CallerRole::Registrar, CallerRole::Councillor, CallerRole::Operator] {
        for path in ["/v1/determinations", &place, "/v1/determinations/none"] {
            assert_eq!(service.call(role, Method::GET, path, None).await.status, 403, "{role} {path}");
        }
    }
}

#[tokio::test]
async fn each_reading_of_determinations_is_on_record() {
    let service = service().await;
    let [of_mo, of_officer] = two_makers(&service).await;
    for (role, path) in [
        (CallerRole::InformationGovernance, format!("/v1/determinations/{of_mo}")),
        (CallerRole::Officer, format!("/v1/determinations/{of_mo}")),
        (CallerRole::Officer, format!("/v1/determinations/{of_officer}")),
        (CallerRole::Officer, "/v1/determinations?person=b3".to_owned()),
    ] {
        service.call(role, Method::GET, &path, None).await;
    }
    let listed = json!({"determinations": {"document": null, "person": "b3", "kind": null, "own": true}});
    let read: Vec<_> =
        service.acts("log_read").await.into_iter().filter(|(_, act)| act.get("export").is_none()).collect();
    assert_eq!(
        read,
        [
            ("test-information_governance".to_owned(), json!({"determination": of_mo})),
            ("test-officer".to_owned(), json!({"determination": of_officer})),
            ("test-officer".to_owned(), listed),
        ],
        "and what was not told was not read"
    );
}

/// One that names nobody is about everybody but the one who decided it.
#[tokio::test]
async fn what_somebody_determines_for_all_opens_nothing_to_themselves() {
    let service = service().await;
    let mut both = service.call(CallerRole::Registrar, Method::GET, "/v1/register/people/b3", None).await.body;
    both["id"] = json!("b3-mo");
    both["posts"] = json!(["monitoring_officer"]);
    service.put_person(&both).await;
    let mut general = need("b3-mo", "monitoring_officer", true, "2026-01-02T10:00:00Z");
    general["person"] = Value::Null;
    assert_eq!(service.determine(&general).await.status, 201);
    let ask = async |person: &str| {
        let mut question = question();
        question["principal"]["id"] = json!(person);
        service.ask(&question).await.body["outcome"].clone()
    };
    assert_eq!(ask("b3").await, "allow");
    assert_eq!(ask("b3-mo").await, "deny");
    // What closes, closes to its maker, too.
    general["answer"] = json!(false);
    general["decided_at"] = json!("2026-01-03T10:00:00Z");
    assert_eq!(service.determine(&general).await.status, 201);
    assert_eq!((ask("b3").await, ask("b3-mo").await), (json!("deny"), json!("deny")));
}

/// What a determination rests on may change between the look and the record.
#[tokio::test]
async fn no_determination_is_recorded_by_a_post_that_was_taken_away_meanwhile() {
    let service = service().await;
    let register = read_json("tests/api/cases/th52.json")["register"].clone();
    let director = register["people"].as_array().expect("people").iter().find(|person| person["id"] == "o-cd");
    let with = director.expect("the director").clone();
    let without = json!({"id": "o-cd", "name": with["name"], "kind": "officer", "posts": []});
    let moved = async {
        for _ in 0..15 {
            service.put_person(&without).await;
            service.put_person(&with).await;
        }
    };
    let asked = need("o-cd", "corporate_director", true, "2026-01-02T10:00:00Z");
    let determined = async || {
        let mut recorded = 0;
        for _ in 0..10 {
            recorded += u32::from(service.determine(&asked).await.status == 201);
        }
        recorded
    };
    let ((), one, two, three) = tokio::join!(moved, determined(), determined(), determined());
    assert_eq!(service.determine(&asked).await.status, 201, "once it is quiet");
    let export = service.call(CallerRole::InformationGovernance, Method::GET, "/v1/log/export", None).await.body;
    let (mut holds, mut seen) = (true, 0);
    for line in export.as_str().expect("lines").lines().skip(1) {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let put = &line["payload"]["act"]["value"]["put_person"];
        match line["leaf"]["kind"].as_str().expect("a kind") {
            "register_write" if put["id"] == "o-cd" => holds = put["posts"] == with["posts"],
            "determination" => {
                assert!(holds, "entry {}", line["index"]);
                seen += 1;
            }
            _ => {}
        }
    }
    assert_eq!(seen, one + two + three + 1);
}
