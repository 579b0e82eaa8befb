//! A log of a million entries, checked as it comes, in memory that does not grow with it.

use std::io::{self, BufReader, Read};

use base64::{Engine, engine::general_purpose::STANDARD};
use pinkpaper::audit::{
    checkpoint::Notary,
    entry::{self, Hash},
    export::{FORMAT, Header, View},
    key::Signer,
    merkle::Peaks,
    receipt,
    verify::{Trust, Verdict, verify},
};

const ENTRIES: u64 = 1_000_000;
/// How much more memory the check may take than was taken before it, in kilobytes.
const BOUND: u64 = 16 * 1024;

fn leaf(index: u64) -> String {
    format!(
        r#"{{"at":"2026-11-22T12:00:00Z","commitments":{{}},"id":"e-{index}","kind":"heartbeat","policy_bundle":"sha256:0a","v":1}}"#
    )
}

fn hash(index: u64) -> Hash {
    entry::leaf_hash(leaf(index).as_bytes())
}

/// An export that is written while it is read.
struct Endless<'h> {
    header: &'h str,
    next: u64,
    to: u64,
    line: Vec<u8>,
    at: usize,
    signer: &'h Signer,
}

impl Read for Endless<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.line.len() {
            if self.next == self.to {
                return Ok(0);
            }
            let (index, leaf) = (self.next, leaf(self.next));
            let hash = entry::leaf_hash(leaf.as_bytes());
            let receipt = receipt::sign(self.signer, ORIGIN, 1, index, &hash);
            let hash = hex::encode(hash);
            self.line =
                format!("{{\"index\":{index},\"epoch\":1,\"leaf\":{leaf},\"leaf_hash\":\"{hash}\",\"receipt\":\"{receipt}\",\"payload\":{{}}}}\n")
                    .into_bytes();
            if index == 0 {
                self.line = [self.header.as_bytes(), b"\n", &self.line].concat();
            }
            (self.next, self.at) = (self.next + 1, 0);
        }
        let given = into.len().min(self.line.len() - self.at);
        into[..given].copy_from_slice(&self.line[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}

/// What the process holds in memory now, in kilobytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("readable");
    status.split_whitespace().nth(1).expect("pages").parse::<u64>().expect("a number") * 4
}

#[test]
fn a_million_entries_are_checked_in_one_pass_and_bounded_memory() {
    let notary = Notary::new(Signer::fleeting().expect("a key"), ORIGIN);
    let signer = Signer::fleeting().expect("a key");
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
    let export =
        |to| BufReader::new(Endless { header: &header, next: 0, to, line: Vec::new(), at: 0, signer: &signer });
    let trust = Trust { key: Some(notary.trusted()), ..Trust::default() };
    let (before, mut most, mut told) = (resident(), 0, 0);
    let verified = verify(export(ENTRIES), &trust, |entries| {
        told = entries;
        if entries.is_multiple_of(100_000) {
            most = most.max(resident());
        }
    })
    .expect("verified");
    assert_eq!((verified.entries, told), (ENTRIES, ENTRIES));
    assert!(most.saturating_sub(before) < BOUND, "{before} kB before, {most} kB while checking");
    let short = verify(export(1000), &trust, |_| {});
    assert!(matches!(short, Err(Verdict::DeletedTail { found: 1000, promised: ENTRIES })), "{short:?}");
}

const ORIGIN: &str = "papers.exampleton.gov.uk/log";
