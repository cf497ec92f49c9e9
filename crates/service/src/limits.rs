//! The bounds of everything that a client could make long, slow or many.

use std::time::Duration;

use crate::Error;

/// The bounds of everything that a client could make long, slow or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most addresses in one batch, and in one message of a stream.
    pub max_addresses_per_batch: usize,
    /// Longest message of a client that checks, in bytes.
    pub max_request_bytes: usize,
    /// Longest mended letter, in bytes: no shorter than what the webhook takes, or its letters could not be mended.
    pub max_letter_bytes: usize,
    /// Most metadata of one call, in bytes.
    pub max_metadata_bytes: u32,
    /// Most connections at a time; more wait in the listener's queue.
    pub max_connections: usize,
    /// Most calls at a time on one connection.
    pub max_calls_per_connection: u32,
    /// Most calls that a client may take back before they were looked at; then its connection is ended (CVE-2023-44487).
    pub max_pending_reset_calls: usize,
    /// Time for one call, with the reading of its message; a stream's messages have it one by one.
    pub call_timeout: Duration,
    /// How long a stream may be without a message before it is ended.
    pub stream_idle_timeout: Duration,
    /// Time from a connection to its first 24 bytes, and for the TLS handshake.
    pub handshake_timeout: Duration,
    /// How long a connection may be silent before it is asked whether it is still there.
    pub keepalive_interval: Duration,
    /// Time in which it must answer that.
    pub keepalive_timeout: Duration,
    /// Most connections of mail servers at a time.
    pub max_socketmap_connections: usize,
    /// How long one of them may be silent, and how long it may take to take an answer.
    pub socketmap_idle_timeout: Duration,
    /// How long what is known of the incidents may be believed, and for how long the store is not asked again by checks that need
    /// no answer of it, once it could not say them. The store is asked before an address is released by anything older.
    pub incidents_freshness: Duration,
    /// How often the store is asked for them.
    pub incidents_poll_interval: Duration,
    /// Time that it has to say them.
    pub incidents_deadline: Duration,
    /// Most questions at a time that go through the whole store, and most pages at a time of who is suppressed.
    pub max_surveys: usize,
    /// Most clients that watch what changes, at a time.
    pub max_watchers: usize,
    /// How long one of them may take to take a message before it is cut off.
    pub watcher_take_timeout: Duration,
    /// How long one of them hears nothing where nothing changes.
    pub watch_bookmark_interval: Duration,
    /// How often the store is asked whether it could answer.
    pub probe_interval: Duration,
    /// Time that it has to say so.
    pub probe_deadline: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_addresses_per_batch: 1000,
            max_request_bytes: 1 << 20,
            max_letter_bytes: 1 << 20,
            max_metadata_bytes: 16 << 10,
            max_connections: 1024,
            max_calls_per_connection: 256,
            max_pending_reset_calls: 64,
            call_timeout: Duration::from_secs(10),
            stream_idle_timeout: Duration::from_mins(5),
            handshake_timeout: Duration::from_secs(10),
            keepalive_interval: Duration::from_secs(30),
            keepalive_timeout: Duration::from_secs(10),
            max_socketmap_connections: 256,
            socketmap_idle_timeout: Duration::from_mins(5),
            incidents_freshness: Duration::from_secs(1),
            incidents_poll_interval: Duration::from_millis(250),
            incidents_deadline: Duration::from_millis(500),
            max_surveys: 2,
            max_watchers: 16,
            watcher_take_timeout: Duration::from_secs(30),
            watch_bookmark_interval: Duration::from_secs(5),
            probe_interval: Duration::from_millis(500),
            probe_deadline: Duration::from_secs(1),
        }
    }
}

/// Most permits that a semaphore can count.
const MOST_CONNECTIONS: usize = tokio::sync::Semaphore::MAX_PERMITS;

impl Limits {
    /// Checks the limits, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for the first one with which nothing could be served.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |setting, reason: &str| Err(Error::InvalidSetting { setting, reason: reason.to_owned() });
        for (setting, bound) in [
            ("max_addresses_per_batch", self.max_addresses_per_batch),
            ("max_request_bytes", self.max_request_bytes),
            ("max_letter_bytes", self.max_letter_bytes),
            ("max_connections", self.max_connections),
            ("max_surveys", self.max_surveys),
            ("max_watchers", self.max_watchers),
            ("max_socketmap_connections", self.max_socketmap_connections),
            ("max_calls_per_connection", self.max_calls_per_connection as usize),
        ] {
            if bound == 0 {
                return invalid(setting, "must be more than 0");
            }
        }
        for (setting, connections) in
            [("max_connections", self.max_connections), ("max_socketmap_connections", self.max_socketmap_connections)]
        {
            if connections > MOST_CONNECTIONS {
                return invalid(setting, "is more than can be counted");
            }
        }
        for (setting, time) in [
            ("call_timeout", self.call_timeout),
            ("stream_idle_timeout", self.stream_idle_timeout),
            ("handshake_timeout", self.handshake_timeout),
            ("keepalive_interval", self.keepalive_interval),
            ("keepalive_timeout", self.keepalive_timeout),
            ("socketmap_idle_timeout", self.socketmap_idle_timeout),
            ("incidents_freshness", self.incidents_freshness),
            ("incidents_poll_interval", self.incidents_poll_interval),
            ("incidents_deadline", self.incidents_deadline),
            ("watcher_take_timeout", self.watcher_take_timeout),
            ("watch_bookmark_interval", self.watch_bookmark_interval),
            ("probe_interval", self.probe_interval),
            ("probe_deadline", self.probe_deadline),
        ] {
            if time.is_zero() {
                return invalid(setting, "must be more than 0");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_with_which_nothing_could_be_served_are_refused() {
        assert!(Limits::default().validate().is_ok());
        for (limits, named) in [
            (Limits { max_connections: 0, ..Limits::default() }, "max_connections"),
            (Limits { max_connections: usize::MAX, ..Limits::default() }, "max_connections"),
            (Limits { max_addresses_per_batch: 0, ..Limits::default() }, "max_addresses_per_batch"),
            (Limits { call_timeout: Duration::ZERO, ..Limits::default() }, "call_timeout"),
        ] {
            let refused = limits.validate();
            assert!(matches!(refused, Err(Error::InvalidSetting { setting, .. }) if setting == named), "{named}: {refused:?}");
        }
    }
}
