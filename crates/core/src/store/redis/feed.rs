//! The feeds of the buckets, followed live.
//!
//! A connection of its own asks for all feeds of a primary in one go, again and again: for the last entry there is, and for the
//! entries behind those that are known. What is there when the question is sent is in the answer, so once that is applied, the
//! bucket is confirmed as of the moment of asking. A new connection, another history of the server (`master_replid`) and a last
//! entry that is older than what is known all mean that another server may answer, or one that lost its end: then the bucket is
//! in doubt, and its feed is read anew from its beginning.
//!
//! That alone would be enough. So that a new record is known sooner than at the next question, its bucket is published, and asked
//! for at once by all but the process that made it, which knows of it. A message that is lost costs that time, and nothing else.

mod follower;

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{AbortHandle, Id, JoinError, JoinSet};
use tokio::time::sleep;

use super::keys::BUCKETS;
use super::location::Endpoint;
use super::node::Node;
use super::{RedisStore, keys};
use crate::store::{FeedSink, FeedStore};
use crate::{AddressRef, Error};
use follower::follow_primary;

/// What a store publishes of new records, so that it knows its own words: who records an event knows of its address.
pub(super) struct Publisher {
    name: String,
}

impl Publisher {
    /// One that no other one is taken for.
    pub(super) fn new() -> Self {
        Self { name: format!("{:016x}", RandomState::new().hash_one(std::process::id())) }
    }

    /// The text for some buckets.
    pub(super) fn new_records_in(&self, buckets: impl IntoIterator<Item = u16>) -> String {
        let mut text = String::new();
        for bucket in buckets {
            let _ = write!(text, "{bucket:02x} ");
        }
        text + &self.name
    }

    /// The buckets that a text names, unless it is the publisher's own.
    fn buckets_of_another(&self, text: &[u8]) -> impl Iterator<Item = u8> {
        let words = std::str::from_utf8(text).ok().filter(|text| !text.ends_with(&self.name));
        let buckets = words.unwrap_or_default().split(' ').filter(|word| word.len() == 2);
        buckets.filter_map(|bucket| u8::from_str_radix(bucket, 16).ok())
    }
}

/// How often it is looked whether buckets have gone to other primaries.
const SETTLE_INTERVAL: Duration = Duration::from_millis(250);

impl FeedStore for RedisStore {
    fn bucket_of(&self, address: AddressRef<'_>) -> u8 {
        u8::try_from(keys::bucket(address.as_str())).unwrap_or(u8::MAX)
    }

    async fn follow<S: FeedSink>(&self, sink: Arc<S>) -> Infallible {
        let mut followers = Followers { store: self.clone(), sink, of_primaries: HashMap::new(), tasks: JoinSet::new() };
        loop {
            followers.settle().await;
            tokio::select! {
                Some(ended) = followers.tasks.join_next_with_id() => followers.note_end(&ended),
                () = sleep(SETTLE_INTERVAL) => {}
            }
        }
    }
}

/// One follower for each primary, each for the buckets that are the primary's.
struct Followers<S> {
    store: RedisStore,
    sink: Arc<S>,
    of_primaries: HashMap<Endpoint, (Vec<u8>, AbortHandle)>,
    tasks: JoinSet<Error>,
}

impl<S: FeedSink> Followers<S> {
    /// Starts followers of new primaries and those whose buckets are others by now, and ends the old ones.
    async fn settle(&mut self) {
        let router = &self.store.shared.router;
        // Without a word on who has what, those go on that can.
        let Ok(map) = router.map().await else { return };
        let mut wanted: HashMap<Endpoint, (Arc<Node>, Vec<u8>)> = HashMap::new();
        for bucket in 0..BUCKETS {
            // A slot that nobody has is in nobody's feed.
            if let (Ok(node), Ok(bucket)) = (map.owner(keys::slot(&keys::feed(bucket))), u8::try_from(bucket)) {
                let of_node = wanted.entry(node.endpoint().clone()).or_insert_with(|| (Arc::clone(node), Vec::new()));
                of_node.1.push(bucket);
            }
        }
        let sink = &self.sink;
        self.of_primaries.retain(|endpoint, (buckets, task)| {
            let stays = wanted.get(endpoint).is_some_and(|(_, wanted)| wanted == buckets);
            if !stays {
                task.abort();
                doubt(&**sink, buckets);
            }
            stays
        });
        for (endpoint, (node, buckets)) in wanted {
            if !self.of_primaries.contains_key(&endpoint) {
                let task = self.tasks.spawn(follow_primary(self.store.clone(), node, buckets.clone(), Arc::clone(&self.sink)));
                self.of_primaries.insert(endpoint, (buckets, task));
            }
        }
    }

    /// A follower has lost its primary: its buckets are in doubt, and perhaps another one's.
    fn note_end(&mut self, ended: &Result<(Id, Error), JoinError>) {
        let id = match ended {
            Ok((id, _)) => *id,
            Err(error) => error.id(),
        };
        let sink = &self.sink;
        self.of_primaries.retain(|endpoint, (buckets, task)| {
            let is_it = task.id() == id;
            if is_it {
                doubt(&**sink, buckets);
                if let Ok((_, error)) = ended {
                    tracing::debug!(%error, ?endpoint, "the feed of a primary cannot be followed");
                }
            }
            !is_it
        });
        self.store.shared.router.survey_soon();
    }
}

fn doubt(sink: &impl FeedSink, buckets: &[u8]) {
    for bucket in buckets {
        sink.doubt(*bucket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publisher_hears_of_others_alone() {
        let [own, other] = [(); 2].map(|()| Publisher::new());
        let heard = |text: &[u8]| own.buckets_of_another(text).collect::<Vec<_>>();
        assert_eq!(heard(other.new_records_in([0, 0x5e, 0xff]).as_bytes()), [0, 0x5e, 0xff]);
        assert_eq!(heard(own.new_records_in([0x5e]).as_bytes()), [0; 0]);
        // What scripts publish that know of no publisher.
        assert_eq!(heard(b"5e"), [0x5e]);
        for text in [&b""[..], b"5", b"xx", b"\xff\xff"] {
            assert_eq!(heard(text), [0; 0]);
        }
    }
}
