//! A real service for one test: its own database, its own port, one key per role.

use std::{
    collections::HashMap,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{
        Arc, LazyLock, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use jsonschema::Validator;
use pinkpaper::{
    app::{App, Caller, evidence::Checkpoints},
    audit::{checkpoint::Notary, key::Signer},
    auth::{ApiKey, Callers, Issuer, Keys, rate::Rate},
    clock::Clock,
    domain::words::CallerRole,
    http::{self, DocsExamples, Limits, Shared, health, schemas::Schemas, tls::Certificate},
    pap::{Bundle, PolicyFiles},
    pdp::StatutoryLayer,
    store,
};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

pub struct Service {
    pub url: String,
    pub client: Client,
    pub schemas: Arc<Schemas>,
    pub database: PathBuf,
    /// What the service runs: for what it does by itself, without being asked.
    pub app: Arc<App>,
    pub clock: Ahead,
    _home: TempDir,
}

/// The machine's clock, put forward by some days.
#[derive(Clone, Default)]
pub struct Ahead(Arc<AtomicI64>);

impl Ahead {
    pub fn put_forward(&self, days: i64) {
        self.0.fetch_add(days, Ordering::SeqCst);
    }
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_hours(24 * self.0.load(Ordering::SeqCst))
    }
}

/// By what a service's callers come, beside the keys that every test service has.
pub struct Door {
    pub issuer: Option<Issuer>,
    pub rate: Rate,
    pub certificate: Option<Arc<Certificate>>,
    /// For how long one look at the store answers who asks whether the service is ready.
    pub one_look: Duration,
    /// Whose certificates the client believes.
    pub trusted: Vec<reqwest::Certificate>,
}

impl Default for Door {
    fn default() -> Self {
        Self { issuer: None, rate: Rate::new(0, 0), certificate: None, one_look: Duration::ZERO, trusted: Vec::new() }
    }
}

/// The policies that the program is built with: loaded once, for a check of them all takes longer than most tests.
static SHIPPED: LazyLock<Arc<Bundle>> =
    LazyLock::new(|| Arc::new(Bundle::load(&PolicyFiles::shipped()).expect("the policies load")));

/// The key of a role in every test service.
pub fn key(role: CallerRole) -> String {
    format!("pp_test-key-of-the-{role}")
}

/// The person for whom the `councillor` key speaks.
pub const COUNCILLOR: &str = "b1";

/// Officers of the cast who have keys of their own, with the role `officer`.
const OFFICERS: [&str; 2] = ["o-mo", "o-case"];

/// The key that speaks for an officer of the cast.
pub fn key_of(officer: &str) -> String {
    format!("pp_test-key-of-{officer}")
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Service {
    /// Starts a service with a profile.
    pub async fn start(profile: &str) -> Self {
        Self::with_bundle(profile, Arc::clone(&SHIPPED)).await
    }

    /// Starts a service with policies of its own.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn with_policies(profile: &str, files: &PolicyFiles) -> Self {
        Self::with_bundle(profile, Arc::new(Bundle::load(files).expect("the policies load"))).await
    }

    async fn with_bundle(profile: &str, bundle: Arc<Bundle>) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let keys = home.path().to_owned();
        Self::at(home, &keys, profile, bundle, Door::default()).await
    }

    /// Starts a service whose callers come by another door.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn behind(door: Door) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let keys = home.path().to_owned();
        Self::at(home, &keys, "th52", Arc::clone(&SHIPPED), door).await
    }

    /// One of several replicas on a database: they have the keys in a directory in common.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn replica(address: &str, keys: &Path) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self::on(address.to_owned(), home, keys, "th52", Arc::clone(&SHIPPED), Door::default()).await
    }

    /// Starts a service whose log is signed with the keys in a directory.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn with_log_key(keys: &Path) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self::at(home, keys, "th52", Arc::clone(&SHIPPED), Door::default()).await
    }

    async fn at(home: TempDir, keys: &Path, profile: &str, bundle: Arc<Bundle>, door: Door) -> Self {
        let address = format!("sqlite://{}", home.path().join("test.db").display());
        Self::on(address, home, keys, profile, bundle, door).await
    }

    async fn on(address: String, home: TempDir, keys: &Path, profile: &str, bundle: Arc<Bundle>, door: Door) -> Self {
        let checkpoint_key = Signer::open(&keys.join("checkpoint.key")).expect("a key");
        let database = home.path().join("test.db");
        let signer = Signer::open(&keys.join("test.key")).expect("a signer");
        let options = store::Options::new("test", Arc::new(signer));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let scheme = if door.certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let client = pinkpaper::outbound::builder().tls_certs_merge(door.trusted).build().expect("a client");
        let profile = profile.to_owned();
        let clock = Ahead::default();
        let ahead = Box::new(clock.clone());
        let (started, app) = mpsc::channel();
        thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let schemas = Schemas::load().expect("the schemas load");
                let store = store::connect(&address, options).await.expect("the store opens");
                let notary = Notary::new(checkpoint_key, store.origin());
                let checkpoints = Checkpoints::new(notary, None);
                let app = App::new(store, checkpoints, bundle, profile, StatutoryLayer::Enforce, ahead);
                let app = Arc::new(app.expect("the profile exists").checked_by(schemas.hash()));
                app.start_policies().await.expect("the policies are kept");
                started.send(Arc::clone(&app)).expect("somebody waits for it");
                let shared = Shared {
                    app,
                    callers: Callers { keys: Keys(keys_of_all()), issuer: door.issuer },
                    rate: door.rate,
                    schemas,
                    limits: Limits { request: 1 << 20, bulk: 16 << 20, body_within: Duration::from_secs(2) },
                    examples: DocsExamples::default(),
                    ready: health::Looked::answering_for(door.one_look),
                    numbers: None,
                    https: false,
                };
                http::serve(shared, listener, door.certificate, 1).await.expect("the service runs");
            });
        });
        let schemas = Arc::new(Schemas::load().expect("the schemas load"));
        let app = app.recv().expect("the service starts");
        Self { url, client, schemas, database, app, clock, _home: home }
    }

    /// Someone with the database file in hand.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn outsider(&self) -> sqlx::SqliteConnection {
        outsider_of(&self.database).await
    }

    /// A service whose register is this.
    pub async fn with_register(profile: &str, register: &Value) -> Self {
        let service = Self::start(profile).await;
        let answer = service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(register)).await;
        assert!(answer.status.is_success(), "the register is refused: {}", answer.body);
        service
    }

    pub async fn call(&self, role: CallerRole, method: Method, path: &str, body: Option<&Value>) -> Answer {
        self.call_with(Some(&key(role)), method, path, body, &[]).await
    }

    /// Every answer is checked against the schema of its status, where the description has one.
    pub async fn call_with(
        &self,
        key: Option<&str>,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.url));
        if let Some(key) = key {
            request = request.bearer_auth(key);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = read(request).await;
        self.check_against_description(&method, path, &answer);
        answer
    }

    /// Sends bytes as they are.
    pub async fn send(&self, role: CallerRole, method: Method, path: &str, kind: &str, body: &[u8]) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(key(role));
        read(request.header("Content-Type", kind).body(body.to_vec())).await
    }

    pub async fn ask(&self, request: &Value) -> Answer {
        self.call(CallerRole::Pep, Method::POST, "/v1/decisions", Some(request)).await
    }

    pub async fn put_person(&self, person: &Value) {
        let path = format!("/v1/register/people/{}", person["id"].as_str().expect("an id"));
        let answer = self.call(CallerRole::Registrar, Method::PUT, &path, Some(person)).await;
        assert!(answer.status.is_success(), "{}: {}", path, answer.body);
    }

    pub async fn determine(&self, determination: &Value) -> Answer {
        self.call(CallerRole::MonitoringOfficer, Method::POST, "/v1/determinations", Some(determination)).await
    }

    /// Who did what, of the entries of a kind.
    #[allow(dead_code, reason = "not every test binary needs it")]
    pub async fn acts(&self, kind: &str) -> Vec<(String, Value)> {
        let taken = self.call(CallerRole::MonitoringOfficer, Method::GET, "/v1/log/export", None).await;
        let lines = taken.body.as_str().expect("lines").lines();
        let entries = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let told = |entry: Value| {
            let caller = entry["payload"]["caller"]["value"].as_str().expect("a caller").to_owned();
            (caller, entry["payload"]["act"]["value"].clone())
        };
        entries.filter(|entry| entry["leaf"]["kind"] == kind).map(told).collect()
    }

    fn check_against_description(&self, method: &Method, path: &str, answer: &Answer) {
        let description = self.schemas.openapi();
        let Some(operation) = operation(description, method, path) else { return };
        let status = answer.status.as_u16().to_string();
        let response = operation.pointer(&format!("/responses/{status}"));
        let response = response.unwrap_or_else(|| panic!("{method} {path}: status {status} is not described"));
        let response = resolve(description, response);
        let content = response.get("content").and_then(Value::as_object);
        let Some(schema) = content.and_then(|kinds| kinds.values().next()).and_then(|kind| kind.get("schema")) else {
            return;
        };
        let validator = validator(description, schema);
        let faults: Vec<String> =
            validator.iter_errors(&answer.body).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(faults.is_empty(), "{method} {path} {status} answers otherwise than described: {faults:#?}");
    }
}

/// What checks an answer. Each is built once: the whole description goes into it.
fn validator(description: &Value, schema: &Value) -> Arc<Validator> {
    static BUILT: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);
    let build = || {
        let document = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": description["components"], "allOf": [schema],
        });
        Arc::new(jsonschema::options().should_validate_formats(true).build(&document).expect("a schema"))
    };
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(built.entry(schema.to_string()).or_insert_with(build))
}

fn resolve<'a>(description: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(target) => description.pointer(target.trim_start_matches('#')).expect("a reference resolves"),
        None => value,
    }
}

/// The operation whose path template fits: segment by segment, or with the last parameter taking the rest, since an
/// id may itself hold a slash.
fn operation<'a>(description: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let path = path.split('?').next()?;
    let paths = description["paths"].as_object()?;
    let find = |greedy| paths.iter().find(|(template, _)| fits(template, path, greedy)).map(|(_, item)| item);
    let item = paths.get(path).or_else(|| find(false)).or_else(|| find(true))?;
    item.get(method.as_str().to_lowercase())
}

fn fits(template: &str, path: &str, greedy: bool) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let lengths = wanted.len() == given.len() || (greedy && wanted.len() < given.len() && template.ends_with('}'));
    lengths && wanted.iter().zip(&given).all(|(one, other)| one.starts_with('{') || one == other)
}

/// Someone with a database file in hand.
#[allow(dead_code, reason = "not every test binary needs it")]
pub async fn outsider_of(file: &Path) -> sqlx::SqliteConnection {
    let address = format!("sqlite://{}", file.display());
    <sqlx::SqliteConnection as sqlx::Connection>::connect(&address).await.expect("open")
}

/// A key of each role, and those of some officers.
fn keys_of_all() -> Vec<ApiKey> {
    CallerRole::ALL.iter().map(|role| api_key(*role)).chain(OFFICERS.map(officer)).collect()
}

fn api_key(role: CallerRole) -> ApiKey {
    let person = (role == CallerRole::Councillor).then(|| COUNCILLOR.try_into().expect("an id"));
    ApiKey {
        caller: Caller { name: format!("test-{role}"), roles: vec![role], person, personal: false },
        sha256: Sha256::digest(key(role).as_bytes()).into(),
        not_before: None,
        expires_at: None,
    }
}

fn officer(id: &str) -> ApiKey {
    let person = Some(id.try_into().expect("an id"));
    ApiKey {
        caller: Caller { name: format!("test-{id}"), roles: vec![CallerRole::Officer], person, personal: false },
        sha256: Sha256::digest(key_of(id).as_bytes()).into(),
        not_before: None,
        expires_at: None,
    }
}

async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("the service answers");
    let (status, headers) = (response.status(), response.headers().clone());
    let bytes = response.bytes().await.expect("a body");
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = match kind.split(';').next() {
        _ if bytes.is_empty() => Value::Null,
        Some("application/json" | "application/problem+json") => serde_json::from_slice(&bytes).expect("JSON"),
        _ => Value::String(String::from_utf8(bytes.to_vec()).expect("text")),
    };
    Answer { status, headers, body }
}

/// A JSON file of the tests with its times resolved now.
pub fn read_json(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut value: Value = serde_json::from_str(&text).expect("JSON");
    pinkpaper::domain::relative::resolve(&mut value, Timestamp::now()).expect("placeholders");
    value
}
