//! An identity provider over real HTTP, whose keys can be changed and which can fall silent.

use std::{
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use actix_web::{App, HttpResponse, HttpServer, web};
use aws_lc_rs::{
    encoding::AsDer,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair},
};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use pinkpaper::auth::{
    Issuer,
    issuer::{Settings, Times},
};
use serde_json::{Value, json};

/// What the issuer calls the service.
pub const AUDIENCE: &str = "pinkpaper";

/// A key that signs.
#[derive(Clone)]
pub struct Key {
    pub id: &'static str,
    pub algorithm: Algorithm,
    pub signs: EncodingKey,
}

impl Key {
    pub fn rsa(id: &'static str) -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).expect("DER");
        // Within PKCS #8, after what says that it is RSA, stands the key in PKCS #1, which is what the library takes.
        Self { id, algorithm: Algorithm::RS256, signs: EncodingKey::from_rsa_der(&der.as_ref()[26..]) }
    }

    pub fn ec(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let der = pair.to_pkcs8v1().expect("DER");
        Self { id, algorithm: Algorithm::ES256, signs: EncodingKey::from_ec_der(der.as_ref()) }
    }

    pub fn ed(id: &'static str) -> Self {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let der = pair.to_pkcs8v1().expect("DER");
        Self { id, algorithm: Algorithm::EdDSA, signs: EncodingKey::from_ed_der(der.as_ref()) }
    }

    /// The public half, as the issuer tells it.
    pub fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.signs, self.algorithm).expect("a public key");
        jwk.common.key_id = Some(self.id.to_owned());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        jwk.common.key_algorithm = Some(KeyAlgorithm::from(self.algorithm));
        json!(jwk)
    }

    pub fn header(&self) -> Header {
        Header { kid: Some(self.id.to_owned()), ..Header::new(self.algorithm) }
    }

    pub fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.signs).expect("signed")
    }
}

/// What the issuer answers at the moment.
#[derive(Default)]
struct Says {
    keys: Mutex<Vec<Value>>,
    /// What it says it is, where that is not what it is.
    called: Mutex<Option<String>>,
    silent: Mutex<bool>,
    /// Whether it takes connections and says nothing.
    hangs: Mutex<bool>,
    asked: AtomicUsize,
}

pub struct Idp {
    pub url: String,
    says: Arc<Says>,
}

impl Idp {
    pub fn start(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let says = Arc::new(Says::default());
        let (told, own) = (Arc::clone(&says), url.clone());
        thread::spawn(move || {
            let server = HttpServer::new(move || {
                let (told, own) = (Arc::clone(&told), own.clone());
                let (metadata, keys) = (Arc::clone(&told), told);
                App::new()
                    .route(
                        "/.well-known/openid-configuration",
                        web::get().to(move || metadata_of(Arc::clone(&metadata), own.clone())),
                    )
                    .route("/keys", web::get().to(move || keys_of(Arc::clone(&keys))))
            });
            actix_web::rt::System::new()
                .block_on(server.workers(1).listen(listener).expect("listens").run())
                .expect("runs");
        });
        let idp = Self { url, says };
        idp.now_has(keys);
        idp
    }

    /// These are its keys from now on.
    pub fn now_has(&self, keys: &[&Key]) {
        self.tells(keys.iter().map(|key| key.public()).collect());
    }

    pub fn tells(&self, keys: Vec<Value>) {
        *self.says.keys.lock().expect("not poisoned") = keys;
    }

    pub fn falls_silent(&self) {
        *self.says.silent.lock().expect("not poisoned") = true;
    }

    pub fn speaks_again(&self) {
        *self.says.silent.lock().expect("not poisoned") = false;
    }

    pub fn calls_itself(&self, name: &str) {
        *self.says.called.lock().expect("not poisoned") = Some(name.to_owned());
    }

    /// How often its keys have been fetched.
    pub fn asked(&self) -> usize {
        self.says.asked.load(Ordering::SeqCst)
    }

    pub fn settings(&self) -> Settings {
        Settings {
            issuer: self.url.clone(),
            audience: AUDIENCE.to_owned(),
            roles_claim: "roles".to_owned(),
            person_claim: "person".to_owned(),
            algorithms: vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::EdDSA],
            times: Times::default(),
        }
    }

    pub fn issuer(&self) -> Issuer {
        self.kept_for(Times::default())
    }

    pub fn kept_for(&self, times: Times) -> Issuer {
        Issuer::new(Settings { times, ..self.settings() }).expect("a client")
    }

    pub fn hangs(&self) {
        *self.says.hangs.lock().expect("not poisoned") = true;
    }

    /// The claims of a good token.
    pub fn claims(&self, role: &str) -> Value {
        let now = Timestamp::now().as_second();
        json!({"iss": self.url, "aud": AUDIENCE, "sub": "5f0c", "roles": [role], "iat": now, "nbf": now, "exp": now + 300})
    }
}

async fn metadata_of(says: Arc<Says>, own: String) -> HttpResponse {
    let hangs = *says.hangs.lock().expect("not poisoned");
    if hangs {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    if *says.silent.lock().expect("not poisoned") {
        return HttpResponse::ServiceUnavailable().finish();
    }
    let called = says.called.lock().expect("not poisoned").clone().unwrap_or_else(|| own.clone());
    HttpResponse::Ok()
        .json(json!({"issuer": called, "jwks_uri": format!("{own}/keys"), "response_types_supported": ["code"]}))
}

async fn keys_of(says: Arc<Says>) -> HttpResponse {
    says.asked.fetch_add(1, Ordering::SeqCst);
    HttpResponse::Ok().json(json!({"keys": *says.keys.lock().expect("not poisoned")}))
}
