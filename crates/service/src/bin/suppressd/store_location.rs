//! Where evidence is kept, as an operator writes it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use suppressd_core::store::redis::RedisSettings;

/// Where evidence is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum StoreLocation {
    /// A directory that this process alone uses.
    Directory(PathBuf),
    /// A Redis, by its URL, which may hold a password.
    Redis(String),
}

impl FromStr for StoreLocation {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        if text.is_empty() {
            anyhow::bail!("must be a directory or a URL");
        }
        if !text.contains("://") && text.split_once(':').is_some_and(|(scheme, _)| scheme.contains("redis")) {
            anyhow::bail!("looks like a URL without its //: redis://host:port");
        }
        if !text.contains("://") {
            return Ok(Self::Directory(text.into()));
        }
        RedisSettings::new(text).validate()?;
        Ok(Self::Redis(text.to_owned()))
    }
}

/// Shows no password.
impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directory(path) => write!(f, "{}", path.display()),
            Self::Redis(url) => {
                // The user and the password stand before the host, or behind a socket's path.
                let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
                let place = place.rsplit_once('@').map_or(place, |(_, host)| host);
                write!(f, "redis at {}", place.split('?').next().unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
