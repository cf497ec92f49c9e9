//! The feed of a store: which addresses have a record, told to whoever follows it.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Instant;

use crate::AddressRef;

/// Parts in which a feed is confirmed.
pub(super) const BUCKETS: usize = 256;

/// What a follower of the feed is told.
pub trait FeedSink: Send + Sync + 'static {
    /// The address has a record, or is a whole domain that is about to have one. It may be said again and again.
    fn add(&self, address: &str);

    /// The same of many, which costs less than to add one after the other. Tells of each whether it surely was not added before.
    fn add_all(&self, addresses: &[&str]) -> Vec<bool> {
        let add = |address: &&str| {
            let is_new = !self.may_hold(address);
            self.add(address);
            is_new
        };
        addresses.iter().map(add).collect()
    }

    /// Whether the address may have been added; `false` if it surely was not.
    fn may_hold(&self, address: &str) -> bool;

    /// Of that bucket, every address was added that had a record when the store was asked, at `asked_at`; and of all buckets,
    /// every whole domain.
    fn confirm(&self, bucket: u8, asked_at: Instant);

    /// What was confirmed of that bucket may not be whole: another server answers for it, or less than before is there.
    fn doubt(&self, bucket: u8);
}

/// Tells which addresses have a record.
pub trait FeedStore: Clone + Send + Sync + 'static {
    /// Whether it tells its followers of a record before it acknowledges that. Else whoever asks for one has to tell them.
    const TELLS_BEFORE_ANSWERING: bool = false;

    /// The bucket of an address.
    fn bucket_of(&self, address: AddressRef<'_>) -> u8;

    /// Tells the sink of every record there is and of every new one, and confirms every bucket that it can, again and again.
    /// What it cannot read it does not confirm. Never ends.
    fn follow<S: FeedSink>(&self, sink: Arc<S>) -> impl Future<Output = Infallible> + Send;
}
