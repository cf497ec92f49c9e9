//! The feed of a directory: all records that an opening found. New ones come from this process alone, which adds them itself.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::sleep;

use super::records::unreadable;
use super::tree::Tree;
use super::{EmbeddedStore, keys, read_failed};
use crate::store::feed::BUCKETS;
use crate::store::{FeedSink, FeedStore};
use crate::{Address, Error};

/// How often all of it is confirmed. Nobody else writes, so it stays as true as it was when all records had been read.
const CONFIRM_INTERVAL: Duration = Duration::from_millis(50);

/// How long it is waited before records are read again that could not be.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

impl FeedStore for EmbeddedStore {
    fn bucket_of(&self, _: &Address) -> u8 {
        0
    }

    async fn follow<S: FeedSink>(&self, sink: Arc<S>) -> Infallible {
        loop {
            let told = Arc::clone(&sink);
            match self.on_waiting_thread(move |shared| tell(&shared.tree, &*told)).await {
                Ok(records) => {
                    tracing::info!(records, "the filter knows all records");
                    break;
                }
                Err(error) => tracing::error!(%error, "the filter cannot be filled; every check asks the store"),
            }
            sleep(RETRY_INTERVAL).await;
        }
        loop {
            let now = Instant::now();
            for bucket in 0..BUCKETS {
                sink.confirm(u8::try_from(bucket).unwrap_or(u8::MAX), now);
            }
            sleep(CONFIRM_INTERVAL).await;
        }
    }
}

/// Adds every address that has a record. Says how many they are.
fn tell(tree: &Tree, sink: &impl FeedSink) -> Result<u64, Error> {
    let mut records = 0;
    let moment = tree.moment();
    for key in moment.range(keys::records(None)) {
        let key = key.key().map_err(|error| read_failed(&error))?;
        let (address, rest) = keys::parts_of_record(&key).ok_or_else(unreadable)?;
        if rest.is_empty() {
            sink.add(std::str::from_utf8(address).map_err(|_| unreadable())?);
            records += 1;
        }
    }
    Ok(records)
}
