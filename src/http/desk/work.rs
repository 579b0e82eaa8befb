//! What is done at the desk: ask, list an audience, answer a referral.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use minijinja::{Value, context};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{form::Form, is_asked_here, is_own};
use crate::{
    app::{
        Idempotency,
        audience::Asked,
        policies::Rules,
        referrals::{AnswerError, Told},
    },
    audit::ReferralFilter,
    domain::{
        calendar::{london_day, london_midnight},
        determination::{DecidedBy, Entered},
        id::Id,
        referral::Status,
        words::{Action, Capacity, Ground, PersonKind, Post},
    },
    http::{
        Shared, audience,
        caller::Authenticated,
        enquiries,
        page::{Query, told},
        pages::{self, page, shown},
        problem::Problem,
    },
    pap::callers::Errand,
    pip::{DocumentFilter, PageRequest},
};

/// As many documents as are offered to choose from.
const OFFERED: u32 = 200;

pub async fn home(who: Authenticated, shared: Data<Shared>) -> HttpResponse {
    shown(choices(&who, &shared).await.map(|about| page(StatusCode::OK, "home.html", about)), true)
}

/// What may be chosen from: people and papers only for those who may read them.
async fn choices(who: &Authenticated, shared: &Shared) -> Result<Value, Problem> {
    let mut people = Vec::new();
    if who.may(Errand::ReadRegister).is_ok() {
        let snapshot = shared.app.store.current().await?;
        let known = snapshot.register.register.iter().flat_map(|register| &register.people);
        people = known.map(|person| json!({"id": person.id, "name": person.name})).collect();
    }
    let mut documents = Vec::new();
    if who.may(Errand::ReadDocuments).is_ok() {
        let first = PageRequest { after: None, limit: OFFERED };
        let listed = shared.app.store.list_documents(&DocumentFilter::default(), &first).await?;
        documents = listed.items.into_iter().map(|document| document.id.to_string()).collect();
    }
    let kinds: Vec<&str> = PersonKind::ALL.iter().map(|kind| kind.word()).collect();
    // The others turn on who would receive it, which these forms do not ask.
    let actions = [Action::Read, Action::Use].map(Action::word);
    let capacities: Vec<&str> = Capacity::ALL.iter().map(|capacity| capacity.word()).collect();
    let grounds: Vec<&str> = Ground::ALL.iter().map(|ground| ground.word()).collect();
    let people = pages::of(people);
    Ok(context! { desk => true, here => "/desk/home", people, documents, kinds, actions, capacities, grounds })
}

pub async fn enquire(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let answered = async {
        is_asked_here(&request)?;
        let answered = enquiries::answer(&who, &shared, &request).await;
        answered.map_err(|problem| match problem {
            Problem::NotFound => Problem::invalid("document", "no paper with this id is registered"),
            other => other,
        })
    };
    shown(answered.await.map(|enquired| enquiries::page(&enquired, true)), true)
}

pub async fn list_audience(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let listed = async {
        is_asked_here(&request)?;
        who.might(Errand::ListAudience)?;
        let mut query = Query::of(&request)?;
        query.drop_empty();
        let (document, action) = (query.id("document"), query.word("action"));
        query.need("document", document.is_some());
        query.finish()?;
        let document = document.ok_or(Problem::NotFound)?;
        let asked = Asked { document, action: action.unwrap_or(Action::Read), purpose: None };
        audience::list_for(&who, &shared, &asked).await
    };
    shown(listed.await.map(|listed| audience::page(&listed, true)), true)
}

pub async fn referrals(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let listed = async {
        is_asked_here(&request)?;
        let mut query = Query::of(&request)?;
        query.drop_empty();
        let (page, status) = (query.page(), query.word("status").unwrap_or(Status::Open));
        let to = query.word("to");
        query.finish()?;
        // Whoever decides in a post, and may not see all, begins with what is put to that post.
        let posts = shared.app.answers_for(&who.caller).await?;
        let own = posts.first().copied().filter(|_| !shared.app.lists_every_referral(&who.caller));
        let to = to.or(own);
        let filter = ReferralFilter { to, ..ReferralFilter::default() };
        let listed = shared.app.list_referrals(&who.caller, filter, Some(status), page).await?;
        let told = told(listed, |referral| Told::to_json(&referral));
        let (items, next) = (pages::of(told.get("items")), pages::of(told.get("next_cursor")));
        let posts: Vec<&str> = posts.iter().map(|role| role.word()).collect();
        let to = to.map(|role| role.word());
        let about =
            context! { desk => true, here => "/desk/referrals", status => status.word(), items, next, posts, to };
        Ok(pages::page(StatusCode::OK, "referrals.html", about))
    };
    shown(listed.await, true)
}

pub async fn referral(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
) -> HttpResponse {
    let read = async {
        is_asked_here(&request)?;
        referral_page(&who, &shared, &id, StatusCode::OK, Wrong::default()).await
    };
    shown(read.await, true)
}

/// The posts that may decide the question: those it is put to in the order they are asked, then all others.
fn posts_to_decide(told: &Told, rules: &Rules) -> Vec<&'static str> {
    let Some(question) = told.referral.question else { return Vec::new() };
    let mut posts = rules.bundle.deciders.posts(question, &rules.book.profile.id);
    let asked = |post: &Post| told.referral.to.iter().position(|role| role.word() == post.word());
    posts.sort_by_key(|post| asked(post).unwrap_or(usize::MAX));
    posts.into_iter().map(|post| post.word()).collect()
}

/// Why the form was not taken.
#[derive(Default, Serialize)]
struct Wrong {
    faults: Vec<String>,
    /// What was sent, to be mended.
    form: Answer,
    /// Whether the determination stands nevertheless: somebody else answered in the moment between.
    recorded: bool,
}

/// Everything the person deciding needs (law.md §5), as far as the caller may read it, and the form.
async fn referral_page(
    who: &Authenticated,
    shared: &Shared,
    id: &str,
    status: StatusCode,
    wrong: Wrong,
) -> Result<HttpResponse, Problem> {
    let id = Id::try_from(id.to_owned()).map_err(|_| Problem::NotFound)?;
    let told = shared.app.read_referral(&who.caller, &id).await?;
    let snapshot = shared.app.store.current().await?;
    let known = told.decision.principal.person().and_then(|person| snapshot.register.person(person));
    let name = crate::app::told::name_of(&told.decision, &snapshot.register);
    let today = london_day(shared.app.clock.now());
    let person = known.map(|person| {
        let bodies: Vec<String> = person
            .memberships
            .iter()
            .filter(|of| of.period.covers(today))
            .map(|of| snapshot.register.body(&of.body).map_or_else(|| of.body.to_string(), |body| body.name.clone()))
            .collect();
        let reviewing: Vec<&Id> = person.reviewing.iter().map(|review| &review.decision).collect();
        json!({
            "kind": person.kind, "memberships": bodies, "wards": person.wards, "portfolios": person.portfolios,
            "reviewing": reviewing,
        })
    });
    let earlier = shared.app.determined_before(&who.caller, &told.decision.document).await?;
    let posts = posts_to_decide(&told, &shared.app.rules().await?);
    let may_answer = shared.app.closable(&who.caller, &id).await.is_ok();
    let document = shared.app.store.document(&told.decision.document).await?;
    let kinds = document.map(|document| told.kinds(&document)).unwrap_or_default();
    let mut form = wrong.form.clone();
    if form.decided_by.is_empty() {
        form.decided_by = who.caller.person.as_ref().map(ToString::to_string).unwrap_or_default();
    }
    let (item, person, earlier) = (pages::of(told.to_json()), pages::of(person), pages::of(earlier));
    let about = context! { desk => true, here => "/desk/referrals", item, name, person, earlier, posts, may_answer, kinds,
    form => pages::of(form), wrong => pages::of(wrong) };
    Ok(page(status, "referral.html", about))
}

/// The form under a referral.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct Answer {
    answer: String,
    decided_by: String,
    post: String,
    reasons: String,
    #[serde(default)]
    conditions: String,
    #[serde(default)]
    valid_until: String,
}

/// Records what was decided, and closes the referral with it.
pub async fn answer(
    who: Authenticated,
    shared: Data<Shared>,
    request: HttpRequest,
    id: Path<String>,
    form: Result<Form<Answer>, Problem>,
) -> HttpResponse {
    if !is_own(&request) {
        return shown(Err(Problem::NotAllowed), true);
    }
    let done = match form {
        Ok(Form(form)) => record(&who, &shared, &id, form.clone()).await.map_err(|error| (error, form)),
        Err(problem) => return shown(Err(problem), true),
    };
    match done {
        Ok(()) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/desk/referrals/{id}"))).finish(),
        Err((NotTaken { problem, recorded }, form)) => {
            let status = actix_web::ResponseError::status_code(&problem);
            let faults = match problem {
                Problem::Invalid(faults) => {
                    faults.into_iter().map(|fault| format!("{}: {}", label(&fault.pointer), fault.message)).collect()
                }
                other => vec![other.to_string()],
            };
            shown(referral_page(&who, &shared, &id, status, Wrong { faults, form, recorded }).await, true)
        }
    }
}

/// Why a form was not taken, and whether its determination stands nevertheless.
struct NotTaken {
    problem: Problem,
    recorded: bool,
}

impl From<Problem> for NotTaken {
    fn from(problem: Problem) -> Self {
        Self { problem, recorded: false }
    }
}

impl From<AnswerError> for NotTaken {
    fn from(error: AnswerError) -> Self {
        Self { recorded: matches!(error, AnswerError::NotClosed(_)), problem: error.into() }
    }
}

async fn record(who: &Authenticated, shared: &Shared, id: &str, form: Answer) -> Result<(), NotTaken> {
    let id = Id::try_from(id.to_owned()).map_err(|_| Problem::NotFound)?;
    // Whoever may not close it is told nothing of the form.
    let told = shared.app.closable(&who.caller, &id).await.map_err(Problem::from)?;
    let once = once(&id, &form);
    let entered = entered(&told, form, shared.app.clock.now())?;
    shared.app.answer_referral(&who.caller, &id, entered, once).await?;
    Ok(())
}

/// What the form calls a member of the determination.
fn label(pointer: &str) -> &'static str {
    match pointer.trim_start_matches('/') {
        "answer" => "Yes or no",
        "decided_by" | "decided_by/person" => "Who decided",
        "post" => "In which post",
        "reasons" => "Reasons",
        "valid_until" => "Good until",
        _ => "The answer",
    }
}

/// A form sent twice determines once.
fn once(id: &Id, form: &Answer) -> Idempotency {
    let fields =
        [id.as_str(), &form.answer, &form.decided_by, &form.post, &form.reasons, &form.conditions, &form.valid_until];
    let mut hasher = Sha256::new();
    for field in fields {
        hasher.update((field.len() as u64).to_be_bytes());
        hasher.update(field);
    }
    let body_hash: [u8; 32] = hasher.finalize().into();
    Idempotency { key: format!("desk-{}", hex::encode(body_hash)), body_hash }
}

/// The determination that the form describes.
fn entered(told: &Told, form: Answer, now: jiff::Timestamp) -> Result<Entered, Problem> {
    let asked = told.to_json();
    let of = |member: &str| asked.pointer(&format!("/answer_with/{member}")).cloned().unwrap_or_default();
    let read = |member: &'static str| serde_json::from_value(of(member)).map_err(|_| Problem::NotFound);
    let text = form.reasons.trim().to_owned();
    if text.is_empty() || text.len() > 5000 || form.conditions.len() > 5000 {
        return Err(Problem::invalid("reasons", "must be given, in at most 5,000 characters"));
    }
    let valid_until = match form.valid_until.trim() {
        "" => None,
        day => {
            let midnight = day.parse().ok().and_then(|day: jiff::civil::Date| london_midnight(day.tomorrow().ok()?));
            Some(midnight.ok_or_else(|| Problem::invalid("valid_until", "must be a day"))?)
        }
    };
    Ok(Entered {
        kind: told.referral.question.ok_or(Problem::NotFound)?,
        answer: match form.answer.as_str() {
            "yes" => true,
            "no" => false,
            _ => return Err(Problem::invalid("answer", "must be yes or no")),
        },
        level: None,
        person: serde_json::from_value(of("person")).map_err(|_| Problem::NotFound)?,
        document: Some(told.decision.document.clone()),
        parts: read("parts")?,
        decided_by: DecidedBy::Person {
            person: Id::try_from(form.decided_by.trim().to_owned())
                .map_err(|_| Problem::invalid("decided_by", "is not an id"))?,
            post: form.post.parse().map_err(|_| Problem::invalid("post", "is not a post"))?,
        },
        decided_at: now,
        valid_until,
        conditions: Some(form.conditions.trim().to_owned()).filter(|conditions| !conditions.is_empty()),
        reasons: text,
        action: None,
        recipient: None,
        interest: None,
        document_version: None,
    })
}
