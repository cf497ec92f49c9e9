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
            Self::Redis(url) => match url.rsplit_once('@') {
                Some((_, host)) => write!(f, "redis at {host}"),
                None => write!(f, "{url}"),
            },
        }
    }
}

impl fmt::Debug for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
