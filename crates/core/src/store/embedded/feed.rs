//! The feed of a directory: all records that an opening found, and from then on each new one, of which the writing thread tells.
//!
//! What it told it need not look up itself: of most recipients there is no record, and to find none costs as much as to write one.

use std::convert::Infallible;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::committer::Work;
use super::pieces::pieces;
use super::records::unreadable;
use super::tree::{Moment, Tree};
use super::{EmbeddedStore, keys, read_failed};
use crate::store::feed::BUCKETS;
use crate::store::{FeedSink, FeedStore};
use crate::{Address, AddressRef, Error};

/// How often all of it is confirmed. Nobody else writes, so it stays as true as it was when all records had been read.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(50);

/// Keys that are read before their addresses are added.
const KEYS_AT_ONCE: usize = 1024;

/// How long it is waited before records are read again that could not be.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Who is told of new records. Clones share them.
#[derive(Clone, Default)]
pub(super) struct Followers(Arc<Mutex<Vec<Arc<Follower>>>>);

/// One of them.
pub(super) struct Follower {
    sink: Arc<dyn FeedSink>,
    /// Whether it was told of all records.
    knows_all: AtomicBool,
}

impl Followers {
    fn add(&self, sink: Arc<dyn FeedSink>) -> Arc<Follower> {
        let follower = Arc::new(Follower { sink, knows_all: AtomicBool::new(false) });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&follower));
        follower
    }

    /// Those that there are now.
    pub(super) fn now(&self) -> Vec<Arc<Follower>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Follower {
    /// Takes note of a record that is about to be.
    pub(super) fn tell(&self, address: &Address) {
        self.sink.add(address.as_str());
    }

    /// Takes note of records that are about to be. Says of which of them it is certain that there was none before; nothing, if of
    /// none.
    pub(super) fn tell_all(&self, addresses: &[&str]) -> Option<Vec<bool>> {
        // Looked at before: what was there already is told before this is so.
        let knows_all = self.knows_all.load(Ordering::Acquire);
        let are_new = self.sink.add_all(addresses);
        knows_all.then_some(are_new)
    }

    /// Whether it is certain that the address has no record.
    pub(super) fn rules_out(&self, address: &Address) -> bool {
        self.knows_all.load(Ordering::Acquire) && !self.sink.may_hold(address.as_str())
    }
}

impl FeedStore for EmbeddedStore {
    const TELLS_BEFORE_ANSWERING: bool = true;

    fn bucket_of(&self, _: AddressRef<'_>) -> u8 {
        0
    }

    async fn follow<S: FeedSink>(&self, sink: Arc<S>) -> Infallible {
        let follower = self.shared.followers.add(Arc::<S>::clone(&sink));
        loop {
            let told = Arc::clone(&sink);
            // Behind every commit that was begun without this follower: whoever is not found then is told of.
            let found = match self.submit(1, |reply| Work::Nothing { reply }).await {
                Ok(()) => self.on_waiting_thread(move |shared| tell(&shared.tree, &*told)).await,
                Err(error) => Err(error),
            };
            match found {
                Ok(records) => {
                    follower.knows_all.store(true, Ordering::Release);
                    tracing::info!(records, "the filter knows all records");
                    break;
                }
                Err(error) => tracing::error!(%error, "the filter cannot be filled; every check asks the store"),
            }
            sleep(RETRY_INTERVAL).await;
        }
        let (never, ()) = tokio::join!(confirm(&*sink), self.bring_into_memory());
        never
    }
}

/// Confirms all of it again and again.
async fn confirm(sink: &impl FeedSink) -> Infallible {
    loop {
        let now = Instant::now();
        for bucket in 0..BUCKETS {
            sink.confirm(u8::try_from(bucket).unwrap_or(u8::MAX), now);
        }
        sleep(CONFIRM_INTERVAL).await;
    }
}

/// Adds every address that has a record. Says how many they are.
fn tell(tree: &Tree, sink: &impl FeedSink) -> Result<u64, Error> {
    let moment = tree.moment();
    let pieces = pieces(&moment)?;
    let next = AtomicUsize::new(0);
    let tell_of_pieces = || {
        let mut records = 0;
        while let Some(piece) = pieces.get(next.fetch_add(1, Ordering::Relaxed)) {
            records += tell_of(&moment, piece.clone(), sink)?;
        }
        Ok(records)
    };
    // Who serves waits for this, for the most part: so all cores may work on it.
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(pieces.len());
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(tell_of_pieces)).collect();
        let mut records = tell_of_pieces()?;
        for other in others {
            let panicked = |_| Error::StoreFailed { reason: "a thread that read the records ended by itself".into() };
            records += other.join().map_err(panicked)??;
        }
        Ok(records)
    })
}

/// Adds every address of a piece.
fn tell_of(moment: &Moment, piece: Range<Vec<u8>>, sink: &impl FeedSink) -> Result<u64, Error> {
    let mut unread = moment.range(piece).map(|key| key.key().map_err(|error| read_failed(&error)));
    let mut records = 0;
    loop {
        let keys: Vec<_> = unread.by_ref().take(KEYS_AT_ONCE).collect::<Result<_, _>>()?;
        if keys.is_empty() {
            return Ok(records);
        }
        let of_records = keys.iter().map(|key| keys::parts_of_record(key)).filter(|(_, rest)| rest.is_empty());
        let addresses: Vec<&str> =
            of_records.map(|(address, _)| std::str::from_utf8(address).map_err(|_| unreadable())).collect::<Result<_, _>>()?;
        sink.add_all(&addresses);
        records += addresses.len() as u64;
    }
}
