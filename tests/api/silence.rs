//! What the service says of people when nobody who may know asked: nothing. The whole API is run over a cast whose every
//! name, title and text is marked, by the program itself with its log at `trace`, and every output is searched.

use pinkpaper::{domain::words::CallerRole, http::ROUTES};
use serde_json::{Value, json};

use crate::{
    collector::Collector,
    program::{Program, Setting, until},
};

/// In whatever names somebody or says something about them.
const MARK: &str = "zzmark";
/// In credentials.
const SECRET: &str = "zzsecret";

struct Watched {
    program: Program,
    collector: Collector,
    /// Answers other than success: whole, with headers.
    refusals: Vec<String>,
}

async fn start() -> Watched {
    let (collector, endpoint) = Collector::grpc().await;
    let program = Program::start(&Setting {
        key: &format!("pp_{SECRET}"),
        councillor: &format!("{MARK}-cllr"),
        tables: "[metrics]\nprometheus = true\n",
        environment: &[
            ("RUST_LOG", "trace"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100000"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "1000000"),
        ],
        ..Setting::default()
    });
    Watched { program, collector, refusals: Vec::new() }
}

impl Watched {
    async fn call(&mut self, role: CallerRole, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = self.program.request(role, method, path, body);
        let request = request.header("Idempotency-Key", format!("{MARK}-{}", path.len()));
        let answer = request.header("User-Agent", format!("{MARK}/1")).send().await.expect("an answer");
        let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
        let text = answer.text().await.expect("text");
        if !status.is_success() {
            self.refusals.push(format!("{method} {} {headers} {text}", status.as_u16()));
        }
        (status.as_u16(), serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn done(&mut self, role: CallerRole, method: &str, path: &str, body: &Value) -> Value {
        let (status, told) = self.call(role, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
        told
    }
}

fn register() -> Value {
    json!({
        "authority": {"id": format!("{MARK}-council"), "name": format!("{MARK} Council"), "governance": "executive"},
        "groups": [{"id": format!("{MARK}-group"), "name": format!("{MARK} Party")}],
        "wards": [{"id": format!("{MARK}-ward"), "name": format!("{MARK} Ward")}],
        "bodies": [{"id": format!("{MARK}-body"), "name": format!("{MARK} Committee"), "kind": "committee"}],
        "people": [
            {"id": format!("{MARK}-cllr"), "name": format!("Cllr {MARK}"), "kind": "councillor",
             "group": format!("{MARK}-group"), "wards": [format!("{MARK}-ward")], "term": {"from": "2025-05-01", "to": null},
             "memberships": [{"body": format!("{MARK}-body"), "role": "member", "voting": true, "from": "2025-05-01", "to": null}]},
            {"id": format!("{MARK}-mo"), "name": format!("{MARK} Officer"), "kind": "officer", "employment": "employee",
             "posts": ["monitoring_officer"], "service": "legal"}
        ]
    })
}

fn document() -> Value {
    json!({
        "id": format!("doc:{MARK}"), "title": format!("{MARK} investigation"), "kind": "correspondence", "held_by": "council",
        "parts": [{"id": format!("{MARK}-part"), "locator": format!("{MARK} page")}]
    })
}

fn question() -> Value {
    json!({
        "principal": {"type": "person", "id": format!("{MARK}-cllr")}, "action": "read", "document": {"id": format!("doc:{MARK}")},
        "purpose": {"capacity": "councillor", "ground": "casework", "justification": format!("{MARK} wrote to me"),
                    "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry"
    })
}

/// Everything that succeeds, then everything that does not.
async fn live_a_day(service: &mut Watched) {
    use CallerRole::{InformationGovernance, MonitoringOfficer, Pep, Registrar};
    let (cllr, doc) = (format!("{MARK}-cllr"), format!("doc:{MARK}"));
    service.done(Registrar, "PUT", "/v1/register", &register()).await;
    service.done(Registrar, "PUT", &format!("/v1/documents/{doc}"), &document()).await;
    let decided = service.done(Pep, "POST", "/v1/decisions", &question()).await;
    let decision = decided["id"].as_str().expect("an id").to_owned();
    let determination = json!({
        "kind": "need_to_know", "answer": false, "person": cllr, "document": doc, "parts": null,
        "decided_by": {"person": format!("{MARK}-mo"), "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": format!("{MARK} is fishing."), "conditions": format!("{MARK} only")
    });
    service.done(MonitoringOfficer, "POST", "/v1/determinations", &determination).await;
    let hold = json!({"kind": "foi", "reference": format!("{MARK}/1"), "reason": format!("{MARK} asked"), "scope": {"person": cllr}});
    service.done(InformationGovernance, "POST", "/v1/holds", &hold).await;
    for path in [
        format!("/v1/decisions?person={cllr}&document={doc}"),
        format!("/v1/decisions/{decision}"),
        format!("/v1/decisions/{decision}/explanation"),
        format!("/v1/referrals?person={cllr}&document={doc}"),
        format!("/v1/determinations?person={cllr}"),
        format!("/v1/register/people/{cllr}"),
        format!("/v1/documents/{doc}"),
        "/v1/log/export?view=full&format=csv".to_owned(),
        "/v1/log/export?view=foi".to_owned(),
    ] {
        service.done(MonitoringOfficer, "GET", &path, &Value::Null).await;
    }
    service.done(MonitoringOfficer, "POST", &format!("/v1/decisions/{decision}/replay"), &Value::Null).await;

    // Every route, as every role, with an id that is marked and a body that is not what is wanted.
    let id = format!("{MARK}-nobody");
    for (method, path, errand) in ROUTES {
        if errand.is_none() {
            continue;
        }
        for role in CallerRole::ALL {
            let path = path.replace("{collection}", "people").replace("{id}", &id);
            let path = format!("{path}?other={MARK}&person={MARK}%00&from={MARK}&cursor={MARK}");
            let body = if *method == "GET" || *method == "DELETE" {
                Value::Null
            } else {
                json!({MARK: MARK, "id": MARK, "kind": MARK})
            };
            service.call(*role, method, &path, &body).await;
        }
    }
    // Faults deep within what is otherwise right.
    for (pointer, value) in [
        ("/principal/id", json!(format!("{MARK} with spaces"))),
        ("/action", json!(MARK)),
        ("/purpose/justification", json!({MARK: MARK})),
        ("/document/id", json!(format!("doc:{MARK}-unknown"))),
        ("/channel", json!([MARK])),
    ] {
        let mut wrong = question();
        *wrong.pointer_mut(pointer).expect("there") = value;
        service.call(Pep, "POST", "/v1/decisions", &wrong).await;
    }
    for body in [format!("{{\"{MARK}\": {MARK}}}"), format!("{{\"{MARK}\": 1, \"{MARK}\": 2}}"), format!("\"{MARK}")] {
        let sent = service.program.request(Pep, "POST", "/v1/decisions", &Value::Null);
        let sent = sent.header("Content-Type", "application/json").body(body).send().await.expect("answers");
        let status = sent.status();
        service.refusals.push(format!("{status} {}", sent.text().await.expect("text")));
    }
    // The same key with another body; a determination of somebody who may not; a councillor about another.
    let mut other = question();
    other["routine"] = json!(true);
    service.call(Pep, "POST", "/v1/decisions", &other).await;
    let mut not_entitled = determination.clone();
    not_entitled["decided_by"]["person"] = json!(cllr);
    service.call(MonitoringOfficer, "POST", "/v1/determinations", &not_entitled).await;
    let mut another = question();
    another["principal"]["id"] = json!(format!("{MARK}-mo"));
    service.call(CallerRole::Councillor, "POST", "/v1/decisions", &another).await;
}

/// The first lines that hold a mark.
fn marked(text: &str, marks: &[&str]) -> Vec<String> {
    let holds = |line: &&str| marks.iter().any(|mark| line.to_lowercase().contains(mark));
    text.lines().filter(holds).take(3).map(str::to_owned).collect()
}

#[tokio::test]
async fn nothing_but_answers_to_those_who_may_know_names_anybody() {
    let mut service = start().await;
    live_a_day(&mut service).await;
    assert!(service.refusals.len() > 200, "only {} refusals", service.refusals.len());
    // And when the store fails under it.
    let mut outsider = crate::support::outsider_of(&service.program.home.path().join("test.db")).await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    let mut last = question();
    last["principal"]["id"] = json!(format!("{MARK}-mo"));
    let (status, _) = service.call(CallerRole::Pep, "POST", "/v1/decisions", &last).await;
    assert_eq!(status, 503);
    let log = service.program.lines();
    assert!(log.contains("no answer could be given"), "{log}");

    let told = marked(&log, &[MARK, SECRET]);
    assert!(told.is_empty(), "the log names somebody:\n{}", told.join("\n"));
    // Which members are wrong is told by their names, which the sender chose: those are the sender's own words.
    let refusals: Vec<String> =
        service.refusals.iter().map(|refusal| refusal.replace(&format!("/{MARK}"), "/…")).collect();
    let told = marked(&refusals.join("\n"), &[MARK, SECRET]);
    assert!(told.is_empty(), "a refusal names somebody:\n{}", told.join("\n"));
    let numbers = service.program.request(CallerRole::Operator, "GET", "/metrics", &Value::Null).send().await;
    let numbers = numbers.expect("an answer").text().await.expect("text");
    assert!(numbers.contains("pinkpaper_decisions_total"), "{numbers}");
    assert_eq!(marked(&numbers, &[MARK, SECRET]), Vec::<String>::new(), "a number names somebody");
    // What failed last has been sent when it is told that it failed.
    let collector = service.collector.clone();
    until("the collector has the last line", async || {
        collector.lines().iter().any(|line| format!("{line:?}").contains("no answer could be given")).then_some(())
    })
    .await;
    let failed = ("http.response.status_code".to_owned(), "503".to_owned());
    until("the collector has the last span, all before it, and numbers", async || {
        let spans = collector.spans();
        let last = spans.iter().any(|span| crate::collector::told(&span.attributes).contains(&failed));
        (last && spans.len() > 200 && !collector.metrics().is_empty()).then_some(())
    })
    .await;
    let sent = collector.everything();
    let at = [MARK, SECRET].iter().find_map(|mark| sent.to_lowercase().find(mark));
    let around = at.map(|at| sent.chars().skip(at.saturating_sub(200)).take(400).collect::<String>());
    assert_eq!(around, None, "what is sent to the collector names somebody");
    for file in std::fs::read_dir(service.program.home.path()).expect("a directory") {
        let name = file.expect("a file").file_name().to_string_lossy().into_owned();
        assert!(!name.contains(MARK), "{name}");
    }
}
