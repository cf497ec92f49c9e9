//! Erasure in Redis: a record goes, and where no tombstone takes its place its name goes from the streams of its bucket.
//!
//! An entry that is removed from a stream leaves its bytes there, in memory as in the files that Redis writes. So the stream is
//! written anew, a part at a time: Redis does nothing else while it writes one.

use super::call::Call;
use super::keys::{AddressKeys, renewed};
use super::{RedisStore, reply, to_json};
use crate::{Address, Class, Erased, Erasure, Error, Record, Tombstone};

/// Most entries of a stream that are looked through, or written anew, in one go.
const MAX_ENTRIES_PER_PART: usize = 1000;

/// What the script says of a record that is another one than was seen.
const CHANGED: i64 = -1;

impl RedisStore {
    pub(super) async fn erase_record(
        &self,
        address: &Address,
        seen: Option<&Record>,
        tombstone: Option<Tombstone>,
    ) -> Result<Erasure, Error> {
        let keys = AddressKeys::of(address);
        let tombstone_text = tombstone.as_ref().map(to_json).transpose()?.unwrap_or_default();
        let mut call = Call::script(&self.shared.scripts.erase, &[&keys.record, &keys.feed, &keys.changes])
            .argument(address.as_str())
            .number(&self.shared.changes_per_bucket)
            .argument(tombstone_text);
        for part in seen.into_iter().flat_map(parts) {
            call = call.argument(part);
        }
        let had_record = match reply::number(&self.write_one(call).await?)? {
            CHANGED => return Ok(Erasure::Changed),
            gone => gone == 1,
        };
        if tombstone.is_none() {
            self.forget_name(&keys.feed, Some(&keys.record), address).await?;
            self.forget_name(&keys.changes, None, address).await?;
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    /// Lets no entry of a stream name an address, nor leaves bytes of such entries there. If the stream is a feed, and the address
    /// has a record again, it has one entry.
    async fn forget_name(&self, stream: &str, of_record: Option<&str>, address: &Address) -> Result<(), Error> {
        let renewed = renewed(stream);
        let keys = [stream, &renewed];
        let with_record: Vec<&str> = keys.into_iter().chain(of_record).collect();
        let mut behind = Vec::new();
        loop {
            let part = Call::script(&self.shared.scripts.stream_forget, &with_record)
                .argument(address.as_str())
                .argument(behind)
                .number(&MAX_ENTRIES_PER_PART);
            behind = reply::bytes(self.write_one(part).await?)?.unwrap_or_default();
            if behind.is_empty() {
                break;
            }
        }
        loop {
            let part = Call::script(&self.shared.scripts.stream_renew, &keys).number(&MAX_ENTRIES_PER_PART);
            if reply::yes_or_no(&self.write_one(part).await?)? {
                return Ok(());
            }
        }
    }
}

/// What the script compares of a record. Each piece of evidence that is kept raises a counter.
fn parts(record: &Record) -> impl Iterator<Item = String> {
    let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let counters = [Class::Hard, Class::Soft, Class::Expired, Class::Unmapped, Class::Complaint];
    let counters = counters.map(|class| number(record.counters.get(class)));
    let delivered = record.last_delivered.map(|time| time.get().to_string()).unwrap_or_default();
    let there = |is_there: bool| if is_there { "1".to_owned() } else { String::new() };
    let others = [record.manual.is_some(), record.lift.is_some(), record.tombstone.is_some()].map(there);
    counters.into_iter().chain([delivered]).chain(others)
}
