//! A primary with a replica of it, and a sentinel that makes the replica the primary when that is away.

use super::redis::{Door, RedisServer, directory, free_port};
use super::redis_cluster::await_condition;

/// What the sentinel calls the primary and whoever follows it.
const SERVICE: &str = "main";

/// Of the two servers one is the primary.
pub(crate) struct RedisSentinel {
    servers: [RedisServer; 2],
    sentinel: RedisServer,
}

impl RedisSentinel {
    /// Both servers, the replica in sync with the primary, and the sentinel, which knows of both. The arguments are for the
    /// servers.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let arguments = [&["--repl-diskless-sync-delay", "0"], arguments].concat();
        let primary = RedisServer::start_on_tcp(&arguments);
        let replica_of = format!("127.0.0.1 {}", primary.port());
        let replica = RedisServer::start_on_tcp(&[&arguments[..], &["--replicaof", &replica_of]].concat());
        let sentinel = start_sentinel(primary.port());
        let all = Self { servers: [primary, replica], sentinel };
        await_condition("the replica does not come in sync, or the sentinel does not see it", || {
            let info: String = all.sentinel.try_cli(&["INFO", "sentinel"]).ok()?;
            let replication: String = all.servers[0].try_cli(&["INFO", "replication"]).ok()?;
            (info.contains("status=ok") && info.contains("slaves=1") && replication.contains(",state=online,")).then_some(())
        });
        all
    }

    pub(crate) fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{SERVICE}", self.sentinel.port())
    }

    pub(crate) fn server(&self, server: usize) -> &RedisServer {
        &self.servers[server]
    }

    pub(crate) fn server_mut(&mut self, server: usize) -> &mut RedisServer {
        &mut self.servers[server]
    }

    /// The primary, by the sentinel's word.
    pub(crate) fn primary(&self) -> usize {
        let (_, port): (String, u16) = self.sentinel.cli(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE]);
        self.servers.iter().position(|server| server.port() == port).expect("the sentinel names another server")
    }

    /// Waits until another server is the primary, says so itself, and is named by the sentinel.
    pub(crate) fn await_failover(&self, old: usize) -> usize {
        await_condition("the replica was not made the primary", || {
            let primary = self.primary();
            let replication: String = self.server(primary).try_cli(&["INFO", "replication"]).ok()?;
            (primary != old && replication.contains("role:master\r\n")).then_some(primary)
        })
    }
}

fn start_sentinel(primary: u16) -> RedisServer {
    let settings = format!(
        "sentinel monitor {SERVICE} 127.0.0.1 {primary} 1\n\
         sentinel down-after-milliseconds {SERVICE} 1500\n\
         sentinel failover-timeout {SERVICE} 5000\n"
    );
    await_condition("no port was free for the sentinel", || {
        let directory = directory();
        // The sentinel writes into it what it learns.
        std::fs::write(directory.path().join("sentinel.conf"), &settings).unwrap();
        let mut sentinel = RedisServer::new(directory, Door::Port(free_port()), &["sentinel.conf", "--sentinel"]);
        sentinel.try_start().then_some(sentinel)
    })
}
