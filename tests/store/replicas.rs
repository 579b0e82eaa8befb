//! Several replicas on one PostgreSQL database.

use std::sync::Arc;

use pinkpaper::{
    audit::{AppendError, Write, key::Signer, receipt},
    domain::register::Register,
    pip::Change,
};

use crate::{cluster::Cluster, postgres::open, support::*};

/// Two replicas of one service: they have the same key.
async fn two() -> (Bench, Bench) {
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let database = Cluster::shared().database().await;
    let bench = async || {
        let store = open(&database.url, &signer).await.expect("open");
        Bench { store, key: signer.public_key(), keep: Box::new(()) }
    };
    (bench().await, bench().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_gathered_before_anothers_write_is_made_again_after_it() {
    let (a, b) = two().await;
    a.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    assert_eq!(b.version(), 0, "nobody has told b");
    let stale = b.store.append(decision("d-1", 0)).await;
    assert!(matches!(stale, Err(AppendError::Stale)), "{stale:?}");
    let snapshot = b.store.snapshot();
    assert_eq!((snapshot.facts_version, &snapshot.register.register), (1, &Some(register())));
    b.store.append(decision("d-1", 1)).await.expect("made again");

    // A write of b, then of a: each sees the other's.
    let smaller = Register { people: vec![person("c1", "Cllr C. One")], ..register() };
    b.write("w2", Change::ReplaceRegister(Box::new(smaller))).await.expect("written");
    a.write("w3", Change::PutPerson(Box::new(person("c2", "Cllr C. Two")))).await.expect("written");
    let people = |bench: &Bench| -> Vec<String> {
        let register = bench.store.snapshot().register.register.clone().expect("written");
        register.people.iter().map(|person| person.id.to_string()).collect()
    };
    assert_eq!((a.version(), people(&a).join(" ").as_str()), (3, "c1 c2"));
    b.store.ready().await.expect("ready");
    assert_eq!((b.version(), people(&b).join(" ").as_str()), (3, "c1 c2"), "whatever b writes shows it the rest");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_register_in_force_can_be_had_from_any_replica() {
    let (a, b) = two().await;
    for at in 0..20 {
        let smaller = Register { people: vec![person(&format!("c-{at}"), "Cllr C.")], ..register() };
        a.write(&format!("w{at}"), Change::ReplaceRegister(Box::new(smaller.clone()))).await.expect("written");
        let current = b.store.current().await.expect("readable");
        assert_eq!((current.facts_version, &current.register.register), (at + 1, &Some(smaller)));
    }
    assert_eq!(a.store.current().await.expect("readable").facts_version, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_and_an_id_stand_once_whichever_replica_has_them() {
    let (a, b) = two().await;
    let first = a.store.append(keyed(decision("d-1", 0), "k", 1)).await.expect("appended");
    match b.store.append(keyed(decision("d-2", 0), "k", 1)).await {
        Err(AppendError::Repeated { same_body: true, first: kept }) => assert_eq!(kept.position, first),
        other => panic!("expected the first entry, not {other:?}"),
    }
    assert!(matches!(b.store.append(decision("d-1", 0)).await, Err(AppendError::Unwritable(_))));
    for at in 0..20 {
        let one = |who: &str| keyed(decision(&format!("{who}-{at}"), 0), &format!("k-{at}"), 1);
        let answers: [_; 2] = tokio::join!(a.store.append(one("a")), b.store.append(one("b"))).into();
        assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replicas_append_to_one_log_without_gap_and_see_it_all() {
    let (a, b) = two().await;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..32 {
        let store = if task % 2 == 0 { a.store.clone() } else { b.store.clone() };
        tasks.spawn(async move {
            let mut positions = Vec::new();
            for at in 0..10 {
                positions.push(store.append(decision(&format!("{task}-{at}"), 0)).await.expect("appended"));
            }
            assert!(positions.windows(2).all(|pair| pair[0].index < pair[1].index), "in the order of asking");
            positions
        });
    }
    let mut positions = tasks.join_all().await.concat();
    positions.sort_by_key(|position| position.index);
    assert!((0..320).eq(positions.iter().map(|position| position.index)));
    for position in &positions {
        receipt::verify(&a.key, ORIGIN, position).expect("genuine");
    }
    for bench in [&a, &b] {
        let kept: Vec<_> = bench.all().await.into_iter().rev().map(|entry| entry.position).collect();
        assert_eq!(kept, positions);
    }
    assert_eq!(a.store.head().await.expect("readable").peaks.size(), 320);
}

/// The law of contract §2, whichever replica wrote and whichever decides.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_decision_of_one_replica_passes_a_write_acknowledged_by_another() {
    let (a, b) = two().await;
    let writer = a.store.clone();
    let writes = tokio::spawn(async move {
        for at in 0..40_u64 {
            let write = Write { change: Change::PutDocument(Box::new(document("a"))), if_version: None };
            let written = writer.write(write, entry(&format!("w-{at}"))).await.expect("written");
            assert_eq!(written.facts_version, at + 1);
        }
    });
    let (mut appended, mut stale) = (0, 0);
    while !writes.is_finished() || appended == 0 {
        let acknowledged = a.version();
        let gathered_at = b.version();
        match b.store.append(decision(&format!("d-{appended}-{stale}"), gathered_at)).await {
            Ok(_) => {
                appended += 1;
                assert!(gathered_at >= acknowledged, "decided at {gathered_at} after {acknowledged} was acknowledged");
            }
            Err(AppendError::Stale) => stale += 1,
            Err(other) => panic!("neither appended nor stale: {other:?}"),
        }
    }
    writes.await.expect("written");
    assert!(appended > 0 && stale > 0, "{appended} appended, {stale} stale");
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_that_start_at_once_on_an_empty_database_all_start() {
    let database = Cluster::shared().database().await;
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let start = async |replica: u64| {
        let store = open(&database.url, &signer).await.expect("open");
        store.append(entry(&format!("e-{replica}"))).await.expect("appended").index
    };
    let mut indexes = futures_util::future::join_all((0..8).map(start)).await;
    indexes.sort_unstable();
    assert!((0..8).eq(indexes));
}
