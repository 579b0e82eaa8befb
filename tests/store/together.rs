//! Claims about facts and log together, and about many at once.

use std::sync::atomic::{AtomicU64, Ordering};

use pinkpaper::{
    audit::{AppendError, EntryKind, Unmet, Write, receipt},
    domain::register::Register,
    pip::Change,
};

use crate::support::*;

pub async fn each_write_counts_one_version_and_is_logged(bench: Bench) {
    let changes = [
        Change::ReplaceRegister(Box::new(register())),
        Change::PutPerson(Box::new(person("c1", "Cllr C. One"))),
        Change::DeletePerson(id("c1")),
        Change::PutDocument(Box::new(document("a"))),
        Change::DeleteDocument(id("a")),
        determine("n-1", entered("doubt", None, None)),
        Change::Withdraw(id("n-1")),
    ];
    for (at, change) in (0..).zip(changes) {
        let written = bench.write(&format!("w{at}"), change).await.expect("written");
        assert_eq!((written.facts_version, written.position.index), (at + 1, at));
        assert_eq!(bench.version(), at + 1);
        let logged = bench.store.entry(&format!("w{at}")).await.expect("readable").expect("logged");
        assert_eq!((logged.position, logged.kind), (written.position, EntryKind::RegisterWrite));
    }
    bench.store.append(decision("d-1", 7)).await.expect("appended");
    assert_eq!(bench.version(), 7, "a decision changes no fact");
}

pub async fn a_write_for_another_version_does_nothing(bench: Bench) {
    let put = |if_version| Write { change: Change::PutDocument(Box::new(document("a"))), if_version };
    let wrong = bench.store.write(put(Some(1)), entry("w1")).await;
    assert!(matches!(wrong, Err(AppendError::Precondition(Unmet::Version))), "{wrong:?}");
    assert!(bench.store.document(&id("a")).await.expect("readable").is_none());
    bench.store.write(put(Some(0)), entry("w1")).await.expect("the version in force");
    let behind = bench.store.write(put(Some(0)), entry("w2")).await;
    assert!(matches!(behind, Err(AppendError::Precondition(Unmet::Version))), "{behind:?}");
}

pub async fn a_refused_write_leaves_no_trace(bench: Bench) {
    let put = Write { change: Change::PutDocument(Box::new(document("a"))), if_version: None };
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let same_id = bench.store.write(put, entry("d-1")).await;
    assert!(matches!(same_id, Err(AppendError::Unwritable(_))), "the entry cannot be kept, so nor is the change");
    assert!(bench.store.document(&id("a")).await.expect("readable").is_none());
    assert_eq!(bench.version(), 0);
}

pub async fn a_repeated_write_is_not_made_again(bench: Bench) {
    let write = || Write { change: determine("n-1", entered("doubt", None, None)), if_version: None };
    bench.store.write(write(), keyed(entry("w1"), "mo:k", 1)).await.expect("written");
    let again = bench.store.write(write(), keyed(entry("w2"), "mo:k", 1)).await;
    assert!(matches!(again, Err(AppendError::Repeated { same_body: true, .. })), "{again:?}");
    assert_eq!(bench.version(), 1);
}

pub async fn a_write_that_cannot_be_kept_disturbs_nobody(bench: Bench) {
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    let twice = Register { people: vec![person("c1", "C"), person("c1", "C again")], ..register() };
    let (wrong, right) = tokio::join!(
        bench.write("w2", Change::ReplaceRegister(Box::new(twice))),
        bench.store.append(decision("d-1", 1)),
    );
    assert!(matches!(wrong, Err(AppendError::Unwritable(_))), "{wrong:?}");
    right.expect("appended");
    assert_eq!(bench.store.snapshot().register.register, Some(register()), "not even half of it");
    assert_eq!(bench.version(), 1);
}

pub async fn what_was_acknowledged_is_in_force(bench: Bench) {
    bench.write("w0", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..60 {
        let store = bench.store.clone();
        tasks.spawn(async move {
            let name = format!("c-{at}");
            let change = Change::PutPerson(Box::new(person(&name, "Cllr C.")));
            let write = Write { change, if_version: None };
            let written = store.write(write, entry(&name)).await.expect("written");
            let snapshot = store.snapshot();
            assert!(snapshot.facts_version >= written.facts_version);
            assert!(snapshot.register.person(&id(&name)).is_some(), "{name} is not in force");
        });
    }
    tasks.join_all().await;
    assert_eq!(bench.version(), 61);
}

/// The law of contract §2: a decision acknowledged after a write was acknowledged has seen it.
pub async fn no_decision_passes_a_write_that_was_acknowledged(bench: Bench) {
    let acknowledged = std::sync::Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (store, acknowledged) = (bench.store.clone(), acknowledged.clone());
        tasks.spawn(async move {
            for at in 0..30 {
                let name = format!("{task}-{at}");
                if task == 0 {
                    let write = Write { change: Change::PutDocument(Box::new(document("a"))), if_version: None };
                    let written = store.write(write, entry(&name)).await.expect("written");
                    acknowledged.fetch_max(written.facts_version, Ordering::SeqCst);
                } else {
                    let version = store.snapshot().facts_version;
                    let before = acknowledged.load(Ordering::SeqCst);
                    match store.append(decision(&name, version)).await {
                        Ok(_) => assert!(version >= before, "decided at {version} after {before} was acknowledged"),
                        Err(AppendError::Stale) => {}
                        Err(other) => panic!("neither appended nor stale: {other:?}"),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(bench.version(), 30);
}

pub async fn appends_at_once_are_numbered_without_gap(bench: Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..64 {
        let store = bench.store.clone();
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
    assert!((0..640).eq(positions.iter().map(|position| position.index)));
    for position in &positions {
        receipt::verify(&bench.key, ORIGIN, position).expect("genuine");
    }
    let kept: Vec<_> = bench.all().await.into_iter().rev().map(|entry| entry.position).collect();
    assert_eq!(kept, positions);
}
