//! The officer's desk: pages under `/desk`, for people with a browser and no program.
//!
//! A browser sends no `Authorization` by itself, so the key or token is entered once and kept in a cookie: `HttpOnly` (no
//! script could read it, and there is none), `SameSite=Strict` (no other site's link or form sends it), for `/desk` alone,
//! and gone when the browser is closed. It *is* the credential: the service keeps no sessions, asks about it afresh at each
//! request as for any caller, and what its owner may do is decided by the same policies as at `/v1/`.
//!
//! Forms that change something are taken only from pages of this origin ([`is_own`]). There is no script at all; every
//! form works by itself.
//!
//! It deliberately decides nothing and has no data of its own: each page is an answer of [`crate::app`] in a template.
//!
//! Where next: [`work`], [`reading`].

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    http::{StatusCode, header},
    web::Data,
};
use minijinja::context;
use serde::Deserialize;

use self::form::Form;
use super::{Shared, caller, pages, problem::Problem};

pub mod form;
pub mod reading;
pub mod work;

const COOKIE: &str = "pinkpaper_desk";
/// Browsers keep no cookie that is longer.
const LONGEST: usize = 4000;
const HOME: &str = "/desk/home";
const STYLE: &str = include_str!("desk/style.css");

/// The credential that a browser keeps for the desk. With several, as another site of the same domain could add one, who
/// calls is not certain.
pub fn credential(request: &HttpRequest) -> Option<String> {
    let cookies = request.cookies().ok()?;
    let mut sent = cookies.iter().filter(|cookie| cookie.name() == COOKIE);
    let (only, None) = (sent.next()?, sent.next()) else { return None };
    Some(only.value().to_owned()).filter(|value| !value.is_empty())
}

/// Whether a page of the desk is for those who have signed in.
pub fn is_behind_the_door(path: &str) -> bool {
    path.strip_prefix("/desk/").is_some_and(|page| !page.starts_with("session") && page != "style.css")
}

/// Whether a form comes from a page of this service, which browsers say themselves. What does not say is not believed.
pub fn is_own(request: &HttpRequest) -> bool {
    let told = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = told("sec-fetch-site") {
        return site == "same-origin";
    }
    match (told("origin"), told("host")) {
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, from)| from == host),
        _ => false,
    }
}

/// Refuses to put on record what another site had the browser ask. Typed in, or from here, it is the officer's own.
pub fn is_asked_here(request: &HttpRequest) -> Result<(), Problem> {
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if matches!(site, Some("same-site" | "cross-site")) { Err(Problem::Elsewhere) } else { Ok(()) }
}

pub async fn sign_in_page() -> HttpResponse {
    door(StatusCode::OK, None)
}

/// The page to sign in on, with what was wrong.
pub fn door(status: StatusCode, wrong: Option<&str>) -> HttpResponse {
    pages::page(status, "sign-in.html", context! { desk => false, here => "", wrong })
}

#[derive(Deserialize)]
pub struct SignIn {
    token: String,
}

pub async fn sign_in(shared: Data<Shared>, request: HttpRequest, form: Result<Form<SignIn>, Problem>) -> HttpResponse {
    if !is_own(&request) {
        return door(StatusCode::FORBIDDEN, Some("This form was sent from another site."));
    }
    let token = match form {
        Ok(Form(SignIn { token })) => token.trim().to_owned(),
        Err(problem) => return pages::shown(Err(problem), false),
    };
    let in_a_cookie = (1..=LONGEST).contains(&token.len())
        && token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte));
    let known = if in_a_cookie {
        shared.callers.caller(&token, shared.app.clock.now()).await.map_err(caller::refused)
    } else {
        Err(Problem::NotAuthenticated)
    };
    match known {
        Ok(_) => to(HOME, cookie(&shared, token)),
        Err(Problem::NotAuthenticated) => {
            door(StatusCode::UNAUTHORIZED, Some("This key or token is not good, or not any more."))
        }
        Err(problem) => pages::shown(Err(problem), false),
    }
}

/// Forgets the credential.
pub async fn sign_out(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    if !is_own(&request) {
        return door(StatusCode::FORBIDDEN, Some("This form was sent from another site."));
    }
    let mut ended = cookie(&shared, String::new());
    ended.make_removal();
    to("/desk", ended)
}

fn cookie(shared: &Shared, token: String) -> Cookie<'static> {
    let cookie = Cookie::build(COOKIE, token).path("/desk").http_only(true).same_site(SameSite::Strict);
    cookie.secure(shared.https).finish()
}

fn to(address: &'static str, cookie: Cookie<'_>) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, address)).cookie(cookie).finish()
}

/// The rule book's short address.
pub async fn to_the_rule_book() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((header::LOCATION, "/desk/policies")).finish()
}

pub async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type("text/css; charset=utf-8").body(STYLE)
}
