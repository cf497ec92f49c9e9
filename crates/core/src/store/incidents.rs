//! The book of incidents. A store keeps it as a whole, and replaces it only if nobody else has.

use std::future::Future;

use crate::{Error, IncidentBook};

/// How often a change is tried again because somebody else made another one meanwhile. Whenever one is lost another one is made,
/// so of as many that come at once none fails.
const MAX_AMENDMENTS: usize = 64;

/// Counts the changes of the book; 0 is a book in which nothing was ever written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BookVersion(pub u64);

/// Keeps the book of incidents.
pub trait IncidentStore: Clone + Send + Sync + 'static {
    /// The book, unless it is still of the version that is known.
    ///
    /// # Errors
    ///
    /// If the store cannot be read for certain.
    fn incidents(
        &self,
        known: Option<BookVersion>,
    ) -> impl Future<Output = Result<Option<(BookVersion, IncidentBook)>, Error>> + Send;

    /// Puts a book in the place of that version; it then has the next version. Says `false`, and changes nothing, if the version
    /// is another one by now. `Ok` means that it is durable.
    ///
    /// # Errors
    ///
    /// Any error leaves open whether it is replaced.
    fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Changes the book, as it stands when nobody else changes it.
///
/// # Errors
///
/// Those of the change and of the store; [`Error::StoreUnavailable`] if others change it again and again.
pub async fn amend_incidents<S: IncidentStore, T>(
    store: &S,
    mut amend: impl FnMut(&mut IncidentBook) -> Result<T, Error>,
) -> Result<T, Error> {
    for _ in 0..MAX_AMENDMENTS {
        let (version, before) = store.incidents(None).await?.unwrap_or_default();
        let mut book = before.clone();
        let amended = amend(&mut book)?;
        if book == before || store.replace_incidents(version, &book).await? {
            return Ok(amended);
        }
    }
    Err(Error::StoreUnavailable { reason: "others change the incidents at the same time".into() })
}
