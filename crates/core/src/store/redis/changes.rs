//! The latest changes of the buckets, each bucket's in a stream.
//!
//! Whoever has read up to an entry has missed nothing behind it as long as that entry is still there: a server that took over has
//! the beginning of what its predecessor had, and an entry is removed only when all before it are. So each question asks for the
//! entry that is known as well. Where it is gone, or another one has its id by now, nothing is certain.
//!
//! An entry may tell of several changes that were made at once: of one record, or of several. A place counts them within their
//! entry.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::time::Duration;

use redis::Value;

use super::call::Call;
use super::keys::BUCKETS;
use super::recording::{BETWEEN_CHANGES, MAX_EVENTS_PER_BATCH};
use super::{RedisStore, fault, keys, record_of, reply};
use crate::store::changes::{ERASED, Place, mark_of};
use crate::store::{
    Change, ChangeKind, ChangePage, ChangePosition, ChangeStore, ListingPage, ListingPlace, MAX_CHANGES_PER_PAGE,
};
use crate::{Address, Error, Record};

/// How long it is waited before it is looked whether there are more changes.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Buckets as an index.
const PARTS: usize = BUCKETS as usize;

/// Most changes of a bucket in a page: none waits for those of another one.
const MAX_CHANGES_PER_BUCKET: usize = MAX_CHANGES_PER_PAGE / PARTS;

/// Most changes whose records are read in one go: a check that comes meanwhile waits for no more than these.
const MAX_RECORDS_PER_CALL: usize = 128;

/// The latest change of each bucket.
pub(super) type Places = [Option<Place>; PARTS];

/// Most changes that an entry tells of.
const MAX_CHANGES_PER_ENTRY: u64 = MAX_EVENTS_PER_BATCH as u64;

/// A change as a stream tells of it.
struct Told {
    bucket: u16,
    place: Place,
    address: Address,
    kind: ChangeKind,
}

/// Changes with where they lie; nothing of one that does not name whose record was erased.
type Entries = Vec<(Place, Option<Told>)>;

/// Where the changes of an entry lie, and what it says of them; nothing if it does not name whose record was erased.
fn read_entry(bucket: u16, entry: Value) -> Result<Entries, Error> {
    let mut parts = reply::list(entry)?.into_iter();
    let (Some(id), Some(fields)) = (parts.next(), parts.next()) else { return Err(fault::unexpected_reply()) };
    let id = reply::bytes(id)?.and_then(|id| String::from_utf8(id).ok()).ok_or_else(fault::unexpected_reply)?;
    let damaged = || fault::damaged_field(&keys::changes(bucket), &id);
    let (major, sequence) = id.split_once('-').ok_or_else(fault::unexpected_reply)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| fault::unexpected_reply());
    let major = number(major)?;
    let first = number(sequence)?.checked_mul(MAX_CHANGES_PER_ENTRY).ok_or_else(fault::unexpected_reply)?;
    let mut fields: HashMap<String, Vec<u8>> = reply::fields(fields)?.into_iter().collect();
    let mut text = |name: &str| fields.remove(name).map(String::from_utf8).transpose().map_err(|_| damaged());
    let names = text("a")?;
    let kinds = text("w")?.unwrap_or_default();
    let Some(names) = names else {
        let place = Place { major, minor: first, mark: mark_of(&kinds) };
        return if kinds == ERASED { Ok(vec![(place, None)]) } else { Err(damaged()) };
    };
    let of_address: Vec<&str> = kinds.split(reply::BETWEEN_NAMES).collect();
    let names: Vec<Address> =
        names.split(reply::BETWEEN_NAMES).map(str::parse).collect::<Result<_, _>>().map_err(|_| damaged())?;
    if names.len() != of_address.len() {
        return Err(damaged());
    }
    let kinds = names.iter().zip(of_address).flat_map(|(name, kinds)| kinds.split(BETWEEN_CHANGES).map(move |kind| (name, kind)));
    let told = |(minor, (address, kind)): (u64, (&Address, &str))| {
        let place = Place { major, minor, mark: mark_of(kind) };
        (place, Some(Told { bucket, place, address: address.clone(), kind: ChangeKind::from_stored(kind) }))
    };
    Ok((first..first.saturating_add(MAX_CHANGES_PER_ENTRY)).zip(kinds).map(told).collect())
}

/// The changes of entries, in their order.
fn read_entries(bucket: u16, entries: Value) -> Result<Entries, Error> {
    let mut told = Vec::new();
    for entry in reply::list(entries)? {
        told.append(&mut read_entry(bucket, entry)?);
    }
    Ok(told)
}

/// The changes behind a place, as many as a page takes and perhaps some more; nothing if the first entry does not have that place.
fn read_behind(bucket: u16, known: Option<&Place>, entries: Value) -> Result<Option<Entries>, Error> {
    let mut entries = reply::list(entries)?.into_iter();
    let mut told = Vec::new();
    if let Some(known) = known {
        let Some(first) = entries.next() else { return Ok(None) };
        let mut first = read_entry(bucket, first)?;
        let Some(place) = first.iter().position(|(place, _)| place == known) else { return Ok(None) };
        told.extend(first.drain(..).skip(place + 1));
    }
    while told.len() < MAX_CHANGES_PER_BUCKET
        && let Some(entry) = entries.next()
    {
        told.append(&mut read_entry(bucket, entry)?);
    }
    Ok(Some(told))
}

impl Told {
    fn with(self, record: Option<Record>) -> Change {
        let Self { bucket, place, address, kind } = self;
        let within = match place.minor % MAX_CHANGES_PER_ENTRY {
            0 => String::new(),
            within => format!(".{within}"),
        };
        let id = format!("{bucket:02x}-{}{within}", id_of(&place)).into();
        Change { id, address, kind, record, part: bucket.into(), place }
    }
}

/// The id of the entry in which a change lies.
fn id_of(place: &Place) -> String {
    format!("{}-{}", place.major, place.minor / MAX_CHANGES_PER_ENTRY)
}

fn all_buckets() -> Range<u16> {
    0..BUCKETS
}

/// Looks into a bucket's changes.
fn range(bucket: u16, from: &str, to: &str, count: usize) -> Call {
    Call::command("XRANGE", keys::changes(bucket)).argument(from).argument(to).argument("COUNT").number(&count)
}

/// Asks for known changes, one of each bucket: whoever answers the calls behind these must have them.
pub(super) fn looking_for(known: &[(u16, Place)]) -> impl Iterator<Item = Call> {
    known.iter().map(|(bucket, place)| range(*bucket, &id_of(place), &id_of(place), 1))
}

/// Takes the replies to that.
///
/// # Errors
///
/// As unavailable if one of the changes is not there: whoever answers was replaced, or will be, or no longer keeps it.
pub(super) fn expect(known: &[(u16, Place)], replies: &mut impl Iterator<Item = Value>) -> Result<(), Error> {
    for (bucket, place) in known {
        let found = read_entries(*bucket, replies.next().ok_or_else(fault::unexpected_reply)?)?;
        if found.iter().all(|(found, _)| found != place) {
            return Err(fault::replaced());
        }
    }
    Ok(())
}

/// Asks for the changes behind a place, and for the one that is there.
fn looking_behind(bucket: u16, known: Option<&Place>) -> Call {
    match known {
        Some(place) => range(bucket, &id_of(place), "+", 1 + MAX_CHANGES_PER_BUCKET),
        None => range(bucket, "-", "+", MAX_CHANGES_PER_BUCKET),
    }
}

impl ChangeStore for RedisStore {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        let last = |bucket| {
            let changes = Call::command("XREVRANGE", keys::changes(bucket));
            changes.argument("+").argument("-").argument("COUNT").number(&1)
        };
        let replies = self.read(all_buckets().map(last).collect()).await?;
        let place = |(bucket, reply): (u16, Value)| Ok(read_entries(bucket, reply)?.last().map(|(place, _)| *place));
        let places: Result<Vec<_>, Error> = all_buckets().zip(replies).map(place).collect();
        Ok(ChangePosition::new(places?))
    }

    async fn changes_behind(&self, position: &ChangePosition) -> Result<Option<ChangePage>, Error> {
        let Some(known) = position.parts() else { return Ok(None) };
        let Some((entries, has_more)) = self.entries_behind(known).await? else { return Ok(None) };
        let mut changes = Vec::with_capacity(entries.len());
        let mut unread = entries.into_iter();
        loop {
            let some: Vec<Told> = unread.by_ref().take(MAX_RECORDS_PER_CALL).collect();
            if some.is_empty() {
                return Ok(Some(ChangePage { changes, has_more }));
            }
            changes.append(&mut self.with_records(some).await?);
        }
    }

    async fn records_since(
        &self,
        position: &ChangePosition,
        after: Option<&ListingPlace>,
        limit: usize,
    ) -> Result<ListingPage, Error> {
        self.list_as_of(position.parts().ok_or_else(fault::replaced)?, after, limit).await
    }

    async fn await_changes(&self, _: &ChangePosition) {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

impl RedisStore {
    /// What lies behind the places, and whether there is more; nothing if one of the places is not what it was, or something was
    /// erased.
    async fn entries_behind(&self, known: &Places) -> Result<Option<(Vec<Told>, bool)>, Error> {
        let looks = all_buckets().zip(known).map(|(bucket, known)| looking_behind(bucket, known.as_ref()));
        let replies = self.read(looks.collect()).await?;
        let mut entries = Vec::new();
        let mut has_more = false;
        let mut begun = Vec::new();
        for ((bucket, known), reply) in all_buckets().zip(known).zip(replies) {
            let Some(mut found) = read_behind(bucket, known.as_ref(), reply)? else { return Ok(None) };
            if known.is_none() && !found.is_empty() {
                begun.push(bucket);
            }
            has_more |= found.len() >= MAX_CHANGES_PER_BUCKET;
            found.truncate(MAX_CHANGES_PER_BUCKET);
            entries.append(&mut found);
        }
        let named: Option<Vec<Told>> = entries.into_iter().map(|(_, entry)| entry).collect();
        let is_whole = self.have_all(&begun).await?;
        Ok(named.filter(|_| is_whole).map(|entries| (entries, has_more)))
    }

    /// Whether the buckets still have the first change that they ever had, and all that followed.
    async fn have_all(&self, buckets: &[u16]) -> Result<bool, Error> {
        if buckets.is_empty() {
            return Ok(true);
        }
        let asking = |bucket: &u16| Call::command("XINFO STREAM", keys::changes(*bucket));
        let replies = self.read(buckets.iter().map(asking).collect()).await?;
        for reply in replies {
            let fields = reply::list(reply)?;
            let number_of = |name: &str| {
                let is_it = |field: &&[Value]| matches!(&field[0], Value::BulkString(bytes) if bytes == name.as_bytes());
                let found = fields.chunks_exact(2).find(is_it).ok_or_else(fault::unexpected_reply)?;
                reply::number(&found[1])
            };
            if number_of("length")? != number_of("entries-added")? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts records to entries. Whoever says what is in a record must have the entry: one that was replaced, or is about to, may
    /// not.
    async fn with_records(&self, entries: Vec<Told>) -> Result<Vec<Change>, Error> {
        let newest: BTreeMap<u16, Place> = entries.iter().map(|entry| (entry.bucket, entry.place)).collect();
        let newest: Vec<(u16, Place)> = newest.into_iter().collect();
        let addresses: Vec<&Address> = entries.iter().map(|entry| &entry.address).collect::<BTreeSet<_>>().into_iter().collect();
        let calls = looking_for(&newest).chain(addresses.iter().copied().map(record_of)).collect();
        let mut replies = self.read(calls).await?.into_iter();
        expect(&newest, &mut replies)?;
        let read = |(address, reply): (&Address, Value)| Ok((address.clone(), reply::record(address, reply)?));
        let records: Result<HashMap<Address, Option<Record>>, Error> = addresses.into_iter().zip(replies).map(read).collect();
        let records = records?;
        let with_record = |entry: Told| {
            let record = records.get(&entry.address).cloned().flatten();
            entry.with(record)
        };
        Ok(entries.into_iter().map(with_record).collect())
    }
}
