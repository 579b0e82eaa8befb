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
use jiff::civil::Date;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, value::Serde};
use serde::Serialize;

use super::problem::Problem;
use crate::domain::calendar::london_clock;

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
    pages.add_filter("day", |time: String| written(&time, "%-d %B %Y"));
    pages.add_filter("moment", |time: String| written(&time, "%-d %B %Y, %H:%M"));
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

/// A day, or a time as clocks in London show it, as people write it.
fn written(time: &str, form: &str) -> String {
    let day = |time: &str| time.parse::<Date>().ok().map(|day| day.at(0, 0, 0, 0));
    let shown = time.parse().ok().map(london_clock).or_else(|| day(time));
    shown.map_or_else(|| time.to_owned(), |shown| shown.strftime(form).to_string())
}

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
    fn days_and_times_are_told_as_people_write_them() {
        assert_eq!(written("2026-12-05", "%-d %B %Y"), "5 December 2026");
        assert_eq!(written("2026-06-30T23:15:20.985011413Z", "%-d %B %Y, %H:%M"), "1 July 2026, 00:15");
        assert_eq!(written("soon", "%-d %B %Y"), "soon");
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
