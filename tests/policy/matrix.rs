//! Role × document class × ground, written out and reviewed as a diff: what the tables do not list is here too.

use std::fmt::Write;

use pinkpaper::{domain::words::PartOutcome, pdp};
use serde_json::{Value, json};

use crate::{
    row::{Question, answer},
    world::{BUNDLE, NOW, WORLD},
};

/// Who asks: a person of the cast or an anonymous type, and what they are.
const ROLES: &[(&str, &str)] = &[
    ("public", "public"),
    ("b3", "councillor, no body"),
    ("b2", "councillor on licensing"),
    ("b1", "councillor on scrutiny"),
    ("r1", "executive member"),
    ("u1", "ungrouped councillor"),
    ("co1", "co-opted scrutineer"),
    ("a-blue", "political assistant"),
    ("o-case", "officer"),
    ("ex1", "former councillor"),
];

const GROUNDS: &[&str] = &["committee_business", "scrutiny", "ward", "portfolio", "curiosity", "private"];

/// Classes of paper: a name and what makes it one.
fn classes() -> Vec<(&'static str, Value)> {
    let meeting = |body: &str, private: bool| {
        json!([{"body": body, "meeting": "m", "status": "to_be_transacted", "private": private, "concluded_at": null,
                "meeting_at": "2026-11-25T18:00:00Z", "convened_at": "2026-11-04T10:00:00Z"}])
    };
    let past = |body: &str, open: &str| {
        json!([{"body": body, "meeting": "m", "status": "transacted", "private": open != "open", "item_was_open": open,
                "meeting_at": "2026-11-10T18:00:00Z", "concluded_at": "2026-11-10T20:00:00Z",
                "convened_at": "2026-10-20T10:00:00Z"}])
    };
    let exempt = |paragraph: u8| {
        json!({"access": "exempt", "exempt": [{"paragraph": paragraph, "negotiation_terms": false}],
               "public_interest": "maintain", "determined_by": "proper_officer", "determined_at": "2026-11-01T10:00:00Z"})
    };
    let open = json!({"access": "open", "determined_by": "proper_officer", "determined_at": "2026-11-01T10:00:00Z"});
    let confidential = json!({"access": "confidential", "confidential": {"limb": "government_department"},
                              "determined_by": "proper_officer", "determined_at": "2026-11-01T10:00:00Z"});
    let no_business = json!([]);
    let paper = |business: Value, class: &Value, more: Value| {
        let mut paper = json!({
            "id": "paper", "kind": "report", "held_by": "council", "held_by_executive": true, "council_business": true,
            "business": business, "published_at": null, "draft": "none", "taken_into_consideration": true,
            "matters": ["licensing", "housing"], "wards": ["south"], "service": "licensing", "group_internal_of": null,
            "administration_only": false, "personal_record": false, "third_party_personal": false,
            "staff_matter": false, "proceedings": "none", "classification": class, "tags": [],
        });
        for (name, value) in more.as_object().expect("members") {
            paper[name] = value.clone();
        }
        paper
    };
    vec![
        ("Part I, licensing", paper(meeting("licensing", false), &open, json!({}))),
        ("Part II para 1, licensing", paper(meeting("licensing", true), &exempt(1), json!({}))),
        ("Part II para 3, licensing", paper(meeting("licensing", true), &exempt(3), json!({}))),
        ("Part I, cabinet", paper(meeting("cabinet", false), &open, json!({}))),
        ("Part II para 5, cabinet", paper(meeting("cabinet", true), &exempt(5), json!({}))),
        ("past private cabinet, para 3", paper(past("cabinet", "excluded_exempt"), &exempt(3), json!({}))),
        ("past open licensing", paper(past("licensing", "open"), &exempt(1), json!({}))),
        ("confidential, cabinet", paper(meeting("cabinet", true), &confidential, json!({}))),
        ("unsettled, licensing", paper(meeting("licensing", true), &json!({"access": "unsettled"}), json!({}))),
        ("open memo", paper(no_business.clone(), &open, json!({"kind": "correspondence"}))),
        ("published leaflet", paper(no_business.clone(), &open, json!({"published_at": "2026-11-01T10:00:00Z"}))),
        (
            "personal record",
            paper(no_business.clone(), &exempt(1), json!({"kind": "case_file", "personal_record": true})),
        ),
        (
            "administration draft",
            paper(
                no_business.clone(),
                &open,
                json!({"kind": "draft", "draft": "emerging_policy", "administration_only": true}),
            ),
        ),
        (
            "red group paper",
            paper(no_business.clone(), &open, json!({"kind": "group_paper", "group_internal_of": "red"})),
        ),
        ("file in proceedings", paper(no_business, &exempt(5), json!({"kind": "case_file", "proceedings": "ongoing"}))),
        ("nothing known", json!({"id": "paper", "kind": "other", "held_by": "council"})),
    ]
}

fn cell(profile: &str, who: &str, ground: &str, paper: &Value) -> String {
    let people = WORLD.register["people"].as_array().expect("people");
    let principal = match people.iter().any(|person| person["id"] == who) {
        true => json!({"type": "person", "id": who}),
        false => json!({"type": who}),
    };
    let capacity = if ground == "private" { "private" } else { "councillor" };
    let request = json!({
        "principal": principal, "action": "read", "document": paper, "channel": "director",
        "purpose": {"capacity": capacity, "ground": ground, "on_behalf_of": {"type": "none"}},
    });
    let question = Question {
        profile: profile.to_owned(),
        request: serde_json::from_value(request).expect("a request"),
        document: serde_json::from_value(paper.clone()).expect("a document"),
        register: serde_json::from_value(WORLD.register.clone()).expect("a register"),
        determinations: Vec::new(),
    };
    let verdict = answer(&BUNDLE, &question).expect("it evaluates");
    let outcome = pdp::outcome(&verdict.parts);
    let because: Vec<&str> = verdict.parts.iter().flat_map(|part| &part.because).map(String::as_str).collect();
    let disclosed = verdict.parts.iter().any(|part| part.outcome == PartOutcome::Disclose);
    let held = !disclosed && verdict.referral.required;
    format!("{outcome}{} {}", if held { " held" } else { "" }, because.join(","))
}

fn matrix(profile: &str) -> String {
    let mut told = format!("as of {}\n", *NOW);
    for (class, paper) in classes() {
        writeln!(told, "\n{class}").expect("written");
        for (who, what) in ROLES {
            let cells: Vec<(&str, String)> =
                GROUNDS.iter().map(|ground| (*ground, cell(profile, who, ground, &paper))).collect();
            // Where the ground makes no difference, one line says so.
            if cells.iter().all(|(_, cell)| *cell == cells[0].1) {
                writeln!(told, "  {what:<24} any ground          {}", cells[0].1.trim_end()).expect("written");
                continue;
            }
            for (ground, cell) in cells {
                writeln!(told, "  {what:<24} {ground:<19} {}", cell.trim_end()).expect("written");
            }
        }
    }
    told
}

#[test]
fn the_matrix_of_every_profile_is_as_reviewed() {
    for profile in BUNDLE.books.keys() {
        insta::assert_snapshot!(profile.as_str(), matrix(profile));
    }
}
