//! The process is killed, or its disk is full, while it is under load: whatever was acknowledged is there.
//!
//! The child is this test binary, started anew with [`CHILD`] naming a directory; it appends until it is ended, and
//! says on its standard output what was acknowledged.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use pinkpaper::{
    audit::{AppendError, DecisionLog, Write, key::Signer, receipt},
    domain::decision::LogPosition,
    pip::Change,
};

use crate::{sqlite, support::*};

const CHILD: &str = "PINKPAPER_TEST_STORE_CHILD";

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
    let Ok(directory) = std::env::var(CHILD) else { return };
    let directory = Path::new(&directory);
    let signer = Arc::new(Signer::open(&directory.join("receipt.key")).expect("a key"));
    let store = sqlite::open(&directory.join("a.db"), &signer).await.expect("open");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        tasks.spawn(append_until_refused(store.clone()));
    }
    tasks.join_all().await;
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

fn start(mut command: Command, directory: &Path) -> Child {
    command.args(["--exact", "--nocapture", "crash::child"]).env(CHILD, directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("started")
}

/// Reads what the child was told; ends it, without warning, after so many.
fn watch(mut child: Child, kill_after: usize, acknowledged: &mut HashMap<String, Acknowledged>) {
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut count = 0;
    for line in lines.map_while(Result::ok) {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["acknowledged", name, index, epoch, leaf_hash, receipt, version, "."] = fields[..] else { continue };
        let position = LogPosition {
            index: index.parse().expect("an index"),
            epoch: epoch.parse().expect("an epoch"),
            leaf_hash: leaf_hash.to_owned(),
            receipt: receipt.to_owned(),
        };
        let facts_version = version.parse().expect("a version");
        acknowledged.insert(name.to_owned(), Acknowledged { position, facts_version });
        count += 1;
        if count == kill_after {
            child.kill().expect("killed with signal 9");
        }
    }
    child.wait().expect("ended");
}

/// Every acknowledged entry is in the file, under its receipt; there is no gap; each write is there with its entry.
/// Answers how many entries the log has.
async fn check(directory: &Path, acknowledged: &HashMap<String, Acknowledged>) -> usize {
    let signer = Arc::new(Signer::open(&directory.join("receipt.key")).expect("the key"));
    let store = sqlite::open(&directory.join("a.db"), &signer).await.expect("open");
    for (name, told) in acknowledged {
        let kept = store.entry(name).await.expect("readable").unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(kept.position, told.position);
        receipt::verify(&signer.public_key(), ORIGIN, &told.position).expect("genuine");
        if told.facts_version > 0 {
            assert!(store.document(&id(name)).await.expect("readable").is_some(), "the document {name} is lost");
            assert!(store.snapshot().facts_version >= told.facts_version);
        }
    }
    let mut outsider = sqlite::outsider(&directory.join("a.db")).await;
    let counts = "SELECT (SELECT size FROM log_head), count(*), max(seq) + 1,
                         (SELECT facts_version FROM log_head), count(*) FILTER (WHERE kind = 'register_write'),
                         (SELECT count(*) FROM document)
                  FROM log_leaf";
    let (size, rows, last, version, writes, documents): (i64, i64, i64, i64, i64, i64) =
        sqlx::query_as(counts).fetch_one(&mut outsider).await.expect("counted");
    assert_eq!((rows, last), (size, size), "there is a gap");
    assert_eq!((writes, documents), (version, version), "a write without its entry, or an entry without its write");
    usize::try_from(size).expect("a count")
}

// On threads of its own, so that the writer of a store that was checked ends while the next child is watched.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut acknowledged = HashMap::new();
    for kill_after in [1, 80, 250, 37] {
        let child = start(Command::new(std::env::current_exe().expect("this binary")), directory.path());
        watch(child, kill_after, &mut acknowledged);
        let entries = check(directory.path(), &acknowledged).await;
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
    watch(start(command, directory.path()), usize::MAX, &mut acknowledged);
    assert!(acknowledged.len() > 100, "only {} before the disk was full", acknowledged.len());
    assert_eq!(check(directory.path(), &acknowledged).await, acknowledged.len());
}
