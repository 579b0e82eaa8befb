//! What a collector gets: spans, numbers and lines of the program itself, by name, unit and attributes.

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    logs::v1::LogRecord,
    metrics::v1::{Metric, metric::Data},
    trace::v1::Span,
};
use pinkpaper::domain::words::CallerRole;
use serde_json::{Value, json};

use crate::{
    collector::{Collector, told},
    program::{Program, Setting, until},
    support::read_json,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn question() -> Value {
    json!({
        "principal": {"type": "person", "id": "b3"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    })
}

async fn asked(program: &Program) -> Value {
    let register = &read_json("tests/api/cases/th52.json")["register"];
    program.done(CallerRole::Registrar, "PUT", "/v1/register", register).await;
    let document = json!({"id": "doc-1", "kind": "correspondence", "held_by": "council"});
    program.done(CallerRole::Registrar, "PUT", "/v1/documents/doc-1", &document).await;
    ask(program).await
}

async fn ask(program: &Program) -> Value {
    let sent = program.request(CallerRole::Pep, "POST", "/v1/decisions", &question());
    let sent = sent.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).send().await.expect("an answer");
    assert_eq!(sent.status(), 200);
    sent.json().await.expect("JSON")
}

fn sending<'a>(endpoint: &'a str, protocol: &'a str) -> [(&'a str, &'a str); 6] {
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_METRIC_EXPORT_INTERVAL", "300"),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "200"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
    ]
}

fn hex_of(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

fn attributes(of: &[KeyValue]) -> BTreeMap<String, String> {
    told(of).into_iter().collect()
}

/// The spans of the caller's trace, by name.
async fn trace_of(collector: &Collector) -> BTreeMap<String, Span> {
    until("the trace is complete", async || {
        let spans = collector.spans().into_iter().filter(|span| hex_of(&span.trace_id) == TRACE);
        let spans: BTreeMap<String, Span> = spans.map(|span| (span.name.clone(), span)).collect();
        (spans.len() >= 4).then_some(spans)
    })
    .await
}

#[tokio::test]
async fn a_decision_is_a_server_span_of_the_callers_trace_with_its_three_steps() {
    let (collector, endpoint) = Collector::grpc().await;
    let environment = sending(&endpoint, "grpc");
    let program = Program::start(&Setting { environment: &environment, ..Setting::default() });
    let decision = asked(&program).await;
    let spans = trace_of(&collector).await;
    assert_eq!(spans.keys().collect::<Vec<_>>(), ["POST /v1/decisions", "evaluate", "gather", "record"]);
    let server = &spans["POST /v1/decisions"];
    assert_eq!((server.kind, hex_of(&server.parent_span_id).as_str()), (2, PARENT));
    let about = attributes(&server.attributes);
    let about: BTreeMap<&str, &str> =
        about.iter().filter(|(name, _)| *name != "trace_id").map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let wanted = [
        ("http.request.method", "POST"),
        ("http.response.status_code", "200"),
        ("http.route", "/v1/decisions"),
        ("url.scheme", "http"),
    ];
    assert_eq!(about, BTreeMap::from(wanted));
    for step in ["gather", "evaluate", "record"] {
        assert_eq!((spans[step].kind, &spans[step].parent_span_id), (1, &server.span_id), "{step}");
    }
    let resource: BTreeMap<String, String> = collector.resource().into_iter().collect();
    assert_eq!(resource["service.name"], "pinkpaper");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment.name"], "test");

    // From the trace one gets to the entry, for whoever may read the log.
    let export = program.request(CallerRole::MonitoringOfficer, "GET", "/v1/log/export?view=full", &Value::Null);
    let export = export.send().await.expect("an answer").text().await.expect("text");
    let entry = export.lines().find(|line| line.contains(decision["id"].as_str().expect("an id"))).expect("exported");
    assert!(entry.contains(TRACE), "{entry}");
}

#[tokio::test]
async fn a_refused_request_is_a_line_of_its_trace_and_a_fault_is_an_error() {
    let (collector, endpoint) = Collector::http();
    let environment = sending(&endpoint, "http/protobuf");
    let program = Program::start(&Setting { environment: &environment, ..Setting::default() });
    let stranger = program.client.get(format!("{}/v1/register", program.url)).bearer_auth("pp_nobody");
    let sent = stranger.header("traceparent", format!("00-{TRACE}-{PARENT}-01")).send().await.expect("an answer");
    assert_eq!(sent.status(), 401);
    let line = until("the line is there", async || {
        collector.lines().into_iter().find(|line| format!("{:?}", line.body).contains("a credential was refused"))
    })
    .await;
    assert_eq!(hex_of(&line.trace_id), TRACE);

    // A key tried at the desk's door as well.
    let door = program.client.post(format!("{}/desk/session", program.url)).header("Sec-Fetch-Site", "same-origin");
    let door = door.header("Content-Type", "application/x-www-form-urlencoded").body("token=pp_nobody");
    assert_eq!(door.send().await.expect("an answer").status(), 401);
    until("that line is there too", async || {
        let refused = |line: &&LogRecord| format!("{:?}", line.body).contains("a credential was refused");
        (collector.lines().iter().filter(refused).count() == 2).then_some(())
    })
    .await;

    let mut outsider = crate::support::outsider_of(&program.home.path().join("test.db")).await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    let register = &read_json("tests/api/cases/th52.json")["register"];
    assert_eq!(program.call(CallerRole::Registrar, "PUT", "/v1/register", register).await.0, 503);
    let failed = until("the failed request is there", async || {
        collector.spans().into_iter().find(|span| span.name == "PUT /v1/register")
    })
    .await;
    assert_eq!(failed.status.expect("a status").code, 2, "an error");
    assert_eq!(attributes(&failed.attributes)["error.type"], "503");
    // What sends the spans does not make more of them.
    let own = collector.lines().into_iter().filter(|line| format!("{line:?}").contains("opentelemetry"));
    assert_eq!(own.count(), 0);
}

/// A row of the table that describes the numbers.
#[derive(Debug)]
struct Row {
    unit: String,
    kind: String,
    attributes: String,
}

/// `deploy/METRICS.md`, by the name in the first column.
fn described() -> BTreeMap<String, Row> {
    let text = include_str!("../../deploy/METRICS.md");
    let rows = text.lines().filter(|line| line.starts_with("| `pinkpaper.") || line.starts_with("| `http."));
    rows.map(|line| {
        let cells: Vec<String> = line.split('|').skip(1).map(|cell| cell.trim().replace('`', "")).collect();
        (cells[0].clone(), Row { unit: cells[1].clone(), kind: cells[2].clone(), attributes: cells[3].clone() })
    })
    .collect()
}

/// Kind and attributes of what was sent.
fn shape(metric: &Metric) -> (&'static str, BTreeSet<String>) {
    let names = |of: Vec<&KeyValue>| of.into_iter().map(|attribute| attribute.key.clone()).collect();
    match metric.data.as_ref().expect("data") {
        Data::Gauge(of) => ("gauge", names(of.data_points.iter().flat_map(|point| &point.attributes).collect())),
        Data::Histogram(of) => {
            ("histogram", names(of.data_points.iter().flat_map(|point| &point.attributes).collect()))
        }
        Data::Sum(of) => {
            let kind = if of.is_monotonic { "counter" } else { "updowncounter" };
            (kind, names(of.data_points.iter().flat_map(|point| &point.attributes).collect()))
        }
        other => panic!("no such kind is described: {other:?}"),
    }
}

#[tokio::test]
async fn every_number_is_described_and_has_that_unit_kind_and_those_attributes() {
    let (collector, endpoint) = Collector::grpc().await;
    let environment = sending(&endpoint, "grpc");
    let tables = "[metrics]\nprometheus = true\n";
    let program = Program::start(&Setting { environment: &environment, tables, ..Setting::default() });
    asked(&program).await;
    program.done(CallerRole::PolicyAdmin, "POST", "/v1/policies/reload", &Value::Null).await;
    let mut rows = described();
    // What a sound service does not do; that they are described is shown below.
    for never in ["pinkpaper.evaluation.errors", "pinkpaper.log.refused", "pinkpaper.decisions.repeated"] {
        assert!(rows.contains_key(never), "{never} is not described");
    }
    let mut seen: BTreeMap<String, Metric> = BTreeMap::new();
    until("every number has come", async || {
        seen.extend(collector.metrics().into_iter().map(|metric| (metric.name.clone(), metric)));
        (seen.len() + 3 >= rows.len()).then_some(())
    })
    .await;
    for (name, metric) in &seen {
        let row = rows.remove(name).unwrap_or_else(|| panic!("{name} is not described"));
        let (kind, attributes) = shape(metric);
        assert_eq!((metric.unit.as_str(), kind), (row.unit.as_str(), row.kind.as_str()), "{name}");
        assert!(!metric.description.is_empty(), "{name}");
        for attribute in attributes {
            assert!(row.attributes.contains(&attribute), "{name} has `{attribute}`: {}", row.attributes);
        }
    }
    let left: Vec<&String> = rows.keys().collect();
    assert_eq!(left, ["pinkpaper.decisions.repeated", "pinkpaper.evaluation.errors", "pinkpaper.log.refused"]);

    let metrics =
        program.request(CallerRole::Operator, "GET", "/metrics", &Value::Null).send().await.expect("an answer");
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = metrics.text().await.expect("text");
    let counted = text.lines().find(|line| line.starts_with("pinkpaper_decisions_total{")).expect("a number");
    for label in ["pinkpaper_outcome=\"deny\"", "pinkpaper_kind=\"decision\"", "pinkpaper_profile=\"th52\""] {
        assert!(counted.contains(label), "{counted}");
    }
    assert_eq!(program.call(CallerRole::Pep, "GET", "/metrics", &Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_not_waited_for() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", nobody.local_addr().expect("an address"));
    for (endpoint, protocol) in
        [(endpoint.as_str(), "grpc"), (endpoint.as_str(), "http/protobuf"), ("http://127.0.0.1:9", "grpc")]
    {
        let environment = sending(endpoint, protocol);
        let mut program = Program::start(&Setting { environment: &environment, ..Setting::default() });
        asked(&program).await;
        for _ in 0..20 {
            ask(&program).await;
        }
        assert_eq!(program.done(CallerRole::Pep, "GET", "/readyz", &Value::Null).await["status"], "ok");
        program.signal("TERM");
        assert!(program.ended().success(), "{}", program.lines());
    }
}

#[tokio::test]
async fn without_a_collector_or_prometheus_nothing_is_offered() {
    let program = Program::start(&Setting::default());
    asked(&program).await;
    assert_eq!(program.call(CallerRole::Operator, "GET", "/metrics", &Value::Null).await.0, 404);
}
