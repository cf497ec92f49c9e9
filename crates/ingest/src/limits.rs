//! The bounds of everything that a client could make long, slow or many.

use std::time::Duration;

use crate::Error;

/// The bounds of everything that a client could make long, slow or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a webhook, in bytes; a longer one is answered 413.
    pub max_body_bytes: usize,
    /// Longest head of a request, in bytes: the request line and all its fields; a longer one is answered 431.
    pub max_header_bytes: usize,
    /// Most bytes that are read ahead for one connection, and that wait to be written to it; at least 8192 and
    /// `max_header_bytes`.
    pub max_buffer_bytes: usize,
    /// Time in which the head of a request must come. It runs from the moment the connection is made or its last answer is
    /// given, so it bounds how long a connection may idle, too.
    pub header_read_timeout: Duration,
    /// Time in which the body must come, counted from the end of the head; a slower one is answered 408.
    pub body_read_timeout: Duration,
    /// How long a client may leave an answer untaken before its connection is cut.
    pub write_timeout: Duration,
    /// How long a connection that is being closed is still read from, so that a client which is in the middle of sending gets
    /// to see the answer.
    pub linger_timeout: Duration,
    /// Time that the store has for one webhook, the letters included; past it the answer is 503.
    pub store_deadline: Duration,
    /// Time that the store has to answer for `/readyz` and `/metrics`.
    pub probe_deadline: Duration,
    /// Most connections at a time; more wait in the listener's queue.
    pub max_connections: usize,
    /// Most webhooks at a time, the reading of their bodies included; more are answered 503. Times `max_body_bytes` it bounds
    /// the memory that bodies take.
    pub max_requests_in_flight: usize,
    /// Time between two flushes of the outage guard, which tell the store how domains answered.
    pub guard_interval: Duration,
    /// Time that the store has to take what the outage guard counted, and again to open incidents. The last flush of a drain
    /// has it, too.
    pub guard_deadline: Duration,
    /// What `Retry-After` says beside a 503, in seconds.
    pub retry_after_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 1 << 20,
            max_header_bytes: 16 << 10,
            max_buffer_bytes: 64 << 10,
            header_read_timeout: Duration::from_secs(10),
            body_read_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            linger_timeout: Duration::from_secs(1),
            store_deadline: Duration::from_secs(30),
            probe_deadline: Duration::from_secs(1),
            max_connections: 1024,
            max_requests_in_flight: 256,
            guard_interval: GUARD_FLUSH_INTERVAL,
            guard_deadline: Duration::from_secs(2),
            retry_after_seconds: 1,
        }
    }
}

/// An outage lasts minutes at least, and each flush costs a write: nothing is gained by a shorter one.
const GUARD_FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// hyper panics when told to make do with less.
const LEAST_BUFFER_BYTES: usize = 8192;

impl Limits {
    /// Checks the limits, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for the first one with which nothing could be served.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |setting, reason| Err(Error::InvalidSetting { setting, reason });
        if self.max_buffer_bytes < LEAST_BUFFER_BYTES {
            return invalid("max_buffer_bytes", "must be at least 8192");
        }
        if self.max_buffer_bytes < self.max_header_bytes {
            return invalid("max_buffer_bytes", "must be at least max_header_bytes");
        }
        for (setting, bound) in [
            ("max_body_bytes", self.max_body_bytes),
            ("max_header_bytes", self.max_header_bytes),
            ("max_connections", self.max_connections),
            ("max_requests_in_flight", self.max_requests_in_flight),
        ] {
            if bound == 0 {
                return invalid(setting, "must be more than 0");
            }
        }
        // tokio's semaphores panic when asked for more than they can count.
        if self.max_requests_in_flight > tokio::sync::Semaphore::MAX_PERMITS {
            return invalid("max_requests_in_flight", "is more than can be counted");
        }
        for (setting, time) in [
            ("header_read_timeout", self.header_read_timeout),
            ("body_read_timeout", self.body_read_timeout),
            ("write_timeout", self.write_timeout),
            ("store_deadline", self.store_deadline),
            ("probe_deadline", self.probe_deadline),
            ("guard_interval", self.guard_interval),
            ("guard_deadline", self.guard_deadline),
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
        assert_eq!(Limits::default().validate(), Ok(()));
        for (limits, named) in [
            (Limits { max_buffer_bytes: 8191, ..Limits::default() }, "max_buffer_bytes"),
            (Limits { max_header_bytes: 1 << 20, ..Limits::default() }, "max_buffer_bytes"),
            (Limits { max_connections: 0, ..Limits::default() }, "max_connections"),
            (Limits { max_requests_in_flight: usize::MAX, ..Limits::default() }, "max_requests_in_flight"),
            (Limits { store_deadline: Duration::ZERO, ..Limits::default() }, "store_deadline"),
            (Limits { guard_interval: Duration::ZERO, ..Limits::default() }, "guard_interval"),
        ] {
            let refused = limits.validate();
            assert!(matches!(refused, Err(Error::InvalidSetting { setting, .. }) if setting == named), "{named}: {refused:?}");
        }
    }
}
