//! `pinkpaper register …`: takes in what the council already has ([`crate::import`]), and gives the register out.
//!
//! What is shown is what would be written: the merged register is checked against its schema as a `PUT /v1/register` is,
//! and written for the version it was merged with, or not at all.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand, ValueEnum};
use jiff::civil::Date;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::target::Target;
use super::{Failure, say};
use crate::{
    domain::{document::Document, register::Register},
    http::{
        body,
        problem::Problem,
        schemas::{Schemas, repeated_ids},
    },
    import::{Faults, Found, diff::Diff, mapping::Mapping, merge::merge, moderngov, popolo, service, sheets},
};

mod target;

#[derive(Debug, Subcommand)]
pub(super) enum RegisterVerb {
    Import(Import),
    Export(Export),
}

/// Which kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Origin {
    Moderngov,
    Popolo,
    Csv,
    /// What `register export` writes.
    Json,
}

impl Origin {
    fn word(self) -> &'static str {
        match self {
            Self::Moderngov => "moderngov",
            Self::Popolo => "popolo",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

/// Where the register is: a database, or a service that runs.
#[derive(Debug, Args)]
pub(super) struct Place {
    /// Configuration file (TOML): where the register is kept.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the register is kept.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// A running service that has the register, such as `https://papers.example.gov.uk`; documents are not sent there.
    #[arg(long, value_name = "URL", requires = "key_file", conflicts_with_all = ["config", "database_url"])]
    url: Option<String>,
    /// A file with the key of a registrar.
    #[arg(long, value_name = "FILE", requires = "url")]
    key_file: Option<PathBuf>,
}

/// Take in the register from modern.gov, Popolo, CSV or an export: shows what changes, and changes it in one act.
///
/// What the source does not tell stays as it is; what it no longer names stays and is listed. Faults of the source are
/// told with file and line, all at once, the exit code is 1 and nothing is changed.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Which kind of source.
    #[arg(long, value_enum)]
    from: Origin,
    /// A directory (moderngov: saved answers; csv), a file (popolo, json), or the address of modern.gov's web service.
    source: String,
    /// What the source does not tell, such as the kinds of bodies (TOML).
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
    /// From the web service: meetings and papers of this day and later.
    #[arg(long, value_name = "DAY", requires = "meetings_to")]
    meetings_from: Option<Date>,
    /// From the web service: meetings and papers of this day and earlier.
    #[arg(long, value_name = "DAY", requires = "meetings_from")]
    meetings_to: Option<Date>,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Remove what the source no longer names, of the kinds it names.
    #[arg(long)]
    replace: bool,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shape {
    Json,
    Csv,
}

/// Give out the whole register, as `register import` takes it back.
#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    place: Place,
    /// One JSON file, or a directory of CSV files.
    #[arg(long, value_enum, default_value = "json")]
    format: Shape,
    /// The file or directory to make; there must be none of that name yet. JSON without it: standard output.
    #[arg(required_if_eq("format", "csv"))]
    out: Option<PathBuf>,
}

pub(super) fn run(verb: RegisterVerb) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async {
        match verb {
            RegisterVerb::Import(import) => import.run().await,
            RegisterVerb::Export(export) => export.run().await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Import {
    async fn run(&self) -> Result<(), Failure> {
        let schemas = Schemas::load()?;
        let found = self.found(&schemas).await?;
        let target = Target::open(&self.place, self.dry_run).await?;
        let (register, version) = target.register(&schemas).await?;
        let ids: Vec<&str> = found.documents.iter().map(|item| item.id.as_str()).collect();
        let there = target.documents(&ids).await?;
        let members = there.iter().map(|(id, document)| (id.clone(), json!(document)));
        let members = members.filter_map(|(id, value)| Some((id, value.as_object()?.clone()))).collect();
        let merged = merge(found, register.as_ref(), &members, self.replace)?;
        let new: Register = typed(&schemas, "register", &merged.register)?;
        let documents: Vec<Document> = merged
            .documents
            .iter()
            .map(|document| typed(&schemas, "registered-document", document))
            .collect::<Result<_, _>>()?;
        let mut notes = merged.notes;
        let documents = target.take(documents, &mut notes);
        let diff = Diff::of(register.as_ref(), &new, (&there, &documents), &merged.kept);
        let changes = !diff.is_empty();
        let written = match changes && !self.dry_run {
            true => Some(target.write(self.from.word(), new, changed(documents, &there), version).await?),
            false => None,
        };
        self.tell(&diff, &notes, written);
        Ok(())
    }

    /// What the source tells.
    async fn found(&self, schemas: &Schemas) -> Result<Found, Failure> {
        let map = Mapping::read(self.map.as_deref())?;
        let path = Path::new(&self.source);
        Ok(match self.from {
            Origin::Moderngov if self.source.starts_with("http://") || self.source.starts_with("https://") => {
                let span = self.meetings_from.zip(self.meetings_to).map(|(from, to)| service::Span { from, to });
                moderngov::read(&service::ask(&self.source, span).await?, &map)?
            }
            Origin::Moderngov => moderngov::read(&service::saved(path)?, &map)?,
            Origin::Popolo => popolo::read(&self.source, &service::text(path)?, &map)?,
            Origin::Csv => sheets::read(&service::sheets(path)?, &map)?,
            Origin::Json => {
                let value = body::strict(service::text(path)?.as_bytes()).map_err(|problem| self.faults(problem))?;
                Found::register(&typed(schemas, "register", &value)?)
            }
        })
    }

    fn faults(&self, problem: Problem) -> Faults {
        let mut faults = Faults::default();
        match problem {
            Problem::Invalid(all) => {
                all.iter().for_each(|fault| faults.add(format!("{} {}", self.source, fault.pointer), &fault.message));
            }
            _ => faults.add(&self.source, "is not JSON"),
        }
        faults
    }

    fn tell(&self, diff: &Diff, notes: &[String], written: Option<u64>) {
        if self.json {
            let told = json!({"dry_run": self.dry_run, "changes": diff, "notes": notes, "facts_version": written});
            say(&format!("{told:#}\n"));
            return;
        }
        say(&diff.to_string());
        for note in notes {
            say(&format!("{note}\n"));
        }
        say(&match written {
            Some(version) => format!("imported: the facts are at version {version}\n"),
            None if diff.is_empty() => "nothing to change\n".to_owned(),
            None => "nothing was changed: this was a dry run\n".to_owned(),
        });
    }
}

/// The documents that an import writes.
fn changed(documents: Vec<Document>, there: &BTreeMap<String, Document>) -> Vec<Document> {
    documents.into_iter().filter(|document| there.get(document.id.as_str()) != Some(document)).collect()
}

/// A value as its type, once its schema has nothing against it.
fn typed<T: DeserializeOwned>(schemas: &Schemas, message: &str, value: &Value) -> Result<T, Faults> {
    let mut faults = Faults::default();
    let lists = ["groups", "wards", "bodies", "people", "parts"];
    let repeated = lists.iter().flat_map(|list| repeated_ids(value, list));
    for fault in schemas.faults(message, value).into_iter().chain(repeated) {
        faults.add(format!("{message} {}", fault.pointer), fault.message);
    }
    faults.unless_any(())?;
    serde_json::from_value(value.clone()).map_err(|_| Faults::of(message, "has a value that is out of range"))
}

impl Export {
    async fn run(&self) -> Result<(), Failure> {
        let target = Target::open(&self.place, true).await?;
        let (register, _) = target.register(&Schemas::load()?).await?;
        let register = json!(register.ok_or("the register has not been written yet")?);
        let told = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
        match (self.format, &self.out) {
            (Shape::Json, None) => say(&format!("{register:#}\n")),
            (Shape::Json, Some(file)) => {
                let mut out = std::fs::File::create_new(file).map_err(|error| told(file, error))?;
                out.write_all(format!("{register:#}\n").as_bytes()).map_err(|error| told(file, error))?;
            }
            (Shape::Csv, directory) => {
                let directory = directory.as_deref().unwrap_or(Path::new("register"));
                std::fs::create_dir(directory).map_err(|error| told(directory, error))?;
                for (name, bytes) in sheets::write(&register)? {
                    let file = directory.join(name);
                    std::fs::write(&file, bytes).map_err(|error| told(&file, error))?;
                }
            }
        }
        Ok(())
    }
}
