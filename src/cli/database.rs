//! `pinkpaper database …`: what is done to the database before the service is started on it.

use clap::Subcommand;

use super::{Failure, Service, say};
use crate::store;

#[derive(Debug, Subcommand)]
pub(super) enum DatabaseVerb {
    /// Make the tables ready for this version, as who owns them; the service then needs no right to. Safe to repeat.
    Prepare {
        #[command(flatten)]
        service: Service,
    },
}

pub(super) fn run(DatabaseVerb::Prepare { service }: DatabaseVerb) -> Result<(), Failure> {
    prepare(&service)
}

#[actix_web::main]
async fn prepare(service: &Service) -> Result<(), Failure> {
    let config = service.config()?;
    store::prepare(&config.database_url, store::Options::PATIENCE).await?;
    say("the database is ready for this version\n");
    Ok(())
}
