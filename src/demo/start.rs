//! Starts the demonstration: loads the council once, and mints a token per role for this run.

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use rand_core::{OsRng, RngCore};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::DemoCouncil;
use crate::{
    app::{App, Caller, decide::read_back},
    audit::{LogFilter, ReferralFilter},
    auth::ApiKey,
    domain::{
        decision::Decision,
        determination::Entered,
        hold::Placing,
        id::Id,
        question::Request,
        words::{CallerRole, Determination as Kind, HoldStatus, ObligationType},
    },
    http::DocsExamples,
    pip::{Change, DeterminationFilter, PageRequest},
};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How long a demonstration token lives.
const TOKEN_HOURS: i64 = 12;
/// The councillor for whom the demonstration's `councillor` token speaks.
const COUNCILLOR: &str = "cllr-okafor";
/// Who asks for which paper and is referred to the Monitoring Officer.
const REFERRED: (&str, &str) = ("cllr-bennett", "doc:bus-lane-memo");
/// Who asks for which paper and is refused a copy for scrutiny.
const REFUSED_FOR_SCRUTINY: (&str, &str) = ("cllr-dellamore", "doc:cabinet-leisure-award");
/// As many records as an example is looked for among.
const FEW: PageRequest = PageRequest { after: None, limit: 50 };

/// Loads the council unless a register is there already; gives ids for the examples of the description.
pub async fn seed(app: &App) -> Result<DocsExamples, Failure> {
    let caller =
        Caller { name: "demonstration".to_owned(), roles: CallerRole::ALL.to_vec(), person: None, personal: false };
    if app.store.snapshot().register.register.is_none() {
        let council = DemoCouncil::at(app.clock.now())?;
        app.write(&caller, Change::ReplaceRegister(Box::new(council.register)), None).await?;
        for document in council.documents {
            app.write(&caller, Change::PutDocument(Box::new(document)), None).await?;
        }
        for entered in council.determinations {
            app.determine(&caller, entered, None).await?;
        }
        for question in first_questions()? {
            app.decide(&caller, question, None).await?;
        }
        app.determine(&caller, first_answer(app.clock.now())?, None).await?;
        app.place_hold(&caller, first_hold()?, None).await?;
    }
    examples(app).await
}

/// Ids on record, each of the sort that its operation asks for.
async fn examples(app: &App) -> Result<DocsExamples, Failure> {
    let one = PageRequest { after: None, limit: 1 };
    let decision = app.store.decisions(&LogFilter::default(), &one).await?.items.into_iter().next();
    let any = DeterminationFilter::default();
    let determination = app.store.list_determinations(&any, &one).await?.items.into_iter().next();
    let answers = DeterminationFilter {
        document: Some(Id::try_from(REFERRED.1)?),
        person: Some(Id::try_from(REFERRED.0)?),
        kind: Some(Kind::NeedToKnow),
        made_by: None,
    };
    let answer = app.store.list_determinations(&answers, &one).await?.items.into_iter().next();
    Ok(DocsExamples {
        decision: decision.map(|entry| entry.id),
        reasoned_decision: reasoned_decision(app).await?,
        determination: determination.map(|one| one.id.to_string()),
        referral: referral(app).await?,
        answer: answer.map(|one| one.id.to_string()),
        hold: app.store.holds(Some(HoldStatus::Open), &one).await?.items.first().map(|hold| hold.id.to_string()),
        own_facts: true,
    })
}

/// A decision that calls for a statement of reasons.
async fn reasoned_decision(app: &App) -> Result<Option<String>, Failure> {
    let (person, document) = REFUSED_FOR_SCRUTINY;
    let filter =
        LogFilter { person: Some(person.to_owned()), document: Some(document.to_owned()), ..LogFilter::default() };
    let decisions = app.store.decisions(&filter, &FEW).await?.items;
    let owed = |decision: &Decision| {
        decision.verdict.obligations.iter().any(|duty| duty.kind == ObligationType::WrittenReasonsToCommittee)
    };
    Ok(decisions.iter().filter_map(|entry| read_back(entry).ok()).find(owed).map(|decision| decision.id))
}

/// A referral that the seeded determination answers; one that still waits where there is one.
async fn referral(app: &App) -> Result<Option<String>, Failure> {
    let (person, document) = REFERRED;
    let filter = ReferralFilter {
        document: Some(Id::try_from(document)?),
        person: Some(person.to_owned()),
        ..ReferralFilter::default()
    };
    let mut found = app.store.referrals(&filter, &FEW).await?.items;
    found.retain(|stored| {
        read_back(&stored.entry).is_ok_and(|decision| {
            decision
                .verdict
                .referrals()
                .any(|referral| referral.id.as_ref() == Some(&stored.id) && referral.question == Some(Kind::NeedToKnow))
        })
    });
    found.sort_by_key(|stored| stored.closed.is_some());
    Ok(found.into_iter().next().map(|stored| stored.id.to_string()))
}

/// So that there are past decisions to look up: a refusal that waits for the Monitoring Officer, one that calls for a
/// statement of reasons, and a paper given in part.
fn first_questions() -> Result<Vec<Request>, serde_json::Error> {
    let (needs, memo) = REFERRED;
    let (reviews, award) = REFUSED_FOR_SCRUTINY;
    [(needs, memo, "casework"), (reviews, award, "scrutiny"), (needs, "doc:cabinet-repairs-contract", "ward")]
        .into_iter()
        .map(|(person, document, ground)| {
            serde_json::from_value(json!({
                "principal": {"type": "person", "id": person},
                "action": "read",
                "document": {"id": document},
                "purpose": {"capacity": "councillor", "ground": ground, "on_behalf_of": {"type": "none"}},
                "channel": "member_enquiry",
            }))
        })
        .collect()
}

/// So that there is a determination with which the waiting referral can be closed.
fn first_answer(now: Timestamp) -> Result<Entered, serde_json::Error> {
    let (person, document) = REFERRED;
    serde_json::from_value(json!({
        "kind": "need_to_know",
        "answer": true,
        "person": person,
        "document": document,
        "parts": null,
        "decided_by": {"person": "off-mo", "post": "monitoring_officer"},
        "decided_at": now,
        "valid_until": null,
        "reasons": "Constituents have asked about the bus lane, and the memo is reasonably necessary to answer them.",
    }))
}

/// So that there is a hold to look at and to release.
fn first_hold() -> Result<Placing, serde_json::Error> {
    serde_json::from_value(json!({
        "kind": "complaint",
        "reference": "Complaint 26/118",
        "reason": "A councillor complains of the time the bus lane memo has taken.",
        "scope": {"document": REFERRED.1},
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
    let caller = Caller { name: format!("demonstration-{role}"), roles: vec![role], person, personal: false };
    let expires_at = now.checked_add(SignedDuration::from_hours(TOKEN_HOURS)).ok();
    let sha256 = Sha256::digest(text.as_bytes()).into();
    Token { text, key: ApiKey { caller, sha256, not_before: None, expires_at } }
}

/// Where to go and with which token.
pub fn announcement(address: SocketAddr, tokens: &[Token]) -> String {
    let mut told = format!(
        "Pinkpaper with the demonstration council of Marlbridge: invented people, invented papers.\n\n  \
         Officer's desk   http://{address}/desk\n  \
         Swagger UI       http://{address}/docs/\n  \
         Tokens, good for {TOKEN_HOURS} hours and this run only (Authorize, or `Authorization: Bearer …`):\n\n"
    );
    for token in tokens {
        let role = token.key.caller.roles.first().map_or("", |role| role.word());
        let speaks = token.key.caller.person.as_ref().map(|id| format!("  (speaks for {id})")).unwrap_or_default();
        told.push_str(&format!("  {role:<24} {}{speaks}\n", token.text));
    }
    told
}
