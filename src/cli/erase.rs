//! `pinkpaper log erase`: applies the retention schedule now; and the task by which the service does so once a day.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use serde_json::json;

use super::{Failure, chain, opened, say};
use crate::{
    app::App,
    config::{Config, Flags},
};

/// How often the service looks for what is due.
const DAILY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where facts and log are kept.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Count what is due, and erase nothing.
    #[arg(long)]
    dry_run: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

impl Erase {
    /// Erases what is due, and rewrites the files so that nothing of it is left in them.
    #[actix_web::main]
    pub async fn run(&self) -> Result<(), Failure> {
        let flags = Flags { database_url: self.database_url.clone(), ..Flags::default() };
        let app = opened(&Config::read(self.config.as_deref(), &flags)?).await?;
        // What is not the log that was signed is not to be added to.
        app.resume().await?;
        let counts = app.erase_due(self.dry_run).await?;
        let entries: u64 = counts.values().sum();
        let clean = !self.dry_run && app.scrub(true).await;
        if self.json {
            let by_class: serde_json::Map<_, _> =
                counts.iter().map(|(class, count)| (class.word().to_owned(), json!(count))).collect();
            let told = json!({"dry_run": self.dry_run, "entries": entries, "by_class": by_class, "files_clean": clean});
            say(&format!("{told:#}\n"));
            return Ok(());
        }
        say(&format!("{entries} entries {}\n", if self.dry_run { "would be erased" } else { "erased" }));
        for (class, count) in counts.iter().filter(|(_, count)| **count > 0) {
            say(&format!("  {class:<15} {count}\n"));
        }
        if !self.dry_run && !clean {
            return Err(
                "fragments of what was erased may be left in the files: run it again when nobody reads them, and on \
                 PostgreSQL as the owner of the tables"
                    .into(),
            );
        }
        Ok(())
    }
}

/// Applies the schedule as the service starts and every day after, for as long as the process lives.
pub(super) fn daily(app: Arc<App>) {
    tokio::spawn(async move {
        let mut days = tokio::time::interval(DAILY);
        loop {
            days.tick().await;
            match app.erase_due(false).await {
                Ok(counts) => {
                    let entries: u64 = counts.values().sum();
                    tracing::info!(entries, "the retention schedule was applied");
                    if entries > 0 {
                        app.scrub(false).await;
                    }
                }
                Err(error) => tracing::error!(error = chain(&error), "the retention schedule was not applied"),
            }
        }
    });
}
