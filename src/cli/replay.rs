//! `pinkpaper replay`: makes the decisions of the log again, to show that each is repeatable, or what other policies
//! would have done.
//!
//! It reads the database beside a running service, with the rights of whoever may open it: no caller's role is asked.
//! The reading is itself entered in the log, as one more that appends; a SQLite file that a service holds takes none,
//! and that is said. Titles, names and justifications are not printed.

use std::{
    io::{IsTerminal, stderr},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::{Failure, chain, key_file, load_policies, opened_within, report, say};
use crate::{
    app::{
        Caller,
        impact::Impact,
        replays::{Again, Period, Policies, Replays},
    },
    config::{Config, Flags},
    domain::calendar::london_midnight,
    store,
};

/// How long to try for the lock before taking it that a service runs.
const LOCK_PATIENCE: Duration = Duration::from_millis(300);
/// How often to say how far it has come.
const PROGRESS: u64 = 1000;

/// Make the decisions of the log again, each from the facts kept with it.
///
/// Without `--bundle` each is made under its own policies and must come out the same: the exit code is 1 if one does
/// not. With `--bundle` all are made under the policies of a directory, and what would change is told, by rule and by
/// kind of person: the exit code is 0 whatever changes.
///
/// The decisions are read beside a running service if there is one. The reading is entered in the log, unless it is a
/// SQLite file that a service holds: whoever may open that file then reads outside the record, and is told so.
#[derive(Debug, Args)]
pub struct Replay {
    /// Configuration file (TOML): where the log is.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where the log is kept.
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// Decisions of this day and later, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    from: Option<Date>,
    /// Decisions of this day and earlier, YYYY-MM-DD.
    #[arg(long, value_name = "DAY")]
    to: Option<Date>,
    /// A directory of policies to decide under, instead of each decision's own.
    #[arg(long, value_name = "DIR")]
    bundle: Option<PathBuf>,
    /// A profile of those policies; left out: the profile of each decision.
    #[arg(long, value_name = "NAME", requires = "bundle")]
    profile: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Does as asked.
pub fn run(replay: &Replay) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(replay.run())
}

impl Replay {
    async fn run(&self) -> Result<(), Failure> {
        let flags = Flags { database_url: self.database_url.clone(), ..Flags::default() };
        let config = Config::read(self.config.as_deref(), &flags)?;
        let under = self.under()?;
        let log = store::read(&config.database_url, store::Options::PATIENCE).await?;
        let recorded = self.record(&config, &under).await;
        if let Err(why) = &recorded {
            eprintln!("pinkpaper: this reading is not in the log: {}", chain(why.as_ref()));
        }
        let replays = Replays::of(log, self.period()?, under.clone(), config.statutory_layer).await?;
        match under {
            Policies::Own => confirm(replays, self.json, recorded.is_ok()).await,
            Policies::Other { bundle, .. } => {
                let heading = report::Heading {
                    policy_bundle: bundle.hash.clone(),
                    profile: self.profile.clone(),
                    from: self.from,
                    to: self.to,
                    recorded: recorded.is_ok(),
                };
                assess(replays, self.json, heading).await
            }
        }
    }

    fn under(&self) -> Result<Policies, Failure> {
        let Some(dir) = &self.bundle else { return Ok(Policies::Own) };
        let bundle = load_policies(Some(dir))
            .map_err(|error| format!("the policies of `{}` are refused: {}", dir.display(), chain(error.as_ref())))?;
        if let Some(profile) = &self.profile
            && bundle.book(profile).is_none()
        {
            return Err(format!("the policies of `{}` have no profile `{profile}`", dir.display()).into());
        }
        Ok(Policies::Other { bundle: Arc::new(bundle), profile: self.profile.clone() })
    }

    /// Whole days in London.
    fn period(&self) -> Result<Period, Failure> {
        let out_of_range = |day: Date| format!("the day {day} is out of range");
        let from = self.from.map(|day| london_midnight(day).ok_or_else(|| out_of_range(day))).transpose()?;
        let after = |day: Date| day.tomorrow().ok().and_then(london_midnight);
        let to = self.to.map(|day| after(day).ok_or_else(|| out_of_range(day))).transpose()?;
        Ok(Period { from, to })
    }

    /// Enters the reading in the log, where nobody holds it alone and it is the log that was signed.
    async fn record(&self, config: &Config, under: &Policies) -> Result<(), Failure> {
        let key_file = key_file(config);
        if !Path::new(&key_file).is_file() {
            return Err(format!("there is no receipt key `{key_file}`, as there is where the service runs").into());
        }
        let app = opened_within(config, LOCK_PATIENCE).await?;
        app.resume().await?;
        let policies = match under {
            Policies::Own => Value::Null,
            Policies::Other { bundle, .. } => json!(bundle.hash),
        };
        let what = json!({"from": self.from, "to": self.to, "policy_bundle": policies, "profile": self.profile});
        let caller = Caller { name: "pinkpaper replay".to_owned(), roles: Vec::new(), person: None, personal: false };
        Ok(app.log_read(&caller, json!({"replay_all": what})).await?)
    }
}

/// Each under its own policies: any difference is a fault.
async fn confirm(mut replays: Replays, json: bool, recorded: bool) -> Result<(), Failure> {
    let mut count = Impact::default();
    let mut differ = Vec::new();
    let mut progress = Progress::default();
    while let Some(page) = replays.next().await? {
        for again in page {
            progress.one();
            if let Again::Made { replayed, .. } = &again
                && !replayed.same
            {
                if !json {
                    say(&report::differing(replayed));
                }
                differ.push(json!({"decision": replayed.decision, "differences": replayed.differences}));
            }
            count.add(again);
        }
    }
    if json {
        let told = json!({
            "replayed": count.counts.decisions, "differ": differ, "erased": count.erased,
            "without_facts": count.without_facts, "layer_assumed": count.layer_assumed, "failed": count.failed,
            "recorded": recorded,
        });
        say(&format!("{told:#}\n"));
    } else {
        say(&report::not_made(&count));
        say(&format!("replayed: {} decisions, {} differ\n", count.counts.decisions, differ.len()));
    }
    match differ.len() {
        0 => failed(&count),
        some => Err(format!("{some} decisions do not come out as they are on record").into()),
    }
}

/// All under other policies: what would change is the answer, whatever it is.
async fn assess(mut replays: Replays, json: bool, heading: report::Heading) -> Result<(), Failure> {
    let mut impact = Impact::default();
    let mut progress = Progress::default();
    while let Some(page) = replays.next().await? {
        for again in page {
            progress.one();
            impact.add(again);
        }
    }
    if json {
        say(&format!("{:#}\n", report::json(&heading, &impact)));
    } else {
        say(&report::text(&heading, &impact));
    }
    failed(&impact)
}

fn failed(count: &Impact) -> Result<(), Failure> {
    match count.failed.len() {
        0 => Ok(()),
        some => Err(format!("{some} decisions could not be made again").into()),
    }
}

/// Says now and then how far it has come, to a person who waits.
#[derive(Default)]
struct Progress(u64);

impl Progress {
    fn one(&mut self) {
        self.0 += 1;
        if self.0.is_multiple_of(PROGRESS) && stderr().is_terminal() {
            eprintln!("{} decisions", self.0);
        }
    }
}
