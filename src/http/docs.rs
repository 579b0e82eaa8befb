//! `/openapi.json` and Swagger UI at `/docs`, from the binary and with no foreign origin.

use actix_web::{HttpResponse, http::header, web::Data};
use serde_json::{Value, json};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::{Shared, problem::Problem};
use crate::domain::id::Id;

/// What the examples of the description use, as the demonstration council has it.
#[derive(Clone, Debug, Default)]
pub struct DocsExamples {
    /// A decision on record.
    pub decision: Option<String>,
    /// A decision that calls for a statement of reasons.
    pub reasoned_decision: Option<String>,
    /// A determination on record.
    pub determination: Option<String>,
    /// A referral, where there is one that waits.
    pub referral: Option<String>,
    /// The determination that answers it.
    pub answer: Option<String>,
    /// A hold, where there is one that is in force.
    pub hold: Option<String>,
    /// Show the facts now in force as the examples of writing them, so that trying it out changes nothing.
    pub own_facts: bool,
}

const DECISION_ID: &str = "/components/parameters/DecisionId/example";
const REASONED_DECISION_ID: &str = "/components/parameters/ReasonedDecisionId/example";
const DETERMINATION_ID: &str = "/components/parameters/DeterminationId/example";
const REFERRAL_ID: &str = "/components/parameters/ReferralId/example";
const ANSWER: &str = "/paths/~1v1~1referrals~1{id}~1close/post/requestBody/content/application~1json/examples/\
                      need_to_know/value/determination";
const HOLD_ID: &str = "/components/parameters/HoldId/example";
const ERASURES: &str = "/paths/~1v1~1log~1erasures/post/requestBody/content/application~1json/examples";
const BUNDLE: &str = "/paths/~1v1~1decisions~1{id}~1replay/post/requestBody/content/application~1json/examples/\
                      policies_in_force/value/policy_bundle";
const REGISTER: &str = "/paths/~1v1~1register/put/requestBody/content/application~1json/examples";
const PERSON: &str = "/paths/~1v1~1register~1{collection}~1{id}/put/requestBody/content/application~1json/examples";
const DOCUMENT: &str = "/paths/~1v1~1documents~1{id}/put/requestBody/content/application~1json/examples";

pub async fn openapi(shared: Data<Shared>) -> Result<HttpResponse, Problem> {
    let mut description = shared.schemas.openapi().clone();
    let examples = &shared.examples;
    for (place, id) in [
        (DECISION_ID, &examples.decision),
        (REASONED_DECISION_ID, &examples.reasoned_decision),
        (DETERMINATION_ID, &examples.determination),
        (REFERRAL_ID, &examples.referral),
        (ANSWER, &examples.answer),
        (HOLD_ID, &examples.hold),
    ] {
        if let (Some(slot), Some(id)) = (description.pointer_mut(place), id) {
            *slot = Value::String(id.clone());
        }
    }
    if let Some(id) = &shared.examples.decision {
        for example in self::examples(&mut description, ERASURES) {
            if let Some(slot) = example.get_mut("decision") {
                *slot = Value::String(id.clone());
            }
        }
    }
    if let Some(slot) = description.pointer_mut(BUNDLE) {
        *slot = Value::String(shared.app.policies.load().hash.clone());
    }
    if examples.own_facts {
        own_facts(&shared, &mut description).await?;
    }
    Ok(HttpResponse::Ok().json(description))
}

/// Puts the facts in force in the place of each example of the same id.
async fn own_facts(shared: &Shared, description: &mut Value) -> Result<(), Problem> {
    let snapshot = shared.app.store.snapshot();
    let Some(register) = &snapshot.register.register else { return Ok(()) };
    for example in examples(description, REGISTER) {
        *example = json!(register);
    }
    for example in examples(description, PERSON) {
        if let Some(person) = id_of(example).and_then(|id| snapshot.register.person(&id)) {
            *example = json!(person);
        }
    }
    for example in examples(description, DOCUMENT) {
        let Some(id) = id_of(example) else { continue };
        if let Some(document) = shared.app.store.document(&id).await? {
            *example = json!(document);
        }
    }
    Ok(())
}

fn examples<'a>(description: &'a mut Value, place: &str) -> impl Iterator<Item = &'a mut Value> {
    let listed = description.pointer_mut(place).and_then(Value::as_object_mut);
    listed.into_iter().flat_map(|examples| examples.values_mut()).filter_map(|example| example.get_mut("value"))
}

fn id_of(example: &Value) -> Option<Id> {
    Id::try_from(example.get("id")?.as_str()?).ok()
}

pub async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/docs/")).finish()
}

pub fn swagger_ui() -> SwaggerUi {
    let config = Config::new(["/openapi.json"])
        .try_it_out_enabled(true)
        .persist_authorization(false)
        .display_request_duration(true)
        .default_models_expand_depth(-1)
        .doc_expansion("list");
    SwaggerUi::new("/docs/{_:.*}").config(config)
}
