//! Which policies are in force: put in force by a start or a reload, followed by every other replica.
//!
//! The store keeps the hash of those in force beside the version of the facts, and the append of a decision checks both:
//! what was decided under others is decided again. So once [`App::put_in_force`] returns, no replica answers under the old
//! ones. A replica takes the new ones from the store, by their hash, when it next decides or looks ([`App::follow`]), and
//! while it cannot (it is of a version that does not load them) it answers nothing and is not ready.
//!
//! Policies that do not load, or lack the council's profile, never come in force: those before them stay, and it is said.
//!
//! Worked example: the policy administrator mends a rule in `/etc/pinkpaper/policies` on one of three replicas and sends
//! `POST /v1/policies/reload`. That replica loads and checks the folder, and records `policies_in_force` with the hash.
//! Cllr B. One's question, being decided on another replica under the old rule, cannot be recorded any more; that replica
//! fetches the new policies and decides again.
//!
//! The invariant: an answer is recorded under the policies in force, or not at all.

use std::{path::PathBuf, sync::Arc, time::Duration};

use serde_json::json;

use super::{App, Caller, NoProfile, again::NoPolicies, facts::WriteError};
use crate::{
    audit::{EntryKind, NewEntry, Write},
    pap::{
        Bundle, LoadError, PolicyFiles, RuleBook,
        callers::{Circumstances, Errand},
    },
    pip::{Change, Snapshot, Unreadable},
    telemetry::metrics,
};

/// How often a replica looks whether others changed facts or policies. A decision does not wait for it.
const LOOK: Duration = Duration::from_secs(1);

/// Where policies are read from, at the start and when they are to be read again.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Those the program was built with.
    #[default]
    Shipped,
    Directory(PathBuf),
}

impl Source {
    /// Reads and checks them.
    pub fn load(&self) -> Result<Bundle, BadPolicies> {
        let files = match self {
            Self::Shipped => PolicyFiles::shipped(),
            Self::Directory(dir) => PolicyFiles::read(dir)?,
        };
        Ok(Bundle::load(&files)?)
    }
}

/// Policies that are not taken.
#[derive(Debug, thiserror::Error)]
pub enum BadPolicies {
    #[error("the directory of policies cannot be read")]
    Unreadable(#[from] std::io::Error),
    #[error(transparent)]
    Unloadable(#[from] LoadError),
    #[error(transparent)]
    NoProfile(#[from] NoProfile),
}

/// Why there is nothing to decide by.
#[derive(Debug, thiserror::Error)]
pub enum NoRules {
    #[error(transparent)]
    NoProfile(#[from] NoProfile),
    #[error("the policies in force cannot be had")]
    NotHad(#[from] NoPolicies),
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// The policies in force, and this council's rule book among them.
#[derive(Clone)]
pub struct Rules {
    pub bundle: Arc<Bundle>,
    pub book: Arc<RuleBook>,
}

/// What reading the policies again came to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reloaded {
    /// Whether others are in force than before.
    pub taken: bool,
    pub policy_bundle: String,
    /// Those in force before.
    pub before: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("the caller may not change policies")]
    NotAllowed,
    #[error("the policies are refused; those in force stay")]
    Refused(#[source] BadPolicies),
    #[error(transparent)]
    Unrecorded(#[from] WriteError),
}

/// What only one task at a time may do with the policies, and what it found of no use.
#[derive(Default)]
pub struct Turn(tokio::sync::Mutex<Option<String>>);

impl App {
    /// The rules that belong with a register: those in force when it was read.
    pub async fn rules_with(&self, snapshot: &Snapshot) -> Result<Rules, NoRules> {
        let mine = self.policies.load_full();
        let bundle = match &snapshot.policies {
            Some(in_force) if *in_force != mine.hash => self.take_over(in_force).await?,
            _ => mine,
        };
        let book = bundle.book(&self.profile).cloned().ok_or_else(|| NoProfile(self.profile.clone()))?;
        Ok(Rules { bundle, book })
    }

    /// The rules in force now, whichever replica put them in force.
    pub async fn rules(&self) -> Result<Rules, NoRules> {
        self.rules_with(&*self.store.current().await?).await
    }

    /// Takes over what another replica has put in force.
    async fn take_over(&self, hash: &str) -> Result<Arc<Bundle>, NoRules> {
        let mut useless = self.turn.0.lock().await;
        // To load them takes a while, and would come out the same.
        if useless.as_deref() == Some(hash) {
            return Err(NoPolicies::Altered(hash.to_owned()).into());
        }
        let had = self.met(hash).await;
        if let Err(NoPolicies::Altered(_) | NoPolicies::Unloadable(..)) = &had {
            *useless = Some(hash.to_owned());
        }
        let bundle = had?;
        if bundle.book(&self.profile).is_none() {
            return Err(NoProfile(self.profile.clone()).into());
        }
        if self.policies.swap(Arc::clone(&bundle)).hash != hash {
            tracing::info!(bundle = hash, "policies of another replica are in force");
        }
        Ok(bundle)
    }

    /// Puts the policies that this process started with in force.
    pub async fn start_policies(&self) -> Result<Reloaded, WriteError> {
        self.put_in_force(&Caller::service(), self.policies.load_full()).await
    }

    /// Puts policies in force, on every replica. When this returns, nothing is answered under others.
    async fn put_in_force(&self, caller: &Caller, bundle: Arc<Bundle>) -> Result<Reloaded, WriteError> {
        let mut useless = self.turn.0.lock().await;
        let before = self.store.current().await.map_err(|error| WriteError::Unrecorded(error.into()))?.policies.clone();
        let policy_bundle = bundle.hash.clone();
        let taken = before.as_ref() != Some(&policy_bundle);
        if taken {
            let entry = NewEntry {
                policy_bundle: policy_bundle.clone(),
                ..self.act(EntryKind::PoliciesInForce, caller, json!({"policies": policy_bundle, "before": before}))
            };
            let change = Change::AdoptPolicies { hash: policy_bundle.clone(), files: bundle.files.0.clone() };
            self.store.write(Write { change, if_version: None }, entry).await?;
            tracing::info!(bundle = policy_bundle, "policies are in force");
        }
        self.policies.store(bundle);
        *useless = None;
        Ok(Reloaded { taken, policy_bundle, before })
    }

    /// Reads the policies again and puts them in force. Where they are refused, those in force stay.
    pub async fn reload(&self, caller: &Caller) -> Result<Reloaded, ReloadError> {
        if !self.allows(caller, Errand::ReloadPolicies, Circumstances::default()) {
            return Err(ReloadError::NotAllowed);
        }
        self.read_again(caller).await
    }

    /// The same, for whoever holds the process or the directory.
    pub async fn read_again(&self, caller: &Caller) -> Result<Reloaded, ReloadError> {
        let (source, profile) = (self.source.clone(), self.profile.clone());
        let read = tokio::task::spawn_blocking(move || {
            let bundle = source.load()?;
            if bundle.book(&profile).is_some() { Ok(bundle) } else { Err(NoProfile(profile).into()) }
        });
        let read = match read.await {
            Ok(read) => read,
            Err(error) => Err(BadPolicies::Unreadable(std::io::Error::other(error))),
        };
        match read {
            Ok(bundle) => {
                let done = self.put_in_force(caller, Arc::new(bundle)).await?;
                metrics::reloaded(if done.taken { "taken" } else { "unchanged" });
                Ok(done)
            }
            Err(bad) => {
                metrics::reloaded("refused");
                tracing::error!(error = %bad, "policies are refused; those in force stay");
                let refusal = self.act(EntryKind::Refusal, caller, json!({"policies": "did not load"}));
                self.store.append(refusal).await.map_err(WriteError::from)?;
                Err(ReloadError::Refused(bad))
            }
        }
    }

    /// Keeps up with what other replicas write, until the service ends. What this replica is asked to do meanwhile is
    /// checked when it is recorded; this is so that who may call, too, is soon decided by the policies in force.
    pub async fn follow(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut told = false;
        loop {
            ticks.tick().await;
            match self.rules().await {
                Ok(_) => told = false,
                // Once: the service is not ready, and says so for as long as it is asked.
                Err(error) if !told => {
                    told = true;
                    tracing::error!(error = %error, "there are no policies to decide by");
                }
                Err(_) => {}
            }
        }
    }
}
