//! The roles of `deploy/postgresql/roles.sql`: the service runs as one that can append and no more.

use std::{sync::Arc, time::Duration};

use pinkpaper::{audit::key::Signer, store};
use sqlx::{Connection as _, PgConnection};

use crate::{
    cluster::{Cluster, Database},
    keeping::*,
    postgres::{database, open},
    support::*,
};

const ROLES: &str = include_str!("../../deploy/postgresql/roles.sql");
const PATIENCE: Duration = Duration::from_secs(20);

suite!(crate::rights::as_the_service);

/// As `deploy/README.md` says: roles, tables, rights, service.
pub async fn as_the_service() -> Bench {
    let cluster = Cluster::shared();
    let database = cluster.database().await;
    grant(&database).await;
    store::prepare(&cluster.url("pinkpaper_owner", &database.name), PATIENCE).await.expect("prepared");
    grant(&database).await;
    let url = cluster.url("pinkpaper_service", &database.name);
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open(&url, &signer).await.expect("open");
    Bench { store, key: signer.public_key(), keep: Box::new(database) }
}

/// One at a time: roles belong to the whole server.
async fn grant(database: &Database) {
    static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
    let _one = ONE.lock().await;
    sqlx::raw_sql(ROLES).execute(&mut database.outsider().await).await.expect("granted");
}

async fn connected(role: &str, bench: &Bench) -> PgConnection {
    PgConnection::connect(&Cluster::shared().url(role, &database(bench).name)).await.expect("connected")
}

/// Refused for want of a right, not by a trigger.
async fn is_denied(connection: &mut PgConnection, statement: &'static str) {
    let refused = sqlx::query(statement).execute(connection).await.err().unwrap_or_else(|| panic!("{statement}"));
    let code = refused.as_database_error().and_then(|error| error.code()).expect("a code");
    assert_eq!(code, "42501", "{statement}: {refused}");
}

#[tokio::test]
async fn the_service_can_append_to_the_log_and_change_nothing_in_it() {
    let bench = as_the_service().await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let mut service = connected("pinkpaper_service", &bench).await;
    for statement in [
        "UPDATE log_leaf SET outcome = 'allow'",
        "DELETE FROM log_leaf",
        "TRUNCATE log_leaf CASCADE",
        "UPDATE log_payload SET body = '{}'",
        "TRUNCATE log_payload",
        "UPDATE log_node SET hash = ''",
        "DELETE FROM log_node",
        "UPDATE log_checkpoint SET note = ''",
        "DELETE FROM log_checkpoint",
        "DELETE FROM log_erased",
        "UPDATE log_erased SET erasure = 'another'",
        "DELETE FROM log_erased_group",
        "UPDATE log_erased_group SET grp = 'another'",
        "UPDATE log_hold SET person = NULL",
        "DELETE FROM log_retention",
        "UPDATE log_head SET id = 1",
        "DELETE FROM log_head",
        "TRUNCATE log_head",
        "UPDATE policy_bundle SET files = '{}'",
        "DELETE FROM policy_bundle",
        "UPDATE determination SET body = '{}'",
        "TRUNCATE determination",
        "DELETE FROM referral",
        "INSERT INTO _sqlx_migrations VALUES (9999, 'later', now(), TRUE, '', 0)",
        "CREATE TABLE another (id BIGINT)",
        "CREATE TEMPORARY TABLE log_leaf (seq BIGINT)",
        "CREATE SCHEMA another",
        "CREATE FUNCTION another() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "ALTER TABLE log_leaf DISABLE TRIGGER ALL",
        "DROP TRIGGER log_leaf_is_never_updated ON log_leaf",
        "DROP TABLE log_payload",
        "SET session_replication_role = replica",
    ] {
        is_denied(&mut service, statement).await;
    }
    // What it may take away it may not take away in silence.
    for statement in ["DELETE FROM log_payload", "DELETE FROM log_search", "DELETE FROM log_search_rule"] {
        let refused = sqlx::query(statement).execute(&mut service).await.expect_err(statement);
        let code = refused.as_database_error().and_then(|error| error.code()).expect("a code");
        assert_eq!(code, "23000", "{statement}: {refused}");
    }
}

#[tokio::test]
async fn the_service_takes_nothing_but_what_an_erasure_of_that_moment_names() {
    let bench = as_the_service().await;
    bench.partly_erased().await;
    let mut service = connected("pinkpaper_service", &bench).await;
    for pretence in PRETENCES {
        let mut transaction = service.begin().await.expect("begun");
        let mut refused = None;
        for statement in pretence.iter().filter(|statement| **statement != "COMMIT") {
            match sqlx::query(*statement).execute(&mut *transaction).await {
                Ok(done) => assert_ne!(done.rows_affected(), 0, "{statement}"),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        let refused = match refused {
            Some(error) => error,
            None => transaction.commit().await.expect_err("refused at the end"),
        };
        let code = refused.as_database_error().and_then(|error| error.code()).expect("a code");
        assert_eq!(code, "23000", "{pretence:?}: {refused}");
    }
    bench.is_partly_erased().await;
}

#[tokio::test]
async fn the_service_deletes_no_determination_before_it_is_out_of_force_and_its_record_erased() {
    let bench = as_the_service().await;
    bench.determinations_of_all_sorts().await;
    let mut service = connected("pinkpaper_service", &bench).await;
    for (statement, why) in DETERMINATIONS_THAT_STAY {
        let refused = sqlx::query(statement).execute(&mut service).await.expect_err(statement);
        assert!(refused.to_string().contains(why), "{statement}: {refused}");
    }
    sqlx::query("DELETE FROM determination WHERE id = 'past'")
        .execute(&mut service)
        .await
        .expect("as the service does");
    assert_eq!(bench.determinations().await.len(), 4);
}

#[tokio::test]
async fn the_reader_sees_leaves_and_checkpoints_and_nothing_personal() {
    let bench = as_the_service().await;
    bench.store.append(decision("d-1", 0)).await.expect("appended");
    let mut reader = connected("pinkpaper_reader", &bench).await;
    let leaves: i64 = sqlx::query_scalar("SELECT count(*) FROM log_leaf").fetch_one(&mut reader).await.expect("seen");
    sqlx::query("SELECT * FROM log_checkpoint").execute(&mut reader).await.expect("seen");
    assert_eq!(leaves, 1);
    for statement in [
        "SELECT body FROM log_payload",
        "SELECT person FROM log_search",
        "SELECT key FROM log_idempotency",
        "SELECT body FROM register_object",
        "SELECT person FROM referral",
        "INSERT INTO log_leaf SELECT * FROM log_leaf",
        "CREATE TABLE another (id BIGINT)",
    ] {
        is_denied(&mut reader, statement).await;
    }
}

#[tokio::test]
async fn a_service_that_may_only_append_does_not_start_before_the_tables_are_made() {
    let cluster = Cluster::shared();
    let database = cluster.database().await;
    grant(&database).await;
    let url = cluster.url("pinkpaper_service", &database.name);
    let refused = open(&url, &Arc::new(Signer::fleeting().expect("a key"))).await.err().expect("refused");
    assert!(matches!(refused, store::OpenError::Migration(_)), "{refused:?}");
}

#[tokio::test]
async fn rights_once_given_to_all_are_taken_back() {
    let bench = as_the_service().await;
    let mut owner = database(&bench).outsider().await;
    sqlx::raw_sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC, pinkpaper_service")
        .execute(&mut owner)
        .await
        .expect("given");
    grant(database(&bench)).await;
    is_denied(&mut connected("pinkpaper_service", &bench).await, "UPDATE log_payload SET body = '{}'").await;
}
