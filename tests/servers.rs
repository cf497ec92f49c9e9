//! Servers of a test's own.

pub(crate) mod redis;
pub(crate) mod suppressd;
