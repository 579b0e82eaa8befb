//! The command line: reads the configuration, opens the store, and starts the service.
//!
//! The only place that knows which store there is.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

mod audience;
mod check;
mod database;
mod decide;
mod erase;
mod log;
mod prove;
mod register;
mod reload;
mod replay;
mod report;

use clap::{Args, CommandFactory, Parser, Subcommand};

use crate::{
    app::{App, Caller, conflicts::conflicts, evidence, policies::Source, rounds},
    audit::{DecisionLog, checkpoint::Notary, key::Signer, publish::CheckpointFile},
    auth::{ApiKey, Callers, Issuer, Keys, rate::Rate},
    clock::{Clock, SystemClock},
    config::{Config, Flags},
    demo,
    http::{self, DocsExamples, Limits, Shared, health, tls::Certificate},
    pap::{Bundle, PolicyFiles, accounting, reference},
    publish::Publisher,
    store, telemetry,
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Who may see which council paper, why, and on record.
///
/// Commands exit 0 when they did what they are for, 1 when they could not or found what they look for (an altered log, a
/// decision that is not repeatable, a fault in the configuration), 2 for a wrong command or flag. `decide` says more.
#[derive(Debug, Parser)]
#[command(name = "pinkpaper", version, about, max_term_width = 100)]
struct Command {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start with the demonstration council and print one token per role (what happens without a command).
    Demo(Service),
    /// Start the service.
    Serve(Service),
    Audience(audience::Audience),
    Check(check::Check),
    Decide(decide::Decide),
    /// Print the OpenAPI document.
    Openapi,
    Replay(replay::Replay),
    /// Look after the database.
    Database {
        #[command(subcommand)]
        verb: database::DatabaseVerb,
    },
    /// Check the decision log and look after it.
    Log {
        #[command(subcommand)]
        verb: log::LogVerb,
    },
    /// Print what completes these commands in a shell, for its start-up files.
    Completions {
        /// `bash`, `zsh`, `fish`, `elvish` or `powershell`.
        shell: clap_complete::Shell,
    },
    /// Take the register in from what the council has, and give it out.
    Register {
        #[command(subcommand)]
        verb: register::RegisterVerb,
    },
    /// Look after the policies.
    Policy {
        #[command(subcommand)]
        verb: PolicyVerb,
    },
}

#[derive(Debug, Subcommand)]
enum PolicyVerb {
    /// Load the policies as the service would, and say what is wrong with them.
    Check {
        /// A directory of policies; left out: the ones built in.
        dir: Option<PathBuf>,
    },
    /// Print the reference: every policy, and every rule with what carries it.
    Reference {
        /// JSON: for each policy the row that proves it (`tests/policy/proofs.json`).
        #[arg(long, value_name = "FILE")]
        proofs: Option<PathBuf>,
        /// A directory of policies; left out: the ones built in.
        dir: Option<PathBuf>,
    },
    /// Try what must hold of any policies: rules can be evaluated, unknown opens nothing, no right is narrowed. Exits 1 if
    /// something does not hold.
    Prove {
        /// Whose rules; left out: every profile's, which takes some minutes.
        #[arg(long, value_name = "NAME")]
        profile: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// A directory of policies; left out: the ones built in.
        dir: Option<PathBuf>,
    },
    /// List the protocol rules that are narrower than the law, each with both citations and an example.
    Conflicts {
        /// Whose rules: `th52`, `wat`, …
        #[arg(long, value_name = "NAME")]
        profile: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        /// A directory of policies; left out: the ones built in.
        dir: Option<PathBuf>,
    },
}

#[derive(Clone, Debug, Default, Args)]
struct Service {
    /// Configuration file (TOML).
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where facts and log are kept.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Whose rules apply: `baseline`, `th52`, …
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

impl Service {
    fn config(&self) -> Result<Config, Failure> {
        let flags =
            Flags { listen: self.listen, database_url: self.database_url.clone(), profile: self.profile.clone() };
        Ok(Config::read(self.config.as_deref(), &flags)?)
    }
}

/// Runs the command the process was started with.
pub fn run() -> ExitCode {
    let command = Command::parse();
    let verb = command.verb.unwrap_or_else(|| Verb::Demo(Service::default()));
    if !matches!(verb, Verb::Demo(_) | Verb::Serve(_)) {
        telemetry::lines();
    }
    let done = match verb {
        Verb::Demo(service) => start(&service, Mode::Demo),
        Verb::Serve(service) => start(&service, Mode::Serve),
        Verb::Audience(audience) => return ended(audience::run(&audience)),
        Verb::Check(check) => return ended(check::run(&check)),
        Verb::Decide(decide) => return ended(decide::run(&decide)),
        Verb::Completions { shell } => {
            completions(shell);
            Ok(())
        }
        Verb::Openapi => openapi(),
        Verb::Replay(replay) => replay::run(&replay),
        Verb::Database { verb } => database::run(verb),
        Verb::Log { verb } => return ended(log::run(verb)),
        Verb::Register { verb } => return ended(register::run(verb)),
        Verb::Policy { verb: PolicyVerb::Check { dir } } => check_policies(dir.as_deref()),
        Verb::Policy { verb: PolicyVerb::Reference { proofs, dir } } => {
            print_reference(proofs.as_deref(), dir.as_deref())
        }
        Verb::Policy { verb: PolicyVerb::Prove { profile, json, dir } } => {
            return ended(prove::run(profile.as_deref(), json, dir.as_deref()));
        }
        Verb::Policy { verb: PolicyVerb::Conflicts { profile, json, dir } } => {
            list_conflicts(&profile, json, dir.as_deref())
        }
    };
    ended(done.map(|()| ExitCode::SUCCESS))
}

fn ended(done: Result<ExitCode, Failure>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pinkpaper: {}", chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// Prints, and does not mind a reader that has gone away: the service must outlive `| head`.
fn say(text: &str) {
    let mut out = std::io::stdout();
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        told = format!("{told}: {inner}");
        cause = inner.source();
    }
    told
}

fn completions(shell: clap_complete::Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Command::command(), "pinkpaper", &mut script);
    say(&String::from_utf8_lossy(&script));
}

fn openapi() -> Result<(), Failure> {
    say(&format!("{:#}\n", http::schemas::Schemas::load()?.openapi()));
    Ok(())
}

fn load_policies(dir: Option<&Path>) -> Result<Bundle, Failure> {
    let files = match dir {
        Some(dir) => PolicyFiles::read(dir)?,
        None => PolicyFiles::shipped(),
    };
    Ok(Bundle::load(&files)?)
}

fn list_conflicts(profile: &str, json: bool, dir: Option<&Path>) -> Result<(), Failure> {
    let found = conflicts(&load_policies(dir)?, profile, SystemClock.now())?;
    if json {
        say(&format!("{}\n", serde_json::to_string_pretty(&found)?));
        return Ok(());
    }
    let rules: BTreeSet<&str> = found.iter().map(|conflict| conflict.local.rule.as_str()).collect();
    say(&format!("{profile}: {} rules are narrower than the law\n", rules.len()));
    for same in found.chunk_by(|one, next| one.policy == next.policy) {
        let Some(first) = same.first() else { continue };
        let local = &first.local.citation;
        say(&format!("\n{}  {}\n  {}, {}\n", first.local.rule, first.title, local.instrument, local.provision));
        say(&format!("  For instance: {}.\n", first.example));
        for conflict in same {
            let citation = &conflict.statute.citation;
            say(&format!(
                "  narrower than {}: {} {}\n",
                conflict.statute.rule, citation.instrument, citation.provision
            ));
        }
    }
    Ok(())
}

fn print_reference(proofs: Option<&Path>, dir: Option<&Path>) -> Result<(), Failure> {
    let proofs = match proofs {
        Some(file) => serde_json::from_str(&std::fs::read_to_string(file)?)?,
        None => BTreeMap::new(),
    };
    say(&reference::markdown(&load_policies(dir)?, &proofs)?);
    Ok(())
}

fn check_policies(dir: Option<&Path>) -> Result<(), Failure> {
    let bundle = load_policies(dir)?;
    say(&format!("{}\n", bundle.hash));
    for (profile, book) in &bundle.books {
        say(&format!("{profile}: {} policies\n", book.rules().len()));
    }
    let open = accounting::faults(&bundle);
    if !open.is_empty() {
        return Err(format!("rules are not accounted for:\n  {}", open.join("\n  ")).into());
    }
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Serve,
    Demo,
}

fn start(service: &Service, mode: Mode) -> Result<(), Failure> {
    let config = service.config()?;
    // The demonstration shows all there is.
    let telemetry = telemetry::start(config.metrics.prometheus || mode == Mode::Demo)?;
    // It begins and ends outside, since it waits for the collector, and whatever becomes of the service.
    let ended = actix_web::rt::System::new().block_on(run_service(&config, mode, &telemetry));
    telemetry.stop();
    ended
}

async fn run_service(config: &Config, mode: Mode, telemetry: &telemetry::Running) -> Result<(), Failure> {
    let schemas = http::schemas::Schemas::load()?;
    let app = Arc::new(opened(config).await?.checked_by(schemas.hash()));
    app.resume().await?;
    app.start_policies().await?;
    let listener =
        TcpListener::bind(config.listen).map_err(|error| format!("cannot listen on {}: {error}", config.listen))?;
    let address = listener.local_addr()?;
    let mut callers = callers(config)?;
    let mut examples = DocsExamples::default();
    if mode == Mode::Demo {
        if !address.ip().is_loopback() {
            return Err("the demonstration listens on a loopback address only".into());
        }
        examples = demo::seed(&app).await?;
        let tokens = demo::tokens(app.clock.now());
        say(&demo::announcement(address, &tokens));
        callers.keys.0.extend(tokens.into_iter().map(|token| token.key));
    } else {
        let scheme = if config.tls.files().is_some() { "https" } else { "http" };
        say(&format!("Pinkpaper, profile {}: {scheme}://{address}/docs/\n", config.profile));
    }
    if checkpoint_file(config).is_none() {
        tracing::warn!("{UNWATCHED}");
    }
    actix_web::rt::spawn(reload::on_signal(Arc::clone(&app)));
    if let Some(dir) = config.policies.directory.as_deref().filter(|_| config.policies.watch) {
        actix_web::rt::spawn(reload::on_change(Arc::clone(&app), reload::watch(dir)?));
    }
    actix_web::rt::spawn(Arc::clone(&app).follow());
    if telemetry.measures() {
        actix_web::rt::spawn(Arc::clone(&app).tell_standing());
    }
    if config.log.retention.enabled {
        erase::daily(Arc::clone(&app));
    }
    if let Some(every) = config.log.heartbeat() {
        let publisher = Publisher::new(config.log.publish_url.clone(), config.log.witnesses()?)?;
        actix_web::rt::spawn(rounds::rounds(Arc::clone(&app), publisher, every));
    }
    let last = Arc::clone(&app);
    let shared = Shared {
        app,
        callers,
        rate: Rate::new(config.limits.requests_per_second, config.limits.burst),
        schemas,
        limits: limits(&config.limits),
        examples,
        ready: health::Looked::default(),
        numbers: telemetry.numbers(),
        https: is_reached_by_tls(config, address),
    };
    let certificate = config.tls.files().map(|(certificate, key)| Certificate::open(certificate, key)).transpose()?;
    http::serve(shared, listener, certificate, config.limits.workers).await?;
    // So that what was answered last is signed, too.
    last.checkpoint().await?;
    Ok(())
}

/// Whether browsers reach the service over TLS. Plain HTTP that leaves the machine is only what a proxy passes on, whatever
/// `public_url` says or was left at.
fn is_reached_by_tls(config: &Config, address: SocketAddr) -> bool {
    config.tls.files().is_some() || config.public_url.starts_with("https://") || !address.ip().is_loopback()
}

fn limits(of: &crate::config::Limits) -> Limits {
    Limits { request: of.request_bytes, bulk: of.bulk_bytes, body_within: Duration::from_secs(of.body_seconds) }
}

/// The service, without a listener.
async fn opened(config: &Config) -> Result<App, Failure> {
    opened_within(config, store::Options::PATIENCE).await
}

/// The same, of a database that no other process holds for longer than this.
async fn opened_within(config: &Config, patience: Duration) -> Result<App, Failure> {
    let store = open(config, patience).await?;
    let checkpoints = checkpoints(config, &*store)?;
    let source = source(config);
    let bundle = Arc::new(source.load()?);
    let (profile, statutory) = (config.profile.clone(), config.statutory_layer);
    let app = App::new(store, checkpoints, bundle, profile, statutory, Box::new(SystemClock))?;
    Ok(app.keeping(config.log.retention).reading(source))
}

/// Where the policies come from.
fn source(config: &Config) -> Source {
    config.policies.directory.clone().map_or(Source::Shipped, Source::Directory)
}

async fn open(config: &Config, patience: Duration) -> Result<Arc<dyn DecisionLog>, Failure> {
    let signer = Arc::new(Signer::open(Path::new(&key_file(config)))?);
    let options = store::Options::new(config.log_name(), signer);
    let options = store::Options { queue: config.log.queue, patience, ..options };
    Ok(store::connect(&config.database_url, options).await?)
}

/// The key that signs receipts.
fn key_file(config: &Config) -> String {
    config.log.key_file.clone().unwrap_or_else(|| beside(&config.database_url, "key"))
}

/// The key that signs checkpoints.
fn checkpoint_key_file(config: &Config) -> String {
    config.log.checkpoint_key_file.clone().unwrap_or_else(|| beside(&config.database_url, "checkpoint.key"))
}

fn checkpoints(config: &Config, store: &dyn DecisionLog) -> Result<evidence::Checkpoints, Failure> {
    let notary = Notary::new(Signer::open(Path::new(&checkpoint_key_file(config)))?, store.origin());
    Ok(evidence::Checkpoints::new(notary, checkpoint_file(config).map(CheckpointFile::new)))
}

/// Where the newest checkpoint is kept outside the database.
fn checkpoint_file(config: &Config) -> Option<String> {
    let is_a_file = config.database_url.starts_with("sqlite://");
    let file = config.log.checkpoint_file.clone();
    file.or_else(|| is_a_file.then(|| beside(&config.database_url, "checkpoint")))
}

/// What a start says where nothing outside the database could tell that it forgot.
const UNWATCHED: &str = "no `log.checkpoint_file` is set: that a backup was restored is found only by whoever holds a \
                         checkpoint against it (`pinkpaper log epoch --checkpoint`)";

/// What belongs to a database in a file stands beside it.
fn beside(database_url: &str, ending: &str) -> String {
    match database_url.strip_prefix("sqlite://") {
        Some(file) => format!("{}.{ending}", file.trim_end_matches(".db")),
        None => format!("pinkpaper.{ending}"),
    }
}

/// Everyone the configuration lets call.
fn callers(config: &Config) -> Result<Callers, Failure> {
    let issuer = config.auth.oidc.as_ref().map(|oidc| Issuer::new(oidc.settings())).transpose()?;
    if let Some(issuer) = issuer.clone() {
        actix_web::rt::spawn(issuer.keep_fresh());
    }
    Ok(Callers { keys: configured_keys(config)?, issuer })
}

fn configured_keys(config: &Config) -> Result<Keys, Failure> {
    let key = |key: &crate::config::Key| -> Result<ApiKey, Failure> {
        Ok(ApiKey {
            caller: Caller {
                name: key.name.clone(),
                roles: key.roles.clone(),
                person: key.person.clone(),
                personal: false,
            },
            sha256: key.hash()?,
            not_before: key.not_before,
            expires_at: key.expires_at,
        })
    };
    Ok(Keys(config.auth.api_keys.iter().map(key).collect::<Result<_, _>>()?))
}
