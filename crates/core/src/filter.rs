//! Which addresses have a record: fingerprints in memory, so that a check of any other address needs no store.
//!
//! It only ever says "perhaps" or "surely not". A fingerprint that two addresses share costs one look into the store, and can
//! suppress nobody.

mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::{PoisonError, RwLock};

use shard::Shard;

/// Parts of the filter, each with a lock of its own.
const SHARDS: usize = 256;

/// A set of fingerprints of addresses. Grows, and forgets nothing.
///
/// A fingerprint has 64 bits and a key of the process's own, so nobody can make addresses that share one. Takes at most
/// [`Self::MAX_BYTES_PER_ADDRESS`] an address, once there are some thousands of them.
#[derive(Debug)]
pub struct Filter<H = RandomState> {
    hasher: H,
    shards: Box<[RwLock<Shard>]>,
}

impl Default for Filter {
    fn default() -> Self {
        Self::with_hasher(RandomState::new())
    }
}

impl<H: BuildHasher> Filter<H> {
    /// Memory for an address, at most, in bytes.
    pub const MAX_BYTES_PER_ADDRESS: usize = 14;

    /// An empty filter whose fingerprints are those of a hasher.
    pub fn with_hasher(hasher: H) -> Self {
        Self { hasher, shards: (0..SHARDS).map(|_| RwLock::default()).collect() }
    }

    /// Adds an address. Says whether its fingerprint is new.
    pub fn insert(&self, address: &str) -> bool {
        let fingerprint = self.hasher.hash_one(address);
        self.shard(fingerprint).write().unwrap_or_else(PoisonError::into_inner).insert(fingerprint)
    }

    /// Whether the address may have been added; `false` if it surely was not.
    #[must_use]
    pub fn may_hold(&self, address: &str) -> bool {
        let fingerprint = self.hasher.hash_one(address);
        self.shard(fingerprint).read().unwrap_or_else(PoisonError::into_inner).holds(fingerprint)
    }

    /// How many fingerprints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sum(Shard::len)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.sum(Shard::bytes)
    }

    fn sum(&self, of_shard: fn(&Shard) -> usize) -> usize {
        self.shards.iter().map(|shard| of_shard(&shard.read().unwrap_or_else(PoisonError::into_inner))).sum()
    }

    /// By the upper bits; the place within the shard goes by the lower ones.
    fn shard(&self, fingerprint: u64) -> &RwLock<Shard> {
        let [upper, ..] = fingerprint.to_be_bytes();
        &self.shards[usize::from(upper)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn what_was_added_is_held_and_hardly_anything_else() {
        let filter = Filter::default();
        assert!(filter.is_empty() && !filter.may_hold("a0@x.example"));
        let address = |number: usize| format!("a{number}@x.example");
        for number in 0..200_000 {
            filter.insert(&address(number));
        }
        assert_eq!(filter.len(), 200_000);
        assert!((0..200_000).all(|number| filter.may_hold(&address(number))));
        // 64 bits: even one of these would be a wonder.
        assert!((200_000..400_000).all(|number| !filter.may_hold(&address(number))));
        assert!(!filter.insert(&address(7)));
    }

    #[test]
    fn it_takes_no_more_memory_than_it_says() {
        let filter = Filter::default();
        for number in 0..300_000_usize {
            filter.insert(&format!("a{number}@x.example"));
            if number % 1000 == 0 && number > 50_000 {
                let bytes = filter.bytes() / filter.len();
                assert!(bytes <= Filter::<RandomState>::MAX_BYTES_PER_ADDRESS, "{bytes} at {number}");
            }
        }
    }

    #[test]
    fn threads_see_what_each_other_added() {
        let filter = Filter::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let filter = &filter;
                scope.spawn(move || {
                    for number in 0..20_000 {
                        let address = format!("t{thread}n{number}@x.example");
                        filter.insert(&address);
                        assert!(filter.may_hold(&address));
                    }
                });
            }
        });
        assert_eq!(filter.len(), 80_000);
    }

    /// Gives the fingerprint that the address's text says.
    #[derive(Debug, Clone, Copy)]
    struct ByText;

    struct Text(u64);

    impl BuildHasher for ByText {
        type Hasher = Text;

        fn build_hasher(&self) -> Text {
            Text(0)
        }
    }

    impl std::hash::Hasher for Text {
        fn write(&mut self, bytes: &[u8]) {
            if let Ok(number) = std::str::from_utf8(bytes).unwrap_or_default().parse() {
                self.0 = number;
            }
        }

        fn finish(&self) -> u64 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_fingerprints(
            added in prop::collection::vec(prop_oneof![0_u64..200, any::<u64>(), (0_u64..40).prop_map(|low| low << 32)], 0..400),
            asked in prop::collection::vec(0_u64..400, 0..50),
        ) {
            let filter = Filter::with_hasher(ByText);
            let mut model = HashSet::new();
            for number in &added {
                // No fingerprint is 0: that stands for a place that is free.
                prop_assert_eq!(filter.insert(&number.to_string()), model.insert((*number).max(1)));
            }
            for number in added.iter().chain(&asked) {
                prop_assert_eq!(filter.may_hold(&number.to_string()), model.contains(&(*number).max(1)));
            }
            prop_assert_eq!(filter.len(), model.len());
        }
    }
}
