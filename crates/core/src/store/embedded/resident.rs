//! Records in memory, as they lie in the tree: a campaign asks for the same recipients as the one before it, and to search the tree
//! for one of them costs more than the verdict on it.
//!
//! What is here is what the tree holds. The writing thread puts in what it has written before it answers; whoever has read a record
//! in the tree offers it, and is refused if anything of that part was written meanwhile. There is a bound: what has no room is in the
//! tree alone.

use std::hash::{BuildHasher as _, RandomState};
use std::hint::black_box;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hashbrown::HashTable;

/// Parts of the whole, each with a lock of its own; a power of two.
const SHARDS: usize = 1024;

/// What an entry takes beside the key and the value: the length of each.
const HEAD_BYTES: usize = 1 + 2;

/// A shard's text grows by this part of it, or is written anew when this part of it is gone: twice as much would leave half of the
/// memory free.
const PART_TO_GROW_BY: usize = 8;

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

#[derive(Default)]
struct Shard {
    /// Where the entries begin.
    places: HashTable<u32>,
    /// All entries, one behind the other: the length of the key, the length of the value, the key, the value.
    text: Vec<u8>,
    /// Bytes of entries that are gone.
    unused: usize,
    /// How often something was put in by the writing thread.
    written: u64,
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
        Some(read(&shard.text[value_at(&shard.text, place)]))
    }

    /// Looks at what is here of some keys, so that it is at hand when each of them is read. A record is some steps away, and memory is
    /// waited for at each: of many, a processor takes each step at once if nobody's lock lies between.
    pub(super) fn bring_near<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let mut hashes: Vec<u64> = keys.map(|key| self.hasher.hash_one(key)).collect();
        // Locked in their order, and none twice, so that nobody waits for somebody who waits for them.
        hashes.sort_unstable_by_key(|hash| number_of_shard(*hash));
        hashes.dedup_by_key(|hash| number_of_shard(*hash));
        let shards: Vec<_> = hashes.iter().map(|hash| self.shard(*hash)).collect();
        let place = |(shard, hash): (&RwLockReadGuard<'_, Shard>, &u64)| shard.places.find(*hash, |_| true).copied();
        let places: Vec<Option<u32>> = shards.iter().zip(&hashes).map(place).collect();
        let text = |(shard, place): (&RwLockReadGuard<'_, Shard>, Option<u32>)| shard.text.get(place? as usize).copied();
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
        let (Ok(key_len), Ok(value_len)) = (u8::try_from(key.len()), u16::try_from(value.len())) else { return true };
        let entry_bytes = HEAD_BYTES + key.len() + value.len();
        if shard.grows_by(entry_bytes) && self.bytes() + entry_bytes > self.max_bytes {
            return false;
        }
        shard.make_room(entry_bytes, &self.hasher);
        let Ok(place) = u32::try_from(shard.text.len()) else { return false };
        shard.text.push(key_len);
        shard.text.extend_from_slice(&value_len.to_le_bytes());
        shard.text.extend_from_slice(key);
        shard.text.extend_from_slice(value);
        let Shard { places, text, .. } = shard;
        places.insert_unique(hash, place, |place| self.hasher.hash_one(&text[key_at(text, *place)]));
        true
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

impl Shard {
    fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.places.find(hash, |place| self.text[key_at(&self.text, *place)] == *key).copied()
    }

    /// Removes an entry. Nothing is left of it: it may be somebody's who wants to be forgotten.
    fn remove(&mut self, hash: u64, key: &[u8]) {
        let Self { places, text, unused, .. } = self;
        let Ok(found) = places.find_entry(hash, |place| text[key_at(text, *place)] == *key) else { return };
        let (place, _) = found.remove();
        let entry = entry_at(text, place);
        *unused += entry.len();
        text[entry].fill(0);
    }

    fn has_room(&self, entry_bytes: usize) -> bool {
        self.text.len() + entry_bytes <= self.text.capacity()
    }

    /// Whether it is worth to write it anew without what is gone.
    fn is_sparse(&self) -> bool {
        self.unused > 0 && self.unused >= self.text.len() / PART_TO_GROW_BY
    }

    /// Whether room for an entry takes more memory.
    fn grows_by(&self, entry_bytes: usize) -> bool {
        !self.has_room(entry_bytes) && !self.is_sparse()
    }

    /// Makes room for an entry: by what is gone, where that is worth it, or by more memory.
    fn make_room(&mut self, entry_bytes: usize, hasher: &RandomState) {
        if self.has_room(entry_bytes) {
            return;
        }
        if !self.is_sparse() {
            return self.text.reserve_exact(entry_bytes.max(self.text.len() / PART_TO_GROW_BY));
        }
        let kept = self.text.len() - self.unused;
        let mut text = Vec::with_capacity(kept + entry_bytes.max(kept / PART_TO_GROW_BY));
        let mut places = HashTable::with_capacity(self.places.len());
        for place in &self.places {
            // Less than all that there was, so it fits as that did.
            let moved = u32::try_from(text.len()).unwrap_or(u32::MAX);
            text.extend_from_slice(&self.text[entry_at(&self.text, *place)]);
            places.insert_unique(hasher.hash_one(&self.text[key_at(&self.text, *place)]), moved, |_| 0);
        }
        (self.text, self.places, self.unused) = (text, places, 0);
    }

    fn bytes(&self) -> usize {
        self.text.capacity() + self.places.allocation_size()
    }
}

fn key_at(text: &[u8], place: u32) -> Range<usize> {
    let place = place as usize;
    place + HEAD_BYTES..place + HEAD_BYTES + usize::from(text[place])
}

fn value_at(text: &[u8], place: u32) -> Range<usize> {
    let (head, key) = (place as usize, key_at(text, place));
    key.end..key.end + usize::from(u16::from_le_bytes([text[head + 1], text[head + 2]]))
}

fn entry_at(text: &[u8], place: u32) -> Range<usize> {
    place as usize..value_at(text, place).end
}

/// By bits in the middle: tables go by the lowest and the highest ones.
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
            self.shards.iter().flat_map(|shard| shard.read().unwrap().text.clone()).collect()
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
                    (0..200).for_each(|round| resident.bring_near(keys.iter().skip((round + thread) % 50).map(Vec::as_slice)))
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
