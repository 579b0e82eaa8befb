//! `pinkpaper log …`: checks an export, and looks after the log from outside the service.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, IsTerminal, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Subcommand;
use jiff::{Timestamp, civil::Date};
use signed_note::Note;

use super::{Failure, Service, erase::Erase, opened, say};
use crate::{
    app::{
        evidence::{self, Only, Wanted},
        export::Format,
    },
    audit::{
        LogReader,
        checkpoint::{Checkpoint, Trusted},
        entry::Leaf,
        export::View,
        verify::{Trust, verify},
        witness::WitnessKey,
    },
    domain::calendar::london_midnight,
    store,
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
        /// Take the log's word that entries a kept checkpoint signs were lost, and that it goes on in another epoch.
        #[arg(long)]
        accept_loss: bool,
        /// What was found, as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Write the log to a file, as `GET /v1/log/export` does. With SQLite the service must be stopped.
    Export {
        #[command(flatten)]
        service: Service,
        /// Evidence or a table: `ndjson` or `csv`.
        #[arg(long, default_value = "ndjson")]
        format: Format,
        /// All of it, or what may be released: `full` or `foi`.
        #[arg(long, default_value = "full", value_parser = view_of)]
        view: View,
        /// First day, in London.
        #[arg(long, value_name = "DAY")]
        from: Option<Date>,
        /// Last day, in London.
        #[arg(long, value_name = "DAY")]
        to: Option<Date>,
        /// The file to write; there must be none of that name yet.
        file: PathBuf,
    },
    /// Say how long the log is, how much of it is signed, and whether it goes on from what was signed last. Exits 1 if not.
    Status {
        #[command(flatten)]
        service: Service,
        /// As JSON.
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
        /// A checkpoint kept outside the database (may be repeated), such as was posted or countersigned: has the log lost
        /// what it signs? With PostgreSQL and no `log.checkpoint_file` nothing else can tell.
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
    },
    /// Erase what is personal in entries whose period is over, and leave nothing of it in the files. The service must
    /// be stopped.
    Erase(Erase),
}

pub(super) fn run(verb: LogVerb) -> Result<ExitCode, Failure> {
    match verb {
        LogVerb::Verify { file, key, checkpoint, witness, accept_loss, json } => {
            let trust = Trust {
                key: key.as_deref().map(trusted).transpose()?,
                checkpoints: checkpoint.iter().map(|file| read(file)).collect::<Result<_, _>>()?,
                witnesses: witness.iter().map(|line| of_witness(line)).collect::<Result<_, _>>()?,
                accepts_loss: accept_loss,
            };
            check(&file, &trust, json)
        }
        LogVerb::Erase(erase) => erase.run().map(|()| ExitCode::SUCCESS),
        LogVerb::Export { service, format, view, from, to, file } => {
            let to = to.and_then(|day| day.tomorrow().ok());
            let wanted = Wanted {
                view,
                from: from.and_then(london_midnight),
                to: to.and_then(london_midnight),
                only: Only::default(),
            };
            write(&service, wanted, format, &file)
        }
        LogVerb::Status { service, json } => status(&service, json),
        LogVerb::Epoch { service, reason, checkpoint } => open_epoch(&service, &reason, &checkpoint),
    }
}

fn check(file: &Path, trust: &Trust, json: bool) -> Result<ExitCode, Failure> {
    let export = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let shows = io::stderr().is_terminal();
    let progress = |entries: u64| {
        if shows && entries.is_multiple_of(STRIDE) {
            // Nobody is hurt by progress that cannot be shown.
            let _ = write!(io::stderr(), "\r{entries} entries");
        }
    };
    let found = verify(BufReader::new(export), trust, progress);
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
async fn open_epoch(service: &Service, reason: &str, outside: &[PathBuf]) -> Result<ExitCode, Failure> {
    let outside: Vec<String> = outside.iter().map(|file| read(file)).collect::<Result<_, _>>()?;
    let app = opened(&service.config()?).await?;
    match app.open_epoch(reason, &outside).await? {
        Some(signed) => say(&format!("epoch {} is open from entry {}\n", signed.epoch, signed.checkpoint.size - 1)),
        None => {
            say("the log goes on from every checkpoint known here: there is nothing to open\n");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn view_of(word: &str) -> Result<View, &'static str> {
    serde_json::from_value(word.into()).map_err(|_| "must be `full` or `foi`")
}

#[actix_web::main]
async fn write(service: &Service, wanted: Wanted, format: Format, file: &Path) -> Result<ExitCode, Failure> {
    let app = opened(&service.config()?).await?;
    app.resume().await?;
    let told = |error: io::Error| format!("{}: {error}", file.display());
    let mut out = BufWriter::new(File::create_new(file).map_err(told)?);
    let mut exporter = app.export_by_operator(wanted, format).await?;
    while let Some(lines) = app.more(&mut exporter).await? {
        out.write_all(lines.as_bytes()).map_err(told)?;
    }
    out.flush().and_then(|()| out.get_ref().sync_all()).map_err(told)?;
    Ok(ExitCode::SUCCESS)
}

/// How the log stands.
#[derive(serde::Serialize)]
struct Standing {
    entries: u64,
    epoch: u64,
    last_entry_at: Option<Timestamp>,
    /// How many entries the newest checkpoint signs; none was signed yet: 0.
    signed: u64,
    /// Whether the log begins with the entries that were signed last.
    goes_on: bool,
}

#[actix_web::main]
async fn status(service: &Service, json: bool) -> Result<ExitCode, Failure> {
    let log = store::read(&service.config()?.database_url, store::Options::PATIENCE).await?;
    let standing = standing(&*log).await?;
    if json {
        say(&format!("{}\n", serde_json::to_string(&standing)?));
    } else {
        let at = standing.last_entry_at.map(|at| format!(", the last at {at}")).unwrap_or_default();
        let goes_on = if standing.goes_on { "and goes on from them" } else { "and does NOT go on from them" };
        let (entries, epoch, signed) = (standing.entries, standing.epoch, standing.signed);
        say(&format!("epoch {epoch}: {entries} entries{at}\n{signed} entries are signed, {goes_on}\n"));
    }
    Ok(if standing.goes_on { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn standing(log: &dyn LogReader) -> Result<Standing, Failure> {
    let head = log.head().await?;
    let entries = head.peaks.size();
    let last = log.raw(entries.saturating_sub(1), 1).await?.pop();
    let last: Option<Leaf> = last.and_then(|raw| serde_json::from_slice(&raw.leaf).ok());
    let signed = match log.checkpoint().await?.filter(|kept| kept.epoch == head.epoch) {
        Some(kept) => Note::from_bytes(kept.note.as_bytes()).ok().as_ref().and_then(Checkpoint::of),
        None => None,
    };
    let goes_on = match &signed {
        Some(signed) => evidence::goes_on(log, &head, signed).await?,
        None => true,
    };
    let signed = signed.map_or(0, |signed| signed.size);
    Ok(Standing { entries, epoch: head.epoch, last_entry_at: last.map(|leaf| leaf.at), signed, goes_on })
}
