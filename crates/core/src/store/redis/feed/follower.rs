//! Follows the feeds of one primary.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::store::redis::{RedisStore, fault, keys, reply};

/// How long is waited between two questions: several of them fit into the shortest bound that makes sense.
const POLL_INTERVAL: Duration = Duration::from_millis(60);

/// How long is waited before a connection is tried again that was lost.
const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// Where the bucket of a new record is published.
const NEW_RECORDS: &str = "sup:feed";

/// How long is waited at least for more of what is published, so that much of it is asked for together.
const MIN_GATHER_INTERVAL: Duration = Duration::from_millis(2);

/// How many times as long as the latest answer took: so little of a primary's time is taken by questions in between.
const ANSWERS_PER_GATHER_INTERVAL: u32 = 10;

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
pub(super) async fn follow_primary<S: FeedSink>(store: RedisStore, node: Arc<Node>, buckets: Vec<u8>, sink: Arc<S>) -> Error {
    let Err(error) = follow_connection(&store, &node, &buckets, &*sink).await;
    // Whoever starts it again does so at once, and a server that refuses everybody would never have rest.
    sleep(RETRY_INTERVAL).await;
    error
}

async fn follow_connection(store: &RedisStore, node: &Node, buckets: &[u8], sink: &impl FeedSink) -> Result<Infallible, Error> {
    let client = node.client();
    let mut messages = subscribe(client).await?;
    let config =
        AsyncConnectionConfig::new().set_connection_timeout(Some(ANSWER_DEADLINE)).set_response_timeout(Some(ANSWER_DEADLINE));
    let connection = client.get_multiplexed_async_connection_with_config(&config).await;
    let mut follower = Follower {
        connection: connection.map_err(|error| fault::from_redis(&error))?,
        router: &store.shared.router,
        sink,
        history: None,
        latest_answer_took: Duration::ZERO,
        reached: buckets.iter().map(|bucket| (*bucket, Reached::default())).collect(),
    };
    loop {
        while follower.ask(buckets).await? {}
        let next_poll = tokio::time::Instant::now() + POLL_INTERVAL;
        while let Ok(message) = timeout_at(next_poll, messages.next()).await {
            let lost = || Error::StoreUnavailable { reason: "the connection to Redis was lost".into() };
            // In a cluster every node publishes what any of them was told.
            let of_primary = |message: &Msg| -> Vec<u8> {
                let named = store.shared.publisher.buckets_of_another(message.get_payload_bytes());
                named.filter(|bucket| buckets.contains(bucket)).collect()
            };
            let mut new: BTreeSet<u8> = of_primary(&message.ok_or_else(lost)?).into_iter().collect();
            if new.is_empty() {
                continue;
            }
            sleep(follower.gather_interval()).await;
            // Each bucket once, and no more messages than there are buckets: the others come next.
            for _ in 0..buckets.len() {
                let Ok(message) = timeout(Duration::ZERO, messages.next()).await else { break };
                new.extend(of_primary(&message.ok_or_else(lost)?));
            }
            follower.ask(&new.into_iter().collect::<Vec<_>>()).await?;
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

/// How far a feed has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Reached {
    /// The latest entry that is known.
    entry: EntryId,
    /// Whether that was the last one there. Then it is looked back from the end to it, which shows at once that it is still there:
    /// Redis finds the end of a stream sooner than a place in it.
    is_end: bool,
}

struct Follower<'a, S> {
    connection: MultiplexedConnection,
    router: &'a Arc<Router>,
    sink: &'a S,
    /// The history of which the known entries are.
    history: Option<Vec<u8>>,
    /// How far each bucket's feed has been read.
    reached: BTreeMap<u8, Reached>,
    latest_answer_took: Duration,
}

impl<S: FeedSink> Follower<'_, S> {
    fn gather_interval(&self) -> Duration {
        (self.latest_answer_took * ANSWERS_PER_GATHER_INTERVAL).clamp(MIN_GATHER_INTERVAL, POLL_INTERVAL)
    }

    /// Asks for what is new of the feeds of some buckets. Says whether there is more than fits into one answer.
    async fn ask(&mut self, buckets: &[u8]) -> Result<bool, Error> {
        let mut pipeline = Pipeline::with_capacity(1 + 2 * buckets.len());
        pipeline.cmd("INFO").arg("replication");
        for bucket in buckets {
            let key = keys::feed((*bucket).into());
            let Reached { entry, is_end } = self.reached(*bucket);
            if is_end {
                pipeline.cmd("XREVRANGE").arg(&key).arg("+").arg(entry.to_string()).arg("COUNT").arg(1 + MAX_ENTRIES_PER_READ);
            } else {
                pipeline.cmd("XREVRANGE").arg(&key).arg("+").arg("-").arg("COUNT").arg(1);
                pipeline.cmd("XRANGE").arg(&key).arg(format!("({entry}")).arg("+").arg("COUNT").arg(MAX_ENTRIES_PER_READ);
            }
        }
        let asked_at = Instant::now();
        let replies = self.connection.req_packed_commands(&pipeline, 0, pipeline.len()).await;
        let mut replies = replies.map_err(|error| fault::from_redis(&error))?.into_iter();
        self.latest_answer_took = asked_at.elapsed();
        let mut next = || replies.next().ok_or_else(fault::unexpected_reply);
        let is_same_history = self.recognise(next()?)?;
        if !is_same_history {
            return Ok(true);
        }
        let mut has_more = false;
        for bucket in buckets {
            let from_end = next()?;
            let behind = if self.reached(*bucket).is_end { None } else { Some(next()?) };
            has_more |= self.apply(*bucket, from_end, behind, asked_at)?;
        }
        Ok(has_more)
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
            for (bucket, reached) in &mut self.reached {
                self.sink.doubt(*bucket);
                *reached = Reached::default();
            }
        }
        self.history = Some(history);
        Ok(is_same)
    }

    fn reached(&self, bucket: u8) -> Reached {
        self.reached.get(&bucket).copied().unwrap_or_default()
    }

    /// From now on nothing of a feed is known.
    fn forget(&mut self, bucket: u8) {
        self.sink.doubt(bucket);
        self.reached.insert(bucket, Reached::default());
    }

    /// Adds what is new of a feed, by what was found from its end and, unless that must show all, behind what is known. Says
    /// whether there is more than was answered.
    fn apply(&mut self, bucket: u8, from_end: Value, behind: Option<Value>, asked_at: Instant) -> Result<bool, Error> {
        let (Ok(from_end), Ok(behind)) = (from_end.extract_error(), behind.map(Value::extract_error).transpose()) else {
            // Its slot moves, or has moved: whoever has it will be asked from the beginning.
            self.forget(bucket);
            self.router.survey_soon();
            return Ok(false);
        };
        let from_end: Vec<_> = reply::list(from_end)?.into_iter().map(read_entry).collect::<Result<_, _>>()?;
        let known = self.reached(bucket).entry;
        let Some(behind) = behind else {
            return Ok(self.apply_from_end(bucket, known, from_end, asked_at));
        };
        if from_end.first().map(|(last, _)| *last).unwrap_or_default() < known {
            self.forget(bucket);
            return Ok(true);
        }
        let behind: Vec<_> = reply::list(behind)?.into_iter().map(read_entry).collect::<Result<_, _>>()?;
        let has_more = behind.len() == MAX_ENTRIES_PER_READ;
        self.add(bucket, known, behind.into_iter(), asked_at, !has_more);
        Ok(has_more)
    }

    /// Adds what was found between the end and the entry that was the last one. Says whether that is not all.
    fn apply_from_end(&mut self, bucket: u8, known: EntryId, mut found: Vec<(EntryId, String)>, asked_at: Instant) -> bool {
        let is_all = found.pop().is_some_and(|(first, _)| first == known);
        if is_all {
            self.add(bucket, known, found.into_iter().rev(), asked_at, true);
        } else {
            // There is more, or the entry is gone, perhaps with the end of the feed.
            self.reached.insert(bucket, Reached { entry: known, is_end: false });
        }
        !is_all
    }

    fn add(&mut self, bucket: u8, known: EntryId, new: impl Iterator<Item = (EntryId, String)>, asked_at: Instant, is_end: bool) {
        let mut entry = known;
        for (id, names) in new {
            let names: Vec<_> = names.split(reply::BETWEEN_NAMES).filter(|name| !name.is_empty()).collect();
            self.sink.add_all(&names);
            entry = id;
        }
        // In an empty feed there is nothing to look back to.
        self.reached.insert(bucket, Reached { entry, is_end: is_end && entry != EntryId::default() });
        if is_end {
            self.sink.confirm(bucket, asked_at);
        }
    }
}

/// An entry's id and names.
fn read_entry(entry: Value) -> Result<(EntryId, String), Error> {
    let (id, names) = reply::entry(entry)?;
    let id = EntryId::read(&id).ok_or_else(fault::unexpected_reply)?;
    Ok((id, names.ok_or_else(fault::unexpected_reply)?))
}
