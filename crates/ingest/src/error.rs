//! What can go wrong at the door, in one enum.

use serde::Serialize;

/// An error of this crate.
///
/// The text may be shown to the client: it holds no token, no query and no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A setting with which the door is not opened.
    #[error("{setting} {reason}")]
    InvalidSetting {
        /// The setting's name.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing is served at that path.
    #[error("nothing is served at this path")]
    NotFound,
    /// The path is served, but not by that method.
    #[error("this path is served by {allowed} only")]
    MethodNotAllowed {
        /// The methods by which it is, as `Allow` lists them.
        allowed: &'static str,
    },
    /// The token is missing or wrong. Nothing was read and nothing was written.
    #[error("the token is missing or wrong; give it as ?token=, as a bearer token, or as the password of basic authentication")]
    Unauthorized,
    /// The body is longer than is accepted. Nothing was written.
    #[error("the body is longer than {max_body_bytes} bytes; send fewer events at a time")]
    BodyTooLarge {
        /// The limit, in bytes.
        max_body_bytes: usize,
    },
    /// The body did not come in time. Nothing was written.
    #[error("the body did not come within its time")]
    BodyTimeout,
    /// The body is compressed. Nothing was written.
    #[error("the body has a content encoding; send it as it is")]
    BodyEncoded,
    /// The body broke off. Nothing was written.
    #[error("the body could not be read to its end")]
    BodyUnreadable,
    /// Nothing in the body could be read as an event.
    #[error("nothing in the body could be read as an event; what was rejected is kept: {rejected} in all")]
    Refused {
        /// Why the first part of it was rejected.
        first: suppressd_core::Error,
        /// How many parts were rejected.
        rejected: usize,
        /// The rejected parts, the first [`suppressd_core::event::body::MAX_LETTERS_PER_BODY`] of them.
        parts: Vec<RejectedPart>,
    },
    /// As many webhooks are in flight as are let in. Nothing was read and nothing was written.
    #[error("too many requests are in flight; try again later")]
    Overloaded,
    /// The server is about to stop.
    #[error("not ready: the server is draining")]
    Draining,
    /// The metrics cannot be written down.
    #[error("the metrics cannot be written down")]
    Unencodable,
    /// The store cannot be used just now.
    #[error("not ready: {}", .0.to_caller())]
    NotReady(suppressd_core::Error),
    /// The store failed; what was being written may or may not be there.
    #[error("{}", .0.to_caller())]
    Store(#[from] suppressd_core::Error),
}

/// A part of a body that was rejected, as the client is told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectedPart {
    /// Its number among the body's events, from 0.
    pub index: usize,
    /// The field that is at fault, as the provider spells it; none if the part cannot be read at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'static str>,
    /// What is wrong with it.
    pub reason: String,
    /// The letter that keeps it: 32 hexadecimal digits.
    pub letter: String,
}

impl Error {
    /// Whether the same request may succeed later without anybody changing it or repairing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Store(error) | Self::NotReady(error) => error.is_transient(),
            Self::BodyTimeout | Self::BodyUnreadable | Self::Overloaded | Self::Draining => true,
            Self::InvalidSetting { .. }
            | Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::Unauthorized
            | Self::BodyTooLarge { .. }
            | Self::BodyEncoded
            | Self::Unencodable
            | Self::Refused { .. } => false,
        }
    }
}
