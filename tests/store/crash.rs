//! The process is killed, or its disk is full, while it is under load: whatever was acknowledged is there.
//!
//! The child is this test binary, started anew with [`CHILD`] naming a database and [`KEYS`] a directory for its key;
//! it appends until it is ended, and says on its standard output what was acknowledged.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    thread,
};

use pinkpaper::{
    audit::{AppendError, DecisionLog, Write, key::Signer, receipt},
    domain::decision::LogPosition,
    pip::Change,
    store::{Options, connect},
};

use crate::{cluster::Cluster, sqlite, support::*};

const CHILD: &str = "PINKPAPER_TEST_STORE_CHILD";
const KEYS: &str = "PINKPAPER_TEST_STORE_KEYS";
const WRITERS: &str = "PINKPAPER_TEST_STORE_WRITERS";

/// The head, the leaves, and the writes with what they wrote, counted by an outsider.
const COUNTS: &str = "SELECT (SELECT size FROM log_head), count(*), max(seq) + 1, count(DISTINCT entry_id),
                             (SELECT facts_version FROM log_head), count(*) FILTER (WHERE kind = 'register_write'),
                             (SELECT count(*) FROM document)
                      FROM log_leaf";
type Counts = (i64, i64, i64, i64, i64, i64, i64);

/// What the child said it was told.
struct Acknowledged {
    position: LogPosition,
    /// Zero for what is no write.
    facts_version: u64,
}

/// The process that the tests here start and kill: this same program, asked for this one test. Without its parent there
/// is no database to write to, and it ends at once.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let (Ok(database), Ok(keys)) = (std::env::var(CHILD), std::env::var(KEYS)) else { return };
    let store = open(&database, Path::new(&keys)).await;
    let writers: usize = std::env::var(WRITERS).expect("how many").parse().expect("a number");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        tasks.spawn(append_until_refused(store.clone()));
    }
    tasks.join_all().await;
}

async fn open(database: &str, keys: &Path) -> Arc<dyn DecisionLog> {
    let signer = Arc::new(Signer::open(&keys.join("receipt.key")).expect("a key"));
    let options = Options { patience: std::time::Duration::from_secs(20), ..Options::new(ORIGIN, signer) };
    connect(database, options).await.expect("open")
}

async fn append_until_refused(store: Arc<dyn DecisionLog>) {
    for at in 0_u64.. {
        let name = uuid::Uuid::new_v4().to_string();
        let appended = if at % 5 == 0 {
            let change = Change::PutDocument(Box::new(document(&name)));
            let written = store.write(Write { change, if_version: None }, entry(&name)).await;
            written.map(|written| (written.position, written.facts_version))
        } else {
            let version = store.snapshot().facts_version;
            store.append(decision(&name, version)).await.map(|position| (position, 0))
        };
        match appended {
            // The full stop shows that the line was not cut off.
            Ok((p, version)) => {
                println!("acknowledged {name} {} {} {} {} {version} .", p.index, p.epoch, p.leaf_hash, p.receipt);
            }
            Err(AppendError::Stale) => {}
            Err(_) => return,
        }
    }
}

fn this() -> Command {
    Command::new(std::env::current_exe().expect("this binary"))
}

fn start(mut command: Command, database: &str, keys: &Path, writers: usize) -> Child {
    command.args(["--exact", "--nocapture", "crash::child"]);
    command.env(CHILD, database).env(KEYS, keys).env(WRITERS, writers.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started")
}

/// What a child says it was told, until it ends.
fn told(child: &mut Child) -> impl Iterator<Item = (String, Acknowledged)> + Send + use<> {
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    lines.map_while(Result::ok).filter_map(|line| {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["acknowledged", name, index, epoch, leaf_hash, receipt, version, "."] = fields[..] else { return None };
        let position = LogPosition {
            index: index.parse().expect("an index"),
            epoch: epoch.parse().expect("an epoch"),
            leaf_hash: leaf_hash.to_owned(),
            receipt: receipt.to_owned(),
        };
        let facts_version = version.parse().expect("a version");
        Some((name.to_owned(), Acknowledged { position, facts_version }))
    })
}

/// Reads what the child was told; ends it, without warning, after so many.
fn watch(mut child: Child, kill_after: usize, acknowledged: &mut HashMap<String, Acknowledged>) {
    for (count, (name, position)) in (1..).zip(told(&mut child)) {
        acknowledged.insert(name, position);
        if count == kill_after {
            child.kill().expect("killed with signal 9");
        }
    }
    child.wait().expect("ended");
}

/// Every acknowledged entry is in the log, under its receipt; there is no gap; each write is there with its entry.
/// Answers how many entries the log has.
async fn check(
    store: &dyn DecisionLog,
    keys: &Path,
    acknowledged: &HashMap<String, Acknowledged>,
    counts: Counts,
) -> usize {
    let key = Signer::open(&keys.join("receipt.key")).expect("the key").public_key();
    for (name, told) in acknowledged {
        let kept = store.entry(name).await.expect("readable").unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(kept.position, told.position);
        receipt::verify(&key, ORIGIN, &told.position).expect("genuine");
        if told.facts_version > 0 {
            assert!(store.document(&id(name)).await.expect("readable").is_some(), "the document {name} is lost");
            assert!(store.snapshot().facts_version >= told.facts_version);
        }
    }
    let (size, rows, last, ids, version, writes, documents) = counts;
    assert_eq!((rows, last, ids), (size, size, size), "there is a gap, or an entry stands twice");
    assert_eq!((writes, documents), (version, version), "a write without its entry, or an entry without its write");
    assert_eq!(store.head().await.expect("readable").peaks.size(), size.cast_unsigned());
    usize::try_from(size).expect("a count")
}

async fn check_file(directory: &Path, acknowledged: &HashMap<String, Acknowledged>) -> usize {
    let store = open(&file_in(directory), directory).await;
    let mut outsider = sqlite::outsider(&directory.join("a.db")).await;
    let counts = sqlx::query_as(COUNTS).fetch_one(&mut outsider).await.expect("counted");
    check(&*store, directory, acknowledged, counts).await
}

fn file_in(directory: &Path) -> String {
    format!("sqlite://{}", directory.join("a.db").display())
}

// On threads of its own, so that the writer of a store that was checked ends while the next child is watched.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut acknowledged = HashMap::new();
    for kill_after in [1, 80, 250, 37] {
        let child = start(this(), &file_in(directory.path()), directory.path(), 16);
        watch(child, kill_after, &mut acknowledged);
        let entries = check_file(directory.path(), &acknowledged).await;
        assert!(entries >= acknowledged.len());
    }
    assert!(acknowledged.len() >= 368);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_keeps_nothing_unacknowledged() {
    let directory = tempfile::tempdir().expect("a directory");
    // No file of the child may grow past this many blocks of 512 bytes; it is told so instead of being ended.
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' XFSZ; ulimit -f 4000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().expect("this"));
    let mut acknowledged = HashMap::new();
    let child = start(command, &file_in(directory.path()), directory.path(), 16);
    watch(child, usize::MAX, &mut acknowledged);
    assert!(acknowledged.len() > 100, "only {} before the disk was full", acknowledged.len());
    assert_eq!(check_file(directory.path(), &acknowledged).await, acknowledged.len());
}

/// Three replicas append to one log; whichever has been told so much more, by chance, is killed and started again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_among_replicas() {
    const REPLICAS: usize = 3;
    const KILLS: usize = 9;
    let keys = tempfile::tempdir().expect("a directory");
    let database = Cluster::shared().database().await;
    // The key and the tables first, which are not what is tried here.
    drop(open(&database.url, keys.path()).await);
    let mut acknowledged = HashMap::new();
    let (sender, receiver) = mpsc::channel();
    let replica = |number: usize| {
        let mut child = start(this(), &database.url, keys.path(), 8);
        let (told, sender) = (told(&mut child), sender.clone());
        thread::spawn(move || {
            for one in told {
                // The test may have ended by failing.
                let _ = sender.send((number, Some(one)));
            }
            let _ = sender.send((number, None));
        });
        child
    };
    let by_chance = || 20 + usize::from(uuid::Uuid::new_v4().as_bytes()[0]);
    let mut children: Vec<Child> = (0..REPLICAS).map(replica).collect();
    let mut until = [0; REPLICAS].map(|_| by_chance());
    let mut kills = 0;
    let mut alive = REPLICAS;
    while alive > 0 {
        match receiver.recv().expect("a replica is alive") {
            (number, Some((name, one))) => {
                assert!(acknowledged.insert(name, one).is_none(), "acknowledged twice");
                until[number] = usize::saturating_sub(until[number], 1);
                if until[number] == 0 {
                    // What it was told before it ended is still to be heard.
                    children[number].kill().expect("killed with signal 9");
                }
            }
            (number, None) => {
                let status = children[number].wait().expect("ended");
                assert_eq!(status.signal(), Some(9), "replica {number} ended by itself");
                kills += 1;
                if kills < KILLS {
                    until[number] = by_chance();
                    children[number] = replica(number);
                } else {
                    alive -= 1;
                }
            }
        }
    }
    assert_eq!(kills, KILLS + REPLICAS - 1);
    let store = open(&database.url, keys.path()).await;
    let counts = sqlx::query_as(COUNTS).fetch_one(&mut database.outsider().await).await.expect("counted");
    let entries = check(&*store, keys.path(), &acknowledged, counts).await;
    assert!(entries >= acknowledged.len() && acknowledged.len() >= 20 * kills, "{} of {entries}", acknowledged.len());
}
