//! The Redis store: one hash an address, readable with `HGETALL` in `redis-cli`.
//!
//! `Ok` of a write means that every event, entry or letter in it has its script's reply. That makes it durable only on a Redis
//! that writes before it replies: run it with `appendonly yes` and `appendfsync always`, and with `maxmemory-policy noeviction`,
//! since an evicted record un-suppresses its address in silence. Redis 7 or later.
//!
//! | key | holds |
//! |---|---|
//! | `sup:{<bucket>}:a:<address>` | hash: counters `hard soft expired unmapped complaint`, `e:<id>` a kept event, `delivered`, `manual`, `lift`, `feed` |
//! | `sup:{<bucket>}:feed` | stream: `a <address>`, one entry a record, never trimmed |
//! | `sup:{<bucket>}:changes` | stream: `a <address> w event\|suppress\|lift e <id>`, the latest |
//! | `sup:{<bucket>}:answers:<domain>` | hash: `hard:<stretch of time>`, `all:<stretch of time>` |
//! | `sup:{incidents}:book` | hash: `version`, and `<place>:<id>` an incident |
//! | `sup:{letters}:...` | the rejected letters |
//!
//! The bucket is CRC-16 of the address or domain modulo 256, as two hexadecimal digits.

mod answers;
mod connection;
mod fault;
mod feed;
mod incidents;
mod keys;
mod letters;
mod listing;
mod reply;
mod script;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, Value};

use super::{AdministrativeStore, EvidenceStore, Outcome};
use crate::{Address, Error, Event, LetterLimits, Lift, ManualEntry, Record, UnixSeconds};
use connection::{Connection, Limits, Repeat};
use keys::AddressKeys;
use script::{Call, Scripts, run, without_errors};

/// Entries that are kept of the changes of a bucket; Redis removes whole blocks, so it may be some more.
pub const CHANGES_PER_BUCKET: usize = 4096;

/// Most events, entries, answers and letters in all writes that are under way.
const MAX_EVENTS_IN_FLIGHT: usize = 65_536;

/// Most addresses in all reads that are under way.
const MAX_ADDRESSES_IN_FLIGHT: usize = 65_536;

/// Most events in one call of the script: Redis does nothing else meanwhile.
const MAX_EVENTS_PER_CALL: usize = 128;

/// How a store is opened.
#[derive(Clone)]
pub struct RedisSettings {
    /// `redis://[user:password@]host[:port]` or `redis+unix:///path`.
    pub url: String,
    /// How much the rejected letters may take up.
    pub letter_limits: LetterLimits,
    /// Longest time for a read, with all that it waits for.
    pub read_deadline: Duration,
    /// Longest time for a write, with all that it waits for.
    pub write_deadline: Duration,
    /// Longest time for one attempt to connect.
    pub connection_timeout: Duration,
}

impl RedisSettings {
    /// A read has 300 ms, a write 2 s, an attempt to connect 250 ms; the limits of letters are the default ones.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            letter_limits: LetterLimits::default(),
            read_deadline: Duration::from_millis(300),
            write_deadline: Duration::from_secs(2),
            connection_timeout: Duration::from_millis(250),
        }
    }
}

impl RedisSettings {
    /// Checks the URL, without connecting.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if it cannot be read or names a database other than 0; [`Error::StoreFailed`] if it asks for
    /// what this version does not speak.
    pub fn validate(&self) -> Result<(), Error> {
        connection::check_url(&self.url)
    }
}

/// Shows no URL: it may hold a password.
impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisSettings")
            .field("letter_limits", &self.letter_limits)
            .field("read_deadline", &self.read_deadline)
            .field("write_deadline", &self.write_deadline)
            .field("connection_timeout", &self.connection_timeout)
            .finish_non_exhaustive()
    }
}

/// A store in Redis. Clones share its two connections: a long write does not hold up the reads.
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    writes: Connection,
    reads: Connection,
    read_deadline: Duration,
    letter_limits: LetterLimits,
    scripts: Scripts,
}

impl RedisStore {
    /// A store in the Redis at that URL. It connects when it is first used, and again whenever the connection is lost: Redis
    /// may be away now. To be called within a tokio runtime; the connections live on the runtime on which each is first used.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if the URL cannot be read or names a database other than 0; [`Error::StoreFailed`] if it asks
    /// for what this version does not speak.
    pub fn open(settings: &RedisSettings) -> Result<Self, Error> {
        let connect = |deadline, max_in_flight, repeat| {
            let connection_timeout = settings.connection_timeout;
            Connection::lazy(&settings.url, Limits { deadline, connection_timeout, max_in_flight, repeat })
        };
        let shared = Shared {
            writes: connect(settings.write_deadline, MAX_EVENTS_IN_FLIGHT, Repeat::IfNeverSent)?,
            reads: connect(settings.read_deadline, MAX_ADDRESSES_IN_FLIGHT, Repeat::IfLost)?,
            read_deadline: settings.read_deadline,
            letter_limits: settings.letter_limits,
            scripts: Scripts::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Calls one script on the connection for writes.
    async fn write(&self, weight: usize, call: Call<'_>) -> Result<Value, Error> {
        let writes = &self.shared.writes;
        let _room = writes.room_for(weight)?;
        reply::only(writes.within_deadline(run(writes, &[call])).await?)
    }

    /// The call that records some events of one address.
    fn recording<'a>(&'a self, keys: &'a AddressKeys, events: &[&Event]) -> Call<'a> {
        let keys_of_call = [&*keys.record, &*keys.feed, &*keys.changes];
        let address = events.first().map_or("", |event| event.recipient.as_str());
        let call = Call::new(&self.shared.scripts.record, &keys_of_call).argument(address).number(&CHANGES_PER_BUCKET);
        events.iter().fold(call, |call, event| match event.evidence() {
            Some(evidence) => call.argument(event.id.as_str()).argument(evidence.to_stored()),
            None => call.argument("").number(&event.time.get()),
        })
    }
}

/// The events of one call, with their places in the request.
struct Part<'a> {
    keys: AddressKeys,
    places: Vec<usize>,
    events: Vec<&'a Event>,
}

/// Puts together what goes to one address, in the order in which it came.
fn by_address(events: &[Event]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    let mut latest_of: HashMap<&Address, usize> = HashMap::new();
    for (place, event) in events.iter().enumerate() {
        let latest = latest_of.get(&event.recipient).copied();
        let open = latest.and_then(|index| parts.get_mut(index)).filter(|part| part.places.len() < MAX_EVENTS_PER_CALL);
        if let Some(part) = open {
            part.places.push(place);
            part.events.push(event);
        } else {
            latest_of.insert(&event.recipient, parts.len());
            parts.push(Part { keys: AddressKeys::of(&event.recipient), places: vec![place], events: vec![event] });
        }
    }
    parts
}

impl EvidenceStore for RedisStore {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let writes = &self.shared.writes;
        let _room = writes.room_for(events.len())?;
        let parts = by_address(events);
        let calls: Vec<_> = parts.iter().map(|part| self.recording(&part.keys, &part.events)).collect();
        let replies = writes.within_deadline(run(writes, &calls)).await?;
        let mut outcomes = vec![None; events.len()];
        for (part, reply) in parts.iter().zip(replies) {
            let of_part = reply::list(reply)?;
            if of_part.len() != part.places.len() {
                return Err(fault::unexpected_reply());
            }
            for (place, outcome) in part.places.iter().zip(&of_part) {
                outcomes[*place] = Some(reply::outcome(outcome)?);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(fault::unexpected_reply)).collect()
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let reads = &self.shared.reads;
        let _room = reads.room_for(addresses.len())?;
        let mut pipeline = Pipeline::with_capacity(addresses.len());
        for address in addresses {
            pipeline.cmd("HGETALL").arg(keys::record(address));
        }
        let replies = without_errors(reads.within_deadline(reads.ask(&pipeline)).await?)?;
        addresses.iter().zip(replies).map(|(address, value)| reply::record(address, value)).collect()
    }

    /// A `PING` on both connections. That Redis answers but cannot write shows only when something is written.
    async fn probe(&self) -> Result<(), Error> {
        let shared = &*self.shared;
        let mut ping = Pipeline::new();
        ping.cmd("PING");
        let within = |connection| tokio::time::timeout(shared.read_deadline, ping_on(connection, &ping));
        let (reads, writes) = tokio::join!(within(&shared.reads), within(&shared.writes));
        reads.unwrap_or_else(|_| Err(fault::too_late()))?;
        // A long write holds up what is behind it on its connection, and is no fault as long as reads are answered.
        writes.unwrap_or(Ok(()))
    }
}

impl AdministrativeStore for RedisStore {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        let keys = AddressKeys::of(address);
        let call = Call::new(&self.shared.scripts.suppress, &[&keys.record, &keys.feed, &keys.changes])
            .argument(address.as_str())
            .number(&CHANGES_PER_BUCKET)
            .argument(to_json(&entry)?);
        self.write(1, call).await.map(|_| ())
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let lift = Lift { fence: now, at: now, who: who.to_owned(), why: why.to_owned() };
        let keys = AddressKeys::of(address);
        let call = Call::new(&self.shared.scripts.lift, &[&keys.record, &keys.changes])
            .argument(address.as_str())
            .number(&CHANGES_PER_BUCKET)
            .number(&now.get())
            .argument(to_json(&lift)?);
        reply::yes_or_no(&self.write(1, call).await?)
    }
}

async fn ping_on(connection: &Connection, ping: &Pipeline) -> Result<(), Error> {
    without_errors(connection.ask(ping).await?).map(|_| ())
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| Error::StoreFailed { reason: "an entry cannot be written as JSON".into() })
}
