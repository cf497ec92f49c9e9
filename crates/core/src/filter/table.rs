//! A part of the filter: groups of fingerprints, each in a cache line of its own, and apart from them a byte of each fingerprint.
//! Of nearly every address that was not added the bytes alone tell; they are an eighth as large, and lie in a nearer cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fingerprints in a group.
const GROUP: usize = 8;

/// Bits of a tag: as many as fit into a word for all of a group.
const TAG_BITS: usize = u64::BITS as usize / GROUP;

/// Groups of a table that was never written to.
const FIRST_GROUPS: usize = 2;

/// Of three places at most two are taken: with more, many groups are full, and a look has to go on behind them.
const MOST_TAKEN: (usize, usize) = (2, 3);

/// Stands for a place that is free.
const FREE: u64 = 0;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Group([AtomicU64; GROUP]);

impl Group {
    fn holds(&self, fingerprint: u64) -> bool {
        // All places: where a fingerprint lies is as good as random, and a processor that has to guess it guesses wrong. Whoever sees
        // one sees what was done before it was added.
        self.0.iter().fold(false, |is_held, place| is_held | (place.load(Ordering::Acquire) == fingerprint))
    }
}

/// A byte of each fingerprint of a group, the first place's lowest; [`FREE`] for a place that is free.
#[derive(Debug, Clone, Copy, Default)]
struct Tags(u64);

impl Tags {
    const LOWEST_BITS: u64 = 0x0101_0101_0101_0101;
    const HIGHEST_BITS: u64 = Self::LOWEST_BITS << 7;

    fn have(self, tag: u64) -> bool {
        self.first_place_of(tag).is_some()
    }

    fn first_place_of(self, tag: u64) -> Option<usize> {
        let zero_where_alike = self.0 ^ (tag * Self::LOWEST_BITS);
        // Up to the first byte that is zero none borrows.
        let highest_bits = zero_where_alike.wrapping_sub(Self::LOWEST_BITS) & !zero_where_alike & Self::HIGHEST_BITS;
        (highest_bits != 0).then(|| highest_bits.trailing_zeros() as usize / TAG_BITS)
    }

    fn with(self, place: usize, tag: u64) -> Self {
        Self(self.0 | tag << (place * TAG_BITS))
    }
}

/// The tags of a group that holds nothing.
static NO_TAGS: AtomicU64 = AtomicU64::new(FREE);

/// Where the tags of the two groups are in which a fingerprint is looked for first.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstLook<'a>([&'a AtomicU64; 2]);

impl FirstLook<'_> {
    /// In a table that holds nothing.
    pub(super) const NOWHERE: Self = Self([&NO_TAGS; 2]);

    pub(super) fn tags(self) -> FirstTags {
        FirstTags(self.0.map(|tags| Tags(tags.load(Ordering::Acquire))))
    }
}

/// What those tags are. They tell of nearly every fingerprint that is not there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct FirstTags([Tags; 2]);

impl FirstTags {
    /// Whether the fingerprint is surely in no group.
    pub(super) fn rule_out(self, fingerprint: u64) -> bool {
        let Self([first, second]) = self;
        let tag = tag_of(fingerprint);
        // All of it: whether the first group is full is as good as random, and a processor that has to guess it guesses wrong.
        !first.have(tag) & (first.have(FREE) | (!second.have(tag) & second.have(FREE)))
    }
}

/// A set of fingerprints that has room for so many. Clones share it.
///
/// Any number of threads may look while one adds: a place that is taken stays taken, and by the same fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Table {
    tags: Arc<[AtomicU64]>,
    groups: Arc<[Group]>,
}

impl Table {
    fn with_groups(groups: usize) -> Self {
        Self {
            tags: (0..groups).map(|_| AtomicU64::default()).collect(),
            groups: (0..groups).map(|_| Group::default()).collect(),
        }
    }

    /// A table that holds nothing, and has no room for anything.
    pub(super) fn empty() -> Self {
        Self::with_groups(0)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.tags) + size_of_val(&*self.groups)
    }

    /// Whether one more is to be added to a larger table, when it holds so many.
    pub(super) fn is_full(&self, len: usize) -> bool {
        let (taken, places) = MOST_TAKEN;
        (len + 1) * places > self.groups.len() * GROUP * taken
    }

    pub(super) fn holds(&self, fingerprint: u64) -> bool {
        let fingerprint = taken(fingerprint);
        self.candidates(fingerprint).any(|group| self.groups[group].holds(fingerprint))
    }

    /// The groups in which a fingerprint may be, by their tags.
    fn candidates(&self, fingerprint: u64) -> impl Iterator<Item = usize> {
        let mut had_room = false;
        let with_tags = move |group| {
            let tags = (!had_room).then(|| self.tags_of(group))?;
            had_room = tags.have(FREE);
            Some((group, tags))
        };
        let looked_through = self.groups_from_home(fingerprint).map_while(with_tags);
        looked_through.filter(move |(_, tags)| tags.have(tag_of(fingerprint))).map(|(group, _)| group)
    }

    /// Where to look first for a fingerprint. Memory is not waited for.
    pub(super) fn first_look(&self, fingerprint: u64) -> FirstLook<'_> {
        let home = home(taken(fingerprint), self.tags.len());
        let next = if home + 1 == self.tags.len() { 0 } else { home + 1 };
        let at = |group: usize| self.tags.get(group);
        at(home).zip(at(next)).map_or(FirstLook::NOWHERE, |(first, second)| FirstLook([first, second]))
    }

    /// What lies in the first group in which a fingerprint may be. It says nothing: it is looked at so that it is at hand when it is
    /// needed.
    pub(super) fn glance(&self, fingerprint: u64) -> u64 {
        self.candidates(taken(fingerprint)).next().map_or(FREE, |group| self.groups[group].0[0].load(Ordering::Relaxed))
    }

    /// The same of the group into which it would be added first.
    pub(super) fn glance_home(&self, fingerprint: u64) -> u64 {
        let group = self.groups_from_home(taken(fingerprint)).next();
        group.map_or(FREE, |group| self.tags_of(group).0 ^ self.groups[group].0[0].load(Ordering::Relaxed))
    }

    fn tags_of(&self, group: usize) -> Tags {
        Tags(self.tags[group].load(Ordering::Acquire))
    }

    /// The groups in the order in which a fingerprint is looked for, which ends at the first that has room.
    fn groups_from_home(&self, fingerprint: u64) -> impl Iterator<Item = usize> + use<> {
        let groups = self.groups.len();
        let home = home(fingerprint, groups);
        (home..groups).chain(0..home)
    }

    /// Says whether it is new. Nobody else may add at the same time, and there must be room.
    pub(super) fn insert(&self, fingerprint: u64) -> bool {
        let is_new = !self.holds(fingerprint);
        if is_new {
            self.add(taken(fingerprint));
        }
        is_new
    }

    fn add(&self, fingerprint: u64) {
        for group in self.groups_from_home(fingerprint) {
            let tags = self.tags_of(group);
            if let Some(place) = tags.first_place_of(FREE) {
                self.groups[group].0[place].store(fingerprint, Ordering::Release);
                // Last, since who finds the tag looks there.
                self.tags[group].store(tags.with(place, tag_of(fingerprint)).0, Ordering::Release);
                return;
            }
        }
    }

    /// The same in a table with a quarter more room: twice as much would leave half of the memory free.
    pub(super) fn grown(&self) -> Self {
        let grown = Self::with_groups(FIRST_GROUPS.max(self.groups.len() + self.groups.len() / 4 + 1));
        for place in self.groups.iter().flat_map(|group| &group.0) {
            let fingerprint = place.load(Ordering::Acquire);
            if fingerprint != FREE {
                grown.add(fingerprint);
            }
        }
        grown
    }
}

fn taken(fingerprint: u64) -> u64 {
    fingerprint.max(FREE + 1)
}

/// Of bits that decide neither on the shard nor on the group.
fn tag_of(fingerprint: u64) -> u64 {
    (fingerprint >> 32 & 0xff).max(FREE + 1)
}

/// The group in which a fingerprint is looked for first: its lower half as a share of all groups.
fn home(fingerprint: u64, groups: usize) -> usize {
    let lower = u64::from(u32::try_from(fingerprint & u64::from(u32::MAX)).unwrap_or(u32::MAX));
    usize::try_from((lower * groups as u64) >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn tags_are_bytes(bytes in prop::array::uniform8(prop_oneof![0_u8..3, any::<u8>()]), tag in prop_oneof![0_u8..3, any::<u8>()]) {
            let tags = Tags(u64::from_le_bytes(bytes));
            let place = bytes.iter().position(|byte| *byte == tag);
            prop_assert_eq!(tags.first_place_of(tag.into()), place);
            if let Some(free) = tags.first_place_of(FREE) {
                let mut with = bytes;
                with[free] = tag;
                prop_assert_eq!(tags.with(free, tag.into()).0.to_le_bytes(), with);
            }
        }
    }
}
