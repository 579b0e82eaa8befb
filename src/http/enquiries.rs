//! `/v1/enquiries`: a question in plain parameters, answered to be read: as JSON, or as a page to print.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use minijinja::context;
use serde_json::{Value, json};

use super::{
    Shared, body,
    caller::Authenticated,
    page::Query,
    pages::{self, Form},
    problem::{Fault, Problem},
};
use crate::{
    app::{enquire::Enquired, told::Telling},
    domain::{
        decision::Decision,
        question::Request,
        words::{Action, Capacity, Ground, PersonKind},
    },
    pap::callers::Errand,
};

pub async fn read(who: Authenticated, shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let form = pages::wanted(&request);
    let answered = answer(&who, &shared, &request).await;
    match (form, answered) {
        (Form::Page, answered) => pages::shown(answered.map(|enquired| page(&enquired, false)), false),
        (_, Ok(enquired)) => {
            let Enquired { decision, told } = enquired;
            HttpResponse::Ok().insert_header(("Vary", "Accept")).json(Read { decision, told })
        }
        (_, Err(problem)) => actix_web::ResponseError::error_response(&problem),
    }
}

/// The answer, and how it reads.
#[derive(serde::Serialize)]
struct Read {
    #[serde(flatten)]
    decision: Decision,
    told: Telling,
}

/// Asks as the parameters say.
pub async fn answer(who: &Authenticated, shared: &Data<Shared>, request: &HttpRequest) -> Result<Enquired, Problem> {
    who.might(Errand::Enquire)?;
    let question = question(shared, request)?;
    Ok(shared.app.enquire(&who.caller, question, None).await?)
}

/// The page to print.
pub fn page(enquired: &Enquired, desk: bool) -> HttpResponse {
    let (decision, told) = (pages::of(&enquired.decision), pages::of(&enquired.told));
    pages::page(StatusCode::OK, "enquiry.html", context! { desk, here => "/desk/home", decision, told })
}

/// The question that the parameters put. One left empty, as by a form, is one left out.
fn question(shared: &Shared, request: &HttpRequest) -> Result<Request, Problem> {
    let mut query = Query::of(request)?;
    query.drop_empty();
    let person = query.id("person");
    let kind: Option<PersonKind> = query.word("as");
    let document = query.id("document");
    let action: Option<Action> = query.word("action");
    let capacity: Option<Capacity> = query.word("capacity");
    let ground: Option<Ground> = query.word("ground");
    query.need("document", document.is_some());
    query.finish()?;
    let principal = match (person, kind) {
        (Some(person), None) => json!({"type": "person", "id": person}),
        (None, Some(kind)) => json!({"type": kind}),
        (None, None) => {
            return Err(Problem::invalid("person", "is missing: name a person, or `as` whom the question is"));
        }
        (Some(_), Some(_)) => return Err(Problem::invalid("as", "goes without `person`")),
    };
    // Plain parameters name nobody else: who asks, asks for themselves.
    let mut purpose = serde_json::Map::from_iter([("on_behalf_of".to_owned(), json!({"type": "none"}))]);
    purpose.extend(capacity.map(|capacity| ("capacity".to_owned(), json!(capacity))));
    purpose.extend(ground.map(|ground| ("ground".to_owned(), json!(ground))));
    let question = json!({
        "principal": principal, "action": action.unwrap_or(Action::Read), "document": {"id": document},
        "purpose": Value::Object(purpose),
    });
    body::typed(question, &shared.schemas, "decision-request").map_err(as_parameters)
}

/// Places in the question by the parameters they came from.
fn as_parameters(problem: Problem) -> Problem {
    let Problem::Invalid(faults) = problem else { return problem };
    let parameter = |fault: Fault| {
        let pointer = match fault.pointer.as_str() {
            "/principal/id" => "person",
            "/principal/type" => "as",
            pointer => pointer.rsplit('/').next().unwrap_or_default(),
        };
        Fault { pointer: pointer.to_owned(), message: fault.message }
    };
    Problem::Invalid(faults.into_iter().map(parameter).collect())
}
