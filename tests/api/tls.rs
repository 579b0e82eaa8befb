//! TLS as a caller meets it: who is believed, what is refused, and a certificate that changes while the service runs.

use std::{path::Path, time::Duration};

use pinkpaper::{domain::words::CallerRole, http::tls::Certificate};
use rcgen::{CertificateParams, Issuer, KeyPair};
use reqwest::{Method, StatusCode};

use crate::{
    program::{Program, Setting},
    support::{Door, Service, key},
};

/// An authority that makes certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let root = params.self_signed(&key).expect("a root").pem();
        Self { issuer: Issuer::new(params, key), root }
    }

    /// Writes a certificate and its key.
    fn write(&self, home: &Path) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        std::fs::write(home.join("key.pem"), key.serialize_pem()).expect("written");
        std::fs::write(home.join("certificate.pem"), certificate.pem()).expect("written");
    }

    fn trusted(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_pem(self.root.as_bytes()).expect("a certificate")
    }
}

fn open(home: &Path) -> Result<std::sync::Arc<Certificate>, pinkpaper::http::tls::TlsError> {
    Certificate::open(&home.join("certificate.pem"), &home.join("key.pem"))
}

/// Whether a client that believes only this authority is answered.
async fn believed(service: &Service, authority: &Authority) -> bool {
    let client = pinkpaper::outbound::builder().tls_certs_only([authority.trusted()]).build().expect("a client");
    client.get(format!("{}/livez", service.url)).send().await.is_ok()
}

#[tokio::test]
async fn a_certificate_is_renewed_without_a_restart_and_a_bad_one_is_not_taken() {
    let (first, second) = (Authority::new(), Authority::new());
    let home = tempfile::tempdir().expect("a directory");
    first.write(home.path());
    let certificate = open(home.path()).expect("opens");
    let door = Door {
        certificate: Some(std::sync::Arc::clone(&certificate)),
        trusted: vec![first.trusted()],
        ..Door::default()
    };
    let service = Service::behind(door).await;
    let answer = service.call(CallerRole::Pep, Method::GET, "/v1/profile", None).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers.contains_key("strict-transport-security"));

    // A key that is not the certificate's, and half a file: the old pair stays.
    let kept = std::fs::read(home.path().join("key.pem")).expect("read");
    std::fs::write(home.path().join("key.pem"), KeyPair::generate().expect("a key").serialize_pem()).expect("written");
    assert!(certificate.renew().is_err() && believed(&service, &first).await);
    std::fs::write(home.path().join("key.pem"), &kept[..kept.len() / 2]).expect("written");
    assert!(certificate.renew().is_err());
    assert!(believed(&service, &first).await && !believed(&service, &second).await);

    tokio::spawn(certificate.watch(Duration::from_millis(20)));
    second.write(home.path());
    for _ in 0..500 {
        if believed(&service, &second).await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(believed(&service, &second).await && !believed(&service, &first).await);
}

#[tokio::test]
async fn to_plain_http_nothing_is_answered_where_tls_is_spoken() {
    let authority = Authority::new();
    let home = tempfile::tempdir().expect("a directory");
    authority.write(home.path());
    let door = Door { certificate: Some(open(home.path()).expect("opens")), ..Door::default() };
    let service = Service::behind(door).await;
    let plain = service.url.replace("https:", "http:");
    let sent = service.client.get(format!("{plain}/v1/profile")).bearer_auth(key(CallerRole::Pep)).send().await;
    assert!(sent.is_err());
}

#[test]
fn a_pair_that_is_none_is_refused_at_the_start() {
    let home = tempfile::tempdir().expect("a directory");
    assert!(open(home.path()).expect_err("nothing there").to_string().contains("certificate.pem"));
    let authority = Authority::new();
    authority.write(home.path());
    let swap = |file: &str, text: &str| std::fs::write(home.path().join(file), text).expect("written");
    swap("key.pem", "");
    assert!(open(home.path()).expect_err("no key").to_string().contains("no private key"));
    swap("key.pem", &KeyPair::generate().expect("a key").serialize_pem());
    assert!(open(home.path()).expect_err("of another").to_string().contains("cannot be used"));
    swap("certificate.pem", "");
    assert!(open(home.path()).expect_err("no certificate").to_string().contains("no certificate"));
}

/// On loopback a browser speaks to the service itself; what comes from elsewhere in the clear has come through a proxy.
#[tokio::test]
async fn the_cookie_of_the_desk_is_for_tls_alone_wherever_others_can_reach_it() {
    let cookie = async |listen: &str, public_url: &str| {
        let program = Program::start(&Setting {
            tables: "[tls]\nplain_http = true\n",
            environment: &[("PINKPAPER_LISTEN", listen), ("PINKPAPER_PUBLIC_URL", public_url)],
            ..Setting::default()
        });
        let client = pinkpaper::outbound::builder().redirect(reqwest::redirect::Policy::none()).build();
        let form = client.expect("a client").post(format!("{}/desk/session", program.url));
        let form =
            form.header("Sec-Fetch-Site", "same-origin").header("Content-Type", "application/x-www-form-urlencoded");
        let answer = form.body(format!("token={}", program.key(CallerRole::Officer))).send().await.expect("answers");
        answer.headers()["set-cookie"].to_str().expect("text").to_owned()
    };
    for (listen, public_url, secure) in [
        ("127.0.0.1:0", "http://127.0.0.1", false),
        ("127.0.0.1:0", "https://papers.example.gov.uk", true),
        ("0.0.0.0:0", "http://127.0.0.1:8080", true),
        ("0.0.0.0:0", "https://papers.example.gov.uk", true),
    ] {
        let cookie = cookie(listen, public_url).await;
        assert_eq!(cookie.contains("; Secure"), secure, "{listen}, {public_url}: {cookie}");
    }
}
