//! Everything that is known of one address, and which evidence of it is kept.

mod merging;

use std::collections::BTreeSet;

use crate::{Address, Class, Entered, EventId, Evidence, Lift, ManualEntry, Policy, Shelf, Tombstone, UnixSeconds};

/// Newest days of UTC that are kept of a class, among those that have any of its evidence.
pub const KEPT_DAYS: usize = 16;

/// Newest pieces of evidence that are kept of a class in a day of UTC.
pub const KEPT_PER_DAY: usize = 16;

/// How many pieces of evidence of each class were ever kept: for people to read. Verdicts do not look at it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters([u64; Class::ALL.len()]);

impl Counters {
    /// The counter of a class.
    #[must_use]
    pub fn get(&self, class: Class) -> u64 {
        self.0[class as usize]
    }

    /// The counter of a class, to change.
    pub fn get_mut(&mut self, class: Class) -> &mut u64 {
        &mut self.0[class as usize]
    }
}

/// What the store keeps of one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose record it is.
    pub address: Address,
    /// Kept evidence, ordered by time and identity.
    evidence: Vec<Evidence>,
    /// How much was ever kept, a class.
    pub counters: Counters,
    /// The greatest time of a delivery that came when the record was there.
    pub last_delivered: Option<UnixSeconds>,
    /// An operator's entry, if there is one.
    pub manual: Option<ManualEntry>,
    /// The latest lift, if there was one.
    pub lift: Option<Lift>,
    /// Set if it was erased; then it holds nothing else.
    pub tombstone: Option<Tombstone>,
}

/// What became of a piece of evidence that was offered to a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// It is kept, and these had to make room for it.
    Kept {
        /// The identities of the evidence that is no longer kept.
        evicted: Vec<EventId>,
    },
    /// It is there already.
    Duplicate,
    /// It is older than all that would be kept of its class; nothing changed.
    Ignored,
}

impl Record {
    /// The record of an address of which nothing is known yet.
    #[must_use]
    pub fn new(address: Address) -> Self {
        Self {
            address,
            evidence: Vec::new(),
            counters: Counters::default(),
            last_delivered: None,
            manual: None,
            lift: None,
            tombstone: None,
        }
    }

    /// What is left of an address that was erased while it was suppressed.
    #[must_use]
    pub fn erased(address: Address, tombstone: Tombstone) -> Self {
        Self { tombstone: Some(tombstone), ..Self::new(address) }
    }

    /// The same record, of that address.
    #[must_use]
    pub fn named(mut self, address: &Address) -> Self {
        self.address.clone_from(address);
        self
    }

    /// A record as a store kept it. The evidence may come in any order.
    #[must_use]
    pub fn with_evidence(mut self, mut evidence: Vec<Evidence>) -> Self {
        evidence.sort_unstable_by_key(Evidence::order);
        self.evidence = evidence;
        self
    }

    /// The kept evidence, ordered by time and identity.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// How many events of a class were kept once and are no longer.
    #[must_use]
    pub fn no_longer_kept(&self, class: Class) -> u64 {
        self.counters.get(class).saturating_sub(self.kept_of(class))
    }

    fn kept_of(&self, class: Class) -> u64 {
        self.evidence.iter().filter(|kept| kept.class() == class).map(|_| 1).sum()
    }

    /// The record, whose counters tell by now only what is no longer kept, with what is.
    #[must_use]
    pub fn counting_what_is_kept(mut self) -> Self {
        for class in Class::ALL {
            let kept = self.kept_of(class);
            let counter = self.counters.get_mut(class);
            *counter = counter.saturating_add(kept);
        }
        self
    }

    /// Offers evidence to the record.
    ///
    /// Of each class the newest [`KEPT_PER_DAY`] of a day and the newest [`KEPT_DAYS`] days are kept, by time and identity; of
    /// those that have only a time of receipt, [`KEPT_PER_DAY`] by identity alone. What is kept in the end is therefore the same
    /// in whatever order, and however often, the same evidence is offered.
    pub fn admit(&mut self, evidence: Evidence) -> Admission {
        if self.evidence.iter().any(|kept| kept.id == evidence.id) {
            return Admission::Duplicate;
        }
        let class = evidence.class();
        let of_class: Vec<&Evidence> = self.evidence.iter().filter(|kept| kept.class() == class).collect();
        let Some(evicted) = make_room(&of_class, &evidence) else { return Admission::Ignored };
        self.evidence.retain(|kept| !evicted.contains(&kept.id));
        let place = self.evidence.partition_point(|kept| kept.order() < evidence.order());
        self.evidence.insert(place, evidence);
        *self.counters.get_mut(class) += 1;
        Admission::Kept { evicted }
    }

    /// Takes note of a delivery. Says whether it was the latest so far.
    pub fn deliver(&mut self, time: UnixSeconds) -> bool {
        let is_latest = self.last_delivered.is_none_or(|latest| latest < time);
        if is_latest {
            self.last_delivered = Some(time);
        }
        is_latest
    }

    /// Takes an operator's entry in the place of the one there is. A tombstone stays as it is: it suppresses already. Says whether
    /// the record has changed.
    pub fn suppress(&mut self, entry: ManualEntry) -> bool {
        let has_changed = self.tombstone.is_none();
        if has_changed {
            self.manual = Some(entry);
        }
        has_changed
    }

    /// Takes an operator's entry, unless there is one that lasts as long; see [`ManualEntry::answer_beside`]. A tombstone does.
    /// Says what became of it, and whether the record has changed.
    pub fn enter(&mut self, entry: &ManualEntry) -> (Entered, bool) {
        if self.tombstone.is_some() {
            return (Entered::Known, false);
        }
        if let Some(answer) = self.manual.as_ref().and_then(|kept| entry.answer_beside(kept)) {
            return (answer, false);
        }
        self.manual = Some(entry.clone());
        (Entered::Created, true)
    }

    /// Lifts the suppression: an operator's entry goes, and evidence up to now, or up to the newest piece of it if that is
    /// later, no longer counts. A tombstone stays as it is. Says whether the record has changed.
    pub fn lift(&mut self, now: UnixSeconds, who: &str, why: &str) -> bool {
        if self.tombstone.is_some() {
            return false;
        }
        let fence = self.evidence.last().map_or(now, |newest| newest.time.max(now));
        self.manual = None;
        self.lift = Some(Lift { fence, at: now, who: who.to_owned(), why: why.to_owned() });
        true
    }

    /// The record as a check sees it that names an account: the evidence of that account, and of every account what the policy
    /// says.
    #[must_use]
    pub fn seen_by(mut self, policy: &Policy, account: &str) -> Self {
        self.evidence.retain(|kept| &*kept.account == account || policy.counts_for_every_account(policy.class_of(kept)));
        self
    }
}

/// What has to go for new evidence of a class; `None` if it is the new evidence.
fn make_room(of_class: &[&Evidence], new: &Evidence) -> Option<Vec<EventId>> {
    let on_shelf = |shelf: Shelf| of_class.iter().filter(move |kept| kept.shelf() == shelf);
    let shelf = new.shelf();
    if on_shelf(shelf).count() >= KEPT_PER_DAY {
        let least = on_shelf(shelf).min_by_key(|kept| kept.rank())?;
        return (least.rank() < new.rank()).then(|| vec![least.id]);
    }
    let days: BTreeSet<Shelf> = of_class.iter().map(|kept| kept.shelf()).filter(|shelf| *shelf != Shelf::TimeOfReceipt).collect();
    let is_new_day = shelf != Shelf::TimeOfReceipt && !days.contains(&shelf);
    match days.first() {
        Some(oldest) if is_new_day && days.len() >= KEPT_DAYS => {
            (*oldest < shelf).then(|| on_shelf(*oldest).map(|kept| kept.id).collect())
        }
        Some(_) | None => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::DAY_SECONDS;
    use crate::{BounceCategory, EventKind};
    use proptest::prelude::*;

    pub(super) fn evidence(number: i64, seconds: i64, category: &str) -> Evidence {
        Evidence {
            id: EventId::from_bits(number.cast_unsigned()),
            time: UnixSeconds::clamped(seconds),
            is_time_of_receipt: false,
            kind: EventKind::Bounce,
            category: BounceCategory::from_wire(category),
            status: None,
            vmta: "".into(),
            account: "".into(),
            second_opinion: None,
        }
    }

    pub(super) fn record() -> Record {
        Record::new("a@x.example".parse().unwrap())
    }

    /// The rule of retention, word by word, over all evidence at once.
    fn kept_of(mut all: Vec<Evidence>) -> Vec<Evidence> {
        all.sort_by_key(Evidence::order);
        all.dedup_by_key(|evidence| evidence.id);
        let mut kept = Vec::new();
        for class in Class::ALL {
            let of_class = || all.iter().filter(move |evidence| evidence.class() == class);
            let days: BTreeSet<_> = of_class().map(Evidence::shelf).filter(|shelf| *shelf != Shelf::TimeOfReceipt).collect();
            for shelf in days.into_iter().rev().take(KEPT_DAYS).chain([Shelf::TimeOfReceipt]) {
                let mut of_shelf: Vec<_> = of_class().filter(|evidence| evidence.shelf() == shelf).collect();
                of_shelf.sort_by_key(|evidence| evidence.rank());
                kept.extend(of_shelf.into_iter().rev().take(KEPT_PER_DAY).cloned());
            }
        }
        kept.sort_by_key(Evidence::order);
        kept
    }

    #[test]
    fn what_would_not_be_kept_is_not_counted() {
        let mut record = record();
        for minute in 10..26 {
            assert_eq!(record.admit(evidence(minute, 60 * minute, "other")), Admission::Kept { evicted: vec![] });
        }
        assert_eq!(record.admit(evidence(1, 60, "other")), Admission::Ignored);
        assert_eq!(record.counters.get(Class::Unmapped), 16);
        assert_eq!(record.admit(evidence(30, 1800, "other")), Admission::Kept { evicted: vec![EventId::from_bits(10)] });
        assert_eq!(record.admit(evidence(30, 1800, "other")), Admission::Duplicate);
    }

    #[test]
    fn a_seventeenth_day_drives_out_the_oldest() {
        let mut record = record();
        for day in 1..=16 {
            record.admit(evidence(day, day * DAY_SECONDS, "quota-issues"));
        }
        assert_eq!(record.admit(evidence(99, 0, "quota-issues")), Admission::Ignored);
        let newest = evidence(17, 17 * DAY_SECONDS, "quota-issues");
        assert_eq!(record.admit(newest), Admission::Kept { evicted: vec![EventId::from_bits(1)] });
    }

    #[test]
    fn a_lift_fences_off_what_lies_in_the_future_too() {
        let mut record = record();
        record.admit(evidence(1, 500, "bad-mailbox"));
        record.lift(UnixSeconds::clamped(100), "ops", "typo");
        assert_eq!(record.lift.unwrap().fence, UnixSeconds::clamped(500));
    }

    prop_compose! {
        /// Few days with many events and many days with few, so that both bounds are exceeded.
        pub(super) fn histories()(days in 1_i64..40, spread in 1_i64..40, seed in prop::collection::vec((0_i64..400, any::<u16>(), 0..3_usize), 1..400))
            -> Vec<Evidence> {
            seed.into_iter().map(|(number, time, category)| {
                let time = i64::from(time) % days * DAY_SECONDS + i64::from(time) % spread;
                // The identity fixes the event, as it does on the wire.
                let time = time + number % 7 * DAY_SECONDS;
                let evidence = evidence(number * 10_000_000 + time, time, ["quota-issues", "bad-mailbox", "other"][category % 3]);
                Evidence { is_time_of_receipt: number % 5 == 0, ..evidence }
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_does_not_depend_on_order_or_repetition(mut all in histories(), seed in any::<u64>()) {
            // An identity has one category.
            all.sort_by_key(|evidence| evidence.id);
            all.dedup_by_key(|evidence| evidence.id);
            let expected = kept_of(all.clone());
            let mut twice: Vec<_> = all.iter().chain(&all).cloned().collect();
            twice.sort_by_key(|evidence| evidence.time.get().cast_unsigned().wrapping_mul(seed | 1).rotate_left(17) ^ seed);
            let mut record = record();
            for evidence in twice {
                record.admit(evidence);
            }
            prop_assert_eq!(record.evidence(), &expected[..]);
        }

        #[test]
        fn what_comes_again_with_another_time_of_receipt_is_not_kept_again(mut all in histories(), later in 1_i64..100 * DAY_SECONDS) {
            // An identity has one category.
            all.sort_by_key(|evidence| evidence.id);
            all.dedup_by_key(|evidence| evidence.id);
            all.sort_by_key(|evidence| evidence.id.as_str().bytes().rev().collect::<Vec<_>>());
            let mut record = record();
            for evidence in &all {
                record.admit(evidence.clone());
            }
            let before = record.clone();
            for evidence in all {
                let time = if evidence.is_time_of_receipt { evidence.time.plus(later.unsigned_abs()) } else { evidence.time };
                let admission = record.admit(Evidence { time, ..evidence });
                prop_assert!(!matches!(admission, Admission::Kept { .. }), "{:?}", admission);
            }
            prop_assert_eq!(record, before);
        }
    }
}
