//! A credential of any bytes is no key and no token; claims of any form are a caller with no more roles than they list.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use pinkpaper::auth::{
    Callers, Issuer,
    issuer::{Settings, Times},
};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().build().expect("a runtime"));

/// Takes no algorithm, so that no key is ever asked for.
static CALLERS: LazyLock<Callers> =
    LazyLock::new(|| Callers { issuer: Some(Issuer::new(settings()).expect("a client")), ..Callers::default() });

fn settings() -> Settings {
    Settings {
        issuer: "https://login.example/".to_owned(),
        audience: "pinkpaper".to_owned(),
        roles_claim: "realm.roles".to_owned(),
        person_claim: "sub".to_owned(),
        algorithms: Vec::new(),
        times: Times::default(),
    }
}

fuzz_target!(|input: (&str, &str)| {
    let (credential, claims) = input;
    assert!(RUNTIME.block_on(CALLERS.caller(credential, jiff::Timestamp::UNIX_EPOCH)).is_err());
    let Ok(mut claims) = serde_json::from_str::<Map<String, Value>>(claims) else { return };
    claims.insert("iss".to_owned(), "https://login.example/".into());
    if let Ok(caller) = settings().caller(&claims) {
        let listed = Value::Object(claims).to_string();
        assert!(caller.name.starts_with("oidc:login.example/#") && caller.personal);
        assert!(caller.roles.iter().all(|role| listed.contains(role.word())));
    }
});
