//! An OpenTelemetry collector: takes what is sent over OTLP, gRPC or HTTP, and keeps it.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::{
            ExportLogsServiceRequest, ExportLogsServiceResponse,
            logs_service_server::{LogsService, LogsServiceServer},
        },
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{AnyValue, KeyValue, any_value::Value as Any},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    trace::v1::Span,
};
use prost::Message;
use tonic::{
    Request, Response, Status,
    transport::{Server, server::TcpIncoming},
};

#[derive(Clone, Default)]
pub struct Collector(Arc<Received>);

#[derive(Default)]
struct Received {
    traces: Mutex<Vec<ExportTraceServiceRequest>>,
    metrics: Mutex<Vec<ExportMetricsServiceRequest>>,
    logs: Mutex<Vec<ExportLogsServiceRequest>>,
}

#[async_trait::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        sent: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.traces.lock().unwrap().push(sent.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[async_trait::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        sent: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.0.metrics.lock().unwrap().push(sent.into_inner());
        Ok(Response::new(Default::default()))
    }
}

#[async_trait::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        sent: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.0.logs.lock().unwrap().push(sent.into_inner());
        Ok(Response::new(Default::default()))
    }
}

impl Collector {
    /// Takes gRPC at the address it gives.
    pub async fn grpc() -> (Self, String) {
        let collector = Self::default();
        let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).expect("a port");
        let url = format!("http://{}", incoming.local_addr().expect("an address"));
        let server = Server::builder()
            .add_service(TraceServiceServer::new(collector.clone()))
            .add_service(MetricsServiceServer::new(collector.clone()))
            .add_service(LogsServiceServer::new(collector.clone()));
        tokio::spawn(server.serve_with_incoming(incoming));
        (collector, url)
    }

    /// Takes protobuf over HTTP at the address it gives.
    pub fn http() -> (Self, String) {
        let collector = Self::default();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let kept = collector.clone();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new().app_data(web::Data::new(kept.clone())).route("/v1/{signal}", web::post().to(take))
                });
                server.workers(1).listen(listener).expect("listens").run().await.expect("runs");
            });
        });
        (collector, url)
    }

    pub fn spans(&self) -> Vec<Span> {
        let traces = self.0.traces.lock().unwrap();
        let scopes = traces.iter().flat_map(|sent| &sent.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    /// What was sent last of each metric, with all that was sent of it before.
    pub fn metrics(&self) -> Vec<Metric> {
        let metrics = self.0.metrics.lock().unwrap();
        let scopes = metrics.iter().flat_map(|sent| &sent.resource_metrics).flat_map(|of| &of.scope_metrics);
        scopes.flat_map(|scope| scope.metrics.clone()).collect()
    }

    pub fn lines(&self) -> Vec<LogRecord> {
        let logs = self.0.logs.lock().unwrap();
        let scopes = logs.iter().flat_map(|sent| &sent.resource_logs).flat_map(|of| &of.scope_logs);
        scopes.flat_map(|scope| scope.log_records.clone()).collect()
    }

    /// What every span says of who sent it.
    pub fn resource(&self) -> Vec<(String, String)> {
        let traces = self.0.traces.lock().unwrap();
        let resources = traces.iter().flat_map(|sent| &sent.resource_spans).filter_map(|of| of.resource.clone());
        resources.flat_map(|resource| told(&resource.attributes)).collect()
    }

    /// Everything, as text to be searched.
    pub fn everything(&self) -> String {
        let of = &self.0;
        format!("{:?}{:?}{:?}", of.traces.lock().unwrap(), of.metrics.lock().unwrap(), of.logs.lock().unwrap())
    }
}

async fn take(collector: web::Data<Collector>, signal: web::Path<String>, body: web::Bytes) -> HttpResponse {
    let of = &collector.0;
    match signal.as_str() {
        "traces" => of.traces.lock().unwrap().push(Message::decode(body).expect("traces")),
        "metrics" => of.metrics.lock().unwrap().push(Message::decode(body).expect("metrics")),
        "logs" => of.logs.lock().unwrap().push(Message::decode(body).expect("logs")),
        other => panic!("`{other}` is no signal"),
    }
    HttpResponse::Ok().content_type("application/x-protobuf").finish()
}

/// Attributes as text, in their order.
pub fn told(attributes: &[KeyValue]) -> Vec<(String, String)> {
    attributes.iter().map(|attribute| (attribute.key.clone(), text(attribute.value.as_ref()))).collect()
}

pub fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => text.clone(),
        Some(Any::IntValue(number)) => number.to_string(),
        Some(Any::BoolValue(truth)) => truth.to_string(),
        Some(Any::DoubleValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}
