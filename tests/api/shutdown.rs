//! A stop that loses nothing: what was begun is answered, and what was answered is on record.

use std::{sync::Arc, time::Duration};

use pinkpaper::domain::words::CallerRole;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::program::{Program, Setting};

fn question(at: usize) -> Value {
    json!({
        "principal": {"type": "public"}, "action": "read",
        "document": {"id": format!("doc-{at}"), "kind": "correspondence", "held_by": "council"},
        "purpose": {"ground": "casework"}
    })
}

#[tokio::test]
async fn an_answer_in_flight_is_finished_and_on_record() {
    let mut program = Program::start(&Setting::default());
    let home = Arc::clone(&program.home);
    // Half a question, then the stop, then the other half.
    let body = question(0).to_string();
    let address = program.url.trim_start_matches("http://").to_owned();
    let mut slow = TcpStream::connect(&address).await.expect("connected");
    let head = format!(
        "POST /v1/decisions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        program.key(CallerRole::Pep),
        body.len()
    );
    slow.write_all(format!("{head}{}", &body[..20]).as_bytes()).await.expect("sent");
    let mut asked = tokio::task::JoinSet::new();
    for at in 1..100 {
        asked.spawn(program.request(CallerRole::Pep, "POST", "/v1/decisions", &question(at)).send());
    }
    let first = asked.join_next().await.expect("one").expect("ran").expect("answered");
    let mut answered = vec![first.json::<Value>().await.expect("JSON")];
    program.signal("TERM");
    tokio::time::sleep(Duration::from_millis(300)).await;
    slow.write_all(&body.as_bytes()[20..]).await.expect("sent");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("answered");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let (_, told) = answer.split_once("\r\n\r\n").expect("a body");
    answered.push(serde_json::from_str(told.trim()).expect("JSON"));
    while let Some(done) = asked.join_next().await {
        // Who came too late was not let in, and was told nothing.
        if let Ok(response) = done.expect("ran")
            && response.status() == 200
            && let Ok(decision) = response.json::<Value>().await
        {
            answered.push(decision);
        }
    }
    assert!(program.ended().success(), "{}", program.lines());

    let again = Program::start(&Setting { home, ..Setting::default() });
    for decision in &answered {
        let id = decision["id"].as_str().expect("an id");
        let kept = again.done(CallerRole::MonitoringOfficer, "GET", &format!("/v1/decisions/{id}"), &Value::Null).await;
        assert_eq!(kept["log"], decision["log"]);
    }
}
