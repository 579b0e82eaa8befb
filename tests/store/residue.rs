//! What erasing leaves in SQLite's files and PostgreSQL's tables: nothing. Looked for byte by byte.

use std::{fs, path::Path, sync::Arc};

use pinkpaper::{
    audit::{DecisionLog, key::Signer},
    domain::{
        retention::Erased,
        words::{ErasedUnder, RecordClass},
    },
};
use sqlx::Connection;

use crate::{cluster::Cluster, keeping::*, postgres, rights, sqlite, support::*};

/// Of the name of everybody who is to be forgotten.
const FORGOTTEN: &str = "forgotten-councillor-";
const KEPT: &str = "kept-councillor-";

/// How often a text stands in any file of a directory.
fn count(directory: &Path, text: &str) -> usize {
    let files = fs::read_dir(directory).expect("listed").map(|file| file.expect("a file").path());
    let found = |path| {
        // What the server removes meanwhile holds nothing.
        let bytes = fs::read(path).unwrap_or_default();
        bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
    };
    files.map(found).sum()
}

/// Refusals to many people in turn, under keys of their own: two years old or six.
async fn many(bench: &Bench, entries: usize) {
    let mut waiting = Vec::new();
    for at in 0..entries {
        let (name, day) = if at % 3 == 0 { (KEPT, "2026-11-22") } else { (FORGOTTEN, "2020-11-22") };
        // Scattered, so that the indexes are filled out of order; of any size, so that pages are split and joined.
        let scattered = at * 7919 % entries;
        let (person, time) = (format!("{name}{scattered}"), format!("{day}T12:00:00Z"));
        let mut entry = refusal(&format!("d-{at}"), &person, &format!("edrms:{name}{scattered}"), "R", &time);
        let filler = "x".repeat([10, 400, 3000, 9000][at % 4]);
        entry.payload.push(("note", serde_json::json!({"of": person, "filler": filler})));
        waiting.push(keyed(entry, &format!("5:edrms/{person}"), 1));
    }
    bench.store.append_all(waiting).await.expect("appended");
}

/// Determinations about many people in turn, withdrawn six years ago or in force.
async fn many_determined(bench: &Bench) {
    for at in 0..30 {
        let forgotten = at % 2 == 0;
        let person = format!("{}{at}", if forgotten { FORGOTTEN } else { KEPT });
        let mut entered = entered("need_to_know", Some("edrms:2026/0117"), Some(&person));
        entered.reasons = format!("{person} asked. {}", "x".repeat([10, 400, 3000][at % 3]));
        bench.determined(&format!("n-{at}"), "2020-11-22T12:00:00Z", entered).await;
        if forgotten {
            bench.withdrawn(&format!("w-{at}"), &format!("n-{at}"), "2020-11-23T12:00:00Z").await;
        }
    }
}

/// Erases what is older than 2024, in batches; answers how many there were.
async fn erase_due(bench: &Bench) -> usize {
    let mut batches = 0;
    for class in [RecordClass::RedactOrDeny, RecordClass::Determination] {
        let due = due_until(class, "2024-01-01T00:00:00Z");
        loop {
            let entries: Vec<Erased> = bench.store.due(&due, None, 200).await.expect("readable");
            if entries.is_empty() {
                break;
            }
            bench.erase(&format!("e-{batches}"), entries).await.expect("erased");
            batches += 1;
        }
    }
    batches
}

#[tokio::test]
async fn nothing_of_what_is_erased_is_left_in_the_tables_once_their_owner_rewrites_them() {
    let bench = rights::as_the_service().await;
    let (cluster, database) = (Cluster::shared(), postgres::database(&bench));
    let mut admin = database.outsider().await;
    let at = "SELECT pg_relation_filepath('log_payload')";
    let at: String = sqlx::query_scalar(at).fetch_one(&mut admin).await.expect("found");
    let files = cluster.data().join(at).parent().expect("a directory").to_owned();
    many(&bench, 600).await;
    many_determined(&bench).await;
    assert_eq!(erase_due(&bench).await, 3);
    sqlx::query("CHECKPOINT").execute(&mut admin).await.expect("written");
    assert!(count(&files, FORGOTTEN) > 0, "deleted, but there");
    assert!(!bench.store.scrub(false).await.expect("nothing to do"));
    assert!(!bench.store.scrub(true).await.expect("nothing it may do"), "the tables are not the service's");
    let owner = cluster.url("pinkpaper_owner", &database.name);
    let owner = postgres::open(&owner, &Arc::new(Signer::fleeting().expect("a key"))).await.expect("open");
    assert!(owner.scrub(true).await.expect("rewritten"));
    sqlx::query("CHECKPOINT").execute(&mut admin).await.expect("written");
    assert_eq!(count(&files, FORGOTTEN), 0);
    assert!(count(&files, KEPT) > 200, "what is kept is there");
    bench.store.append(entry("after")).await.expect("and it goes on");
}

#[tokio::test]
async fn nothing_of_what_is_erased_is_left_in_the_files() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, signer) = (directory.path().join("a.db"), Arc::new(Signer::fleeting().expect("a key")));
    let store = sqlite::open(&file, &signer).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(()) };
    many(&bench, 900).await;
    many_determined(&bench).await;
    let kept = count(directory.path(), KEPT);
    assert!(count(directory.path(), FORGOTTEN) > 6 * 600 && kept > 6 * 300, "names stand in payloads and indexes");
    assert_eq!(erase_due(&bench).await, 4);
    assert!(bench.store.scrub(false).await.expect("scrubbed"), "a small file is rewritten at once");
    assert_eq!(count(directory.path(), FORGOTTEN), 0);
    assert!(count(directory.path(), KEPT) >= 6 * 300, "what is kept is there");
    assert_eq!(bench.all().await.len(), 300);
    bench.store.append(entry("after")).await.expect("and it goes on");
}

#[tokio::test]
async fn whoever_reads_the_file_all_the_time_is_told_of() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, signer) = (directory.path().join("a.db"), Arc::new(Signer::fleeting().expect("a key")));
    let store: Arc<dyn DecisionLog> = sqlite::open(&file, &signer).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(()) };
    many(&bench, 9).await;
    let mut outsider = sqlite::outsider(&file).await;
    sqlx::raw_sql("BEGIN; SELECT * FROM log_payload").execute(&mut outsider).await.expect("reads");
    bench.erase_whole("e-1", 1).await;
    assert!(!bench.store.scrub(false).await.expect("tried"), "the log of before is still read");
    bench.store.append(entry("after")).await.expect("nobody is kept from writing");
    sqlx::raw_sql("COMMIT").execute(&mut outsider).await.expect("reads no more");
    outsider.close().await.expect("closed");
    assert!(bench.store.scrub(false).await.expect("tried"));
    let erased = bench.store.erasure_of(1).await.expect("readable").and_then(|entry| entry.erased);
    assert_eq!(erased.expect("on record").under, ErasedUnder::Schedule);
}

#[tokio::test]
async fn a_hold_cannot_be_widened_narrowed_or_placed_again_past_the_service() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, signer) = (directory.path().join("a.db"), Arc::new(Signer::fleeting().expect("a key")));
    let store = sqlite::open(&file, &signer).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(()) };
    let scope = pinkpaper::domain::hold::Scope { person: Some(id("b1")), ..Default::default() };
    bench.place("h-1", pinkpaper::domain::words::HoldKind::Foi, scope).await;
    let mut outsider = sqlite::outsider(&file).await;
    sqlx::query("UPDATE log_hold SET released_at = 1").execute(&mut outsider).await.expect("as the service does");
    for statement in [
        "UPDATE log_hold SET released_at = NULL",
        "UPDATE log_hold SET person = 'b2'",
        "UPDATE log_hold SET ends = 1",
        "UPDATE log_hold SET kind = 'other'",
        "DELETE FROM log_hold",
        "INSERT INTO log_hold (id, kind) VALUES ('h-2', 'foi')",
        "INSERT INTO log_hold (id, kind, person) VALUES ('h-2', 'fio', 'b1')",
    ] {
        assert!(sqlx::query(statement).execute(&mut outsider).await.is_err(), "{statement}");
    }
}
