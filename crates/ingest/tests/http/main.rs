//! The door, over real connections.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what the tests share is not inside a test, and fails like one")]

mod client;
mod faults;
mod further;
mod guard;
mod guard_faults;
mod limits;
mod recording;
mod refusal;
mod serving;
mod stores;
