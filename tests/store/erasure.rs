//! Claims about what is due, and what erasing it leaves.

use pinkpaper::{
    audit::{AppendError, EntryKind, LogFilter, NewEntry, ReferralFilter},
    domain::{
        hold::Scope,
        retention::Erased,
        words::{ErasedUnder, HoldKind, Outcome, RecordClass},
    },
    pip::Change,
};

use crate::{keeping::*, support::*};

fn groups(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub async fn what_is_erased_leaves_its_leaf_as_it_was(bench: Bench) {
    bench.store.append(keyed(referred("d-1", "r-1"), "edrms:k", 1)).await.expect("appended");
    bench.store.append(refused("d-2")).await.expect("appended");
    let before = bench.store.raw(0, 2).await.expect("readable");
    bench.erase_whole("e-1", 0).await;
    let after = bench.store.raw(0, 2).await.expect("readable");
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.leaf, &before.leaf_hash), (&after.leaf, &after.leaf_hash));
    }
    assert_eq!((before[0].groups.len(), after[0].groups.len(), after[1].groups.len()), (4, 0, 4));
    let entry = bench.store.entry("d-1").await.expect("readable").expect("its leaf is there");
    assert_eq!((entry.kind, entry.outcome, entry.payload.len()), (EntryKind::Decision, Some(Outcome::Deny), 0));
}

pub async fn what_is_erased_is_found_by_nothing(bench: Bench) {
    bench.store.append(keyed(referred("d-1", "r-1"), "edrms:k", 1)).await.expect("appended");
    bench.store.append(refused("d-2")).await.expect("appended");
    bench.erase_whole("e-1", 0).await;
    let some = |text: &str| Some(text.to_owned());
    for filter in [
        LogFilter::default(),
        LogFilter { person: some("b1"), ..LogFilter::default() },
        LogFilter { document: some("edrms:2026/0117"), ..LogFilter::default() },
        LogFilter { rule: some("S-100F-3"), ..LogFilter::default() },
        LogFilter { outcome: Some(Outcome::Deny), ..LogFilter::default() },
    ] {
        let found: Vec<String> = bench.found(filter.clone()).await.into_iter().map(|entry| entry.id).collect();
        assert_eq!(found, ["d-2"], "{filter:?}");
    }
    assert!(bench.store.repeated("edrms:k").await.expect("readable").is_none());
    // The key is free: what comes under it is a new question.
    bench.store.append(keyed(refused("d-3"), "edrms:k", 1)).await.expect("appended");
    for filter in [
        ReferralFilter { person: some("b1"), ..ReferralFilter::default() },
        ReferralFilter { document: Some(id("edrms:2026/0117")), ..ReferralFilter::default() },
    ] {
        assert!(bench.store.referrals(&filter, &page(None, 9)).await.expect("readable").items.is_empty());
    }
    let referral = bench.store.referral(&id("r-1")).await.expect("readable").expect("kept");
    assert!(referral.closed.is_none(), "erasing closes nothing");
}

pub async fn an_erasure_says_for_good_what_went(bench: Bench) {
    bench.store.append(refused("d-1")).await.expect("appended");
    assert!(bench.store.erasure_of(0).await.expect("readable").is_none());
    let facts = vec![Erased { index: 0, groups: groups(&["facts"]) }];
    bench.erase_as_of("e-1", facts, 0, true).await.expect("erased");
    let whole = Erased { index: 0, groups: groups(&["answer", "caller", "request"]) };
    bench.erase("e-2", vec![whole.clone()]).await.expect("erased");
    let last = bench.store.erasure_of(0).await.expect("readable").expect("on record");
    let erasing = last.erased.clone().expect("says what went");
    assert_eq!((last.id.as_str(), erasing.under, erasing.entries), ("e-2", ErasedUnder::Schedule, vec![whole]));
    let leaf = bench.store.raw(last.position.index, 1).await.expect("readable").remove(0).leaf;
    let leaf = String::from_utf8(leaf).expect("text");
    let named = r#""erased":{"entries":[{"groups":["answer","caller","request"],"index":0}],"under":"schedule"}"#;
    assert!(leaf.contains(named), "{leaf}");
    let before = bench.store.raw(0, 1).await.expect("readable").remove(0).leaf;
    assert!(!String::from_utf8(before).expect("text").contains("erased"), "no other leaf has the member");
    assert_eq!(bench.version(), 0, "erasing changes no fact");
}

pub async fn one_group_can_go_by_itself(bench: Bench) {
    bench.store.append(keyed(refused("d-1"), "edrms:k", 1)).await.expect("appended");
    let facts = vec![Erased { index: 0, groups: groups(&["facts"]) }];
    bench.erase_as_of("e-1", facts, 0, true).await.expect("erased");
    let kept = bench.store.entry("d-1").await.expect("readable").expect("there");
    assert!(kept.group("facts").is_none() && kept.group("answer").is_some() && kept.group("request").is_some());
    assert_eq!(bench.all().await.len(), 1, "it is still found");
    assert!(bench.store.repeated("edrms:k").await.expect("readable").is_some());
    assert_eq!(bench.refusals_due().await, [0], "and what is left is due in its time");
}

pub async fn each_class_is_due_by_its_own_period(bench: Bench) {
    use EntryKind as Kind;
    let entries = [
        ("allow", Kind::Decision, Some(Outcome::Allow), RecordClass::Allow),
        ("redact", Kind::Decision, Some(Outcome::Redact), RecordClass::RedactOrDeny),
        ("deny", Kind::Decision, Some(Outcome::Deny), RecordClass::RedactOrDeny),
        ("determined", Kind::Determination, None, RecordClass::Determination),
        ("withdrawn", Kind::Withdrawal, None, RecordClass::Determination),
        ("closed", Kind::ReferralClosed, None, RecordClass::Determination),
        ("register", Kind::RegisterWrite, None, RecordClass::RegisterWrite),
        ("document", Kind::DocumentWrite, None, RecordClass::DocumentWrite),
        ("read", Kind::LogRead, None, RecordClass::LogRead),
        ("refusal", Kind::Refusal, None, RecordClass::Other),
        ("hold", Kind::Hold, None, RecordClass::Other),
    ];
    for (id, of_kind, outcome, _) in &entries {
        bench.store.append(kind(refused(id), *of_kind, *outcome)).await.expect("appended");
    }
    for class in RecordClass::ALL {
        let expected: Vec<u64> =
            (0..).zip(&entries).filter(|(_, entry)| entry.3 == *class).map(|(index, _)| index).collect();
        assert_eq!(bench.due(&due_until(*class, LATE)).await, expected, "{class}");
    }
}

pub async fn what_is_due_is_named_once_in_the_order_of_the_log(bench: Bench) {
    for (at, day) in ["2020-01-03", "2020-01-01", "2020-01-02", "2020-01-04"].into_iter().enumerate() {
        let at_noon = format!("{day}T12:00:00Z");
        bench.store.append(refusal(&format!("d-{at}"), "b1", "a", "R", &at_noon)).await.expect("appended");
    }
    bench.store.append(NewEntry { payload: Vec::new(), ..refused("bare") }).await.expect("appended");
    let until = |until| due_until(RecordClass::RedactOrDeny, until);
    assert_eq!(bench.due(&until("2020-01-01T11:59:59.999999Z")).await, NOTHING);
    assert_eq!(bench.due(&until("2020-01-01T12:00:00Z")).await, [1]);
    assert_eq!(bench.due(&until("2020-01-03T12:00:00Z")).await, [0, 1, 2]);
    let some = bench.store.due(&until(LATE), Some(0), 2).await.expect("readable");
    let all = groups(&["answer", "caller", "facts", "request"]);
    assert_eq!(some, [1, 2].map(|index| Erased { index, groups: all.clone() }));
    bench.erase("e-1", some).await.expect("erased");
    assert_eq!(bench.due(&until(LATE)).await, [0, 3], "what has nothing left to erase is not due");
}

pub async fn a_referral_closed_later_begins_the_period_anew(bench: Bench) {
    bench.store.append(referred("d-1", "r-1")).await.expect("appended");
    let until = |until| due_until(RecordClass::RedactOrDeny, until);
    assert_eq!(bench.due(&until("2026-11-23T00:00:00Z")).await, [0], "one that waits does not keep it");
    bench.close("r-1", "2026-12-04T09:30:00.5Z").await;
    assert_eq!(bench.due(&until("2026-12-04T09:30:00Z")).await, NOTHING);
    assert_eq!(bench.due(&until("2026-12-04T09:30:01Z")).await, [0]);
}

pub async fn a_determination_is_due_only_when_it_has_been_out_of_force_so_long(bench: Bench) {
    let recorded = "2026-11-22T12:00:00Z";
    bench.determined("n-0", recorded, need(None)).await;
    bench.determined("n-1", recorded, need(None)).await;
    bench.determined("n-2", recorded, need(Some("2026-12-31T23:59:59Z"))).await;
    bench.determined("n-3", recorded, need(Some("2027-12-31T23:59:59Z"))).await;
    bench.withdrawn("w-4", "n-1", "2026-12-04T09:30:00.5Z").await;
    bench.withdrawn("w-5", "n-3", "2027-06-01T12:00:00Z").await;
    for (until, expected) in [
        ("2026-12-04T09:30:00Z", &[][..]),
        ("2026-12-04T09:30:01Z", &[1, 4]),
        ("2026-12-31T23:59:59Z", &[1, 4]),
        ("2027-01-01T00:00:00Z", &[1, 2, 4]),
        ("2027-06-01T12:00:00Z", &[1, 2, 4, 5]),
        ("2027-06-01T12:00:01Z", &[1, 2, 3, 4, 5]),
        (LATE, &[1, 2, 3, 4, 5]),
    ] {
        assert_eq!(bench.due(&due_until(RecordClass::Determination, until)).await, expected, "{until}");
    }
}

pub async fn a_determination_goes_with_the_record_of_it(bench: Bench) {
    let recorded = "2019-11-22T12:00:00Z";
    bench.determined("n-0", recorded, need(None)).await;
    bench.determined("n-1", recorded, need(None)).await;
    bench.determined("n-2", recorded, need(Some("2020-01-01T00:00:00Z"))).await;
    bench.withdrawn("w-3", "n-0", recorded).await;
    let version = bench.version();
    bench.erase_whole("e-1", 3).await;
    assert_eq!(bench.determinations().await, ["n-0", "n-1", "n-2"], "its withdrawal is not the record of it");
    assert_eq!(bench.version(), version, "no fact has changed");
    let due = bench.store.due(&due_until(RecordClass::Determination, LATE), None, 9).await.expect("readable");
    bench.erase("e-2", due).await.expect("erased");
    assert_eq!(bench.determinations().await, ["n-1"]);
    assert!(bench.store.determination(&id("n-0")).await.expect("readable").is_none());
    let about = bench.store.determinations_about(&id("edrms:2026/0117")).await.expect("readable");
    assert_eq!(about.len(), 1, "nothing is left of the others where decisions look");
    assert_eq!(bench.store.entry("n-0").await.expect("readable").expect("its leaf").kind, EntryKind::Determination);
    assert_eq!(bench.version(), version + 1, "one change of facts, however many went");
    let stale = bench.store.append(decision("d-1", version)).await;
    assert!(matches!(stale, Err(AppendError::Stale)), "{stale:?}");
}

pub async fn the_record_of_a_determination_in_force_stays(bench: Bench) {
    let recorded = "2019-11-22T12:00:00Z";
    bench.determined("n-0", recorded, need(None)).await;
    bench.determined("n-1", recorded, need(Some("2120-01-01T00:00:00Z"))).await;
    for index in 0..2 {
        let whole = vec![Erased { index, groups: groups(&["caller", "determination"]) }];
        assert!(moved(bench.erase("e-1", whole).await), "{index}");
    }
    assert_eq!(bench.determinations().await, ["n-0", "n-1"]);
    assert_eq!(bench.store.entry("n-0").await.expect("readable").expect("there").payload.len(), 2);
}

/// As earlier versions erased it.
pub async fn a_determination_whose_record_went_without_it_is_due_too(bench: Bench) {
    bench.determined("n-0", "2019-11-22T12:00:00Z", need(None)).await;
    let whole = vec![Erased { index: 0, groups: groups(&["caller", "determination"]) }];
    bench.erase_as_of("e-1", whole, 0, true).await.expect("erased");
    let due = due_until(RecordClass::Determination, LATE);
    assert_eq!(bench.due(&due).await, NOTHING, "in force");
    bench.withdrawn("w-2", "n-0", "2020-11-22T12:00:00Z").await;
    bench.place("h-1", HoldKind::Foi, Scope { person: Some(id("b1")), ..Scope::default() }).await;
    assert_eq!(bench.due(&due).await, [2], "a hold covers whom it names");
    bench.release("r-1", "h-1", "2021-11-22T12:00:00Z").await.expect("released");
    let found = bench.store.due(&due, None, 1).await.expect("readable");
    assert_eq!(found, [Erased { index: 0, groups: Vec::new() }]);
    bench.erase("e-2", found).await.expect("erased");
    assert_eq!((bench.determinations().await.len(), bench.due(&due).await), (0, vec![2]));
}

pub async fn a_referral_goes_on_naming_the_determination_that_is_gone(bench: Bench) {
    bench.store.append(referred("d-0", "r-1")).await.expect("appended");
    let at = "2019-11-22T12:00:00Z";
    bench.determined("n-1", at, need(None)).await;
    let change = Change::CloseReferral { referral: id("r-1"), determination: id("n-1") };
    bench.write("c-2", change).await.expect("closed");
    bench.withdrawn("w-3", "n-1", at).await;
    bench.erase_whole("e-1", 1).await;
    assert_eq!(bench.determinations().await.len(), 0);
    let referral = bench.store.referral(&id("r-1")).await.expect("readable").expect("kept");
    assert_eq!(referral.closed.expect("closed").determination, id("n-1"));
}

pub async fn what_happened_since_it_was_read_stops_an_erasure(bench: Bench) {
    bench.store.append(referred("d-1", "r-1")).await.expect("appended");
    let whole = || vec![Erased { index: 0, groups: groups(&["answer", "caller", "facts", "request"]) }];
    let events = bench.events().await;
    bench.close("r-1", "2026-12-04T09:30:00Z").await;
    assert!(moved(bench.erase_as_of("e-1", whole(), events, false).await));
    let events = bench.events().await;
    // At the same moment, in one commit or two: whichever comes second knows of the first.
    let scope = Scope { person: Some(id("b1")), ..Scope::default() };
    let (_, erased) =
        tokio::join!(bench.place("h-1", HoldKind::Foi, scope), bench.erase_as_of("e-2", whole(), events, false));
    assert!(moved(erased));
    let kept = bench.store.entry("d-1").await.expect("readable").expect("there");
    assert_eq!(kept.payload.len(), 4, "nothing went");
    assert!(bench.store.entry("e-1").await.expect("readable").is_none(), "and no leaf says that it did");
}

pub async fn what_is_not_there_is_not_erased(bench: Bench) {
    bench.store.append(refused("d-1")).await.expect("appended");
    let wanted = vec![Erased { index: 0, groups: groups(&["answer", "title"]) }];
    assert!(moved(bench.erase("e-1", wanted).await));
    let kept = bench.store.entry("d-1").await.expect("readable").expect("there");
    assert_eq!(kept.payload.len(), 4, "all or nothing");
    assert_eq!(bench.events().await, 0);
}
