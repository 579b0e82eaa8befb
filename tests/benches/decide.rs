//! The decision alone: gathering the facts of a case, and evaluating the policies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use pinkpaper::{
    demo::DemoCouncil,
    domain::{document::Document, question::Request},
    pap::{Bundle, PolicyFiles},
    pdp::{self, StatutoryLayer},
    pip::{Indexed, Snapshot, gather},
};
use serde_json::json;

fn ask(document: &Document, person: &str, ground: &str) -> Request {
    serde_json::from_value(json!({
        "principal": {"type": "person", "id": person}, "action": "read", "document": document, "channel": "director",
        "purpose": {"capacity": "councillor", "ground": ground, "on_behalf_of": {"type": "none"}},
    }))
    .expect("a request")
}

fn decide(c: &mut Criterion) {
    let bundle = Bundle::load(&PolicyFiles::shipped()).expect("the policies load");
    let book = bundle.book("th52").expect("th52");
    let now = "2026-11-22T12:00:00Z".parse().expect("a time");
    let council = DemoCouncil::at(now).expect("the council");
    let snapshot =
        Snapshot { facts_version: 1, register: Arc::new(Indexed::new(Some(council.register))), policies: None };
    let sources = gather::Sources {
        snapshot: &snapshot,
        calendar: &bundle.calendar,
        profile: &book.profile,
        deciders: &bundle.deciders,
        determinations: &[],
        provided: None,
        now,
    };
    let document = |id: &str| council.documents.iter().find(|d| d.id.as_str() == id).expect("a document");
    let mut group = c.benchmark_group("decide");
    for (name, id, person, ground) in [
        ("allow, one part", "doc:licensing-crown-bar", "cllr-rahman", "committee_business"),
        ("deny, one part", "doc:licensing-crown-bar", "cllr-bennett", "ward"),
        ("redact, three parts", "doc:cabinet-repairs-contract", "cllr-bennett", "ward"),
    ] {
        let document = document(id);
        let request = ask(document, person, ground);
        group.bench_function(format!("gather: {name}"), |b| {
            b.iter(|| gather::gather(black_box(request.clone()), document, &sources).expect("a case"));
        });
        let case = gather::gather(request.clone(), document, &sources).expect("a case");
        group.bench_function(format!("evaluate: {name}"), |b| {
            b.iter(|| pdp::decide(&bundle, book, StatutoryLayer::Enforce, black_box(&case)).expect("a verdict"));
        });
    }
    group.finish();
    c.bench_function("load the policies", |b| b.iter(|| Bundle::load(&PolicyFiles::shipped()).expect("they load")));
}

criterion_group!(benches, decide);
criterion_main!(benches);
