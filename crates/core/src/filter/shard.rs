//! A part of the filter: groups of fingerprints, each as long as a cache line, so that a look costs one access to memory.

/// Fingerprints in a group.
const GROUP: usize = 8;

/// Groups of a shard that was never written to.
const FIRST_GROUPS: usize = 2;

/// Of eight places at most seven are taken, or a look would go through too many groups.
const MOST_TAKEN: (usize, usize) = (7, 8);

/// Stands for a place that is free.
const FREE: u64 = 0;

#[derive(Debug, Default)]
pub(super) struct Shard {
    groups: Vec<[u64; GROUP]>,
    len: usize,
}

impl Shard {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> usize {
        self.groups.capacity() * size_of::<[u64; GROUP]>()
    }

    pub(super) fn holds(&self, fingerprint: u64) -> bool {
        let fingerprint = taken(fingerprint);
        for group in self.groups_from_home(fingerprint) {
            // All places at once: where the fingerprint lies in its group is as good as random, and a processor that has to guess
            // it guesses wrong.
            let (mut is_held, mut has_room) = (false, false);
            for found in &self.groups[group] {
                is_held |= *found == fingerprint;
                has_room |= *found == FREE;
            }
            if is_held || has_room {
                return is_held;
            }
        }
        false
    }

    /// The groups in the order in which a fingerprint is looked for, which ends at the first that has room.
    fn groups_from_home(&self, fingerprint: u64) -> impl Iterator<Item = usize> {
        let first = home(fingerprint, self.groups.len());
        (first..self.groups.len()).chain(0..first)
    }

    /// Says whether it is new.
    pub(super) fn insert(&mut self, fingerprint: u64) -> bool {
        let fingerprint = taken(fingerprint);
        let (taken, places) = MOST_TAKEN;
        if (self.len + 1) * places > self.groups.len() * GROUP * taken {
            if self.find(fingerprint).is_some_and(|(_, is_held)| is_held) {
                return false;
            }
            self.grow();
        }
        match self.find(fingerprint) {
            Some((place, false)) => {
                self.groups[place / GROUP][place % GROUP] = fingerprint;
                self.len += 1;
                true
            }
            // There is always a free place: it has grown before it was full.
            Some((_, true)) | None => false,
        }
    }

    /// Where the fingerprint is, or else the free place that it would get.
    fn find(&self, fingerprint: u64) -> Option<(usize, bool)> {
        for group in self.groups_from_home(fingerprint) {
            for (place, found) in self.groups[group].iter().enumerate() {
                if *found == fingerprint || *found == FREE {
                    return Some((group * GROUP + place, *found == fingerprint));
                }
            }
        }
        None
    }

    /// A third more at a time: twice as much would leave half of the memory free.
    fn grow(&mut self) {
        let groups = FIRST_GROUPS.max(self.groups.len() + self.groups.len() / 3 + 1);
        let old = std::mem::take(&mut self.groups);
        self.groups = Vec::with_capacity(groups);
        self.groups.resize(groups, [FREE; GROUP]);
        for fingerprint in old.into_iter().flatten().filter(|fingerprint| *fingerprint != FREE) {
            if let Some((place, _)) = self.find(fingerprint) {
                self.groups[place / GROUP][place % GROUP] = fingerprint;
            }
        }
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
