//! Follows the feeds of one primary.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::{ConnectionLike as _, MultiplexedConnection, PubSubStream};
use redis::{AsyncConnectionConfig, Client, Msg, Pipeline, Value};
use tokio::time::{sleep, timeout, timeout_at};
use tokio_stream::StreamExt as _;

use crate::Error;
use crate::store::FeedSink;
use crate::store::redis::node::Node;
use crate::store::redis::router::Router;
use crate::store::redis::{fault, keys, reply};

/// How long is waited between two questions: several of them fit into the shortest bound that makes sense.
const POLL_INTERVAL: Duration = Duration::from_millis(60);

/// How long is waited before a connection is tried again that was lost.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Where the bucket of a new record is published.
const NEW_RECORDS: &str = "sup:feed";

/// How long is waited after a question for what was published, so that much of it is asked for together.
const GATHER_INTERVAL: Duration = Duration::from_millis(2);

/// Most entries of a feed in one answer: Redis does nothing else while it writes them.
const MAX_ENTRIES_PER_READ: usize = 500;

/// Time for one answer. The first ones are long.
const ANSWER_DEADLINE: Duration = Duration::from_secs(5);

/// The id of an entry: milliseconds and a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct EntryId(u64, u64);

impl EntryId {
    fn read(text: &str) -> Option<Self> {
        let (milliseconds, number) = text.split_once('-')?;
        Some(Self(milliseconds.parse().ok()?, number.parse().ok()?))
    }
}

impl std::fmt::Display for EntryId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.0, self.1)
    }
}

/// Follows the feeds of one primary over one connection, as long as that lasts.
pub(super) async fn follow_primary<S: FeedSink>(router: Arc<Router>, node: Arc<Node>, buckets: Vec<u8>, sink: Arc<S>) -> Error {
    let Err(error) = follow_connection(&router, &node, &buckets, &*sink).await;
    // Whoever starts it again does so at once, and a server that refuses everybody would never have rest.
    sleep(RETRY_INTERVAL).await;
    error
}

async fn follow_connection(router: &Arc<Router>, node: &Node, buckets: &[u8], sink: &impl FeedSink) -> Result<Infallible, Error> {
    let client = node.client();
    let mut published = subscribe(client).await?;
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER_DEADLINE)).set_response_timeout(Some(ANSWER_DEADLINE));
    let connection = client.get_multiplexed_async_connection_with_config(&config).await;
    let mut follower = Follower {
        connection: connection.map_err(|error| fault::from_redis(&error))?,
        router,
        sink,
        history: None,
        known: buckets.iter().map(|bucket| (*bucket, EntryId::default())).collect(),
    };
    loop {
        while follower.ask(buckets).await? {}
        let next_poll = tokio::time::Instant::now() + POLL_INTERVAL;
        while let Ok(message) = timeout_at(next_poll, published.next()).await {
            let lost = || Error::StoreUnavailable { reason: "the connection to Redis was lost".into() };
            // In a cluster every node publishes what any of them was told.
            let of_primary = |message: &Msg| bucket(message).filter(|bucket| buckets.contains(bucket));
            let mut new: Vec<u8> = of_primary(&message.ok_or_else(lost)?).into_iter().collect();
            if new.is_empty() {
                continue;
            }
            sleep(GATHER_INTERVAL).await;
            // Each bucket once, and no more messages than there are buckets: the others come next.
            while new.len() < buckets.len()
                && let Ok(message) = timeout(Duration::ZERO, published.next()).await
            {
                new.extend(of_primary(&message.ok_or_else(lost)?).filter(|bucket| !new.contains(bucket)));
            }
            follower.ask(&new).await?;
        }
    }
}

async fn subscribe(client: &Client) -> Result<PubSubStream, Error> {
    let subscribed = async {
        let mut subscription = client.get_async_pubsub().await?;
        subscription.subscribe(NEW_RECORDS).await?;
        Ok(subscription.into_on_message())
    };
    let late = |_| Err(fault::too_late());
    timeout(ANSWER_DEADLINE, subscribed)
        .await
        .map_or_else(late, |subscribed| subscribed.map_err(|error| fault::from_redis(&error)))
}

/// The bucket that a message names.
fn bucket(message: &Msg) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(message.get_payload_bytes()).ok()?, 16).ok()
}

struct Follower<'a, S> {
    connection: MultiplexedConnection,
    router: &'a Arc<Router>,
    sink: &'a S,
    /// The history of which the known entries are.
    history: Option<Vec<u8>>,
    /// The latest entry that is known of each bucket's feed.
    known: BTreeMap<u8, EntryId>,
}

impl<S: FeedSink> Follower<'_, S> {
    /// Asks for what is new of the feeds of some buckets. Says whether there is more than fits into one answer.
    async fn ask(&mut self, buckets: &[u8]) -> Result<bool, Error> {
        let mut pipeline = Pipeline::with_capacity(1 + 2 * buckets.len());
        pipeline.cmd("INFO").arg("replication");
        for bucket in buckets {
            let key = keys::feed((*bucket).into());
            let known = self.known_of(*bucket);
            pipeline.cmd("XREVRANGE").arg(&key).arg("+").arg("-").arg("COUNT").arg(1);
            pipeline.cmd("XRANGE").arg(&key).arg(format!("({known}")).arg("+").arg("COUNT").arg(MAX_ENTRIES_PER_READ);
        }
        let asked_at = Instant::now();
        let replies = self.connection.req_packed_commands(&pipeline, 0, pipeline.len()).await;
        let mut replies = replies.map_err(|error| fault::from_redis(&error))?.into_iter();
        let mut next = || replies.next().ok_or_else(fault::unexpected_reply);
        let is_same_history = self.recognise(next()?)?;
        let mut has_more = false;
        for bucket in buckets {
            let (last, entries) = (next()?, next()?);
            if is_same_history {
                has_more |= self.apply(*bucket, last, entries, asked_at)?;
            }
        }
        Ok(has_more || !is_same_history)
    }

    /// Whether it is the primary of the history that was followed. If it is another one, everything is read anew.
    fn recognise(&mut self, info: Value) -> Result<bool, Error> {
        let info = reply::bytes(info.extract_error().map_err(|error| fault::from_redis(&error))?)?.unwrap_or_default();
        let line =
            |name: &[u8]| info.split(|byte| *byte == b'\n').find_map(|line| Some(line.strip_prefix(name)?.trim_ascii().to_vec()));
        if line(b"role:").as_deref() != Some(b"master") {
            return Err(Error::StoreUnavailable { reason: "Redis is no primary just now".into() });
        }
        let history = line(b"master_replid:").ok_or_else(fault::unexpected_reply)?;
        let is_same = self.history.as_ref().is_none_or(|known| *known == history);
        if !is_same {
            for (bucket, known) in &mut self.known {
                self.sink.doubt(*bucket);
                *known = EntryId::default();
            }
        }
        self.history = Some(history);
        Ok(is_same)
    }

    fn known_of(&self, bucket: u8) -> EntryId {
        self.known.get(&bucket).copied().unwrap_or_default()
    }

    /// From now on nothing of a feed is known.
    fn forget(&mut self, bucket: u8) {
        self.sink.doubt(bucket);
        self.known.insert(bucket, EntryId::default());
    }

    /// Adds what is new of a feed. Says whether there is more than was answered.
    fn apply(&mut self, bucket: u8, last: Value, entries: Value, asked_at: Instant) -> Result<bool, Error> {
        let (Ok(last), Ok(entries)) = (last.extract_error(), entries.extract_error()) else {
            // Its slot moves, or has moved: whoever has it will be asked from the beginning.
            self.forget(bucket);
            self.router.survey_soon();
            return Ok(false);
        };
        let last = match reply::list(last)?.into_iter().next() {
            Some(entry) => read_entry(entry)?.0,
            None => EntryId::default(),
        };
        if last < self.known_of(bucket) {
            self.forget(bucket);
            return Ok(true);
        }
        let entries = reply::list(entries)?;
        let has_more = entries.len() == MAX_ENTRIES_PER_READ;
        for entry in entries {
            let (id, address) = read_entry(entry)?;
            self.sink.add(&address);
            self.known.insert(bucket, id);
        }
        if !has_more {
            self.sink.confirm(bucket, asked_at);
        }
        Ok(has_more)
    }
}

/// An entry's id and address.
fn read_entry(entry: Value) -> Result<(EntryId, String), Error> {
    let (id, address) = reply::entry(entry)?;
    let id = EntryId::read(&id).ok_or_else(fault::unexpected_reply)?;
    let address = address.and_then(|address| String::from_utf8(address).ok()).ok_or_else(fault::unexpected_reply)?;
    Ok((id, address))
}
