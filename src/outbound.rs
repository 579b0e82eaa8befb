//! How the service reaches out: one HTTP client, with this program's own TLS, a time limit and no redirects.
//!
//! Who answers is believed only as far as whoever asked checks it, and is not let to fill the memory ([`text`]).

use std::time::Duration;

use reqwest::{Client, ClientBuilder, Response, redirect::Policy};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client with this program's own implementation of TLS.
pub fn builder() -> ClientBuilder {
    // Whoever chose a provider first keeps it.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

/// The client the service itself uses.
pub fn client() -> Result<Client, reqwest::Error> {
    builder().timeout(PATIENCE).redirect(Policy::none()).build()
}

/// The text of an answer that is no longer than so many bytes.
pub async fn text(mut answer: Response, longest: usize) -> Option<String> {
    let mut bytes = Vec::new();
    while let Some(some) = answer.chunk().await.ok()? {
        if bytes.len() + some.len() > longest {
            return None;
        }
        bytes.extend_from_slice(&some);
    }
    String::from_utf8(bytes).ok()
}
