//! What the one task that writes promises, seen from inside; the rest is claimed of every store in `tests/store`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use sqlx::QueryBuilder;
use tokio::sync::{mpsc, oneshot};

use super::{
    batch::{Head, Outcome},
    dialect::Db,
    job::{Job, Record, Verdict},
    log::matching,
    place::Place,
    store::Store,
    writer::Writer,
};
use crate::{
    audit::{AppendError, DecisionLog, EntryKind, LogFilter, NewEntry, entry::seal, key::Signer},
    domain::words,
    pip::{Indexed, PageRequest, Snapshot},
};

/// A new database.
async fn place(directory: &tempfile::TempDir) -> Place {
    let place = Place::open(&directory.path().join("a.db"), Duration::from_secs(1)).await.expect("made");
    place.prepare().await.expect("migrated");
    place
}

fn empty() -> Snapshot {
    Snapshot { facts_version: 0, register: Arc::new(Indexed::new(None)), policies: None }
}

/// A writer on a new database, and how many commits it has made.
async fn writer(directory: &tempfile::TempDir) -> (Writer, Arc<AtomicUsize>) {
    let place = place(directory).await;
    let mut connection = place.writer().await.expect("open");
    let commits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&commits);
    connection.lock_handle().await.expect("a handle").set_commit_hook(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        true
    });
    let snapshot = Arc::new(ArcSwap::from_pointee(empty()));
    (Writer { place, connection: Some(connection), snapshot }, commits)
}

fn entry(id: &str) -> NewEntry {
    NewEntry {
        kind: EntryKind::LogRead,
        id: id.to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        outcome: None,
        policy_bundle: "sha256:0a".to_owned(),
        facts_version: None,
        payload: vec![("request", serde_json::json!({"by": "b1"}))],
        search: None,
        idempotency: None,
        erased: None,
    }
}

fn job(id: &str) -> (Job, oneshot::Receiver<Verdict>) {
    let entry = entry(id);
    let sealed = seal(&entry).expect("sealed");
    let (reply, answer) = oneshot::channel();
    (Job { records: vec![Record { entry, sealed }], change: None, reply }, answer)
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let directory = tempfile::tempdir().expect("a directory");
    let (writer, commits) = writer(&directory).await;
    let (queue, jobs) = mpsc::channel(400);
    let mut answers = Vec::new();
    for at in 0..300 {
        let (job, answer) = job(&format!("e-{at}"));
        queue.try_send(job).map_err(|_| ()).expect("room");
        answers.push(answer);
    }
    drop(queue);
    writer.run(jobs).await;
    for (at, answer) in (0..).zip(answers) {
        assert_eq!(answer.await.expect("answered").expect("durable").first, at);
    }
    assert_eq!(commits.load(Ordering::SeqCst), 2, "256 entries, then 44");
}

#[tokio::test]
async fn an_entry_that_nobody_waits_for_any_more_is_left_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, commits) = writer(&directory).await;
    let ((gone, no_answer), (waiting, answer)) = (job("e-0"), job("e-1"));
    let (queue, jobs) = mpsc::channel(4);
    drop(no_answer);
    queue.try_send(gone).map_err(|_| ()).expect("room");
    queue.try_send(waiting).map_err(|_| ()).expect("room");
    let place = writer.place.clone();
    writer.connection = None;
    drop(queue);
    writer.run(jobs).await;
    assert_eq!(answer.await.expect("answered").expect("durable").first, 0);
    let mut reader = place.writer().await.expect("open");
    let ids: Vec<String> =
        sqlx::query_scalar("SELECT entry_id FROM log_leaf").fetch_all(&mut reader).await.expect("readable");
    assert_eq!(ids, ["e-1"]);
    assert_eq!(commits.load(Ordering::SeqCst), 0, "the connection that was lost was replaced");
}

#[tokio::test]
async fn a_commit_of_unclear_outcome_is_looked_up() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, _) = writer(&directory).await;
    let ((first, _first), (second, _second)) = (job("e-0"), job("e-1"));
    let leaves = [&first, &second].map(|job| job.records.first().expect("one").sealed.leaf_hash);
    writer.commit(&[first]).await.expect("durable");
    let mut outcomes = Vec::new();
    for last_leaf in [Some(leaves[0]), Some(leaves[1]), None] {
        let head = Head { size: 1, epoch: 1, facts_version: 0, peaks: Default::default(), policies: None };
        outcomes.push(writer.took_effect(&Outcome { head, last_leaf, register: None }).await);
    }
    assert_eq!(outcomes, [true, false, false]);
}

#[tokio::test]
async fn facts_that_moved_on_unseen_are_read_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, _) = writer(&directory).await;
    let authority = r#"{"id": "exampleton", "name": "Exampleton Council", "governance": "executive"}"#;
    let connection = writer.connection().await.expect("open");
    sqlx::query("INSERT INTO register_authority VALUES (1, $1)").bind(authority).execute(connection).await.expect("in");
    let connection = writer.connection().await.expect("open");
    sqlx::query("UPDATE log_head SET facts_version = 1").execute(connection).await.expect("counted");
    let (job, _answer) = job("e-0");
    writer.commit(&[job]).await.expect("durable");
    let snapshot = writer.snapshot.load();
    assert_eq!(snapshot.facts_version, 1);
    assert!(snapshot.register.register.is_some());
}

#[tokio::test]
async fn one_more_than_the_queue_holds_is_refused_at_once() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = place(&directory).await;
    // A writer that never comes to it.
    let (queue, jobs) = mpsc::channel(1);
    let store = Store {
        readers: place.readers(1).await.expect("open"),
        snapshot: Arc::new(ArcSwap::from_pointee(empty())),
        queue,
        signer: Arc::new(Signer::fleeting().expect("a key")),
        origin: "log".to_owned(),
        place,
    };
    let (mut waits, refused) = (store.append(entry("e-0")), store.append(entry("e-1")));
    tokio::select! {
        biased;
        answer = &mut waits => unreachable!("nobody writes, but {answer:?}"),
        answer = refused => assert!(matches!(answer, Err(AppendError::Full)), "{answer:?}"),
    }
    assert!(store.ready().await.is_err(), "a full store is not ready");
    drop(jobs);
    assert!(matches!(waits.await, Err(AppendError::Unwritable(_))), "the writer has ended");
}

/// What SQLite says it will do for a search.
async fn plan(place: &Place, filter: &LogFilter) -> Vec<String> {
    let mut connection = place.writer().await.expect("open");
    let page = PageRequest { after: Some("d-1".to_owned()), limit: 50 };
    let mut explained =
        QueryBuilder::<Db>::new(format!("EXPLAIN QUERY PLAN {}", matching(filter, &page).sql().as_str()));
    let rows: Vec<(i64, i64, i64, String)> =
        explained.build_query_as().fetch_all(&mut connection).await.expect("explained");
    rows.into_iter().map(|(.., step)| step).collect()
}

#[tokio::test]
async fn a_search_that_names_few_decisions_begins_at_them() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = place(&directory).await;
    let whole = LogFilter {
        outcome: Some(words::Outcome::Deny),
        from: Some(jiff::Timestamp::UNIX_EPOCH),
        to: Some(jiff::Timestamp::UNIX_EPOCH),
        ..LogFilter::default()
    };
    let key = || Some("x".to_owned());
    let cases = [
        (LogFilter { person: key(), ..whole.clone() }, "log_search_by_person"),
        (LogFilter { document: key(), ..whole.clone() }, "log_search_by_document"),
        (LogFilter { document: key(), outcome: whole.outcome, ..LogFilter::default() }, "log_search_by_document"),
        (LogFilter { person: key(), ..LogFilter::default() }, "log_search_by_person"),
        (LogFilter { rule: key(), ..whole.clone() }, "r USING"),
        (LogFilter { rule: key(), ..LogFilter::default() }, "r USING"),
        (LogFilter { outcome: whole.outcome, ..LogFilter::default() }, "log_leaf_by_outcome"),
        (whole, "log_leaf"),
        (LogFilter::default(), "log_leaf_by_kind"),
    ];
    for (filter, begins) in cases {
        let plan = plan(&place, &filter).await;
        assert!(plan.first().is_some_and(|step| step.contains(begins)), "{filter:?}: {plan:#?}");
        assert!(
            !plan.iter().any(|step| step.starts_with("SCAN") || step.contains("TEMP B-TREE")),
            "{filter:?}: {plan:#?}"
        );
    }
}
