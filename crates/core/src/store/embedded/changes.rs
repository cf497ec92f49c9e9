//! The latest changes in the tree, numbered from 1 in the order in which they were committed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use fjall::OwnedWriteBatch;
use tokio::sync::watch;

use super::records::load;
use super::tree::Tree;
use super::{EmbeddedStore, keys, read_failed};
use crate::store::changes::{ERASED, Place, mark_of};
use crate::store::{
    Change, ChangeKind, ChangePage, ChangePosition, ChangeStore, ListingPage, ListingPlace, ListingStore as _,
    MAX_CHANGES_PER_PAGE,
};
use crate::{Address, Error, Record};

/// Most changes that are removed for one that is added, where fewer are to be kept than before.
const MAX_REMOVED_FOR_ONE: u64 = 2;

/// What the writing thread adds to.
pub(super) struct ChangeLog {
    /// The number of the first one that is kept; one more than that of the last if none is.
    first: u64,
    last: u64,
    most: u64,
    /// What is to be removed and added by the commit in the making.
    removed: Vec<u64>,
    added: Vec<(u64, String)>,
    /// Changes that are not to name anybody any more.
    forgotten: Vec<u64>,
    told: watch::Sender<u64>,
}

impl ChangeLog {
    /// Looks which changes there are. Gives as well who is told of new ones.
    pub(super) fn open(tree: &Tree, most: usize) -> Result<(Self, watch::Receiver<u64>), Error> {
        let number = |guard: fjall::Guard| {
            let key = guard.key().map_err(|error| read_failed(&error))?;
            keys::number_of_change(&key).ok_or_else(unreadable)
        };
        let mut all = tree.moment().prefix(keys::CHANGES);
        let last = all.next_back().map(number).transpose()?.unwrap_or(0);
        let first = all.next().map(number).transpose()?.unwrap_or(last.max(1));
        let (told, last_change) = watch::channel(last);
        let most = u64::try_from(most).unwrap_or(u64::MAX).max(1);
        Ok((Self { first, last, most, removed: Vec::new(), added: Vec::new(), forgotten: Vec::new(), told }, last_change))
    }

    pub(super) fn add(&mut self, address: &Address, kind: ChangeKind) {
        self.push(format!("{} {}", kind.to_stored(), address.as_str()));
    }

    /// Lets no change name an address whose record is gone. Looks through all of them.
    pub(super) fn forget(&mut self, tree: &Tree, address: &Address) -> Result<(), Error> {
        let name = format!(" {}", address.as_str());
        for pair in tree.moment().prefix(keys::CHANGES) {
            let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
            if value.ends_with(name.as_bytes()) {
                self.forgotten.push(keys::number_of_change(&key).ok_or_else(unreadable)?);
            }
        }
        for (_, change) in self.added.iter_mut().filter(|(_, change)| change.ends_with(&name)) {
            ERASED.clone_into(change);
        }
        self.push(ERASED.to_owned());
        Ok(())
    }

    fn push(&mut self, change: String) {
        self.last += 1;
        self.added.push((self.last, change));
        for _ in 0..MAX_REMOVED_FOR_ONE {
            if self.last - self.first >= self.most {
                self.removed.push(self.first);
                self.first += 1;
            }
        }
    }

    /// Adds to a batch what was added, and removes what is no longer kept.
    pub(super) fn fill(&mut self, tree: &Tree, batch: &mut OwnedWriteBatch) {
        // All of a batch has one sequence number: what comes and goes within it is not written.
        let (first, kept) = (self.first, std::mem::take(&mut self.added));
        let first_added = kept.first().map_or(u64::MAX, |(number, _)| *number);
        for number in std::mem::take(&mut self.removed).into_iter().filter(|number| *number < first_added) {
            batch.remove(&tree.keyspace, keys::change(number));
        }
        for number in std::mem::take(&mut self.forgotten).into_iter().filter(|number| (first..first_added).contains(number)) {
            batch.insert(&tree.keyspace, keys::change(number), ERASED);
        }
        for (number, change) in kept.into_iter().filter(|(number, _)| *number >= first) {
            batch.insert(&tree.keyspace, keys::change(number), change);
        }
    }

    /// What was added is durable.
    pub(super) fn tell(&self) {
        self.told.send_replace(self.last);
    }
}

/// What is stored of a change; without an address if that was erased.
fn read(value: &[u8]) -> Result<(ChangeKind, u16, Option<Address>), Error> {
    let text = std::str::from_utf8(value).map_err(|_| unreadable())?;
    let (kind, address) = match text.split_once(' ') {
        Some((kind, address)) => (kind, Some(address.parse().map_err(|_| unreadable())?)),
        None if text == ERASED => (text, None),
        None => return Err(unreadable()),
    };
    Ok((ChangeKind::from_stored(kind), mark_of(kind), address))
}

/// Where the change of that number lies, if it is kept.
fn place_of(tree: &Tree, number: u64) -> Result<Option<Place>, Error> {
    let value = tree.keyspace.get(keys::change(number)).map_err(|error| read_failed(&error))?;
    let mark = value.map(|value| read(&value)).transpose()?;
    Ok(mark.map(|(_, mark, _)| Place { major: number, minor: 0, mark }))
}

impl ChangeStore for EmbeddedStore {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        self.on_waiting_thread(|shared| {
            let last = *shared.last_change.borrow();
            let place = place_of(&shared.tree, last)?;
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
    if let Some(known) = known
        && place_of(tree, known.major)? != Some(known)
    {
        return Ok(None);
    }
    let mut changes = Vec::new();
    let mut records: HashMap<Address, Option<Record>> = HashMap::new();
    let end = last.min(next.saturating_add(MAX_CHANGES_PER_PAGE as u64 - 1));
    if next > end {
        return Ok(Some(ChangePage { changes, has_more: false }));
    }
    for (expected, pair) in (next..=end).zip(tree.moment().range(keys::change(next)..keys::change(end + 1))) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        let number = keys::number_of_change(&key).ok_or_else(unreadable)?;
        if number != expected {
            return Ok(None);
        }
        let (kind, mark, address) = read(&value)?;
        let Some(address) = address else { return Ok(None) };
        // Read after the change, so it is in the record.
        let record = match records.entry(address.clone()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unread) => unread.insert(load(tree, &address)?),
        };
        let place = Place { major: number, minor: 0, mark };
        changes.push(Change { id: number.to_string().into(), address, kind, record: record.clone(), part: 0, place });
    }
    let is_whole = changes.len() as u64 == end - next + 1;
    Ok(is_whole.then_some(ChangePage { changes, has_more: end < last }))
}

fn unreadable() -> Error {
    Error::StoreDamaged { reason: "a change cannot be read; restore the directory from a backup".into() }
}
