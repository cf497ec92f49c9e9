//! All records, by the feeds of the buckets.

use std::collections::{BTreeSet, HashSet};

use redis::Value;

use super::call::Call;
use super::changes::{Places, expect, looking_for};
use super::keys::BUCKETS;
use super::node::Door;
use super::{RedisStore, fault, keys, record_of, reply};
use crate::store::changes;
use crate::store::listing::no_place;
use crate::store::{ListingPage, ListingPlace, ListingStore, MAX_RECORDS_PER_PAGE, Progress};
use crate::{Address, Error, Record};

/// Most feeds that are looked at in one go.
const MAX_FEEDS_PER_CALL: u16 = 64;

/// How many an entry of a feed is taken to name, where many came at once. Where it is fewer, a page takes more looks.
const PRESUMED_NAMES_PER_ENTRY: usize = 4;

/// Fewest entries of a feed that are asked for, unless fewer records are wanted.
const FEWEST_ENTRIES_PER_LOOK: usize = 64;

/// Most records that are read in one go: a check that comes meanwhile waits for no more than these.
const MAX_RECORDS_PER_CALL: usize = 128;

/// Most fields of a page, but for those that were read with the last of them: records may be large.
const MAX_FIELDS_PER_PAGE: usize = 16_384;

/// Behind an entry of a feed, or within it.
#[derive(Clone)]
struct Place {
    bucket: u16,
    /// The id of the entry; none at the beginning of the feed.
    entry: String,
    /// How many of its lines are done, if that is not known to be all of them.
    lines: Option<usize>,
}

/// The id of an entry that no feed has, since it is before all others.
const BEFORE_ALL: &str = "0-0";

impl Place {
    fn beginning_of(bucket: u16) -> Self {
        Self { bucket, entry: BEFORE_ALL.to_owned(), lines: None }
    }

    fn read(place: &ListingPlace) -> Option<Self> {
        let (bucket, rest) = place.0.split_once(' ')?;
        let (entry, lines) = rest.split_once(' ').map_or((rest, None), |(entry, lines)| (entry, Some(lines)));
        let lines = lines.map(str::parse).transpose().ok()?;
        let bucket = u16::from_str_radix(bucket, 16).ok().filter(|number| *number < BUCKETS && bucket.len() == 2)?;
        let (milliseconds, number) = entry.split_once('-')?;
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u64>().is_ok();
        (is_number(milliseconds) && is_number(number)).then(|| Self { bucket, entry: entry.to_owned(), lines })
    }

    fn write(&self) -> ListingPlace {
        let lines = self.lines.map(|lines| format!(" {lines}")).unwrap_or_default();
        ListingPlace(format!("{:02x} {}{lines}", self.bucket, self.entry))
    }

    /// From where the feed is read on.
    fn begin(&self) -> String {
        let behind = if self.lines.is_none() { "(" } else { "" };
        format!("{behind}{}", self.entry)
    }

    /// How many lines of an entry are done.
    fn lines_done_of(&self, bucket: u16, entry: &str) -> usize {
        self.lines.filter(|_| self.bucket == bucket && self.entry == entry).unwrap_or_default()
    }
}

/// A record as its feed names it.
struct Entry {
    /// Behind its line.
    place: Place,
    line: usize,
    address: Address,
}

impl ListingStore for RedisStore {
    /// A place is a bucket, the id of an entry in its feed, and how many of its lines are done if that is not all of it.
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        self.list_as_of(&[None; BUCKETS as usize], after, limit).await
    }
}

impl RedisStore {
    /// A page that is given only by servers that have those changes.
    pub(super) async fn list_as_of(
        &self,
        known: &Places,
        after: Option<&ListingPlace>,
        limit: usize,
    ) -> Result<ListingPage, Error> {
        let place = after.map_or_else(|| Some(Place::beginning_of(0)), Place::read).ok_or_else(no_place)?;
        let limit = limit.clamp(1, MAX_RECORDS_PER_PAGE);
        let _room = self.room_for_reads(limit)?;
        self.within(self.deadlines().read_deadline, self.page(known, place, limit)).await
    }

    async fn page(&self, known: &Places, mut place: Place, limit: usize) -> Result<ListingPage, Error> {
        let mut entries = Vec::new();
        // Each look at the feeds is at twice as many: full ones are not read in vain, and empty ones cost no call each.
        let mut feeds = 1;
        while entries.len() < limit && place.bucket < BUCKETS {
            place = self.look(known, place, feeds, limit, &mut entries).await?;
            feeds = (2 * feeds).min(MAX_FEEDS_PER_CALL);
        }
        // A whole domain is told in every bucket, and listed in its own. A record that was removed by hand and made again has two
        // entries, which a page shows once.
        let mut named = HashSet::with_capacity(entries.len());
        entries.retain(|Entry { place, address, .. }| {
            keys::bucket(address.as_str()) == place.bucket && named.insert(address.clone())
        });
        let mut records = Vec::with_capacity(entries.len());
        let mut fields = 0;
        let mut unread = &entries[..];
        while let Some((some, others)) = unread.split_at_checked(unread.len().min(MAX_RECORDS_PER_CALL))
            && let Some(last) = some.last()
        {
            fields += self.read_records(known, some, &mut records).await?;
            unread = others;
            if fields >= MAX_FIELDS_PER_PAGE && !unread.is_empty() {
                place = last.place.clone();
                break;
            }
        }
        let progress = Progress { done: place.bucket.into(), total: BUCKETS.into() };
        let next = (place.bucket < BUCKETS).then(|| place.write());
        Ok(ListingPage { records, next, progress })
    }

    /// Looks for entries in some feeds, and says where to look next.
    async fn look(
        &self,
        known: &Places,
        from: Place,
        feeds: u16,
        limit: usize,
        entries: &mut Vec<Entry>,
    ) -> Result<Place, Error> {
        let wanted = limit - entries.len();
        // An entry names one recipient or several.
        let asked = wanted.min(FEWEST_ENTRIES_PER_LOOK.max(wanted / PRESUMED_NAMES_PER_ENTRY));
        let buckets = from.bucket..from.bucket.saturating_add(feeds).min(BUCKETS);
        let look_at = |bucket| {
            let begin = if bucket == from.bucket { from.begin() } else { BEFORE_ALL.to_owned() };
            Call::command("XRANGE", keys::feed(bucket)).argument(begin).argument("+").argument("COUNT").number(&asked)
        };
        let known = of_buckets(known, buckets.clone());
        let calls = looking_for(&known).chain(buckets.clone().map(look_at)).collect();
        let mut replies = self.shared.router.make(Door::Reads, calls).await?.into_iter();
        expect(&known, &mut replies)?;
        for (bucket, reply) in buckets.clone().zip(replies) {
            if entries.len() == limit {
                return Ok(Place::beginning_of(bucket));
            }
            let found = reply::list(reply)?;
            let may_go_on = found.len() >= asked;
            let mut last = None;
            for entry in found {
                let (id, named) = read_entry(bucket, entry, &from)?;
                for named in named {
                    if entries.len() == limit {
                        return Ok(Place { lines: Some(named.line), ..named.place });
                    }
                    entries.push(named);
                }
                last = Some(id);
            }
            if let Some(entry) = last.filter(|_| may_go_on) {
                return Ok(Place { bucket, entry, lines: None });
            }
        }
        Ok(Place::beginning_of(buckets.end))
    }

    /// Reads the records of entries, without those that are gone. Says how many fields they have.
    async fn read_records(&self, known: &Places, entries: &[Entry], records: &mut Vec<Record>) -> Result<usize, Error> {
        let buckets: BTreeSet<u16> = entries.iter().map(|entry| entry.place.bucket).collect();
        let known = of_buckets(known, buckets.into_iter());
        let calls = looking_for(&known).chain(entries.iter().map(|entry| record_of(&entry.address))).collect();
        let mut replies = self.shared.router.make(Door::Reads, calls).await?.into_iter();
        expect(&known, &mut replies)?;
        let mut fields = 0;
        for (entry, reply) in entries.iter().zip(replies) {
            fields += number_of_fields(&reply);
            records.extend(reply::record(&entry.address, reply)?);
        }
        Ok(fields)
    }
}

/// The changes that are known of some buckets.
fn of_buckets(known: &Places, buckets: impl Iterator<Item = u16>) -> Vec<(u16, changes::Place)> {
    buckets.filter_map(|bucket| Some((bucket, known[usize::from(bucket)]?))).collect()
}

fn number_of_fields(record: &Value) -> usize {
    let Value::BulkString(text) = record else { return 0 };
    // What is no text is refused where the record is read.
    std::str::from_utf8(text).map_or(0, |text| text.matches(reply::BETWEEN_FIELDS).count())
}

/// Reads an entry: its id, and those whom it names, without those whose lines are done.
fn read_entry(bucket: u16, entry: Value, from: &Place) -> Result<(String, Vec<Entry>), Error> {
    let (id, names) = reply::entry(entry)?;
    let damaged = || fault::damaged_field(&keys::feed(bucket), &id);
    let names = names.ok_or_else(damaged)?;
    let lines = names.split(reply::BETWEEN_NAMES).enumerate().skip(from.lines_done_of(bucket, &id));
    let entries = lines.filter(|(_, name)| !name.is_empty()).map(|(line, name)| {
        let place = Place { bucket, entry: id.clone(), lines: Some(line + 1) };
        Ok(Entry { place, line, address: name.parse().map_err(|_| damaged())? })
    });
    let entries = entries.collect::<Result<_, Error>>()?;
    Ok((id, entries))
}
