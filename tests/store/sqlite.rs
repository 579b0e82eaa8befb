//! What is SQLite's own: the file, its triggers, its lock, its faults.

use std::{path::Path, sync::Arc, time::Duration};

use pinkpaper::{
    audit::{AppendError, DecisionLog, key::Signer, merkle::Node},
    pip::Change,
    store::{OpenError, Options, connect, read},
};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{former, keeping::*, support::*};

suite!(crate::sqlite::fresh);

/// Long enough for a busy machine; shortened where a test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

pub async fn fresh() -> Bench {
    fresh_with(PATIENCE).await
}

async fn fresh_with(patience: Duration) -> Bench {
    let directory = tempfile::tempdir().expect("a directory");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open_with(&directory.path().join("a.db"), &signer, patience).await.expect("open");
    Bench { store, key: signer.public_key(), keep: Box::new(directory) }
}

pub async fn open(file: &Path, signer: &Arc<Signer>) -> Result<Arc<dyn DecisionLog>, OpenError> {
    open_with(file, signer, PATIENCE).await
}

async fn open_with(file: &Path, signer: &Arc<Signer>, patience: Duration) -> Result<Arc<dyn DecisionLog>, OpenError> {
    let options = Options { patience, ..Options::new(ORIGIN, Arc::clone(signer)) };
    connect(&format!("sqlite://{}", file.display()), options).await
}

/// Someone with the file in hand.
pub async fn outsider(file: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).foreign_keys(false).connect().await.expect("open")
}

/// A store with one decision, its file and an outsider.
async fn with_outsider() -> (Bench, SqliteConnection) {
    let bench = fresh_with(SHORT).await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let directory = bench.keep.downcast_ref::<tempfile::TempDir>().expect("a directory");
    let outsider = outsider(&directory.path().join("a.db")).await;
    (bench, outsider)
}

#[tokio::test]
async fn the_file_refuses_what_the_service_never_does() {
    let (bench, mut outsider) = with_outsider().await;
    bench.store.append(entry("e-1")).await.expect("appended");
    let kept = Change::KeepCheckpoint { epoch: 1, size: 2, note: "a note".to_owned() };
    bench.store.keep(kept).await.expect("kept");
    let statements = [
        "UPDATE log_leaf SET outcome = 'allow'",
        "UPDATE log_leaf SET seq = 7",
        "DELETE FROM log_leaf",
        "INSERT OR REPLACE INTO log_leaf SELECT 0, epoch, kind, leaf, leaf_hash, entry_id, at, 'allow' FROM log_leaf",
        "INSERT OR REPLACE INTO log_leaf SELECT 1, epoch, kind, leaf, leaf_hash, entry_id, at, 'allow' FROM log_leaf",
        "INSERT INTO log_leaf SELECT 2, epoch, kind, leaf, zeroblob(32), 'd-2', at, outcome FROM log_leaf",
        "UPDATE log_payload SET body = '{}'",
        "DELETE FROM log_payload",
        "DELETE FROM log_search",
        "DELETE FROM log_search_rule",
        "INSERT OR REPLACE INTO log_payload SELECT seq, grp, salt, '{}' FROM log_payload",
        "UPDATE log_head SET size = 0",
        "UPDATE log_head SET epoch = 0",
        "DELETE FROM log_head",
        "UPDATE log_node SET hash = zeroblob(32)",
        "DELETE FROM log_node",
        "INSERT OR REPLACE INTO log_node SELECT place, zeroblob(32) FROM log_node",
        "UPDATE log_checkpoint SET note = ''",
        "DELETE FROM log_checkpoint",
        "INSERT OR REPLACE INTO log_checkpoint SELECT epoch, size, '' FROM log_checkpoint",
    ];
    for statement in statements {
        assert!(sqlx::query(statement).execute(&mut outsider).await.is_err(), "{statement}");
    }
    assert_eq!(bench.store.entry("d-1").await.expect("readable").expect("there").outcome, decision("d-1", 0).outcome);
}

/// What the service kept before it had a tree: the same rows without one.
#[tokio::test]
async fn a_log_from_before_the_tree_gets_one_over_all_its_entries() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.db");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open(&file, &signer).await.expect("open");
    for at in 0..11 {
        store.append(decision(&format!("d-{at}"), 0)).await.expect("appended");
    }
    let grown = store.head().await.expect("readable");
    drop(store);
    let mut outsider = outsider(&file).await;
    for statement in [
        "DROP TABLE log_node",
        "DROP TABLE log_checkpoint",
        "DROP INDEX log_leaf_at",
        "ALTER TABLE log_head DROP COLUMN peaks",
        "ALTER TABLE log_head DROP COLUMN origin",
        "DELETE FROM _sqlx_migrations WHERE version = 3",
    ] {
        sqlx::query(statement).execute(&mut outsider).await.expect(statement);
    }
    outsider.close().await.expect("closed");
    let store = open(&file, &signer).await.expect("brought forward");
    assert_eq!(store.head().await.expect("readable"), grown);
    let leaves: Vec<Node> = (0..11).map(|index| Node { level: 0, index }).collect();
    assert_eq!(store.hashes(&leaves).await.expect("there").len(), 11);
    store.hashes(&[Node { level: 3, index: 0 }]).await.expect("grown");
    assert_eq!(store.append(decision("d-11", 0)).await.expect("appended").index, 11);
    assert!(store.entry("d-3").await.expect("readable").is_some());
}

#[tokio::test]
async fn what_an_earlier_version_kept_is_there_and_goes_as_it_should() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.db");
    let (released, _files) = former::released("sqlite").await;
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true).foreign_keys(true);
    let mut earlier = options.connect().await.expect("made");
    released.run(&mut earlier).await.expect("as released");
    let kept = sqlx::AssertSqlSafe(former::kept(|bytes| format!("x'{}'", hex::encode(bytes))));
    sqlx::raw_sql(kept).execute(&mut earlier).await.expect("kept");
    earlier.close().await.expect("closed");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open(&file, &signer).await.expect("brought forward");
    former::is_there_and_goes(Bench { store, key: signer.public_key(), keep: Box::new(directory) }).await;
}

#[tokio::test]
async fn the_log_keeps_its_first_name() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.db");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    drop(open(&file, &signer).await.expect("open"));
    let renamed = Options { patience: PATIENCE, ..Options::new("another/log", signer) };
    let store = connect(&format!("sqlite://{}", file.display()), renamed).await.expect("open");
    assert_eq!(store.origin(), ORIGIN);
}

#[tokio::test]
async fn an_entry_altered_past_the_triggers_is_not_given_out() {
    let alterations = [
        ("log_leaf_is_never_updated", "UPDATE log_leaf SET leaf = CAST(replace(leaf, 'deny', 'allow') AS BLOB)"),
        ("log_payload_is_never_updated", "UPDATE log_payload SET body = replace(body, 'b1', 'b2')"),
        ("log_payload_is_never_replaced", "INSERT INTO log_payload VALUES (0, 'note', zeroblob(32), '\"b1\"')"),
    ];
    for (trigger, statement) in alterations {
        let (bench, mut outsider) = with_outsider().await;
        let drop = sqlx::AssertSqlSafe(format!("DROP TRIGGER {trigger}"));
        sqlx::query(drop).execute(&mut outsider).await.expect("dropped");
        sqlx::query(statement).execute(&mut outsider).await.expect("altered");
        let error = bench.store.entry("d-1").await.expect_err(statement);
        let text = format!("{error}: {}", std::error::Error::source(&error).expect("why"));
        assert_eq!(text, "the store cannot be read: log entry 0 is not as it was appended");
    }
}

#[tokio::test]
async fn nothing_is_erased_by_an_act_that_is_not_in_the_log() {
    let (bench, _) = with_outsider().await;
    let directory = bench.keep.downcast_ref::<tempfile::TempDir>().expect("a directory");
    let place = SqliteConnectOptions::new().filename(directory.path().join("a.db")).foreign_keys(true);
    let mut outsider = place.connect().await.expect("open");
    let pretend = "BEGIN; INSERT INTO log_erased VALUES (0, 'no-such-entry');
                   INSERT INTO log_erased_group SELECT 'no-such-entry', seq, grp FROM log_payload;
                   DELETE FROM log_payload";
    sqlx::raw_sql(pretend).execute(&mut outsider).await.expect("so far");
    assert!(sqlx::query("COMMIT").execute(&mut outsider).await.is_err(), "no entry stands for it");
    outsider.close().await.expect("closed");
    assert_eq!(bench.store.entry("d-1").await.expect("readable").expect("there").payload.len(), 2);
}

#[tokio::test]
async fn nothing_goes_but_what_an_erasure_of_that_moment_names() {
    let bench = fresh().await;
    bench.partly_erased().await;
    let directory = bench.keep.downcast_ref::<tempfile::TempDir>().expect("a directory");
    let place = SqliteConnectOptions::new().filename(directory.path().join("a.db")).foreign_keys(true);
    for pretence in PRETENCES {
        let mut outsider = place.connect().await.expect("open");
        sqlx::query("BEGIN IMMEDIATE").execute(&mut outsider).await.expect("begun");
        let mut refused = None;
        for statement in pretence {
            match sqlx::query(*statement).execute(&mut outsider).await {
                Ok(done) => assert!(*statement == "COMMIT" || done.rows_affected() > 0, "{statement}"),
                Err(error) => refused = refused.or(Some(error.to_string())),
            }
        }
        let refused = refused.unwrap_or_else(|| panic!("{pretence:?}"));
        assert!(["an erasure", "FOREIGN KEY"].iter().any(|why| refused.contains(why)), "{pretence:?}: {refused}");
        outsider.close().await.expect("closed");
    }
    bench.is_partly_erased().await;
}

#[tokio::test]
async fn no_determination_goes_before_it_is_out_of_force_and_its_record_erased() {
    let bench = fresh().await;
    bench.determinations_of_all_sorts().await;
    let directory = bench.keep.downcast_ref::<tempfile::TempDir>().expect("a directory");
    let mut outsider = outsider(&directory.path().join("a.db")).await;
    for (statement, why) in DETERMINATIONS_THAT_STAY {
        let refused = sqlx::query(statement).execute(&mut outsider).await.expect_err(statement);
        assert!(refused.to_string().ends_with(why), "{statement}: {refused}");
    }
    sqlx::query("DELETE FROM determination WHERE id = 'past'")
        .execute(&mut outsider)
        .await
        .expect("as the service does");
    outsider.close().await.expect("closed");
    assert_eq!(bench.determinations().await.len(), 4);
}

#[tokio::test]
async fn what_was_kept_is_there_when_the_file_is_opened_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, key) = (directory.path().join("a.db"), directory.path().join("receipt.key"));
    let signer = Arc::new(Signer::open(&key).expect("a key"));
    let store = open(&file, &signer).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(()) };
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    bench.write("w2", Change::PutDocument(Box::new(document("a")))).await.expect("written");
    bench.write("w3", determine("n-1", entered("doubt", Some("a"), None))).await.expect("written");
    let position = bench.store.append(keyed(decision("d-1", 3), "k", 1)).await.expect("appended");
    drop(bench);

    let signer = Arc::new(Signer::open(&key).expect("the same key"));
    let store = open(&file, &signer).await.expect("open again");
    let snapshot = store.snapshot();
    assert_eq!((snapshot.facts_version, &snapshot.register.register), (3, &Some(register())));
    assert_eq!(store.document(&id("a")).await.expect("readable"), Some(document("a")));
    assert_eq!(store.determinations_about(&id("a")).await.expect("readable").len(), 1);
    assert_eq!(store.entry("d-1").await.expect("readable").expect("there").position, position);
    assert!(matches!(store.append(keyed(entry("e"), "k", 2)).await, Err(AppendError::Repeated { .. })));
    assert_eq!(store.append(decision("d-2", 3)).await.expect("appended").index, 4);
}

#[tokio::test]
async fn two_cannot_write_one_database() {
    let directory = tempfile::tempdir().expect("a directory");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let first = open(&directory.path().join("a.db"), &signer).await.expect("open");
    std::os::unix::fs::symlink("a.db", directory.path().join("alias.db")).expect("linked");
    for name in ["a.db", "alias.db"] {
        let second = open_with(&directory.path().join(name), &signer, SHORT).await.err().expect("refused");
        assert_eq!(second.to_string(), "another process is using this database");
    }
    drop(first);
    open(&directory.path().join("a.db"), &signer).await.expect("let go");
}

#[tokio::test]
async fn an_address_that_cannot_be_opened_is_refused_in_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    std::fs::write(directory.path().join("words.db"), "not a database, but long enough to be looked at".repeat(20))
        .expect("written");
    let absent = format!("sqlite://{}/none/a.db", directory.path().display());
    let words = format!("sqlite://{}/words.db", directory.path().display());
    let refusals = [
        ("mysql://db", "a database address is `sqlite://FILE` or `postgres://…`"),
        ("pinkpaper.db", "a database address is `sqlite://FILE` or `postgres://…`"),
        ("sqlite://", "a database address is `sqlite://FILE` or `postgres://…`"),
        ("sqlite://a.db?mode=memory", "a database address is `sqlite://FILE` or `postgres://…`"),
        (&absent, "the database cannot be opened"),
        (&words, "the database cannot be opened"),
    ];
    for (address, expected) in refusals {
        let refused = connect(address, Options::new(ORIGIN, Arc::clone(&signer))).await.err().expect(address);
        assert_eq!(refused.to_string(), expected, "{address}");
    }
}

#[tokio::test]
async fn a_log_whose_end_was_cut_off_is_not_opened() {
    let directory = tempfile::tempdir().expect("a directory");
    let (file, signer) = (directory.path().join("a.db"), Arc::new(Signer::fleeting().expect("a key")));
    let store = open(&file, &signer).await.expect("open");
    store.append(entry("e-1")).await.expect("appended");
    drop(store);
    let mut outsider = outsider(&file).await;
    sqlx::raw_sql("DROP TRIGGER log_leaf_is_never_deleted; DELETE FROM log_leaf")
        .execute(&mut outsider)
        .await
        .expect("cut");
    let refused = open(&file, &signer).await.err().expect("refused");
    assert!(matches!(refused, OpenError::HeadAndLastEntry), "{refused:?}");
}

/// Nothing is acknowledged, nothing is in force, and once the fault is gone all is as before it.
async fn is_refused_while(fault: &'static str, end: &'static str) {
    let (bench, mut outsider) = with_outsider().await;
    sqlx::raw_sql(fault).execute(&mut outsider).await.expect(fault);
    let write = Change::ReplaceRegister(Box::new(register()));
    let (written, appended, ready) =
        tokio::join!(bench.write("w1", write.clone()), bench.store.append(decision("d-2", 0)), bench.store.ready());
    assert!(matches!(written, Err(AppendError::Unwritable(_))), "{written:?}");
    assert!(matches!(appended, Err(AppendError::Unwritable(_) | AppendError::Stale)), "{appended:?}");
    assert!(ready.is_err());
    assert_eq!((bench.version(), bench.all().await.len()), (0, 1));
    assert!(bench.store.snapshot().register.register.is_none());
    sqlx::raw_sql(end).execute(&mut outsider).await.expect(end);
    bench.store.ready().await.expect("ready again");
    let written = bench.write("w1", write).await.expect("written");
    assert_eq!((written.facts_version, written.position.index), (1, 1));
    assert_eq!(bench.store.append(decision("d-2", 1)).await.expect("appended").index, 2);
}

#[tokio::test]
async fn nothing_is_acknowledged_while_another_holds_the_file() {
    is_refused_while("BEGIN IMMEDIATE", "ROLLBACK").await;
}

#[tokio::test]
async fn nothing_is_acknowledged_that_the_log_did_not_take() {
    is_refused_while(
        "CREATE TRIGGER full BEFORE UPDATE ON log_head BEGIN SELECT RAISE(ABORT, 'full'); END",
        "DROP TRIGGER full",
    )
    .await;
}

#[tokio::test]
async fn nothing_is_acknowledged_when_the_commit_itself_fails() {
    // Checked only by the COMMIT, after every statement has succeeded.
    is_refused_while(
        "CREATE TABLE broken (seq INTEGER REFERENCES log_leaf (seq) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER break_commit AFTER UPDATE ON log_head BEGIN INSERT INTO broken VALUES (999999); END",
        "DROP TRIGGER break_commit",
    )
    .await;
}

#[tokio::test]
async fn no_list_of_decisions_is_sorted_to_be_cut() {
    let (_bench, mut outsider) = with_outsider().await;
    let from = "EXPLAIN QUERY PLAN SELECT l.seq FROM log_leaf l";
    for rest in [
        "WHERE l.kind = 'decision'",
        "WHERE l.kind = 'decision' AND l.outcome = 'deny'",
        "JOIN log_search s ON s.seq = l.seq WHERE l.kind = 'decision' AND s.person = 'b1'",
        "JOIN log_search s ON s.seq = l.seq WHERE l.kind = 'decision' AND s.document = 'a'",
        "JOIN log_search_rule r ON r.seq = l.seq AND r.rule = 'X-8' WHERE l.kind = 'decision'",
    ] {
        let sql = sqlx::AssertSqlSafe(format!("{from} {rest} ORDER BY l.seq DESC LIMIT 51"));
        let plan: Vec<(i64, i64, i64, String)> = sqlx::query_as(sql).fetch_all(&mut outsider).await.expect("a plan");
        let plan: Vec<_> = plan.into_iter().map(|step| step.3).collect();
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE")), "{rest}: {plan:?}");
    }
    outsider.close().await.expect("closed");
}

#[tokio::test]
async fn the_log_is_read_beside_whoever_holds_the_lock() {
    let bench = fresh().await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let directory = bench.keep.downcast_ref::<tempfile::TempDir>().expect("a directory");
    let beside = read(&format!("sqlite://{}", directory.path().join("a.db").display()), SHORT).await.expect("open");
    assert_eq!(beside.raw(0, 10).await.expect("readable").len(), 1);
    bench.store.append(decision("d-2", 0)).await.expect("the reader is in nobody's way");
    assert_eq!(beside.raw(1, 10).await.expect("readable").len(), 1, "what is appended meanwhile is there");
    assert_eq!(beside.indexes(None, None).await.expect("readable"), 0..2);
}

#[tokio::test]
async fn reading_makes_no_database_and_brings_none_forward() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("a.db");
    let address = format!("sqlite://{}", file.display());
    assert!(matches!(read(&address, SHORT).await.map(|_| ()), Err(OpenError::Unopenable(_))));
    assert!(!file.exists(), "a file was made");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    drop(open(&file, &signer).await.expect("open"));
    let forget = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    sqlx::query(forget).execute(&mut outsider(&file).await).await.expect("forgotten");
    assert!(matches!(read(&address, SHORT).await.map(|_| ()), Err(OpenError::OtherVersion)));
}
