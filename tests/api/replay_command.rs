//! `pinkpaper replay`, the program itself, over databases that the service wrote and may be writing.

use std::{
    path::Path,
    process::{Command, Output},
};

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::{
    demonstration,
    replay::{MEMBER, OWN_BODY, asked_by, like, make, service, without},
    support::Service,
};

/// Not on the test's own thread: its connections to the service would go stale meanwhile.
async fn run(database: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
    command.args(["replay", "--database-url", &format!("sqlite://{}", database.display())]);
    command.args(arguments).current_dir(database.parent().expect("a directory"));
    tokio::task::spawn_blocking(move || command.output().expect("the program runs")).await.expect("ended")
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn told_json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {:?}", told(output)))
}

/// A member of the committee was given the appendix, another councillor was not.
async fn decided() -> (Service, Value, Value) {
    let service = service().await;
    let given = make(&service, &asked_by(MEMBER, &json!(["appendix"]))).await;
    let refused = make(&service, &asked_by("b3", &json!(["appendix"]))).await;
    (service, given, refused)
}

/// The shipped policies without those of a file, as files.
fn written(without_file: &str) -> TempDir {
    let home = tempfile::tempdir().expect("a directory");
    for (path, text) in without(without_file).0 {
        let file = home.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        std::fs::write(file, text).expect("written");
    }
    home
}

fn id(decision: &Value) -> &str {
    decision["id"].as_str().expect("an id")
}

#[tokio::test]
async fn it_confirms_every_decision_beside_a_running_service() {
    let (service, ..) = decided().await;
    let (code, out, err) = told(&run(&service.database, &[]).await);
    assert_eq!((code, out.as_str()), (Some(0), "replayed: 2 decisions, 0 differ\n"), "{err}");
    assert!(err.contains("this reading is not in the log: another process is using this database"), "{err}");
    make(&service, &asked_by("b3", &json!(["report"]))).await;
    let again = told_json(&run(&service.database, &["--json"]).await);
    assert_eq!((&again["replayed"], &again["differ"], &again["recorded"]), (&json!(3), &json!([]), &json!(false)));
}

#[tokio::test]
async fn a_decision_that_does_not_come_out_as_recorded_is_named_and_fails() {
    let (service, _, refused) = decided().await;
    let forged = like(&service, &refused, |payload| {
        payload[2].1["outcome"] = json!("allow");
        payload[2].1["parts"][0]["outcome"] = json!("disclose");
    })
    .await;
    let (code, out, err) = told(&run(&service.database, &[]).await);
    assert_eq!(code, Some(1));
    assert!(out.contains(&format!("{} does not come out as it is on record", id(&forged))), "{out}");
    assert!(out.contains("appendix: the outcome: then given; now withheld"), "{out}");
    assert!(out.ends_with("replayed: 3 decisions, 1 differ\n"), "{out}");
    assert!(err.contains("1 decisions do not come out as they are on record"), "{err}");
    let differ = told_json(&run(&service.database, &["--json"]).await)["differ"].clone();
    assert_eq!((&differ[0]["decision"], differ.as_array().map(Vec::len)), (&forged["id"], Some(1)));
}

#[tokio::test]
async fn what_was_erased_is_told_apart_from_what_was_never_kept_and_from_what_is_missing() {
    let (service, given, refused) = decided().await;
    like(&service, &given, |payload| payload.truncate(3)).await;
    let mut outsider = service.outsider().await;
    let erasure = json!({"decision": refused["id"], "groups": "all", "outcome": "erased", "basis": "UK GDPR Article 17",
                         "authorised_by": "Data Protection Officer"});
    let done = service.call(CallerRole::InformationGovernance, Method::POST, "/v1/log/erasures", Some(&erasure)).await;
    assert_eq!(done.status, 201, "{}", done.body);
    let (code, out, err) = told(&run(&service.database, &[]).await);
    assert_eq!(code, Some(0), "{err}");
    for expected in ["1  not made again: erased\n", "1  not made again: from before facts were kept\n"] {
        assert!(out.contains(expected), "{out}");
    }
    assert!(out.ends_with("replayed: 1 decisions, 0 differ\n"), "{out}");
    let lose = "DROP TRIGGER policy_bundle_is_never_deleted; DELETE FROM policy_bundle";
    sqlx::raw_sql(lose).execute(&mut outsider).await.expect("lost");
    let (code, out, _) = told(&run(&service.database, &[]).await);
    assert_eq!(code, Some(1), "policies that are gone are a fault: {out}");
    assert!(
        out.contains(&format!("could not be made again: {}: the log keeps no policies under", id(&given))),
        "{out}"
    );
}

#[tokio::test]
async fn the_impact_of_other_policies_is_told_by_rule_and_by_kind_of_person() {
    let (service, given, refused) = decided().await;
    let policies = written(OWN_BODY);
    let dir = policies.path().to_str().expect("a path");
    let (code, out, err) = told(&run(&service.database, &["--bundle", dir]).await);
    assert_eq!(code, Some(0), "whatever changes: {err}");
    for expected in [
        "Decisions  2, each made again from the facts kept with it",
        "\n        1  another answer\n",
        "1  allowed -> refused, held until somebody has decided\n",
        "        0          1  TH52-10.3-ii\n",
        "        2       1       0        1  councillor\n",
        &format!("Decisions with another answer\n{}  allowed -> refused", id(&given)),
        &format!("Decisions with other reasons\n{}  refused", id(&refused)),
    ] {
        assert!(out.contains(expected), "`{expected}` is not in:\n{out}");
    }
    for unwanted in ["Crown Bar", "Cllr", "edrms"] {
        assert!(!out.contains(unwanted), "`{unwanted}` is in:\n{out}");
    }
    let told = told_json(&run(&service.database, &["--bundle", dir, "--json"]).await);
    assert_eq!(told["counts"], json!({"decisions": 2, "answer": 1, "duties": 0, "reasons": 1, "unchanged": 0}));
    let way = json!({"then": "allowed", "now": "refused, held until somebody has decided", "decisions": 1});
    assert_eq!(told["ways"], json!([way]));
    assert_eq!(told["rules"]["TH52-10.3-ii"], json!({"newly": 0, "no_longer": 1}));
    assert_eq!(told["people"]["councillor"]["answer"], 1);
    assert_eq!((&told["changed"][0]["decision"], &told["changed"][0]["extent"]), (&given["id"], &json!("answer")));
    let baseline = told_json(&run(&service.database, &["--bundle", dir, "--profile", "baseline", "--json"]).await);
    assert_eq!((&baseline["profile"], &baseline["counts"]["decisions"]), (&json!("baseline"), &json!(2)));
}

#[tokio::test]
async fn only_the_days_asked_for_are_made_again() {
    let (service, ..) = decided().await;
    let day = |offset: i64| {
        let london = jiff::Timestamp::now().in_tz("Europe/London").expect("London").date();
        london.saturating_add(jiff::Span::new().days(offset)).to_string()
    };
    for (from, to, expected) in [(-1, 1, 2), (0, 0, 2), (1, 2, 0), (-2, -1, 0)] {
        let told = told_json(&run(&service.database, &["--from", &day(from), "--to", &day(to), "--json"]).await);
        assert_eq!(told["replayed"], expected, "{from} to {to}");
    }
}

#[tokio::test]
async fn policies_that_do_not_load_are_refused_with_file_and_line() {
    let (service, ..) = decided().await;
    let policies = written(OWN_BODY);
    let file = policies.path().join("need-to-know/recorded-need-to-know.cedar");
    let text =
        std::fs::read_to_string(&file).expect("there").replace("resource.held_by_council", "resource.held_by_us");
    let line = 1 + text.lines().position(|line| line.contains("held_by_us")).expect("changed");
    std::fs::write(&file, text).expect("written");
    let dir = policies.path().to_str().expect("a path");
    let (code, out, err) = told(&run(&service.database, &["--bundle", dir]).await);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(
        err.contains(&format!("`need-to-know/recorded-need-to-know.cedar` fails strict validation: line {line}: ")),
        "{err}"
    );
    for (arguments, expected) in [
        (["--bundle", "nowhere"].as_slice(), "the policies of `nowhere` are refused"),
        (&["--bundle", "nowhere", "--profile", "th52"], "the policies of `nowhere` are refused"),
    ] {
        let (code, _, err) = told(&run(&service.database, arguments).await);
        assert!(code == Some(1) && err.contains(expected), "{err}");
    }
}

#[tokio::test]
async fn bad_usage_is_told_apart_from_failure() {
    let home = tempfile::tempdir().expect("a directory");
    let database = home.path().join("none.db");
    for usage in [["--profile", "th52"], ["--from", "yesterday"], ["--to", "2026-13-01"], ["--colour", "pink"]] {
        assert_eq!(told(&run(&database, &usage).await).0, Some(2), "{usage:?}");
    }
    let (code, _, err) = told(&run(&database, &[]).await);
    assert!(code == Some(1) && err.contains("the database cannot be opened"), "{err}");
    assert!(!database.exists(), "a database was made");
}

#[tokio::test]
async fn where_no_service_runs_the_reading_is_entered_in_the_log() {
    let home = tempfile::tempdir().expect("a directory");
    drop(demonstration::start(home.path()));
    let database = home.path().join("pinkpaper.db");
    let told = told_json(&run(&database, &["--json"]).await);
    assert_eq!((&told["replayed"], &told["differ"], &told["recorded"]), (&json!(3), &json!([]), &json!(true)));
    let mut outsider = SqliteConnectOptions::new().filename(&database).connect().await.expect("open");
    let last = "SELECT l.kind, p.body FROM log_leaf l JOIN log_payload p ON p.seq = l.seq AND p.grp = 'act'
                ORDER BY l.seq DESC LIMIT 1";
    let (kind, act): (String, String) = sqlx::query_as(last).fetch_one(&mut outsider).await.expect("there");
    assert_eq!(kind, "log_read");
    assert!(act.contains("replay_all"), "{act}");
}
