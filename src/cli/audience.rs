//! `pinkpaper audience`: for whom a paper is, as `POST /v1/audience` lists it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{Failure, Service, opened, say};
use crate::{
    app::{Caller, audience::Asked},
    domain::{
        id::Id,
        words::{Action, CallerRole},
    },
    http::audience::table,
};

/// List everyone of the register with what they would get of one registered paper, on record.
///
/// The list gives nobody access. A SQLite file that a service holds is not opened: ask that service.
#[derive(Debug, Args)]
pub(super) struct Audience {
    #[command(flatten)]
    service: Service,
    /// The registered document.
    #[arg(long, value_name = "ID")]
    document: String,
    /// What they would do with it: `read`, `disclose`, …
    #[arg(long, default_value = "read")]
    action: Action,
    /// As JSON; left out: as a table for a spreadsheet.
    #[arg(long)]
    json: bool,
}

#[actix_web::main]
pub(super) async fn run(audience: &Audience) -> Result<ExitCode, Failure> {
    let document = Id::try_from(audience.document.clone())?;
    let app = opened(&audience.service.config()?).await?;
    app.resume().await?;
    if app.store.current().await?.policies.is_none() {
        app.start_policies().await?;
    }
    let caller =
        Caller { name: "command line".to_owned(), roles: vec![CallerRole::Officer], person: None, personal: false };
    let listed = app.audience(&caller, &Asked { document, action: audience.action, purpose: None }).await?;
    app.checkpoint().await?;
    say(&if audience.json { format!("{:#}\n", json!(listed)) } else { table(&listed) });
    Ok(ExitCode::SUCCESS)
}
