//! Starts the demonstration: loads the council once, and mints a token per role for this run.

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand_core::{OsRng, RngCore};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::DemoCouncil;
use crate::{
    app::{App, Caller},
    audit::LogFilter,
    domain::{id::Id, question::Request, words::CallerRole},
    http::{ApiKey, DocsExamples},
    pip::{Change, DeterminationFilter, PageRequest},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a demonstration token lives.
const TOKEN_HOURS: i64 = 12;
/// The councillor for whom the demonstration's `councillor` token speaks.
const COUNCILLOR: &str = "cllr-okafor";

/// Loads the council unless a register is there already; gives ids for the examples of the description.
pub async fn seed(app: &App) -> Result<DocsExamples, Failure> {
    let caller = Caller { name: "demonstration".to_owned(), roles: CallerRole::ALL.to_vec(), person: None };
    if app.store.snapshot().register.register.is_none() {
        let council = DemoCouncil::at(app.clock.now())?;
        app.write(&caller, Change::ReplaceRegister(Box::new(council.register)), None).await?;
        for document in council.documents {
            app.write(&caller, Change::PutDocument(Box::new(document)), None).await?;
        }
        for entered in council.determinations {
            app.determine(&caller, entered, None).await?;
        }
        app.decide(&caller, first_question()?, None).await?;
    }
    let one = PageRequest { after: None, limit: 1 };
    let decision = app.store.decisions(&LogFilter::default(), &one).await?.items.into_iter().next();
    let filter = DeterminationFilter::default();
    let determination = app.store.list_determinations(&filter, &one).await?.items.into_iter().next();
    Ok(DocsExamples {
        decision: decision.map(|entry| entry.id),
        determination: determination.map(|one| one.id.to_string()),
        own_facts: true,
    })
}

/// So that there is a past decision to look up.
fn first_question() -> Result<Request, serde_json::Error> {
    serde_json::from_value(json!({
        "principal": {"type": "person", "id": "cllr-bennett"},
        "action": "read",
        "document": {"id": "doc:cabinet-repairs-contract"},
        "purpose": {"capacity": "councillor", "ground": "ward", "on_behalf_of": {"type": "none"}},
        "channel": "member_enquiry",
    }))
}

/// A demonstration token: shown once, kept as its hash, in memory only.
pub struct Token {
    pub text: String,
    pub key: ApiKey,
}

/// One token per role.
pub fn tokens(now: Timestamp) -> Vec<Token> {
    CallerRole::ALL.iter().map(|role| token(*role, now)).collect()
}

fn token(role: CallerRole, now: Timestamp) -> Token {
    let mut bytes = [0_u8; 32];
    OsRng.fill_bytes(&mut bytes);
    let text = format!("pp_{}", URL_SAFE_NO_PAD.encode(bytes));
    let person = (role == CallerRole::Councillor).then(|| Id::try_from(COUNCILLOR).ok()).flatten();
    let caller = Caller { name: format!("demonstration-{role}"), roles: vec![role], person };
    let expires_at = now.checked_add(SignedDuration::from_hours(TOKEN_HOURS)).ok();
    let sha256 = Sha256::digest(text.as_bytes()).into();
    Token { text, key: ApiKey { caller, sha256, expires_at } }
}

/// Where to go and with which token.
pub fn announcement(address: SocketAddr, tokens: &[Token]) -> String {
    let mut told = format!(
        "Pinkpaper with the demonstration council of Marlbridge: invented people, invented papers.\n\n  \
         Swagger UI   http://{address}/docs/\n  \
         Tokens, good for {TOKEN_HOURS} hours and this run only (Authorize, or `Authorization: Bearer …`):\n\n"
    );
    for token in tokens {
        let role = token.key.caller.roles.first().map_or("", |role| role.word());
        let speaks = token.key.caller.person.as_ref().map(|id| format!("  (speaks for {id})")).unwrap_or_default();
        told.push_str(&format!("  {role:<24} {}{speaks}\n", token.text));
    }
    told
}
