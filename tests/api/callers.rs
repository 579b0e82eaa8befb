//! Who may call what: the caller × endpoint table, and every wrong credential.

use std::{fmt::Write as _, sync::LazyLock};

use pinkpaper::{
    domain::words::CallerRole,
    http::{DESK, ROUTES},
    pap::{
        Bundle, PolicyFiles,
        callers::{Circumstances, Errand},
    },
};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Service, key, read_json};

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::load(&PolicyFiles::shipped()).expect("the policies load"));

/// A path with its parameters filled in.
pub fn filled(path: &str) -> String {
    path.replace("{collection}", "people").replace("{id}", "b1")
}

async fn service() -> Service {
    Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await
}

/// What a role is told at a route when it sends an empty object: refused, or let through to the checks behind.
async fn let_through(service: &Service, role: CallerRole, method: &str, path: &str) -> bool {
    let method: Method = method.parse().expect("a method");
    let body = (method != Method::GET && method != Method::DELETE).then(|| json!({}));
    let path = filled(path);
    let answer = service.call_with(Some(&key(role)), method, &path, body.as_ref(), &[]).await;
    answer.status != StatusCode::FORBIDDEN
}

/// What the policies say of a role at an errand, in a word.
fn says(role: CallerRole, errand: Errand) -> String {
    let may = |circumstances| BUNDLE.callers.allow(&[role], errand, circumstances);
    let none = Circumstances::default();
    let about_self = Circumstances { about_self: true, ..none };
    let ways = [
        ("self", may(about_self)),
        ("own", may(Circumstances { own: true, ..none })),
        ("addressed", may(Circumstances { addressed: true, ..none })),
    ];
    match (may(none), may(about_self)) {
        (true, true) => "yes".to_owned(),
        (true, false) => "not of self".to_owned(),
        (false, _) => {
            let ways: Vec<&str> = ways.into_iter().filter(|(_, opens)| *opens).map(|(way, _)| way).collect();
            if ways.is_empty() { "-".to_owned() } else { ways.join(" or ") }
        }
    }
}

/// Who may call what, and in which circumstances only: about the person the caller speaks for (`self`), what it asked for
/// (`own`), what is put to a post of its person (`addressed`). A route that is not in the reviewed table fails here.
#[test]
fn the_table_of_callers_and_routes_is_as_reviewed() {
    let mut table = format!("{:<43}", "");
    for role in CallerRole::ALL {
        write!(table, " {:<22}", role.word()).expect("written");
    }
    for (method, path, errand) in ROUTES.iter().chain(DESK) {
        write!(table, "\n{:<43}", format!("{method} {path}")).expect("written");
        for role in CallerRole::ALL {
            let word = errand.map_or_else(|| "open to all".to_owned(), |errand| says(*role, errand));
            write!(table, " {word:<22}").expect("written");
        }
        table.truncate(table.trim_end().len());
    }
    insta::assert_snapshot!("caller_by_route", table);
}

#[tokio::test]
async fn each_role_reaches_only_its_routes() {
    let service = service().await;
    let mut table = String::from("role                    reaches\n");
    for role in CallerRole::ALL {
        for (method, path, errand) in ROUTES {
            // Asking needs a whole question to be refused, and a referral put to somebody else is not there: those
            // rows stand in `decisions.rs` and `referrals.rs`.
            if errand.is_some()
                && !path.starts_with("/v1/decisions")
                && !path.starts_with("/v1/referrals/")
                && let_through(&service, *role, method, path).await
            {
                writeln!(table, "{role:<23} {method:<6} {path}").expect("written");
            }
        }
    }
    insta::assert_snapshot!("caller_by_endpoint", table);
}

#[tokio::test]
async fn without_good_credentials_nothing_answers() {
    let service = service().await;
    for (method, path, errand) in ROUTES {
        for key in [None, Some(""), Some("pp_wrong"), Some("pp_test-key-of-the-pep2")] {
            let method: Method = method.parse().expect("a method");
            let answer = service.call_with(key, method.clone(), &filled(path), None, &[]).await;
            if errand.is_some() {
                assert_eq!(answer.status, 401, "{method} {path} with {key:?}");
                assert!(answer.headers.contains_key("www-authenticate"));
            } else {
                assert_eq!(answer.status, 200, "{method} {path} is open");
            }
        }
    }
}

#[tokio::test]
async fn the_description_and_the_route_table_name_the_same_operations() {
    let service = service().await;
    let mut described: Vec<String> = Vec::new();
    for (path, item) in service.schemas.openapi()["paths"].as_object().expect("paths") {
        for method in item
            .as_object()
            .expect("operations")
            .keys()
            .filter(|k| ["get", "put", "post", "delete"].contains(&k.as_str()))
        {
            described.push(format!("{} {path}", method.to_uppercase()));
        }
    }
    let mut routed: Vec<String> = ROUTES.iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    described.sort();
    routed.sort();
    assert_eq!(described, routed);
}
