//! Bad sources: each fault is told with its place, all at once, and the register stays as it was.

use serde_json::json;

use crate::desk::{Desk, map, samples};

/// What an import says of the samples of modern.gov with one thing changed.
fn told(file: &str, what: &str, to: &str) -> String {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.edit(file, what, to);
    let told = desk.refused("moderngov", &answers, &["--map", &map()]);
    assert!(told.contains("nothing was changed"), "{told}");
    assert!(desk.is_empty(), "{told}");
    told
}

#[test]
fn each_fault_of_an_answer_has_its_place() {
    let cases = [
        (
            "councillors.xml",
            "<councillorid>101<",
            "<councillorid>100<",
            "councillors.xml:18:9 <councillor>: councillor 100 stands twice",
        ),
        (
            "councillors.xml",
            "<councillorid>101<",
            "<councillorid>1o1<",
            "councillors.xml:19:11 <councillorid>: councillorid: expected a number, not `1o1`",
        ),
        (
            "councillors.xml",
            "08/05/2026",
            "31/02/2026",
            "<startdate>: startdate: expected a day as dd/MM/yyyy, not `31/02/2026`",
        ),
        ("councillors.xml", "07/05/2022", "07/05/2032", "the term ends on 2026-05-05, before it begins on 2032-05-07"),
        (
            "councillors.xml",
            "<fullusername>Councillor C. North<",
            "<fullusername>\n<",
            "fullusername: expected 1 to 500 characters, not nothing",
        ),
        ("councillors.xml", "<wardtitle>North<", "<wardtitle>Mill Quay<", "two wards have the id `mg:ward:mill-quay`"),
        (
            "committees.xml",
            "<committeeid>150<",
            "<committeeid>144<",
            "committees.xml:11:3 <committee>: committee 144 stands twice",
        ),
        (
            "committees.xml",
            "<committeeexpired>False<",
            "<committeeexpired>Maybe<",
            "committeeexpired: expected `True` or `False`, not `Maybe`",
        ),
        ("meeting_5001.xml", "memberid=\"900\"", "memberid=\"x\"", "<attendee>: memberid: expected a number"),
        ("meeting_5001.xml", "<attachmentid>60870<", "<attachmentid><", "attachmentid: expected a number, not nothing"),
        ("meetings.xml", "</getmeetings>", "", "meetings.xml: is not whole XML"),
        (
            "meetings.xml",
            "getmeetings",
            "html",
            "expected an answer of GetCouncillorsByWard, GetCommittees, GetMeetings or GetMeeting",
        ),
        (
            "meetings.xml",
            "<getmeetings>",
            "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><getmeetings>",
            "meetings.xml: is not whole XML",
        ),
    ];
    for (file, what, to, expected) in cases {
        let told = told(file, what, to);
        assert!(told.contains(expected), "`{expected}` is not in:\n{told}");
    }
}

#[test]
fn all_faults_come_at_once_up_to_a_bound() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.edit("councillors.xml", "<councillorid>101<", "<councillorid>x<");
    desk.edit("committees.xml", "<committeeid>150<", "<committeeid>y<");
    let told = desk.refused("moderngov", &answers, &["--map", &map()]);
    assert!(told.contains("not `x`") && told.contains("not `y`"), "{told}");
    let rows: String = (0..80).map(|_| "a b,Name,councillor\n").collect();
    desk.write("set/people.csv", format!("id,name,kind\n{rows}"));
    let told = desk.refused("csv", &desk.path("set"), &["--map", &map()]);
    assert!(told.contains("people.csv:2: id: expected an id is 1 to 200 characters"), "{told}");
    assert!(told.ends_with("and 30 more\n"), "{told}");
}

#[test]
fn another_encoding_is_told_with_its_line() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.write("answers/committees.xml", b"<?xml version=\"1.0\"?>\n<committees>\n<a>Caf\xe9</a></committees>");
    let told = desk.refused("moderngov", &answers, &["--map", &map()]);
    assert!(told.contains("committees.xml:3: is not UTF-8"), "{told}");
    let wide: Vec<u8> = "id,name\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    desk.write("set/wards.csv", [&[0xFF, 0xFE], wide.as_slice()].concat());
    let told = desk.refused("csv", &desk.path("set"), &["--map", &map()]);
    assert!(told.contains("wards.csv:1: is not UTF-8: save it as `CSV UTF-8`"), "{told}");
}

#[test]
fn each_fault_of_a_sheet_has_its_line_and_column() {
    let desk = Desk::new();
    let cases = [
        ("wards.csv", "id;name\nn;North\n", "wards.csv:1: is separated by semicolons"),
        ("wards.csv", "id,title\nn,North\n", "wards.csv:1: `title` is not one of its columns: id,name"),
        ("wards.csv", "id,name,name\nn,North,N\n", "wards.csv:1: `name` stands twice"),
        ("wards.csv", "id\nn\n", "wards.csv:1: has no column `name`"),
        ("wards.csv", "", "wards.csv: expected a first line with id,name"),
        ("wards.csv", "id,name\nn,North\nn,Again\n", "wards.csv:3: id: `n` stands twice"),
        ("wards.csv", "id,name\nn,North,East\n", "wards.csv:2: has 3 cells, expected 2"),
        ("wards.csv", "id,name\nn,\n", "wards.csv:2: name: expected something"),
        ("people.csv", "id,name,kind\na,A,member\n", "people.csv:2: kind: expected one of councillor, elected_mayor"),
        ("people.csv", "id,name,kind,wards\na,A,councillor,north\n", "people.csv:2 wards: there is no ward `north`"),
        (
            "people.csv",
            "id,name,kind,term_from,term_to\na,A,councillor,2026-05-08,2025-05-08\n",
            "people.csv:2: term_to: 2025-05-08 is before term_from, 2026-05-08",
        ),
        (
            "people.csv",
            "id,name,kind,term_from\na,A,councillor,08/05/2026\n",
            "term_from: expected a day as YYYY-MM-DD, not `08/05/2026`",
        ),
        (
            "memberships.csv",
            "person,body,voting\nx,y,perhaps\n",
            "memberships.csv:2: voting: expected `true` or `false`, not `perhaps`",
        ),
        ("memberships.csv", "person,body\nx,y\n", "memberships.csv:2 person: there is no person `x`"),
        ("persons.csv", "id,name\n", "persons.csv: is not one of authority.csv, groups.csv"),
    ];
    for (file, text, expected) in cases {
        let directory = desk.path("set");
        let _gone = std::fs::remove_dir_all(&directory);
        desk.write(&format!("set/{file}"), text);
        let told = desk.refused("csv", &directory, &["--map", &map()]);
        assert!(told.contains(expected), "`{expected}` is not in:\n{told}");
        assert!(desk.is_empty());
    }
}

#[test]
fn each_fault_of_popolo_has_its_pointer() {
    let desk = Desk::new();
    let text = std::fs::read_to_string(samples().join("popolo.json")).expect("a sample");
    let cases = [
        ("\"p/ben\", \"name\"", "\"p/anna\", \"name\"", "/persons/1/id: `p/anna` stands twice"),
        ("\"p/clerk\"", "\"p clerk\"", "/persons/2/id: an id is 1 to 200 characters"),
        (
            "\"end_date\": \"2026-05\"",
            "\"end_date\": \"2021\"",
            "/memberships/2/end_date: 2021-01-01 is before start_date, 2022-12-31",
        ),
        (
            "\"start_date\": \"2026-05-20\"",
            "\"start_date\": \"20 May\"",
            "/memberships/1/start_date: expected a day as YYYY-MM-DD",
        ),
        ("\"area_id\": \"a/north\"", "\"area_id\": \"a/south\"", "area_id: there is no area `a/south`"),
        (
            "{\"person_id\": \"p/ben\", \"organization_id\"",
            "{\"person_id\": \"p/zoe\", \"organization_id\"",
            "there is no person `p/zoe`",
        ),
        ("\"persons\": [", "\"persons\": [[", "is not Popolo: "),
        (
            "{\"person_id\": \"p/ben\", \"organization_id\"",
            "{\"organization_id\"",
            "person_id: expected the id of a person",
        ),
    ];
    for (what, to, expected) in cases {
        assert!(text.contains(what), "{what}");
        let file = desk.write("popolo.json", text.replace(what, to));
        let told = desk.refused("popolo", &file, &["--map", &map()]);
        assert!(told.contains(expected), "`{expected}` is not in:\n{told}");
        assert!(desk.is_empty());
    }
}

#[test]
fn a_mapping_that_could_be_misread_is_refused() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    for (mapping, expected) in [
        ("[bodies.144]\nkind = \"club\"", "unknown variant"),
        ("[commitees.144]\n", "commitees"),
        ("[roles.Member]\nrole = \"member\"\nvoting = true", "roles with a vote want `meetings.members_since`"),
        ("[restrictions]\n\"x\" = [9]", "expected paragraphs from 1 to 7"),
        ("[categories]\nX = \"club\"", "expected a kind of body, `group` or `ignore`"),
    ] {
        let file = desk.write("map.toml", mapping);
        let told = desk.refused("moderngov", &answers, &["--map", file.to_str().expect("a path")]);
        assert!(told.contains(expected), "`{expected}` is not in:\n{told}");
    }
}

#[test]
fn what_this_program_wrote_is_checked_like_a_request() {
    let desk = Desk::new();
    let authority = json!({"id": "x", "name": "X", "governance": "executive"});
    let person = json!({"id": "a", "name": "A", "kind": "councillor"});
    let file =
        desk.write("r.json", json!({"authority": authority, "people": [person, person], "rooms": []}).to_string());
    let told = desk.refused("json", &file, &[]);
    assert!(told.contains("/people/1/id: stands twice") && told.contains("/rooms: is not a member here"), "{told}");
    let file = desk.write("r.json", "{\"authority\": 1, \"authority\": 2}");
    assert!(desk.refused("json", &file, &[]).contains("/authority: stands twice"));
}

#[test]
fn a_wrong_flag_is_another_exit_code() {
    let desk = Desk::new();
    for arguments in [
        &["import", "--from", "excel", "x"][..],
        &["import", "--from", "csv"],
        &["import", "--from", "csv", "x", "--url", "http://127.0.0.1:1"],
        &["import", "--from", "moderngov", "x", "--meetings-from", "2026-01-01"],
        &["export", "--format", "csv"],
    ] {
        assert_eq!(desk.run(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn an_answer_made_to_exhaust_is_only_a_fault() {
    let desk = Desk::new();
    let answers = desk.moderngov();
    desk.write("answers/committees.xml", "<a>".repeat(300_000));
    assert!(desk.refused("moderngov", &answers, &["--map", &map()]).contains("committees.xml: is not whole XML"));
    let nested = format!("<committees>{}{}</committees>", "<a>".repeat(300_000), "</a>".repeat(300_000));
    desk.write("answers/committees.xml", nested);
    let told = desk.told("moderngov", &answers, &["--map", &map(), "--dry-run"]);
    assert_eq!(told["changes"]["bodies"]["added"], json!([]));
    desk.write("answers/committees.xml", vec![b' '; 33 << 20]);
    assert!(desk.refused("moderngov", &answers, &["--map", &map()]).contains("is longer than 33554432 bytes"));
}
