//! A part of the filter: groups of fingerprints, each in a cache line of its own, so that a look costs one access to memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fingerprints in a group.
const GROUP: usize = 8;

/// Groups of a table that was never written to.
const FIRST_GROUPS: usize = 2;

/// Of eight places at most seven are taken, or a look would go through too many groups.
const MOST_TAKEN: (usize, usize) = (7, 8);

/// Stands for a place that is free.
const FREE: u64 = 0;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Group([AtomicU64; GROUP]);

/// A set of fingerprints that has room for so many. Clones share it.
///
/// Any number of threads may look while one adds: a place that is taken stays taken, and by the same fingerprint.
#[derive(Debug, Clone)]
pub(super) struct Table {
    groups: Arc<[Group]>,
}

impl Table {
    fn with_groups(groups: usize) -> Self {
        Self { groups: (0..groups).map(|_| Group::default()).collect() }
    }

    /// A table that holds nothing, and has no room for anything.
    pub(super) fn empty() -> Self {
        Self::with_groups(0)
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.groups)
    }

    /// Whether one more is to be added to a larger table, when it holds so many.
    pub(super) fn is_full(&self, len: usize) -> bool {
        let (taken, places) = MOST_TAKEN;
        (len + 1) * places > self.groups.len() * GROUP * taken
    }

    pub(super) fn holds(&self, fingerprint: u64) -> bool {
        let fingerprint = taken(fingerprint);
        for group in self.groups_from_home(fingerprint) {
            // All places at once: where the fingerprint lies in its group is as good as random, and a processor that has to guess
            // it guesses wrong.
            let (mut is_held, mut has_room) = (false, false);
            for place in &group.0 {
                // Whoever sees a fingerprint that says so sees what was done before it was added.
                let found = place.load(Ordering::Acquire);
                is_held |= found == fingerprint;
                has_room |= found == FREE;
            }
            if is_held || has_room {
                return is_held;
            }
        }
        false
    }

    /// What lies in the first place that a fingerprint could have. It says nothing: it is looked at so that the group is at hand
    /// when it is asked for.
    pub(super) fn glance(&self, fingerprint: u64) -> u64 {
        let home = self.groups.get(home(taken(fingerprint), self.groups.len()));
        home.map_or(FREE, |group| group.0[0].load(Ordering::Relaxed))
    }

    /// The groups in the order in which a fingerprint is looked for, which ends at the first that has room.
    fn groups_from_home(&self, fingerprint: u64) -> impl Iterator<Item = &Group> {
        let (before, from) = self.groups.split_at(home(fingerprint, self.groups.len()));
        from.iter().chain(before)
    }

    /// Says whether it is new. Nobody else may add at the same time, and there must be room.
    pub(super) fn insert(&self, fingerprint: u64) -> bool {
        let fingerprint = taken(fingerprint);
        for place in self.groups_from_home(fingerprint).flat_map(|group| &group.0) {
            let found = place.load(Ordering::Acquire);
            if found == FREE {
                place.store(fingerprint, Ordering::Release);
                return true;
            }
            if found == fingerprint {
                return false;
            }
        }
        false
    }

    /// The same in a table with a third more room: twice as much would leave half of the memory free.
    pub(super) fn grown(&self) -> Self {
        let grown = Self::with_groups(FIRST_GROUPS.max(self.groups.len() + self.groups.len() / 3 + 1));
        for place in self.groups.iter().flat_map(|group| &group.0) {
            let fingerprint = place.load(Ordering::Acquire);
            if fingerprint != FREE {
                grown.insert(fingerprint);
            }
        }
        grown
    }
}

fn taken(fingerprint: u64) -> u64 {
    fingerprint.max(FREE + 1)
}

/// The group in which a fingerprint is looked for first: its lower half as a share of all groups.
fn home(fingerprint: u64, groups: usize) -> usize {
    let lower = u64::from(u32::try_from(fingerprint & u64::from(u32::MAX)).unwrap_or(u32::MAX));
    usize::try_from((lower * groups as u64) >> 32).unwrap_or(0)
}
