//! Finds out which servers there are, and who is the primary of what.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use super::connection::{Connection, Limits, Repeat};
use super::fault;
use super::location::{Access, Endpoint, Location, Servers};
use super::node::{Node, NodeSettings, ask_on};
use super::replication::OfStore;
use super::reply;
use super::topology::{Followers, Primary, Role, Topology};
use crate::Error;

/// Most nodes of a cluster that are asked at once who has what; the first answer counts by which every slot has a primary.
const MAX_NODES_ASKED: usize = 8;

/// What a server says of itself that is no node of a cluster.
const NO_CLUSTER: &[u8] = b"cluster_enabled:0";

/// Knows every server by where it listens, and keeps the connections to it for as long as it is a primary.
pub(super) struct Survey {
    servers: Servers,
    access: Access,
    settings: NodeSettings,
    of_store: OfStore,
    nodes: Mutex<HashMap<Endpoint, Arc<Node>>>,
    sentinels: Mutex<Vec<Arc<Connection>>>,
    /// Whether the one server said that it is no node of a cluster.
    is_alone: AtomicBool,
}

/// The primaries with their connections.
pub(super) struct Surveyed {
    pub(super) topology: Topology,
    pub(super) nodes: Vec<Arc<Node>>,
}

impl Survey {
    pub(super) fn new(location: Location, settings: NodeSettings) -> Self {
        let Location { servers, access } = location;
        Self {
            servers,
            access,
            settings,
            of_store: OfStore::default(),
            nodes: Mutex::default(),
            sentinels: Mutex::default(),
            is_alone: AtomicBool::new(false),
        }
    }

    /// Whether slots may be elsewhere than they were.
    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.servers, Servers::Cluster(_))
    }

    /// Whether one call may be about keys of several slots. A node of a cluster refuses that, also one that has all of them.
    pub(super) fn mixes_slots(&self) -> bool {
        match self.servers {
            Servers::One(_) => self.is_alone.load(Ordering::Relaxed),
            Servers::Sentinel { .. } => true,
            Servers::Cluster(_) => false,
        }
    }

    /// Whether another server may be the primary by now.
    pub(super) fn has_others(&self) -> bool {
        !matches!(self.servers, Servers::One(_))
    }

    pub(super) fn settings(&self) -> &NodeSettings {
        &self.settings
    }

    /// Asks those who know.
    pub(super) async fn make(&self) -> Result<Surveyed, Error> {
        let topology = match &self.servers {
            Servers::One(endpoint) => self.of_one(endpoint).await?,
            Servers::Cluster(seeds) => self.of_cluster(seeds).await?,
            Servers::Sentinel { sentinels, service } => self.of_sentinel(sentinels, service).await?,
        };
        self.settle(topology)
    }

    /// The server that was given is the primary, whatever it says: the check of its settings judges that.
    async fn of_one(&self, endpoint: &Endpoint) -> Result<Topology, Error> {
        let replicas = match self.role_of(endpoint).await? {
            Role::Primary(replicas) => replicas,
            Role::Replica => Vec::new(),
        };
        let told = reply::bytes(self.node(endpoint)?.ask(&["INFO", "cluster"]).await?)?.unwrap_or_default();
        self.is_alone.store(told.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == NO_CLUSTER), Ordering::Relaxed);
        Ok(Topology::of_one(Primary { endpoint: endpoint.clone(), replicas }, Followers::default()))
    }

    /// Asks the nodes that are known, and those that were given, all at once: one that is dead answers late or never.
    async fn of_cluster(&self, seeds: &[Endpoint]) -> Result<Topology, Error> {
        let known: Vec<Endpoint> = self.nodes().keys().cloned().collect();
        let others = seeds.iter().filter(|seed| !known.contains(seed));
        let is_tls = self.access.is_tls();
        let mut asked = JoinSet::new();
        for endpoint in known.iter().chain(others).take(MAX_NODES_ASKED) {
            let node = self.node(endpoint)?;
            asked.spawn(async move {
                let shards = node.ask(&["CLUSTER", "SHARDS"]).await?;
                Topology::of_shards(shards, node.endpoint(), is_tls)
            });
        }
        let mut best: Result<Topology, Error> = Err(fault::no_topology());
        while let Some(answer) = asked.join_next().await {
            match answer {
                Ok(Ok(topology)) if topology.uncovered_slots() == 0 => return Ok(topology),
                Ok(Ok(topology)) => {
                    // A node that has left the cluster knows of nothing but itself.
                    let covers_more = |known: &Topology| topology.uncovered_slots() < known.uncovered_slots();
                    if best.as_ref().map_or(true, covers_more) {
                        best = Ok(topology);
                    }
                }
                Ok(Err(error)) if best.is_err() => best = Err(error),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        best
    }

    /// Asks one sentinel after the other. The one that answered is asked first the next time.
    async fn of_sentinel(&self, sentinels: &[Endpoint], service: &str) -> Result<Topology, Error> {
        let mut failed = fault::no_topology();
        for place in 0..sentinels.len() {
            let sentinel = self.sentinel(sentinels, place)?;
            let named = ask_on(&sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service]).await;
            match named.and_then(read_named) {
                Ok(endpoint) => {
                    self.sentinels().swap(0, place);
                    let followers = Followers::read(ask_on(&sentinel, &["SENTINEL", "REPLICAS", service]).await?)?;
                    return match self.role_of(&endpoint).await? {
                        Role::Primary(replicas) => Ok(Topology::of_one(Primary { endpoint, replicas }, followers)),
                        // An old primary that came back, or a replica that is about to take over.
                        Role::Replica => Err(fault::not_primary()),
                    };
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    fn sentinel(&self, given: &[Endpoint], place: usize) -> Result<Arc<Connection>, Error> {
        let mut sentinels = self.sentinels();
        if sentinels.is_empty() {
            let timeout = self.settings.connection_timeout;
            let limits = Limits { deadline: timeout, connection_timeout: timeout, repeat: Repeat::IfLost };
            let connect = |endpoint| Ok(Arc::new(Connection::lazy(self.access.client_of_sentinel(endpoint)?, limits)?));
            *sentinels = given.iter().map(connect).collect::<Result<_, Error>>()?;
        }
        sentinels.get(place).cloned().ok_or_else(fault::no_topology)
    }

    async fn role_of(&self, endpoint: &Endpoint) -> Result<Role, Error> {
        Role::read(self.node(endpoint)?.ask(&["ROLE"]).await?)
    }

    /// Lets go of what is no primary any more and was not given, and tells each primary of its replicas.
    fn settle(&self, topology: Topology) -> Result<Surveyed, Error> {
        if topology.is_replicated() {
            self.of_store.saw_a_replica();
        }
        let mut nodes = Vec::with_capacity(topology.primaries().len());
        for Primary { endpoint, replicas } in topology.primaries() {
            let node = self.node(endpoint)?;
            let least = topology.least_replicas();
            if self.is_cluster() {
                node.replication().set_listed(replicas.len().max(least));
            } else {
                node.replication().saw(replicas.len());
                node.replication().set_listed(least);
            }
            nodes.push(node);
        }
        let is_primary = |endpoint: &Endpoint| topology.primaries().iter().any(|primary| primary.endpoint == *endpoint);
        let is_given = |endpoint: &Endpoint| matches!(&self.servers, Servers::Cluster(seeds) if seeds.contains(endpoint));
        self.nodes().retain(|endpoint, _| is_primary(endpoint) || is_given(endpoint));
        Ok(Surveyed { topology, nodes })
    }

    /// The connections to a server, which may be new ones.
    fn node(&self, endpoint: &Endpoint) -> Result<Arc<Node>, Error> {
        if let Some(node) = self.nodes().get(endpoint) {
            return Ok(Arc::clone(node));
        }
        let node = Arc::new(Node::new(endpoint.clone(), &self.access, self.settings, self.of_store.clone())?);
        Ok(Arc::clone(self.nodes().entry(endpoint.clone()).or_insert(node)))
    }

    /// Connections to a server that are not kept.
    pub(super) fn visit(&self, endpoint: &Endpoint) -> Result<Node, Error> {
        Node::new(endpoint.clone(), &self.access, self.settings, self.of_store.clone())
    }

    fn nodes(&self) -> MutexGuard<'_, HashMap<Endpoint, Arc<Node>>> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sentinels(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        self.sentinels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads the server that a sentinel names.
fn read_named(reply: redis::Value) -> Result<Endpoint, Error> {
    if reply == redis::Value::Nil {
        return Err(fault::unknown_service());
    }
    let mut parts = reply::list(reply)?.into_iter();
    let mut text =
        || parts.next().map(reply::bytes).transpose().map(|text| String::from_utf8(text.flatten().unwrap_or_default()));
    let (Ok(host), Ok(port)) = (text()?, text()?) else { return Err(fault::unexpected_reply()) };
    Ok(Endpoint::port(host, port.parse().map_err(|_| fault::unexpected_reply())?))
}
