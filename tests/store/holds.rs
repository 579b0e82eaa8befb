//! Claims about holds: what they cover, how long, and what becomes of them.

use jiff::civil::date;
use pinkpaper::{
    audit::{AppendError, EntryKind, NewEntry, Unmet},
    domain::{
        hold::Scope,
        retention::{Due, Ended},
        words::{HoldKind, HoldStatus, RecordClass},
    },
};
use serde_json::json;

use crate::{keeping::*, support::*};

fn on_person(person: &str) -> Scope {
    Scope { person: Some(id(person)), ..Scope::default() }
}

pub async fn a_hold_stops_the_erasure_of_what_it_covers(bench: Bench) {
    let may = "2026-05-11T12:00:00Z";
    for entry in [
        refusal("d-0", "b1", "edrms:1", "RULE-1", "2026-05-11T22:30:00Z"),
        refusal("d-1", "b1", "edrms:2", "RULE-2", may),
        refusal("d-2", "b2", "edrms:1", "RULE-2", may),
        refusal("d-3", "b22", "edrms:11", "RULE-22", "2026-05-11T23:30:00Z"),
    ] {
        bench.store.append(entry).await.expect("appended");
    }
    let day = Some(date(2026, 5, 11));
    let rule = |rule: &str| Some(rule.to_owned());
    let scopes: [(Scope, &[u64]); 9] = [
        (Scope { decision: Some(id("d-2")), ..Scope::default() }, &[0, 1, 3]),
        (Scope { document: Some(id("edrms:1")), ..Scope::default() }, &[1, 3]),
        (on_person("b1"), &[2, 3]),
        (on_person("b2"), &[0, 1, 3]),
        (Scope { rule: rule("RULE-2"), ..Scope::default() }, &[0, 3]),
        (Scope { document: Some(id("edrms:1")), ..on_person("b1") }, &[1, 2, 3]),
        (Scope { rule: rule("RULE-1"), document: Some(id("edrms:2")), ..Scope::default() }, &[0, 1, 2, 3]),
        // 23:30 in universal time is the next day in London, by summer time.
        (Scope { from: day, to: day, ..Scope::default() }, &[3]),
        (Scope { from: Some(date(2026, 5, 12)), ..Scope::default() }, &[0, 1, 2]),
    ];
    for (at, (scope, free)) in scopes.into_iter().enumerate() {
        let (hold, release) = (format!("h-{at}"), format!("r-{at}"));
        bench.place(&hold, HoldKind::Foi, scope.clone()).await;
        assert_eq!(bench.refusals_due().await, free, "{scope:?}");
        for index in 0..4 {
            let covered = !free.contains(&index);
            assert_eq!(bench.covering(index).await, covered.then(|| hold.clone()), "{index} by {scope:?}");
        }
        bench.release(&release, &hold, "2027-01-01T00:00:00Z").await.expect("released");
    }
    assert_eq!(bench.refusals_due().await, [0, 1, 2, 3]);
}

pub async fn a_hold_covers_what_comes_after_it(bench: Bench) {
    bench.place("h-1", HoldKind::Litigation, on_person("b1")).await;
    bench.store.append(refused("d-1")).await.expect("appended");
    bench.store.append(refusal("d-2", "b2", "a", "R", "2026-11-22T12:00:00Z")).await.expect("appended");
    assert_eq!(bench.refusals_due().await, [2]);
    assert_eq!(bench.covering(1).await.as_deref(), Some("h-1"));
}

pub async fn a_hold_covers_every_kind_of_entry_that_names_its_subject(bench: Bench) {
    let named = |id: &str, payload| NewEntry { payload: vec![("act", payload)], ..entry(id) };
    for entry in [
        named("w-0", json!({"put_person": {"id": "b1", "name": "Cllr B. One"}})),
        named("w-1", json!({"replace_register": {"people": [{"id": "a"}, {"id": "b1"}]}})),
        named("w-2", json!({"put_person": {"id": "b11", "name": "not \"b1\", but of that sound"}})),
        named("w-3", json!({"put_person": {"id": "B1"}})),
    ] {
        bench.store.append(entry).await.expect("appended");
    }
    bench.place("h-1", HoldKind::Complaint, on_person("b1")).await;
    assert_eq!(bench.due(&due_until(RecordClass::RegisterWrite, LATE)).await, [2, 3]);
}

pub async fn a_released_hold_keeps_until_its_own_period_is_over(bench: Bench) {
    bench.store.append(refused("d-1")).await.expect("appended");
    bench.place("h-1", HoldKind::Foi, on_person("b1")).await;
    let kept_until = |until: Option<&str>| {
        let ended: Ended = until.map(|until| (HoldKind::Foi, time(until))).into_iter().collect();
        Due { ended, ..due_until(RecordClass::RedactOrDeny, LATE) }
    };
    assert_eq!(bench.due(&kept_until(Some(LATE))).await, NOTHING, "in force");
    let released = "2030-03-01T10:00:00Z";
    bench.release("r-1", "h-1", released).await.expect("released");
    assert_eq!(bench.due(&kept_until(Some("2030-03-01T09:59:59.999999Z"))).await, NOTHING);
    assert_eq!(bench.due(&kept_until(Some(released))).await, [0]);
    assert_eq!(bench.due(&kept_until(None)).await, NOTHING, "a kind whose period never ends keeps for good");
    let other = [(HoldKind::Complaint, time(LATE))].into_iter().collect();
    let due = Due { ended: other, ..due_until(RecordClass::RedactOrDeny, LATE) };
    assert_eq!(bench.due(&due).await, NOTHING, "each kind has its own");
}

pub async fn a_hold_is_released_once_and_stays_on_record(bench: Bench) {
    bench.place("h-1", HoldKind::Foi, on_person("b1")).await;
    bench.place("h-2", HoldKind::Other, on_person("b2")).await;
    let open = bench.store.hold(&id("h-1")).await.expect("readable").expect("there");
    assert_eq!((open.released_at, open.entry.kind, open.entry.id.as_str()), (None, EntryKind::Hold, "h-1"));
    assert!(open.entry.group("hold").is_some());
    let unmet = |done| match done {
        Err(AppendError::Precondition(unmet)) => unmet,
        other => panic!("expected an unmet precondition, not {other:?}"),
    };
    assert_eq!(unmet(bench.release("r-0", "h-9", LATE).await), Unmet::NotFound);
    bench.release("r-1", "h-1", "2030-03-01T10:00:00Z").await.expect("released");
    assert_eq!(unmet(bench.release("r-2", "h-1", LATE).await), Unmet::Closed);
    let released = bench.store.hold(&id("h-1")).await.expect("readable").expect("kept");
    assert_eq!(released.released_at, Some(time("2030-03-01T10:00:00Z")));
    let listed = async |status, after: Option<&str>, limit| {
        let page = bench.store.holds(status, &page(after, limit)).await.expect("readable");
        let ids: Vec<String> = page.items.iter().map(|hold| hold.id.to_string()).collect();
        (ids.join(" "), page.next)
    };
    assert_eq!(listed(None, None, 9).await, ("h-2 h-1".to_owned(), None));
    assert_eq!(listed(Some(HoldStatus::Open), None, 9).await.0, "h-2");
    assert_eq!(listed(Some(HoldStatus::Released), None, 9).await.0, "h-1");
    assert_eq!(listed(None, None, 1).await, ("h-2".to_owned(), Some("h-2".to_owned())));
    assert_eq!(listed(None, Some("h-2"), 1).await, ("h-1".to_owned(), None));
    assert_eq!(bench.version(), 0, "holds change no fact");
}

pub async fn the_record_of_a_hold_is_kept_while_it_keeps_and_then_goes_whole(bench: Bench) {
    // On a rule, so that it does not cover its own record by naming somebody.
    let scope = Scope { rule: Some("RULE-1".to_owned()), ..Scope::default() };
    bench.place("h-1", HoldKind::Complaint, scope).await;
    let released = "2030-03-01T10:00:00Z";
    let due = |until: &str, hold_until: &str| Due { ended: ended(hold_until), ..due_until(RecordClass::Other, until) };
    assert_eq!(bench.due(&due(LATE, LATE)).await, NOTHING, "in force");
    bench.release("r-1", "h-1", released).await.expect("released");
    let before = time(released) - jiff::SignedDuration::from_micros(1);
    assert_eq!(bench.due(&due(&before.to_string(), LATE)).await, NOTHING, "its period begins with its release");
    assert_eq!(bench.due(&due(LATE, &before.to_string())).await, [1], "nor may it go before what it keeps");
    assert_eq!(bench.due(&due(released, released)).await, [0, 1]);
    bench.erase_whole("e-1", 0).await;
    assert!(bench.store.hold(&id("h-1")).await.expect("readable").is_none());
    assert_eq!(bench.store.entry("h-1").await.expect("readable").expect("its leaf").kind, EntryKind::Hold);
}
