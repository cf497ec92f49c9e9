//! The nodes of a fleet, and where clients find them.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};

use crate::servers::redis_cluster::RedisCluster;
use crate::servers::suppressd::{Launch, Suppressd};

/// What nodes are started with where nothing else is tested. A machine that is busy with other tests may take its time.
pub(super) const PATIENT: [&str; 4] = ["--redis-read-deadline-ms", "10000", "--redis-allow", "none"];

/// What a node is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Ingest,
    Check,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Check => "check",
        }
    }
}

/// Where clients go: what a load balancer knows. Nodes come and go.
#[derive(Default)]
pub(super) struct Doors {
    ingest: RwLock<Vec<SocketAddr>>,
    check: RwLock<Vec<SocketAddr>>,
}

impl Doors {
    fn of(&self, role: Role) -> &RwLock<Vec<SocketAddr>> {
        match role {
            Role::Ingest => &self.ingest,
            Role::Check => &self.check,
        }
    }

    /// One of them; the next number may be another one.
    pub(super) fn door(&self, role: Role, number: usize) -> SocketAddr {
        let doors = self.of(role).read().unwrap();
        doors[number % doors.len()]
    }

    fn set(&self, role: Role, nodes: &[Suppressd]) {
        let door = |node: &Suppressd| if role == Role::Ingest { node.http() } else { node.grpc() };
        *self.of(role).write().unwrap() = nodes.iter().map(door).collect();
    }
}

/// Two ingest nodes and two check nodes over a cluster.
pub(super) struct Fleet {
    pub(super) cluster: RedisCluster,
    pub(super) doors: Arc<Doors>,
    ingest: Vec<Suppressd>,
    check: Vec<Suppressd>,
    flags: Vec<String>,
    logs: Option<PathBuf>,
}

impl Fleet {
    pub(super) fn start(cluster: RedisCluster, flags: &[&str]) -> Self {
        Self::start_logging(cluster, flags, None)
    }

    /// As `start`; what all of them log is kept in a directory, however it ends.
    pub(super) fn start_logging(cluster: RedisCluster, flags: &[&str], logs: Option<&Path>) -> Self {
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        let (ingest, check, logs) = (Vec::new(), Vec::new(), logs.map(Path::to_owned));
        let mut fleet = Self { cluster, doors: Arc::default(), ingest, check, flags, logs };
        for role in [Role::Ingest, Role::Check, Role::Ingest, Role::Check] {
            fleet.add(role);
        }
        fleet
    }

    pub(super) fn nodes(&self, role: Role) -> &[Suppressd] {
        match role {
            Role::Ingest => &self.ingest,
            Role::Check => &self.check,
        }
    }

    /// Starts another node. Clients find it from now on.
    pub(super) fn add(&mut self, role: Role) {
        let flags: Vec<_> = self.flags.iter().map(String::as_str).collect();
        let mut launch = Launch::on(&self.cluster.url()).role(role.name()).flags(&flags);
        if let Some(logs) = &self.logs {
            launch = launch.logging_to(&logs.join(format!("{}.log", role.name())));
        }
        let node = launch.start();
        let nodes = if role == Role::Ingest { &mut self.ingest } else { &mut self.check };
        nodes.push(node);
        self.doors.set(role, nodes);
    }

    /// Takes the oldest node away: clients do not come to it any more.
    pub(super) fn take(&mut self, role: Role) -> Suppressd {
        let nodes = if role == Role::Ingest { &mut self.ingest } else { &mut self.check };
        let node = nodes.remove(0);
        self.doors.set(role, nodes);
        node
    }

    /// Kills the oldest node; clients hear of that when it is too late.
    pub(super) fn kill(&mut self, role: Role) {
        let node = &self.nodes(role)[0];
        node.signal("-KILL");
        self.take(role).kill();
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let Some(logs) = &self.logs else { return };
        for node in self.cluster.nodes() {
            // What is missing there is not worth a second panic.
            let _ = std::fs::write(logs.join(format!("redis-{node}.log")), self.cluster.node(node).log());
        }
    }
}
