//! The whole of suppressd, from outside: the stores over the public interface of core, the executable over its doors, each
//! against a real server, disk or client.
//!
//! One binary, one file a topic. Every test makes what it needs for itself, so all of them run at the same time. A test whose
//! server or client is not installed fails.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what the tests share is not inside a test, and fails like one"
)]

mod clients;
mod documents;
mod events;
mod fleet;
mod harness;
mod journeys;
mod servers;
mod stores;
