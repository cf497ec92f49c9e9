//! Whether a Redis keeps what it acknowledges: looked at before it is used, and now and then.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use suppressd_core::Error as StoreError;
use suppressd_core::store::Pseudonyms;
use suppressd_core::store::redis::{Danger, DangerKind, Dangers, RedisStore};
use tracing::{debug, error, info, warn};

use crate::serve::tell_of_names;

/// How often it is looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// How often it is looked at as long as it is not used, or one of its primaries was never seen.
const FIRST_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long the start waits for a Redis that does not answer, and between two looks at it.
const START_PATIENCE: Duration = Duration::from_secs(2);
const START_INTERVAL: Duration = Duration::from_millis(50);

/// The dangers that the operator allows. Each is said at the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allowed(BTreeSet<DangerKind>);

/// Names, separated by commas, or `none`.
impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "none" {
            return Ok(Self(BTreeSet::new()));
        }
        text.split(',').map(|name| name.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DangerLabel {
    danger: &'static str,
}

/// How the Redis stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// It was not safe yet, or never answered.
    Unchecked,
    Used,
    /// It was safe, and is no more.
    Refused,
}

/// Looks at a Redis that was opened to be checked first.
pub(crate) struct StoreCheck {
    store: RedisStore,
    allowed: Allowed,
    standing: Standing,
    is_complete: bool,
    is_silent: bool,
    known: Vec<Danger>,
    pseudonyms: Option<Arc<Pseudonyms>>,
    /// Why nobody would be found by the names that this process uses, if that is so.
    wrong_names: Option<StoreError>,
    servers: Family<DangerLabel, Gauge>,
}

impl StoreCheck {
    pub(crate) fn register(
        store: RedisStore,
        pseudonyms: Option<Arc<Pseudonyms>>,
        allowed: Allowed,
        registry: &mut Registry,
    ) -> Self {
        let servers = Family::default();
        let help = "Servers of the store with a setting by which they may lose or hide what was acknowledged";
        registry.register("suppressd_store_dangers", help, servers.clone());
        let check = Self {
            store,
            allowed,
            standing: Standing::Unchecked,
            is_complete: false,
            is_silent: false,
            known: Vec::new(),
            pseudonyms,
            wrong_names: None,
            servers,
        };
        check.count();
        check
    }

    /// Looks for the first time.
    ///
    /// # Errors
    ///
    /// All that is wrong and not allowed. A Redis that does not answer is nothing wrong: it may be started later.
    pub(crate) async fn begin(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        self.look().await;
        while self.standing == Standing::Unchecked
            && self.known.is_empty()
            && self.wrong_names.is_none()
            && started.elapsed() < START_PATIENCE
        {
            tokio::time::sleep(START_INTERVAL).await;
            self.look().await;
        }
        if let Some(error) = self.wrong_names.take() {
            return Err(error.into());
        }
        if self.known.is_empty() {
            return Ok(());
        }
        let said: Vec<_> = self.known.iter().map(ToString::to_string).collect();
        bail!("the store may lose or hide what was acknowledged:\n{}", said.join("\n"));
    }

    /// Looks again and again. Never ends: what somebody set wrong, somebody may set right.
    pub(crate) async fn go_on(mut self) -> Infallible {
        loop {
            tokio::time::sleep(if self.standing == Standing::Used && self.is_complete {
                CHECK_INTERVAL
            } else {
                FIRST_CHECK_INTERVAL
            })
            .await;
            let (before, wrong_names) = (self.known.clone(), self.wrong_names.clone());
            self.look().await;
            if let Some(error) = self.wrong_names.as_ref().filter(|error| Some(*error) != wrong_names.as_ref()) {
                error!("{error}");
            }
            for danger in self.known.iter().filter(|danger| !before.contains(danger)) {
                error!("{danger}");
            }
        }
    }

    async fn look(&mut self) {
        let Dangers { found, silent_primaries } = match self.store.check().await {
            Ok(dangers) => dangers,
            Err(error) if self.standing != Standing::Unchecked => {
                return debug!(%error, "the settings of Redis cannot be looked at");
            }
            Err(error) => return self.tell_of_silence(&error),
        };
        let (allowed, dangers): (Vec<_>, Vec<_>) = found.into_iter().partition(|danger| self.allowed.0.contains(&danger.kind));
        self.known = dangers;
        self.count();
        let names_agree = Box::pin(self.agree_on_names()).await;
        // What a replica has set is a danger from the next failover on: reason enough not to begin, and not to end.
        let is_safe = match self.standing {
            Standing::Unchecked => self.known.is_empty() && names_agree == Some(true),
            Standing::Refused if names_agree != Some(true) => false,
            Standing::Used | Standing::Refused => {
                names_agree != Some(false) && !self.known.iter().any(|danger| danger.is_of_primary)
            }
        };
        match (self.standing, is_safe) {
            (Standing::Unchecked, true) => {
                for danger in allowed {
                    warn!("allowed: {danger}");
                }
                info!("the settings of Redis are safe, but for what is allowed");
                self.stand(Standing::Used);
            }
            (Standing::Refused, true) => {
                info!("the settings of Redis are safe again");
                self.stand(Standing::Used);
            }
            (Standing::Used, false) => {
                error!("Redis is not used until it is set right");
                self.stand(Standing::Refused);
            }
            (Standing::Unchecked | Standing::Refused, false) | (Standing::Used, true) => {}
        }
        self.is_complete |= self.standing == Standing::Used && silent_primaries == 0;
    }

    /// Whether the store names addresses as this process does; none if it did not say.
    async fn agree_on_names(&mut self) -> Option<bool> {
        match self.store.agree_on_names(self.pseudonyms.as_ref().map(|pseudonyms| pseudonyms.check())).await {
            Ok(names) => {
                if let Some(pseudonyms) = &self.pseudonyms {
                    pseudonyms.settle(&names);
                }
                if self.standing == Standing::Unchecked {
                    tell_of_names(&names);
                }
                self.wrong_names = None;
                Some(true)
            }
            Err(error) if error.is_transient() => {
                debug!(%error, "the store does not say how it names addresses");
                None
            }
            Err(error) => {
                self.wrong_names = Some(error);
                Some(false)
            }
        }
    }

    fn stand(&mut self, standing: Standing) {
        self.standing = standing;
        self.store.set_trusted(standing == Standing::Used);
    }

    /// Says once that it is not used before it answers.
    fn tell_of_silence(&mut self, error: &suppressd_core::Error) {
        if !std::mem::replace(&mut self.is_silent, true) {
            warn!(%error, "the settings of Redis cannot be looked at; it is not used before");
        }
    }

    fn count(&self) {
        for kind in DangerKind::ALL {
            let servers = self.known.iter().filter(|danger| danger.kind == kind).count();
            let servers = i64::try_from(servers).unwrap_or(i64::MAX);
            self.servers.get_or_create(&DangerLabel { danger: kind.as_str() }).set(servers);
        }
    }
}
