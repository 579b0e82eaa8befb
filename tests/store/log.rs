//! Claims about entries.

use pinkpaper::{
    audit::{AppendError, EntryKind, LogFilter, NewEntry, SearchKeys, StoredEntry, receipt},
    domain::words::{Action, Outcome},
    pip::Change,
};

use crate::support::*;

pub async fn an_entry_comes_back_as_it_was_appended(bench: Bench) {
    let appended = decision("d-1", 0);
    let position = bench.store.append(appended.clone()).await.expect("appended");
    let kept = bench.store.entry("d-1").await.expect("readable").expect("there");
    assert_eq!(kept.position, position);
    assert_eq!((kept.kind, kept.at, kept.outcome), (EntryKind::Decision, appended.at, appended.outcome));
    for (group, value) in &appended.payload {
        assert_eq!(kept.group(group), Some(value));
    }
    assert_eq!(kept.payload.len(), 2);
    assert!(bench.store.entry("d-2").await.expect("readable").is_none());
}

pub async fn a_receipt_verifies_and_names_the_place(bench: Bench) {
    for index in 0..3 {
        let position = bench.store.append(entry(&format!("e-{index}"))).await.expect("appended");
        assert_eq!((position.index, position.epoch), (index, 1));
        receipt::verify(&bench.key, ORIGIN, &position).expect("genuine");
    }
}

pub async fn facts_that_moved_on_make_a_decision_stale(bench: Bench) {
    bench.store.append(decision("d-1", 0)).await.expect("at the version in force");
    bench.write("w1", Change::PutDocument(Box::new(document("a")))).await.expect("written");
    assert!(matches!(bench.store.append(decision("d-2", 0)).await, Err(AppendError::Stale)));
    assert!(bench.store.entry("d-2").await.expect("readable").is_none());
    bench.store.append(decision("d-2", 1)).await.expect("decided again");
    assert!(matches!(bench.store.append(decision("d-3", 2)).await, Err(AppendError::Stale)), "a version not yet made");
}

pub async fn a_repeated_key_gives_the_first_entry(bench: Bench) {
    let first = bench.store.append(keyed(decision("d-1", 0), "edrms:k", 1)).await.expect("appended");
    // Even where the facts have moved on since: the first answer is the answer.
    bench.write("w1", Change::PutDocument(Box::new(document("a")))).await.expect("written");
    for (body, expected) in [(1, true), (2, false)] {
        match bench.store.append(keyed(decision("d-2", 0), "edrms:k", body)).await {
            Err(AppendError::Repeated { same_body, first: kept }) => {
                assert_eq!((same_body, kept.id.as_str(), &kept.position), (expected, "d-1", &first));
            }
            other => panic!("expected the first entry, not {other:?}"),
        }
    }
    let (kept, hash) = bench.store.repeated("edrms:k").await.expect("readable").expect("there");
    assert_eq!((kept.id.as_str(), hash), ("d-1", [1; 32]));
    assert!(bench.store.repeated("other:k").await.expect("readable").is_none());
    bench.store.append(keyed(decision("d-2", 1), "other:k", 1)).await.expect("another caller's key");
}

pub async fn of_many_at_once_with_one_key_one_is_first(bench: Bench) {
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..40 {
        let store = bench.store.clone();
        tasks.spawn(async move { store.append(keyed(decision(&format!("d-{at}"), 0), "k", 1)).await });
    }
    let (mut appended, mut firsts) = (Vec::new(), Vec::new());
    for answer in tasks.join_all().await {
        match answer {
            Ok(position) => appended.push(position),
            Err(AppendError::Repeated { same_body: true, first }) => firsts.push(first.position),
            Err(other) => panic!("expected the first entry, not {other:?}"),
        }
    }
    assert_eq!((appended.len(), firsts.len()), (1, 39));
    assert!(firsts.iter().all(|first| *first == appended[0]));
    assert_eq!(bench.all().await.len(), 1);
}

pub async fn an_id_stands_in_the_log_once(bench: Bench) {
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let again = bench.store.append(decision("d-1", 0)).await;
    assert!(matches!(again, Err(AppendError::Unwritable(_))), "{again:?}");
    let position = bench.store.append(decision("d-2", 0)).await.expect("the log is as well as before");
    assert_eq!(position.index, 1);
}

pub async fn a_name_that_cannot_be_kept_names_nothing(bench: Bench) {
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    assert!(bench.store.entry("d-1\0").await.expect("readable").is_none());
    assert!(bench.store.entry("\0").await.expect("readable").is_none());
}

/// Ten decisions, a second apart, on two documents by two people under two rules; among them an act of another kind.
async fn ten_decisions(bench: &Bench) {
    for at in 0..10_u8 {
        let parity = at % 2;
        let search = SearchKeys {
            person: format!("person-{parity}"),
            document: format!("document-{}", at % 5),
            action: Action::Read,
            rules: vec![format!("RULE-{}", at % 3)],
            referrals: Vec::new(),
        };
        let decided = NewEntry {
            at: time(&format!("2026-11-22T12:00:0{at}Z")),
            outcome: Some(if parity == 0 { Outcome::Allow } else { Outcome::Deny }),
            search: Some(search),
            ..decision(&format!("d-{at}"), 0)
        };
        bench.store.append(decided).await.expect("appended");
        bench.store.append(entry(&format!("other-{at}"))).await.expect("appended");
    }
}

fn ids(entries: &[StoredEntry]) -> String {
    entries.iter().map(|entry| entry.id.trim_start_matches("d-")).collect::<Vec<_>>().join(" ")
}

pub async fn decisions_are_listed_newest_first_by_each_filter(bench: Bench) {
    ten_decisions(&bench).await;
    let every = LogFilter::default;
    let listed = async |filter| ids(&bench.found(filter).await);
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(listed(every()).await, "9 8 7 6 5 4 3 2 1 0");
    assert_eq!(listed(LogFilter { person: some("person-1"), ..every() }).await, "9 7 5 3 1");
    assert_eq!(listed(LogFilter { document: some("document-4"), ..every() }).await, "9 4");
    assert_eq!(listed(LogFilter { outcome: Some(Outcome::Allow), ..every() }).await, "8 6 4 2 0");
    assert_eq!(listed(LogFilter { outcome: Some(Outcome::Redact), ..every() }).await, "");
    assert_eq!(listed(LogFilter { rule: some("RULE-2"), ..every() }).await, "8 5 2");
    let from = Some(time("2026-11-22T12:00:03Z"));
    let to = Some(time("2026-11-22T12:00:05Z"));
    assert_eq!(listed(LogFilter { from, to, ..every() }).await, "4 3", "from is inclusive, to is not");
    let (person, rule) = (some("person-0"), some("RULE-2"));
    assert_eq!(listed(LogFilter { person, rule, outcome: Some(Outcome::Allow), from, ..every() }).await, "8");
}

pub async fn decisions_come_in_pages(bench: Bench) {
    ten_decisions(&bench).await;
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let request = page(after.as_deref(), 4);
        let found = bench.store.decisions(&LogFilter::default(), &request).await.expect("readable");
        pages.push(ids(&found.items));
        // What arrives meanwhile is newer than the page: it does not shift the rest.
        bench.store.append(decision(&format!("later-{}", pages.len()), 0)).await.expect("appended");
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, ["9 8 7 6", "5 4 3 2", "1 0"]);
    let nowhere = bench.store.decisions(&LogFilter::default(), &page(Some("no such"), 4)).await.expect("readable");
    assert!(nowhere.items.is_empty() && nowhere.next.is_none());
}

pub async fn several_entries_are_appended_all_or_none(bench: Bench) {
    let all = bench.store.append_all((0..1000).map(|at| decision(&format!("d-{at}"), 0)).collect()).await;
    let indexes: Vec<_> = all.expect("appended").iter().map(|position| position.index).collect();
    assert_eq!(indexes, (0..1000).collect::<Vec<_>>());
    let one_is_stale = vec![decision("x-1", 0), decision("x-2", 9), decision("x-3", 0)];
    assert!(matches!(bench.store.append_all(one_is_stale).await, Err(AppendError::Stale)));
    let one_is_there = vec![decision("x-1", 0), decision("d-999", 0)];
    assert!(matches!(bench.store.append_all(one_is_there).await, Err(AppendError::Unwritable(_))));
    let one_is_there_twice = vec![decision("x-1", 0), decision("x-1", 0)];
    assert!(matches!(bench.store.append_all(one_is_there_twice).await, Err(AppendError::Unwritable(_))));
    assert_eq!(bench.all().await.len(), 1000);
    assert!(bench.store.append_all(Vec::new()).await.expect("nothing to do").is_empty());
    // Entries that share a key are one act: the key stands for the first.
    let shared = (0..3).map(|at| keyed(decision(&format!("y-{at}"), 0), "k", 1)).collect();
    bench.store.append_all(shared).await.expect("appended");
    assert_eq!(bench.store.repeated("k").await.expect("readable").expect("there").0.id, "y-0");
}

pub async fn a_store_that_can_write_is_ready(bench: Bench) {
    bench.store.ready().await.expect("ready");
    assert_eq!(bench.store.append(entry("e")).await.expect("appended").index, 0, "asking leaves no entry");
}
