//! `pinkpaper decide`: one question from a file, answered and recorded as over HTTP.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde_json::json;

use super::{Failure, Service, check::in_words, opened, say};
use crate::{
    app::Caller,
    domain::{
        question::Request,
        words::{CallerRole, Outcome},
    },
    http::{body, schemas::Schemas},
};

/// A question is no larger.
const LARGEST: u64 = 1 << 20;

/// Answer one question from a file, on record, as `POST /v1/decisions` does.
///
/// It is decided under the policies in force, which are those of the configuration where none have been yet. The answer is
/// printed as JSON. Exits 0 for `allow`, 3 for `redact`, 4 for `deny`, 1 where there is no answer and 2 for a
/// wrong flag, so that whatever goes on only after 0 opens nothing else. A SQLite file that a service holds is not opened:
/// ask that service.
#[derive(Debug, Args)]
pub(super) struct Decide {
    #[command(flatten)]
    service: Service,
    /// The question (JSON); `-` for standard input.
    question: PathBuf,
}

#[actix_web::main]
pub(super) async fn run(decide: &Decide) -> Result<ExitCode, Failure> {
    let question = question(&decide.question)?;
    let config = decide.service.config()?;
    let app = opened(&config).await?;
    app.resume().await?;
    if app.store.current().await?.policies.is_none() {
        app.start_policies().await?;
    }
    let decision = app.decide(&caller(), question, None).await?;
    app.checkpoint().await?;
    say(&format!("{:#}\n", json!(decision)));
    Ok(match decision.outcome {
        Outcome::Allow => ExitCode::SUCCESS,
        Outcome::Redact => ExitCode::from(3),
        Outcome::Deny => ExitCode::from(4),
    })
}

/// Whoever may open the database asks as a document system does.
fn caller() -> Caller {
    Caller { name: "command line".to_owned(), roles: vec![CallerRole::Pep], person: None, personal: false }
}

fn question(file: &Path) -> Result<Request, Failure> {
    let mut text = Vec::new();
    let failed = |error: std::io::Error| format!("{}: {error}", file.display());
    if file == Path::new("-") {
        std::io::stdin().take(LARGEST).read_to_end(&mut text).map_err(failed)?;
    } else {
        std::fs::File::open(file).and_then(|open| open.take(LARGEST).read_to_end(&mut text)).map_err(failed)?;
    }
    let schemas = Schemas::load()?;
    let read = body::strict(&text).and_then(|value| body::typed(value, &schemas, "decision-request"));
    read.map_err(|problem| in_words(file, problem))
}
