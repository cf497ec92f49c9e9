//! Two records of one address: where it has two names, what is known of it lies under both.

use super::{Admission, Record};
use crate::Class;

impl Record {
    /// What is known of an address together with what another record of it knows, under this one's address. An event that both
    /// have is one. A tombstone of either is all there is.
    #[must_use]
    pub fn merged_with(mut self, other: Self) -> Self {
        if let Some(tombstone) = self.tombstone.or(other.tombstone) {
            return Self::erased(self.address, tombstone);
        }
        let mut counters = self.counters;
        for class in Class::ALL {
            *counters.get_mut(class) += other.counters.get(class);
        }
        for evidence in other.evidence {
            let class = evidence.class();
            if self.admit(evidence) == Admission::Duplicate {
                *counters.get_mut(class) = counters.get(class).saturating_sub(1);
            }
        }
        self.counters = counters;
        self.last_delivered = self.last_delivered.max(other.last_delivered);
        self.manual = [self.manual, other.manual].into_iter().flatten().max_by_key(|entry| entry.since);
        self.lift = [self.lift, other.lift].into_iter().flatten().max_by_key(|lift| lift.fence);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{evidence, histories, record};
    use super::*;
    use crate::{ManualEntry, Tombstone, UnixSeconds};

    #[test]
    fn two_records_of_an_address_are_one() {
        let entry = |seconds, note: &str| {
            Some(ManualEntry {
                since: UnixSeconds::clamped(seconds),
                until: None,
                who: String::new(),
                note: note.into(),
                request_id: None,
            })
        };
        let mut one = Record { manual: entry(5, "first"), ..record() };
        let mut other = Record { manual: entry(6, "second"), ..Record::new("b@x.example".parse().unwrap()) };
        for number in 1..4 {
            one.admit(evidence(number, 100, "quota-issues"));
            other.admit(evidence(number + 1, 100, "quota-issues"));
        }
        other.deliver(UnixSeconds::clamped(7));
        other.lift(UnixSeconds::clamped(200), "ops", "typo");
        other.manual = entry(6, "second");
        for together in [
            one.clone().merged_with(other.clone()),
            Record { address: one.address.clone(), ..other.clone().merged_with(one.clone()) },
        ] {
            assert_eq!((&together.address, together.evidence().len()), (&one.address, 4));
            assert_eq!(together.counters.get(Class::Soft), 4);
            assert_eq!(
                (&together.manual, &together.lift, together.last_delivered),
                (&entry(6, "second"), &other.lift, other.last_delivered)
            );
        }
        let tombstone = Tombstone { erased_at: UnixSeconds::clamped(9), reason: crate::Reason::Manual };
        let erased = Record::erased(one.address.clone(), tombstone);
        assert_eq!(one.clone().merged_with(erased.clone()), erased);
        assert_eq!(erased.clone().merged_with(one), erased);
    }

    proptest! {
        #[test]
        fn a_history_in_two_records_is_that_of_one(mut all in histories(), seed in any::<u64>()) {
            // An identity has one category.
            all.sort_by_key(|evidence| evidence.id);
            all.dedup_by_key(|evidence| evidence.id);
            let (mut whole, mut parts) = (record(), [record(), record()]);
            for evidence in all {
                whole.admit(evidence.clone());
                // Some of it is in both.
                match (seed ^ evidence.time.get().cast_unsigned()) % 3 {
                    2 => parts.iter_mut().for_each(|part| drop(part.admit(evidence.clone()))),
                    place => drop(parts[usize::from(place == 1)].admit(evidence)),
                }
            }
            let [one, other] = parts;
            let merged = one.merged_with(other);
            prop_assert_eq!(merged.evidence(), whole.evidence());
        }
    }
}
