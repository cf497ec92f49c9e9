//! What goes together: events as parts, parts as batches, batches as calls.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::store::redis::keys;
use crate::{Address, Event, EventKind, KEPT_DAYS, KEPT_PER_DAY};

/// Most events in one call of the script: Redis does nothing else meanwhile.
const MAX_EVENTS_PER_CALL: usize = 128;

/// Most events in a part: a record that is new keeps as many of one class, whatever their days are.
const MAX_EVENTS_PER_PART: usize = if KEPT_DAYS < KEPT_PER_DAY { KEPT_DAYS } else { KEPT_PER_DAY };

/// Most events in a batch: the bound of changes counts entries, so none of them may be large.
pub(in crate::store::redis) const MAX_EVENTS_PER_BATCH: usize = MAX_EVENTS_PER_PART;

/// Some events of an address, as places in the request: one delivery, or others of which no two are the same.
pub(super) struct Part<'a> {
    pub(super) address: &'a Address,
    pub(super) bucket: u16,
    /// Whether another part of that address was before it.
    pub(super) is_again: bool,
    is_delivery: bool,
    pub(super) first: usize,
    others: Vec<usize>,
    /// What the first event says beside its time, if another one says the same: then it is worth while to tell it once.
    pub(super) usual: Option<String>,
}

impl Part<'_> {
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }

    pub(super) fn len(&self) -> usize {
        1 + self.others.len()
    }

    fn has_room_for(&self, event: &Event, events: &[Event]) -> bool {
        let is_alone = |event: &Event| event.kind == EventKind::Delivered;
        let mut own = self.places().map(|place| &events[place]);
        self.len() < MAX_EVENTS_PER_PART && !is_alone(event) && !own.any(|other| is_alone(other) || other.id == event.id)
    }

    fn find_usual(&self, events: &[Event]) -> Option<String> {
        if self.others.is_empty() {
            return None;
        }
        let what = |place: usize| events[place].evidence().map(|evidence| evidence.to_stored_what());
        let first = what(self.first)?;
        self.others.iter().any(|place| what(*place).as_ref() == Some(&first)).then_some(first)
    }
}

/// Parts of one bucket which are alike, and of different addresses.
pub(super) struct Batch<'p, 'a> {
    pub(super) parts: &'p [Part<'a>],
    pub(super) events: usize,
}

/// Batches that go into one call.
#[derive(Default)]
pub(super) struct Group<'p, 'a> {
    pub(super) batches: Vec<Batch<'p, 'a>>,
    pub(super) events: usize,
}

/// Which batches may go into one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Together {
    OfABucket,
    All,
}

impl<'p, 'a> Group<'p, 'a> {
    pub(super) fn parts(&self) -> impl Iterator<Item = &'p Part<'a>> {
        self.batches.iter().flat_map(|batch| batch.parts)
    }

    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.parts().flat_map(Part::places)
    }

    /// The buckets that may get a new record, each once.
    pub(super) fn new_buckets(&self) -> impl Iterator<Item = u16> {
        let recording = self.batches.iter().filter(|batch| !batch.is_of_deliveries()).map(Batch::bucket);
        let mut latest = None;
        recording.filter(move |bucket| latest.replace(*bucket) != Some(*bucket))
    }

    fn has_room_for(&self, batch: &Batch<'_, '_>, together: Together) -> bool {
        let may_share = together == Together::All || self.batches.last().is_none_or(|last| last.bucket() == batch.bucket());
        may_share && self.events + batch.events <= MAX_EVENTS_PER_CALL
    }
}

impl Batch<'_, '_> {
    pub(super) fn bucket(&self) -> u16 {
        self.parts.first().map_or(0, |part| part.bucket)
    }

    pub(super) fn is_of_deliveries(&self) -> bool {
        self.parts.first().is_some_and(|part| part.is_delivery)
    }
}

/// Puts together what goes to one address, in the order in which it came; buckets lie one behind the other.
pub(super) fn by_address(events: &[Event]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(events.len());
    let mut latest_of: HashMap<&Address, usize> = HashMap::with_capacity(events.len());
    for (place, event) in events.iter().enumerate() {
        let address = &event.recipient;
        let latest = latest_of.entry(address);
        let is_again = matches!(latest, Entry::Occupied(_));
        let latest = latest.or_insert(parts.len());
        if let Some(part) = parts.get_mut(*latest).filter(|part| part.has_room_for(event, events)) {
            part.others.push(place);
        } else {
            *latest = parts.len();
            let (bucket, is_delivery) = (keys::bucket(address.as_str()), event.kind == EventKind::Delivered);
            parts.push(Part { address, bucket, is_again, is_delivery, first: place, others: Vec::new(), usual: None });
        }
    }
    for part in &mut parts {
        part.usual = part.find_usual(events);
    }
    parts.sort_by_key(|part| part.bucket);
    parts
}

/// The batch at the beginning of parts, and the parts behind it.
fn first_batch<'p, 'a>(parts: &'p [Part<'a>]) -> Option<(Batch<'p, 'a>, &'p [Part<'a>])> {
    let first = parts.first()?;
    let mut in_all = first.len();
    let mut end = 1;
    while let Some(part) = parts.get(end)
        && part.bucket == first.bucket
        && part.len() == first.len()
        && part.is_delivery == first.is_delivery
        && in_all + part.len() <= MAX_EVENTS_PER_BATCH
        && parts[..end].iter().all(|other| other.address != part.address)
    {
        in_all += part.len();
        end += 1;
    }
    let (parts, behind) = parts.split_at(end);
    Some((Batch { parts, events: in_all }, behind))
}

/// Puts together what goes into one call, in the order of the parts.
pub(super) fn by_call<'p, 'a>(mut parts: &'p [Part<'a>], together: Together) -> Vec<Group<'p, 'a>> {
    let mut groups: Vec<Group<'p, 'a>> = Vec::new();
    while let Some((batch, behind)) = first_batch(parts) {
        parts = behind;
        if !groups.last().is_some_and(|group| group.has_room_for(&batch, together)) {
            groups.push(Group::default());
        }
        if let Some(group) = groups.last_mut() {
            group.events += batch.events;
            group.batches.push(batch);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn places(events: &[Event]) -> Vec<Vec<usize>> {
        let mut places: Vec<Vec<usize>> = by_address(events).iter().map(|part| part.places().collect()).collect();
        places.sort();
        places
    }

    #[test]
    fn events_of_an_address_go_together_as_long_as_no_order_matters() {
        let [bounce, delivery] = [EventKind::Bounce, EventKind::Delivered];
        let events = [
            Event::bare("a@x.example", 1, bounce),
            Event::bare("b@x.example", 1, bounce),
            Event::bare("a@x.example", 2, bounce),
            // The same again, which is a duplicate of what is recorded by then.
            Event::bare("a@x.example", 1, bounce),
            Event::bare("a@x.example", 3, bounce),
            Event::bare("a@x.example", 4, delivery),
            Event::bare("a@x.example", 5, bounce),
        ];
        assert_eq!(places(&events), [vec![0, 2], vec![1], vec![3, 4], vec![5], vec![6]]);
        let parts = by_address(&events);
        let again: BTreeSet<usize> = parts.iter().filter(|part| part.is_again).map(|part| part.first).collect();
        assert_eq!(again, BTreeSet::from([3, 5, 6]));
        let many: Vec<_> = (0..40).map(|number| Event::bare("a@x.example", number, bounce)).collect();
        assert_eq!(places(&many).iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 8]);
    }

    #[test]
    fn calls_are_bounded_and_of_one_bucket_where_they_must_be() {
        let event = |number| Event::bare(&format!("a{}@x.example", number % 700), number, EventKind::Bounce);
        let events: Vec<_> = (0..3000).map(event).collect();
        for together in [Together::OfABucket, Together::All] {
            let parts = by_address(&events);
            let groups = by_call(&parts, together);
            let mut places: Vec<_> = groups.iter().flat_map(Group::places).collect();
            places.sort_unstable();
            assert_eq!(places, (0..3000).collect::<Vec<_>>());
            for group in groups {
                assert_eq!(group.events, group.places().count());
                assert!(group.events <= MAX_EVENTS_PER_CALL);
                let buckets: Vec<_> = group.new_buckets().collect();
                assert!(buckets.is_sorted_by(|one, other| one < other));
                assert!(together == Together::All || buckets.len() == 1);
                for batch in &group.batches {
                    let addresses: BTreeSet<_> = batch.parts.iter().map(|part| part.address).collect();
                    assert_eq!(addresses.len(), batch.parts.len());
                    assert!(batch.events <= MAX_EVENTS_PER_BATCH);
                    assert!(batch.parts.iter().all(|part| part.bucket == batch.bucket() && part.len() == batch.parts[0].len()));
                }
            }
        }
    }

    #[test]
    fn parts_of_an_address_stay_in_their_order() {
        let of_one: Vec<_> = (0..300).map(|number| Event::bare("a@x.example", number, EventKind::Bounce)).collect();
        let parts = by_address(&of_one);
        let groups = by_call(&parts, Together::OfABucket);
        assert_eq!(groups.iter().map(|group| group.events).collect::<Vec<_>>(), [128, 128, 44]);
        assert!(groups.iter().flat_map(Group::places).is_sorted());
    }
}
