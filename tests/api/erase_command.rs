//! `pinkpaper log erase`, as an operator runs it beside a database.

use std::{
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use jiff::Timestamp;
use pinkpaper::{
    audit::{DecisionLog, EntryKind, NewEntry, SearchKeys, key::Signer},
    domain::words::{Action, Outcome},
    store,
};
use serde_json::{Value, json};

const NAME: &str = "cllr-long-gone";

async fn open(home: &Path) -> Arc<dyn DecisionLog> {
    let signer = Signer::open(&home.join("test.key")).expect("a signer");
    let address = format!("sqlite://{}", home.join("test.db").display());
    store::connect(&address, store::Options::new("http://127.0.0.1:8080", Arc::new(signer))).await.expect("open")
}

/// So many refusals of one time.
async fn refusals(store: &Arc<dyn DecisionLog>, prefix: &str, count: usize, at: Timestamp) {
    let entry = |number: usize| NewEntry {
        kind: EntryKind::Decision,
        id: format!("{prefix}-{number}"),
        at,
        outcome: Some(Outcome::Deny),
        policy_bundle: "sha256:0a".to_owned(),
        facts_version: None,
        payload: ["answer", "caller", "facts", "request"].map(|group| (group, json!({"of": NAME}))).to_vec(),
        search: Some(SearchKeys {
            person: NAME.to_owned(),
            document: "edrms:1".to_owned(),
            action: Action::Read,
            rules: Vec::new(),
            referrals: Vec::new(),
        }),
        idempotency: None,
        erased: None,
    };
    store.append_all((0..count).map(entry).collect()).await.expect("appended");
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    let address = format!("sqlite://{}", home.join("test.db").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"));
    command.args(["log", "erase", "--database-url", &address]).args(arguments);
    command.current_dir(home).output().expect("runs")
}

fn told(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_erases_what_is_due_in_batches_and_leaves_nothing_in_the_files() {
    let home = tempfile::tempdir().expect("a directory");
    let store = open(home.path()).await;
    refusals(&store, "old", 1203, "2011-11-22T12:00:00Z".parse().expect("a time")).await;
    refusals(&store, "new", 2, Timestamp::now()).await;
    let busy = run(home.path(), &[]);
    assert!(!busy.status.success() && String::from_utf8_lossy(&busy.stderr).contains("another process"));
    drop(store);
    let counted = told(&run(home.path(), &["--dry-run", "--json"]));
    assert_eq!((&counted["dry_run"], &counted["entries"]), (&json!(true), &json!(1203)));
    let erased = told(&run(home.path(), &["--json"]));
    assert_eq!((&erased["entries"], &erased["by_class"]["redact_or_deny"]), (&json!(1203), &json!(1203)));
    assert_eq!(erased["files_clean"], true);
    let plain = run(home.path(), &[]);
    assert_eq!(String::from_utf8_lossy(&plain.stdout), "0 entries erased\n", "it is all gone");
    let bytes = std::fs::read(home.path().join("test.db")).expect("read");
    let found = bytes.windows(NAME.len()).filter(|window| *window == NAME.as_bytes()).count();
    assert!((10..=20).contains(&found), "{found}: two refusals of four groups each, with what they are found by");
    let store = open(home.path()).await;
    let raw = store.raw(1205, 9).await.expect("readable");
    assert_eq!(raw.len(), 3, "500, 500 and 203 entries");
    assert!(raw.iter().all(|entry| entry.leaf.len() < 60_000));
    assert!(raw.iter().any(|entry| entry.leaf.len() > 30_000), "a whole batch is named in one leaf");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_councils_own_schedule_is_applied() {
    let home = tempfile::tempdir().expect("a directory");
    let store = open(home.path()).await;
    refusals(&store, "old", 3, "2011-11-22T12:00:00Z".parse().expect("a time")).await;
    drop(store);
    let config = home.path().join("pinkpaper.toml");
    let entries = |schedule: &str| {
        std::fs::write(&config, format!("[log.retention]\n{schedule}")).expect("written");
        let output = run(home.path(), &["--dry-run", "--json", "--config", config.to_str().expect("a path")]);
        told(&output)["entries"].clone()
    };
    assert_eq!(entries("redact_or_deny = \"0\""), 0, "kept for good");
    assert_eq!(entries("redact_or_deny = \"99y\""), 0);
    assert_eq!(entries("redact_or_deny = \"90d\"\nenabled = false"), 3, "the command needs no leave");
}
