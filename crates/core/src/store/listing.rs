//! All records, page after page.

use std::future::Future;

use crate::{Error, Record};

/// Most records that one page holds.
pub const MAX_RECORDS_PER_PAGE: usize = 1000;

/// Where a listing goes on: a text that only the store that gave it can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingPlace(pub String);

/// A page of records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListingPage {
    /// The records, in no order that means anything.
    pub records: Vec<Record>,
    /// Where to go on; none behind the last page. A page may be empty and not the last one.
    pub next: Option<ListingPlace>,
    /// How far the listing has come.
    pub progress: Progress,
}

/// How far a listing has come, in steps of the store's own. An estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Steps that are done.
    pub done: u64,
    /// Steps in all.
    pub total: u64,
}

/// Lists what is kept.
pub trait ListingStore: Clone + Send + Sync + 'static {
    /// Records from behind a place, at most `limit` (taken for 1 if it is 0) and [`MAX_RECORDS_PER_PAGE`]; from the first one if
    /// there is no place.
    ///
    /// A record that is there from the first page to the last is listed once, as it is when its page is read; one that is made
    /// meanwhile may be listed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if the place is not one that this store gave; others if the store cannot be read.
    fn list_records(&self, after: Option<&ListingPlace>, limit: usize)
    -> impl Future<Output = Result<ListingPage, Error>> + Send;

    /// The domain that listed records of a domain may have in its place.
    fn listed_domain(&self, _domain: &str) -> Option<Box<str>> {
        None
    }
}

/// A place that cannot be read.
pub(super) fn no_place() -> Error {
    Error::InvalidField { field: "page_token", reason: "it is not one that a page gave".into() }
}
