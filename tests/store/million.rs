//! A log of a million entries, checked by the command as it comes, in memory that does not grow with it.

use std::{
    io::{BufWriter, Write as _},
    process::{Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use pinkpaper::audit::{
    checkpoint::Notary,
    entry::{self, Hash},
    export::{FORMAT, Header, View},
    key::Signer,
    merkle::Peaks,
    receipt,
};

const ORIGIN: &str = "papers.exampleton.gov.uk/log";
const ENTRIES: u64 = 1_000_000;
/// How much more memory the command may hold after the last entries than after the first hundred thousand, in kilobytes.
const BOUND: u64 = 4 * 1024;

fn leaf(index: u64) -> String {
    format!(
        r#"{{"at":"2026-11-22T12:00:00Z","commitments":{{}},"id":"e-{index}","kind":"heartbeat","policy_bundle":"sha256:0a","v":1}}"#
    )
}

fn hash(index: u64) -> Hash {
    entry::leaf_hash(leaf(index).as_bytes())
}

fn line(index: u64, signer: &Signer) -> String {
    let (leaf, hash) = (leaf(index), hash(index));
    let receipt = receipt::sign(signer, ORIGIN, 1, index, &hash);
    let hash = hex::encode(hash);
    format!(r#"{{"index":{index},"epoch":1,"leaf":{leaf},"leaf_hash":"{hash}","receipt":"{receipt}","payload":{{}}}}"#)
}

/// What a process holds in memory now, in kilobytes.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/statm")).expect("it runs");
    status.split_whitespace().nth(1).expect("pages").parse::<u64>().expect("a number") * 4
}

#[test]
fn a_million_entries_are_checked_in_one_pass_and_bounded_memory() {
    let (notary, signer) =
        (Notary::new(Signer::fleeting().expect("a key"), ORIGIN), Signer::fleeting().expect("a key"));
    let mut peaks = Peaks::default();
    for index in 0..ENTRIES {
        peaks.push(hash(index));
    }
    let header = serde_json::to_string(&Header {
        format: FORMAT.to_owned(),
        view: View::Full,
        exported_at: "2026-11-22T12:00:00Z".parse().expect("a time"),
        from: 0,
        to: ENTRIES,
        size: ENTRIES,
        epoch: 1,
        before: Vec::new(),
        after: Vec::new(),
        checkpoint: notary.sign(1, ENTRIES, peaks.root()).expect("signed"),
        key: notary.public(),
        receipt_key: STANDARD.encode(signer.public_key().as_bytes()),
        log: ORIGIN.to_owned(),
    })
    .expect("JSON");
    let home = tempfile::tempdir().expect("a directory");
    let key = home.path().join("log.key");
    std::fs::write(&key, notary.public()).expect("written");
    // A pipe can be read once only.
    let mut command = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["log", "verify", "/dev/stdin", "--key"])
        .arg(&key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut export = BufWriter::new(command.stdin.take().expect("its input"));
    let mut held = Vec::new();
    writeln!(export, "{header}").expect("taken");
    for index in 0..ENTRIES {
        writeln!(export, "{}", line(index, &signer)).expect("taken");
        if (index + 1).is_multiple_of(100_000) {
            held.push(resident(command.id()));
        }
    }
    drop(export);
    let output = command.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stdout), format!("verified: {ENTRIES} entries\n"));
    assert!(output.status.success());
    let (first, most) = (held[0], *held.iter().max().expect("samples"));
    assert!(most - first < BOUND, "{held:?} kB");
}
