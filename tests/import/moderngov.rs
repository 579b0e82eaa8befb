//! modern.gov: what its answers become, and what they leave alone.

use pinkpaper::{domain::id::Id, pip::PageRequest};
use serde_json::{Value, json};

use crate::desk::{Desk, map, one};

fn notes(told: &Value) -> String {
    told["notes"]
        .as_array()
        .expect("notes")
        .iter()
        .map(|note| note.as_str().expect("text"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_dry_run_names_all_that_is_not_told_and_makes_nothing() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    let whose = desk.refused("moderngov", &answers, &["--dry-run"]);
    assert!(whose.contains("give `[authority]` with id, name and governance in --map FILE"), "{whose}");
    let only = "[authority]\nid = \"exampleton\"\nname = \"Exampleton Council\"\ngovernance = \"executive\"\n";
    let only = desk.write("only.toml", only);
    let told = desk.told("moderngov", &answers, &["--dry-run", "--map", only.to_str().expect("a path")]);
    assert!(told["facts_version"].is_null() && told["dry_run"] == true);
    assert_eq!(told["changes"]["people"]["added"].as_array().expect("people").len(), 3);
    assert_eq!(told["changes"]["bodies"]["added"], json!([]));
    let notes = notes(&told);
    for expected in [
        "body mg:committee:144 is left out: nothing tells which kind of body it is",
        "8 documents are left out",
        "parties that `groups` does not make a political group: `Otter Party`",
        "committees that are deleted or expired: `312`",
        "restrictions that `restrictions` does not map: `LGA 12A 3`, `see reasons`",
        "memberships, for `meetings.members_since` is not given, of: `mg:committee:144`",
        "statuses of meetings that are not known to take place: `Cancelled`",
    ] {
        assert!(notes.contains(expected), "`{expected}` is not in:\n{notes}");
    }
    assert!(!desk.path("test.db").exists(), "a dry run made a database");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_become_register_and_documents_in_one_write_on_record() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    let told = desk.told("moderngov", &answers, &["--map", &map()]);
    assert_eq!(told["facts_version"], 1);
    assert!(notes(&told).contains("body mg:committee:150 is left out"), "{told:#}");
    let register = desk.register();
    assert_eq!(register["authority"]["id"], "exampleton");
    assert_eq!(
        register["wards"],
        json!([
            {"id": "mg:ward:mill-quay", "name": "Mill & Quay"}, {"id": "mg:ward:north", "name": "North"}
        ])
    );
    assert_eq!(
        register["groups"],
        json!([
            {"id": "mg:group:heron-group", "name": "Heron Group", "administration": false},
            {"id": "otter", "name": "Otter Group", "administration": false}
        ])
    );
    assert_eq!(register["bodies"], json!([{"id": "mg:committee:144", "name": "Audit Committee", "kind": "committee"}]));
    assert_eq!(
        register["people"],
        json!([
            {"id": "mg:user:100", "name": "Councillor A. Miller", "kind": "councillor",
             "term": {"from": "2026-05-08", "to": null}, "group": "mg:group:heron-group", "wards": ["mg:ward:mill-quay"],
             "memberships": [{"body": "mg:committee:144", "role": "chair", "voting": false, "from": null, "to": null}]},
            {"id": "cllr-quayle", "name": "Councillor B. Quayle", "kind": "councillor", "group": "otter",
             "wards": ["mg:ward:mill-quay"],
             "memberships": [{"body": "mg:committee:144", "role": "member", "voting": true, "from": null, "to": null}]},
            {"id": "mg:user:102", "name": "Councillor C. North", "kind": "councillor", "wards": ["mg:ward:north"]}
        ]),
        "a vote only where the council gives it to the role; an observer is no member"
    );

    let store = desk.store().await;
    let business = |item: &str, status: &str, private: bool| {
        json!([{
            "body": "mg:committee:144", "meeting": "mg:meeting:5001", "item": item, "status": status,
            "meeting_at": "2026-02-10T10:00:00Z", "private": private
        }])
    };
    let document = async |number: u32| {
        let id = Id::try_from(format!("mg:attachment:{number}")).expect("an id");
        json!(store.document(&id).await.expect("readable").unwrap_or_else(|| panic!("no {number}")))
    };
    let open = document(60860).await;
    assert_eq!(
        open,
        json!({
            "id": "mg:attachment:60860", "title": "Minutes of the last meeting", "kind": "other", "held_by": "council",
            "business": business("4", "transacted", false), "published_at": "2026-02-03T00:00:00Z",
            "classification": {"access": "open"}
        })
    );
    let restricted = document(60870).await;
    assert_eq!(
        restricted["classification"],
        json!({
            "access": "exempt", "exempt": [{"paragraph": 3}], "label": "Restricted in modern.gov"
        })
    );
    assert_eq!(restricted["business"], business("5", "to_be_transacted", true));
    for number in [60861, 60862, 60871, 60872, 60880] {
        let document = document(number).await;
        assert_eq!(document["classification"]["access"], "unsettled", "{number}");
        assert!(document.get("published_at").is_none(), "{number}");
    }
    let cancelled = document(60890).await;
    assert!(cancelled.get("business").is_none(), "no business is transacted at a cancelled meeting");

    let entries = store.raw(0, 100).await.expect("readable");
    let leaf = |entry: &pinkpaper::audit::RawEntry| -> Value { serde_json::from_slice(&entry.leaf).expect("JSON") };
    let writes: Vec<_> = entries.iter().filter(|entry| leaf(entry)["kind"] == "register_write").collect();
    assert_eq!(writes.len(), 1, "one act");
    let group = |name: &str| {
        let group = writes[0].groups.iter().find(|group| group.name == name).expect("a group");
        serde_json::from_str::<Value>(&group.body).expect("JSON")
    };
    assert_eq!((group("caller"), &group("act")["import"]["from"]), (json!("pinkpaper"), &json!("moderngov")));
    assert_eq!(group("act")["import"]["documents"].as_array().expect("documents").len(), 8);
    let page = PageRequest { after: None, limit: 100 };
    assert_eq!(store.list_documents(&Default::default(), &page).await.expect("readable").items.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_council_wrote_by_hand_stays() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.told("moderngov", &answers, &["--map", &map()]);
    let mut register = desk.register();
    register["people"][0]["interests"] = json!([{"id": "i-1", "kind": "personal", "holder": "self", "matter": "harbour",
        "relation": "affects", "registered": true, "sensitive": false}]);
    register["people"][0]["portfolios"] = json!(["harbour"]);
    register["people"][0]["kind"] = json!("elected_mayor");
    register["people"][0]["memberships"][0]["voting"] = json!(true);
    register["people"][0]["memberships"][0]["from"] = json!("2026-05-20");
    let ended =
        json!({"body": "mg:committee:144", "role": "chair", "voting": true, "from": "2020-05-20", "to": "2024-05-20"});
    register["people"][0]["memberships"].as_array_mut().expect("memberships").insert(0, ended);
    register["bodies"][0]["terms_of_reference"] = json!(["audit"]);
    register["bodies"][0]["work_programme"] =
        json!([{"id": "w-1", "title": "Lease", "matters": [], "from": null, "to": null}]);
    register["people"].as_array_mut().expect("people").push(json!({"id": "o-mo", "name": "Monitoring Officer",
        "kind": "officer", "posts": ["monitoring_officer"]}));
    let by_hand = desk.write("by-hand.json", register.to_string());
    desk.told("json", &by_hand, &[]);
    let by_hand = desk.register();
    let again = desk.told("moderngov", &answers, &["--map", &map()]);
    assert!(again["facts_version"].is_null(), "{again:#}");
    assert_eq!(desk.register(), by_hand);
    let plain = desk.import("moderngov", &answers, &["--map", &map()]);
    assert!(String::from_utf8_lossy(&plain.stdout).ends_with("nothing to change\n"));

    desk.edit("councillors.xml", "Councillor A. Miller", "Councillor A. Miller-Weir");
    let renamed = desk.told("moderngov", &answers, &["--map", &map()]);
    assert_eq!(renamed["changes"]["people"]["changed"], json!([{"id": "mg:user:100", "fields": ["name"]}]));
    let mut expected = by_hand;
    expected["people"][0]["name"] = json!("Councillor A. Miller-Weir");
    assert_eq!(desk.register(), expected);
}

#[test]
fn what_is_no_longer_named_stays_until_it_is_replaced() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.told("moderngov", &answers, &["--map", &map()]);
    let mut register = desk.register();
    register["people"].as_array_mut().expect("people").push(json!({"id": "o-mo", "name": "Monitoring Officer",
        "kind": "officer", "posts": ["monitoring_officer"]}));
    register["bodies"]
        .as_array_mut()
        .expect("bodies")
        .push(json!({"id": "cabinet", "name": "Cabinet", "kind": "executive"}));
    let file = desk.write("officer.json", register.to_string());
    desk.told("json", &file, &[]);
    // Councillor C. North is gone, and Councillor Miller is not on the committee any more.
    desk.edit("councillors.xml", "<councillorid>102</councillorid>", "<councillorid>103</councillorid>");
    desk.edit("meeting_5001.xml", "memberid=\"100\"", "memberid=\"103\"");
    let dry = desk.import("moderngov", &answers, &["--map", &map(), "--dry-run"]);
    let dry = String::from_utf8_lossy(&dry.stdout).into_owned();
    assert!(dry.contains("people: 1 added, 0 changed, 0 removed\n  + mg:user:103  Councillor C. North\n"), "{dry}");
    assert!(dry.contains("people not named by the source, kept: mg:user:102\n"), "{dry}");
    assert!(dry.ends_with("nothing was changed: this was a dry run\n"), "{dry}");
    desk.told("moderngov", &answers, &["--map", &map()]);
    assert_eq!(one(&desk.register(), "people", "mg:user:100")["memberships"][0]["role"], "chair");
    let replaced = desk.told("moderngov", &answers, &["--map", &map(), "--replace"]);
    assert_eq!(replaced["changes"]["people"]["removed"], json!(["mg:user:102"]));
    let register = desk.register();
    assert!(one(&register, "people", "mg:user:100").get("memberships").is_none());
    assert_eq!(
        one(&register, "people", "o-mo")["posts"],
        json!(["monitoring_officer"]),
        "officers are not modern.gov's"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_closes_and_a_recorded_opinion_is_not_opened() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.told("moderngov", &answers, &["--map", &map()]);
    let id: Id = "mg:attachment:60860".try_into().expect("an id");
    let recorded = |access: &str| {
        json!({
            "id": "mg:attachment:60860", "title": "Minutes of the last meeting", "kind": "minutes", "held_by": "council",
            "classification": {"access": access, "determined_by": "proper_officer", "determined_at": "2026-02-01T09:00:00Z"},
            "business": [{"body": "mg:committee:144", "meeting": "mg:meeting:5001", "item": "4", "status": "transacted",
                          "concluded_at": "2026-02-10T12:00:00Z"}],
            "parts": [{"id": "one", "classification": {"access": "open"}}, {"id": "two", "tags": ["personal"]}]
        })
    };
    let put = async |access: &str| {
        let store = desk.store().await;
        let document = serde_json::from_value(recorded(access)).expect("a document");
        let change = pinkpaper::pip::Change::PutDocument(Box::new(document));
        let write = pinkpaper::audit::Write { change, if_version: None };
        store.write(write, entry(access)).await.expect("written");
    };
    let document = async || json!(desk.store().await.document(&id).await.expect("readable").expect("there"));
    put("unsettled").await;
    desk.told("moderngov", &answers, &["--map", &map()]);
    let kept = document().await;
    assert_eq!(kept["classification"], recorded("unsettled")["classification"], "modern.gov does not open it");
    assert!(kept.get("published_at").is_none());
    assert_eq!(
        (&kept["kind"], &kept["business"][0]["concluded_at"]),
        (&json!("minutes"), &json!("2026-02-10T12:00:00Z"))
    );
    put("open").await;
    desk.edit("meeting_5001.xml", "<isrestricted>False</isrestricted>", "<isrestricted>True</isrestricted>");
    desk.told("moderngov", &answers, &["--map", &map()]);
    let closed = document().await;
    assert_eq!(closed["classification"]["access"], "unsettled");
    assert_eq!(closed["parts"], json!([{"id": "one"}, {"id": "two", "tags": ["personal"]}]));
}

/// The same paper at an item taken in private and at one taken in public, told of by two imports of different days.
#[tokio::test(flavor = "multi_thread")]
async fn a_paper_closed_at_one_meeting_is_not_opened_by_another() {
    for private_first in [true, false] {
        let desk = Desk::new();
        let answers = desk.moderngov();
        desk.edit("meeting_5002.xml", "Cancelled", "Confirmed");
        desk.edit("meeting_5002.xml", "60890", "60860");
        desk.edit(
            "meeting_5002.xml",
            "<isrestricted>False</isrestricted>\n      <isdisplay",
            "<isrestricted>True</isrestricted>\n      <isdisplay",
        );
        let [public, private] = ["meeting_5001.xml", "meeting_5002.xml"].map(|file| answers.join(file));
        let texts = [&public, &private].map(|file| std::fs::read_to_string(file).expect("a sample"));
        let (first, then) = if private_first { (&private, &public) } else { (&public, &private) };
        std::fs::remove_file(then).expect("removed");
        desk.told("moderngov", &answers, &["--map", &map()]);
        std::fs::remove_file(first).expect("removed");
        std::fs::write(then, if private_first { &texts[0] } else { &texts[1] }).expect("written");
        desk.told("moderngov", &answers, &["--map", &map()]);
        let id: Id = "mg:attachment:60860".try_into().expect("an id");
        let document = async || json!(desk.store().await.document(&id).await.expect("readable").expect("there"));
        let told = document().await;
        assert_eq!(told["business"].as_array().map(Vec::len), Some(2), "{told:#}");
        assert_eq!(told["classification"]["access"], "unsettled", "private first: {private_first}");
        assert!(told.get("published_at").is_none(), "{told:#}");

        // Both told again, and neither private.
        std::fs::write(&public, &texts[0]).expect("written");
        std::fs::write(&private, texts[1].replace("<isrestricted>True", "<isrestricted>False")).expect("written");
        desk.told("moderngov", &answers, &["--map", &map()]);
        assert_eq!(document().await["classification"]["access"], "open");
    }
}

pub fn entry(id: &str) -> pinkpaper::audit::NewEntry {
    pinkpaper::audit::NewEntry {
        kind: pinkpaper::audit::EntryKind::DocumentWrite,
        id: id.to_owned(),
        at: jiff::Timestamp::now(),
        outcome: None,
        policy_bundle: "sha256:0a".to_owned(),
        facts_version: None,
        payload: vec![("act", json!({}))],
        search: None,
        idempotency: None,
        erased: None,
    }
}

#[test]
fn who_still_names_what_is_removed_is_listed() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.told("moderngov", &answers, &["--map", &map()]);
    desk.edit("committees.xml", "<committeeid> 144</committeeid>", "<committeeid>145</committeeid>");
    let told = desk.told("moderngov", &answers, &["--map", &map(), "--replace", "--dry-run"]);
    assert_eq!(told["changes"]["bodies"]["removed"], json!(["mg:committee:144"]));
    let expected = "person mg:user:100 still names body mg:committee:144, which is removed";
    assert!(notes(&told).contains(expected), "{told:#}");
    assert!(
        notes(&told)
            .contains("meetings whose committee no answer of GetMeetings and GetCommittees tells: `5001`, `5002`")
    );
}
