//! The connections to one server: reads, writes and strict reads apart, each made when it is first needed.

use std::sync::Arc;
use std::time::Duration;

use redis::{Client, Pipeline, Value};

use super::batcher::{Batcher, Made, Part};
use super::connection::{Connection, Limits, Repeat};
use super::fault;
use super::line::{Line, Sent};
use super::location::{Access, Endpoint};
use super::replication::{Asks, OfStore, Replication};
use super::settings::WaitReplicas;
use crate::Error;

/// Of the time for a request replicas have so much less, so that the reply still comes in time.
const SHARE_FOR_REPLICAS: u32 = 2;

/// What every node is opened with.
#[derive(Debug, Clone, Copy)]
pub(super) struct NodeSettings {
    pub(super) read_deadline: Duration,
    pub(super) write_deadline: Duration,
    pub(super) connection_timeout: Duration,
    pub(super) wait: WaitReplicas,
}

/// One server.
pub(super) struct Node {
    endpoint: Endpoint,
    replication: Arc<Replication>,
    reads: Line,
    writes: Batcher,
    strict_reads: Batcher,
}

/// On which of the connections something is asked. One that waits for replicas holds up what is behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    Reads,
    Writes,
    StrictReads,
}

impl Node {
    /// To be called within a tokio runtime.
    pub(super) fn new(endpoint: Endpoint, access: &Access, settings: NodeSettings, of_store: OfStore) -> Result<Self, Error> {
        let client = access.client(&endpoint)?;
        let replication = Arc::new(Replication::new(settings.wait, of_store));
        let line = |deadline: Duration, repeat, asks| {
            let limits = Limits { deadline, connection_timeout: settings.connection_timeout, repeat };
            let connection = Connection::lazy(client.clone(), limits)?;
            Ok::<_, Error>(Line::new(connection, Arc::clone(&replication), asks, deadline / SHARE_FOR_REPLICAS))
        };
        let reads = line(settings.read_deadline, Repeat::IfLost, Asks::Writes)?;
        let writes = Batcher::new(line(settings.write_deadline, Repeat::IfNeverSent, Asks::Writes)?);
        // It writes nothing that could not be written again.
        let strict_reads = Batcher::new(line(settings.read_deadline, Repeat::IfLost, Asks::Strictly)?);
        Ok(Self { endpoint, replication, reads, writes, strict_reads })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What a further connection to it is made with.
    pub(super) fn client(&self) -> &Client {
        self.reads.connection().client()
    }

    pub(super) fn replication(&self) -> &Replication {
        &self.replication
    }

    /// Whether strict reads have replicas to wait for.
    pub(super) fn is_replicated(&self) -> bool {
        self.strict_reads.line().waits()
    }

    /// The queue behind a door; reads have none.
    pub(super) fn batcher(&self, door: Door) -> Option<&Batcher> {
        match door {
            Door::Reads => None,
            Door::Writes => Some(&self.writes),
            Door::StrictReads => Some(&self.strict_reads),
        }
    }

    /// Reads at once.
    pub(super) async fn read(&self, part: &Part) -> Made {
        let sent: Vec<Sent<'_>> = part.sent().collect();
        self.reads.make(&sent).await
    }

    pub(super) fn for_reads(&self) -> &Connection {
        self.reads.connection()
    }

    /// Asks one thing on the connection for reads; a reply that is an error is one here.
    pub(super) async fn ask(&self, words: &[&str]) -> Result<Value, Error> {
        ask_on(self.reads.connection(), words).await
    }

    /// A `PING` on both connections. That Redis answers but cannot write shows only when something is written.
    pub(super) async fn probe(&self, deadline: Duration) -> Result<(), Error> {
        let within = |connection| tokio::time::timeout(deadline, ask_on(connection, &["PING"]));
        let (reads, writes) = tokio::join!(within(self.reads.connection()), within(self.writes.line().connection()));
        reads.unwrap_or_else(|_| Err(fault::too_late()))?;
        // A long write holds up what is behind it on its connection, and is no fault as long as reads are answered.
        writes.map_or(Ok(()), |written| written.map(|_| ()))
    }
}

/// Asks one thing; a reply that is an error is one here.
pub(super) async fn ask_on(connection: &Connection, words: &[&str]) -> Result<Value, Error> {
    let mut pipeline = Pipeline::new();
    let (name, arguments) = words.split_first().unwrap_or((&"PING", &[]));
    pipeline.cmd(name).arg(arguments);
    let reply = connection.ask(&pipeline).await.map_err(|fault| fault.error)?.into_iter().next();
    let reply = reply.ok_or_else(fault::unexpected_reply)?;
    reply.extract_error().map_err(|error| fault::from_redis(&error))
}
