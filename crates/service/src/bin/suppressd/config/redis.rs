//! The settings of a Redis store.

use std::time::Duration;

use suppressd_core::LetterLimits;
use suppressd_core::store::redis::{RedisSettings, WaitReplicas};

use crate::sources::Sources;
use crate::store_check::Allowed;

/// How a Redis is used, whichever it is.
#[derive(Debug, Clone)]
pub(crate) struct RedisConfig {
    read_deadline: Duration,
    write_deadline: Duration,
    wait_replicas: WaitReplicas,
    roots: Option<Vec<u8>>,
    pub(crate) allowed: Allowed,
}

impl RedisConfig {
    pub(super) fn read(sources: &Sources<'_>) -> anyhow::Result<Self> {
        let milliseconds = |name, default| sources.positive(name, default).map(Duration::from_millis);
        Ok(Self {
            read_deadline: milliseconds("redis_read_deadline_ms", 300)?,
            write_deadline: milliseconds("redis_write_deadline_ms", 2000)?,
            wait_replicas: sources.parsed("redis_wait_replicas")?.unwrap_or_default(),
            roots: sources.text_of_file("redis_ca")?.map(String::into_bytes),
            allowed: sources.parsed("redis_allow")?.unwrap_or_default(),
        })
    }

    /// How the store at that URL is opened.
    pub(crate) fn settings(&self, url: &str, letter_limits: LetterLimits, changes_kept: usize) -> RedisSettings {
        RedisSettings {
            letter_limits,
            changes_kept,
            read_deadline: self.read_deadline,
            write_deadline: self.write_deadline,
            wait_replicas: self.wait_replicas,
            roots: self.roots.clone(),
            is_checked_first: true,
            ..RedisSettings::new(url)
        }
    }
}
