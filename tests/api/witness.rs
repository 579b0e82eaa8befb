//! Checkpoints leave the house: to an address, and to a witness that countersigns only what grew.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_web::{App, HttpResponse, HttpServer, web};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use pinkpaper::audit::{
    checkpoint::{Checkpoint, Trusted},
    entry::Hash,
    key::Signer,
    merkle,
};
use signed_note::Note;

use crate::backup::Installed;

/// As C2SP tlog-witness says: one log, one newest checkpoint, and proof for every step.
struct Witness {
    signer: Signer,
    log: Mutex<Option<Trusted>>,
    seen: Mutex<Option<Checkpoint>>,
    posted: Mutex<Vec<String>>,
}

const NAME: &str = "audit.example/witness";

impl Witness {
    fn public(&self) -> Vec<u8> {
        [&[4_u8], self.signer.public_key().as_bytes().as_slice()].concat()
    }

    fn key(&self) -> String {
        let public = self.public();
        format!("{NAME}+{:08x}+{}", signed_note::key_id(NAME, &public), BASE64.encode(&public))
    }

    fn add(&self, body: &str) -> HttpResponse {
        let (head, note) = body.split_once("\n\n").expect("a submission");
        let mut lines = head.lines();
        let old: u64 = lines.next().expect("a size").strip_prefix("old ").expect("old").parse().expect("a number");
        let path: Vec<Hash> = lines.map(|line| BASE64.decode(line).unwrap().try_into().unwrap()).collect();
        // The first checkpoint brings its log along: a test is no place for a registry.
        let trusted = self.log.lock().unwrap().clone().expect("the log's key is known");
        let checkpoint = trusted.read(note).expect("signed by the log");
        let mut seen = self.seen.lock().unwrap();
        let (size, root) = seen.as_ref().map_or((0, merkle::empty_root()), |seen| (seen.size, seen.root));
        if old != size {
            return HttpResponse::Conflict().content_type("text/x.tlog.size").body(format!("{size}\n"));
        }
        if !merkle::verify_consistency(size, &root, checkpoint.size, &checkpoint.root, &path) {
            return HttpResponse::UnprocessableEntity().finish();
        }
        let text = String::from_utf8(Note::from_bytes(note.as_bytes()).expect("a note").text().to_vec()).unwrap();
        let time = 1_800_000_000_u64;
        let signature = self.signer.sign(format!("cosignature/v1\ntime {time}\n{text}").as_bytes());
        let bytes = [time.to_be_bytes().as_slice(), &signature].concat();
        let id = signed_note::key_id(NAME, &self.public());
        let line = signed_note::Signature::new(NAME.to_owned(), id, bytes).expect("a signature");
        *seen = Some(checkpoint);
        HttpResponse::Ok().body(line.to_bytes())
    }
}

/// Runs the witness and the address that checkpoints are posted to; gives where.
fn serve(witness: &Arc<Witness>) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let data = web::Data::from(Arc::clone(witness));
    std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let app = move || {
                App::new()
                    .app_data(data.clone())
                    .route(
                        "/add-checkpoint",
                        web::post().to(|body: String, witness: web::Data<Witness>| async move { witness.add(&body) }),
                    )
                    .route(
                        "/archive",
                        web::post().to(|body: String, witness: web::Data<Witness>| async move {
                            witness.posted.lock().unwrap().push(body);
                            HttpResponse::NoContent().finish()
                        }),
                    )
            };
            HttpServer::new(app).workers(1).listen(listener).expect("listens").run().await.expect("runs");
        });
    });
    url
}

fn witness() -> Arc<Witness> {
    Arc::new(Witness {
        signer: Signer::fleeting().expect("a key"),
        log: Mutex::new(None),
        seen: Mutex::new(None),
        posted: Mutex::new(Vec::new()),
    })
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !holds() {
        assert!(Instant::now() < give_up, "{what} did not happen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_witness_countersigns_a_log_that_grows_and_no_other() {
    let witness = witness();
    let url = serve(&witness);
    let log = format!(
        "heartbeat_seconds = 1\npublish_url = \"{url}/archive\"\n[[log.witnesses]]\nurl = \"{url}/add-checkpoint\"\nkey = \"{}\"",
        witness.key()
    );
    let installed = Installed::with(&log);
    // Made beforehand, so that the witness knows the log from its first checkpoint on.
    let key = Signer::open(&installed.file("log.checkpoint.key")).expect("a key");
    let line = signed_note::new_ed25519_verifier_key("127.0.0.1:8080/log", &key.public_key());
    *witness.log.lock().unwrap() = Trusted::parse(&line);

    let service = installed.start();
    let size = || witness.seen.lock().unwrap().as_ref().map_or(0, |seen| seen.size);
    until("a first checkpoint", || size() > 0).await;
    let first = size();
    until("growth", || size() > first).await;
    let key = pinkpaper::audit::witness::WitnessKey::parse(&witness.key()).expect("a key");
    until("a checkpoint with both signatures at the archive", || {
        witness.posted.lock().unwrap().iter().any(|note| key.signed_at(note) == Some(1_800_000_000))
    })
    .await;
    let kept = || std::fs::read_to_string(installed.file("log.checkpoint")).unwrap_or_default();
    until("a cosigned checkpoint in the file", || key.signed_at(&kept()).is_some()).await;
    drop(service);

    // The witness has seen more than there now is: it is told nothing new, and signs nothing.
    let seen = size();
    for name in ["log.db", "log.db-wal", "log.db-shm", "log.checkpoint"] {
        let _none = std::fs::remove_file(installed.file(name));
    }
    let posted = witness.posted.lock().unwrap().len();
    let service = installed.start();
    until("the new log at the archive", || witness.posted.lock().unwrap().len() > posted).await;
    drop(service);
    let of_the_new = witness.posted.lock().unwrap().last().cloned().expect("a note");
    assert_eq!(key.signed_at(&of_the_new), None, "another history is not countersigned");
    assert_eq!(size(), seen);
}
