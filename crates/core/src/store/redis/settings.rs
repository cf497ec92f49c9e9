//! How the store is opened.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::location::Location;
use crate::store::CHANGES_KEPT;
use crate::{Error, LetterLimits};

/// How many replicas must have a write before it is acknowledged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WaitReplicas {
    /// One, if the primary is known to have any, whether or not they can be reached just now.
    #[default]
    Auto,
    /// So many, also if there are fewer; 0 waits for none.
    Count(usize),
    /// All that the primary is known to have.
    All,
}

impl FromStr for WaitReplicas {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            "all" => Ok(Self::All),
            _ => text.parse().map(Self::Count).map_err(|_| "must be auto, all, or how many replicas"),
        }
    }
}

/// How a store is opened.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port]`, `rediss://` for TLS, `redis+unix:///path`,
    /// `redis+cluster://[user:password@]host:port,host:port` or `redis+sentinel://[user:password@]host:port,host:port/service`.
    pub url: String,
    /// Roots that Redis's certificates must lead to, in PEM; without them, those of the system.
    pub roots: Option<Vec<u8>>,
    /// How many replicas must have a write before it is acknowledged.
    pub wait_replicas: WaitReplicas,
    /// Whether it is used only after [`RedisStore::set_trusted`](super::RedisStore::set_trusted), when its settings were checked; until then
    /// it says that it is unavailable.
    pub is_checked_first: bool,
    /// How much the rejected letters may take up.
    pub letter_limits: LetterLimits,
    /// How many of the latest changes are kept, over all buckets.
    pub changes_kept: usize,
    /// Longest time for a read, with all that it waits for.
    pub read_deadline: Duration,
    /// Longest time for a write, with all that it waits for.
    pub write_deadline: Duration,
    /// Longest time for one attempt to connect.
    pub connection_timeout: Duration,
}

impl RedisSettings {
    /// A read has 300 ms, a write 2 s, an attempt to connect 250 ms; a replica is waited for if there is one; the limits of
    /// letters and changes are the default ones.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            roots: None,
            wait_replicas: WaitReplicas::default(),
            is_checked_first: false,
            letter_limits: LetterLimits::default(),
            changes_kept: CHANGES_KEPT,
            read_deadline: Duration::from_millis(300),
            write_deadline: Duration::from_secs(2),
            connection_timeout: Duration::from_millis(250),
        }
    }

    /// Checks the URL and the roots, without connecting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if they cannot be read, or the URL names a database other than 0.
    pub fn validate(&self) -> Result<(), Error> {
        Location::read(&self.url, self.roots.as_deref()).map(|_| ())
    }
}

/// Shows no URL: it may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("wait_replicas", &self.wait_replicas)
            .field("is_checked_first", &self.is_checked_first)
            .field("letter_limits", &self.letter_limits)
            .field("changes_kept", &self.changes_kept)
            .field("read_deadline", &self.read_deadline)
            .field("write_deadline", &self.write_deadline)
            .field("connection_timeout", &self.connection_timeout)
            .finish_non_exhaustive()
    }
}
