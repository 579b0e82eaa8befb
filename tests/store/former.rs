//! A database of an earlier version, brought forward: what it kept is there, and goes as it should.

use std::path::Path;

use pinkpaper::{
    audit::{
        EntryKind, NewEntry, ReferralFilter,
        entry::{Sealed, seal},
        merkle::Peaks,
    },
    domain::{
        retention::{Erased, Erasing},
        words::{ErasedUnder, RecordClass, ReferralRole},
    },
};
use serde_json::json;
use sqlx::migrate::Migrator;

use crate::{keeping::*, support::*};

/// What sorts after the migrations of released versions.
const AFTER_RELEASED: &str = "0005";

/// The migrations up to the released ones.
pub async fn released(engine: &str) -> (Migrator, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(engine).join("migrations");
    for file in std::fs::read_dir(all).expect("listed").map(|file| file.expect("a file")) {
        let name = file.file_name().into_string().expect("text");
        if *name <= *AFTER_RELEASED {
            std::fs::copy(file.path(), directory.path().join(name)).expect("copied");
        }
    }
    (Migrator::new(directory.path()).await.expect("read"), directory)
}

/// What an earlier version kept, as SQL: a refusal of which one group was erased, its referral answered by a
/// determination withdrawn since, whose record was erased without it.
pub fn kept(bytes: fn(&[u8]) -> String) -> String {
    let determination = json!({
        "id": "n-1", "kind": "need_to_know", "answer": true, "person": "b1", "document": "edrms:2026/0117", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2019-11-21T09:00:00Z",
        "valid_until": null, "reasons": "Asked", "entered_by": "key:mo", "recorded_at": "2019-11-22T12:00:00Z"
    });
    let group = |index, groups: &[&str]| {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        Erased { index, groups }
    };
    let erased = vec![group(0, &["request"]), group(1, &["caller", "determination"])];
    let entries = [
        refused("d-0"),
        NewEntry {
            kind: EntryKind::Determination,
            payload: vec![("caller", json!("key:mo")), ("determination", determination.clone())],
            ..entry("n-1")
        },
        NewEntry {
            kind: EntryKind::Erasure,
            erased: Some(Erasing { under: ErasedUnder::Schedule, entries: erased }),
            ..entry("e-2")
        },
    ];
    let sealed: Vec<Sealed> = entries.iter().map(|entry| seal(entry).expect("sealed")).collect();
    let mut peaks = Peaks::default();
    let mut script = String::new();
    for (seq, (entry, sealed)) in entries.iter().zip(&sealed).enumerate() {
        let (kind, id, at) = (entry.kind.word(), &entry.id, entry.at.as_microsecond());
        let (leaf, hash) = (bytes(&sealed.leaf), bytes(&sealed.leaf_hash));
        let outcome = entry.outcome.map_or("NULL".to_owned(), |outcome| format!("'{}'", outcome.word()));
        script +=
            &format!("INSERT INTO log_leaf VALUES ({seq}, 1, '{kind}', {leaf}, {hash}, '{id}', {at}, {outcome});");
        for group in &sealed.groups {
            let (name, salt, body) = (&group.name, bytes(&group.salt), &group.body);
            script += &format!("INSERT INTO log_payload VALUES ({seq}, '{name}', {salt}, '{body}');");
        }
        for (node, hash) in peaks.push(sealed.leaf_hash) {
            script += &format!("INSERT INTO log_node VALUES ({}, {});", node.place(), bytes(&hash));
        }
    }
    script
        + &format!("UPDATE log_head SET size = 3, peaks = {};", bytes(&peaks.hashes().concat()))
        + &format!(
            "INSERT INTO determination VALUES ('n-1', 'edrms:2026/0117', 'b1', 'need_to_know', '{determination}',
                    '2020-11-22T12:00:00Z');"
        )
        + "INSERT INTO log_search_rule (rule, seq) VALUES ('S-100F-3', 0);
           INSERT INTO referral VALUES ('r-0', 0, NULL, NULL, '2020-01-01', '2019-12-01T10:00:00Z', 'n-1');
           INSERT INTO referral_addressee VALUES ('r-0', 'monitoring_officer');
           BEGIN;
           INSERT INTO log_erased VALUES (0, 'e-2');
           INSERT INTO log_erased VALUES (1, 'e-2');
           DELETE FROM log_payload WHERE seq = 1 OR (seq = 0 AND grp = 'request');
           COMMIT;"
}

/// Once it is brought forward.
pub async fn is_there_and_goes(bench: Bench) {
    let to_her = ReferralFilter { to: Some(ReferralRole::MonitoringOfficer), ..ReferralFilter::default() };
    let referrals = bench.store.referrals(&to_her, &page(None, 9)).await.expect("readable").items;
    let [referral] = &referrals[..] else { panic!("{referrals:?}") };
    assert_eq!((referral.id.as_str(), referral.entry.id.as_str()), ("r-0", "d-0"));
    assert_eq!(referral.closed.as_ref().expect("closed").determination, id("n-1"));
    assert_eq!(bench.store.erasure_of(0).await.expect("readable").expect("on record").id, "e-2");
    assert_eq!(bench.determinations().await, ["n-1"]);
    let due = due_until(RecordClass::Determination, LATE);
    let found = bench.store.due(&due, None, 9).await.expect("readable");
    assert_eq!(found, [Erased { index: 1, groups: Vec::new() }]);
    bench.erase("e-3", found).await.expect("erased");
    assert!(bench.determinations().await.is_empty());
    assert_eq!(bench.refusals_due().await, [0]);
    bench.erase_whole("e-4", 0).await;
    assert!(bench.refusals_due().await.is_empty());
    assert_eq!(bench.store.referrals(&to_her, &page(None, 9)).await.expect("readable").items.len(), 1);
}
