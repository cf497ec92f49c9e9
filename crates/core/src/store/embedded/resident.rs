//! Records in memory, as they lie in the tree: a campaign asks for the same recipients as the one before it, and to search the tree
//! for one of them costs more than the verdict on it.
//!
//! What is here is what the tree holds. The writing thread puts in what it has written before it answers; whoever has read a record
//! in the tree offers it, and is refused if anything of that part was written meanwhile. There is a bound: what has no room is in the
//! tree alone.

mod shard;

use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use shard::{Place, Shard};

/// Parts of the whole, each with a lock of its own; a power of two.
const SHARDS: usize = 1024;

/// Records in memory, by the keys that they have in the tree.
pub(super) struct Resident {
    hasher: RandomState,
    shards: Box<[RwLock<Shard>]>,
    max_bytes: usize,
    bytes: AtomicUsize,
}

/// How often what may be offered had been written to, before it was read in the tree.
pub(super) enum AsOf {
    /// Of the part in which one key lies.
    OneKey(u64),
    /// Of each part.
    AllKeys(Vec<u64>),
}

impl Resident {
    /// Room for so many bytes.
    pub(super) fn new(max_bytes: usize) -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self { hasher: RandomState::new(), shards, max_bytes, bytes: AtomicUsize::new(0) }
    }

    /// Reads a record, if it is here. Nothing can be written to its part meanwhile.
    pub(super) fn read<T>(&self, key: &[u8], read: impl FnOnce(&[u8]) -> T) -> Option<T> {
        let hash = self.hasher.hash_one(key);
        let shard = self.shard(hash);
        let place = shard.find(hash, key)?;
        Some(read(shard.value_at(place)))
    }

    /// Looks at what is here of some keys, so that it is at hand when each of them is read. A record is some steps away, and memory is
    /// waited for at each: of many, a processor takes each step at once if nobody's lock lies between.
    pub(super) fn bring_near<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let mut hashes: Vec<u64> = keys.map(|key| self.hasher.hash_one(key)).collect();
        // Locked in their order, and none twice, so that nobody waits for somebody who waits for them.
        hashes.sort_unstable_by_key(|hash| number_of_shard(*hash));
        hashes.dedup_by_key(|hash| number_of_shard(*hash));
        let shards: Vec<_> = hashes.iter().map(|hash| self.shard(*hash)).collect();
        let place = |(shard, hash): (&RwLockReadGuard<'_, Shard>, &u64)| shard.candidate(*hash);
        let places: Vec<Option<Place>> = shards.iter().zip(&hashes).map(place).collect();
        let text = |(shard, place): (&RwLockReadGuard<'_, Shard>, Option<Place>)| shard.first_byte(place?);
        black_box(shards.iter().zip(places).filter_map(text).fold(0, |seen, byte| seen ^ byte));
    }

    /// The hash of a key, for whoever looks for it more than once.
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Takes note of what the tree has at a key by now, which has that hash; none if nothing, or what is too large to be here.
    pub(super) fn put(&self, hash: u64, key: &[u8], value: Option<&[u8]>) {
        let mut shard = self.shard_to_write(hash);
        shard.written += 1;
        let before = shard.bytes();
        shard.remove(hash, key);
        if let Some(value) = value {
            self.add(&mut shard, hash, key, value);
        }
        self.account(before, shard.bytes());
    }

    /// Takes what was read in the tree behind a moment, unless its part was written to since then. Says whether there was room.
    pub(super) fn offer(&self, as_of: &AsOf, key: &[u8], value: &[u8]) -> bool {
        let hash = self.hasher.hash_one(key);
        let written = match as_of {
            AsOf::OneKey(written) => Some(written),
            AsOf::AllKeys(written) => written.get(number_of_shard(hash)),
        };
        let mut shard = self.shard_to_write(hash);
        if written != Some(&shard.written) || shard.find(hash, key).is_some() {
            return true;
        }
        let before = shard.bytes();
        let had_room = self.add(&mut shard, hash, key, value);
        self.account(before, shard.bytes());
        had_room
    }

    /// The present moment, for one key.
    pub(super) fn as_of_one(&self, key: &[u8]) -> AsOf {
        AsOf::OneKey(self.shard(self.hasher.hash_one(key)).written)
    }

    /// The present moment, for whatever is read next.
    pub(super) fn as_of_all(&self) -> AsOf {
        let written = |shard: &RwLock<Shard>| shard.read().unwrap_or_else(PoisonError::into_inner).written;
        AsOf::AllKeys(self.shards.iter().map(written).collect())
    }

    /// What all of it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn add(&self, shard: &mut Shard, hash: u64, key: &[u8], value: &[u8]) -> bool {
        // What is too large to be here says nothing about the room for others.
        let Some(head) = shard::head(key, value) else { return true };
        let entry = [&head, key, value];
        if shard.grows_by(entry) && self.bytes() + shard::length(entry) > self.max_bytes {
            return false;
        }
        shard.insert(hash, entry)
    }

    fn account(&self, before: usize, after: usize) {
        self.bytes.fetch_add(after.wrapping_sub(before), Ordering::Relaxed);
    }

    fn shard(&self, hash: u64) -> RwLockReadGuard<'_, Shard> {
        self.shards[number_of_shard(hash)].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shard_to_write(&self, hash: u64) -> RwLockWriteGuard<'_, Shard> {
        self.shards[number_of_shard(hash)].write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By bits of the upper half: the tables go by the lower one.
fn number_of_shard(hash: u64) -> usize {
    usize::try_from(hash >> 32).unwrap_or_default() % SHARDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    impl Resident {
        fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
            self.read(key, <[u8]>::to_vec)
        }

        fn note(&self, key: &[u8], value: Option<&[u8]>) {
            self.put(self.hash(key), key, value);
        }

        fn all_text(&self) -> Vec<u8> {
            self.shards.iter().flat_map(|shard| shard.read().unwrap().all_bytes()).collect()
        }
    }

    #[test]
    fn what_was_read_before_a_write_is_not_taken_behind_it() {
        let resident = Resident::new(1 << 20);
        for as_of in [|resident: &Resident| resident.as_of_one(b"a"), Resident::as_of_all] {
            let before = as_of(&resident);
            resident.note(b"a", None);
            assert!(resident.offer(&before, b"a", b"old"));
            assert_eq!(resident.get(b"a"), None);
            let now = as_of(&resident);
            assert!(resident.offer(&now, b"a", b"new"));
            // And of two who read at once the first is as good as the second.
            assert!(resident.offer(&now, b"a", b"again"));
            assert_eq!(resident.get(b"a"), Some(b"new".to_vec()));
        }
    }

    #[test]
    fn it_takes_no_more_than_its_room() {
        let resident = Resident::new(1 << 20);
        let key = |number: u32| format!("reader{number}@x.example").into_bytes();
        for number in 0..20_000 {
            resident.note(&key(number), Some(&[7; 60]));
        }
        let held = || (0..20_000).filter(|number| resident.get(&key(*number)).is_some()).count();
        let before = held();
        assert!((8000..12_000).contains(&before), "{before}");
        // The last growth of each shard may go beyond.
        assert!(resident.bytes() < (1 << 20) * 5 / 4, "{}", resident.bytes());
        // More than what any shard has left of its last growth: a smaller one may find room there.
        assert!(!resident.offer(&resident.as_of_all(), b"z@x.example", &[7; 1000]));
        // What is gone makes room.
        for byte in 1..5 {
            (0..20_000).for_each(|number| resident.note(&key(number), Some(&[byte; 60])));
            assert!((0..20_000).filter_map(|number| resident.get(&key(number))).all(|value| value == [byte; 60]));
            assert!(held() > before / 2, "{}", held());
        }
        assert!(resident.bytes() < (1 << 20) * 5 / 4, "{}", resident.bytes());
        // What is written anew and has no room is not there as it was.
        (0..20_000).for_each(|number| resident.note(&key(number), Some(&[8; 300])));
        assert!((0..20_000).filter_map(|number| resident.get(&key(number))).all(|value| value == [8; 300]));
        assert!(held() < before);
    }

    #[test]
    fn nothing_is_left_of_what_is_gone() {
        let resident = Resident::new(1 << 20);
        resident.note(b"gone@x.example", Some(b"evidence"));
        resident.note(b"gone@x.example", Some(b"more evidence"));
        resident.note(b"gone@x.example", None);
        assert!(resident.all_text().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn whoever_brings_records_near_waits_for_nobody_who_waits_for_them() {
        let resident = Resident::new(1 << 20);
        let keys: Vec<Vec<u8>> = (0..300_u32).map(|number| format!("reader{number}@x.example").into_bytes()).collect();
        std::thread::scope(|scope| {
            for thread in 0..3 {
                let (resident, keys) = (&resident, &keys);
                scope.spawn(move || {
                    (0..200).for_each(|round| resident.bring_near(keys.iter().skip((round + thread) % 50).map(Vec::as_slice)));
                });
            }
            (0..20_u8).for_each(|byte| keys.iter().for_each(|key| resident.note(key, Some(&[byte; 60]))));
        });
        assert!(keys.iter().all(|key| resident.get(key) == Some(vec![19; 60])));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_a_map(writes in prop::collection::vec((0_u8..40, prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..90))), 0..600)) {
            let resident = Resident::new(usize::MAX);
            let mut model = HashMap::new();
            for (key, value) in writes {
                let key = [b'k', key];
                resident.note(&key, value.as_deref());
                match value {
                    Some(value) => model.insert(key, value),
                    None => model.remove(&key),
                };
            }
            for key in 0..40 {
                prop_assert_eq!(resident.get(&[b'k', key]), model.get(&[b'k', key]).cloned());
            }
            let bytes: usize = resident.shards.iter().map(|shard| shard.read().unwrap().bytes()).sum();
            prop_assert_eq!(resident.bytes(), bytes);
        }
    }
}
