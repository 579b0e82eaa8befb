//! Claims about the referral desk and the policies kept.

use std::collections::BTreeMap;

use jiff::civil::date;
use pinkpaper::{
    audit::{NewEntry, ReferralFilter, SearchKeys, StoredReferral, Unmet},
    domain::{
        referral::{Raised, Status},
        words::{Action, ReferralRole},
    },
    pip::Change,
};

use crate::support::*;

/// A decision that leaves something to a person.
fn raising(decision_id: &str, referral: &str, due: Option<jiff::civil::Date>, to: Vec<ReferralRole>) -> NewEntry {
    let raised = Raised { id: id(referral), document: id("edrms:2026/0117"), person: "b1".to_owned(), to, due };
    let search = SearchKeys {
        person: "b1".to_owned(),
        document: "edrms:2026/0117".to_owned(),
        action: Action::Read,
        rules: Vec::new(),
        referrals: vec![raised],
    };
    NewEntry { search: Some(search), ..decision(decision_id, 0) }
}

async fn listed(bench: &Bench, filter: ReferralFilter) -> Vec<StoredReferral> {
    bench.store.referrals(&filter, &page(None, 100)).await.expect("readable").items
}

fn names(referrals: &[StoredReferral]) -> Vec<&str> {
    referrals.iter().map(|referral| referral.id.as_str()).collect()
}

fn of(status: Status) -> ReferralFilter {
    ReferralFilter { status: Some((status, date(2026, 11, 22))), ..ReferralFilter::default() }
}

pub async fn a_referral_waits_until_a_determination_answers_it(bench: Bench) {
    let entry = raising("d-1", "r-1", Some(date(2026, 12, 4)), vec![ReferralRole::MonitoringOfficer]);
    bench.store.append(entry).await.expect("appended");
    let open = bench.store.referral(&id("r-1")).await.expect("readable").expect("open");
    assert_eq!((open.due, open.closed.is_none()), (Some(date(2026, 12, 4)), true));
    assert_eq!(open.entry.id, "d-1", "with the decision that raised it");
    let close = |referral: &str| Change::CloseReferral { referral: id(referral), determination: id("det-1") };
    let answer = determine("det-1", entered("need_to_know", Some("edrms:2026/0117"), Some("b1")));
    bench.write("w-1", answer).await.expect("determined");
    let version = bench.version();
    bench.write("c-1", close("r-1")).await.expect("closed");
    assert_eq!(bench.version(), version, "closing changes no fact");
    let closed = bench.store.referral(&id("r-1")).await.expect("readable").expect("kept").closed.expect("closed");
    assert_eq!(closed.determination, id("det-1"));
    assert_eq!(bench.unmet("c-2", close("r-1")).await, Unmet::Closed);
    assert_eq!(bench.unmet("c-3", close("r-2")).await, Unmet::NotFound);
    assert_eq!(names(&listed(&bench, of(Status::Closed)).await), ["r-1"]);
    assert!(listed(&bench, of(Status::Open)).await.is_empty());
}

pub async fn referrals_come_in_the_order_of_their_days(bench: Bench) {
    let mo = || vec![ReferralRole::MonitoringOfficer];
    let both = || vec![ReferralRole::ServiceHead, ReferralRole::MonitoringOfficer];
    for (at, (due, to)) in [
        (None, mo()),
        (Some(date(2026, 12, 4)), both()),
        (Some(date(2026, 11, 20)), mo()),
        (Some(date(2026, 11, 22)), mo()),
    ]
    .into_iter()
    .enumerate()
    {
        bench.store.append(raising(&format!("d-{at}"), &format!("r-{at}"), due, to)).await.expect("appended");
    }
    let all = listed(&bench, ReferralFilter::default()).await;
    assert_eq!(names(&all), ["r-2", "r-3", "r-1", "r-0"], "those without a day last");
    assert_eq!(names(&listed(&bench, of(Status::Overdue)).await), ["r-2"], "the day itself is not too late");
    let heads = ReferralFilter { to: Some(ReferralRole::ServiceHead), ..ReferralFilter::default() };
    assert_eq!(names(&listed(&bench, heads).await), ["r-1"]);
    let nobody = ReferralFilter { person: Some("b2".to_owned()), ..ReferralFilter::default() };
    assert!(listed(&bench, nobody).await.is_empty());
    let mut after = None;
    let mut paged = Vec::new();
    loop {
        let found =
            bench.store.referrals(&ReferralFilter::default(), &page(after.as_deref(), 1)).await.expect("readable");
        paged.extend(found.items);
        after = found.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(names(&paged), names(&all), "a page ends where the next begins");
}

pub async fn policies_are_kept_once_under_their_hash(bench: Bench) {
    assert!(bench.store.policies("sha256:0a").await.expect("readable").is_none());
    let files = BTreeMap::from([("a.cedar".to_owned(), "permit (principal, action, resource);".to_owned())]);
    let keep = |files: BTreeMap<String, String>| Change::AdoptPolicies { hash: "sha256:0a".to_owned(), files };
    bench.write("k-1", keep(files.clone())).await.expect("kept");
    assert_eq!(bench.version(), 0, "no fact has changed");
    bench.write("k-2", keep(BTreeMap::new())).await.expect("kept already");
    assert_eq!(bench.store.policies("sha256:0a").await.expect("readable"), Some(files));
}
