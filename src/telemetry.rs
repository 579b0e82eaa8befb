//! What the process tells those who run it: lines on standard error, and traces, metrics and logs over OTLP.
//!
//! What is sent where is said by the standard `OTEL_…` variables ([`export`]); with none of them set nothing is sent, and
//! nothing waits for a collector that is not there: spans, numbers and lines are put into bounded queues, and what a queue
//! cannot take is dropped. A decision is never kept waiting and never fails for it.
//!
//! Modules say what happens with `tracing` (spans and lines) and [`metrics`] (numbers). They deliberately do not say *of
//! whom*: no id of a person or document, no title, no address, no path as it was sent. A span has the route's pattern, a
//! number has outcome, profile, layer. `tests/api/silence.rs` and `tests/api/telemetry.rs` search what comes out.
//!
//! Worked example: the EDRMS asks whether Cllr B. One may read a paper, with `traceparent: 00-4bf9…-01`. The collector gets
//! the span `POST /v1/decisions` under the EDRMS's own trace, with the children `gather`, `evaluate` and `record`;
//! `pinkpaper.decisions` counts one more with `pinkpaper.outcome="deny"`; the entry in the log keeps `4bf9…`
//! ([`trace_id`]), and only who may read the log gets from there to the councillor.
//!
//! The invariant: nothing personal goes through here.

use std::{future::Future, time::Instant};

use opentelemetry::{global, trace::TraceContextExt, trace::TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

pub mod export;
pub mod metrics;

pub use export::{Running, TelemetryError};

/// What a stranger's head has wrong is no error of ours, so the server's own lines about it are left out.
const LINES: &str = "info,sqlx=warn,actix_server=warn,actix_http=off,h2=warn,hyper=warn,tonic=warn,opentelemetry=warn";

/// What a collector is sent of these would itself make more of them.
const SENDING: &str = "h2=off,hyper=off,hyper_util=off,tonic=off,tower=off,reqwest=off,opentelemetry=off,rustls=off";

/// Lines alone, at the level of `RUST_LOG`, else `info`: for commands that end by themselves.
pub fn lines() {
    // A second start in one process (tests) keeps the first.
    let _already = tracing_subscriber::registry().with(to_standard_error()).try_init();
}

/// Lines, and whatever the environment asks to be sent to a collector.
pub fn start(prometheus: bool) -> Result<Running, TelemetryError> {
    let running = Running::start(prometheus)?;
    global::set_text_map_propagator(TraceContextPropagator::new());
    global::set_meter_provider(running.meters.clone());
    let spans = tracing_opentelemetry::layer()
        .with_tracer(running.tracers.tracer("pinkpaper"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(Targets::new().with_target("pinkpaper", LevelFilter::INFO));
    let logs = running.loggers.as_ref().map(|loggers| {
        let which = EnvFilter::new(format!("{},{SENDING}", filter()));
        OpenTelemetryTracingBridge::new(loggers).with_filter(which)
    });
    let _already = tracing_subscriber::registry().with(to_standard_error()).with(spans).with(logs).try_init();
    Ok(running)
}

/// The trace that the current span belongs to: that of the caller's `traceparent`, or one of our own.
pub fn trace_id() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid().then(|| span.trace_id().to_string())
}

/// A step of a decision: a span of this name, and its duration among the numbers.
pub async fn step<T>(name: &'static str, work: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = work.instrument(tracing::info_span!("step", otel.name = name)).await;
    metrics::step(name, began.elapsed());
    done
}

fn filter() -> String {
    std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|told| !told.is_empty()).unwrap_or_else(|| LINES.to_owned())
}

fn to_standard_error() -> impl Layer<Registry> + Send + Sync {
    fmt::layer().with_writer(std::io::stderr).with_filter(EnvFilter::new(filter()))
}
