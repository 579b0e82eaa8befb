//! Databases as released versions left them are brought forward with everything they keep.
//!
//! The tables are those of the migrations that a version had, the rows those that it wrote: in 0.1.0 facts and log, from
//! 0.2.0 on referrals and policies beside them, from 0.3.0 on the tree, checkpoints and holds. PostgreSQL came with 0.3.0.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use jiff::civil::date;
use pinkpaper::{
    audit::{
        AppendError, EntryKind, KeptCheckpoint, LogFilter, NewEntry, ReferralFilter,
        entry::{Hash, seal},
        key::Signer,
        merkle::{Node, Peaks},
    },
    domain::{document::Document, register::Register},
    pip::Change,
    store::{Condition, look},
};
use serde::Serialize;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, migrate::Migrator};

use crate::{
    cluster::Cluster,
    postgres,
    sqlite::{self, outsider},
    support::*,
};

/// Releases, by the last migration that they had.
const V0_1: i64 = 1;
const V0_2: i64 = 2;
/// The tables of 0.3.0 and 0.4.0 are the same.
const V0_3: i64 = 4;

/// The first twelve bytes of what a released migration has for its checksum in every database that it was run on.
const RELEASED: [(&str, [&str; 4]); 2] = [
    (
        "sqlite",
        [
            "12ffaee0bcd0c77424154661",
            "b03f0b5bd4b5b5014329162f",
            "ac23a26dd635c50a44e14e2c",
            "d54afeddea47ed0c3ad4ffb2",
        ],
    ),
    (
        "postgres",
        [
            "90117e7d3174aca7df2a4c3b",
            "43fa3a9ffad9c209a3cfcb1c",
            "91fb68dc42de2b10808f1d4f",
            "46f1d83c16aee954dd922b77",
        ],
    ),
];

/// How an engine writes bytes.
type Bytes = fn(&[u8]) -> String;

/// Under which the log went at first; the service that brings it forward has another.
const FIRST_NAME: &str = "first.example/log";
const DOCUMENT: &str = "edrms:2026/0117";
const HASH: &str = "sha256:0a";

async fn migrations(engine: &str) -> Migrator {
    let folder = format!("{}/src/store/{engine}/migrations", env!("CARGO_MANIFEST_DIR"));
    Migrator::new(Path::new(&folder)).await.expect("migrations")
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

fn body(value: &impl Serialize) -> String {
    text(&serde_json::to_string(value).expect("JSON"))
}

fn files() -> BTreeMap<String, String> {
    BTreeMap::from([("a.cedar".to_owned(), "permit (principal, action, resource);".to_owned())])
}

/// Three decisions, the last of them asked for with a key, among writes.
fn entries(release: i64) -> Vec<NewEntry> {
    let mut entries = vec![
        entry("w-register"),
        NewEntry { kind: EntryKind::DocumentWrite, ..entry("w-document") },
        decision("d-1", 2),
        NewEntry { kind: EntryKind::Determination, ..entry("det-1") },
        decision("d-2", 3),
        NewEntry { kind: EntryKind::Withdrawal, ..entry("w-withdrawal") },
        keyed(decision("d-3", 4), "k", 7),
    ];
    if release >= V0_2 {
        entries.push(NewEntry { kind: EntryKind::PoliciesKept, ..entry("k-1") });
    }
    if release >= V0_3 {
        entries.push(NewEntry { kind: EntryKind::Heartbeat, payload: Vec::new(), ..entry("b-1") });
        entries.push(NewEntry { kind: EntryKind::Hold, ..entry("h-1") });
    }
    entries
}

fn rows_of_the_facts() -> Vec<String> {
    let Register { authority, groups, wards, bodies, people } = register();
    let mut rows = vec![format!("INSERT INTO register_authority (id, body) VALUES (1, {})", body(&authority))];
    let objects = groups.iter().map(|one| ("groups", &one.id, body(one)));
    let objects = objects.chain(wards.iter().map(|one| ("wards", &one.id, body(one))));
    let objects = objects.chain(bodies.iter().map(|one| ("bodies", &one.id, body(one))));
    let objects = objects.chain(people.iter().map(|one| ("people", &one.id, body(one))));
    rows.extend(objects.enumerate().map(|(position, (collection, id, body))| {
        format!(
            "INSERT INTO register_object (collection, id, position, body) VALUES ('{collection}', '{id}', {position}, {body})"
        )
    }));
    let paper: Document = document(DOCUMENT);
    rows.push(format!("INSERT INTO document (id, kind, body) VALUES ('{DOCUMENT}', 'report', {})", body(&paper)));
    for served in ["licensing", "oas"] {
        rows.push(format!("INSERT INTO document_business (document, body) VALUES ('{DOCUMENT}', '{served}')"));
    }
    for (id, withdrawn) in [("det-1", "NULL"), ("det-2", "'2026-11-22T13:00:00Z'")] {
        let entered = entered("need_to_know", Some(DOCUMENT), Some("b1"));
        let mut kept = serde_json::to_value(&entered).expect("JSON");
        kept["id"] = json!(id);
        kept["entered_by"] = json!("key:mo");
        kept["recorded_at"] = json!("2026-11-22T12:00:00Z");
        kept["withdrawn_at"] = json!(null);
        rows.push(format!(
            "INSERT INTO determination (id, document, person, kind, body, withdrawn_at)
             VALUES ('{id}', '{DOCUMENT}', 'b1', 'need_to_know', {}, {withdrawn})",
            body(&kept)
        ));
    }
    rows
}

fn rows_of_an_entry(seq: usize, entry: &NewEntry, bytes: Bytes) -> (Vec<String>, Hash) {
    let sealed = seal(entry).expect("sealed");
    let outcome = entry.outcome.map_or("NULL".to_owned(), |outcome| text(outcome.word()));
    let mut rows = vec![format!(
        "INSERT INTO log_leaf (seq, epoch, kind, leaf, leaf_hash, entry_id, at, outcome)
         VALUES ({seq}, 1, '{}', {}, {}, '{}', {}, {outcome})",
        entry.kind.word(),
        bytes(&sealed.leaf),
        bytes(&sealed.leaf_hash),
        entry.id,
        entry.at.as_microsecond(),
    )];
    rows.extend(sealed.groups.iter().map(|group| {
        let (name, salt, body) = (&group.name, bytes(&group.salt), text(&group.body));
        format!("INSERT INTO log_payload (seq, grp, salt, body) VALUES ({seq}, '{name}', {salt}, {body})")
    }));
    if entry.search.is_some() {
        rows.push(format!(
            "INSERT INTO log_search (seq, person, document, action) VALUES ({seq}, 'b1', '{DOCUMENT}', 'read')"
        ));
        for rule in ["S-100F-3", "TH52-10.3-ii"] {
            rows.push(format!("INSERT INTO log_search_rule (rule, seq) VALUES ('{rule}', {seq})"));
        }
    }
    if let Some(key) = &entry.idempotency {
        let hash = bytes(&key.body_hash);
        rows.push(format!("INSERT INTO log_idempotency (key, body_hash, seq) VALUES ('{}', {hash}, {seq})", key.key));
    }
    (rows, sealed.leaf_hash)
}

/// Two referrals of the first decision, one of them closed.
fn rows_of_the_desk() -> Vec<String> {
    let raised = "INSERT INTO referral (id, seq, document, person, due, closed_at, closed_by)";
    let mut rows = vec![
        format!("{raised} VALUES ('r-1', 2, '{DOCUMENT}', 'b1', '2026-12-04', NULL, NULL)"),
        format!("{raised} VALUES ('r-2', 2, '{DOCUMENT}', 'b1', NULL, '2026-11-22T12:30:00Z', 'det-1')"),
        format!("INSERT INTO policy_bundle (hash, files) VALUES ('{HASH}', {})", body(&files())),
    ];
    for referral in ["r-1", "r-2"] {
        rows.push(format!(
            "INSERT INTO referral_addressee (referral, role) VALUES ('{referral}', 'monitoring_officer')"
        ));
    }
    rows
}

fn rows_of_the_tree(leaves: &[Hash], bytes: Bytes) -> Vec<String> {
    let mut peaks = Peaks::default();
    let nodes: Vec<(Node, Hash)> = leaves.iter().flat_map(|leaf| peaks.push(*leaf)).collect();
    let mut rows: Vec<String> = nodes
        .iter()
        .map(|(node, hash)| format!("INSERT INTO log_node (place, hash) VALUES ({}, {})", node.place(), bytes(hash)))
        .collect();
    rows.push(format!("UPDATE log_head SET origin = '{FIRST_NAME}', peaks = {}", bytes(&peaks.hashes().concat())));
    rows.push("INSERT INTO log_checkpoint (epoch, size, note) VALUES (1, 5, 'five')".to_owned());
    rows.push("INSERT INTO log_hold (id, kind, person) VALUES ('h-1', 'foi', 'b1')".to_owned());
    rows.push("UPDATE log_retention SET events = 1".to_owned());
    rows
}

/// All that a release had written, and the hashes of its leaves.
fn written_by(release: i64, bytes: Bytes) -> (String, Vec<Hash>) {
    let mut rows = rows_of_the_facts();
    let mut leaves = Vec::new();
    for (seq, entry) in entries(release).iter().enumerate() {
        let (of_entry, leaf) = rows_of_an_entry(seq, entry, bytes);
        rows.extend(of_entry);
        leaves.push(leaf);
    }
    rows.push(format!("UPDATE log_head SET size = {}, facts_version = 4", leaves.len()));
    if release >= V0_2 {
        rows.extend(rows_of_the_desk());
    }
    if release >= V0_3 {
        rows.extend(rows_of_the_tree(&leaves, bytes));
    }
    (rows.join(";\n"), leaves)
}

async fn all_is_there(bench: &Bench, release: i64, leaves: &[Hash]) {
    let store = &bench.store;
    let snapshot = store.snapshot();
    assert_eq!((snapshot.facts_version, &snapshot.register.register), (4, &Some(register())));
    assert_eq!(store.document(&id(DOCUMENT)).await.expect("readable"), Some(document(DOCUMENT)));
    let determinations = store.determinations_about(&id(DOCUMENT)).await.expect("readable");
    let withdrawn: Vec<_> = determinations.iter().map(|one| (one.id.as_str(), one.withdrawn_at.is_some())).collect();
    assert_eq!(withdrawn, [("det-1", false), ("det-2", true)]);
    for (index, (was, leaf)) in entries(release).iter().zip(leaves).enumerate() {
        let kept = store.entry(&was.id).await.expect("readable").expect("there");
        assert_eq!((kept.position.index, kept.position.epoch), (index as u64, 1));
        assert_eq!((&kept.position.leaf_hash, kept.kind), (&hex::encode(leaf), was.kind));
        for (group, value) in &was.payload {
            assert_eq!(kept.group(group), Some(value), "{}", was.id);
        }
    }
    for filter in [
        LogFilter { person: Some("b1".to_owned()), ..LogFilter::default() },
        LogFilter { document: Some(DOCUMENT.to_owned()), ..LogFilter::default() },
        LogFilter { rule: Some("TH52-10.3-ii".to_owned()), ..LogFilter::default() },
    ] {
        let found: Vec<String> = bench.found(filter).await.into_iter().map(|entry| entry.id).collect();
        assert_eq!(found, ["d-3", "d-2", "d-1"]);
    }
    let (first, body) = store.repeated("k").await.expect("readable").expect("there");
    assert_eq!((first.id.as_str(), body), ("d-3", [7; 32]));
    let mut peaks = Peaks::default();
    let nodes: Vec<(Node, Hash)> = leaves.iter().flat_map(|leaf| peaks.push(*leaf)).collect();
    let head = store.head().await.expect("readable");
    assert_eq!((head.epoch, head.peaks), (1, peaks));
    let places: Vec<Node> = nodes.iter().map(|(node, _)| *node).collect();
    let hashes: Vec<Hash> = nodes.iter().map(|(_, hash)| *hash).collect();
    assert_eq!(store.hashes(&places).await.expect("grown"), hashes);
    assert_eq!(store.origin(), if release >= V0_3 { FIRST_NAME } else { ORIGIN });
}

async fn the_desk_is_there(bench: &Bench) {
    let referrals = bench.store.referrals(&ReferralFilter::default(), &page(None, 10)).await.expect("readable").items;
    let told: Vec<_> = referrals.iter().map(|one| (one.id.as_str(), one.due, one.closed.is_some())).collect();
    assert_eq!(told, [("r-1", Some(date(2026, 12, 4)), false), ("r-2", None, true)]);
    assert_eq!(bench.store.policies(HASH).await.expect("readable"), Some(files()));
    let close = Change::CloseReferral { referral: id("r-1"), determination: id("det-1") };
    bench.write("c-1", close).await.expect("closed");
}

async fn what_was_signed_and_held_is_there(bench: &Bench) {
    let five = KeptCheckpoint { epoch: 1, size: 5, note: "five".to_owned() };
    assert_eq!(bench.store.checkpoint().await.expect("readable"), Some(five));
    assert_eq!(bench.events().await, 1);
    assert_eq!(bench.covering(2).await.as_deref(), Some("h-1"));
    bench.release("r-1", "h-1", "2027-01-01T00:00:00Z").await.expect("released");
}

/// Whatever a release left, it is there and goes on.
async fn goes_on(bench: &Bench, release: i64, leaves: &[Hash]) {
    all_is_there(bench, release, leaves).await;
    if release >= V0_3 {
        what_was_signed_and_held_is_there(bench).await;
    }
    if release >= V0_2 {
        the_desk_is_there(bench).await;
    }
    let before = bench.store.head().await.expect("readable").peaks.size();
    let repeated = bench.store.append(keyed(decision("d-4", 4), "k", 7)).await;
    assert!(matches!(repeated, Err(AppendError::Repeated { same_body: true, .. })), "{repeated:?}");
    assert_eq!(bench.store.append(decision("d-4", 4)).await.expect("appended").index, before);
    bench.write("w-4", Change::PutDocument(Box::new(document("another")))).await.expect("written");
    assert_eq!(bench.version(), 5);
    let after = bench.store.head().await.expect("readable").peaks;
    assert_eq!(after, crate::proofs::recomputed(bench).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sqlite_file_of_each_release_is_brought_forward_with_all_that_it_keeps() {
    for release in [V0_1, V0_2, V0_3] {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("a.db");
        let url = format!("sqlite://{}", file.display());
        std::fs::File::create(&file).expect("made");
        let mut old = outsider(&file).await;
        migrations("sqlite").await.run_to(release, &mut old).await.expect("made");
        let (rows, leaves) = written_by(release, |bytes| format!("x'{}'", hex::encode(bytes)));
        sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut old).await.expect("written");
        old.close().await.expect("closed");

        assert_eq!(look(&url, postgres::SHORT).await.expect("readable"), Condition::OtherForm);
        let signer = Arc::new(Signer::fleeting().expect("a key"));
        let store = sqlite::open(&file, &signer).await.expect("brought forward");
        assert_eq!(look(&url, postgres::SHORT).await.expect("readable"), Condition::Ready);
        let bench = Bench { store, key: signer.public_key(), keep: Box::new(directory) };
        goes_on(&bench, release, &leaves).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_database_of_each_release_is_brought_forward_with_all_that_it_keeps() {
    let database = Cluster::shared().database().await;
    let mut old = database.outsider().await;
    migrations("postgres").await.run_to(V0_3, &mut old).await.expect("made");
    let (rows, leaves) = written_by(V0_3, |bytes| format!("decode('{}', 'hex')", hex::encode(bytes)));
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut old).await.expect("written");
    old.close().await.expect("closed");

    assert_eq!(look(&database.url, postgres::SHORT).await.expect("readable"), Condition::OtherForm);
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = postgres::open(&database.url, &signer).await.expect("brought forward");
    assert_eq!(look(&database.url, postgres::SHORT).await.expect("readable"), Condition::Ready);
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(database) };
    goes_on(&bench, V0_3, &leaves).await;
}

/// With another text an older database would be refused.
#[tokio::test]
async fn no_migration_is_changed_once_it_was_released() {
    for (engine, released) in RELEASED {
        let migrations = migrations(engine).await;
        let checksums = migrations.iter().map(|migration| hex::encode(&migration.checksum));
        let beginnings: Vec<String> =
            checksums.take(released.len()).map(|sum| sum.chars().take(24).collect()).collect();
        assert_eq!(beginnings, released, "{engine}");
    }
}
