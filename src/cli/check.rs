//! `pinkpaper check`: what a start would find, without starting: nothing is made, locked, brought forward or listened on.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use serde::Serialize;

use super::{Failure, Service, UNWATCHED, chain, checkpoint_file, checkpoint_key_file, key_file, say, source};
use crate::{
    audit::key::Signer,
    config::Config,
    domain::register::Register,
    http::{body, problem::Problem, schemas::Schemas, tls::Certificate},
    store::{self, Condition},
};

/// Check configuration, policies, database and register file as a start would, without starting.
///
/// Nothing is made or changed, and a running service is not disturbed. Exits 0 if nothing was found that would keep the service
/// from starting, 1 if something was. It does not ask the identity provider, witnesses or a collector, and does not look through the
/// log: `pinkpaper log status` tells whether that goes on from what was signed.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    service: Service,
    /// A whole register (JSON), as `PUT /v1/register` takes it and `pinkpaper register export` writes it.
    #[arg(long, value_name = "FILE")]
    register: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Ok,
    /// The service starts, but somebody should know.
    Warning,
    /// The service does not start.
    Fault,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
        })
    }
}

#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    told: String,
}

impl Finding {
    fn of(what: &'static str, found: Result<String, Failure>) -> Self {
        match found {
            Ok(told) => Self { what, state: State::Ok, told },
            Err(error) => Self { what, state: State::Fault, told: chain(error.as_ref()) },
        }
    }

    fn warning(what: &'static str, told: &str) -> Self {
        Self { what, state: State::Warning, told: told.to_owned() }
    }
}

#[actix_web::main]
pub(super) async fn run(check: &Check) -> Result<ExitCode, Failure> {
    let found = findings(check).await;
    let is_sound = found.iter().all(|finding| finding.state != State::Fault);
    if check.json {
        say(&format!("{:#}\n", serde_json::json!({"sound": is_sound, "findings": found})));
    } else {
        for Finding { what, state, told } in &found {
            say(&format!("{state:<8} {what:<14} {}\n", told.replace('\n', "\n                        ")));
        }
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn findings(check: &Check) -> Vec<Finding> {
    let config = match check.service.config() {
        Ok(config) => config,
        Err(error) => return vec![Finding::of("configuration", Err(error))],
    };
    let told = format!("profile {}, log {}", config.profile, config.log_name());
    let mut found = vec![Finding::of("configuration", Ok(told)), callers(&config)];
    found.extend(tls(&config));
    found.push(Finding::of("policies", policies(&config)));
    found.push(Finding::of("receipt key", key(Path::new(&key_file(&config)))));
    found.push(Finding::of("checkpoint key", key(Path::new(&checkpoint_key_file(&config)))));
    found.push(Finding::of("database", database(&config).await));
    found.extend(checkpoint_file(&config).is_none().then(|| Finding::warning("checkpoint", UNWATCHED)));
    found.extend(check.register.as_deref().map(|file| Finding::of("register", register(file))));
    found
}

fn callers(config: &Config) -> Finding {
    match (config.auth.api_keys.len(), &config.auth.oidc) {
        (0, None) => Finding::warning("callers", "nobody may call: there are no API keys and no identity provider"),
        (keys, oidc) => {
            let tokens = oidc.as_ref().map(|oidc| format!(", tokens of {}", oidc.issuer)).unwrap_or_default();
            Finding::of("callers", Ok(format!("{keys} API keys{tokens}")))
        }
    }
}

fn tls(config: &Config) -> Option<Finding> {
    if let Some((certificate, key)) = config.tls.files() {
        let opened = Certificate::open(certificate, key);
        let opened = opened.map(|_| certificate.display().to_string()).map_err(Failure::from);
        return Some(Finding::of("tls", opened));
    }
    let outside = !config.listen.ip().is_loopback();
    outside.then(|| Finding::warning("tls", "plain HTTP: something before the service must end TLS"))
}

fn policies(config: &Config) -> Result<String, Failure> {
    let bundle = source(config).load()?;
    let book = bundle.book(&config.profile);
    let book = book.ok_or_else(|| format!("profile `{}` is not among the policies", config.profile))?;
    Ok(format!("{}, {} policies in profile {}", bundle.hash, book.rules().len(), config.profile))
}

fn key(file: &Path) -> Result<String, Failure> {
    if !file.exists() {
        let home = file.parent().filter(|home| !home.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return match home.is_dir() {
            true => Ok(format!("{} is made by the first start", file.display())),
            false => Err(format!("{} cannot be made: there is no such directory", file.display()).into()),
        };
    }
    Signer::open(file)?;
    Ok(file.display().to_string())
}

async fn database(config: &Config) -> Result<String, Failure> {
    let found = store::look(&config.database_url, store::Options::PATIENCE).await?;
    Ok(match found {
        Condition::Absent => "there is none yet: the first start makes it",
        Condition::OtherForm => "of another version: a start, or `pinkpaper database prepare`, brings it forward",
        Condition::Ready => "ready for this version",
    }
    .to_owned())
}

fn register(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let schemas = Schemas::load()?;
    let read = body::strict(&text).and_then(|value| body::typed::<Register>(value, &schemas, "register"));
    let register = read.map_err(|problem| in_words(file, problem))?;
    let (people, bodies) = (register.people.len(), register.bodies.len());
    Ok(format!("{}: {people} people, {bodies} bodies", file.display()))
}

/// The faults of a message, one to a line.
pub(super) fn in_words(file: &Path, problem: Problem) -> Failure {
    let Problem::Invalid(faults) = problem else { return format!("{}: {problem}", file.display()).into() };
    let faults: Vec<String> = faults.iter().map(|fault| format!("{} {}", fault.pointer, fault.message)).collect();
    format!("{} is refused:\n{}", file.display(), faults.join("\n")).into()
}
