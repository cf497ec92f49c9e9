//! Servers of a test's own.

pub(crate) mod files;
pub(crate) mod front;
pub(crate) mod listmonk;
pub(crate) mod postfix;
pub(crate) mod prometheus;
pub(crate) mod redis;
pub(crate) mod redis_cluster;
pub(crate) mod redis_pair;
pub(crate) mod redis_sentinel;
pub(crate) mod replication_proxy;
pub(crate) mod suppressd;
pub(crate) mod watcher;
