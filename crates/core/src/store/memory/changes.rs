//! The latest changes, in the order in which they were made.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use super::{Kept, MemoryStore};
use crate::store::changes::{Place, mark_of};
use crate::store::{
    Change, ChangeKind, ChangePage, ChangePosition, ChangeStore, ListingPage, ListingPlace, ListingStore as _,
    MAX_CHANGES_PER_PAGE,
};
use crate::{Address, Error};

/// The latest changes, numbered from 1.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    /// Each as other stores keep it; without an address if that was erased.
    latest: VecDeque<(Option<Address>, String)>,
    /// The number of the last one.
    last: u64,
    /// Who waits for another one.
    waiting: Vec<Waker>,
}

impl ChangeLog {
    pub(super) fn add(&mut self, address: &Address, kind: ChangeKind, most: usize) {
        self.push(Some(address.clone()), kind, most);
    }

    /// Lets no change name an address whose record is gone.
    pub(super) fn forget(&mut self, address: &Address, most: usize) {
        for (name, _) in self.latest.iter_mut().filter(|(name, _)| name.as_ref() == Some(address)) {
            *name = None;
        }
        self.push(None, ChangeKind::Erased, most);
    }

    fn push(&mut self, address: Option<Address>, kind: ChangeKind, most: usize) {
        self.last += 1;
        self.latest.push_back((address, kind.to_stored()));
        while self.latest.len() > most {
            self.latest.pop_front();
        }
        self.waiting.drain(..).for_each(Waker::wake);
    }

    /// The number of the first one that is kept.
    fn first(&self) -> u64 {
        self.last + 1 - self.latest.len() as u64
    }

    fn place(&self, number: u64) -> Option<Place> {
        let (_, kind) = self.latest.get(usize::try_from(number.checked_sub(self.first())?).ok()?)?;
        Some(Place { major: number, minor: 0, mark: mark_of(kind) })
    }
}

impl Kept {
    fn changes_behind(&self, position: &ChangePosition) -> Option<ChangePage> {
        let [known] = position.parts()?;
        let log = &self.changes;
        let next = match known {
            Some(place) if log.place(place.major) == Some(*place) => place.major + 1,
            None if log.first() == 1 => 1,
            Some(_) | None => return None,
        };
        let change = |number: u64| {
            let place = log.place(number)?;
            let (address, kind) = log.latest.get(usize::try_from(number - log.first()).ok()?)?;
            let address = address.as_ref()?;
            let record = self.records.get(address).cloned();
            let kind = ChangeKind::from_stored(kind);
            Some(Change { id: number.to_string().into(), address: address.clone(), kind, record, part: 0, place })
        };
        let changes: Vec<_> = (next..=log.last).take(MAX_CHANGES_PER_PAGE).map(change).collect::<Option<_>>()?;
        Some(ChangePage { has_more: next + (changes.len() as u64) <= log.last, changes })
    }
}

impl ChangeStore for MemoryStore {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        let kept = self.kept();
        Ok(ChangePosition::new(vec![kept.changes.place(kept.changes.last)]))
    }

    async fn changes_behind(&self, position: &ChangePosition) -> Result<Option<ChangePage>, Error> {
        Ok(self.kept().changes_behind(position))
    }

    /// Records are never older than what was said before.
    async fn records_since(&self, _: &ChangePosition, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        self.list_records(after, limit).await
    }

    async fn await_changes(&self, position: &ChangePosition) {
        let known = position.parts().and_then(|[known]: &[Option<Place>; 1]| *known).map_or(0, |known| known.major);
        poll_fn(|context| {
            let log = &mut self.kept().changes;
            if log.last != known {
                return Poll::Ready(());
            }
            if !log.waiting.iter().any(|waiting| waiting.will_wake(context.waker())) {
                log.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
