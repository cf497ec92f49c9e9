//! Whether HTTP answers checks and administration, too.

use std::str::FromStr;

use anyhow::bail;

use super::Config;

/// What is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RestSwitch {
    Auto,
    On,
    Off,
}

impl FromStr for RestSwitch {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "auto" => Ok(Self::Auto),
            "on" => Ok(Self::On),
            "off" => Ok(Self::Off),
            _ => bail!("must be auto, on or off"),
        }
    }
}

impl RestSwitch {
    /// Whether REST is served. Not by itself where strangers can come: a port that was opened for a provider's webhooks does not
    /// open the administration to the same people.
    pub(super) fn decide(self, config: &Config) -> anyhow::Result<bool> {
        let Config { role, http, service, ingest, .. } = config;
        let is_open = service.access.is_open();
        match self {
            Self::Off => Ok(false),
            Self::On if !role.checks() => bail!("rest answers checks, and the role {role:?} does not"),
            Self::On if is_open && !http.ip().is_loopback() => {
                bail!("http {http} is not loopback, so rest needs a token: set SUPPRESSD_READ_TOKEN")
            }
            Self::On => Ok(true),
            Self::Auto => {
                // Who asks for a token at this port expects others there, maybe by way of something in front of it.
                let expects_strangers = ingest.webhook.as_ref().is_some_and(|webhook| !webhook.tokens.is_empty());
                Ok(role.checks() && http.ip().is_loopback() && !(is_open && expects_strangers))
            }
        }
    }
}
