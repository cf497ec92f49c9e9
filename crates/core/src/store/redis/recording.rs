//! How events come to the records of their addresses.
//!
//! Those of one address are put together as parts, parts of one bucket as batches, which have one entry in each of its streams, and
//! batches as calls of the script: of one bucket, or of any where all slots are one server's. The script runs through a call
//! without a break.

mod parts;

use super::call::Call;
use super::keys;
use super::reply::BETWEEN_NAMES;
use super::{RedisStore, fault, reply};
use crate::store::{ChangeKind, Outcome};
use crate::{Error, Event};
use parts::{ARGUMENTS_OF_DELIVERY, Batch, Group, Part, Together, by_address, by_call};

pub(super) use parts::MAX_EVENTS_PER_BATCH;

/// Stands between the changes of an address that an entry tells of.
pub(super) const BETWEEN_CHANGES: char = ' ';

/// Arguments that a batch has beside those of its parts.
const ARGUMENTS_PER_BATCH: usize = 5;

/// Room for what is told of an event, in bytes.
const BYTES_PER_EVENT: usize = 64;

impl RedisStore {
    pub(super) async fn record_events(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        let together = if self.shared.router.survey().mixes_slots() { Together::All } else { Together::OfABucket };
        let parts = by_address(events);
        let groups = by_call(&parts, events, together);
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
        let mut keys = Vec::with_capacity(2 * group.batches.len() + group.events);
        let mut arguments = 0;
        for batch in &group.batches {
            keys.extend(batch.bucket().into_iter().flat_map(|bucket| [keys::feed(bucket), keys::changes(bucket)]));
            keys.extend(batch.parts.iter().map(|part| keys::record_in(part.bucket, part.address)));
            arguments += ARGUMENTS_PER_BATCH + batch.width * batch.parts.len();
        }
        let call = Call::script_of(&self.shared.scripts.record, keys)
            .of_parts(group.events)
            .expecting(arguments)
            .number(&self.shared.changes_per_bucket)
            .argument(self.shared.publisher.new_records_in(&group.buckets()));
        group.batches.iter().fold(call, |call, batch| with_batch(call, batch, events))
    }
}

/// Adds the arguments of a batch.
fn with_batch(call: Call, batch: &Batch<'_, '_>, events: &[Event]) -> Call {
    let events_of_part = batch.parts.first().map_or(0, Part::len);
    let call = call.number(&batch.parts.len()).number(&batch.width).number(&events_of_part);
    if batch.width == ARGUMENTS_OF_DELIVERY {
        return batch.parts.iter().fold(call, |call, part| call.number(&events[part.first].time.get()));
    }
    let room = BYTES_PER_EVENT * batch.events;
    let (mut names, mut changes) = (String::with_capacity(room), String::with_capacity(room));
    for (place, part) in batch.parts.iter().enumerate() {
        if place > 0 {
            names.push(BETWEEN_NAMES);
            changes.push(BETWEEN_NAMES);
        }
        names.push_str(part.address.as_str());
        push_changes(part, events, &mut changes);
    }
    let call = call.argument(names).argument(changes);
    batch.parts.iter().fold(call, |call, part| with_evidence(call, part, events))
}

fn push_changes(part: &Part<'_>, events: &[Event], text: &mut String) {
    for (place, event) in part.places().map(|place| &events[place]).enumerate() {
        if place > 0 {
            text.push(BETWEEN_CHANGES);
        }
        // A delivery is in no such part.
        if let Some(change) = ChangeKind::of_event(event) {
            text.extend(change.parts());
        }
    }
}

/// Adds the evidence of a part.
fn with_evidence(call: Call, part: &Part<'_>, events: &[Event]) -> Call {
    let call = part.usual.iter().fold(call, |call, usual| call.argument("as").argument(usual));
    let usual = part.usual.as_deref().unwrap_or_default();
    let mut text = String::with_capacity(BYTES_PER_EVENT);
    part.places().filter_map(|place| events[place].evidence()).fold(call, |call, evidence| {
        text.clear();
        evidence.push_beside(usual, &mut text);
        call.argument(evidence.id.as_str()).argument(&text)
    })
}
