//! The way of a question: bytes, strict JSON, its schema, its type, the facts gathered, the policies evaluated.
//!
//! Beside panics it looks for an answer that opens a part without a rule that says so.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use pinkpaper::{
    demo::DemoCouncil,
    domain::{question::Request, words::PartOutcome},
    http::{body, schemas::Schemas},
    pap::{Bundle, PolicyFiles},
    pdp::{self, StatutoryLayer},
    pip::{Indexed, Snapshot, gather},
};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::load(&PolicyFiles::shipped()).expect("the policies load"));
static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas::load().expect("the schemas load"));
static NOW: LazyLock<jiff::Timestamp> = LazyLock::new(|| "2026-11-23T12:00:00Z".parse().expect("a time"));
static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| {
    let council = DemoCouncil::at(*NOW).expect("the council");
    Snapshot { facts_version: 1, register: Arc::new(Indexed::new(Some(council.register))), policies: None }
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = body::strict(bytes) else { return };
    let Ok(request) = body::typed::<Request>(value, &SCHEMAS, "decision-request") else { return };
    let book = BUNDLE.book("th52").expect("a profile");
    let sources = gather::Sources {
        snapshot: &SNAPSHOT,
        calendar: &BUNDLE.calendar,
        profile: &book.profile,
        deciders: &BUNDLE.deciders,
        determinations: &[],
        provided: None,
        now: *NOW,
    };
    let Ok(case) = gather::gather(request.clone(), &request.document, &sources) else { return };
    let verdict = pdp::decide(&BUNDLE, book, StatutoryLayer::Enforce, &case).expect("a verdict");
    for part in verdict.parts {
        assert!(part.outcome != PartOutcome::Disclose || !part.because.is_empty(), "a part is open and no rule says why");
    }
});
