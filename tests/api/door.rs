//! What a caller meets before anything is asked: allowance, time, headers, methods.

use std::time::{Duration, Instant};

use pinkpaper::{auth::rate::Rate, domain::words::CallerRole, http::ROUTES};
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    callers::filled,
    support::{Door, Service, key},
};

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again_and_nobody_else_is_held_up() {
    let service = Service::behind(Door { rate: Rate::new(1, 3), ..Door::default() }).await;
    let ask = async |role| service.call(role, Method::GET, "/v1/profile", None).await;
    let mut last = ask(CallerRole::Pep).await;
    for _ in 0..5 {
        last = ask(CallerRole::Pep).await;
    }
    assert_eq!(last.status, 429);
    let wait: u64 = last.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
    assert!((1..=3).contains(&wait), "{wait}");
    assert_eq!(ask(CallerRole::Registrar).await.status, 200, "another caller has an allowance of its own");
    assert_eq!(service.call_with(None, Method::GET, "/livez", None, &[]).await.status, 200);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(ask(CallerRole::Pep).await.status, 200);
}

#[tokio::test]
async fn a_batch_uses_up_what_its_questions_would_and_a_large_one_all_there_is() {
    let service = Service::behind(Door { rate: Rate::new(1, 10), ..Door::default() }).await;
    let batch = json!({"requests": vec![json!({}); 30]});
    let ask = async || service.call(CallerRole::Pep, Method::POST, "/v1/decisions/batch", Some(&batch)).await.status;
    assert_eq!(ask().await, 200);
    assert_eq!(ask().await, 429);
}

#[tokio::test]
async fn every_answer_tells_browsers_to_keep_nothing_and_load_nothing_from_elsewhere() {
    let service = Service::start("th52").await;
    let client = &service.client;
    for path in
        ["/v1/profile", "/v1/nothing", "/livez", "/openapi.json", "/docs/", "/docs/swagger-ui-bundle.js", "/nothing"]
    {
        let origin = "https://elsewhere.example";
        let answer =
            client.get(format!("{}{path}", service.url)).header("Origin", origin).send().await.expect("answers");
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert!(header("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert!(!header("content-security-policy").contains("http"), "{path} lets another origin in");
        assert_eq!(header("cache-control") == "no-store", !path.starts_with("/docs/"), "{path}");
        assert_eq!(header("access-control-allow-origin"), "", "{path}");
        assert_eq!(header("strict-transport-security"), "", "{path} was spoken to in plain HTTP");
        assert_eq!(header("server"), "", "{path} says what it runs on");
    }
}

#[tokio::test]
async fn another_method_is_told_which_there_are() {
    let service = Service::start("th52").await;
    for (_, path, _) in ROUTES {
        let mut there: Vec<&str> = ROUTES.iter().filter(|(_, other, _)| other == path).map(|(m, ..)| *m).collect();
        there.sort_unstable();
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
            if there.contains(&method) {
                continue;
            }
            let request =
                service.client.request(method.parse().expect("a method"), format!("{}{}", service.url, filled(path)));
            let answer = request.bearer_auth(key(CallerRole::MonitoringOfficer)).send().await.expect("answers");
            assert_eq!(answer.status(), 405, "{method} {path}");
            let mut told: Vec<&str> = answer.headers()["allow"].to_str().expect("text").split(", ").collect();
            told.sort_unstable();
            assert_eq!(told, there, "{method} {path}");
        }
    }
}

/// Sends some bytes, then nothing, and tells what came back before the connection was closed, and after how long.
async fn stalled(service: &Service, head: &str) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).await.expect("connects");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut told = Vec::new();
    let _closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut told)).await;
    (String::from_utf8_lossy(&told).into_owned(), began.elapsed())
}

#[tokio::test]
async fn who_stalls_is_let_go() {
    let service = Service::start("th52").await;
    let (told, after) = stalled(&service, "POST /v1/decisions HTTP/1.1\r\nHost: pinkpaper\r\n").await;
    assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
    assert!(after < Duration::from_secs(20), "{after:?}");
    let head = format!(
        "POST /v1/decisions HTTP/1.1\r\nHost: pinkpaper\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\nConnection: close\r\n\r\n{{",
        key(CallerRole::Pep)
    );
    let (told, after) = stalled(&service, &head).await;
    assert!(told.starts_with("HTTP/1.1 408") && told.contains("too-slow"), "{told}");
    assert!(after < Duration::from_secs(20), "{after:?}");
}

#[tokio::test]
async fn who_stalls_in_a_form_of_the_desk_is_let_go_and_a_form_is_not_endless() {
    let service = Service::start("th52").await;
    let head = |length: usize| {
        format!(
            "POST /desk/session HTTP/1.1\r\nHost: pinkpaper\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\nConnection: close\r\n\r\ntoken="
        )
    };
    let (told, after) = stalled(&service, &head(100)).await;
    assert!(told.starts_with("HTTP/1.1 408") && told.contains("did not come in time"), "{told}");
    assert!(after < Duration::from_secs(20), "{after:?}");
    let (told, _) = stalled(&service, &head(10_000_000)).await;
    assert!(told.starts_with("HTTP/1.1 413") && told.contains("too large"), "{told}");
}

/// What a proxy and the service could read differently is not read at all: one answer, `400`, and the connection ends.
#[tokio::test]
async fn a_request_that_could_be_two_is_refused() {
    let service = Service::start("th52").await;
    let key = key(CallerRole::Pep);
    for lines in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "Content-Length: +5\r\n\r\nabcde",
        "Content-Length: 5, 5\r\n\r\nabcde",
        "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "X: a\r\n b: c\r\n\r\n",
    ] {
        let head = format!(
            "POST /v1/decisions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             {lines}GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"
        );
        let (told, _) = stalled(&service, &head).await;
        assert!(told.starts_with("HTTP/1.1 400"), "{lines:?}: {told}");
        assert_eq!(told.matches("HTTP/1.1").count(), 1, "{lines:?}: {told}");
    }
}

#[tokio::test]
async fn two_credentials_are_none() {
    let service = Service::start("th52").await;
    let path = format!("{}/v1/profile", service.url);
    let good = format!("Bearer {}", key(CallerRole::Pep));
    for second in ["Bearer pp_other", good.as_str()] {
        let both = service.client.get(&path).header("Authorization", &good).header("Authorization", second);
        assert_eq!(both.send().await.expect("answers").status(), 401);
    }
    for wrong in
        [format!("Basic {}", key(CallerRole::Pep)), key(CallerRole::Pep), format!("Bearer{}", key(CallerRole::Pep))]
    {
        let sent = service.client.get(&path).header("Authorization", wrong).send().await.expect("answers");
        assert_eq!(sent.status(), 401);
    }
}

/// Anyone may ask whether the service is ready, and looking costs a commit.
#[tokio::test]
async fn one_look_at_the_store_answers_for_a_while() {
    let while_ = Duration::from_secs(8);
    let service = Service::behind(Door { one_look: while_, ..Door::default() }).await;
    let ready = async || service.call_with(None, Method::GET, "/readyz", None, &[]).await.status.as_u16();
    assert_eq!(ready().await, 200);
    let mut outsider = service.outsider().await;
    sqlx::query("ALTER TABLE log_head RENAME TO gone").execute(&mut outsider).await.expect("renamed");
    assert_eq!(ready().await, 200);
    tokio::time::sleep(while_).await;
    assert_eq!(ready().await, 503);
}
