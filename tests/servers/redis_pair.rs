//! A primary with one replica, and nobody who would put one in the place of the other.

use super::redis::RedisServer;
use super::redis_cluster::await_condition;

/// Both are killed when it goes.
pub(crate) struct RedisPair {
    pub(crate) primary: RedisServer,
    pub(crate) replica: RedisServer,
}

impl RedisPair {
    /// The replica is in sync with the primary. The arguments are for both.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let arguments = [&["--repl-diskless-sync-delay", "0"], arguments].concat();
        let primary = RedisServer::start_on_tcp(&arguments);
        let replica_of = format!("127.0.0.1 {}", primary.port());
        let replica = RedisServer::start_on_tcp(&[&arguments[..], &["--replicaof", &replica_of]].concat());
        await_condition("the replica does not come in sync", || {
            primary.cli::<String>(&["INFO", "replication"]).contains(",state=online,").then_some(())
        });
        Self { primary, replica }
    }
}
