//! What is PostgreSQL's own: its triggers, its settings, its addresses. Several replicas are in [`crate::replicas`],
//! faults in [`crate::outage`], rights in [`crate::rights`].

use std::{process::Command, sync::Arc, time::Duration};

use pinkpaper::{
    audit::{AppendError, DecisionLog, key::Signer},
    pip::Change,
    store::{OpenError, Options, connect, read},
};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::{
    cluster::{Cluster, Database, OWNER},
    former,
    support::*,
};

suite!(crate::postgres::fresh);

/// Long enough for a busy machine; shortened where a test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);
pub const SHORT: Duration = Duration::from_millis(500);

pub async fn fresh() -> Bench {
    fresh_with(PATIENCE).await
}

async fn fresh_with(patience: Duration) -> Bench {
    let database = Cluster::shared().database().await;
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open_with(&database.url, &signer, patience).await.expect("open");
    Bench { store, key: signer.public_key(), keep: Box::new(database) }
}

pub async fn open(url: &str, signer: &Arc<Signer>) -> Result<Arc<dyn DecisionLog>, OpenError> {
    open_with(url, signer, PATIENCE).await
}

pub async fn open_with(url: &str, signer: &Arc<Signer>, patience: Duration) -> Result<Arc<dyn DecisionLog>, OpenError> {
    connect(url, Options { patience, ..Options::new(ORIGIN, Arc::clone(signer)) }).await
}

pub fn database(bench: &Bench) -> &Database {
    bench.keep.downcast_ref().expect("a database")
}

async fn refusal(url: &str) -> OpenError {
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    open_with(url, &signer, SHORT).await.err().expect("refused")
}

/// A store with one decision, and someone who owns its tables.
async fn with_outsider() -> (Bench, PgConnection) {
    let bench = fresh_with(SHORT).await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let outsider = database(&bench).outsider().await;
    (bench, outsider)
}

#[tokio::test]
async fn the_database_refuses_what_the_service_never_does() {
    let (bench, mut outsider) = with_outsider().await;
    bench
        .write("k-1", Change::AdoptPolicies { hash: "sha256:0a".to_owned(), files: Default::default() })
        .await
        .unwrap();
    let statements = [
        "UPDATE log_leaf SET outcome = 'allow'",
        "INSERT INTO log_leaf SELECT * FROM log_leaf ON CONFLICT (seq) DO UPDATE SET outcome = 'allow'",
        "DELETE FROM log_leaf",
        "TRUNCATE log_leaf CASCADE",
        // A gap before it, a gap within it.
        "INSERT INTO log_leaf SELECT 3, epoch, kind, leaf, decode(repeat('00', 32), 'hex'), 'd-2', at FROM log_leaf
         WHERE seq = 0",
        "INSERT INTO log_leaf SELECT wrong.seq, epoch, kind, leaf, decode(repeat('0' || wrong.seq, 32), 'hex'), 'd-' || wrong.seq, at
         FROM log_leaf, (VALUES (2), (4)) AS wrong (seq) WHERE log_leaf.seq = 0",
        "UPDATE log_payload SET body = '{}'",
        "INSERT INTO log_payload SELECT * FROM log_payload ON CONFLICT (seq, grp) DO UPDATE SET body = '{}'",
        "TRUNCATE log_payload",
        "UPDATE log_node SET place = 7",
        "DELETE FROM log_node",
        "TRUNCATE log_node",
        "UPDATE log_checkpoint SET note = ''",
        "DELETE FROM log_checkpoint",
        "UPDATE log_head SET size = 0",
        "UPDATE log_head SET epoch = 0",
        "UPDATE log_head SET origin = 'another'",
        "DELETE FROM log_head",
        "TRUNCATE log_head",
        "UPDATE policy_bundle SET files = '{}'",
        "DELETE FROM policy_bundle",
    ];
    for statement in statements {
        let refused = sqlx::query(statement).execute(&mut outsider).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code()).expect("a code");
        assert_eq!(code, "23000", "{statement}: {refused}");
    }
    assert_eq!(bench.store.entry("d-1").await.expect("readable").expect("there").outcome, decision("d-1", 0).outcome);
}

#[tokio::test]
async fn an_entry_altered_past_the_triggers_is_not_given_out() {
    let alterations = [
        (
            "ALTER TABLE log_leaf DISABLE TRIGGER USER",
            "UPDATE log_leaf SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'deny', 'allow'), 'UTF8')",
        ),
        ("ALTER TABLE log_payload DISABLE TRIGGER USER", "UPDATE log_payload SET body = replace(body, 'b1', 'b2')"),
        ("SELECT 1", "INSERT INTO log_payload VALUES (0, 'note', decode(repeat('00', 32), 'hex'), '\"b1\"')"),
    ];
    for (past, statement) in alterations {
        let (bench, mut outsider) = with_outsider().await;
        sqlx::query(past).execute(&mut outsider).await.expect("past the triggers");
        sqlx::query(statement).execute(&mut outsider).await.expect("altered");
        let error = bench.store.entry("d-1").await.expect_err(statement);
        let text = format!("{error}: {}", std::error::Error::source(&error).expect("why"));
        assert_eq!(text, "the store cannot be read: log entry 0 is not as it was appended");
    }
}

#[tokio::test]
async fn what_was_kept_is_there_when_the_database_is_opened_again() {
    let database = Cluster::shared().database().await;
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open(&database.url, &signer).await.expect("open");
    let bench = Bench { store, key: signer.public_key(), keep: Box::new(()) };
    bench.write("w1", Change::ReplaceRegister(Box::new(register()))).await.expect("written");
    bench.write("w2", Change::PutDocument(Box::new(document("a")))).await.expect("written");
    let position = bench.store.append(keyed(decision("d-1", 2), "k", 1)).await.expect("appended");
    drop(bench);

    let store = open(&database.url, &signer).await.expect("open again");
    let snapshot = store.snapshot();
    assert_eq!((snapshot.facts_version, &snapshot.register.register), (2, &Some(register())));
    assert_eq!(store.document(&id("a")).await.expect("readable"), Some(document("a")));
    assert_eq!(store.entry("d-1").await.expect("readable").expect("there").position, position);
    assert!(matches!(store.append(keyed(entry("e"), "k", 2)).await, Err(AppendError::Repeated { .. })));
    assert_eq!(store.append(decision("d-2", 2)).await.expect("appended").index, 3);
}

#[tokio::test]
async fn what_an_earlier_version_kept_is_there_and_goes_as_it_should() {
    let database = Cluster::shared().database().await;
    let (released, _files) = former::released("postgres").await;
    let mut earlier = database.outsider().await;
    released.run(&mut earlier).await.expect("as released");
    let kept = AssertSqlSafe(former::kept(|bytes| format!("decode('{}', 'hex')", hex::encode(bytes))));
    sqlx::raw_sql(kept).execute(&mut earlier).await.expect("kept");
    earlier.close().await.expect("closed");
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open(&database.url, &signer).await.expect("brought forward");
    former::is_there_and_goes(Bench { store, key: signer.public_key(), keep: Box::new(database) }).await;
}

#[tokio::test]
async fn a_log_whose_end_was_cut_off_is_not_opened() {
    let (bench, mut outsider) = with_outsider().await;
    sqlx::raw_sql("ALTER TABLE log_leaf DISABLE TRIGGER ALL; DELETE FROM log_leaf")
        .execute(&mut outsider)
        .await
        .expect("cut");
    let refused = refusal(&database(&bench).url).await;
    assert!(matches!(refused, OpenError::HeadAndLastEntry), "{refused:?}");
}

#[tokio::test]
async fn a_database_of_a_later_version_is_not_opened() {
    let (bench, mut outsider) = with_outsider().await;
    let later = "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '', 0)";
    sqlx::query(later).execute(&mut outsider).await.expect("made");
    let refused = refusal(&database(&bench).url).await;
    assert!(matches!(refused, OpenError::Migration(_)), "{refused:?}");
}

#[tokio::test]
async fn a_database_that_would_lose_commits_is_refused() {
    let database = Cluster::shared().database().await;
    let name = &database.name;
    let mut admin = database.outsider().await;
    for weak in ["off", "local"] {
        let weaken = AssertSqlSafe(format!("ALTER DATABASE {name} SET synchronous_commit = {weak}"));
        sqlx::query(weaken).execute(&mut admin).await.expect("set");
        let signer = Arc::new(Signer::fleeting().expect("a key"));
        let opened = open(&database.url, &signer).await.err().map(|refused| refused.to_string());
        let expected = "the database would not keep what it acknowledges: `synchronous_commit` is `off`";
        assert_eq!(opened.as_deref(), (weak == "off").then_some(expected));
    }
}

#[tokio::test]
async fn a_database_that_does_not_keep_unicode_is_refused() {
    let cluster = Cluster::shared();
    let make = "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C'";
    sqlx::query(make).execute(&mut cluster.admin().await).await.expect("made");
    let refused = refusal(&cluster.url(OWNER, "latin")).await.to_string();
    assert_eq!(refused, "the database server cannot be used: `server_encoding` is `LATIN1`");
}

#[tokio::test]
async fn a_server_that_would_lose_commits_or_cannot_be_written_is_refused() {
    let cluster = Cluster::start();
    let database = cluster.database().await;
    for (setting, expected) in [
        ("fsync", "the database would not keep what it acknowledges: `fsync` is `off`"),
        ("full_page_writes", "the database would not keep what it acknowledges: `full_page_writes` is `off`"),
    ] {
        cluster.down();
        cluster.set(&format!("{setting} = off\n"));
        cluster.up();
        assert_eq!(refusal(&database.url).await.to_string(), expected);
        cluster.set(&format!("{setting} = on\n"));
    }
    cluster.down();
    cluster.make_standby();
    cluster.up();
    let refused = refusal(&database.url).await.to_string();
    assert_eq!(refused, "the database server cannot be used: `pg_is_in_recovery` is `true`");
}

#[tokio::test]
async fn an_address_that_cannot_be_opened_is_refused_in_words_without_the_password() {
    let cluster = Cluster::shared();
    let database = cluster.database().await;
    let (port, name) = (cluster.port, &database.name);
    let address = "a database address is `sqlite://FILE` or `postgres://…`";
    let refusals = [
        ("postgres://".to_owned(), address),
        ("postgresql://pinkpaper:s3cret@local host/log".to_owned(), address),
        (format!("postgres://{OWNER}:s3cret@127.0.0.1:{port}/{name}?pasword=s3cret"), address),
        (format!("postgres://{OWNER}:s3cret@127.0.0.1:{port}/{name}?sslmode=s3cret"), address),
        (format!("postgres://{OWNER}:s3cret@127.0.0.1:{port}/none"), "the database cannot be opened"),
        (format!("postgres://nobody:s3cret@127.0.0.1:{port}/{name}"), "the database cannot be opened"),
        (format!("postgres://{OWNER}:s3cret@127.0.0.1:1/{name}"), "the database cannot be opened"),
        // The server has no certificate.
        (format!("{}?sslmode=require", database.url), "the database cannot be opened"),
    ];
    for (address, expected) in refusals {
        let refused = refusal(&address).await;
        assert_eq!(refused.to_string(), expected, "{address}");
        assert!(!format!("{refused:?}").contains("s3cret"), "{refused:?}");
    }
    let socket = format!("postgres://{OWNER}@{}:{port}/{name}", cluster.socket());
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    open(&socket, &signer).await.expect("by the socket in the file system");
}

#[tokio::test]
async fn a_server_is_held_to_its_certificate() {
    let cluster = Cluster::start();
    let certificate = cluster.data().join("server.crt");
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=pinkpaper.invalid", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(cluster.data().join("server.key"))
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl, which the Debian package of PostgreSQL brings");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    cluster.own(&["server.key", "server.crt"]);
    cluster.set("ssl = on\n");
    cluster.down();
    cluster.up();
    let database = cluster.database().await;
    let known = format!("{}?sslmode=verify-full&sslrootcert={}", database.url, certificate.display());
    let store = open(&known, &Arc::new(Signer::fleeting().expect("a key"))).await.expect("its certificate is known");
    store.append(entry("e-1")).await.expect("appended");
    let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                 WHERE datname = $1 AND application_name = 'pinkpaper' AND NOT ssl";
    let plain: i64 =
        sqlx::query_scalar(plain).bind(&database.name).fetch_one(&mut cluster.admin().await).await.expect("counted");
    assert_eq!(plain, 0, "no connection is plain");
    let refused = refusal(&format!("{}?sslmode=verify-full", database.url)).await;
    assert_eq!(refused.to_string(), "the database cannot be opened", "whoever signed it is not known here");
    PgConnection::connect(&format!("{}?sslmode=require", database.url)).await.expect("unless nobody asks who it is");
}

#[tokio::test]
async fn the_log_is_read_beside_those_who_append() {
    let bench = fresh().await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let beside = read(&database(&bench).url, PATIENCE).await.expect("open");
    bench.store.append(decision("d-2", 0)).await.expect("the reader is in nobody's way");
    assert_eq!(beside.raw(0, 10).await.expect("readable").len(), 2);
    assert_eq!(beside.indexes(None, None).await.expect("readable"), 0..2);
}

#[tokio::test]
async fn a_database_without_the_tables_of_this_version_is_not_read() {
    let database = Cluster::shared().database().await;
    let refused = read(&database.url, PATIENCE).await.map(|_| ());
    assert!(matches!(refused, Err(OpenError::OtherVersion)), "{refused:?}");
}
