//! The pages in a real browser (Chromium, driven by Playwright under Node): run by `cargo test --test browser`, once for all
//! files `*.test.mjs` here. With `PICTURES=DIR` they leave pictures there to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::json;

#[path = "../support/demo.rs"]
mod demo;

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser")
}

/// What the tests there need, as `package-lock.json` has it.
fn install() {
    let installed = Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(here()).output();
    let installed = installed.expect("npm is installed (Debian: `apt-get install nodejs npm chromium`)");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
}

#[test]
fn officers_do_their_work_in_a_browser() {
    install();
    let home = tempfile::tempdir().expect("a directory");
    let demo = demo::start(home.path());
    let tokens: serde_json::Map<_, _> = demo.tokens.iter().map(|(role, token)| (role.clone(), json!(token))).collect();
    let run = Command::new("node")
        .args(["--test", "--test-concurrency=1", "."])
        .env("SERVICE_URL", &demo.url)
        .env("SERVICE_TOKENS", json!(tokens).to_string())
        .current_dir(here())
        .output()
        .expect("node runs");
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
}
