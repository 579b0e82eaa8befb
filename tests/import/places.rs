//! Where imports come from and go to: a web service, a running service, PostgreSQL.

use pinkpaper::domain::words::CallerRole;
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::Cluster,
    desk::{Desk, map},
    support::{Service, key, read_json},
    web,
};

#[test]
fn the_web_service_gives_what_its_saved_answers_give() {
    let (address, questions) = web::samples();
    let desk = Desk::new();
    let days = ["--meetings-from", "2026-01-01", "--meetings-to", "2026-12-31"];
    let asked =
        [&["import", "--from", "moderngov", &address, "--map", &map(), "--database-url", &desk.database], &days[..]];
    let output = desk.run(&asked.concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let other = Desk::new();
    other.told("moderngov", &other.moderngov(), &["--map", &map()]);
    assert_eq!(desk.register(), other.register());
    let questions: Vec<String> = questions.try_iter().collect();
    assert!(
        questions.iter().any(|path| path.ends_with("lCommitteeId=144&sFromDate=01%2F01%2F2026&sToDate=31%2F12%2F2026"))
    );
    let wrong = desk.run(&["import", "--from", "moderngov", &format!("{address}/x"), "--database-url", &desk.database]);
    assert_eq!(wrong.status.code(), Some(1));
    let told = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(told.contains("GetCouncillorsByWard: the web service answers 404"), "{told}");
    let plain = desk.run(&["import", "--from", "moderngov", "http://example.gov.uk", "--database-url", &desk.database]);
    assert!(String::from_utf8_lossy(&plain.stderr).contains("expected https"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_service_is_sent_the_register() {
    let service = Service::with_register("th52", &read_json("tests/api/cases/th52.json")["register"]).await;
    let desk = Desk::new();
    let answers = desk.moderngov();
    // Its file is in use.
    let file = format!("sqlite://{}", service.database.display());
    let keys = desk.write("key", format!("{}\n", key(CallerRole::Registrar)));
    let answers = answers.to_str().expect("a path").to_owned();
    let busy = desk.run(&["import", "--from", "moderngov", &answers, "--map", &map(), "--database-url", &file]);
    assert_eq!(busy.status.code(), Some(1));
    let told = String::from_utf8_lossy(&busy.stderr).into_owned();
    assert!(
        told.contains("the service is running on this database: stop it, or send the register to it with --url"),
        "{told}"
    );

    let to = ["--url", &service.url, "--key-file", keys.to_str().expect("a path"), "--json"];
    let map = map();
    let import = [&["import", "--from", "moderngov", &answers, "--map", &map], &to[..]].concat();
    let dry = desk.run(&[&import[..], &["--dry-run"]].concat());
    assert!(dry.status.success(), "{}", String::from_utf8_lossy(&dry.stderr));
    let output = desk.run(&import);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(told["notes"].to_string().contains("8 documents are left out: a running service takes the register alone"));
    let answer = service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await;
    assert_eq!(answer.headers["etag"], format!("\"{}\"", told["facts_version"]));
    let people = answer.body["people"].as_array().expect("people");
    assert!(people.iter().any(|person| person["id"] == "mg:user:102") && people.len() > 4, "beside who was there");
    let bad = desk.write("bad-key", "pp_nobody");
    let refused = desk.run(&["export", "--url", &service.url, "--key-file", bad.to_str().expect("a path")]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("401"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_into_postgresql_as_into_a_file() {
    let database = Cluster::shared().database().await;
    let desk = Desk { database: database.url.clone(), ..Desk::new() };
    let answers = desk.moderngov();
    let told = desk.told("moderngov", &answers, &["--map", &map()]);
    assert_eq!(told["facts_version"], 1);
    let other = Desk::new();
    other.told("moderngov", &other.moderngov(), &["--map", &map()]);
    assert_eq!(desk.register(), other.register());
    assert_eq!(desk.told("moderngov", &answers, &["--map", &map()])["changes"]["documents"]["added"], json!([]));
}
