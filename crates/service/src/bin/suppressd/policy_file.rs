//! The policy file: read at the start, and again whenever the process is told to.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use suppressd_core::{MAX_POLICY_BYTES, Rulebook};
use tokio::signal::unix::Signal;
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::notify;

/// Where the policy lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyFile(PathBuf);

impl FromStr for PolicyFile {
    type Err = Infallible;

    fn from_str(path: &str) -> Result<Self, Infallible> {
        Ok(Self(path.into()))
    }
}

impl PolicyFile {
    pub(crate) fn read(&self) -> anyhow::Result<Rulebook> {
        read(&self.0)
    }
}

/// Reads a policy file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Rulebook> {
    let shown = path.display();
    Rulebook::from_toml(&text(path)?).with_context(|| format!("{shown} cannot be used"))
}

/// A policy file's text.
pub(crate) fn text(path: &Path) -> anyhow::Result<String> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > MAX_POLICY_BYTES as u64 {
        bail!("{shown} is longer than {MAX_POLICY_BYTES} bytes");
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))
}

/// Counts how often the policy was read again.
#[derive(Clone)]
pub(crate) struct Reloads(Family<ResultLabel, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

impl Reloads {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let reloads = Family::default();
        registry.register("suppressd_policy_reloads", "How often the policy file was read again", reloads.clone());
        // An alert on failures needs a beginning to rise from.
        for result in ["ok", "failed"] {
            drop(reloads.get_or_create(&ResultLabel { result }));
        }
        Self(reloads)
    }

    fn count(&self, result: &'static str) {
        self.0.get_or_create(&ResultLabel { result }).inc();
    }
}

/// Reads the file again at each hang-up. One that cannot be used leaves the policy in force as it is. Never ends.
pub(crate) async fn follow(
    file: Option<PolicyFile>,
    mut hang_up: Signal,
    rules: watch::Sender<Arc<Rulebook>>,
    reloads: Reloads,
) -> Infallible {
    loop {
        // It says so when no more can come, which is never.
        if hang_up.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        // A supervisor waits for the end of a reload, so it is told of one where there is nothing to read, too.
        notify::reloading("reading the policy again").await;
        notify::ready(reload(file.clone(), &rules, &reloads).await).await;
    }
}

/// Reads the file, and says what came of it.
async fn reload(file: Option<PolicyFile>, rules: &watch::Sender<Arc<Rulebook>>, reloads: &Reloads) -> &'static str {
    let Some(file) = file else {
        warn!("there is no policy file to read again: none was given");
        return "serving; there is no policy file to read again";
    };
    // Compiling the rules takes some milliseconds, and reading the file may wait for a disk.
    match tokio::task::spawn_blocking(move || file.read()).await {
        Ok(Ok(rulebook)) => {
            rules.send_replace(Arc::new(rulebook));
            reloads.count("ok");
            info!("the policy was read again, and is in force");
            return "serving; the policy was read again, and is in force";
        }
        Ok(Err(error)) => {
            reloads.count("failed");
            error!(error = format!("{error:#}"), "the policy file cannot be used; the policy before it stays in force");
        }
        Err(error) => error!(%error, "the policy file could not be read"),
    }
    "serving; the policy file cannot be used, and the policy before it stays in force"
}
