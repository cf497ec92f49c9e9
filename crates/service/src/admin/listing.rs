//! The addresses that are suppressed, page after page.

use std::fmt::Write as _;
use std::sync::Arc;

use prost_types::Timestamp;
use suppressd_core::store::{ListingPage, ListingPlace, ListingStore};
use suppressd_core::{Error, Reason, Record, Selection, Standpoint, UnixSeconds};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tonic::Status;

use super::{fault, record};
use crate::judge::now;
use crate::proto::{ListSuppressionsRequest, ListSuppressionsResponse, Suppression, SuppressionReason};
use crate::{Limits, status};

/// Addresses in a page whose size is not given.
const ADDRESSES_PER_PAGE: usize = 100;

/// Most addresses in a page.
const MAX_ADDRESSES_PER_PAGE: usize = 1000;

/// Most records that are read and judged at a time: whatever else the thread has to do waits no longer than that.
const MAX_RECORDS_PER_LOOK: usize = 500;

/// Most looks into the store for a page. Where few addresses are what is asked for, it is then shorter than it may be.
const MAX_LOOKS_PER_PAGE: usize = 10;

/// What is asked for.
pub(super) struct Wanted {
    size: usize,
    after: Option<ListingPlace>,
    selection: Selection,
}

impl Wanted {
    pub(super) fn read(request: ListSuppressionsRequest) -> Result<Self, Status> {
        let ListSuppressionsRequest { page_size, page_token, reason, domain, since, until } = request;
        let size = match page_size as usize {
            0 => ADDRESSES_PER_PAGE,
            size => size.min(MAX_ADDRESSES_PER_PAGE),
        };
        let time = |time: Option<Timestamp>| time.map(|time| UnixSeconds::clamped(time.seconds));
        let selection = Selection {
            reason: read_reason(reason)?,
            domain: Some(domain.into_boxed_str()),
            since: time(since),
            until: time(until),
            ..Selection::default()
        };
        let selection = selection.normalised().map_err(|error| fault(&error, ""))?;
        let after = if page_token.is_empty() { None } else { Some(read_token(&page_token, &selection)?) };
        Ok(Self { size, after, selection })
    }

    /// The record's address, if it is suppressed and asked for.
    fn found(&self, record: &Record, standpoint: &Standpoint, now: UnixSeconds) -> Option<Suppression> {
        let verdict = standpoint.verdict(record, now);
        let is_wanted = |suppression| self.selection.takes(&record.address, suppression);
        if verdict.suppression.as_ref().is_some_and(is_wanted) {
            record::suppression(&record.address, &verdict, record.manual.as_ref())
        } else {
            None
        }
    }
}

fn read_reason(reason: i32) -> Result<Option<Reason>, Status> {
    match SuppressionReason::try_from(reason) {
        Ok(SuppressionReason::Unspecified) => Ok(None),
        Ok(SuppressionReason::HardBounce) => Ok(Some(Reason::HardBounce)),
        Ok(SuppressionReason::SoftBounces) => Ok(Some(Reason::SoftBounces)),
        Ok(SuppressionReason::Complaint) => Ok(Some(Reason::Complaint)),
        Ok(SuppressionReason::Manual) => Ok(Some(Reason::Manual)),
        Ok(SuppressionReason::InvalidAddress) | Err(_) => {
            Err(status::refused("reason", "is none for which an address is kept as suppressed"))
        }
    }
}

/// Lists what is suppressed, for a few callers at a time.
pub(super) struct Listing<S> {
    store: S,
    room: Arc<Semaphore>,
    /// Where checks are not held up by it.
    home: Handle,
}

impl<S: ListingStore> Listing<S> {
    /// To be called within the runtime on which it is to work.
    pub(super) fn new(store: S, limits: &Limits) -> Self {
        Self { store, room: Arc::new(Semaphore::new(limits.max_surveys)), home: Handle::current() }
    }

    /// A page of those that are suppressed from that standpoint. Who comes when others are served waits, within the time of a
    /// call: a page takes little.
    pub(super) async fn page(&self, wanted: Wanted, standpoint: Standpoint) -> Result<ListSuppressionsResponse, Status> {
        let closed = |_| Status::internal("the listing is closed");
        let room = Arc::clone(&self.room).acquire_owned().await.map_err(closed)?;
        let store = self.store.clone();
        let looking = self.home.spawn(async move {
            let _room = room;
            look_through(&store, wanted, &standpoint).await
        });
        let ended_early = |_| Status::internal("the listing ended early");
        looking.await.map_err(ended_early)?.map_err(|error| fault(&error, "page_token"))
    }
}

async fn look_through(
    store: &impl ListingStore,
    mut wanted: Wanted,
    standpoint: &Standpoint,
) -> Result<ListSuppressionsResponse, Error> {
    let now = now();
    let mut suppressions = Vec::new();
    wanted.selection.listed_domain = wanted.selection.domain.as_deref().and_then(|domain| store.listed_domain(domain));
    let mut place = wanted.after.take();
    for _ in 0..MAX_LOOKS_PER_PAGE {
        // No more than there is room for: there is no place in the middle of what one look has read.
        let limit = (wanted.size - suppressions.len()).min(MAX_RECORDS_PER_LOOK);
        let ListingPage { records, next, progress: _ } = store.list_records(place.as_ref(), limit).await?;
        suppressions.extend(records.iter().filter_map(|record| wanted.found(record, standpoint, now)));
        place = next;
        if place.is_none() || suppressions.len() >= wanted.size {
            break;
        }
    }
    let next_page_token = place.map(|place| write_token(&place, &wanted.selection)).unwrap_or_default();
    Ok(ListSuppressionsResponse { suppressions, next_page_token })
}

/// What a token begins with: one that goes on with another selection would leave addresses out unnoticed.
fn mark(selection: &Selection) -> String {
    let Selection { reason, domain, listed_domain: _, since, until } = selection;
    let time = |time: &Option<UnixSeconds>| time.map(|time| time.get().to_string()).unwrap_or_default();
    format!("{reason:?} {} {} {} ", domain.as_deref().unwrap_or_default(), time(since), time(until))
}

/// Hexadecimal digits: nothing that a shell or a URL would take for something else.
fn write_token(place: &ListingPlace, selection: &Selection) -> String {
    format!("{}{}", mark(selection), place.0).bytes().fold(String::new(), |mut token, byte| {
        let _ = write!(token, "{byte:02x}");
        token
    })
}

fn read_token(token: &str, selection: &Selection) -> Result<ListingPlace, Status> {
    let text = unhex(token).ok_or_else(|| status::refused("page_token", "it is not one that a page gave"))?;
    let place = text.strip_prefix(&mark(selection));
    let place = place.ok_or_else(|| status::refused("page_token", "it is one of a page that was asked for in another way"))?;
    Ok(ListingPlace(place.to_owned()))
}

fn unhex(digits: &str) -> Option<String> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?)).collect();
    String::from_utf8(bytes.filter(|_| rest.is_empty())?).ok()
}

#[cfg(test)]
mod tests;
