//! The latest changes of records, told to whoever follows them.

mod position;

use std::future::Future;

use super::{ListingPage, ListingPlace, ListingStore};
use crate::{Address, Class, Error, Event, EventId, EventKind, Record, UnixSeconds};

pub use position::{ChangePosition, MAX_POSITION_BYTES};
pub(super) use position::{Place, mark_of};

/// Changes that are kept if nothing else is said, in all.
pub const CHANGES_KEPT: usize = 1 << 20;

/// Most changes that one page holds.
pub const MAX_CHANGES_PER_PAGE: usize = 2048;

/// What an operator's entry is written as.
const SUPPRESSED: &str = "suppress";

/// What a lift is written as.
const LIFTED: &str = "lift";

/// What an erasure is written as. Where no tombstone is left, and no name, nobody can be told whose record is gone: whoever comes to
/// such an entry has to begin anew.
pub(super) const ERASED: &str = "erase";

/// What happened to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// An event was recorded that is no delivery.
    Event {
        /// What it reports.
        kind: EventKind,
        /// Its class, by the provider's categories.
        class: Class,
        /// Its identity.
        id: EventId,
    },
    /// An operator suppressed the address.
    Suppressed,
    /// An operator lifted it.
    Lifted,
    /// It was erased, and a tombstone took its place.
    Erased,
    /// Something that a later version wrote.
    Unknown,
}

impl ChangeKind {
    /// What recording an event changes; `None` for a delivery.
    pub(super) fn of_event(event: &Event) -> Option<Self> {
        Some(Self::Event { kind: event.kind, class: event.class()?, id: event.id })
    }

    /// The text that stores keep of it: `b|hard|<event id>`, `suppress`, `lift` or `erase`. Its time, and all else, is in the record.
    pub(super) fn to_stored(self) -> String {
        self.parts().concat()
    }

    /// That text, in parts.
    pub(super) fn parts(&self) -> [&str; 5] {
        match self {
            Self::Event { kind, class, id } => [kind.as_wire(), "|", class.as_str(), "|", id.as_str()],
            Self::Suppressed => [SUPPRESSED, "", "", "", ""],
            Self::Lifted => [LIFTED, "", "", "", ""],
            Self::Erased => [ERASED, "", "", "", ""],
            Self::Unknown => [""; 5],
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        match text {
            SUPPRESSED => Self::Suppressed,
            LIFTED => Self::Lifted,
            ERASED => Self::Erased,
            event => Self::read_event(event).unwrap_or(Self::Unknown),
        }
    }

    fn read_event(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('|')?;
        let (class, id) = rest.split_once('|')?;
        let class = Class::ALL.into_iter().find(|known| known.as_str() == class)?;
        Some(Self::Event { kind: EventKind::from_wire(kind)?, class, id: id.parse().ok()? })
    }
}

/// One change of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is known by: no other change of the store has that name.
    pub id: Box<str>,
    /// Whose record was changed.
    pub address: Address,
    /// What happened to it.
    pub kind: ChangeKind,
    /// The record as it was after this change, or after a later one.
    pub record: Option<Record>,
    /// The part of the store in which it lies.
    pub(super) part: usize,
    /// Where it lies there.
    pub(super) place: Place,
}

impl Change {
    /// When the event happened, or the operator acted. None if the record no longer holds it: what came later has taken its place.
    #[must_use]
    pub fn time(&self) -> Option<UnixSeconds> {
        let record = self.record.as_ref()?;
        match self.kind {
            ChangeKind::Event { id, .. } => record.evidence().iter().find(|kept| kept.id == id).map(|kept| kept.time),
            ChangeKind::Suppressed => record.manual.as_ref().map(|entry| entry.since),
            ChangeKind::Lifted => record.lift.as_ref().map(|lift| lift.at),
            ChangeKind::Erased => record.tombstone.as_ref().map(|tombstone| tombstone.erased_at),
            ChangeKind::Unknown => None,
        }
    }
}

/// Changes that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePage {
    /// The changes; those of one address in their order.
    pub changes: Vec<Change>,
    /// Whether there were more of them already.
    pub has_more: bool,
}

/// Keeps the latest changes of records: every event that was recorded and is no delivery, and every act of an operator.
pub trait ChangeStore: ListingStore {
    /// Behind the latest change.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn end_of_changes(&self) -> impl Future<Output = Result<ChangePosition, Error>> + Send;

    /// The changes behind a position, at most [`MAX_CHANGES_PER_PAGE`], each once. `None` if it cannot be shown that none of them
    /// is missing: the oldest are no longer kept, or the position is none of this store, or of what it was before it lost its end,
    /// or a record was erased behind it without a trace.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn changes_behind(&self, position: &ChangePosition) -> impl Future<Output = Result<Option<ChangePage>, Error>> + Send;

    /// A page of records as [`list_records`](ListingStore::list_records) gives it; each of them, and which there are, is as it was
    /// at that position or later.
    ///
    /// # Errors
    ///
    /// As there; and as unavailable if whoever answers does not have the change at the position, or no longer.
    fn records_since(
        &self,
        position: &ChangePosition,
        after: Option<&ListingPlace>,
        limit: usize,
    ) -> impl Future<Output = Result<ListingPage, Error>> + Send;

    /// Waits until there may be changes behind a position. It may say so although there are none, and whoever waits bounds it.
    fn await_changes(&self, position: &ChangePosition) -> impl Future<Output = ()> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_change_comes_back() {
        let event = |kind, class| ChangeKind::Event { kind, class, id: EventId::from_bits(7) };
        let all = EventKind::ALL.into_iter().flat_map(|kind| Class::ALL.map(|class| event(kind, class)));
        for kind in all.chain([ChangeKind::Suppressed, ChangeKind::Lifted, ChangeKind::Erased]) {
            assert_eq!(ChangeKind::from_stored(&kind.to_stored()), kind);
        }
        assert_eq!(event(EventKind::Bounce, Class::Hard).to_stored(), "b|hard|AAAAAAAAAAc");
    }

    #[test]
    fn what_a_later_version_writes_is_unknown() {
        for text in ["", "forget", "b|hard", "b|hard|x", "b|harder|AAAAAAAAAAc", "x|hard|AAAAAAAAAAc"] {
            assert_eq!(ChangeKind::from_stored(text), ChangeKind::Unknown, "{text}");
        }
    }
}
