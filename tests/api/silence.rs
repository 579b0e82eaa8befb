//! What the service says of people when nobody who may know asked: nothing. The whole API and the whole desk are run over a
//! cast whose every name, title and text is marked, by the program itself with its log at `trace`, and every output is
//! searched. A route that was not walked with success is told at the end, so that none is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use pinkpaper::{
    domain::words::CallerRole,
    http::{DESK, ROUTES},
};
use reqwest::{Client, Method, redirect::Policy};
use serde_json::{Value, json};

use crate::{
    collector::Collector,
    issuer::{AUDIENCE, Idp, Key},
    program::{Program, Setting, until},
};

/// In whatever names somebody or says something about them.
const MARK: &str = "zzmark";
/// In credentials.
const SECRET: &str = "zzsecret";

/// A row of the route table: method and path as it is described.
type Row = (&'static str, &'static str);

/// What a form of the desk sends.
type Form<'a> = &'a [(&'a str, &'a str)];

struct Watched {
    program: Program,
    collector: Collector,
    issuer: Idp,
    signs: Key,
    /// One that goes where it is sent and no further.
    client: Client,
    /// What a browser keeps for each role.
    cookies: BTreeMap<CallerRole, String>,
    /// Rows walked with success.
    walked: BTreeSet<Row>,
    /// Each request that is to succeed has a key of its own.
    asked: usize,
    /// Answers other than success: whole, with headers.
    refusals: Vec<String>,
}

async fn start() -> Watched {
    let (collector, endpoint) = Collector::grpc().await;
    let signs = Key::ec("k1");
    let issuer = Idp::start(&[&signs]);
    let program = Program::start(&Setting {
        key: &format!("pp_{SECRET}"),
        councillor: &cllr(),
        tables: &format!(
            "[metrics]\nprometheus = true\n\
             [auth.oidc]\nissuer = \"{}\"\naudience = \"{AUDIENCE}\"\nperson_claim = \"person\"\n",
            issuer.url
        ),
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
    let client = pinkpaper::outbound::builder().redirect(Policy::none()).build().expect("a client");
    let (cookies, walked, refusals) = (BTreeMap::new(), BTreeSet::new(), Vec::new());
    Watched { program, collector, issuer, signs, client, cookies, walked, asked: 0, refusals }
}

/// The row that answers a request: of those that fit, the one with the fewest parameters.
fn row(method: &str, path: &str) -> Option<Row> {
    let given: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
    let fits = |pattern: &str| {
        let wanted: Vec<&str> = pattern.split('/').collect();
        wanted.len() == given.len()
            && wanted.iter().zip(&given).all(|(one, other)| one.starts_with('{') || one == other)
    };
    let rows = all_rows().filter(|(of, pattern)| *of == method && fits(pattern));
    rows.min_by_key(|(_, pattern)| pattern.matches('{').count())
}

fn all_rows() -> impl Iterator<Item = Row> {
    ROUTES.iter().chain(DESK).map(|(method, path, _)| (*method, *path))
}

impl Watched {
    /// Sends a request and keeps what was refused.
    async fn sent(&mut self, method: &str, path: &str, request: reqwest::RequestBuilder) -> (u16, String) {
        let answer = request.header("User-Agent", format!("{MARK}/1")).send().await.expect("an answer");
        let (status, headers) = (answer.status(), format!("{:?}", answer.headers()));
        if let Some(cookie) = answer.headers().get("set-cookie") {
            let cookie = cookie.to_str().expect("text").split(';').next().expect("a cookie").to_owned();
            self.cookies.insert(CallerRole::MonitoringOfficer, cookie);
        }
        let text = answer.text().await.expect("text");
        if status.is_success() || status.is_redirection() {
            self.walked.extend(row(method, path));
        } else {
            self.refusals.push(format!("{method} {} {headers} {text}", status.as_u16()));
        }
        (status.as_u16(), text)
    }

    async fn call(&mut self, role: CallerRole, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.call_once(role, method, path, body, path.len()).await
    }

    async fn call_once(
        &mut self,
        role: CallerRole,
        method: &str,
        path: &str,
        body: &Value,
        once: usize,
    ) -> (u16, Value) {
        let request = self.program.request(role, method, path, body);
        let request = request.header("Idempotency-Key", format!("{MARK}-{once}"));
        let (status, text) = self.sent(method, path, request).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn done(&mut self, role: CallerRole, method: &str, path: &str, body: &Value) -> Value {
        self.asked += 1;
        let (status, told) = self.call_once(role, method, path, body, 1000 + self.asked).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {told}");
        told
    }

    /// A page of the desk, or a form of it.
    async fn page(&mut self, role: CallerRole, path: &str, form: Option<Form<'_>>) -> (u16, String) {
        let method = if form.is_some() { "POST" } else { "GET" };
        let to = method.parse::<Method>().expect("a method");
        let mut request = self.client.request(to, format!("{}{path}", self.program.url));
        request = request.header("Sec-Fetch-Site", "same-origin");
        if let Some(cookie) = self.cookies.get(&role) {
            request = request.header("Cookie", cookie);
        }
        if let Some(form) = form {
            let pairs: Vec<String> =
                form.iter().map(|(name, value)| format!("{name}={}", value.replace(' ', "+"))).collect();
            request = request.header("Content-Type", "application/x-www-form-urlencoded").body(pairs.join("&"));
        }
        self.sent(method, path, request).await
    }

    /// By a token of the identity provider.
    async fn by_token(&mut self, token: &str, method: &str, path: &str, body: &Value) -> u16 {
        let to = method.parse::<Method>().expect("a method");
        let request = self.client.request(to, format!("{}{path}", self.program.url)).bearer_auth(token);
        let request = if body.is_null() { request } else { request.json(body) };
        self.sent(method, path, request).await.0
    }
}

fn cllr() -> String {
    format!("{MARK}-cllr")
}

fn register() -> Value {
    let seat = |body: &str| json!({"body": format!("{MARK}-{body}"), "role": "member", "voting": true, "from": "2025-05-01", "to": null});
    json!({
        "authority": {"id": format!("{MARK}-council"), "name": format!("{MARK} Council"), "governance": "executive"},
        "groups": [{"id": format!("{MARK}-group"), "name": format!("{MARK} Party")}],
        "wards": [{"id": format!("{MARK}-ward"), "name": format!("{MARK} Ward")}],
        "bodies": [
            {"id": format!("{MARK}-body"), "name": format!("{MARK} Committee"), "kind": "committee"},
            {"id": format!("{MARK}-cabinet"), "name": format!("{MARK} Cabinet"), "kind": "executive"},
            {"id": format!("{MARK}-oas"), "name": format!("{MARK} Scrutiny"), "kind": "overview_and_scrutiny"}
        ],
        "people": [
            {"id": cllr(), "name": format!("Cllr {MARK}"), "kind": "councillor",
             "group": format!("{MARK}-group"), "wards": [format!("{MARK}-ward")], "term": {"from": "2025-05-01", "to": null},
             "memberships": [seat("body"), seat("oas")]},
            {"id": format!("{MARK}-mo"), "name": format!("{MARK} Officer"), "kind": "officer", "employment": "employee",
             "posts": ["monitoring_officer"], "service": "legal"}
        ]
    })
}

fn document(id: &str) -> Value {
    json!({
        "id": id, "title": format!("{MARK} investigation"), "kind": "correspondence", "held_by": "council",
        "parts": [{"id": format!("{MARK}-part"), "locator": format!("{MARK} page")}]
    })
}

fn question_about(document: &str) -> Value {
    json!({
        "principal": {"type": "person", "id": cllr()}, "action": "read", "document": {"id": document},
        "purpose": {"capacity": "councillor", "ground": "casework", "justification": format!("{MARK} wrote to me"),
                    "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry"
    })
}

fn question() -> Value {
    question_about(&format!("doc:{MARK}"))
}

/// A report to the executive, of which a member of scrutiny asks for a copy.
fn question_of_scrutiny() -> Value {
    json!({
        "principal": {"type": "person", "id": cllr()}, "action": "read",
        "document": {
            "id": format!("cab:{MARK}"), "title": format!("{MARK} award"), "kind": "report", "held_by": "council",
            "held_by_executive": true, "council_business": true,
            "business": [{"body": format!("{MARK}-cabinet"), "meeting": format!("{MARK}-m"), "status": "transacted",
                          "private": true, "meeting_at": "2026-01-05T18:30:00Z", "convened_at": "2025-12-20T10:00:00Z",
                          "concluded_at": "2026-01-05T20:30:00Z", "item_was_open": "excluded_exempt"}],
            "published_at": null, "draft": "none", "taken_into_consideration": true, "matters": [format!("{MARK}-leisure")],
            "wards": [], "group_internal_of": null, "administration_only": false, "personal_record": false,
            "third_party_personal": false, "staff_matter": false, "proceedings": "none",
            "classification": {"access": "exempt", "exempt": [{"paragraph": 4}], "public_interest": "maintain",
                               "determined_by": "proper_officer", "determined_at": "2026-01-01T10:00:00Z"}
        },
        "purpose": {"capacity": "councillor", "ground": "scrutiny", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry", "routine": false
    })
}

fn determination(kind: &str, document: &str, decided_by: &Value) -> Value {
    json!({
        "kind": kind, "answer": false, "person": cllr(), "document": document, "parts": null,
        "decided_by": decided_by, "decided_at": "2026-01-09T10:00:00Z",
        "valid_until": null, "reasons": format!("{MARK} is fishing."), "conditions": format!("{MARK} only")
    })
}

fn by_mo() -> Value {
    json!({"person": format!("{MARK}-mo"), "post": "monitoring_officer"})
}

fn id_of(told: &Value) -> String {
    told["id"].as_str().unwrap_or_else(|| panic!("no id: {told}")).to_owned()
}

/// Everything that succeeds, then everything that does not.
async fn live_a_day(service: &mut Watched) {
    keep_facts(service).await;
    ask(service).await;
    decide_what_is_left_to_people(service).await;
    owe_a_statement(service).await;
    erase_and_hold(service).await;
    read_the_log(service).await;
    sit_at_the_desk(service).await;
    come_by_token(service).await;
    run_it(service).await;
    let missed: Vec<Row> = all_rows().filter(|row| !service.walked.contains(row)).collect();
    assert!(missed.is_empty(), "not walked: {missed:?}");
    be_refused(service).await;
    be_refused_at_the_desk(service).await;
}

/// The register whole and one by one, and papers.
async fn keep_facts(service: &mut Watched) {
    use CallerRole::Registrar;
    service.done(Registrar, "PUT", "/v1/register", &register()).await;
    service.done(Registrar, "GET", "/v1/register", &Value::Null).await;
    for (collection, at) in
        [("groups", "/groups/0"), ("wards", "/wards/0"), ("bodies", "/bodies/0"), ("people", "/people/1")]
    {
        let mut one = register().pointer(at).expect("an entry").clone();
        one["id"] = json!(format!("{MARK}-another"));
        let path = format!("/v1/register/{collection}/{MARK}-another");
        for method in ["PUT", "GET", "DELETE"] {
            service.done(Registrar, method, &path, if method == "PUT" { &one } else { &Value::Null }).await;
        }
        service.done(Registrar, "GET", &format!("/v1/register/{collection}"), &Value::Null).await;
    }
    for name in [format!("doc:{MARK}"), format!("doc:{MARK}-desk"), format!("doc:{MARK}-gone")] {
        service.done(Registrar, "PUT", &format!("/v1/documents/{name}"), &document(&name)).await;
        service.done(Registrar, "GET", &format!("/v1/documents/{name}"), &Value::Null).await;
    }
    service.done(Registrar, "GET", "/v1/documents", &Value::Null).await;
    service.done(Registrar, "DELETE", &format!("/v1/documents/doc:{MARK}-gone"), &Value::Null).await;
}

/// Questions one by one and together, enquiries, and for whom a paper is; and what is told of an answer afterwards.
async fn ask(service: &mut Watched) {
    use CallerRole::{MonitoringOfficer, Officer, Pep};
    let doc = format!("doc:{MARK}");
    let decision = id_of(&service.done(Pep, "POST", "/v1/decisions", &question()).await);
    service.done(Pep, "POST", "/v1/decisions/batch", &json!({"requests": [question(), {"action": MARK}]})).await;
    service.done(Officer, "GET", &format!("/v1/enquiries?person={}&document={doc}", cllr()), &Value::Null).await;
    service.done(Officer, "POST", "/v1/audience", &json!({"document": doc, "action": "read"})).await;
    for rest in ["", "/explanation", "/proof"] {
        service.done(MonitoringOfficer, "GET", &format!("/v1/decisions/{decision}{rest}"), &Value::Null).await;
    }
    service
        .done(MonitoringOfficer, "GET", &format!("/v1/decisions?person={}&document={doc}", cllr()), &Value::Null)
        .await;
    service.done(MonitoringOfficer, "POST", &format!("/v1/decisions/{decision}/replay"), &Value::Null).await;
}

/// A referral, the determination that closes it, and one that is withdrawn.
async fn decide_what_is_left_to_people(service: &mut Watched) {
    use CallerRole::{MonitoringOfficer, Pep};
    let doc = format!("doc:{MARK}");
    let asked = service.done(Pep, "POST", "/v1/decisions", &question()).await;
    let referral = asked["referral"]["id"].as_str().expect("a referral").to_owned();
    service
        .done(MonitoringOfficer, "GET", &format!("/v1/referrals?person={}&document={doc}", cllr()), &Value::Null)
        .await;
    let told = service.done(MonitoringOfficer, "GET", &format!("/v1/referrals/{referral}"), &Value::Null).await;
    let mut answer = determination("need_to_know", &doc, &by_mo());
    answer.as_object_mut().expect("members").extend(told["answer_with"].as_object().expect("a beginning").clone());
    answer["decided_at"] = json!(jiff::Timestamp::now());
    let answer = id_of(&service.done(MonitoringOfficer, "POST", "/v1/determinations", &answer).await);
    let closing = json!({"determination": answer});
    service.done(MonitoringOfficer, "POST", &format!("/v1/referrals/{referral}/close"), &closing).await;
    service.done(MonitoringOfficer, "GET", &format!("/v1/determinations?person={}", cllr()), &Value::Null).await;
    let fishing = determination("fishing", &doc, &by_mo());
    let fishing = id_of(&service.done(MonitoringOfficer, "POST", "/v1/determinations", &fishing).await);
    for method in ["GET", "DELETE"] {
        service.done(MonitoringOfficer, method, &format!("/v1/determinations/{fishing}"), &Value::Null).await;
    }
}

/// What a committee is owed of whose member was refused.
async fn owe_a_statement(service: &mut Watched) {
    use CallerRole::{MonitoringOfficer, Pep};
    let cabinet = json!({"body": format!("{MARK}-cabinet")});
    let refusal = determination("scrutiny_relevance", &format!("cab:{MARK}"), &cabinet);
    service.done(MonitoringOfficer, "POST", "/v1/determinations", &refusal).await;
    let decision = id_of(&service.done(Pep, "POST", "/v1/decisions", &question_of_scrutiny()).await);
    service.done(MonitoringOfficer, "GET", &format!("/v1/decisions/{decision}/statement"), &Value::Null).await;
}

/// A decision erased on request, then a hold placed, looked at and released.
async fn erase_and_hold(service: &mut Watched) {
    use CallerRole::{InformationGovernance, MonitoringOfficer, Pep};
    let decision = id_of(&service.done(Pep, "POST", "/v1/decisions", &question()).await);
    let erasure = json!({
        "decision": decision, "groups": "all", "outcome": "erased", "basis": format!("{MARK} asked for it."),
        "authorised_by": format!("{MARK} Officer")
    });
    service.done(InformationGovernance, "POST", "/v1/log/erasures", &erasure).await;
    let gone = service.call(MonitoringOfficer, "GET", &format!("/v1/decisions/{decision}"), &Value::Null).await;
    assert_eq!(gone.0, 410);
    let hold = json!({
        "kind": "foi", "reference": format!("{MARK}/1"), "reason": format!("{MARK} asked"), "scope": {"person": cllr()}
    });
    let hold = id_of(&service.done(InformationGovernance, "POST", "/v1/holds", &hold).await);
    service.done(InformationGovernance, "GET", "/v1/holds", &Value::Null).await;
    for method in ["GET", "DELETE"] {
        service.done(InformationGovernance, method, &format!("/v1/holds/{hold}"), &Value::Null).await;
    }
}

async fn read_the_log(service: &mut Watched) {
    for path in [
        "/v1/log/export?view=full&format=csv",
        "/v1/log/export?view=foi",
        "/v1/log/checkpoint",
        "/v1/log/key",
        "/v1/log/consistency?from=1&to=2",
        "/v1/log/statistics",
    ] {
        service.done(CallerRole::MonitoringOfficer, "GET", path, &Value::Null).await;
    }
}

/// Every page, in a browser of the Monitoring Officer.
async fn sit_at_the_desk(service: &mut Watched) {
    use CallerRole::MonitoringOfficer;
    let doc = format!("doc:{MARK}-desk");
    let asked = service.done(CallerRole::Pep, "POST", "/v1/decisions", &question_about(&doc)).await;
    let referral = format!("/desk/referrals/{}", asked["referral"]["id"].as_str().expect("a referral"));
    let policies = service.done(MonitoringOfficer, "GET", "/v1/policies", &Value::Null).await;
    let rule = format!("/desk/policies/{}", policies["items"][0]["id"].as_str().expect("a policy"));
    let token = service.program.key(MonitoringOfficer);
    let mo = format!("{MARK}-mo");
    let answer = [("answer", "no"), ("decided_by", &mo), ("post", "monitoring_officer"), ("reasons", MARK)];
    let pages: [(&str, Option<Form<'_>>); 16] = [
        ("/policies", None),
        ("/desk", None),
        ("/desk/style.css", None),
        ("/desk/session", Some(&[("token", &token)])),
        ("/desk/home", None),
        (&format!("/desk/enquiries?person={}&document={doc}", cllr()), None),
        (&format!("/desk/audience?document={doc}"), None),
        ("/desk/referrals", None),
        (&referral, None),
        (&referral, Some(&answer)),
        ("/desk/policies", None),
        (&rule, None),
        (&format!("/desk/statistics?document={doc}"), None),
        (&format!("/desk/statistics/table?format=csv&document={doc}"), None),
        ("/desk/decisions/table?view=full&format=csv", None),
        ("/desk/session/end", Some(&[])),
    ];
    for (path, form) in pages {
        let (status, text) = service.page(MonitoringOfficer, path, form).await;
        assert!((200..400).contains(&status), "{path}: {status} {text}");
    }
}

/// A councillor whom the identity provider names, and tokens that are not good.
async fn come_by_token(service: &mut Watched) {
    let mut claims = service.issuer.claims("councillor");
    claims["sub"] = json!(format!("{MARK}-sub"));
    claims["person"] = json!(cllr());
    let token = service.signs.sign(&claims);
    assert_eq!(service.by_token(&token, "POST", "/v1/decisions", &question()).await, 200);
    assert_eq!(service.by_token(&token, "GET", &format!("/v1/decisions?person={}", cllr()), &Value::Null).await, 200);
    assert_eq!(service.by_token(&token, "GET", &format!("/v1/register/people/{}", cllr()), &Value::Null).await, 403);
    claims["aud"] = json!(MARK);
    let elsewhere = service.signs.sign(&claims);
    for wrong in [elsewhere, format!("{token}{MARK}"), Key::ec("k1").sign(&claims), format!("pp_{SECRET}-nobody")] {
        assert_eq!(service.by_token(&wrong, "GET", "/v1/profile", &Value::Null).await, 401);
    }
}

/// What those who run it look at.
async fn run_it(service: &mut Watched) {
    let policies = service.done(CallerRole::Pep, "GET", "/v1/policies", &Value::Null).await;
    let policy = policies["items"][0]["id"].as_str().expect("a policy").to_owned();
    service.done(CallerRole::Pep, "GET", &format!("/v1/policies/{policy}"), &Value::Null).await;
    service.done(CallerRole::PolicyAdmin, "POST", "/v1/policies/reload", &Value::Null).await;
    for path in ["/v1/profile", "/metrics", "/livez", "/readyz", "/openapi.json"] {
        service.done(CallerRole::Operator, "GET", path, &Value::Null).await;
    }
}

async fn be_refused(service: &mut Watched) {
    use CallerRole::{MonitoringOfficer, Pep};
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
        let sent = sent.header("Content-Type", "application/json").body(body);
        service.sent("POST", "/v1/decisions", sent).await;
    }
    // The same key with another body; a determination of somebody who may not; a councillor about another.
    let mut other = question();
    other["routine"] = json!(true);
    let twice = [
        service.call(Pep, "POST", "/v1/decisions", &question()).await,
        service.call(Pep, "POST", "/v1/decisions", &other).await,
    ];
    assert_eq!(twice.map(|(status, _)| status), [200, 409]);
    let not_entitled =
        determination("need_to_know", &format!("doc:{MARK}"), &json!({"person": cllr(), "post": "monitoring_officer"}));
    assert_eq!(service.call(MonitoringOfficer, "POST", "/v1/determinations", &not_entitled).await.0, 403);
    let mut another = question();
    another["principal"]["id"] = json!(format!("{MARK}-mo"));
    assert_eq!(service.call(CallerRole::Councillor, "POST", "/v1/decisions", &another).await.0, 403);
}

/// Every page, to a stranger and as every role, with what is not wanted.
async fn be_refused_at_the_desk(service: &mut Watched) {
    let wrong = format!("pp_{SECRET}-wrong");
    assert_eq!(service.page(CallerRole::Pep, "/desk/session", Some(&[("token", &wrong)])).await.0, 401);
    for role in CallerRole::ALL {
        let cookie = format!("pinkpaper_desk={}", service.program.key(*role));
        for cookie in [None, Some(cookie)] {
            service.cookies.remove(role);
            service.cookies.extend(cookie.map(|cookie| (*role, cookie)));
            for (method, path, errand) in DESK {
                if errand.is_some() {
                    let path =
                        format!("{}?other={MARK}&person={MARK}%00", path.replace("{id}", &format!("{MARK}-nobody")));
                    let form = [(MARK, MARK), ("reasons", MARK)];
                    service.page(*role, &path, (*method == "POST").then_some(&form)).await;
                }
            }
        }
    }
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
