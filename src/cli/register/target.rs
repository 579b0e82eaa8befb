//! Where an import goes: a database that nobody else uses, or a running service.

use std::{collections::BTreeMap, path::Path};

use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use super::{Place, typed};
use crate::{
    app::{App, Caller},
    cli::{Failure, opened},
    config::{Config, Flags},
    domain::{document::Document, id::Id, register::Register},
    http::schemas::Schemas,
    import::service,
    outbound,
    pip::Change,
    store::OpenError,
};

/// The longest register that is read from a service, in bytes.
const LONGEST: usize = 64 * 1024 * 1024;

pub(super) enum Target {
    Database(Box<App>),
    /// A database that is not there yet, for a dry run that makes none.
    Nothing,
    Service(Service),
}

/// A running service.
pub(super) struct Service {
    client: Client,
    register: Url,
    key: String,
}

impl Target {
    pub async fn open(place: &Place, only_look: bool) -> Result<Self, Failure> {
        if let (Some(url), Some(key_file)) = (&place.url, &place.key_file) {
            let mut register = service::address(url)?;
            register.set_path(&format!("{}/v1/register", register.path().trim_end_matches('/')));
            let key = service::text(key_file)?.trim().to_owned();
            return Ok(Self::Service(Service { client: outbound::client()?, register, key }));
        }
        let flags = Flags { database_url: place.database_url.clone(), ..Flags::default() };
        let config = Config::read(place.config.as_deref(), &flags)?;
        let file = config.database_url.strip_prefix("sqlite://");
        if only_look && file.is_some_and(|file| !Path::new(file).exists()) {
            return Ok(Self::Nothing);
        }
        let app = opened(&config).await.map_err(|error| match error.downcast_ref::<OpenError>() {
            Some(OpenError::InUse) => Failure::from(
                "the service is running on this database: stop it, or send the register to it with --url and --key-file",
            ),
            _ => error,
        })?;
        // What is not the log that was signed is not to be added to.
        app.resume().await?;
        Ok(Self::Database(Box::new(app)))
    }

    /// The register in force and its version.
    pub async fn register(&self, schemas: &Schemas) -> Result<(Option<Register>, Option<String>), Failure> {
        match self {
            Self::Nothing => Ok((None, None)),
            Self::Database(app) => {
                let snapshot = app.store.current().await?;
                Ok((snapshot.register.register.clone(), Some(snapshot.facts_version.to_string())))
            }
            Self::Service(service) => service.read(schemas).await,
        }
    }

    /// Those of the documents that are there.
    pub async fn documents(&self, ids: &[&str]) -> Result<BTreeMap<String, Document>, Failure> {
        let mut there = BTreeMap::new();
        if let Self::Database(app) = self {
            for id in ids {
                if let Some(document) = app.store.document(&Id::try_from(*id)?).await? {
                    there.insert((*id).to_owned(), document);
                }
            }
        }
        Ok(there)
    }

    /// The documents that can be written together with the register.
    pub fn take(&self, documents: Vec<Document>, notes: &mut Vec<String>) -> Vec<Document> {
        if matches!(self, Self::Service(_)) && !documents.is_empty() {
            notes.push(format!(
                "{} documents are left out: a running service takes the register alone",
                documents.len()
            ));
            return Vec::new();
        }
        documents
    }

    /// Writes all or nothing, for the version that was read; answers the new one.
    pub async fn write(
        &self,
        from: &'static str,
        register: Register,
        documents: Vec<Document>,
        version: Option<String>,
    ) -> Result<u64, Failure> {
        match self {
            Self::Nothing => Err("there is no database".into()),
            Self::Database(app) => {
                let change = Change::Import { from, register: Box::new(register), documents };
                let version = version.and_then(|version| version.parse().ok());
                Ok(app.write(&Caller::service(), change, version).await?.facts_version)
            }
            Self::Service(service) => service.write(&register, version).await,
        }
    }
}

impl Service {
    fn request(&self, method: Method) -> RequestBuilder {
        self.client.request(method, self.register.clone()).bearer_auth(&self.key)
    }

    async fn read(&self, schemas: &Schemas) -> Result<(Option<Register>, Option<String>), Failure> {
        let answer = self.request(Method::GET).send().await?;
        match answer.status() {
            StatusCode::NOT_FOUND => return Ok((None, None)),
            StatusCode::OK => {}
            status => return Err(format!("the service answers {status} when asked for the register").into()),
        }
        let version = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let text = outbound::text(answer, LONGEST).await.ok_or("the service's register is too long or broke off")?;
        let register: Value = serde_json::from_str(&text)?;
        Ok((Some(typed(schemas, "register", &register)?), version))
    }

    async fn write(&self, register: &Register, version: Option<String>) -> Result<u64, Failure> {
        let mut request = self.request(Method::PUT).header("Content-Type", "application/json");
        if let Some(version) = version {
            request = request.header("If-Match", version);
        }
        let answer = request.body(serde_json::to_vec(register)?).send().await?;
        let status = answer.status();
        if status == StatusCode::PRECONDITION_FAILED {
            return Err("the register was changed meanwhile, and nothing was imported: try again".into());
        }
        if !status.is_success() {
            return Err(format!("the service answers {status}, and nothing was imported").into());
        }
        let tag = answer.headers().get("etag").and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        Ok(tag.trim_matches('"').parse()?)
    }
}
