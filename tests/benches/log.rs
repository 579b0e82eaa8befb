//! How fast the log takes entries, and how long proofs, searches and the check of an export take as it grows.
//!
//! ```sh
//! cargo bench --bench log              # appends on both stores, beside the machine's own rate of fsync
//! cargo bench --bench log -- sizes     # proofs and searches at 10⁴, 10⁵ and 10⁶ entries (SQLite; takes minutes)
//! ```
//!
//! Not criterion: what is asked is how much many callers get done together, and how long each waits.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use pinkpaper::{
    audit::{DecisionLog, EntryKind, LogFilter, NewEntry, SearchKeys, key::Signer, merkle},
    domain::words::{Action, Outcome},
    pip::PageRequest,
    store::{Options, connect},
};
use serde_json::json;

#[path = "../support/postgres.rs"]
mod postgres;

/// How long each load runs.
const RUN: Duration = Duration::from_secs(4);
const CALLERS: [usize; 3] = [1, 16, 64];

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    if asked.iter().any(|word| word == "sizes") {
        return sizes().await;
    }
    let home = tempfile::tempdir().expect("a directory");
    println!("fdatasync of 4 KiB: {:.0} a second", syncs(home.path()));
    let options = || Options::new("bench/log", Arc::new(Signer::fleeting().expect("a key")));
    let sqlite = connect(&format!("sqlite://{}", home.path().join("log.db").display()), options()).await.expect("open");
    appends("SQLite", sqlite).await;
    let database = postgres::Cluster::shared().database().await;
    let postgres = connect(&database.url, options()).await.expect("open");
    appends("PostgreSQL", postgres).await;
    println!("fdatasync of 4 KiB: {:.0} a second", syncs(home.path()));
}

/// How often the machine makes a small write durable.
fn syncs(home: &Path) -> f64 {
    let mut file = File::create(home.join("sync")).expect("a file");
    let (began, mut times) = (Instant::now(), 0_u32);
    while began.elapsed() < Duration::from_secs(2) {
        file.seek(SeekFrom::Start(0)).expect("at its beginning");
        file.write_all(&[7; 4096]).expect("written");
        file.sync_data().expect("durable");
        times += 1;
    }
    f64::from(times) / began.elapsed().as_secs_f64()
}

/// A decision as large as one usually is, without its facts.
fn decision(at: usize) -> NewEntry {
    NewEntry {
        kind: EntryKind::Decision,
        id: format!("d-{at}-{}", uuid::Uuid::now_v7()),
        at: Timestamp::now(),
        outcome: Some(if at.is_multiple_of(3) { Outcome::Deny } else { Outcome::Allow }),
        policy_bundle: "sha256:0a".to_owned(),
        facts_version: Some(0),
        payload: vec![
            ("caller", json!("edrms")),
            (
                "request",
                json!({"principal": {"type": "person", "id": format!("p-{}", at % 500)}, "why": "x".repeat(600)}),
            ),
            ("answer", json!({"parts": [{"id": "report", "outcome": "disclose"}], "told": "x".repeat(1600)})),
        ],
        search: Some(SearchKeys {
            person: format!("p-{}", at % 500),
            document: format!("doc:{}", at % 3000),
            action: Action::Read,
            rules: vec![format!("RULE-{}", at % 60), "S-100F-1".to_owned()],
            referrals: Vec::new(),
        }),
        erased: None,
        idempotency: None,
    }
}

async fn appends(name: &str, store: Arc<dyn DecisionLog>) {
    for callers in CALLERS {
        let give_up = Instant::now() + RUN;
        let mut tasks = tokio::task::JoinSet::new();
        for caller in 0..callers {
            let store = Arc::clone(&store);
            tasks.spawn(async move {
                let mut waits = Vec::new();
                while Instant::now() < give_up {
                    let entry = decision(caller + waits.len() * callers);
                    let began = Instant::now();
                    store.append(entry).await.expect("appended");
                    waits.push(began.elapsed());
                }
                waits
            });
        }
        let mut waits: Vec<Duration> = tasks.join_all().await.concat();
        waits.sort_unstable();
        let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
        let rate = waits.len() as f64 / RUN.as_secs_f64();
        println!(
            "{name}, {callers:>2} callers: {rate:>6.0} appends a second, median {:.2} ms, 99 % {:.2} ms",
            at(0.5),
            at(0.99)
        );
    }
}

/// The median of a hundred.
async fn median<T, F: Future<Output = T>>(mut of: impl FnMut(u64) -> F) -> f64 {
    let mut times = Vec::new();
    for at in 0..100 {
        let began = Instant::now();
        of(at).await;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[50].as_secs_f64() * 1e3
}

async fn sizes() {
    let home = tempfile::tempdir().expect("a directory");
    let options = Options::new("bench/log", Arc::new(Signer::fleeting().expect("a key")));
    let store = connect(&format!("sqlite://{}", home.path().join("log.db").display()), options).await.expect("open");
    let mut size = 0_usize;
    for goal in [10_000, 100_000, 1_000_000] {
        let (began, before) = (Instant::now(), size);
        while size < goal {
            let some = (size..goal.min(size + 500)).map(decision).collect::<Vec<_>>();
            size += some.len();
            store.append_all(some).await.expect("appended");
        }
        let rate = (size - before) as f64 / began.elapsed().as_secs_f64();
        let leaves = size as u64;
        let proof = median(|at| {
            let spans = merkle::inclusion((at * 7919) % leaves, leaves).expect("in it");
            let nodes: Vec<_> = spans.iter().flat_map(merkle::Span::nodes).collect();
            let store = &store;
            async move { store.hashes(&nodes).await.expect("kept") }
        })
        .await;
        let search = |filter: LogFilter| {
            let store = &store;
            async move {
                store.decisions(&filter, &PageRequest { after: None, limit: 50 }).await.expect("found");
            }
        };
        let person =
            median(|at| search(LogFilter { person: Some(format!("p-{}", at % 500)), ..LogFilter::default() })).await;
        let rule =
            median(|at| search(LogFilter { rule: Some(format!("RULE-{}", at % 60)), ..LogFilter::default() })).await;
        let both = median(|at| {
            search(LogFilter {
                outcome: Some(Outcome::Deny),
                document: Some(format!("doc:{}", at * 3)),
                ..LogFilter::default()
            })
        })
        .await;
        println!(
            "{size:>7} entries ({rate:.0} a second in batches of 500): proof {proof:.2} ms; fifty by person {person:.2} ms, \
             by rule {rule:.2} ms, by document and outcome {both:.2} ms"
        );
    }
}
