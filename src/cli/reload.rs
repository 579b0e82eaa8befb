//! When a running service reads its policies again without being asked over HTTP: `SIGHUP`, and a change of the directory.
//!
//! The directory is looked at, not subscribed to, so that it may be on a network or behind a link that is switched to
//! another directory. It is read once it has kept still for a while: somebody may be writing several files. To be sure that
//! nobody decides by half of them, switch a link.

use std::{path::Path, sync::Arc, time::Duration};

use notify::{Config, PollWatcher, RecursiveMode, Watcher};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc::{self, UnboundedReceiver},
    time::timeout,
};

use crate::app::{App, Caller, policies::ReloadError};

/// How often the directory is looked at.
const LOOK: Duration = Duration::from_secs(2);
/// How long it must have kept still.
const STILL: Duration = Duration::from_secs(3);

/// Until the service ends.
pub async fn on_signal(app: Arc<App>) {
    let Ok(mut told) = signal(SignalKind::hangup()).inspect_err(|error| {
        tracing::error!(error = %error, "SIGHUP will not reload the policies");
    }) else {
        return;
    };
    while told.recv().await.is_some() {
        read_again(&app).await;
    }
}

/// Watches a directory until what this gives is dropped.
pub fn watch(dir: &Path) -> notify::Result<(PollWatcher, UnboundedReceiver<()>)> {
    let (tell, changes) = mpsc::unbounded_channel();
    let how = Config::default().with_poll_interval(LOOK).with_compare_contents(true);
    let mut watcher = PollWatcher::new(
        move |seen: notify::Result<notify::Event>| match seen {
            // With nobody listening the service is ending.
            Ok(_) => drop(tell.send(())),
            Err(error) => tracing::warn!(error = %error, "the directory of policies cannot be looked at"),
        },
        how,
    )?;
    watcher.watch(dir, RecursiveMode::Recursive)?;
    Ok((watcher, changes))
}

/// Until the service ends.
pub async fn on_change(app: Arc<App>, (watcher, mut changes): (PollWatcher, UnboundedReceiver<()>)) {
    while changes.recv().await.is_some() {
        while let Ok(Some(())) = timeout(STILL, changes.recv()).await {}
        read_again(&app).await;
    }
    drop(watcher);
}

async fn read_again(app: &App) {
    match app.read_again(&Caller::service()).await {
        // Both have been said.
        Ok(_) | Err(ReloadError::Refused(_)) => {}
        Err(error) => tracing::error!(error = %error, "policies could not be put in force"),
    }
}
