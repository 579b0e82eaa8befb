//! Takes checkpoints out of the house: to an address, and to witnesses who countersign them.
//!
//! It does not know what a checkpoint says or how the log proves that it grew: both are handed in. Nothing it sends is
//! personal. It never holds up an answer: it runs beside the service, and what could not be sent is sent with the next
//! checkpoint, which covers all before it.
//!
//! Worked example: each minute the checkpoint that covers, among others, the refusal of Cllr B. One goes to the external
//! auditor's witness. It last saw 1,200 entries and is sent the proof from there to 1,234. Had it seen other entries, it
//! would refuse, and the log says so at level `error`.
//!
//! Where next: [`crate::audit::witness`].

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{Client, Response, StatusCode, Url, header::CONTENT_TYPE};

use crate::{
    audit::{
        entry::Hash,
        witness::{self, WitnessKey},
    },
    outbound,
};

/// The longest answer of a witness that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Everyone a checkpoint goes to.
pub struct Publisher {
    client: Client,
    sink: Option<Url>,
    witnesses: Vec<Witness>,
}

/// Where a witness is, its key, and how much of the log it is known to have seen.
pub struct Witness {
    url: Url,
    key: WitnessKey,
    seen: AtomicU64,
}

/// Why a receiver does not have the checkpoint. Addresses are not repeated: they may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum Unsent {
    #[error("it cannot be reached")]
    Unreachable,
    #[error("it answers {0}")]
    Refused(StatusCode),
    #[error("its answer is not a signature of its key on this checkpoint")]
    Unsigned,
    #[error("it has seen {seen} entries, more than there are: the log was rolled back, or this is not its log")]
    SawMore { seen: u64 },
    #[error("the log cannot prove that it goes on from what it saw")]
    NoProof,
}

impl Witness {
    pub fn new(url: Url, key: WitnessKey) -> Self {
        Self { url, key, seen: AtomicU64::new(0) }
    }
}

impl Publisher {
    pub fn new(sink: Option<Url>, witnesses: Vec<Witness>) -> Result<Self, reqwest::Error> {
        Ok(Self { client: outbound::client()?, sink, witnesses })
    }

    /// Sends the checkpoint of a log of some size to all; gives it back with the signatures of those who countersigned
    /// it. `proof` shows that the log of one size goes on from that of another.
    pub async fn publish(
        &self,
        checkpoint: &str,
        size: u64,
        proof: impl AsyncFn(u64, u64) -> Option<Vec<Hash>>,
    ) -> String {
        let mut note = checkpoint.to_owned();
        for witness in &self.witnesses {
            match self.ask(checkpoint, size, &proof, witness).await {
                Ok(signature) => match witness::cosigned(&note, &signature, &witness.key) {
                    Some(cosigned) => note = cosigned,
                    None => tell(witness.key.name(), &Unsent::Unsigned),
                },
                Err(unsent) => tell(witness.key.name(), &unsent),
            }
        }
        if let Some(sink) = &self.sink
            && let Err(unsent) = self.post(sink, note.clone()).await
        {
            tell("log.publish_url", &unsent);
        }
        note
    }

    /// The answer of a witness. It says itself where it stands if that is not where it was thought to.
    async fn ask(
        &self,
        checkpoint: &str,
        size: u64,
        proof: &impl AsyncFn(u64, u64) -> Option<Vec<Hash>>,
        witness: &Witness,
    ) -> Result<String, Unsent> {
        for _ in 0..2 {
            let seen = witness.seen.load(Ordering::Relaxed);
            if seen > size {
                return Err(Unsent::SawMore { seen });
            }
            let path = proof(seen, size).await.ok_or(Unsent::NoProof)?;
            let (status, told) = self.send(&witness.url, witness::submission(seen, &path, checkpoint)).await?;
            match status {
                StatusCode::OK => {
                    witness.seen.store(size, Ordering::Relaxed);
                    return Ok(told);
                }
                StatusCode::CONFLICT => {
                    let stands = told.trim().parse().map_err(|_| Unsent::Refused(status))?;
                    witness.seen.store(stands, Ordering::Relaxed);
                }
                other => return Err(Unsent::Refused(other)),
            }
        }
        Err(Unsent::Refused(StatusCode::CONFLICT))
    }

    async fn post(&self, to: &Url, note: String) -> Result<(), Unsent> {
        let status = self.sent(to, note).await?.status();
        if status.is_success() { Ok(()) } else { Err(Unsent::Refused(status)) }
    }

    async fn sent(&self, to: &Url, body: String) -> Result<Response, Unsent> {
        let request = self.client.post(to.clone()).header(CONTENT_TYPE, "text/plain; charset=utf-8").body(body);
        request.send().await.map_err(|_| Unsent::Unreachable)
    }

    async fn send(&self, to: &Url, body: String) -> Result<(StatusCode, String), Unsent> {
        let answer = self.sent(to, body).await?;
        let status = answer.status();
        Ok((status, outbound::text(answer, LONGEST_ANSWER).await.ok_or(Unsent::Unsigned)?))
    }
}

fn tell(receiver: &str, unsent: &Unsent) {
    tracing::error!(receiver, error = %unsent, "a checkpoint was not taken");
}
