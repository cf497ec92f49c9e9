//! A Redis Cluster of a test's own: some masters, each with as many replicas, all on this machine.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::redis::{RedisServer, slow_disk};
use super::replication_proxy::ReplicationProxy;

/// Longest time for anything on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_mins(1);

/// A node that is silent for so long is taken for dead. Shorter, and a busy machine looks like a dead node.
const NODE_TIMEOUT_MS: &str = "1500";

/// A replica is in sync as soon as it can be, rather than five seconds later.
const OWN_ARGUMENTS: [&str; 6] =
    ["--cluster-enabled", "yes", "--cluster-node-timeout", NODE_TIMEOUT_MS, "--repl-diskless-sync-delay", "0"];

/// Nodes listen in this range, and for each other this much above their port: both are below the ports that the kernel gives to
/// whoever asks for any.
const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 10_000;
const BUS_DISTANCE: u16 = 10_000;

/// Buckets that addresses are spread over.
const BUCKETS: u16 = 256;

/// Nodes that know each other. The first of them begin as masters.
pub(crate) struct RedisCluster {
    nodes: Vec<RedisServer>,
    /// Where clients and replicas come in, if not at the nodes themselves.
    proxies: Vec<ReplicationProxy>,
    /// What the nodes call each other.
    ids: Vec<String>,
}

/// A node as another one sees it.
#[derive(PartialEq)]
struct Seen {
    is_master: bool,
    is_failed: bool,
    /// The master's id of a replica.
    master: String,
    epoch: u64,
    slots: Vec<(u16, u16)>,
}

impl RedisCluster {
    /// A cluster in which every node agrees, and every replica is in sync. The arguments are for every node, and outdo those
    /// here.
    pub(crate) fn start(masters: usize, replicas_per_master: usize, arguments: &[&str]) -> Self {
        let count = masters * (1 + replicas_per_master);
        let arguments = [&OWN_ARGUMENTS, arguments].concat();
        let nodes = (0..count).map(|_| RedisServer::start_on(free_port, &arguments)).collect();
        Self::of(nodes, Vec::new(), masters)
    }

    /// As `start`, each node behind a proxy of its own, by whose port the others know it.
    pub(crate) fn start_behind_proxies(masters: usize, replicas_per_master: usize, arguments: &[&str]) -> Self {
        let count = masters * (1 + replicas_per_master);
        let proxies: Vec<_> = (0..count).map(|_| ReplicationProxy::start()).collect();
        let before = |proxy: &ReplicationProxy| {
            let port = proxy.port().to_string();
            let announced = ["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", &port];
            let node = RedisServer::start_on(free_port, &[&OWN_ARGUMENTS, &announced[..], arguments].concat());
            proxy.stand_before(node.port());
            node
        };
        let nodes = proxies.iter().map(before).collect();
        Self::of(nodes, proxies, masters)
    }

    /// As `start`, each node on a disk that takes so long to sync.
    pub(crate) fn start_on_slow_disks(masters: usize, replicas_per_master: usize, sync: Duration, arguments: &[&str]) -> Self {
        let count = masters * (1 + replicas_per_master);
        let arguments = [&OWN_ARGUMENTS, arguments].concat();
        let disk = slow_disk(sync);
        let nodes = (0..count).map(|_| RedisServer::start_behind(&disk, free_port, &arguments)).collect();
        Self::of(nodes, Vec::new(), masters)
    }

    fn of(nodes: Vec<RedisServer>, proxies: Vec<ReplicationProxy>, masters: usize) -> Self {
        assert!(masters >= 3, "fewer cannot elect a new master");
        introduce(&nodes, nodes.len() / masters - 1);
        let ids = nodes.iter().map(|node| node.cli(&["CLUSTER", "MYID"])).collect();
        let cluster = Self { nodes, proxies, ids };
        cluster.await_settled();
        cluster
    }

    /// From now on what a master sends arrives at its replicas so much later, and does not arrive if the master dies meanwhile.
    pub(crate) fn delay_replication(&self, delay: Duration) {
        assert_eq!(self.proxies.len(), self.nodes.len(), "there are no proxies");
        for proxy in &self.proxies {
            proxy.delay(delay);
        }
    }

    /// As `delay_replication`, for what arrives at one node, whoever is its master.
    pub(crate) fn delay_replica(&self, node: usize, delay: Duration) {
        assert_eq!(self.proxies.len(), self.nodes.len(), "there are no proxies");
        for proxy in &self.proxies {
            proxy.delay_one(self.node(node).port(), delay);
        }
    }

    /// Where clients of a node come in.
    pub(crate) fn door(&self, node: usize) -> u16 {
        self.proxies.get(node).map_or_else(|| self.nodes[node].port(), ReplicationProxy::port)
    }

    /// Where a client begins: all nodes.
    pub(crate) fn url(&self) -> String {
        let nodes: Vec<_> = self.nodes().map(|node| format!("127.0.0.1:{}", self.door(node))).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    pub(crate) fn node(&self, node: usize) -> &RedisServer {
        &self.nodes[node]
    }

    pub(crate) fn node_mut(&mut self, node: usize) -> &mut RedisServer {
        &mut self.nodes[node]
    }

    pub(crate) fn nodes(&self) -> std::ops::Range<usize> {
        0..self.nodes.len()
    }

    /// The master that holds a key, by the newest that any node knows.
    pub(crate) fn master_of(&self, key: &str) -> usize {
        let slot = self.slot(key);
        let owners = self.nodes().filter_map(|node| self.owner(node, slot));
        owners.max().expect("no node answers").1
    }

    /// Whether a node holds a key itself, by its own word.
    pub(crate) fn is_master_of(&self, node: usize, key: &str) -> bool {
        self.owner(node, self.slot(key)).is_some_and(|(_, owner)| owner == node)
    }

    /// Whether a node has slots, by its own word.
    pub(crate) fn is_master(&self, node: usize) -> bool {
        self.seen_by(node).is_some_and(|seen| !seen[&self.ids[node]].slots.is_empty())
    }

    /// Waits until all that a master had is with another one, and everybody else knows that.
    pub(crate) fn await_replaced(&self, old: usize) {
        await_condition("no other master was elected", || {
            let others = || self.nodes().filter(|node| *node != old).map(|node| self.seen_by(node));
            let has_slots = |seen: &HashMap<String, Seen>| seen.get(&self.ids[old]).is_none_or(|old| !old.slots.is_empty());
            others().all(|seen| seen.is_some_and(|seen| !has_slots(&seen))).then_some(())
        });
    }

    /// The key of the record of an address.
    pub(crate) fn key_of(&self, address: &str) -> String {
        // A slot is a checksum modulo a multiple of the number of buckets.
        format!("sup:{{{:02x}}}:a:{address}", self.slot(address) % BUCKETS)
    }

    /// The master that holds the record of an address.
    pub(crate) fn master_of_address(&self, address: &str) -> usize {
        self.master_of(&self.key_of(address))
    }

    /// What the others call a node.
    pub(crate) fn id(&self, node: usize) -> &str {
        &self.ids[node]
    }

    /// Moves so many slots, with all that is in them.
    pub(crate) fn move_slots(&self, from: usize, to: usize, slots: &str) {
        let door = format!("127.0.0.1:{}", self.door(from));
        let output = Command::new("redis-cli")
            .args(["--cluster", "reshard", &door, "--cluster-from", self.id(from), "--cluster-to", self.id(to)])
            .args(["--cluster-slots", slots, "--cluster-yes"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        self.await_settled();
    }

    /// The key of the counts of a domain's answers.
    pub(crate) fn answers_key(&self, domain: &str) -> String {
        format!("sup:{{{:02x}}}:answers:{domain}", self.slot(domain) % BUCKETS)
    }

    /// Empties every master that answers. They are children of this process: each was asked for its process id when it came up.
    pub(crate) fn forget_everything(&self) {
        for node in self.nodes() {
            if self.node(node).try_cli::<String>(&["INFO", "replication"]).is_ok_and(|info| info.contains("role:master")) {
                self.node(node).cli::<()>(&["FLUSHALL"]);
            }
        }
    }

    /// The nodes that replicate a master, by its own word.
    pub(crate) fn replicas_of(&self, master: usize) -> Vec<usize> {
        let seen = self.seen_by(master).expect("the master does not answer");
        self.nodes().filter(|node| seen.get(&self.ids[*node]).is_some_and(|seen| seen.master == self.ids[master])).collect()
    }

    /// Waits until all nodes that answer, but for an old master, know another one for a key, and are well. Gives the new one.
    pub(crate) fn await_failover(&self, key: &str, old: usize) -> usize {
        let slot = self.slot(key);
        let others = || self.nodes().filter(|node| *node != old);
        await_condition("no other master was elected", || {
            let answering: Vec<_> = others().filter(|node| self.node(*node).try_cli::<String>(&["PING"]).is_ok()).collect();
            let mut owners = answering.iter().map(|node| self.owner(*node, slot).map(|(_, owner)| owner));
            let new = owners.next()??;
            let agree = new != old && owners.all(|owner| owner == Some(new));
            (agree && answering.iter().all(|node| self.is_well(*node))).then_some(new)
        })
    }

    /// Waits until every node answers and is well, all see the same, and every replica is in sync with its master.
    pub(crate) fn await_settled(&self) {
        await_condition("the cluster does not settle", || {
            (self.agrees() && self.nodes().all(|node| self.is_well(node) && self.is_in_sync(node))).then_some(())
        });
    }

    /// Whether all nodes see the same. A master without slots is one that has not heard yet of its successor.
    fn agrees(&self) -> bool {
        let Some(views) = self.nodes().map(|node| self.seen_by(node)).collect::<Option<Vec<_>>>() else { return false };
        let is_settled = |seen: &Seen| !seen.is_failed && seen.is_master != seen.slots.is_empty();
        views.iter().all(|view| *view == views[0]) && views[0].values().all(is_settled)
    }

    pub(crate) fn slot(&self, key: &str) -> u16 {
        let slots = self.nodes.iter().find_map(|node| node.try_cli(&["CLUSTER", "KEYSLOT", key]).ok());
        slots.expect("no node answers")
    }

    /// The master of a slot as a node sees it, behind the epoch since when it is.
    fn owner(&self, node: usize, slot: u16) -> Option<(u64, usize)> {
        let seen = self.seen_by(node)?;
        let owns = |seen: &Seen| seen.is_master && seen.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot));
        let (id, owner) = seen.iter().find(|(_, seen)| owns(seen))?;
        Some((owner.epoch, self.ids.iter().position(|own| own == id)?))
    }

    fn seen_by(&self, node: usize) -> Option<HashMap<String, Seen>> {
        let text: String = self.node(node).try_cli(&["CLUSTER", "NODES"]).ok()?;
        Some(text.lines().map(seen).collect())
    }

    fn is_well(&self, node: usize) -> bool {
        let info = self.node(node).try_cli::<String>(&["CLUSTER", "INFO"]);
        let known = format!("cluster_known_nodes:{}\r\n", self.nodes.len());
        info.is_ok_and(|info| info.contains("cluster_state:ok\r\n") && info.contains(&known))
    }

    /// Whether a replica has all of its master, and whether a master has all the replicas that it knows of.
    fn is_in_sync(&self, node: usize) -> bool {
        let Ok(info) = self.node(node).try_cli::<String>(&["INFO", "replication"]) else { return false };
        if info.contains("role:master\r\n") {
            let Some(seen) = self.seen_by(node) else { return false };
            let replicas = seen.values().filter(|seen| seen.master == self.ids[node]).count();
            return info.matches(",state=online,").count() == replicas;
        }
        info.contains("master_link_status:up\r\n")
    }
}

/// Makes a cluster of servers that do not know each other.
fn introduce(nodes: &[RedisServer], replicas_per_master: usize) {
    let output = Command::new("redis-cli")
        .args(["--cluster", "create"])
        .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())))
        .args(["--cluster-replicas", &replicas_per_master.to_string(), "--cluster-yes"])
        .output();
    let output = output.unwrap_or_else(|error| panic!("the tests need redis-cli, 7 or later: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// Reads a line of `CLUSTER NODES`: id, address, flags, master, ping, pong, epoch, link, slots.
fn seen(line: &str) -> (String, Seen) {
    let words: Vec<_> = line.split(' ').collect();
    // What is in brackets is on its way.
    let ranges = words[8..].iter().filter(|range| !range.starts_with('['));
    let slots = ranges.map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (first.parse().unwrap(), last.parse().unwrap())
    });
    let has_flag = |wanted: &[&str]| words[2].split(',').any(|flag| wanted.contains(&flag));
    let seen = Seen {
        is_master: has_flag(&["master"]),
        is_failed: has_flag(&["fail", "fail?"]),
        master: words[3].into(),
        epoch: words[6].parse().unwrap(),
        slots: slots.collect(),
    };
    (words[0].into(), seen)
}

/// Asks until there is something, with a bound.
pub(crate) fn await_condition<T>(otherwise: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(met) = condition() {
            return met;
        }
        assert!(started.elapsed() < PATIENCE, "{otherwise}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// A port that is free, as is the one at which other nodes would look for it. Other runs of the tests begin elsewhere.
fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    let begin = std::process::id().wrapping_mul(97) % u32::from(PORTS);
    loop {
        let number = u32::from(TAKEN.fetch_add(1, Ordering::Relaxed)) + begin;
        let port = FIRST_PORT + u16::try_from(number % u32::from(PORTS)).unwrap();
        if is_free(port) && is_free(port + BUS_DISTANCE) {
            return port;
        }
    }
}
