//! What the service says of people when nobody who may know asked: nothing. The whole API is run over a cast whose every
//! name, title and text is marked, by the program itself with its log at `trace`, and every output is searched.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use pinkpaper::{domain::words::CallerRole, http::ROUTES};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// In whatever names somebody or says something about them.
const MARK: &str = "zzmark";
/// In credentials.
const SECRET: &str = "zzsecret";

struct Running {
    process: Child,
    url: String,
    home: tempfile::TempDir,
    client: Client,
    /// Answers other than success: whole, with headers.
    refusals: Vec<String>,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn key(role: CallerRole) -> String {
    format!("pp_{SECRET}-{role}")
}

fn configuration(home: &Path) -> PathBuf {
    let mut text = format!(
        "listen = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1\"\ndatabase_url = \"sqlite://{}\"\n[log]\nheartbeat_seconds = 1\n",
        home.join("quiet.db").display()
    );
    for role in CallerRole::ALL {
        let person =
            if *role == CallerRole::Councillor { format!("person = \"{MARK}-cllr\"\n") } else { String::new() };
        text.push_str(&format!(
            "[[auth.api_keys]]\nname = \"key-{role}\"\nroles = [\"{role}\"]\n{person}sha256 = \"{}\"\n",
            hex::encode(Sha256::digest(key(*role)))
        ));
    }
    let file = home.join("quiet.toml");
    std::fs::write(&file, text).expect("written");
    file
}

fn start() -> Running {
    let home = tempfile::tempdir().expect("a directory");
    let log = std::fs::File::create(home.path().join("stderr.log")).expect("a file");
    let mut process = Command::new(env!("CARGO_BIN_EXE_pinkpaper"))
        .args(["serve", "--config"])
        .arg(configuration(home.path()))
        .env("RUST_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::new(process.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let at = line.find("http://").unwrap_or_else(|| panic!("no address in {line:?}"));
    let url = line[at..].trim().trim_end_matches("/docs/").to_owned();
    let client = pinkpaper::outbound::builder().build().expect("a client");
    Running { process, url, home, client, refusals: Vec::new() }
}

impl Running {
    async fn call(&mut self, role: CallerRole, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let method: Method = method.parse().expect("a method");
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.url)).bearer_auth(key(role));
        request = request.header("Idempotency-Key", format!("{MARK}-{}", path.len()));
        if !body.is_null() {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
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
async fn live_a_day(service: &mut Running) {
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
        let sent = service.client.post(format!("{}/v1/decisions", service.url)).bearer_auth(key(Pep));
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
    let mut service = start();
    live_a_day(&mut service).await;
    assert!(service.refusals.len() > 200, "only {} refusals", service.refusals.len());
    // And when the store fails under it.
    let mut outsider = crate::support::outsider_of(&service.home.path().join("quiet.db")).await;
    sqlx::query("ALTER TABLE log_payload RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    let mut last = question();
    last["principal"]["id"] = json!(format!("{MARK}-mo"));
    let answer = service.client.post(format!("{}/v1/decisions", service.url)).bearer_auth(key(CallerRole::Pep));
    let answer = answer.json(&last).send().await.expect("answers");
    assert_eq!(answer.status(), 503);
    service.refusals.push(answer.text().await.expect("text"));
    let log = std::fs::read_to_string(service.home.path().join("stderr.log")).expect("read");
    assert!(log.contains("no answer could be given"), "{log}");

    let told = marked(&log, &[MARK, SECRET]);
    assert!(told.is_empty(), "the log names somebody:\n{}", told.join("\n"));
    // Which members are wrong is told by their names, which the sender chose: those are the sender's own words.
    let refusals: Vec<String> =
        service.refusals.iter().map(|refusal| refusal.replace(&format!("/{MARK}"), "/…")).collect();
    let told = marked(&refusals.join("\n"), &[MARK, SECRET]);
    assert!(told.is_empty(), "a refusal names somebody:\n{}", told.join("\n"));
    for file in std::fs::read_dir(service.home.path()).expect("a directory") {
        let name = file.expect("a file").file_name().to_string_lossy().into_owned();
        assert!(!name.contains(MARK), "{name}");
    }
}
