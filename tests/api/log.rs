//! What lets others check the log: proofs, exports, and what becomes of each attack on one.

use std::{io::Cursor, path::Path, process::Command};

use pinkpaper::{
    audit::{
        checkpoint::Trusted,
        merkle,
        verify::{Trust, Verdict, Verified, verify},
    },
    domain::words::CallerRole,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, read_json};

/// A log with seven decisions among its entries: three people, one of them twice.
async fn asked() -> Service {
    let service = Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await;
    for person in ["b3", "b1", "b2", "b3", "b1", "b3", "r1"] {
        let question = json!({
            "principal": {"type": "person", "id": person}, "action": "read",
            "document": {"id": "edrms:2026/0117", "kind": "report", "held_by": "council"},
            "purpose": {"capacity": "councillor", "ground": "other", "justification": "zebra-crossing"}
        });
        assert_eq!(service.ask(&question).await.status, 200);
    }
    service
}

async fn get(service: &Service, path: &str) -> Value {
    let answer = service.call(CallerRole::InformationGovernance, Method::GET, path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

async fn export(service: &Service, query: &str) -> String {
    let body = get(service, &format!("/v1/log/export?{query}")).await;
    body.as_str().expect("lines").to_owned()
}

async fn key(service: &Service) -> Trusted {
    Trusted::parse(get(service, "/v1/log/key").await.as_str().expect("a line")).expect("a key")
}

fn checked(export: &str, trust: &Trust) -> Result<Verified, Verdict> {
    verify(Cursor::new(export), trust, |_| {})
}

fn lines(export: &str) -> Vec<Value> {
    export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn joined(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[tokio::test]
async fn an_export_verifies_against_the_key_and_the_checkpoint_that_were_kept() {
    let service = asked().await;
    let earlier = get(&service, "/v1/log/checkpoint").await.as_str().expect("a note").to_owned();
    let trust = Trust { key: Some(key(&service).await), checkpoints: vec![earlier], ..Trust::default() };
    for view in ["full", "foi"] {
        let export = export(&service, &format!("view={view}")).await;
        let verified = checked(&export, &trust).unwrap_or_else(|verdict| panic!("{view}: {verdict}"));
        assert_eq!(verified.entries, export.lines().count() as u64 - 1);
        assert_eq!((verified.checkpoints, verified.erased, verified.key_trusted), (1, 0, true));
        assert_eq!(verified.to_string(), format!("verified: {} entries", verified.entries));
        let untrusting = checked(&export, &Trust::default()).expect("verified");
        assert_eq!(untrusting.to_string(), format!("verified: {} entries, trusted key not given", verified.entries));
    }
}

#[tokio::test]
async fn the_proof_of_a_decision_leads_from_its_leaf_to_a_signed_root() {
    let service = asked().await;
    let decisions = get(&service, "/v1/decisions").await;
    for item in decisions["items"].as_array().expect("items") {
        let proof = get(&service, &format!("/v1/decisions/{}/proof", item["id"].as_str().expect("an id"))).await;
        let hash = |value: &Value| -> [u8; 32] {
            hex::decode(value.as_str().expect("hex")).expect("hex").try_into().expect("a hash")
        };
        let checkpoint =
            key(&service).await.read(proof["checkpoint"].as_str().expect("a note")).expect("signed by the log");
        let (index, size) = (proof["index"].as_u64().expect("a number"), proof["size"].as_u64().expect("a number"));
        let path: Vec<[u8; 32]> = proof["path"].as_array().expect("hashes").iter().map(hash).collect();
        assert_eq!((checkpoint.size, checkpoint.root), (size, hash(&proof["root"])));
        assert_eq!((&proof["index"], &proof["leaf_hash"]), (&item["log"]["index"], &item["log"]["leaf_hash"]));
        let leaf = proof["leaf"].as_str().expect("a leaf");
        assert_eq!(pinkpaper::audit::entry::leaf_hash(leaf.as_bytes()), hash(&proof["leaf_hash"]));
        assert!(merkle::verify_inclusion(index, size, &hash(&proof["leaf_hash"]), &path, &checkpoint.root));
    }
}

#[tokio::test]
async fn the_log_is_proved_to_have_only_grown() {
    let service = asked().await;
    let trusted = key(&service).await;
    let checkpoint = |note: Value| trusted.read(note.as_str().expect("a note")).expect("signed");
    let before = checkpoint(get(&service, "/v1/log/checkpoint").await);
    get(&service, "/v1/decisions").await;
    let after = checkpoint(get(&service, "/v1/log/checkpoint").await);
    assert!(after.size > before.size, "reading the log is an entry");
    let proof = get(&service, &format!("/v1/log/consistency?from={}&to={}", before.size, after.size)).await;
    let hash = |value: &Value| -> [u8; 32] { hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap() };
    let path: Vec<[u8; 32]> = proof["path"].as_array().expect("hashes").iter().map(hash).collect();
    assert_eq!((hash(&proof["from_root"]), hash(&proof["to_root"])), (before.root, after.root));
    assert!(merkle::verify_consistency(before.size, &before.root, after.size, &after.root, &path));
    for bad in ["from=3&to=2", "from=1&to=999999", "from=1", "to=1", "from=-1&to=2", "from=x&to=2"] {
        let path = format!("/v1/log/consistency?{bad}");
        assert_eq!(service.call(CallerRole::Pep, Method::GET, &path, None).await.status, 400, "{bad}");
    }
}

/// The verdict on an export after it was changed; the words before the colon.
fn verdict(changed: &str, trust: &Trust) -> String {
    match checked(changed, trust) {
        Ok(verified) => panic!("{verified}"),
        Err(verdict) => verdict.to_string().split(':').next().expect("words").to_owned(),
    }
}

#[tokio::test]
async fn each_attack_on_an_export_has_its_own_verdict() {
    let service = asked().await;
    let export = export(&service, "").await;
    let trust = Trust { key: Some(key(&service).await), ..Trust::default() };
    let told = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut lines = lines(&export);
        change(&mut lines);
        verdict(&joined(&lines), &trust)
    };
    let decision = lines(&export).iter().position(|line| line["leaf"]["kind"] == "decision").expect("a decision");
    let last = lines(&export).len() - 1;

    assert_eq!(
        told(&|lines| lines[decision]["payload"]["answer"]["value"]["outcome"] = json!("allow")),
        "altered payload"
    );
    assert_eq!(told(&|lines| lines[decision]["payload"]["answer"]["salt"] = json!("00".repeat(32))), "altered payload");
    assert_eq!(told(&|lines| lines[decision]["leaf"]["outcome"] = json!("allow")), "altered leaf");
    // With the hash of the line made to fit.
    assert_eq!(
        told(&|lines| {
            lines[decision]["leaf"]["outcome"] = json!("allow");
            let leaf = serde_json_canonicalizer::to_vec(&lines[decision]["leaf"]).expect("canonical");
            lines[decision]["leaf_hash"] = json!(hex::encode(pinkpaper::audit::entry::leaf_hash(&leaf)));
        }),
        "altered leaf"
    );
    let receipt = lines(&export)[decision]["receipt"].as_str().expect("a receipt").to_owned();
    let flipped = if receipt.starts_with('A') { "B" } else { "A" }.to_owned() + &receipt[1..];
    assert_eq!(told(&|lines| lines[decision]["receipt"] = json!(flipped)), "altered receipt");
    assert_eq!(told(&|lines| lines.truncate(last - 2)), "deleted tail");
    assert_eq!(told(&|lines| drop(lines.drain(3..5))), "deleted middle");
    assert_eq!(told(&|lines| drop(lines.remove(1))), "deleted middle");
    assert_eq!(told(&|lines| lines.swap(3, 6)), "reordered");
    assert_eq!(told(&|lines| lines.insert(3, lines[5].clone())), "reordered");
    let renumber = |lines: &mut Vec<Value>| {
        for (index, line) in lines.iter_mut().skip(1).enumerate() {
            line["index"] = json!(index);
        }
    };
    // One taken out, or two changed about, and the numbers made to fit.
    assert_eq!(
        told(&|lines| {
            lines.remove(4);
            renumber(lines)
        }),
        "renumbered"
    );
    assert_eq!(
        told(&|lines| {
            lines.swap(3, 6);
            renumber(lines)
        }),
        "renumbered"
    );
    assert_eq!(
        told(&|lines| {
            lines.truncate(last);
            lines[0]["to"] = json!(last - 1)
        }),
        "not an export"
    );
    assert_eq!(
        told(&|lines| {
            let mut more = lines[last].clone();
            more["index"] = json!(last);
            lines.push(more)
        }),
        "added"
    );
    assert_eq!(told(&|lines| lines[4]["epoch"] = json!(2)), "epoch changed");
    assert_eq!(told(&|lines| lines[0]["size"] = json!(3)), "not an export");
    assert_eq!(told(&|lines| lines[0] = json!({})), "not an export");
    assert_eq!(told(&|lines| lines[2] = json!({"index": 1})), "malformed");
    assert_eq!(verdict("", &trust), "not an export");
    let note = |change: (&str, &str)| {
        told(&|lines: &mut Vec<Value>| {
            let note = lines[0]["checkpoint"].as_str().expect("a note").replacen(change.0, change.1, 1);
            lines[0]["checkpoint"] = json!(note);
        })
    };
    assert_eq!(note(("\n\n", "\nmore\n\n")), "false checkpoint");
}

#[tokio::test]
async fn a_swapped_key_a_restored_backup_and_a_split_view_are_told_apart() {
    let (service, other) = (asked().await, asked().await);
    let kept = get(&service, "/v1/log/checkpoint").await.as_str().expect("a note").to_owned();
    let longer = export(&service, "").await;
    // Somebody else's log, whole and well signed, with the key of that one.
    let swapped = Trust { key: Some(key(&service).await), ..Trust::default() };
    assert_eq!(verdict(&export(&other, "").await, &swapped), "swapped key");
    // The same with the trusted key written into it.
    let mut forged = lines(&export(&other, "").await);
    forged[0]["key"] = json!(key(&service).await.line());
    assert_eq!(verdict(&joined(&forged), &swapped), "false checkpoint");
    // What was exported earlier, held against a checkpoint signed later.
    let later = get(&service, "/v1/log/checkpoint").await.as_str().expect("a note").to_owned();
    get(&service, "/v1/decisions").await;
    let newest = get(&service, "/v1/log/checkpoint").await.as_str().expect("a note").to_owned();
    let trust = |note: &str| Trust { key: swapped.key.clone(), checkpoints: vec![note.to_owned()], ..Trust::default() };
    assert_eq!(verdict(&longer, &trust(&newest)), "restored backup");
    checked(&longer, &trust(&kept)).expect("it goes on from there");
    checked(&longer, &trust(&later)).expect("and is what was then signed");
}

#[tokio::test]
async fn two_histories_under_one_key_are_a_split_view() {
    // The service's own key, and another history of the same length.
    let key = tempfile::tempdir().expect("a directory");
    let (one, two) = (Service::with_log_key(key.path()).await, Service::with_log_key(key.path()).await);
    let note = |note: Value| note.as_str().expect("a note").to_owned();
    get(&one, "/v1/decisions?limit=1").await;
    let of_one = note(get(&one, "/v1/log/checkpoint").await);
    let trust = Trust { key: Some(self::key(&one).await), checkpoints: vec![of_one], ..Trust::default() };
    for _ in 0..3 {
        get(&two, "/v1/decisions").await;
    }
    assert_eq!(verdict(&export(&two, "").await, &trust), "split view");
    checked(&export(&one, "").await, &trust).expect("the history that was signed");
}

#[tokio::test]
async fn a_part_of_the_log_is_as_provable_as_the_whole() {
    let service = asked().await;
    let trust = Trust { key: Some(key(&service).await), ..Trust::default() };
    let today = jiff::Timestamp::now().in_tz("Europe/London").expect("London").date();
    let verified = checked(&export(&service, &format!("from={today}")).await, &trust).expect("verified");
    assert!(verified.entries > 7);
    let none = checked(&export(&service, "to=2026-01-01").await, &trust).expect("an empty run is provable too");
    assert_eq!((none.entries, none.from, none.to), (0, 0, 0));
    assert!(none.size > 7);
}

#[tokio::test]
async fn the_view_for_release_names_nobody_and_still_verifies() {
    let service = asked().await;
    let full = export(&service, "view=full").await;
    let foi = export(&service, "view=foi").await;
    assert!(full.contains("zebra-crossing") && full.contains("\"b3\""));
    for private in ["zebra-crossing", "\"b3\"", "\"b1\"", "\"r1\"", "test-pep", "Cllr", "principal"] {
        assert!(!foi.contains(private), "`{private}` is in the view for release");
    }
    let people: Vec<Value> = lines(&foi)
        .iter()
        .filter(|line| line["leaf"]["kind"] == "decision")
        .map(|line| line["person"].clone())
        .collect();
    assert_eq!(people.len(), 7);
    assert_eq!((&people[0], &people[1]), (&people[3], &people[4]), "the same person has the same name");
    assert_ne!(people[0], people[1]);
    let again = export(&service, "view=foi").await;
    let names = |export: &str| {
        lines(export).iter().filter_map(|line| line["person"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(names(&again).iter().all(|name| !names(&foi).contains(name)), "names do not outlive an export");
    // A withheld group cannot be passed off as one that was never there, nor one put in its place.
    let mut changed = lines(&foi);
    let decision = changed.iter().position(|line| line["leaf"]["kind"] == "decision").expect("a decision");
    changed[decision]["withheld"] = json!(["invented"]);
    assert_eq!(verdict(&joined(&changed), &Trust::default()), "altered payload");
}

/// What an officer enquired beforehand, and for whom a paper was listed, is no access: it is told of by its leaf alone.
#[tokio::test]
async fn what_was_enquired_or_listed_is_not_released_in_either_format() {
    let service = asked().await;
    let paper = json!({"id": "doc-quiet", "kind": "report", "held_by": "council"});
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-quiet", Some(&paper)).await;
    assert_eq!(put.status, 201, "{}", put.body);
    let enquiry = "/v1/enquiries?person=b3&document=doc-quiet";
    assert_eq!(service.call(CallerRole::Officer, Method::GET, enquiry, None).await.status, 200);
    let list = json!({"document": "doc-quiet", "action": "read"});
    assert_eq!(service.call(CallerRole::Officer, Method::POST, "/v1/audience", Some(&list)).await.status, 200);

    let quiet = ["enquiry", "audience"];
    let foi = lines(&export(&service, "view=foi").await);
    for kind in quiet {
        let line = foi.iter().find(|line| line["leaf"]["kind"] == kind).expect("an entry");
        assert_eq!((&line["payload"], line.get("person")), (&json!({}), None), "{line}");
    }
    let columns = |row: &str| row.split(',').map(str::to_owned).collect::<Vec<_>>();
    for (view, released) in [("foi", true), ("full", false)] {
        let table = export(&service, &format!("format=csv&view={view}")).await;
        assert_eq!(table.contains("doc-quiet"), !released, "{view}: {table}");
        let titles = columns(table.lines().next().expect("titles"));
        let cell = |row: &str, title: &str| {
            columns(row)[titles.iter().position(|found| found == title).expect("a column")].clone()
        };
        for kind in quiet {
            let row = table.lines().find(|row| cell(row, "kind") == kind).expect("an entry");
            let told: String =
                ["held", "action", "document", "person", "person_kind", "rules"].map(|title| cell(row, title)).concat();
            assert_eq!(told.is_empty(), released || kind == "audience", "{view}: {row}");
        }
        // Decisions go on telling theirs.
        let decision = table.lines().find(|row| cell(row, "kind") == "decision").expect("a decision");
        assert_eq!(cell(decision, "document"), "edrms:2026/0117", "{decision}");
        assert_eq!(cell(decision, "person").starts_with("p-"), released, "{decision}");
    }
}

#[tokio::test]
async fn a_table_opens_in_a_spreadsheet_and_runs_nothing() {
    let service = Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await;
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read",
        "document": {"id": "=HYPERLINK(1)", "kind": "report", "held_by": "council"}, "purpose": {}
    });
    let answer = service.ask(&question).await;
    // An id may not begin like that; were it to, the cell would not run.
    assert_eq!(answer.status, 400);
    let question = json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read",
        "document": {"id": "doc:1", "kind": "report", "held_by": "council"}, "purpose": {}
    });
    assert_eq!(service.ask(&question).await.status, 200);
    for (view, person) in [("full", true), ("foi", false)] {
        let csv = export(&service, &format!("format=csv&view={view}")).await;
        assert!(csv.starts_with("index,at,kind,id,outcome,held,action,document,person,person_kind,rules,"), "{csv}");
        let row = csv.lines().find(|line| line.contains(",decision,")).expect("the decision");
        assert!(row.contains(",read,doc:1,") && row.contains(",councillor,"), "{row}");
        assert_eq!(row.contains(",b3,"), person, "{row}");
    }
}

#[tokio::test]
async fn only_log_readers_take_the_log_and_every_taking_is_on_record() {
    let service = asked().await;
    for role in CallerRole::ALL.iter().copied() {
        let allowed = [CallerRole::MonitoringOfficer, CallerRole::InformationGovernance].contains(&role);
        let status = service.call(role, Method::GET, "/v1/log/export?view=foi", None).await.status;
        assert_eq!(status == 200, allowed, "{role}: {status}");
        assert_eq!(service.call(role, Method::GET, "/v1/log/checkpoint", None).await.status, 200, "{role}");
    }
    let taken = lines(&export(&service, "").await);
    let reads = taken.iter().filter(|line| line["payload"]["act"]["value"]["export"].is_string()).count();
    assert_eq!(reads, 3, "two for release and this one");
    for bad in ["view=half", "format=xls", "from=yesterday", "colour=pink"] {
        let path = format!("/v1/log/export?{bad}");
        let status = service.call(CallerRole::MonitoringOfficer, Method::GET, &path, None).await.status;
        assert_eq!(status, 400, "{bad}");
    }
}

fn run(arguments: &[&Path]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["log", "verify"])
        .args(arguments)
        .output()
        .expect("it runs");
    (output.status.code(), String::from_utf8(output.stdout).expect("text"))
}

#[tokio::test]
async fn the_command_says_its_verdict_in_a_line_and_by_its_exit_code() {
    let service = asked().await;
    let home = tempfile::tempdir().expect("a directory");
    let file = |name: &str, text: &str| {
        let path = home.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let export = export(&service, "").await;
    let entries = export.lines().count() - 1;
    let whole = file("whole.ndjson", &export);
    let kept = file("log.key", &format!("{}\n", key(&service).await.line()));
    let note = file("kept.checkpoint", lines(&export)[0]["checkpoint"].as_str().expect("a note"));
    assert_eq!(run(&[&whole]), (Some(0), format!("verified: {entries} entries, trusted key not given\n")));
    let with = [Path::new("--key"), &kept, Path::new("--checkpoint"), &note, &whole];
    assert_eq!(run(&with), (Some(0), format!("verified: {entries} entries\n")));
    let shorter: String = export.lines().take(4).map(|line| format!("{line}\n")).collect();
    let (code, told) = run(&[&file("short.ndjson", &shorter)]);
    assert_eq!(
        (code, told.as_str()),
        (
            Some(1),
            &*format!("deleted tail: the entries end before 3, the checkpoint signs that they go on to {entries}\n")
        )
    );
    let (code, told) = run(&[Path::new("--json"), &whole]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!((code, &told["entries"]), (Some(0), &json!(entries)));
    assert_eq!(run(&[&home.path().join("nothing")]).0, Some(1));
    assert_eq!(run(&[Path::new("--key"), &whole, &whole]).0, Some(1), "an export is no key");
}

#[tokio::test]
async fn a_log_altered_in_its_tables_is_found_by_looking_through_it() {
    let hash = "UPDATE log_leaf SET leaf_hash = zeroblob(32) WHERE seq = 3";
    let payload = "UPDATE log_payload SET body = replace(body, 'read', 'rear') WHERE seq = 3";
    let node = "UPDATE log_node SET hash = zeroblob(32) WHERE place = 7";
    let taken = "DELETE FROM log_payload WHERE seq = 3";
    for (statement, found) in [
        (hash, "entry 3 is not"),
        (payload, "entry 3 is not"),
        (node, "entries 0 to "),
        (taken, "entry 3 has lost its `"),
    ] {
        let service = asked().await;
        let app = &service.app;
        assert_eq!(app.look_through(0).await.expect("in order"), 0, "all of it, and round again");
        assert!(app.checkpoints.sound());
        let mut outsider = service.outsider().await;
        for trigger in [
            "log_leaf_is_never_updated",
            "log_payload_is_never_updated",
            "log_payload_is_erased_on_record",
            "log_node_is_never_updated",
        ] {
            let drop = sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
            sqlx::query(drop).execute(&mut outsider).await.expect("dropped");
        }
        assert_ne!(sqlx::query(statement).execute(&mut outsider).await.expect("altered").rows_affected(), 0);
        let told = app.look_through(0).await.expect_err(statement).to_string();
        assert!(told.starts_with(found), "{statement}: {told}");
        let answer = service.call(CallerRole::Pep, Method::GET, "/readyz", None).await;
        assert_eq!((answer.status.as_u16(), &answer.body["checks"]["log"]), (503, &json!("unavailable")));
    }
}
