//! Proofs, checkpoints and the answers of witnesses: no made-up path proves what is not in the tree.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pinkpaper::audit::{
    checkpoint::Trusted,
    merkle::{Peaks, verify_consistency, verify_inclusion},
    witness::{WitnessKey, cosigned},
};

const LOG: u64 = 37;
const KEY: &str = "papers.example/log+00000000+AQID";

fuzz_target!(|input: (u64, u64, Vec<[u8; 32]>, &str)| {
    let (index, size, path, text) = input;
    let mut peaks = Peaks::default();
    for leaf in 0..LOG {
        peaks.push([leaf as u8; 32]);
    }
    // No leaf of the tree is all ones, and a path that leads from it to the root would be a collision.
    assert!(!verify_inclusion(index, size, &[0xff; 32], &path, &peaks.root()));
    assert!(!verify_consistency(index, &[0xff; 32], size, &peaks.root(), &path) || index == 0);
    for key in [KEY, text] {
        if let Some(trusted) = Trusted::parse(key) {
            assert!(trusted.read(text).is_err(), "a note is believed that nobody signed");
        }
        if let Some(witness) = WitnessKey::parse(key) {
            assert!(cosigned(text, text, &witness).is_none(), "a note is countersigned by nobody");
        }
    }
});
