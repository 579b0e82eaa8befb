//! What is PostgreSQL's own: several replicas on one log, its triggers, its settings, its faults.

use std::{sync::Arc, time::Duration};

use pinkpaper::{
    audit::{DecisionLog, key::Signer},
    store::{OpenError, Options, connect},
};

use crate::{
    cluster::{Cluster, Database},
    support::*,
};

suite!(crate::postgres::fresh);

/// Long enough for a busy machine; shortened where a test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(500);

pub async fn fresh() -> Bench {
    fresh_on(Cluster::shared(), PATIENCE).await
}

async fn fresh_on(cluster: &Cluster, patience: Duration) -> Bench {
    let database = cluster.database().await;
    let signer = Arc::new(Signer::fleeting().expect("a key"));
    let store = open_with(&database.url, &signer, patience).await.expect("open");
    Bench { store, key: signer.public_key(), keep: Box::new(database) }
}

pub async fn open(url: &str, signer: &Arc<Signer>) -> Result<Arc<dyn DecisionLog>, OpenError> {
    open_with(url, signer, PATIENCE).await
}

async fn open_with(url: &str, signer: &Arc<Signer>, patience: Duration) -> Result<Arc<dyn DecisionLog>, OpenError> {
    connect(url, Options { patience, ..Options::new(ORIGIN, Arc::clone(signer)) }).await
}

fn database(bench: &Bench) -> &Database {
    bench.keep.downcast_ref().expect("a database")
}
