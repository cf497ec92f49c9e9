//! Erasure: what is left of an address whose owner wants nothing to be kept of them.

use serde::{Deserialize, Serialize};

use crate::{Reason, UnixSeconds};

/// What stands in the place of a record that was erased while its address was suppressed. Nothing undoes it: whatever comes later
/// is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// When it was erased. Since when it had been suppressed is no longer known.
    pub erased_at: UnixSeconds,
    /// Why it was suppressed.
    pub reason: Reason,
}

/// What an erasure found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Something else than what was seen, so nothing was done: it may have another verdict by now.
    Changed,
    /// What was seen, and that is gone.
    Done(Erased),
}

/// What is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Whether there was a record that was no tombstone.
    pub had_record: bool,
    /// How many rejected letters named the address.
    pub letters: u64,
}
