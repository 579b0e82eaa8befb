//! What whoever holds the log's keys could write, and what a reader who kept a checkpoint finds all the same.

use std::{io::Cursor, path::Path};

use pinkpaper::{
    audit::{
        checkpoint::{Notary, Trusted},
        entry::leaf_hash,
        key::Signer,
        merkle::Peaks,
        receipt,
        verify::{Trust, verify},
    },
    domain::words::CallerRole,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Service;

/// An export made to fit: every hash, receipt, number and the checkpoint, with the log's own keys.
fn forged(keys: &Path, mut lines: Vec<Value>, epoch: u64) -> String {
    let log = lines[0]["log"].as_str().expect("a name").to_owned();
    let signer = Signer::open(&keys.join("test.key")).expect("the key of receipts");
    let notary = Notary::new(Signer::open(&keys.join("checkpoint.key")).expect("the key of checkpoints"), &*log);
    let mut peaks = Peaks::default();
    for (index, line) in (0..).zip(lines.iter_mut().skip(1)) {
        let leaf = serde_json_canonicalizer::to_vec(&line["leaf"]).expect("canonical");
        let hash = leaf_hash(&leaf);
        let of_line = line["epoch"].as_u64().expect("a number");
        line["index"] = json!(index);
        line["leaf_hash"] = json!(hex::encode(hash));
        line["receipt"] = json!(receipt::sign(&signer, &log, of_line, index, &hash));
        peaks.push(hash);
    }
    let size = peaks.size();
    let header = &mut lines[0];
    (header["to"], header["size"], header["epoch"]) = (json!(size), json!(size), json!(epoch));
    header["checkpoint"] = json!(notary.sign(epoch, size, peaks.root()).expect("a note"));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

struct Log {
    keys: tempfile::TempDir,
    lines: Vec<Value>,
    trust: Trust,
}

/// An export, with a key and a checkpoint that a reader kept of it.
async fn kept() -> Log {
    let keys = tempfile::tempdir().expect("a directory");
    let service = Service::with_log_key(keys.path()).await;
    let get = async |path: &str| {
        let answer = service.call(CallerRole::InformationGovernance, Method::GET, path, None).await;
        answer.body.as_str().expect("text").to_owned()
    };
    for _ in 0..4 {
        service.call(CallerRole::InformationGovernance, Method::GET, "/v1/decisions", None).await;
    }
    let key = Trusted::parse(&get("/v1/log/key").await).expect("a key");
    let export = get("/v1/log/export").await;
    let lines: Vec<Value> = export.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let note = lines[0]["checkpoint"].as_str().expect("a note").to_owned();
    let trust = Trust { key: Some(key), checkpoints: vec![note], ..Trust::default() };
    Log { keys, lines, trust }
}

impl Log {
    fn verdict(&self, lines: Vec<Value>, epoch: u64, trust: &Trust) -> String {
        let export = forged(self.keys.path(), lines, epoch);
        verify(Cursor::new(export), trust, |_| {}).map_or_else(|verdict| verdict.to_string(), |found| found.to_string())
    }

    /// The log cut short, and an entry that says why.
    fn given_up(&self) -> Vec<Value> {
        let mut lines = self.lines.clone();
        lines.truncate(4);
        let mut opened = lines[3].clone();
        (opened["leaf"]["kind"], opened["leaf"]["commitments"]) = (json!("epoch_opened"), json!({}));
        (opened["payload"], opened["epoch"]) = (json!({}), json!(2));
        lines.push(opened);
        lines
    }
}

#[tokio::test]
async fn a_history_written_anew_under_a_later_epoch_is_no_way_around_a_kept_checkpoint() {
    let log = kept().await;
    assert!(log.verdict(log.lines.clone(), 1, &log.trust).starts_with("verified: "), "forging is sound");
    // All of it moved into an epoch that nothing opened.
    let mut moved = log.lines.clone();
    moved.truncate(4);
    moved.iter_mut().skip(1).for_each(|line| line["epoch"] = json!(2));
    assert_eq!(
        log.verdict(moved, 2, &log.trust),
        "epoch changed: entry 0 is in another epoch than what is before or after it"
    );
    // Only the checkpoint says so.
    let mut cut = log.lines.clone();
    cut.truncate(4);
    assert_eq!(
        log.verdict(cut, 2, &log.trust),
        "epoch changed: entry 2 is in another epoch than what is before or after it"
    );
}

#[tokio::test]
async fn a_log_that_says_itself_what_it_lost_is_believed_only_by_who_accepts_that() {
    let log = kept().await;
    let size = log.lines.len() - 1;
    let told = log.verdict(log.given_up(), 2, &log.trust);
    assert_eq!(
        told,
        format!("given up: the log says that epoch 1 ended at 3, a kept checkpoint signs {size} entries of it")
    );
    let accepting = Trust {
        accepts_loss: true,
        checkpoints: log.trust.checkpoints.clone(),
        key: log.trust.key.clone(),
        ..Trust::default()
    };
    let told = log.verdict(log.given_up(), 2, &accepting);
    assert_eq!(
        told,
        "verified: 4 entries\ngiven up: 1 of the kept checkpoints, which sign entries that the log says were lost"
    );
    let nobodys = Trust { key: log.trust.key.clone(), ..Trust::default() };
    assert_eq!(log.verdict(log.given_up(), 2, &nobodys), "verified: 4 entries");
}

#[tokio::test]
async fn payload_that_no_act_erased_is_missed() {
    let log = kept().await;
    let without = |change: &dyn Fn(&mut Value)| {
        let mut lines = log.lines.clone();
        let read = lines.iter_mut().find(|line| line["leaf"]["kind"] == "log_read").expect("a reading");
        change(read);
        log.verdict(lines, 1, &log.trust)
    };
    let missing = without(&|line| drop(line["payload"].as_object_mut().expect("groups").remove("act")));
    assert!(
        missing.starts_with("missing payload: entry ") && missing.ends_with("group `act`, which no act erased"),
        "{missing}"
    );
    let hidden = without(&|line| {
        line["payload"].as_object_mut().expect("groups").remove("act");
        line["withheld"] = json!(["act"]);
    });
    assert_eq!(hidden, missing, "a full export withholds nothing");
}
