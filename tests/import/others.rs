//! CSV, Popolo and this program's own JSON.

use serde_json::{Value, json};

use crate::{
    desk::{Desk, map, one, samples},
    support::read_json,
};

/// A register that has something of everything.
fn full() -> Value {
    let mut register = read_json("tests/api/cases/th52.json")["register"].clone();
    register["bodies"][0]["work_programme"] = json!([{"id": "wp-1", "title": "Repairs, \"urgent\"\nand others",
        "matters": ["housing", "repairs"], "from": "2026-01-01", "to": null}]);
    register["people"][0]["reviewing"] = json!([{"decision": "dec-1", "recorded_at": "2026-10-02T09:00:00Z"}]);
    register["people"][0]["interests"] = json!([{"id": "i-1", "kind": "personal", "holder": "partner",
        "matter": "housing", "relation": "affects", "registered": true, "sensitive": false}]);
    register["people"][0]["dispensations"] = json!([{"interest": "i-1", "from": "2026-10-01", "to": null}]);
    // What a spreadsheet would run, and what has been kept from that before.
    register["people"][0]["name"] = json!("=HYPERLINK(\"http://elsewhere.example/\")");
    register["people"][1]["name"] = json!("'=1");
    register["people"][0]["outside_appointments"] = json!(["organisation:1", "organisation:2"]);
    register
}

#[test]
fn what_is_given_out_is_taken_back_unchanged() {
    let desk = Desk::new();
    let file = desk.write("first.json", full().to_string());
    desk.told("json", &file, &[]);
    let whole = desk.register();
    let out = desk.path("out").display().to_string();
    let csv = desk.run(&["export", "--format", "csv", &out, "--database-url", &desk.database]);
    assert!(csv.status.success(), "{}", String::from_utf8_lossy(&csv.stderr));
    let guide = std::fs::read_to_string(samples().join("../../deploy/IMPORT.md")).expect("the guide");
    for file in std::fs::read_dir(&out).expect("files").map(|file| file.expect("one").path()) {
        let text = std::fs::read_to_string(&file).expect("text");
        let header = format!("`{}`", text.lines().next().expect("a first line"));
        assert!(guide.contains(&header), "{header} is not in deploy/IMPORT.md");
        assert!(!text.contains("\"=") && !text.contains(",=") && !text.contains("\n="), "a formula: {text}");
    }
    let json_file = desk.path("out.json").display().to_string();
    assert!(desk.run(&["export", &json_file, "--database-url", &desk.database]).status.success());
    let again = desk.run(&["export", &json_file, "--database-url", &desk.database]);
    assert_eq!(again.status.code(), Some(1), "what is there is not written over");
    for (from, source) in [("csv", desk.path("out")), ("json", desk.path("out.json"))] {
        let same = desk.told(from, &source, &[]);
        assert!(same["facts_version"].is_null(), "{same:#}");
        let other = Desk::new();
        assert_eq!(other.told(from, &source, &[])["facts_version"], 1);
        assert_eq!(other.register(), whole, "{from}");
    }
}

#[test]
fn no_cell_that_is_given_out_begins_like_a_formula() {
    let desk = Desk::new();
    let cells =
        ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "''-1", "'@x", "'t Hooft", "'", "Ann's"];
    let mut register = full();
    let wards = cells.iter().enumerate().map(|(at, name)| json!({"id": format!("-w{at}"), "name": name}));
    register["wards"].as_array_mut().expect("wards").extend(wards);
    register["people"][0]["wards"] = json!(["-w0", "-w1"]);
    desk.told("json", &desk.write("first.json", register.to_string()), &[]);
    let whole = desk.register();
    let out = desk.path("out").display().to_string();
    assert!(desk.run(&["export", "--format", "csv", &out, "--database-url", &desk.database]).status.success());
    for file in std::fs::read_dir(&out).expect("files").map(|file| file.expect("one").path()) {
        let text = std::fs::read_to_string(&file).expect("text");
        for row in csv::Reader::from_reader(text.as_bytes()).records().map(|row| row.expect("a row")) {
            let safe = |cell: &str| !cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert!(row.iter().all(safe), "{row:?} of {}", file.display());
        }
    }
    let wards = std::fs::read_to_string(desk.path("out/wards.csv")).expect("wards");
    for row in ["'-w0,'=1+1\r\n", "'-w7,''=1\r\n", "'-w8,'''-1\r\n", "'-w10,'t Hooft\r\n", "'-w11,'\r\n"] {
        assert!(wards.contains(row), "{row:?} is not in:\n{wards}");
    }
    assert!(desk.told("csv", &desk.path("out"), &[])["facts_version"].is_null(), "the same register");
    let other = Desk::new();
    other.told("csv", &desk.path("out"), &[]);
    assert_eq!(other.register(), whole);
}

#[test]
fn a_sheet_owns_what_it_has_and_nothing_else() {
    let desk = Desk::new();
    let file = desk.write("first.json", full().to_string());
    desk.told("json", &file, &[]);
    let before = desk.register();
    let person = before["people"][0]["id"].as_str().expect("an id").to_owned();
    // As a spreadsheet saves it: a mark at the start, other line ends, one column emptied.
    desk.write(
        "set/people.csv",
        format!("\u{feff}id,name,kind,outside_appointments\r\n{person},\"One, B.\",councillor,\r\n"),
    );
    let told = desk.told("csv", &desk.path("set"), &[]);
    let fields = &told["changes"]["people"]["changed"][0]["fields"];
    assert_eq!(*fields, json!(["name", "outside_appointments"]), "{told:#}");
    assert!(!told["changes"]["people"]["kept"].as_array().expect("kept").is_empty());
    let mut expected = before;
    expected["people"][0]["name"] = json!("One, B.");
    expected["people"][0].as_object_mut().expect("a person").shift_remove("outside_appointments");
    assert_eq!(desk.register(), expected);
    desk.write("set/memberships.csv", "person,body,voting\n");
    desk.told("csv", &desk.path("set"), &[]);
    assert!(desk.register()["people"][0].get("memberships").is_none(), "the file says that there are none");
}

#[test]
fn popolo_becomes_what_it_tells() {
    let desk = Desk::new();
    let told = desk.told("popolo", &samples().join("popolo.json"), &["--map", &map()]);
    let notes = told["notes"].to_string();
    assert!(notes.contains("body o/panel is left out") && notes.contains("person p/clerk is left out"), "{notes}");
    assert!(notes.contains("roles that `roles` does not map: `Councillor`"), "{notes}");
    let register = desk.register();
    assert_eq!(register["groups"], json!([{"id": "o/heron", "name": "Heron Group", "administration": false}]));
    assert_eq!(
        register["bodies"],
        json!([
            {"id": "o/council", "name": "Exampleton Council", "kind": "council"},
            {"id": "o/audit", "name": "Audit Committee", "kind": "committee", "parent": "o/council"}
        ])
    );
    assert_eq!(
        *one(&register, "people", "p/anna"),
        json!({
            "id": "p/anna", "name": "Anna Heron", "kind": "councillor", "term": {"from": "2026-05-31", "to": null},
            "group": "o/heron", "wards": ["a/north"],
            "memberships": [{"body": "o/audit", "role": "chair", "voting": false, "from": "2026-05-20", "to": null}]
        })
    );
    let ben = one(&register, "people", "p/ben");
    assert_eq!(ben["term"], json!({"from": "2022-12-31", "to": "2026-05-01"}), "no longer than told");
    assert!(ben.get("wards").is_none());
    assert!(desk.told("popolo", &samples().join("popolo.json"), &["--map", &map()])["facts_version"].is_null());
}
