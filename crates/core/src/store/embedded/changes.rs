//! The latest changes in the tree, numbered from 1 in the order in which they were committed.
//!
//! Those of a commit lie together, as many at a key as a value may hold: a key for each would cost as much as the records.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use fjall::{Guard, OwnedWriteBatch};
use memchr::{memchr, memchr_iter};
use tokio::sync::watch;

use super::records::load;
use super::tree::{Moment, Tree};
use super::{EmbeddedStore, keys, read_failed};
use crate::store::changes::{ERASED, Place, mark_of};
use crate::store::{
    Change, ChangeKind, ChangePage, ChangePosition, ChangeStore, ListingPage, ListingPlace, ListingStore as _,
    MAX_CHANGES_PER_PAGE,
};
use crate::{Address, Error, Event, Record};

/// Most runs that are removed for a change that is added, where fewer are to be kept than before.
const MAX_REMOVED_FOR_ONE: usize = 2;

/// Length at which a run has as many changes as it may, in bytes: with the last of them it stays far below 4 KiB.
const FULL_RUN_BYTES: usize = 2048;

/// Most memory that is kept for the changes of a commit from one to the next, in bytes.
const KEPT_BYTES: usize = 1 << 20;

/// Changes that lie at one key, a line each.
struct Run {
    /// The number of the first of them.
    first: u64,
    lines: String,
}

impl Run {
    fn read(guard: Guard) -> Result<Self, Error> {
        let (key, value) = guard.into_inner().map_err(|error| read_failed(&error))?;
        let lines = std::str::from_utf8(&value).map_err(|_| unreadable())?.to_owned();
        Ok(Self { first: keys::number_of_change(&key).ok_or_else(unreadable)?, lines })
    }

    /// The run that a change of that number lies in, if it is kept.
    fn of_change(moment: &Moment, number: u64) -> Result<Option<Self>, Error> {
        let last = moment.range(keys::change(0)..keys::change(number.saturating_add(1))).next_back();
        Ok(last.map(Self::read).transpose()?.filter(|run| number < run.end()))
    }

    /// The number behind its last one.
    fn end(&self) -> u64 {
        self.first + self.lines.split('\n').count() as u64
    }

    fn changes(&self) -> impl Iterator<Item = (u64, &str)> {
        (self.first..).zip(self.lines.split('\n'))
    }
}

/// What the writing thread adds to.
pub(super) struct ChangeLog {
    /// The number of the first one in the tree; one more than that of the last if none is.
    first: u64,
    last: u64,
    most: u64,
    /// Changes to be added by the commit in the making, a line each; the last of them has the last number.
    added: String,
    /// How many they are.
    added_count: u64,
    /// Runs that are not to name somebody any more, by the number of their first change.
    rewritten: BTreeMap<u64, String>,
    told: watch::Sender<u64>,
}

impl ChangeLog {
    /// Looks which changes there are. Gives as well who is told of new ones.
    pub(super) fn open(tree: &Tree, most: usize) -> Result<(Self, watch::Receiver<u64>), Error> {
        let moment = tree.moment();
        let mut all = moment.prefix(keys::CHANGES);
        let last = all.next_back().map(Run::read).transpose()?;
        let first = all.next().map(Run::read).transpose()?;
        let last_number = last.as_ref().map_or(0, |run| run.end() - 1);
        let first = first.as_ref().or(last.as_ref()).map_or(1, |run| run.first);
        let (told, last_change) = watch::channel(last_number);
        let most = u64::try_from(most).unwrap_or(u64::MAX).max(1);
        Ok((
            Self { first, last: last_number, most, added: String::new(), added_count: 0, rewritten: BTreeMap::new(), told },
            last_change,
        ))
    }

    /// Adds what recording an event has changed.
    pub(super) fn add_event(&mut self, event: &Event) {
        if let Some(kind) = ChangeKind::of_event(event) {
            self.add(&event.recipient, kind);
        }
    }

    pub(super) fn add(&mut self, address: &Address, kind: ChangeKind) {
        for part in kind.parts() {
            self.added.push_str(part);
        }
        self.added.push(' ');
        self.end_line(address.as_str());
    }

    /// Lets no change name an address whose record is gone. Looks through all of them.
    pub(super) fn forget(&mut self, tree: &Tree, address: &Address) -> Result<(), Error> {
        let name = format!(" {}", address.as_str());
        let without = |lines: &str| -> Vec<String> {
            lines.split('\n').map(|line| if line.ends_with(&name) { ERASED.to_owned() } else { line.to_owned() }).collect()
        };
        for guard in tree.moment().prefix(keys::CHANGES) {
            let run = Run::read(guard)?;
            // Another erasure of the same commit may have been here.
            let lines = self.rewritten.get(&run.first).unwrap_or(&run.lines);
            if lines.split('\n').any(|line| line.ends_with(&name)) {
                let lines = without(lines).join("\n");
                self.rewritten.insert(run.first, lines);
            }
        }
        if self.added.lines().any(|line| line.ends_with(&name)) {
            self.added = without(self.added.trim_end()).join("\n") + "\n";
        }
        self.end_line(ERASED);
        Ok(())
    }

    fn end_line(&mut self, end: &str) {
        self.added.push_str(end);
        self.added.push('\n');
        self.last += 1;
        self.added_count += 1;
    }

    /// Adds to a batch what was added, and removes what is no longer kept.
    pub(super) fn fill(&mut self, tree: &Tree, batch: &mut OwnedWriteBatch) -> Result<(), Error> {
        let added = std::mem::take(&mut self.added);
        let count = std::mem::take(&mut self.added_count);
        let first_added = self.last + 1 - count;
        let least = (self.last + 1).saturating_sub(self.most);
        let most_removed = MAX_REMOVED_FOR_ONE.saturating_mul(usize::try_from(count).unwrap_or(usize::MAX));
        for run in self.outlived(tree, least.min(first_added), most_removed)? {
            batch.remove(&tree.keyspace, keys::change(run.first));
            // All of a batch has one sequence number, so what goes is not rewritten.
            self.rewritten.remove(&run.first);
            self.first = run.end();
        }
        for (first, lines) in std::mem::take(&mut self.rewritten) {
            batch.insert(&tree.keyspace, keys::change(first), lines);
        }
        if self.first == first_added {
            self.first = first_added.max(least);
        }
        // What comes and goes within a commit is not written.
        let mut first = first_added.max(least);
        let gone: usize = added.split_inclusive('\n').zip(first_added..first).map(|(line, _)| line.len()).sum();
        let mut rest = &added[gone..];
        while !rest.is_empty() {
            let end = end_of_run(rest);
            let run = &rest[..end];
            batch.insert(&tree.keyspace, keys::change(first), run);
            first += memchr_iter(b'\n', run.as_bytes()).count() as u64 + 1;
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        // The memory stays: if it were new for each commit, it would grow each time.
        self.added = added;
        self.added.clear();
        self.added.shrink_to(KEPT_BYTES);
        Ok(())
    }

    /// The first runs of which nothing is to be kept, since all of it lies before a number; so many of them at most.
    fn outlived(&self, tree: &Tree, least: u64, most: usize) -> Result<Vec<Run>, Error> {
        if least <= self.first {
            return Ok(Vec::new());
        }
        let runs = tree.moment().range(keys::change(self.first)..keys::change(least)).map(Run::read);
        runs.take(most).take_while(|run| run.as_ref().map_or(true, |run| run.end() <= least)).collect()
    }

    /// What was added is durable.
    pub(super) fn tell(&self) {
        self.told.send_replace(self.last);
    }
}

/// Where the first run of these lines ends, which is at the end of a line.
fn end_of_run(lines: &str) -> usize {
    let full = lines.as_bytes().get(FULL_RUN_BYTES..).and_then(|rest| memchr(b'\n', rest));
    full.map_or(lines.len() - 1, |place| FULL_RUN_BYTES + place)
}

/// What is stored of a change; without an address if that was erased.
fn read(text: &str) -> Result<(ChangeKind, u16, Option<Address>), Error> {
    let (kind, address) = match text.split_once(' ') {
        Some((kind, address)) => (kind, Some(address.parse().map_err(|_| unreadable())?)),
        None if text == ERASED => (text, None),
        None => return Err(unreadable()),
    };
    Ok((ChangeKind::from_stored(kind), mark_of(kind), address))
}

/// Where the change of that number lies, if it is kept.
fn place_of(moment: &Moment, number: u64) -> Result<Option<Place>, Error> {
    let Some(run) = Run::of_change(moment, number)? else { return Ok(None) };
    let change = run.changes().find(|(known, _)| *known == number);
    let mark = change.map(|(_, change)| read(change)).transpose()?;
    Ok(mark.map(|(_, mark, _)| Place { major: number, minor: 0, mark }))
}

impl ChangeStore for EmbeddedStore {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        self.on_waiting_thread(|shared| {
            let last = *shared.last_change.borrow();
            let place = place_of(&shared.tree.moment(), last)?;
            // As many came meanwhile as are kept: then it is no position any more, and above all not the one before all of them.
            if place.is_none() && last > 0 { Err(Error::StoreOverloaded) } else { Ok(ChangePosition::new(vec![place])) }
        })
        .await
    }

    async fn changes_behind(&self, position: &ChangePosition) -> Result<Option<ChangePage>, Error> {
        let Some([known]) = position.parts() else { return Ok(None) };
        let (known, last) = (*known, *self.shared.last_change.borrow());
        self.on_waiting_thread(move |shared| page(&shared.tree, known, last)).await
    }

    /// Records are never older than what was said before.
    async fn records_since(&self, _: &ChangePosition, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        self.list_records(after, limit).await
    }

    async fn await_changes(&self, position: &ChangePosition) {
        let known = position.parts().and_then(|[known]: &[Option<Place>; 1]| *known).map_or(0, |known| known.major);
        let mut last = self.shared.last_change.clone();
        if last.wait_for(|last| *last > known).await.is_err() {
            // The writing thread has ended, and nothing will change any more.
            std::future::pending::<()>().await;
        }
    }
}

/// The changes behind a place, up to a number; nothing if some of them are not there.
fn page(tree: &Tree, known: Option<Place>, last: u64) -> Result<Option<ChangePage>, Error> {
    let next = known.map_or(1, |known| known.major.saturating_add(1));
    let moment = tree.moment();
    if let Some(known) = known
        && place_of(&moment, known.major)? != Some(known)
    {
        return Ok(None);
    }
    let mut changes = Vec::new();
    let mut records: HashMap<Address, Option<Record>> = HashMap::new();
    let end = last.min(next.saturating_add(MAX_CHANGES_PER_PAGE as u64 - 1));
    if next > end {
        return Ok(Some(ChangePage { changes, has_more: false }));
    }
    let first = Run::of_change(&moment, next)?.map_or(next, |run| run.first);
    for guard in moment.range(keys::change(first)..keys::change(end + 1)) {
        for (number, change) in Run::read(guard)?.changes().filter(|(number, _)| (next..=end).contains(number)) {
            if number != next + changes.len() as u64 {
                return Ok(None);
            }
            let (kind, mark, address) = read(change)?;
            let Some(address) = address else { return Ok(None) };
            // Read after the change, so it is in the record.
            let record = match records.entry(address.clone()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(unread) => unread.insert(load(tree, &address)?),
            };
            let place = Place { major: number, minor: 0, mark };
            changes.push(Change { id: number.to_string().into(), address, kind, record: record.clone(), part: 0, place });
        }
    }
    let is_whole = changes.len() as u64 == end - next + 1;
    Ok(is_whole.then_some(ChangePage { changes, has_more: end < last }))
}

fn unreadable() -> Error {
    Error::StoreDamaged { reason: "a change cannot be read; restore the directory from a backup".into() }
}
