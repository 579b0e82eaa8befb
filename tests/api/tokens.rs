//! Access tokens of an identity provider: who they speak for, and every way they may be wrong.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use pinkpaper::{
    auth::{
        Issuer, Refused,
        issuer::{Settings, Times},
    },
    domain::words::CallerRole,
    http::ROUTES,
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    callers::filled,
    issuer::{Idp, Key},
    support::{Door, Service, read_json},
};

async fn service(idp: &Idp) -> Service {
    let service = Service::behind(Door { issuer: Some(idp.issuer()), ..Door::default() }).await;
    let register = read_json("tests/api/cases/th52.json")["register"].clone();
    assert_eq!(service.call(CallerRole::Registrar, Method::PUT, "/v1/register", Some(&register)).await.status, 201);
    service
}

async fn status(service: &Service, token: &str, path: &str) -> u16 {
    service.call_with(Some(token), Method::GET, path, None, &[]).await.status.as_u16()
}

/// A token of any header and claims, signed with whatever is at hand.
fn made_up(header: &Value, claims: &Value, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

#[tokio::test]
async fn a_token_is_worth_what_its_roles_are_and_no_more() {
    let keys = [Key::rsa("k1"), Key::ec("k2"), Key::ed("k3")];
    let idp = Idp::start(&keys.each_ref());
    let service = service(&idp).await;
    for key in &keys {
        let token = |role: &str| key.sign(&idp.claims(role));
        assert_eq!(status(&service, &token("registrar"), "/v1/register").await, 200, "{:?}", key.algorithm);
        assert_eq!(status(&service, &token("pep"), "/v1/register").await, 403);
        assert_eq!(status(&service, &token("Global.Administrator"), "/v1/profile").await, 403);
    }
    let key = &keys[0];
    // PSS with the same key, where the issuer does not bind the key to one algorithm.
    let mut unbound = key.public();
    unbound.as_object_mut().expect("a key").remove("alg");
    idp.tells(vec![unbound]);
    let fresh = self::service(&idp).await;
    let header = Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::PS256) };
    let token = encode(&header, &idp.claims("registrar"), &key.signs).expect("signed");
    assert_eq!(status(&fresh, &token, "/v1/register").await, 200);
    assert_eq!(status(&service, &token, "/v1/register").await, 401, "the key was bound to RS256");
}

#[tokio::test]
async fn roles_are_found_where_the_configuration_says() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    let caller = async |roles_claim: &str, claims: Value| {
        let issuer = Issuer::new(Settings { roles_claim: roles_claim.to_owned(), ..idp.settings() });
        let mut all = idp.claims("officer");
        all.as_object_mut().expect("claims").extend(claims.as_object().expect("claims").clone());
        issuer.expect("a client").caller(&key.sign(&all)).await.expect("a caller")
    };
    let roles =
        |words: &str| json!({"realm_access": {"roles": ["pep", "offline_access"]}, "a.b": ["pep"], "scope": words});
    assert_eq!(caller("roles", json!({})).await.roles, [CallerRole::Officer]);
    assert_eq!(caller("realm_access.roles", roles("")).await.roles, [CallerRole::Pep]);
    assert_eq!(caller("a.b", roles("")).await.roles, [CallerRole::Pep]);
    assert_eq!(caller("scope", roles("openid pep officer")).await.roles, [CallerRole::Pep, CallerRole::Officer]);
    assert!(caller("scope", roles("openid,pep")).await.roles.is_empty());
    assert!(caller("none", roles("pep")).await.roles.is_empty());
    let who = caller("roles", json!({"person": "b1"})).await;
    let name = format!("oidc:{}#5f0c", idp.url.trim_start_matches("http://"));
    assert_eq!((who.name, who.person.expect("somebody").as_str()), (name, "b1"), "a `sub` is of its issuer");
    assert_eq!(caller("roles", json!({"person": 117})).await.person.expect("somebody").as_str(), "117");
    assert!(caller("roles", json!({"person": "Bea One, of the Labour Group"})).await.person.is_none());
}

/// A councillor's token asks about its person and nobody else.
#[tokio::test]
async fn a_councillors_token_speaks_for_one_person() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    let service = service(&idp).await;
    let mut claims = idp.claims("councillor");
    claims["person"] = json!("b1");
    let token = key.sign(&claims);
    let document = json!({"id": "doc-1", "kind": "correspondence", "held_by": "council"});
    let put = service.call(CallerRole::Registrar, Method::PUT, "/v1/documents/doc-1", Some(&document)).await;
    assert_eq!(put.status, 201);
    for (person, expected) in [("b1", 200), ("b2", 403)] {
        let question = json!({
            "principal": {"type": "person", "id": person}, "action": "read", "document": {"id": "doc-1"},
            "purpose": {"capacity": "councillor", "ground": "casework"}
        });
        let answer = service.call_with(Some(&token), Method::POST, "/v1/decisions", Some(&question), &[]).await;
        assert_eq!(answer.status, expected, "{person}: {}", answer.body);
    }
    // A token that names nobody may ask about nobody.
    let nobody = key.sign(&idp.claims("councillor"));
    let question = json!({
        "principal": {"type": "person", "id": "5f0c"}, "action": "read", "document": {"id": "doc-1"},
        "purpose": {"capacity": "councillor", "ground": "casework"}
    });
    let answer = service.call_with(Some(&nobody), Method::POST, "/v1/decisions", Some(&question), &[]).await;
    assert_eq!(answer.status, 403);
}

/// Every wrong token, by name.
fn wrong(idp: &Idp, key: &Key) -> Vec<(&'static str, String)> {
    let good = idp.claims("monitoring_officer");
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        key.sign(&claims)
    };
    let without = |name: &str| {
        let mut claims = good.clone();
        claims.as_object_mut().expect("claims").remove(name);
        key.sign(&claims)
    };
    let now = Timestamp::now().as_second();
    let stranger = Key::rsa(key.id);
    let public = key.public();
    let modulus = public["n"].as_str().expect("a modulus");
    let secret = |secret: &[u8]| {
        let header = Header { kid: Some(key.id.to_owned()), ..Header::new(Algorithm::HS256) };
        encode(&header, &good, &EncodingKey::from_secret(secret)).expect("signed")
    };
    let (head, rest) = key.sign(&good).split_once('.').map(|(h, r)| (h.to_owned(), r.to_owned())).expect("a token");
    let (claims, signature) = rest.split_once('.').map(|(c, s)| (c.to_owned(), s.to_owned())).expect("a token");
    let mut promoted = good.clone();
    promoted["roles"] = json!(["registrar"]);
    let signed_as = |header: Value| {
        made_up(&header, &good, |bytes| {
            let signature = jsonwebtoken::crypto::sign(bytes, &key.signs, key.algorithm).expect("signed");
            URL_SAFE_NO_PAD.decode(signature).expect("base64")
        })
    };
    vec![
        ("expired", with("exp", json!(now - 120))),
        ("expiry in words", with("exp", json!("tomorrow"))),
        ("expiry below zero", with("exp", json!(-1))),
        ("without expiry", without("exp")),
        ("not yet", with("nbf", json!(now + 120))),
        ("not yet, in words", with("nbf", json!("now"))),
        ("another issuer", with("iss", json!("https://login.example/"))),
        ("two issuers, one of them ours", with("iss", json!([idp.url, "https://login.example/"]))),
        ("without issuer", without("iss")),
        ("another audience", with("aud", json!("another-service"))),
        ("no audience", with("aud", json!([]))),
        ("without audience", without("aud")),
        ("without subject", without("sub")),
        ("an empty subject", with("sub", json!(""))),
        ("a subject with a line break", with("sub", json!("5f0c\nmonitoring_officer"))),
        ("a subject beyond its length", with("sub", json!("5".repeat(256)))),
        ("signed by another key of the same id", stranger.sign(&good)),
        ("signed by a key the issuer does not have", Key::rsa("k9").sign(&good)),
        ("of no algorithm", made_up(&json!({"alg": "none", "kid": key.id}), &good, |_| Vec::new())),
        ("of no algorithm, in capitals", made_up(&json!({"alg": "NONE", "kid": key.id}), &good, |_| Vec::new())),
        ("without algorithm", made_up(&json!({"kid": key.id}), &good, |_| Vec::new())),
        ("the public key as the secret: its modulus", secret(modulus.as_bytes())),
        ("the public key as the secret: its bytes", secret(&URL_SAFE_NO_PAD.decode(modulus).expect("base64"))),
        ("the public key as the secret: as JSON", secret(public.to_string().as_bytes())),
        ("an empty secret", secret(b"")),
        ("with its own key in the header", {
            let header = json!({"alg": "RS256", "jwk": stranger.public()});
            made_up(&header, &good, |bytes| {
                let signature = jsonwebtoken::crypto::sign(bytes, &stranger.signs, stranger.algorithm).expect("signed");
                URL_SAFE_NO_PAD.decode(signature).expect("base64")
            })
        }),
        ("of a longer hash than the key's", signed_as(json!({"alg": "RS512", "kid": key.id}))),
        ("of another kind of key", signed_as(json!({"alg": "ES256", "kid": key.id}))),
        (
            "with something critical we do not know",
            signed_as(json!({"alg": "RS256", "kid": key.id, "crit": ["b64"], "b64": false})),
        ),
        ("of a sign-in", with("nonce", json!("n-1"))),
        ("of a sign-out", with("events", json!({"http://schemas.openid.net/event/backchannel-logout": {}}))),
        ("of another type", signed_as(json!({"alg": "RS256", "kid": key.id, "typ": "logout+jwt"}))),
        ("encrypted, it says", signed_as(json!({"alg": "RS256", "kid": key.id, "enc": "A256GCM"}))),
        ("with other claims", format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(promoted.to_string()))),
        ("without its signature", format!("{head}.{claims}.")),
        ("without its last part", format!("{head}.{claims}")),
        ("with a fourth part", format!("{head}.{claims}.{signature}.{signature}")),
        ("with its signature cut", format!("{head}.{claims}.{}", &signature[..signature.len() - 4])),
        ("an empty one", "..".to_owned()),
        ("no token at all", "monitoring_officer".to_owned()),
        ("too long", format!("{head}.{claims}.{}", "A".repeat(17_000))),
    ]
}

#[tokio::test]
async fn no_wrong_token_opens_any_route() {
    let key = Key::rsa("k1");
    let idp = Idp::start(&[&key]);
    let service = service(&idp).await;
    assert_eq!(status(&service, &key.sign(&idp.claims("monitoring_officer")), "/v1/register").await, 200);
    for (what, token) in wrong(&idp, &key) {
        let answer = service.call_with(Some(&token), Method::GET, "/v1/register", None, &[]).await;
        assert_eq!(answer.status, 401, "{what}: {}", answer.body);
        assert!(answer.headers.contains_key("www-authenticate"), "{what}");
        let told = answer.body.to_string();
        assert!(!told.contains(what) && !told.contains("expired") && !told.contains("issuer"), "{what}: {told}");
    }
    let wrong = wrong(&idp, &key);
    for (method, path, _) in ROUTES.iter().filter(|(_, _, errand)| errand.is_some()) {
        for (what, token) in &wrong {
            let method: Method = method.parse().expect("a method");
            let request = service.client.request(method, format!("{}{}", service.url, filled(path)));
            let answer = request.bearer_auth(token).send().await.expect("an answer");
            assert_eq!(answer.status(), 401, "{what}: {path}");
        }
    }
}

/// Times so short that a test can wait for them.
const SHORT: Times = Times {
    fresh: Duration::from_millis(200),
    kept: Duration::from_millis(1500),
    pause: Duration::from_millis(50),
    wait: Duration::from_millis(1000),
};

#[tokio::test]
async fn a_new_key_is_taken_and_a_withdrawn_one_goes_though_nobody_asks() {
    let (old, new) = (Key::rsa("k1"), Key::ec("k2"));
    let idp = Idp::start(&[&old]);
    let issuer = idp.kept_for(SHORT);
    let token = |key: &Key| key.sign(&idp.claims("pep"));
    tokio::spawn(issuer.clone().keep_fresh());
    assert!(issuer.caller(&token(&old)).await.is_ok());
    idp.now_has(&[&new]);
    let before = idp.asked();
    while idp.asked() < before + 2 {
        tokio::time::sleep(SHORT.fresh).await;
    }
    assert_eq!(issuer.caller(&token(&old)).await.expect_err("withdrawn"), Refused::Key);
    assert!(issuer.caller(&token(&new)).await.is_ok());
}

#[tokio::test]
async fn made_up_keys_do_not_have_the_issuer_asked_again_at_once() {
    let (old, new) = (Key::rsa("k1"), Key::ec("k2"));
    let idp = Idp::start(&[&old]);
    let issuer = idp.issuer();
    for _ in 0..20 {
        assert_eq!(issuer.caller(&new.sign(&idp.claims("pep"))).await.expect_err("made up"), Refused::Key);
    }
    assert_eq!(idp.asked(), 1);
}

#[tokio::test]
async fn after_a_pause_a_token_of_a_new_key_has_the_keys_fetched_once_for_all_that_wait() {
    let (old, new) = (Key::rsa("k1"), Key::ec("k2"));
    let idp = Idp::start(&[&old]);
    let issuer = idp.kept_for(Times { pause: Duration::from_secs(2), ..Times::default() });
    assert!(issuer.caller(&old.sign(&idp.claims("pep"))).await.is_ok());
    idp.now_has(&[&old, &new]);
    tokio::time::sleep(Duration::from_millis(2100)).await;
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (issuer, token) = (issuer.clone(), new.sign(&idp.claims("pep")));
        many.spawn(async move { issuer.caller(&token).await.is_ok() });
    }
    assert!(many.join_all().await.into_iter().all(|good| good));
    assert_eq!(idp.asked(), 2, "fifty at once asked more than once");
    assert!(issuer.caller(&old.sign(&idp.claims("pep"))).await.is_ok());
}

/// An issuer that takes connections and says nothing holds nobody up for longer than the wait, however many come.
#[tokio::test]
async fn an_issuer_that_hangs_holds_nobody_up() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    idp.hangs();
    let issuer = idp.kept_for(SHORT);
    let began = Instant::now();
    let mut many = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (issuer, token) = (issuer.clone(), key.sign(&idp.claims("pep")));
        many.spawn(async move { issuer.caller(&token).await });
    }
    assert!(many.join_all().await.into_iter().all(|refused| refused.is_err_and(|why| why == Refused::NoKeys)));
    assert!(began.elapsed() < SHORT.wait * 5, "{:?}", began.elapsed());
}

/// A request that is given up does not end the fetch it began.
#[tokio::test]
async fn a_request_that_is_given_up_keeps_no_key_from_being_fetched() {
    let (old, new) = (Key::rsa("k1"), Key::ec("k2"));
    let idp = Idp::start(&[&old]);
    let issuer = idp.kept_for(Times { pause: Duration::from_secs(60), ..Times::default() });
    let token = new.sign(&idp.claims("pep"));
    idp.now_has(&[&new]);
    let given_up = tokio::time::timeout(Duration::ZERO, issuer.caller(&token)).await;
    assert!(given_up.is_err(), "it was answered at once");
    assert!(issuer.caller(&token).await.is_ok(), "the fetch was lost with the request");
    assert_eq!(idp.asked(), 1);
}

#[tokio::test]
async fn keys_that_cannot_be_renewed_end() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    let issuer = idp.kept_for(SHORT);
    let token = key.sign(&idp.claims("pep"));
    assert!(issuer.caller(&token).await.is_ok());
    idp.falls_silent();
    assert!(issuer.caller(&token).await.is_ok(), "keys that are known go on being used");
    tokio::time::sleep(SHORT.kept).await;
    assert_eq!(issuer.caller(&token).await.expect_err("too old"), Refused::NoKeys);
    idp.speaks_again();
    tokio::time::sleep(SHORT.pause).await;
    assert!(issuer.caller(&token).await.is_ok());
}

/// Whoever may enter determinations must be somebody the register knows: else nobody could tell whether the case is their
/// own.
#[tokio::test]
async fn who_is_nobody_in_the_register_enters_no_determination() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    let service = service(&idp).await;
    let determination = json!({
        "kind": "need_to_know", "answer": true, "person": "b3", "document": "memo:1", "parts": null,
        "decided_by": {"person": "o-mo", "post": "monitoring_officer"}, "decided_at": "2026-01-02T10:00:00Z",
        "valid_until": null, "reasons": "As decided."
    });
    for (person, expected) in [(json!("o-mo"), 201), (json!("o-nobody"), 403), (json!(null), 403), (json!("b3"), 403)] {
        let mut claims = idp.claims("monitoring_officer");
        claims["person"] = person.clone();
        let token = key.sign(&claims);
        let answer =
            service.call_with(Some(&token), Method::POST, "/v1/determinations", Some(&determination), &[]).await;
        assert_eq!(answer.status, expected, "{person}: {}", answer.body);
    }
}

#[tokio::test]
async fn an_issuer_may_have_a_slash_at_its_end() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    let slashed = format!("{}/", idp.url);
    idp.calls_itself(&slashed);
    let issuer = Issuer::new(Settings { issuer: slashed.clone(), ..idp.settings() }).expect("a client");
    let mut claims = idp.claims("pep");
    claims["iss"] = json!(slashed);
    assert!(issuer.caller(&key.sign(&claims)).await.is_ok());
    assert_eq!(issuer.caller(&key.sign(&idp.claims("pep"))).await.expect_err("without"), Refused::NotForUs);
}

/// One id may stand at keys of several kinds (RFC 7517 §4.5).
#[tokio::test]
async fn of_keys_of_one_id_the_one_of_the_tokens_algorithm_is_taken() {
    let (rsa, ec) = (Key::rsa("k1"), Key::ec("k1"));
    let idp = Idp::start(&[&rsa, &ec]);
    let issuer = idp.issuer();
    assert!(issuer.caller(&rsa.sign(&idp.claims("pep"))).await.is_ok());
    assert!(issuer.caller(&ec.sign(&idp.claims("pep"))).await.is_ok());
}

#[tokio::test]
async fn with_the_issuer_silent_no_new_token_is_good_and_keys_of_the_configuration_are() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    idp.falls_silent();
    let service = service(&idp).await;
    let token = key.sign(&idp.claims("registrar"));
    let answer = service.call_with(Some(&token), Method::GET, "/v1/register", None, &[]).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert!(answer.headers.contains_key("retry-after"));
    assert_eq!(service.call(CallerRole::Registrar, Method::GET, "/v1/register", None).await.status, 200);
    assert_eq!(service.call_with(Some("pp_wrong"), Method::GET, "/v1/register", None, &[]).await.status, 401);
}

#[tokio::test]
async fn who_calls_himself_otherwise_is_not_the_issuer() {
    let key = Key::ec("k1");
    let idp = Idp::start(&[&key]);
    idp.calls_itself("https://login.example");
    assert_eq!(idp.issuer().caller(&key.sign(&idp.claims("pep"))).await.expect_err("another"), Refused::NoKeys);
}

#[tokio::test]
async fn keys_that_are_not_for_signatures_sign_nothing() {
    let (key, other) = (Key::rsa("k1"), Key::rsa("k2"));
    let idp = Idp::start(&[&key]);
    let secret = json!({"kty": "oct", "kid": "s1", "k": URL_SAFE_NO_PAD.encode([7; 32])});
    let mut encrypts = key.public();
    encrypts["use"] = json!("enc");
    encrypts.as_object_mut().expect("a key").remove("alg");
    idp.tells(vec![encrypts, secret, json!({"kty": "future", "kid": "f"}), json!("nonsense"), other.public()]);
    let issuer = idp.issuer();
    assert_eq!(issuer.caller(&key.sign(&idp.claims("pep"))).await.expect_err("encrypts"), Refused::Key);
    let header = Header { kid: Some("s1".to_owned()), ..Header::new(Algorithm::HS256) };
    let token = encode(&header, &idp.claims("pep"), &EncodingKey::from_secret(&[7; 32])).expect("signed");
    assert_eq!(issuer.caller(&token).await.expect_err("a secret"), Refused::Algorithm);
    assert!(issuer.caller(&other.sign(&idp.claims("pep"))).await.is_ok());
}
