//! The policies of one council with one file replaced: they load, or are refused with words.

#![no_main]

use std::{cell::RefCell, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use pinkpaper::pap::{Loader, PolicyFiles};

/// Statute and common law alone: quick to load.
static FILES: LazyLock<PolicyFiles> = LazyLock::new(|| {
    let mut files = PolicyFiles::shipped();
    files.0.retain(|path, _| !path.starts_with("profiles/") || path.ends_with("baseline.json"));
    files
});

thread_local! {
    static LOADER: RefCell<Loader> = RefCell::default();
}

fuzz_target!(|input: (u16, &str)| {
    let (at, text) = input;
    let Some(path) = FILES.0.keys().nth(usize::from(at) % FILES.0.len()).cloned() else { return };
    let mut files = FILES.clone();
    files.0.insert(path, text.to_owned());
    let loaded = LOADER.with_borrow_mut(|loader| loader.load(&files));
    if let Err(error) = loaded {
        assert!(!error.to_string().is_empty());
    }
});
