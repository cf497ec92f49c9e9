//! Which addresses have a record: fingerprints in memory, so that a check of any other address needs no store.
//!
//! It only ever says "perhaps" or "surely not". A fingerprint that two addresses share costs one look into the store, and can
//! suppress nobody.

mod fingerprint;
mod table;

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use fingerprint::{Fingerprint, Keyed};
use table::{FirstLook, FirstTags, Table};

/// Parts of the filter, each with a table of its own.
const SHARDS: usize = 256;

/// Addresses that are looked for together.
const ADDRESSES_AT_ONCE: usize = 32;

/// A set of fingerprints of addresses. Grows, and forgets nothing.
///
/// A fingerprint has 64 bits and a key of the process's own, so nobody can make addresses that share one. Takes at most
/// [`Self::MAX_BYTES_PER_ADDRESS`] an address, once there are some thousands of them.
///
/// Whoever looks takes no lock: threads that answer checks would wait for each other, and each lock for all of memory.
#[derive(Debug)]
pub struct Filter<F = Keyed> {
    fingerprint: F,
    /// One table a shard. They are replaced when one of them grows.
    tables: ArcSwap<Vec<Table>>,
    /// How many fingerprints each shard has. Held by whoever adds one.
    lens: Box<[Mutex<usize>]>,
}

impl Default for Filter {
    fn default() -> Self {
        Self::with_fingerprint(Keyed::default())
    }
}

impl<F: Fingerprint> Filter<F> {
    /// Memory for an address, at most, in bytes.
    pub const MAX_BYTES_PER_ADDRESS: usize = 17;

    /// An empty filter whose fingerprints are made in some way.
    fn with_fingerprint(fingerprint: F) -> Self {
        let tables = ArcSwap::from_pointee(vec![Table::empty(); SHARDS]);
        Self { fingerprint, tables, lens: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Adds an address. Says whether its fingerprint is new.
    pub fn insert(&self, address: &str) -> bool {
        self.add(self.fingerprint.of(address))
    }

    /// Adds many. Says of each whether its fingerprint is new.
    ///
    /// Costs less than to add one after the other, which would wait for memory each time.
    pub fn insert_all<'a>(&self, addresses: impl IntoIterator<Item = &'a str>) -> Vec<bool> {
        let mut addresses = addresses.into_iter().peekable();
        let mut are_new = Vec::with_capacity(addresses.size_hint().0);
        while addresses.peek().is_some() {
            let mut fingerprints = [0; ADDRESSES_AT_ONCE];
            let mut number = 0;
            for (fingerprint, address) in fingerprints.iter_mut().zip(&mut addresses) {
                *fingerprint = self.fingerprint.of(address);
                number += 1;
            }
            let tables = self.tables.load();
            let glance = |fingerprint: &u64| tables[shard_of(*fingerprint)].glance_home(*fingerprint);
            bring_near(fingerprints[..number].iter().map(glance));
            are_new.extend(fingerprints[..number].iter().map(|fingerprint| self.add(*fingerprint)));
        }
        are_new
    }

    fn add(&self, fingerprint: u64) -> bool {
        let shard = shard_of(fingerprint);
        let mut len = self.lens[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let tables = self.tables.load();
        let table = &tables[shard];
        if table.is_full(*len) {
            if table.holds(fingerprint) {
                return false;
            }
            let grown = table.grown();
            grown.insert(fingerprint);
            self.replace(shard, &grown);
        } else if !table.insert(fingerprint) {
            return false;
        }
        *len += 1;
        true
    }

    fn replace(&self, shard: usize, grown: &Table) {
        self.tables.rcu(|tables| {
            let mut tables = Vec::clone(tables);
            tables[shard] = grown.clone();
            tables
        });
    }

    /// Whether the address may have been added; `false` if it surely was not.
    #[must_use]
    pub fn may_hold(&self, address: &str) -> bool {
        let fingerprint = self.fingerprint.of(address);
        self.tables.load()[shard_of(fingerprint)].holds(fingerprint)
    }

    /// Which of the addresses may have been added, by their places; the others surely were not.
    ///
    /// Costs less than to ask for one after the other, which would wait for memory each time.
    pub fn held<'a>(&self, addresses: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
        let tables = self.tables.load();
        let table_of = |fingerprint: u64| &tables[shard_of(fingerprint)];
        let mut addresses = addresses.into_iter();
        let mut candidates = Vec::new();
        let mut first = 0;
        loop {
            let mut looked_for = [(0, 0); ADDRESSES_AT_ONCE];
            let mut looks = [FirstLook::NOWHERE; ADDRESSES_AT_ONCE];
            let mut asked = 0;
            for ((looked_for, look), address) in looked_for.iter_mut().zip(&mut looks).zip(&mut addresses) {
                let fingerprint = self.fingerprint.of(address);
                *looked_for = (first + asked, fingerprint);
                *look = table_of(fingerprint).first_look(fingerprint);
                asked += 1;
            }
            // Nothing is decided and nothing else done here, so a processor reads all at once.
            let mut tags = [FirstTags::default(); ADDRESSES_AT_ONCE];
            for (tags, look) in tags.iter_mut().zip(&looks[..asked]) {
                *tags = look.tags();
            }
            let mut not_ruled_out = 0;
            for (number, tags) in tags[..asked].iter().enumerate() {
                let (place, fingerprint) = looked_for[number];
                // Each is written down, and the next one over it if it is ruled out: that is quicker than to guess.
                looked_for[not_ruled_out] = (place, fingerprint);
                not_ruled_out += usize::from(!tags.rule_out(fingerprint));
            }
            candidates.extend_from_slice(&looked_for[..not_ruled_out]);
            first += asked;
            if asked < ADDRESSES_AT_ONCE {
                break;
            }
        }
        bring_near(candidates.iter().map(|(_, fingerprint)| table_of(*fingerprint).glance(*fingerprint)));
        let held = candidates.iter().filter(|(_, fingerprint)| table_of(*fingerprint).holds(*fingerprint));
        held.map(|(place, _)| *place).collect()
    }

    /// How many fingerprints there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lens.iter().map(|len| *len.lock().unwrap_or_else(PoisonError::into_inner)).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much memory they take, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tables.load().iter().map(Table::bytes).sum()
    }
}

/// Looks at what lies in many places. Nothing is decided by it, so a processor reads them all at once; and then they are at hand.
fn bring_near(places: impl Iterator<Item = u64>) {
    black_box(places.fold(0, |seen, place| seen ^ place));
}

/// By the upper bits; the place within the shard goes by the lower ones.
fn shard_of(fingerprint: u64) -> usize {
    let [upper, ..] = fingerprint.to_be_bytes();
    usize::from(upper)
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
        for number in 0..150_000 {
            filter.insert(&address(number));
        }
        let others: Vec<String> = (150_000..200_000).map(address).collect();
        let are_new = filter.insert_all(others.iter().map(String::as_str).chain(["a7@x.example"]));
        assert!(are_new.iter().filter(|is_new| **is_new).count() == 50_000 && are_new.last() == Some(&false));
        assert_eq!(filter.len(), 200_000);
        assert!((0..200_000).all(|number| filter.may_hold(&address(number))));
        // 64 bits: even one of these would be a wonder.
        assert!((200_000..400_000).all(|number| !filter.may_hold(&address(number))));
        let asked: Vec<String> = (199_800..200_200).map(address).collect();
        assert_eq!(filter.held(asked.iter().map(String::as_str)), (0..200).collect::<Vec<_>>());
        assert!(!filter.insert(&address(7)));
    }

    #[test]
    fn it_takes_no_more_memory_than_it_says() {
        let filter = Filter::default();
        for number in 0..300_000_usize {
            filter.insert(&format!("a{number}@x.example"));
            if number % 1000 == 0 && number > 50_000 {
                let bytes = filter.bytes() / filter.len();
                assert!(bytes <= Filter::<Keyed>::MAX_BYTES_PER_ADDRESS, "{bytes} at {number}");
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
                        assert_eq!(filter.held([&*address, "nobody@x.example"]), [0]);
                    }
                });
            }
        });
        assert_eq!(filter.len(), 80_000);
    }

    /// Gives the fingerprint that the address's text says.
    struct ByText;

    impl Fingerprint for ByText {
        fn of(&self, address: &str) -> u64 {
            address.parse().unwrap()
        }
    }

    proptest! {
        #[test]
        fn it_is_a_set_of_fingerprints(
            added in prop::collection::vec(prop_oneof![0_u64..200, any::<u64>(), (0_u64..40).prop_map(|tag| tag << 32), (0_u64..40).prop_map(|tag| tag << 32 | 0xffff_ffff)], 0..400),
            asked in prop::collection::vec(0_u64..400, 0..50),
        ) {
            let filter = Filter::with_fingerprint(ByText);
            let mut model = HashSet::new();
            for number in &added {
                // No fingerprint is 0: that stands for a place that is free.
                prop_assert_eq!(filter.insert(&number.to_string()), model.insert((*number).max(1)));
            }
            let all: Vec<String> = added.iter().chain(&asked).map(u64::to_string).collect();
            let held = filter.held(all.iter().map(String::as_str));
            for (place, number) in added.iter().chain(&asked).enumerate() {
                prop_assert_eq!(filter.may_hold(&number.to_string()), model.contains(&(*number).max(1)));
                prop_assert_eq!(held.contains(&place), model.contains(&(*number).max(1)));
            }
            prop_assert_eq!(filter.len(), model.len());
        }
    }
}
