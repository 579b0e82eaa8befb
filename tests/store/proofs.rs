//! Claims about the tree over the entries.

use std::time::Duration;

use pinkpaper::{
    audit::{
        AppendError, EntryKind, KeptCheckpoint, RawEntry,
        entry::{self, Hash},
        merkle::{self, Node, Peaks, Span},
    },
    pip::Change,
};

use crate::support::*;

/// The root that the entries themselves have, worked out from nothing else.
pub async fn recomputed(bench: &Bench) -> Peaks {
    let mut peaks = Peaks::default();
    for raw in all(bench).await {
        assert_eq!(raw.index, peaks.size(), "no gap, no repetition");
        assert_eq!(entry::leaf_hash(&raw.leaf).as_slice(), raw.leaf_hash);
        peaks.push(entry::leaf_hash(&raw.leaf));
    }
    peaks
}

async fn all(bench: &Bench) -> Vec<RawEntry> {
    let mut all = Vec::new();
    loop {
        let page = bench.store.raw(all.len() as u64, 7).await.expect("readable");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

async fn path(bench: &Bench, spans: &[Span]) -> Vec<Hash> {
    let nodes: Vec<Node> = spans.iter().flat_map(Span::nodes).collect();
    let mut hashes = bench.store.hashes(&nodes).await.expect("kept").into_iter();
    let fold = |span: &Span| {
        let of: Vec<Hash> = hashes.by_ref().take(span.nodes().len()).collect();
        merkle::fold(&of).expect("a span has leaves")
    };
    spans.iter().map(fold).collect()
}

pub async fn the_head_stands_for_every_entry(bench: Bench) {
    assert_eq!(bench.store.head().await.expect("readable").peaks, Peaks::default());
    for index in 0..20 {
        bench.store.append(entry(&format!("e-{index}"))).await.expect("appended");
    }
    bench.store.append_all((20..41).map(|at| entry(&format!("e-{at}"))).collect()).await.expect("appended");
    bench.write("w1", Change::PutDocument(Box::new(document("a")))).await.expect("written");
    let head = bench.store.head().await.expect("readable");
    assert_eq!((head.epoch, head.peaks.size()), (1, 42));
    assert_eq!(head.peaks, recomputed(&bench).await);
}

pub async fn what_is_refused_does_not_grow_the_tree(bench: Bench) {
    bench.store.append(entry("e-0")).await.expect("appended");
    let before = bench.store.head().await.expect("readable");
    assert!(bench.store.append(entry("e-0")).await.is_err());
    assert!(matches!(bench.store.append(decision("d-1", 9)).await, Err(AppendError::Stale)));
    bench.unmet("w1", Change::DeletePerson(id("nobody"))).await;
    assert_eq!(bench.store.head().await.expect("readable"), before);
}

pub async fn any_entry_is_proved_in_any_later_tree(bench: Bench) {
    let mut roots = vec![merkle::empty_root()];
    for index in 0..21 {
        bench.store.append(entry(&format!("e-{index}"))).await.expect("appended");
        roots.push(bench.store.head().await.expect("readable").peaks.root());
    }
    let leaves: Vec<Hash> = all(&bench).await.iter().map(|raw| entry::leaf_hash(&raw.leaf)).collect();
    for size in [1, 2, 7, 16, 21_u64] {
        let root = roots[size as usize];
        for index in 0..size {
            let path = path(&bench, &merkle::inclusion(index, size).expect("in it")).await;
            assert!(merkle::verify_inclusion(index, size, &leaves[index as usize], &path, &root), "{index} in {size}");
        }
        for from in 1..=size {
            let path = path(&bench, &merkle::consistency(from, size).expect("earlier")).await;
            assert!(merkle::verify_consistency(from, &roots[from as usize], size, &root, &path), "{from} to {size}");
        }
    }
    let beyond = Node { level: 0, index: 21 };
    assert!(bench.store.hashes(&[beyond]).await.is_err(), "the tree has no such leaf");
}

pub async fn entries_appended_at_once_make_one_tree(bench: Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..120 {
        let store = bench.store.clone();
        tasks.spawn(async move { store.append(entry(&format!("e-{at}"))).await.expect("appended").index });
    }
    let mut indexes = tokio::time::timeout(Duration::from_secs(60), tasks.join_all()).await.expect("in time");
    indexes.sort_unstable();
    assert_eq!(indexes, (0..120).collect::<Vec<_>>());
    assert_eq!(bench.store.head().await.expect("readable").peaks, recomputed(&bench).await);
}

pub async fn a_checkpoint_is_kept_as_first_signed(bench: Bench) {
    assert_eq!(bench.store.checkpoint().await.expect("readable"), None);
    let keep = |size, note: &str| Change::KeepCheckpoint { epoch: 1, size, note: note.to_owned() };
    for (size, note) in [(3, "three"), (10, "ten"), (10, "ten again"), (4, "four")] {
        bench.store.keep(keep(size, note)).await.expect("kept");
    }
    let newest = KeptCheckpoint { epoch: 1, size: 10, note: "ten".to_owned() };
    assert_eq!(bench.store.checkpoint().await.expect("readable"), Some(newest));
    assert_eq!(bench.store.head().await.expect("readable").peaks.size(), 0, "a checkpoint is no entry");
}

pub async fn an_epoch_opens_with_an_entry_of_its_own(bench: Bench) {
    bench.store.append(entry("e-0")).await.expect("appended");
    let opening = pinkpaper::audit::NewEntry { kind: EntryKind::EpochOpened, ..entry("e-1") };
    let change = pinkpaper::audit::Write { change: Change::OpenEpoch { epoch: 2 }, if_version: None };
    let opened = bench.store.write(change, opening).await.expect("opened");
    assert_eq!((opened.position.epoch, opened.position.index), (2, 1));
    assert_eq!(bench.version(), 0, "no fact changed");
    assert_eq!(bench.store.append(entry("e-2")).await.expect("appended").epoch, 2);
    assert_eq!(bench.store.entry("e-0").await.expect("readable").expect("there").position.epoch, 1);
    let head = bench.store.head().await.expect("readable");
    assert_eq!((head.epoch, head.peaks), (2, recomputed(&bench).await));
}

pub async fn entries_are_found_by_their_time(bench: Bench) {
    for minute in 0..10 {
        let at = time(&format!("2026-11-22T12:{minute:02}:00Z"));
        let one = pinkpaper::audit::NewEntry { at, ..entry(&format!("e-{minute}")) };
        bench.store.append(one).await.expect("appended");
    }
    let at = |minute: u8| Some(time(&format!("2026-11-22T12:{minute:02}:00Z")));
    for (from, to, expected) in [
        (None, None, 0..10),
        (at(3), at(5), 3..5),
        (at(3), None, 3..10),
        (None, at(1), 0..1),
        (at(30), None, 0..0),
        (at(5), at(5), 0..0),
    ] {
        assert_eq!(bench.store.indexes(from, to).await.expect("readable"), expected, "{from:?} {to:?}");
    }
}

pub async fn a_clock_that_steps_back_changes_no_order_and_loses_nothing(bench: Bench) {
    for (index, minute) in [10, 11, 3, 4, 12].into_iter().enumerate() {
        let at = time(&format!("2026-11-22T12:{minute:02}:00Z"));
        let one = pinkpaper::audit::NewEntry { at, ..decision(&format!("d-{index}"), 0) };
        let position = bench.store.append(one).await.expect("appended");
        assert_eq!(position.index, index as u64);
    }
    let ids: Vec<String> = bench.all().await.into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["d-4", "d-3", "d-2", "d-1", "d-0"], "newest means last recorded");
    let at = |minute: u8| Some(time(&format!("2026-11-22T12:{minute:02}:00Z")));
    // A run from the first to the last entry of that time: what the clock put elsewhere is inside it, never left out.
    assert_eq!(bench.store.indexes(at(10), None).await.expect("readable"), 0..5);
    assert_eq!(bench.store.indexes(None, at(5)).await.expect("readable"), 2..4);
    assert_eq!(bench.store.head().await.expect("readable").peaks, recomputed(&bench).await);
}

pub async fn halves_are_given_as_they_are_kept(bench: Bench) {
    bench.store.append(entry("e-0")).await.expect("appended");
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let raw = all(&bench).await.pop().expect("two");
    let (leaf, payload) = entry::unseal(&raw.leaf, &raw.leaf_hash, &raw.groups).expect("unaltered");
    assert_eq!((raw.index, raw.epoch, leaf.id.as_str(), payload.len()), (1, 1, "d-1", 2));
}
