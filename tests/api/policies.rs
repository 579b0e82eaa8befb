//! Policies that come in force while the service runs: on request, on a signal, when the directory changes, on every
//! replica; and policies that do not.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use pinkpaper::{domain::words::CallerRole, pap::PolicyFiles};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, OWNER},
    program::{Program, Setting, until},
    proxy::Proxy,
    support::read_json,
};

/// A rule of the shipped policies.
const RULE: &str = "anyone-may-ask-under-freedom-of-information";

/// The shipped policies as a directory.
fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    put(dir.path(), &PolicyFiles::shipped());
    dir
}

fn put(dir: &Path, files: &PolicyFiles) {
    for (path, text) in &files.0 {
        let file = dir.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, text).expect("written");
    }
}

/// Where a policy stands.
fn file_of(dir: &Path, policy: &str) -> PathBuf {
    let files = PolicyFiles::shipped();
    let path = files.0.keys().find(|path| path.ends_with(&format!("/{policy}.cedar"))).expect("there is such a policy");
    dir.join(path)
}

/// Another text of the same meaning: another bundle.
fn touch(dir: &Path, word: &str) {
    let file = file_of(dir, RULE);
    let text = fs::read_to_string(&file).expect("read");
    fs::write(&file, format!("{text}// {word}\n")).expect("written");
}

fn tables(dir: &Path, watch: bool) -> String {
    format!("[policies]\ndirectory = \"{}\"\nwatch = {watch}\n", dir.display())
}

fn question() -> Value {
    json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read",
        "document": {"id": "doc-1", "kind": "correspondence", "held_by": "council"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    })
}

async fn decided_by(program: &Program) -> String {
    let decision = program.done(CallerRole::Pep, "POST", "/v1/decisions", &question()).await;
    decision["policy_bundle"].as_str().expect("a hash").to_owned()
}

async fn reload(program: &Program) -> (u16, Value) {
    program.call(CallerRole::PolicyAdmin, "POST", "/v1/policies/reload", &Value::Null).await
}

/// Kinds and acts of the log, in their order.
async fn log_of(program: &Program) -> Vec<Value> {
    let export = program.request(CallerRole::MonitoringOfficer, "GET", "/v1/log/export?view=full", &Value::Null);
    let export = export.send().await.expect("an answer").text().await.expect("text");
    export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn policies_are_put_in_force_on_request_and_it_is_on_record() {
    let dir = directory();
    let program = Program::start(&Setting { tables: &tables(dir.path(), false), ..Setting::default() });
    let before = decided_by(&program).await;
    let (status, told) = reload(&program).await;
    assert_eq!((status, &told), (200, &json!({"taken": false, "policy_bundle": before, "before": before})));
    touch(dir.path(), "mended");
    assert_eq!(decided_by(&program).await, before, "nobody has asked for it");
    let (status, told) = reload(&program).await;
    assert_eq!((status, &told["taken"], &told["before"]), (200, &json!(true), &json!(before)), "{told}");
    let after = decided_by(&program).await;
    assert_eq!((&told["policy_bundle"], after != before), (&json!(after), true));
    assert_eq!(program.done(CallerRole::Pep, "GET", "/v1/profile", &Value::Null).await["policy_bundle"], after);

    let log = log_of(&program).await;
    let text = log.iter().map(Value::to_string).filter(|line| line.contains("policies_in_force")).collect::<Vec<_>>();
    assert_eq!(text.len(), 2, "the start and the reload: {text:?}");
    assert!(text[1].contains(&after) && text[1].contains("key-policy_admin"), "{}", text[1]);
    // What was decided under the old ones can still be made again.
    let first = program.done(CallerRole::MonitoringOfficer, "GET", "/v1/decisions", &Value::Null).await;
    for item in first["items"].as_array().expect("items") {
        let path = format!("/v1/decisions/{}/replay", item["id"].as_str().expect("an id"));
        assert_eq!(program.done(CallerRole::MonitoringOfficer, "POST", &path, &Value::Null).await["same"], true);
    }
}

#[tokio::test]
async fn policies_that_do_not_load_leave_the_old_ones_in_force_and_are_told() {
    let dir = directory();
    let program = Program::start(&Setting { tables: &tables(dir.path(), false), ..Setting::default() });
    let before = decided_by(&program).await;
    let file = file_of(dir.path(), RULE);
    let good = fs::read_to_string(&file).expect("read");
    for bad in [good.replace("permit", "permitt"), good.replace("@title", "@titel"), String::new()] {
        fs::write(&file, bad).expect("written");
        let (status, told) = reload(&program).await;
        assert_eq!((status, &told["type"]), (422, &json!("/docs#policies-refused")), "{told}");
        assert!(told["detail"].as_str().expect("a detail").contains(RULE), "{told}");
        assert_eq!(decided_by(&program).await, before);
    }
    fs::write(&file, good).expect("written");
    fs::remove_file(dir.path().join("profiles/th52.json")).expect("removed");
    let (status, told) = reload(&program).await;
    assert_eq!(status, 422, "{told}");
    assert_eq!(decided_by(&program).await, before);
    assert!(program.lines().contains("policies are refused; those in force stay"));
    let refusals = log_of(&program).await;
    let refusals = refusals.iter().filter(|entry| entry.to_string().contains("did not load")).count();
    assert_eq!(refusals, 4);
    assert_eq!(program.done(CallerRole::Pep, "GET", "/readyz", &Value::Null).await["checks"]["policies"], "ok");
}

#[tokio::test]
async fn a_signal_has_the_policies_read_again() {
    let dir = directory();
    let program = Program::start(&Setting { tables: &tables(dir.path(), false), ..Setting::default() });
    let before = decided_by(&program).await;
    touch(dir.path(), "mended");
    program.signal("HUP");
    until("others are in force", async || (decided_by(&program).await != before).then_some(())).await;
}

#[tokio::test]
async fn a_changed_directory_is_read_again_also_behind_a_link() {
    let (first, second) = (directory(), directory());
    touch(second.path(), "mended");
    let link = tempfile::tempdir().expect("a directory");
    let current = link.path().join("current");
    std::os::unix::fs::symlink(first.path(), &current).expect("linked");
    let program = Program::start(&Setting { tables: &tables(&current, true), ..Setting::default() });
    let before = decided_by(&program).await;
    // A file is broken, and nothing comes of it; then it is mended otherwise.
    let file = file_of(first.path(), RULE);
    let good = fs::read_to_string(&file).expect("read");
    fs::write(&file, "permit (").expect("written");
    until("it is refused", async || program.lines().contains("policies are refused").then_some(())).await;
    assert_eq!(decided_by(&program).await, before);
    fs::write(&file, format!("{good}// another\n")).expect("written");
    let changed =
        until("the change is in force", async || Some(decided_by(&program).await).filter(|now| *now != before)).await;
    let next = link.path().join("next");
    std::os::unix::fs::symlink(second.path(), &next).expect("linked");
    fs::rename(&next, &current).expect("switched");
    let last = until("the other directory is in force", async || {
        Some(decided_by(&program).await).filter(|now| *now != changed)
    })
    .await;
    assert_ne!(last, before);
}

/// Three replicas, each with the same directory of policies; the third reaches the database through a line that can be cut.
async fn three(dir: &Path) -> ([Program; 3], Proxy, String) {
    let database = Cluster::shared().database().await;
    let cluster = Cluster::shared();
    let proxy = Proxy::before(cluster.port).await;
    let direct = database.url.clone();
    let through = format!("postgres://{OWNER}@127.0.0.1:{}/{}?sslmode=disable", proxy.port, database.name);
    let (home, tables) = (Arc::new(tempfile::tempdir().expect("a directory")), tables(dir, false));
    let start = |address: &str| {
        let (home, database_url) = (Arc::clone(&home), Some(address.to_owned()));
        Program::start(&Setting { home, database_url, tables: &tables, ..Setting::default() })
    };
    let programs = [start(&direct), start(&direct), start(&through)];
    (programs, proxy, direct)
}

async fn asked(program: &Program) -> (u16, Value) {
    program.call(CallerRole::Pep, "POST", "/v1/decisions", &question()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_holds_on_every_replica_or_the_replica_does_not_answer() {
    let dir = directory();
    let ([a, stopped, cut_off], line, _) = three(dir.path()).await;
    let mut register = read_json("tests/api/cases/th52.json")["register"].clone();
    a.done(CallerRole::Registrar, "PUT", "/v1/register", &register).await;
    let facts = |decision: &Value| decision["facts_version"].as_u64().expect("a version");
    let before = decided_by(&a).await;
    for replica in [&stopped, &cut_off] {
        assert_eq!(asked(replica).await.1["policy_bundle"], before);
    }

    // One is stopped in the middle of things, one loses the database; the third takes a register and policies.
    stopped.signal("STOP");
    line.set_silent(true);
    register["people"][0]["name"] = json!("Cllr Somebody Else");
    a.done(CallerRole::Registrar, "PUT", "/v1/register", &register).await;
    touch(dir.path(), "mended");
    assert_eq!(reload(&a).await.0, 200);
    let now = a.done(CallerRole::Pep, "POST", "/v1/decisions", &question()).await;
    assert_ne!(now["policy_bundle"], before);

    // Without the database there is no answer at all, and it says so.
    let (status, told) = asked(&cut_off).await;
    assert_eq!(status, 503, "{told}");
    assert_eq!(cut_off.call(CallerRole::Registrar, "GET", "/v1/register", &Value::Null).await.0, 503);
    let (status, ready) = cut_off.call(CallerRole::Pep, "GET", "/readyz", &Value::Null).await;
    assert_eq!((status, &ready["checks"]["store"]), (503, &json!("unavailable")), "{ready}");

    // Its first answer after it comes back is by what is in force, whatever it still had in mind.
    stopped.signal("CONT");
    let (status, answer) = asked(&stopped).await;
    assert_eq!((status, &answer["policy_bundle"]), (200, &now["policy_bundle"]), "{answer}");
    assert_eq!(facts(&answer), facts(&now));
    line.set_silent(false);
    let answer = until("it is back", async || {
        let (status, answer) = asked(&cut_off).await;
        (status == 200).then_some(answer)
    })
    .await;
    assert_eq!((&answer["policy_bundle"], facts(&answer)), (&now["policy_bundle"], facts(&now)));
    let mut registers = Vec::new();
    for replica in [&a, &stopped, &cut_off] {
        registers.push(replica.done(CallerRole::Registrar, "GET", "/v1/register", &Value::Null).await);
    }
    assert_eq!(registers[0]["people"][0]["name"], "Cllr Somebody Else");
    assert!(registers.iter().all(|register| *register == registers[0]), "the registers are not one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_cannot_load_what_is_in_force_answers_nothing() {
    use sqlx::Connection as _;
    let dir = directory();
    let ([a, ..], _line, database) = three(dir.path()).await;
    let mine = decided_by(&a).await;
    // As a replica of a later version would leave it.
    let mut outsider = sqlx::PgConnection::connect(&database).await.expect("connected");
    for statement in [
        "INSERT INTO policy_bundle (hash, files) VALUES ('sha256:later', '{\"callers/callers.cedarschema\": \"entity Later;\"}')",
        "UPDATE log_head SET policies = 'sha256:later'",
    ] {
        sqlx::query(statement).execute(&mut outsider).await.expect("done");
    }
    let (status, told) = asked(&a).await;
    assert_eq!((status, told.get("outcome")), (503, None), "{told}");
    let ready = until("it says so", async || {
        Some(a.call(CallerRole::Pep, "GET", "/readyz", &Value::Null).await).filter(|(status, _)| *status == 503)
    })
    .await
    .1;
    assert_eq!((&ready["checks"]["store"], &ready["checks"]["policies"]), (&json!("ok"), &json!("unavailable")));
    // Its own are put in force again by whoever may.
    let (status, told) = reload(&a).await;
    assert_eq!((status, &told["before"]), (200, &json!("sha256:later")), "{told}");
    assert_eq!(decided_by(&a).await, mine);
}
