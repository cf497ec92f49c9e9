//! Erasure in Redis: a record goes, and where no tombstone takes its place its name goes from the streams of its bucket.
//!
//! An entry that is removed from a stream leaves its bytes there, in memory as in the files that Redis writes. So the stream is
//! written anew, a part at a time: Redis does nothing else while it writes one. Names that share an entry of a feed with it stay
//! where they are. Of changes the whole entry goes: whoever follows them begins anew in any case.

use super::call::Call;
use super::keys::{AddressKeys, bucket, left_out, records_of, renewed};
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
            self.forget_in_feed(&keys.feed, address).await?;
            self.forget_in_changes(&keys.changes, address).await?;
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    /// Lets no entry of a feed name an address, nor leaves bytes of that name there. If the address has a record again, it has one
    /// entry.
    async fn forget_in_feed(&self, feed: &str, address: &Address) -> Result<(), Error> {
        let (renewed, left_out) = (renewed(feed), left_out(feed));
        let call = Call::script(&self.shared.scripts.feed_forget, &[&left_out, &renewed]);
        self.write_one(call.argument(address.as_str())).await?;
        let records = records_of(bucket(address.as_str()));
        self.renew(&[feed, &renewed, &left_out], Some(&records)).await
    }

    /// The same of changes. Whoever follows them begins anew.
    async fn forget_in_changes(&self, changes: &str, address: &Address) -> Result<(), Error> {
        let renewed = renewed(changes);
        let keys = [changes, &renewed];
        let mut behind = Vec::new();
        loop {
            let part = Call::script(&self.shared.scripts.stream_forget, &keys)
                .argument(address.as_str())
                .argument(behind)
                .number(&MAX_ENTRIES_PER_PART);
            behind = reply::bytes(self.write_one(part).await?)?.unwrap_or_default();
            if behind.is_empty() {
                return self.renew(&keys, None).await;
            }
        }
    }

    /// Writes a stream anew.
    async fn renew(&self, keys: &[&str], records: Option<&str>) -> Result<(), Error> {
        loop {
            let part = Call::script(&self.shared.scripts.stream_renew, keys).number(&MAX_ENTRIES_PER_PART);
            let part = records.into_iter().fold(part, Call::argument);
            if reply::yes_or_no(&self.write_one(part).await?)? {
                return Ok(());
            }
        }
    }
}

/// What the script compares of a record: counters as they are kept, which an event that is no longer kept has raised.
fn parts(record: &Record) -> impl Iterator<Item = String> {
    let number = |number: u64| if number == 0 { String::new() } else { number.to_string() };
    let counters = Class::ALL.map(|class| number(record.no_longer_kept(class)));
    let delivered = record.last_delivered.map(|time| time.get().to_string()).unwrap_or_default();
    let there = |is_there: bool| if is_there { "1".to_owned() } else { String::new() };
    let others = [record.manual.is_some(), record.lift.is_some(), record.tombstone.is_some()].map(there);
    counters.into_iter().chain([delivered]).chain(others).chain([record.evidence().len().to_string()])
}
