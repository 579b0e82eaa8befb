//! TLS: the certificate and its key as they lie in their files, read again when they change.
//!
//! A pair that cannot be used leaves the old one in force and says so: a half-copied file does not take the service down.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// How often the files are looked at.
pub const LOOK: Duration = Duration::from_secs(10);

/// A certificate with its chain, and its key.
#[derive(Debug)]
pub struct Certificate {
    files: Files,
    in_force: ArcSwap<CertifiedKey>,
    /// What was last read, good or not.
    seen: Mutex<Pem>,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

#[derive(Debug, PartialEq, Eq)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("`{0}` cannot be read")]
    Unreadable(PathBuf),
    #[error("the certificate file holds no certificate in PEM")]
    NoCertificate,
    #[error("the key file holds no private key in PEM")]
    NoKey,
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

impl Certificate {
    pub fn open(certificate: &Path, key: &Path) -> Result<Arc<Self>, TlsError> {
        let files = Files { certificate: certificate.to_owned(), key: key.to_owned() };
        let seen = files.read()?;
        let in_force = ArcSwap::from_pointee(seen.pair()?);
        Ok(Arc::new(Self { files, in_force, seen: Mutex::new(seen) }))
    }

    /// TLS 1.2 and 1.3, with this certificate, whichever it is when a caller comes.
    pub fn server(self: &Arc<Self>) -> Result<ServerConfig, TlsError> {
        let versions = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
        Ok(versions.with_no_client_auth().with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>))
    }

    /// Looks at the files again and again, for as long as the service runs.
    pub async fn watch(self: Arc<Self>, every: Duration) {
        let mut look = tokio::time::interval(every);
        loop {
            look.tick().await;
            match self.renew() {
                Ok(false) => {}
                Ok(true) => tracing::info!("the TLS certificate has been renewed"),
                Err(error) => tracing::error!(error = %error, "the TLS certificate stays as it was"),
            }
        }
    }

    /// Takes what is in the files if it is something else than last time.
    pub fn renew(&self) -> Result<bool, TlsError> {
        let now = self.files.read()?;
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *seen == now {
            return Ok(false);
        }
        let pair = now.pair();
        *seen = now;
        self.in_force.store(Arc::new(pair?));
        Ok(true)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.in_force.load_full())
    }
}

impl Files {
    fn read(&self) -> Result<Pem, TlsError> {
        let read = |file: &PathBuf| std::fs::read(file).map_err(|_| TlsError::Unreadable(file.clone()));
        Ok(Pem { certificate: read(&self.certificate)?, key: read(&self.key)? })
    }
}

impl Pem {
    /// The two as a pair: a key that is not the certificate's is refused.
    fn pair(&self) -> Result<CertifiedKey, TlsError> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(TlsError::NoCertificate)?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(|_| TlsError::NoKey)?;
        Ok(CertifiedKey::from_der(chain, key, &provider())?)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
