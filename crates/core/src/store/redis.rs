//! The Redis store: one text an address, readable with `GET` in `redis-cli`.
//!
//! `Ok` of a write means that every event, entry or letter in it has its script's reply, and that a `WAIT` behind it on the same
//! connection has counted enough replicas. That makes it durable only on a Redis that writes before it replies: run it with
//! `appendonly yes` and `appendfsync always`, and with `maxmemory-policy noeviction`, since an evicted record un-suppresses its
//! address in silence. Redis 7 or later: one server, a Redis Cluster, or the primary that a Sentinel names.
//!
//! | key | holds |
//! |---|---|
//! | `sup:{<bucket>}:a:<address>` | text, a line a field, of its name, a blank and what it says: `<event id>` a kept event, `as` what those say of which only a time is there, `hard soft expired unmapped complaint` how many of that class are no longer kept, `delivered`, `manual`, `lift`; of a tombstone `erased` alone. An event id has 11 characters, and no other field ever will |
//! | `sup:{<bucket>}:feed` | stream: `a <address>`, with line feeds between several that came at once; each record once, and each whole domain of any bucket; never trimmed |
//! | `sup:{<bucket>}:changes` | stream: `a <address> w <kind>\|<class>\|<event id>`, with blanks between several of an address, and line feeds between addresses, where they came at once; or `w suppress`, `lift`, `erase`: the latest |
//! | `sup:{<bucket>}:fence` | nothing: a strict read writes it, to see whether replicas still follow |
//! | `sup:{<bucket>}:answers:<domain>` | hash: `hard:<stretch of time>`, `all:<stretch of time>` |
//! | `sup:{00}:addresses` | string: how records name addresses, `readable`, `hashed:<check of the key>` or `mixed:<check of the key>` |
//! | `sup:{incidents}:book` | hash: `version`, and `<place>:<id>` an incident |
//! | `sup:{letters}:...` | the rejected letters |
//!
//! The bucket is CRC-16 of the address or domain modulo 256, as two hexadecimal digits.

mod answers;
mod batcher;
mod call;
mod changes;
mod connection;
mod danger;
mod erasure;
mod fault;
mod feed;
mod incidents;
mod keys;
mod letters;
mod line;
mod listing;
mod location;
mod names;
mod node;
mod probe;
mod recording;
mod redirection;
mod replication;
mod reply;
mod router;
mod script;
mod settings;
mod strict;
mod survey;
mod topology;
mod whole_domains;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use redis::Value;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::context::TokioContext;

use super::{AdministrativeStore, EvidenceStore, Outcome};
use crate::{Address, Entered, Erasure, Error, Event, LetterLimits, Lift, ManualEntry, Record, Tombstone, UnixSeconds};
use call::Call;
use feed::Publisher;
use keys::{AddressKeys, BUCKETS};
use location::Location;
use node::{Door, NodeSettings};
use router::Router;
use script::Scripts;
use survey::Survey;

pub use danger::{Danger, DangerKind, Dangers};
pub use settings::{RedisSettings, WaitReplicas};

/// Most addresses in all reads that are under way.
const MAX_ADDRESSES_IN_FLIGHT: usize = 65_536;

/// A store in Redis. Clones share its connections: a long write does not hold up the reads.
#[derive(Clone)]
pub struct RedisStore {
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the connections live, whoever asks.
    home: Handle,
    router: Arc<Router>,
    room_for_reads: Semaphore,
    /// Primaries that did not answer the latest probe.
    silent_primaries: AtomicUsize,
    letter_limits: LetterLimits,
    /// Entries that are kept of the changes of a bucket; Redis removes whole blocks, so it may be some more.
    changes_per_bucket: usize,
    scripts: Scripts,
    publisher: Publisher,
}

impl RedisStore {
    /// A store in the Redis at that URL. It connects when it is first used, and again whenever the connection is lost: Redis
    /// may be away now. To be called within a tokio runtime, on which the connections live; whoever asks may be on another one.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if the URL or the roots cannot be read, or it names a database other than 0.
    pub fn open(settings: &RedisSettings) -> Result<Self, Error> {
        let location = Location::read(&settings.url, settings.roots.as_deref())?;
        let of_nodes = NodeSettings {
            read_deadline: settings.read_deadline,
            write_deadline: settings.write_deadline,
            connection_timeout: settings.connection_timeout,
            wait: settings.wait_replicas,
        };
        let shared = Shared {
            home: Handle::current(),
            router: Arc::new(Router::new(Survey::new(location, of_nodes), !settings.is_checked_first)),
            room_for_reads: Semaphore::new(MAX_ADDRESSES_IN_FLIGHT),
            silent_primaries: AtomicUsize::new(0),
            letter_limits: settings.letter_limits,
            changes_per_bucket: settings.changes_kept.div_ceil(usize::from(BUCKETS)).max(1),
            scripts: Scripts::new(),
            publisher: Publisher::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Looks for settings with which Redis loses or hides what it acknowledged: of every primary, and of the replicas that can be
    /// reached.
    ///
    /// # Errors
    ///
    /// If no primary answers.
    pub async fn check(&self) -> Result<Dangers, Error> {
        danger::look(&self.shared.router).await
    }

    /// Uses it from now on, or does not: then everything fails as unavailable, until it is trusted again.
    pub fn set_trusted(&self, is_trusted: bool) {
        self.shared.router.set_open(is_trusted);
    }

    fn deadlines(&self) -> &NodeSettings {
        self.shared.router.survey().settings()
    }

    /// Does something within a deadline. A server that hangs may have been replaced meanwhile.
    async fn within<T>(&self, deadline: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let bounded = async {
            tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| {
                self.shared.router.survey_soon();
                Err(fault::too_late())
            })
        };
        TokioContext::new(bounded, self.shared.home.clone()).await
    }

    /// Makes calls that write. `Ok` means that each was executed without an error, and that replicas have what it wrote.
    async fn write(&self, calls: Vec<Call>) -> Result<Vec<Value>, Error> {
        self.within(self.deadlines().write_deadline, self.shared.router.make(Door::Writes, calls)).await
    }

    /// Makes one call that writes.
    async fn write_one(&self, call: Call) -> Result<Value, Error> {
        reply::only(self.write(vec![call]).await?)
    }

    /// Makes calls that only read, within the deadline of a read.
    async fn read(&self, calls: Vec<Call>) -> Result<Vec<Value>, Error> {
        let _room = self.room_for_reads(calls.len())?;
        self.within(self.deadlines().read_deadline, self.shared.router.make(Door::Reads, calls)).await
    }

    /// Room for a read of so many parts. Alone, one that is larger than all the room is let in.
    fn room_for_reads(&self, parts: usize) -> Result<SemaphorePermit<'_>, Error> {
        let parts = u32::try_from(parts.clamp(1, MAX_ADDRESSES_IN_FLIGHT)).unwrap_or(u32::MAX);
        self.shared.room_for_reads.try_acquire_many(parts).map_err(|_| Error::StoreOverloaded)
    }

    /// The call that suppresses an address where no entry is that lasts as long.
    fn entering(&self, address: &Address, entry: &ManualEntry) -> Result<Call, Error> {
        let keys = AddressKeys::of(address);
        Ok(Call::script(&self.shared.scripts.enter, &[&keys.record, &keys.feed, &keys.changes])
            .argument(address.as_str())
            .number(&self.shared.changes_per_bucket)
            .argument(to_json(entry)?))
    }
}

/// Does something within a deadline.
async fn within<T>(deadline: Duration, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| Err(fault::too_late()))
}

impl EvidenceStore for RedisStore {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.record_events(events).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let replies = self.read(addresses.iter().map(record_of).collect()).await?;
        addresses.iter().zip(replies).map(|(address, value)| reply::record(address, value)).collect()
    }

    async fn records_strictly(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        if addresses.is_empty() {
            return Ok(Vec::new());
        }
        let _room = self.room_for_reads(addresses.len())?;
        let replies = self.within(self.deadlines().read_deadline, strict::read(&self.shared.router, addresses)).await?;
        addresses.iter().zip(replies).map(|(address, value)| reply::record(address, value)).collect()
    }

    /// Says that it can as long as one primary answers: what lies with the others fails by itself.
    async fn probe(&self) -> Result<(), Error> {
        probe::run(&self.shared).await
    }
}

impl AdministrativeStore for RedisStore {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        self.tell_whole_domains(std::iter::once(address)).await?;
        let keys = AddressKeys::of(address);
        let call = Call::script(&self.shared.scripts.suppress, &[&keys.record, &keys.feed, &keys.changes])
            .argument(address.as_str())
            .number(&self.shared.changes_per_bucket)
            .argument(to_json(&entry)?);
        self.write_one(call).await.map(|_| ())
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        self.tell_whole_domains(entries.iter().map(|(address, _)| address)).await?;
        let calls: Result<Vec<Call>, Error> = entries.iter().map(|(address, entry)| self.entering(address, entry)).collect();
        let replies = self.write(calls?).await?;
        replies.iter().map(reply::entered).collect()
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let lift = Lift { fence: now, at: now, who: who.to_owned(), why: why.to_owned() };
        let keys = AddressKeys::of(address);
        let call = Call::script(&self.shared.scripts.lift, &[&keys.record, &keys.changes])
            .argument(address.as_str())
            .number(&self.shared.changes_per_bucket)
            .number(&now.get())
            .argument(to_json(&lift)?);
        reply::yes_or_no(&self.write_one(call).await?)
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        self.erase_record(address, seen, tombstone).await
    }

    /// Redis writes its files: they hold what was erased until it writes them anew.
    async fn compact(&self) -> Result<bool, Error> {
        Ok(false)
    }
}

/// The call that reads a record.
fn record_of(address: &Address) -> Call {
    Call::command("GET", keys::record(address))
}

fn to_json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| Error::StoreFailed { reason: "an entry cannot be written as JSON".into() })
}
