//! Where it goes: OTLP over gRPC or HTTP, by the standard variables, and the numbers for Prometheus.
//!
//! A signal is sent when an address is set for it (`OTEL_EXPORTER_OTLP_ENDPOINT`, or `…_TRACES_…`, `…_METRICS_…`,
//! `…_LOGS_…`), unless `OTEL_SDK_DISABLED=true` or its `OTEL_…_EXPORTER` is `none`. Protocol, headers, time limits,
//! sampler, batch sizes and resource are read by the SDK from the variables of the OpenTelemetry specification.
//!
//! The exporters run on a thread of their own, so that nothing here depends on who starts or ends the service.

use std::env;

use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::{Resource, logs::SdkLoggerProvider, metrics::SdkMeterProvider, trace::SdkTracerProvider};
use prometheus::TextEncoder;
use tokio::runtime::Runtime;

/// Why telemetry cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("what OTEL_EXPORTER_OTLP_… variables ask for cannot be done")]
    Exporter(#[from] ExporterBuildError),
    #[error("no thread for sending telemetry")]
    Thread(#[from] std::io::Error),
    #[error("metrics cannot be offered to Prometheus")]
    Prometheus(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Everything that collects and sends. Ends with [`Running::stop`].
pub struct Running {
    pub(super) tracers: SdkTracerProvider,
    pub(super) meters: SdkMeterProvider,
    pub(super) loggers: Option<SdkLoggerProvider>,
    numbers: Option<prometheus::Registry>,
    sending: Option<Runtime>,
}

/// The numbers as Prometheus reads them.
#[derive(Clone)]
pub struct Numbers(prometheus::Registry);

impl Numbers {
    /// In the text format 0.0.4.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.0.gather())
    }
}

#[derive(Clone, Copy)]
enum Signal {
    Traces,
    Metrics,
    Logs,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }

    /// Whether the environment says where to send it.
    fn is_sent(self) -> bool {
        let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let is = |name: &str, word: &str| set(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let own = format!("OTEL_EXPORTER_OTLP_{}_ENDPOINT", self.word());
        let somewhere = set("OTEL_EXPORTER_OTLP_ENDPOINT").or_else(|| set(&own)).is_some();
        somewhere && !is("OTEL_SDK_DISABLED", "true") && !is(&format!("OTEL_{}_EXPORTER", self.word()), "none")
    }
}

impl Running {
    pub(super) fn start(prometheus: bool) -> Result<Self, TelemetryError> {
        let any = [Signal::Traces, Signal::Metrics, Signal::Logs].into_iter().any(Signal::is_sent);
        let sending = any.then(sender).transpose()?;
        let _inside = sending.as_ref().map(Runtime::enter);
        let resource = resource();

        let mut tracers = SdkTracerProvider::builder().with_resource(resource.clone());
        if Signal::Traces.is_sent() {
            tracers = tracers.with_batch_exporter(SpanExporter::builder().build()?);
        }
        let mut meters = SdkMeterProvider::builder().with_resource(resource.clone());
        if Signal::Metrics.is_sent() {
            meters = meters.with_periodic_exporter(MetricExporter::builder().build()?);
        }
        let numbers = prometheus.then(prometheus::Registry::new);
        if let Some(registry) = &numbers {
            let reader = opentelemetry_prometheus::exporter().with_registry(registry.clone()).without_target_info();
            meters = meters.with_reader(reader.build().map_err(|error| TelemetryError::Prometheus(error.into()))?);
        }
        let loggers = match Signal::Logs.is_sent() {
            true => {
                let exporter = LogExporter::builder().build()?;
                Some(SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
            }
            false => None,
        };
        Ok(Self { tracers: tracers.build(), meters: meters.build(), loggers, numbers, sending })
    }

    /// For `GET /metrics`, where it is wanted.
    pub fn numbers(&self) -> Option<Numbers> {
        self.numbers.clone().map(Numbers)
    }

    /// Whether anyone is given numbers, so that those worth a query are worth asking for.
    pub fn measures(&self) -> bool {
        self.numbers.is_some() || Signal::Metrics.is_sent()
    }

    /// Sends what is left, as far as it is taken within the SDK's time limits. Blocks.
    pub fn stop(self) {
        // Nobody is left to be told that the last lines did not arrive.
        let _ended = (self.tracers.shutdown(), self.meters.shutdown(), self.loggers.map(|all| all.shutdown()));
        if let Some(sending) = self.sending {
            sending.shutdown_background();
        }
    }
}

/// A thread on which connections to collectors live.
fn sender() -> Result<Runtime, TelemetryError> {
    // The HTTP exporter takes the process's cryptography; that there is one already is as good.
    let _already = rustls::crypto::ring::default_provider().install_default();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    Ok(runtime.worker_threads(1).thread_name("telemetry").enable_all().build()?)
}

/// Who sends: what the environment says of it, and where it says nothing, our name and version.
fn resource() -> Resource {
    let told = Resource::builder().build();
    let name = told.get(&Key::new("service.name")).map(|name| name.to_string());
    let name = name.filter(|name| !name.starts_with("unknown_service")).unwrap_or_else(|| "pinkpaper".to_owned());
    let instance = told.get(&Key::new("service.instance.id")).map(|id| id.to_string());
    let instance = instance.unwrap_or_else(|| uuid::Uuid::new_v4().to_string());
    Resource::builder()
        .with_service_name(name)
        .with_attributes([
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("service.instance.id", instance),
        ])
        .build()
}
