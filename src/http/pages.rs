//! Pages for people: the templates, and who is given a page instead of JSON.
//!
//! A page holds nothing that the JSON of the same answer does not. Templates escape whatever they are given, run no script
//! and load one style sheet, of this service.

use std::sync::LazyLock;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, Accept, Header},
    },
};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use super::problem::Problem;

const TEMPLATES: [(&str, &str); 11] = [
    ("layout.html", include_str!("desk/templates/layout.html")),
    ("sign-in.html", include_str!("desk/templates/sign-in.html")),
    ("home.html", include_str!("desk/templates/home.html")),
    ("enquiry.html", include_str!("desk/templates/enquiry.html")),
    ("audience.html", include_str!("desk/templates/audience.html")),
    ("referrals.html", include_str!("desk/templates/referrals.html")),
    ("referral.html", include_str!("desk/templates/referral.html")),
    ("rules.html", include_str!("desk/templates/rules.html")),
    ("rule.html", include_str!("desk/templates/rule.html")),
    ("statistics.html", include_str!("desk/templates/statistics.html")),
    ("problem.html", include_str!("desk/templates/problem.html")),
];

static PAGES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut pages = Environment::new();
    pages.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    // `corporate_director`, as people write it.
    pages.add_filter("words", |word: String| word.replace('_', " "));
    // The day of a time.
    pages.add_filter("day", |time: String| time.split('T').next().unwrap_or_default().to_owned());
    // A count, or that it is left out.
    pages.add_filter("count", |count: Value| if count.is_none() { "left out".to_owned() } else { count.to_string() });
    for (name, text) in TEMPLATES {
        // A template that does not parse is found by the test below; its page is a 500.
        if let Err(error) = pages.add_template(name, text) {
            tracing::error!(error = %error, "a page cannot be made");
        }
    }
    pages
});

/// Which form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Page,
    Table,
}

/// The form that a caller would rather have; JSON for whoever does not mind.
pub fn wanted(request: &HttpRequest) -> Form {
    let Ok(accept) = Accept::parse(request) else { return Form::Json };
    let known =
        accept.ranked().into_iter().find_map(|media| match (media.type_().as_str(), media.subtype().as_str()) {
            ("text", "html") => Some(Form::Page),
            ("text", "csv") => Some(Form::Table),
            ("application", "json") | ("application" | "*", "*") => Some(Form::Json),
            _ => None,
        });
    known.unwrap_or(Form::Json)
}

/// Makes a page of a template.
pub fn page(status: StatusCode, template: &str, about: Value) -> HttpResponse {
    let made = PAGES.get_template(template).and_then(|template| template.render(about));
    match made {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::VARY, "Accept"))
            .body(text),
        Err(error) => {
            // What it was made of is not told: it may name somebody.
            tracing::error!(template, kind = ?error.kind(), line = error.line(), "a page cannot be made");
            HttpResponse::InternalServerError().finish()
        }
    }
}

/// A page as an answer, or the page that says why there is none.
pub fn shown(made: Result<HttpResponse, Problem>, desk: bool) -> HttpResponse {
    made.unwrap_or_else(|problem| {
        let status = actix_web::ResponseError::status_code(&problem);
        let mut told = page(status, "problem.html", context! { desk, here => "", ..of(problem.to_json()) });
        let usual = actix_web::ResponseError::error_response(&problem);
        for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
            if let Some(value) = usual.headers().get(&name) {
                told.headers_mut().insert(name, value.clone());
            }
        }
        told
    })
}

/// What a page is made of.
pub fn of(value: impl Serialize) -> Value {
    Value::from(Serde(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        for (name, _) in TEMPLATES {
            assert!(PAGES.get_template(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn what_is_shown_is_escaped() {
        let problem = Problem::invalid("<script>", "\"><img src=x>");
        let told = shown(Err(problem), true);
        assert_eq!(told.status(), 400);
        let body = actix_web::body::MessageBody::try_into_bytes(told.into_body()).expect("a body");
        let text = String::from_utf8(body.to_vec()).expect("text");
        assert!(!text.contains("<script>") && !text.contains("<img"), "{text}");
    }
}
