//! The numbers: each instrument once, with its unit, and one function for each thing that is counted.
//!
//! `deploy/METRICS.md` describes them to those who read them; a test holds both to each other. Attributes are words of a
//! closed list each; none names a person, a document or a caller.

use std::{sync::LazyLock, time::Duration};

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram, Meter, UpDownCounter},
};

/// Seconds, as HTTP semantic conventions advise, and finer below: most decisions take a few milliseconds.
const SECONDS: [f64; 16] =
    [0.0005, 0.001, 0.0025, 0.005, 0.0075, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 10.0];
/// Entries that share a commit.
const ENTRIES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

static INSTRUMENTS: LazyLock<Instruments> = LazyLock::new(|| Instruments::of(&global::meter("pinkpaper")));

struct Instruments {
    request_duration: Histogram<f64>,
    active_requests: UpDownCounter<i64>,
    decisions: Counter<u64>,
    step_duration: Histogram<f64>,
    repeated: Counter<u64>,
    evaluation_errors: Counter<u64>,
    commit_size: Histogram<u64>,
    commit_duration: Histogram<f64>,
    refused: Counter<u64>,
    reloads: Counter<u64>,
    queue: Gauge<u64>,
    queue_limit: Gauge<u64>,
    log_size: Gauge<u64>,
    erased: Gauge<u64>,
    holds: Gauge<u64>,
    sound: Gauge<u64>,
    checkpoint_age: Gauge<f64>,
    facts_version: Gauge<u64>,
    register_age: Gauge<f64>,
    referrals: Gauge<u64>,
    ready: Gauge<u64>,
}

impl Instruments {
    fn of(meter: &Meter) -> Self {
        let seconds = |name: &'static str, what: &'static str| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(what);
            histogram.with_boundaries(SECONDS.to_vec()).build()
        };
        let counter = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_counter(name).with_unit(unit).with_description(what).build()
        };
        let gauge = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_gauge(name).with_unit(unit).with_description(what).build()
        };
        let age = |name: &'static str, what: &'static str| {
            meter.f64_gauge(name).with_unit("s").with_description(what).build()
        };
        Self {
            request_duration: seconds("http.server.request.duration", "Duration of HTTP server requests."),
            active_requests: meter
                .i64_up_down_counter("http.server.active_requests")
                .with_unit("{request}")
                .with_description("Number of active HTTP server requests.")
                .build(),
            decisions: counter("pinkpaper.decisions", "{decision}", "Answers given, each on record."),
            step_duration: seconds("pinkpaper.decision.duration", "Duration of a decision's steps."),
            repeated: counter(
                "pinkpaper.decisions.repeated",
                "{decision}",
                "Decisions made again because facts or policies changed meanwhile.",
            ),
            evaluation_errors: counter(
                "pinkpaper.evaluation.errors",
                "{error}",
                "Decisions that failed closed because a policy could not be evaluated.",
            ),
            commit_size: meter
                .u64_histogram("pinkpaper.log.commit.size")
                .with_unit("{entry}")
                .with_description("Entries that one commit made durable.")
                .with_boundaries(ENTRIES.to_vec())
                .build(),
            commit_duration: seconds("pinkpaper.log.commit.duration", "Duration of a commit of the log."),
            refused: counter("pinkpaper.log.refused", "{entry}", "Entries that could not be made durable."),
            reloads: counter("pinkpaper.policies.reloads", "{reload}", "Times the policies were read again."),
            queue: gauge("pinkpaper.log.queue.length", "{entry}", "Writes that wait for a commit."),
            queue_limit: gauge("pinkpaper.log.queue.limit", "{entry}", "Writes that may wait."),
            log_size: gauge("pinkpaper.log.size", "{entry}", "Entries of the log."),
            erased: gauge("pinkpaper.log.erased", "{entry}", "Entries of which something was erased."),
            holds: gauge("pinkpaper.log.holds", "{hold}", "Holds in force."),
            sound: gauge("pinkpaper.log.sound", "1", "1 while the log goes on from what was signed before."),
            checkpoint_age: age("pinkpaper.log.checkpoint.age", "Time since the newest checkpoint was signed."),
            facts_version: gauge("pinkpaper.facts.version", "{version}", "Version of the facts in force."),
            register_age: age("pinkpaper.register.age", "Time since the register was last written."),
            referrals: gauge("pinkpaper.referrals", "{referral}", "Referrals that wait for a person."),
            ready: gauge("pinkpaper.ready", "1", "1 while a question could be answered."),
        }
    }
}

/// A request that is being answered; ends when it is dropped.
pub struct Active([KeyValue; 2]);

impl Active {
    pub fn begin(method: &'static str, scheme: &'static str) -> Self {
        let about = [KeyValue::new("http.request.method", method), KeyValue::new("url.scheme", scheme)];
        INSTRUMENTS.active_requests.add(1, &about);
        Self(about)
    }

    /// How it was answered, on which route where one was found.
    pub fn answered(self, route: Option<String>, status: u16, took: Duration) {
        let mut about = self.0.to_vec();
        about.push(KeyValue::new("http.response.status_code", i64::from(status)));
        about.extend(route.map(|route| KeyValue::new("http.route", route)));
        if status >= 500 {
            about.push(KeyValue::new("error.type", status.to_string()));
        }
        INSTRUMENTS.request_duration.record(took.as_secs_f64(), &about);
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        INSTRUMENTS.active_requests.add(-1, &self.0);
    }
}

/// What is counted of a decision.
pub struct Decided<'a> {
    pub outcome: &'static str,
    pub held: bool,
    pub profile: &'a str,
    /// The strongest layer of which a rule decided, or `none`.
    pub layer: &'static str,
    /// `decision` or `enquiry`.
    pub kind: &'static str,
}

pub fn decided(decision: &Decided<'_>) {
    let about = [
        KeyValue::new("pinkpaper.outcome", decision.outcome),
        KeyValue::new("pinkpaper.held", decision.held),
        KeyValue::new("pinkpaper.profile", decision.profile.to_owned()),
        KeyValue::new("pinkpaper.layer", decision.layer),
        KeyValue::new("pinkpaper.kind", decision.kind),
    ];
    INSTRUMENTS.decisions.add(1, &about);
}

/// How long a step (`gather`, `evaluate`, `record`) took.
pub fn step(name: &'static str, took: Duration) {
    INSTRUMENTS.step_duration.record(took.as_secs_f64(), &[KeyValue::new("pinkpaper.step", name)]);
}

pub fn made_again() {
    INSTRUMENTS.repeated.add(1, &[]);
}

pub fn failed_closed(profile: &str) {
    INSTRUMENTS.evaluation_errors.add(1, &[KeyValue::new("pinkpaper.profile", profile.to_owned())]);
}

pub fn committed(entries: usize, took: Duration) {
    INSTRUMENTS.commit_size.record(entries as u64, &[]);
    INSTRUMENTS.commit_duration.record(took.as_secs_f64(), &[]);
}

/// Entries turned away: `full` or `unavailable`.
pub fn refused(entries: usize, reason: &'static str) {
    INSTRUMENTS.refused.add(entries as u64, &[KeyValue::new("pinkpaper.reason", reason)]);
}

/// The policies were read again: `taken`, `unchanged` or `refused`.
pub fn reloaded(result: &'static str) {
    INSTRUMENTS.reloads.add(1, &[KeyValue::new("pinkpaper.result", result)]);
}

/// What is looked at from time to time. Ages are in seconds; `None`: not known, and not told.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    pub queue: u64,
    pub queue_limit: u64,
    pub log_size: u64,
    pub erased: u64,
    pub holds: u64,
    pub sound: bool,
    pub checkpoint_age: Option<f64>,
    pub facts_version: u64,
    pub register_age: Option<f64>,
    pub referrals_open: u64,
    pub referrals_overdue: u64,
}

pub fn standing(now: &Standing) {
    let all = &*INSTRUMENTS;
    all.queue.record(now.queue, &[]);
    all.queue_limit.record(now.queue_limit, &[]);
    all.facts_version.record(now.facts_version, &[]);
    all.sound.record(now.sound.into(), &[]);
    all.log_size.record(now.log_size, &[]);
    all.erased.record(now.erased, &[]);
    all.holds.record(now.holds, &[]);
    now.checkpoint_age.into_iter().for_each(|age| all.checkpoint_age.record(age, &[]));
    now.register_age.into_iter().for_each(|age| all.register_age.record(age, &[]));
    for (state, count) in [("open", now.referrals_open), ("overdue", now.referrals_overdue)] {
        all.referrals.record(count, &[KeyValue::new("pinkpaper.state", state)]);
    }
}

/// Whether a check of readiness (`store`, `log`, `policies`, `register`) holds.
pub fn ready(check: &'static str, holds: bool) {
    INSTRUMENTS.ready.record(holds.into(), &[KeyValue::new("pinkpaper.check", check)]);
}
