//! How events come to the records of their addresses.
//!
//! Those of one address are put together as parts, parts of one bucket as batches, which have one entry in each of its streams, and
//! batches as calls of the script: of one bucket, or of any where all slots are one server's. The script runs through a call
//! without a break.

mod parts;

use super::call::Call;
use super::keys::Bucket;
use super::reply::{BEHIND_NAME, BETWEEN_FIELDS, BETWEEN_NAMES, USUAL};
use super::{RedisStore, fault, reply};
use crate::store::{ChangeKind, Outcome};
use crate::{Error, Event};
use parts::{Batch, Group, Part, Together, by_address, by_call};

pub(super) use parts::MAX_EVENTS_PER_BATCH;

/// Stands between the changes of an address that an entry tells of.
pub(super) const BETWEEN_CHANGES: char = ' ';

/// Keys that a batch has beside its records, and arguments beside their texts: both streams, and what goes into them.
const WORDS_PER_BATCH: usize = 2 * 2;

/// Words that an event has: the key and the text of its record.
const WORDS_PER_EVENT: usize = 2;

/// Words that a call has beside those of its batches.
const WORDS_PER_CALL: usize = 3;

/// Room for an event in a call, in bytes.
const BYTES_PER_EVENT: usize = 256;

/// Room for what is told of an event, in bytes.
const BYTES_TOLD_OF_EVENT: usize = 64;

/// To remove what is old of the changes costs as much as to tell of a new one, so it is done where an identity ends so: one in
/// sixteen does, and whatever the rhythm of events is, no bucket is left out.
const TRIMS_BEHIND: char = '8';

impl RedisStore {
    pub(super) async fn record_events(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        let together = if self.shared.router.survey().mixes_slots() { Together::All } else { Together::OfABucket };
        let parts = by_address(events);
        let groups = by_call(&parts, together);
        let replies = self.write(groups.iter().map(|group| self.recording(group, events)).collect()).await?;
        let mut outcomes = vec![None; events.len()];
        for (group, reply) in groups.iter().zip(replies) {
            let said = reply::bytes(reply)?.filter(|said| said.len() == group.events).ok_or_else(fault::unexpected_reply)?;
            for (place, letter) in group.places().zip(said) {
                outcomes[place] = Some(reply::outcome(letter)?);
            }
        }
        outcomes.into_iter().map(|outcome| outcome.ok_or_else(fault::unexpected_reply)).collect()
    }

    /// The call that records a group.
    fn recording(&self, group: &Group<'_, '_>, events: &[Event]) -> Call {
        let words = WORDS_PER_CALL + WORDS_PER_BATCH * group.batches.len() + WORDS_PER_EVENT * group.events;
        let mut call = Call::script(&self.shared.scripts.record, &[])
            .of_parts(group.events)
            .expecting(words, BYTES_PER_EVENT * group.events);
        for batch in &group.batches {
            let bucket = Bucket::of_number(batch.bucket());
            if !batch.is_of_deliveries() {
                call.add_key(&bucket.feed());
                call.add_key(&bucket.changes());
            }
            for part in batch.parts {
                call.add_key(&bucket.record(part.address));
            }
        }
        call.add(self.shared.changes_per_bucket.to_string());
        call.add(self.shared.publisher.new_records_in(group.new_buckets()));
        call.add(counts(group, events));
        let mut text = String::with_capacity(BYTES_TOLD_OF_EVENT * MAX_EVENTS_PER_BATCH);
        for batch in &group.batches {
            add_batch(&mut call, batch, events, &mut text);
        }
        call
    }
}

/// What the script is to know of the batches, in bytes: whether each record is in but one of them; how many parts each has, how
/// many events each of those, and whether old changes go.
fn counts(group: &Group<'_, '_>, events: &[Event]) -> Vec<u8> {
    let byte = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
    let mut counts = vec![u8::from(group.parts().all(|part| !part.is_again))];
    for batch in &group.batches {
        let of_part = if batch.is_of_deliveries() { 0 } else { batch.events / batch.parts.len().max(1) };
        let last = batch.parts.last().and_then(|part| part.places().last());
        let trims = last.is_some_and(|place| events[place].id.as_str().ends_with(TRIMS_BEHIND));
        counts.extend([byte(batch.parts.len()), byte(of_part), u8::from(trims)]);
    }
    counts
}

/// Adds the arguments of a batch. Each is made in a text whose room is used again.
fn add_batch(call: &mut Call, batch: &Batch<'_, '_>, events: &[Event], text: &mut String) {
    if batch.is_of_deliveries() {
        for part in batch.parts {
            call.add(events[part.first].time.get().to_string());
        }
        return;
    }
    text.clear();
    for (place, part) in batch.parts.iter().enumerate() {
        text.extend((place > 0).then_some(BETWEEN_NAMES));
        text.push_str(part.address.as_str());
    }
    call.add(&*text);
    text.clear();
    for (place, part) in batch.parts.iter().enumerate() {
        text.extend((place > 0).then_some(BETWEEN_NAMES));
        push_changes(part, events, text);
    }
    call.add(&*text);
    for part in batch.parts {
        text.clear();
        push_evidence(part, events, text);
        call.add(&*text);
    }
}

fn push_changes(part: &Part<'_>, events: &[Event], text: &mut String) {
    for (place, event) in part.places().map(|place| &events[place]).enumerate() {
        text.extend((place > 0).then_some(BETWEEN_CHANGES));
        // A delivery is in no such part.
        if let Some(change) = ChangeKind::of_event(event) {
            text.extend(change.parts());
        }
    }
}

/// Adds the text of a new record that has the evidence of a part.
fn push_evidence(part: &Part<'_>, events: &[Event], text: &mut String) {
    if let Some(usual) = &part.usual {
        text.push_str(USUAL);
        text.push(BEHIND_NAME);
        text.push_str(usual);
        text.push(BETWEEN_FIELDS);
    }
    let usual = part.usual.as_deref().unwrap_or_default();
    for event in part.places().map(|place| &events[place]) {
        text.push_str(event.id.as_str());
        text.push(BEHIND_NAME);
        event.push_stored_beside(usual, text);
        text.push(BETWEEN_FIELDS);
    }
}
