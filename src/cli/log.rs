//! `pinkpaper log …`: checks an export, and looks after the log from outside the service.

use std::{
    fs::File,
    io::{self, BufReader, IsTerminal, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;

use super::{Failure, Service, opened, say};
use crate::audit::{
    checkpoint::Trusted,
    verify::{Trust, verify},
    witness::WitnessKey,
};

/// How often progress is shown, in entries.
const STRIDE: u64 = 10_000;

#[derive(Debug, Subcommand)]
pub(super) enum LogVerb {
    /// Check an export (NDJSON) without database or network. Exits 0 with `verified: N entries`, 1 with the verdict.
    Verify {
        /// The export, as `GET /v1/log/export` gives it.
        file: PathBuf,
        /// The log's public key, kept from `GET /v1/log/key`: is it the one the export is signed with?
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
        /// A checkpoint kept from earlier (may be repeated): does the log still go on from it?
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// The public key line of a witness (may be repeated): has it countersigned the export's checkpoint?
        #[arg(long, value_name = "KEY")]
        witness: Vec<String>,
        /// What was found, as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Go on with a log that lost entries (a restored backup) in a new epoch, which says so. The service must be stopped.
    Epoch {
        #[command(flatten)]
        service: Service,
        /// Why, for those who read the log later.
        #[arg(long)]
        reason: String,
    },
}

pub(super) fn run(verb: LogVerb) -> Result<ExitCode, Failure> {
    match verb {
        LogVerb::Verify { file, key, checkpoint, witness, json } => {
            let witnesses = witness.iter().map(|line| of_witness(line)).collect::<Result<_, _>>()?;
            check(&file, key.as_deref(), &checkpoint, witnesses, json)
        }
        LogVerb::Epoch { service, reason } => open_epoch(&service, &reason),
    }
}

fn check(
    file: &Path,
    key: Option<&Path>,
    checkpoints: &[PathBuf],
    witnesses: Vec<WitnessKey>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let trust = Trust {
        key: key.map(trusted).transpose()?,
        checkpoints: checkpoints.iter().map(|file| read(file)).collect::<Result<_, _>>()?,
        witnesses,
    };
    let open = || File::open(file).map(BufReader::new);
    open().map_err(|error| format!("{}: {error}", file.display()))?;
    let shows = io::stderr().is_terminal();
    let progress = |entries: u64| {
        if shows && entries.is_multiple_of(STRIDE) {
            // Nobody is hurt by progress that cannot be shown.
            let _ = write!(io::stderr(), "\r{entries} entries");
        }
    };
    let found = verify(open, &trust, progress);
    if shows {
        let _ = write!(io::stderr(), "\r");
    }
    match found {
        Ok(verified) if json => say(&format!("{}\n", serde_json::to_string(&verified)?)),
        Ok(verified) => say(&format!("{verified}\n")),
        Err(verdict) => {
            let told = verdict.to_string();
            let told = if json { serde_json::json!({"verdict": told}).to_string() } else { told };
            say(&format!("{told}\n"));
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn trusted(file: &Path) -> Result<Trusted, Failure> {
    let line = read(file)?;
    Trusted::parse(&line).ok_or_else(|| format!("{} does not hold the public key of a log", file.display()).into())
}

fn of_witness(line: &str) -> Result<WitnessKey, Failure> {
    WitnessKey::parse(line).ok_or_else(|| format!("`{line}` is not the public key of a witness").into())
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()).into())
}

#[actix_web::main]
async fn open_epoch(service: &Service, reason: &str) -> Result<ExitCode, Failure> {
    let app = opened(&service.config()?).await?;
    match app.open_epoch(reason).await? {
        Some(signed) => say(&format!("epoch {} is open from entry {}\n", signed.epoch, signed.checkpoint.size - 1)),
        None => {
            say("the log goes on from its last checkpoint: there is nothing to open\n");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}
