//! What can go wrong in core, in one enum.

/// An error of this crate.
///
/// The text says what to do about it and holds neither a whole address nor anything internal, so it may be shown to the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text cannot be an e-mail address.
    #[error("not an e-mail address: {reason}")]
    InvalidAddress {
        /// What is wrong with it, without quoting it.
        reason: &'static str,
    },
    /// The bytes are not JSON, or not JSON of the expected shape.
    #[error("malformed JSON: {reason}")]
    MalformedJson {
        /// The parser's reason, with its position.
        reason: String,
    },
    /// A field of an event is missing or has an impossible value.
    #[error("{field}: {reason}")]
    InvalidField {
        /// The field's name as the provider spells it.
        field: &'static str,
        /// What is wrong with it, without quoting an address.
        reason: String,
    },
    /// The store cannot be reached, or did not answer within its deadline: what was being written may or may not be there.
    #[error("the store is unavailable ({reason}); try again")]
    StoreUnavailable {
        /// What kind of fault it was.
        reason: String,
    },
    /// The store's queue is full: nothing of the request was written.
    #[error("the store is overloaded; try again later")]
    StoreOverloaded,
    /// The store failed in a way that only an operator can mend.
    #[error("the store needs its operator: {reason}")]
    StoreFailed {
        /// What failed, and what to do.
        reason: String,
    },
    /// What an opening recovered is less than what had been acknowledged, or something stored cannot be read back.
    #[error("the store is damaged: {reason}")]
    StoreDamaged {
        /// What is missing or unreadable, and what to do.
        reason: String,
    },
    /// Another process owns the data directory.
    #[error("another process is using the data directory {directory}; stop it first, or give this one a directory of its own")]
    DirectoryInUse {
        /// The directory as it was given.
        directory: String,
    },
    /// A policy file that cannot be used.
    #[error("{reason}")]
    InvalidPolicy {
        /// What is wrong with it, and where.
        reason: String,
    },
    /// There are as many incidents as there can be, and all are in force.
    #[error("there are too many incidents in force; close some, then try again")]
    IncidentsFull,
    /// There is no key for addresses, and what was asked for needs one.
    #[error(
        "addresses are kept as they are, so what is left of an erased one would name it; start the server with --address-key-file"
    )]
    AddressKeyNeeded,
    /// The rejected letters fill their limits, so one more cannot be kept.
    #[error("the rejected letters are full; replay some, then try again")]
    LettersFull,
}

impl Error {
    /// Whether the same request may succeed later without anybody changing it or repairing anything.
    ///
    /// A transient error of a write leaves its outcome unknown; repeating the write is safe, since every event has an identity.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::StoreUnavailable { .. } | Self::StoreOverloaded | Self::LettersFull => true,
            Self::InvalidAddress { .. }
            | Self::MalformedJson { .. }
            | Self::InvalidField { .. }
            | Self::InvalidPolicy { .. }
            | Self::IncidentsFull
            | Self::AddressKeyNeeded
            | Self::StoreFailed { .. }
            | Self::StoreDamaged { .. }
            | Self::DirectoryInUse { .. } => false,
        }
    }

    /// What a caller is told. Of a fault that an operator must mend no more than that: paths and the store's own words are for
    /// the log.
    #[must_use]
    pub fn to_caller(&self) -> String {
        match self {
            Self::StoreFailed { .. } | Self::StoreDamaged { .. } | Self::DirectoryInUse { .. } => {
                "the store needs its operator; the server's log says why".to_owned()
            }
            Self::InvalidAddress { .. }
            | Self::MalformedJson { .. }
            | Self::InvalidField { .. }
            | Self::InvalidPolicy { .. }
            | Self::IncidentsFull
            | Self::AddressKeyNeeded
            | Self::StoreUnavailable { .. }
            | Self::StoreOverloaded
            | Self::LettersFull => self.to_string(),
        }
    }

    /// Whether the fault lies in what was sent, and not in the store.
    #[must_use]
    pub fn is_callers_fault(&self) -> bool {
        match self {
            Self::InvalidAddress { .. } | Self::MalformedJson { .. } | Self::InvalidField { .. } | Self::InvalidPolicy { .. } => {
                true
            }
            Self::StoreUnavailable { .. }
            | Self::StoreOverloaded
            | Self::StoreFailed { .. }
            | Self::StoreDamaged { .. }
            | Self::DirectoryInUse { .. }
            | Self::IncidentsFull
            | Self::AddressKeyNeeded
            | Self::LettersFull => false,
        }
    }
}
