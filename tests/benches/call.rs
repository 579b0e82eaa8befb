//! The whole call over HTTP, durable entry included, with the bare handler of the same server beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, dead_code)]

#[path = "../support/mod.rs"]
mod support;

use std::{net::TcpListener, thread, time::Duration};

use actix_web::{App, HttpResponse, HttpServer, web};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use support::{Service, read_json};

/// Parses a JSON body and answers one of the size of a decision: all that is not ours.
fn bare() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let echo = |body: web::Json<Value>| async move { HttpResponse::Ok().json(body.into_inner()) };
            let server = HttpServer::new(move || App::new().route("/", web::post().to(echo))).workers(1);
            server.listen(listener).expect("listens").run().await.expect("runs");
        });
    });
    url
}

fn question() -> Value {
    read_json("tests/api/cases/th52.json")["cases"][1]["request"].clone()
}

fn call(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let register = read_json("tests/api/cases/th52.json")["register"].clone();
    let service = runtime.block_on(Service::with_register("th52", &register));
    let key = support::key(pinkpaper::domain::words::CallerRole::Pep);
    let (client, question, bare) = (pinkpaper::outbound::builder().build().expect("a client"), question(), bare());
    let mut group = c.benchmark_group("call");
    group.measurement_time(Duration::from_secs(8));
    group.bench_function("bare handler", |b| {
        b.to_async(&runtime).iter(|| async {
            client.post(&bare).json(&question).send().await.expect("answers").bytes().await.expect("bytes")
        });
    });
    let url = format!("{}/v1/decisions", service.url);
    let ask = || async {
        let request = client.post(&url).bearer_auth(&key).json(&question);
        request.send().await.expect("answers").bytes().await.expect("bytes")
    };
    group.bench_function("decision, one caller", |b| b.to_async(&runtime).iter(ask));
    group.bench_function("decision, sixteen callers", |b| {
        b.to_async(&runtime).iter(|| async {
            let calls: Vec<_> = (0..16)
                .map(|_| {
                    let request = client.post(&url).bearer_auth(&key).json(&question);
                    tokio::spawn(async move { request.send().await.expect("answers").bytes().await.expect("bytes") })
                })
                .collect();
            for one in calls {
                one.await.expect("no panic");
            }
        });
    });
    // Whether a person is known should not show in how long the refusal takes.
    for (name, person) in [("refused", "b3"), ("refused, nobody the register knows", "b3-not")] {
        let mut refused = question.clone();
        refused["principal"]["id"] = json!(person);
        let ask = || async {
            let request = client.post(&url).bearer_auth(&key).json(&refused);
            request.send().await.expect("answers").bytes().await.expect("bytes")
        };
        group.bench_function(name, |b| b.to_async(&runtime).iter(ask));
    }
    let batch = json!({"requests": vec![question.clone(); 100]});
    let batch_url = format!("{}/v1/decisions/batch", service.url);
    group.bench_function("batch of a hundred", |b| {
        b.to_async(&runtime).iter(|| async {
            let request = client.post(&batch_url).bearer_auth(&key).json(&batch);
            request.send().await.expect("answers").bytes().await.expect("bytes")
        });
    });
    group.finish();
}

criterion_group!(benches, call);
criterion_main!(benches);
