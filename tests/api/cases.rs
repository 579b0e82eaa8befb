//! The worked cases, in order, over HTTP.

use serde_json::{Value, json};

use crate::support::{Answer, Service, read_json};

async fn run(file: &str) {
    let all = read_json(&format!("tests/api/cases/{file}"));
    let profile = all["profile"].as_str().expect("a profile");
    let cast = &all["register"];
    let service = Service::with_register(profile, cast).await;
    let mut failed = Vec::new();
    let cases = all["cases"].as_array().expect("cases");
    assert!(!cases.is_empty(), "no cases");
    for case in cases {
        let people = case["people"].as_array().expect("people");
        for person in people {
            service.put_person(person).await;
        }
        for determination in case["determinations"].as_array().expect("determinations") {
            let answer = service.determine(determination).await;
            assert_eq!(answer.status, 201, "{}: {}", case["id"], answer.body);
        }
        let answer = service.ask(&case["request"]).await;
        let faults = compare(&case["expect"], &answer);
        if !faults.is_empty() {
            failed.push(format!("{} ({}): {}", case["id"], case["note"], faults.join("; ")));
        }
        put_back(&service, cast, people).await;
    }
    crate::replay::repeats(&service).await;
    assert!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

async fn put_back(service: &Service, cast: &Value, changed: &[Value]) {
    for person in cast["people"].as_array().expect("people") {
        if changed.iter().any(|other| other["id"] == person["id"]) {
            service.put_person(person).await;
        }
    }
}

fn compare(expect: &Value, answer: &Answer) -> Vec<String> {
    if answer.status != 200 {
        return vec![format!("status {}: {}", answer.status, answer.body)];
    }
    let body = &answer.body;
    let parts = body["parts"].as_array().expect("parts");
    let withheld: Vec<&Value> = parts.iter().filter(|part| part["outcome"] == "withhold").map(|p| &p["id"]).collect();
    let told = [
        ("outcome", body["outcome"].clone()),
        ("held", body["held"].clone()),
        ("withheld", if expect["outcome"].is_null() { expect["withheld"].clone() } else { json!(withheld) }),
        ("referral_required", body["referral"]["required"].clone()),
        ("referral_to_first", body["referral"]["to"].get(0).cloned().unwrap_or(Value::Null)),
    ];
    let mut faults: Vec<String> = told
        .iter()
        .filter(|(name, told)| !expect[name].is_null() && expect[name] != *told)
        .map(|(name, told)| format!("{name} is {told}, expected {}", expect[name]))
        .collect();
    duties(expect, body, &mut faults);
    because(expect, body, parts, &mut faults);
    faults
}

fn list<'a>(of: &'a Value, name: &str) -> Vec<&'a Value> {
    of[name].as_array().map(|items| items.iter().collect()).unwrap_or_default()
}

fn duties(expect: &Value, body: &Value, faults: &mut Vec<String>) {
    let types = |name: &str| list(body, name).into_iter().map(|duty| &duty["type"]).collect::<Vec<_>>();
    let (obligations, information) = (types("obligations"), types("information"));
    for wanted in list(expect, "obligations_include").iter().filter(|o| !obligations.contains(o)) {
        faults.push(format!("obligation {wanted} is missing"));
    }
    for unwanted in list(expect, "obligations_exclude").iter().filter(|o| obligations.contains(o)) {
        faults.push(format!("obligation {unwanted} is there"));
    }
    for wanted in list(expect, "information_include").iter().filter(|i| !information.contains(i)) {
        faults.push(format!("information {wanted} is missing"));
    }
}

fn because(expect: &Value, body: &Value, parts: &[Value], faults: &mut Vec<String>) {
    let any = list(expect, "because_any");
    let mut rules: Vec<&Value> = parts.iter().flat_map(|part| list(part, "because")).collect();
    rules.extend(list(body, "reasons").iter().map(|reason| &reason["rule"]));
    if parts.iter().all(|part| part["outcome"] == "disclose" || list(part, "because").is_empty()) {
        rules.extend(list(body, "tested").iter().map(|tested| &tested["rule"]));
        rules.push(&body["referral"]["rule"]);
    }
    if !any.is_empty() && !any.iter().any(|rule| rules.contains(rule)) {
        faults.push(format!("none of {any:?} among {rules:?}"));
    }
}

#[tokio::test]
async fn the_statutory_cases_hold() {
    run("statute.json").await;
}

#[tokio::test]
async fn the_cases_of_a_committee_system_council_hold() {
    run("statute-committee.json").await;
}

#[tokio::test]
async fn the_cases_of_th52_hold() {
    run("th52.json").await;
}

#[tokio::test]
async fn the_cases_of_th23_hold() {
    run("th23.json").await;
}

#[tokio::test]
async fn the_cases_of_cc_hold() {
    run("cc.json").await;
}

#[tokio::test]
async fn the_cases_of_cm_hold() {
    run("cm.json").await;
}

#[tokio::test]
async fn the_cases_of_wat_hold() {
    run("wat.json").await;
}
