//! How events come to the records of their addresses.
//!
//! Those of one address are put together as parts, and parts as calls of the script: parts of one bucket, or of any where all slots
//! are one server's. The script runs through a call without a break.

use std::collections::{BTreeSet, HashMap};

use super::call::Call;
use super::keys::{self, BUCKETS};
use super::{RedisStore, fault, reply};
use crate::store::{ChangeKind, Outcome};
use crate::{Address, Class, Error, Event, EventKind, Evidence, KEPT_DAYS, KEPT_PER_DAY};

/// Most events in one call of the script: Redis does nothing else meanwhile.
const MAX_EVENTS_PER_CALL: usize = 128;

/// Most events in a part: a record that is new keeps as many of one class, whatever their days are.
pub(super) const MAX_EVENTS_PER_PART: usize = if KEPT_DAYS < KEPT_PER_DAY { KEPT_DAYS } else { KEPT_PER_DAY };

/// Stands between the changes that an entry tells of.
pub(super) const BETWEEN_CHANGES: &str = " ";

/// Arguments that a part has beside two for each of its events, where they are of one class.
const ARGUMENTS_PER_PART: usize = 7;

/// Stands for no call.
const NONE: usize = usize::MAX;

/// Some events of an address, as places in the request: one delivery, or others of which no two are the same.
struct Part<'a> {
    address: &'a Address,
    bucket: u16,
    places: Vec<usize>,
}

impl Part<'_> {
    fn has_room_for(&self, event: &Event, events: &[Event]) -> bool {
        let mut own = self.places.iter().map(|place| &events[*place]);
        let is_alone = |event: &Event| event.kind == EventKind::Delivered;
        self.places.len() < MAX_EVENTS_PER_PART && !is_alone(event) && !own.any(|other| is_alone(other) || other.id == event.id)
    }
}

/// Parts that go into one call.
#[derive(Default)]
struct Group<'a> {
    parts: Vec<Part<'a>>,
    events: usize,
}

/// Which parts may go into one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Together {
    OfABucket,
    All,
}

impl Group<'_> {
    fn places(&self) -> impl Iterator<Item = usize> {
        self.parts.iter().flat_map(|part| part.places.iter().copied())
    }

    fn buckets(&self) -> BTreeSet<u16> {
        self.parts.iter().map(|part| part.bucket).collect()
    }
}

/// Puts together what goes to one address, in the order in which it came.
fn by_address(events: &[Event]) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::with_capacity(events.len());
    let mut latest_of: HashMap<&Address, usize> = HashMap::with_capacity(events.len());
    for (place, event) in events.iter().enumerate() {
        let latest = latest_of.get(&event.recipient).and_then(|index| parts.get_mut(*index));
        if let Some(part) = latest.filter(|part| part.has_room_for(event, events)) {
            part.places.push(place);
        } else {
            latest_of.insert(&event.recipient, parts.len());
            let bucket = keys::bucket(event.recipient.as_str());
            parts.push(Part { address: &event.recipient, bucket, places: vec![place] });
        }
    }
    parts
}

/// Puts together what goes into one call, in the order in which it came.
fn by_call(parts: Vec<Part<'_>>, together: Together) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut latest_of = [NONE; BUCKETS as usize];
    for part in parts {
        let latest = &mut latest_of[if together == Together::All { 0 } else { usize::from(part.bucket) }];
        let has_room = |group: &Group<'_>| group.events + part.places.len() <= MAX_EVENTS_PER_CALL;
        if !groups.get(*latest).is_some_and(has_room) {
            *latest = groups.len();
            groups.push(Group::default());
        }
        if let Some(group) = groups.get_mut(*latest) {
            group.events += part.places.len();
            group.parts.push(part);
        }
    }
    groups
}

impl RedisStore {
    pub(super) async fn record_events(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        let together = if self.shared.router.survey().mixes_slots() { Together::All } else { Together::OfABucket };
        let groups = by_call(by_address(events), together);
        let replies = self.write(groups.iter().map(|group| self.recording(group, events)).collect()).await?;
        let mut outcomes = vec![None; events.len()];
        for (group, reply) in groups.iter().zip(replies) {
            let said = reply::list(reply)?;
            if said.len() != group.events {
                return Err(fault::unexpected_reply());
            }
            for (place, outcome) in group.places().zip(&said) {
                outcomes[place] = Some(reply::outcome(outcome)?);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(fault::unexpected_reply)).collect()
    }

    /// The call that records a group.
    fn recording(&self, group: &Group<'_>, events: &[Event]) -> Call {
        let keys_of =
            |part: &Part<'_>| [keys::feed(part.bucket), keys::changes(part.bucket), keys::record_in(part.bucket, part.address)];
        let call = Call::script_of(&self.shared.scripts.record, group.parts.iter().flat_map(keys_of).collect())
            .of_parts(group.events)
            .expecting(ARGUMENTS_PER_PART * group.parts.len() + 2 * group.events)
            .number(&self.shared.changes_per_bucket)
            .argument(self.shared.publisher.new_records_in(&group.buckets()));
        group.parts.iter().fold(call, |call, part| {
            let evidence: Vec<Evidence> = part.places.iter().filter_map(|place| events[*place].evidence()).collect();
            match (evidence.as_slice(), part.places.as_slice()) {
                ([], [place, ..]) => call.argument("0").number(&events[*place].time.get()),
                (evidence, _) => with_evidence(call, part.address, evidence),
            }
        })
    }
}

/// Adds the evidence of a part.
fn with_evidence(call: Call, address: &Address, evidence: &[Evidence]) -> Call {
    let classes: Vec<Class> = evidence.iter().map(Evidence::class).collect();
    let counts = Class::ALL.map(|class| (class, classes.iter().filter(|other| **other == class).count()));
    let counts = counts.into_iter().filter(|(_, count)| *count > 0);
    let fields = 2 * (evidence.len() + counts.clone().count());
    let change_of = |(evidence, class): (&Evidence, &Class)| {
        ChangeKind::Event { kind: evidence.kind, class: *class, id: evidence.id }.to_stored()
    };
    let changes: Vec<String> = evidence.iter().zip(&classes).map(change_of).collect();
    let usual = evidence.first().map(Evidence::to_stored_what).unwrap_or_default();

    let call = call.number(&evidence.len()).number(&fields).argument(address.as_str());
    let call = call.argument(changes.join(BETWEEN_CHANGES)).argument(&usual);
    let call = evidence.iter().fold(call, |call, evidence| {
        call.joined(&[b"e:", evidence.id.as_str().as_bytes()]).argument(evidence.to_stored_beside(&usual))
    });
    counts.fold(call, |call, (class, count)| call.argument(class.as_str()).number(&count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BounceCategory, EventId, UnixSeconds};

    fn event(recipient: &str, number: u64, kind: EventKind) -> Event {
        Event {
            id: EventId::from_bits(number),
            recipient: recipient.parse().unwrap(),
            time: UnixSeconds::clamped(1),
            is_time_of_receipt: false,
            kind,
            category: BounceCategory::NONE,
            status: None,
            vmta: "".into(),
            account: "".into(),
            second_opinion: None,
        }
    }

    fn places(events: &[Event]) -> Vec<Vec<usize>> {
        by_address(events).into_iter().map(|part| part.places).collect()
    }

    #[test]
    fn events_of_an_address_go_together_as_long_as_no_order_matters() {
        let [bounce, delivery] = [EventKind::Bounce, EventKind::Delivered];
        let events = [
            event("a@x.example", 1, bounce),
            event("b@x.example", 1, bounce),
            event("a@x.example", 2, bounce),
            // The same again, which is a duplicate of what is recorded by then.
            event("a@x.example", 1, bounce),
            event("a@x.example", 3, bounce),
            event("a@x.example", 4, delivery),
            event("a@x.example", 5, bounce),
        ];
        assert_eq!(places(&events), [vec![0, 2], vec![1], vec![3, 4], vec![5], vec![6]]);
        let many: Vec<_> = (0..40).map(|number| event("a@x.example", number, bounce)).collect();
        assert_eq!(places(&many).iter().map(Vec::len).collect::<Vec<_>>(), [16, 16, 8]);
    }

    #[test]
    fn calls_are_bounded_and_of_one_bucket_where_they_must_be() {
        let event = |number| event(&format!("a{}@x.example", number % 700), number, EventKind::Bounce);
        let events: Vec<_> = (0..3000).map(event).collect();
        for together in [Together::OfABucket, Together::All] {
            let groups = by_call(by_address(&events), together);
            let mut places: Vec<_> = groups.iter().flat_map(Group::places).collect();
            places.sort_unstable();
            assert_eq!(places, (0..3000).collect::<Vec<_>>());
            for group in groups {
                assert_eq!(group.events, group.places().count());
                assert!(group.events <= MAX_EVENTS_PER_CALL);
                assert!(together == Together::All || group.buckets().len() == 1);
            }
        }
    }

    #[test]
    fn parts_of_an_address_stay_in_their_order() {
        let of_one: Vec<_> = (0..300).map(|number| event("a@x.example", number, EventKind::Bounce)).collect();
        let groups = by_call(by_address(&of_one), Together::OfABucket);
        assert_eq!(groups.iter().map(|group| group.events).collect::<Vec<_>>(), [128, 128, 44]);
        assert!(groups.iter().flat_map(Group::places).is_sorted());
    }
}
