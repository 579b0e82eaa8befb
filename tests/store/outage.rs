//! PostgreSQL fails: the server stops, the connection breaks or falls silent, somebody holds the log.
//!
//! In every case: nobody waits for ever; what was acknowledged is in the log, once and without gap; what was not is
//! either not there or found by its idempotency key; and when the fault is over the store goes on by itself.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use pinkpaper::{
    audit::{AppendError, key::Signer},
    domain::decision::LogPosition,
    pip::Change,
};

use crate::{
    cluster::{Cluster, OWNER},
    postgres::{SHORT, database, open_with},
    proxy::{Fault, Proxy},
    support::*,
};

/// What a caller waits at most: the batch before it and its own, each with its look-up.
const LONG: Duration = Duration::from_secs(10);

struct Behind {
    bench: Bench,
    proxy: Proxy,
}

/// A store behind a proxy, with one decision in it.
async fn behind_a_proxy() -> Behind {
    let cluster = Cluster::shared();
    let database = cluster.database().await;
    let proxy = Proxy::before(cluster.port).await;
    let address = format!("postgres://{OWNER}@127.0.0.1:{}/{}?sslmode=disable", proxy.port, database.name);
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open_with(&address, &signer, SHORT).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(database) };
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    Behind { bench, proxy }
}

impl Behind {
    async fn append(&self, id: &str) -> Result<LogPosition, AppendError> {
        let asked = Instant::now();
        let answer = self.bench.store.append(keyed(decision(id, 0), "k", 1)).await;
        assert!(asked.elapsed() < LONG, "{:?}", asked.elapsed());
        answer
    }

    /// The log has these entries and no others, in this order, each under its hash.
    async fn holds(&self, ids: &[&str]) {
        let kept = self.bench.store.raw(0, 1000).await.expect("readable");
        assert!((0..kept.len() as u64).eq(kept.iter().map(|entry| entry.index)));
        let mut found = Vec::new();
        for id in ids {
            found.push(self.bench.store.entry(id).await.expect("readable").expect("there").position.index);
        }
        assert!((0..kept.len() as u64).eq(found), "{ids:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_reply_was_lost_is_found_and_acknowledged() {
    let behind = behind_a_proxy().await;
    behind.proxy.at_the_next_commit(Fault::CutAfter);
    let position = behind.append("d-2").await.expect("it was committed");
    assert!(behind.proxy.is_past());
    assert_eq!(position.index, 1);
    match behind.append("d-3").await {
        Err(AppendError::Repeated { same_body: true, first }) => assert_eq!(first.position, position),
        other => panic!("expected the first entry, not {other:?}"),
    }
    behind.holds(&["d-1", "d-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_still_under_way_is_waited_for() {
    let behind = behind_a_proxy().await;
    let mut owner = database(&behind.bench).outsider().await;
    // Takes its time inside the COMMIT, with the head locked.
    let slow =
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.25); RETURN NULL; END';
                CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON log_leaf DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION dawdle()";
    sqlx::raw_sql(slow).execute(&mut owner).await.expect("slow");
    behind.proxy.at_the_next_commit(Fault::CutAfter);
    assert_eq!(behind.append("d-2").await.expect("it was committed in the end").index, 1);
    assert!(behind.proxy.is_past());
    behind.holds(&["d-1", "d-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_the_server_never_heard_of_is_not_acknowledged() {
    let behind = behind_a_proxy().await;
    behind.proxy.at_the_next_commit(Fault::CutBefore);
    let refused = behind.append("d-2").await;
    assert!(matches!(refused, Err(AppendError::Unwritable(_))), "{refused:?}");
    assert!(behind.proxy.is_past());
    assert_eq!(behind.append("d-3").await.expect("asked again").index, 1);
    behind.holds(&["d-1", "d-3"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_server_falls_silent_after_a_commit_nobody_is_told_an_outcome() {
    let behind = behind_a_proxy().await;
    behind.proxy.at_the_next_commit(Fault::SilentAfter);
    let refused = behind.append("d-2").await;
    assert!(matches!(refused, Err(AppendError::Unwritable(_))), "{refused:?}");
    let asked = Instant::now();
    assert!(behind.bench.store.entry("d-1").await.is_err(), "nor can anything be read");
    assert!(asked.elapsed() < LONG);
    behind.proxy.set_silent(false);
    // Asked again with the same key, it is the entry that was made.
    match behind.append("d-3").await {
        Err(AppendError::Repeated { same_body: true, first }) => assert_eq!(first.id, "d-2"),
        other => panic!("expected the first entry, not {other:?}"),
    }
    behind.holds(&["d-1", "d-2"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_arrives_too_late_does_nothing() {
    let behind = behind_a_proxy().await;
    behind.proxy.at_the_next_commit(Fault::SilentBefore);
    let refused = behind.append("d-2").await;
    assert!(matches!(refused, Err(AppendError::Unwritable(_))), "{refused:?}");
    // Another replica, not behind the proxy, is not kept waiting by the transaction that nobody goes on with.
    let other = open_with(&database(&behind.bench).url, &Arc::new(Signer::fleeting().expect("a key")), SHORT)
        .await
        .expect("open");
    assert_eq!(other.append(decision("o-1", 0)).await.expect("appended").index, 1);
    // Now the commit gets through.
    behind.proxy.set_silent(false);
    assert_eq!(behind.append("d-3").await.expect("asked again").index, 2);
    behind.holds(&["d-1", "o-1", "d-3"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_between_two_entries_is_not_noticed() {
    let behind = behind_a_proxy().await;
    let mut owner = database(&behind.bench).outsider().await;
    let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(all).execute(&mut owner).await.expect("ended");
    assert_eq!(behind.append("d-2").await.expect("appended").index, 1);
    assert!(behind.bench.store.entry("d-1").await.expect("readable").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_while_another_holds_the_log() {
    let behind = behind_a_proxy().await;
    let mut owner = database(&behind.bench).outsider().await;
    sqlx::raw_sql("BEGIN; SELECT * FROM log_head FOR UPDATE").execute(&mut owner).await.expect("held");
    let (bench, asked) = (&behind.bench, Instant::now());
    let write = Change::ReplaceRegister(Box::new(register()));
    let (written, appended, ready) =
        tokio::join!(bench.write("w1", write.clone()), bench.store.append(decision("d-2", 0)), bench.store.ready());
    assert!(asked.elapsed() < LONG, "{:?}", asked.elapsed());
    assert!(matches!(written, Err(AppendError::Unwritable(_))), "{written:?}");
    assert!(matches!(appended, Err(AppendError::Unwritable(_))), "{appended:?}");
    assert!(ready.is_err());
    assert!(bench.store.snapshot().register.register.is_none());
    assert!(bench.store.entry("d-1").await.expect("readable").is_some(), "reading goes on");
    sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.expect("let go");
    assert_eq!(bench.write("w1", write).await.expect("written").position.index, 1);
    assert_eq!(bench.store.append(decision("d-2", 1)).await.expect("appended").index, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_that_the_log_did_not_take() {
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;";
    for (fault, end) in [
        (
            "CREATE TRIGGER no_room BEFORE UPDATE ON log_head FOR EACH ROW EXECUTE FUNCTION refuse()",
            "DROP TRIGGER no_room ON log_head",
        ),
        // Checked only by the COMMIT, after every statement has succeeded.
        (
            "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON log_leaf DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
            "DROP TRIGGER late ON log_leaf",
        ),
    ] {
        let behind = behind_a_proxy().await;
        let bench = &behind.bench;
        let mut owner = database(&behind.bench).outsider().await;
        sqlx::raw_sql(refuse).execute(&mut owner).await.expect("made");
        sqlx::raw_sql(fault).execute(&mut owner).await.expect(fault);
        let refused = bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await;
        assert!(matches!(refused, Err(AppendError::Unwritable(_))), "{refused:?}");
        assert_eq!((bench.version(), bench.all().await.len()), (0, 1));
        assert!(bench.store.snapshot().register.register.is_none());
        sqlx::raw_sql(end).execute(&mut owner).await.expect(end);
        let written = bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
        assert_eq!((written.facts_version, written.position.index), (1, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_stops_and_starts_under_load_loses_nothing_acknowledged() {
    let cluster = Cluster::start();
    let database = cluster.database().await;
    let store = open_with(&database.url, &Arc::new(Signer::fleeting().expect("a key")), SHORT).await.expect("open");
    let (stop, refused) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let acknowledged = Arc::new(std::sync::Mutex::new(Vec::<(String, LogPosition)>::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (store, stop, refused, acknowledged) = (store.clone(), stop.clone(), refused.clone(), acknowledged.clone());
        tasks.spawn(async move {
            for at in 0.. {
                let id = format!("{task}-{at}");
                match store.append(decision(&id, 0)).await {
                    Ok(position) => acknowledged.lock().expect("sound").push((id, position)),
                    Err(AppendError::Unwritable(_)) => drop(refused.fetch_add(1, Ordering::SeqCst)),
                    Err(other) => panic!("neither appended nor refused: {other:?}"),
                }
                if stop.load(Ordering::SeqCst) {
                    return;
                }
            }
        });
    }
    let count = || acknowledged.lock().expect("sound").len();
    let more = async |than: usize| {
        while count() < than + 50 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    for _ in 0..2 {
        more(count()).await;
        let before = refused.load(Ordering::SeqCst);
        tokio::task::block_in_place(|| cluster.down());
        while refused.load(Ordering::SeqCst) < before + 8 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::task::block_in_place(|| cluster.up());
        more(count()).await;
    }
    stop.store(true, Ordering::SeqCst);
    tasks.join_all().await;
    let kept = store.raw(0, u32::MAX).await.expect("readable");
    assert!((0..kept.len() as u64).eq(kept.iter().map(|entry| entry.index)), "there is a gap");
    let acknowledged = std::mem::take(&mut *acknowledged.lock().expect("sound"));
    for (id, position) in &acknowledged {
        let kept = &kept[position.index as usize];
        assert_eq!(hex::encode(&kept.leaf_hash), position.leaf_hash, "{id} is lost");
    }
    assert!(kept.len() >= acknowledged.len());
    assert_eq!(store.head().await.expect("readable").peaks.size(), kept.len() as u64);
}
