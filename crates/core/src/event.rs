//! What the provider reports: one thing that became of one message to one recipient.

pub mod body;
mod identity;
pub mod wire;

pub use identity::EventId;

use std::sync::Arc;

use crate::{Address, BounceCategory, Class, EnhancedStatusCode, Evidence, StoredOpinion, UnixSeconds};

/// What an event reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventKind {
    /// `b`: the receiving server refused the message while it was being handed over.
    Bounce,
    /// `rb`: a bounce message came back after the receiving server had accepted the message.
    RemoteBounce,
    /// `d`: the receiving server accepted the message.
    Delivered,
    /// `f`: the recipient complained; a feedback loop's report (RFC 5965).
    Complaint,
}

impl EventKind {
    /// All kinds that are recorded.
    pub const ALL: [Self; 4] = [Self::Bounce, Self::RemoteBounce, Self::Delivered, Self::Complaint];

    /// The record type as the provider writes it.
    #[must_use]
    pub fn as_wire(self) -> &'static str {
        match self {
            Self::Bounce => "b",
            Self::RemoteBounce => "rb",
            Self::Delivered => "d",
            Self::Complaint => "f",
        }
    }

    /// The kind that the provider writes so.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_wire() == text)
    }

    /// The class that the provider documents for what is no delivery, with that category.
    pub(crate) fn class(self, category: &BounceCategory) -> Class {
        if self == Self::Complaint { Class::Complaint } else { category.class() }
    }

    /// A word for it: in metrics and in `classify`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounce => "bounce",
            Self::RemoteBounce => "remote-bounce",
            Self::Delivered => "delivered",
            Self::Complaint => "complaint",
        }
    }
}

/// An event, read and normalised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Counts once, however often it is delivered.
    pub id: EventId,
    /// To whom the message went.
    pub recipient: Address,
    /// When it happened; the time of receipt where the provider gave none that can be believed.
    pub time: UnixSeconds,
    /// Whether that is the time of receipt.
    pub is_time_of_receipt: bool,
    /// What happened.
    pub kind: EventKind,
    /// Why, in the provider's words.
    pub category: BounceCategory,
    /// The enhanced status code, if the event has one.
    pub status: Option<EnhancedStatusCode>,
    /// The virtual MTA that sent the message, at most [`wire::MAX_LABEL_BYTES`]; empty if not given.
    pub vmta: Arc<str>,
    /// The injecting account (`rcvSmtpUser`), at most [`wire::MAX_LABEL_BYTES`]; empty if not given.
    pub account: Arc<str>,
    /// What is thought of the receiving server's words: of a bounce, if anything is.
    pub second_opinion: Option<StoredOpinion>,
}

impl Event {
    /// The class that the provider documents for it; `None` for a delivery.
    #[must_use]
    pub fn class(&self) -> Option<Class> {
        (self.kind != EventKind::Delivered).then(|| self.kind.class(&self.category))
    }

    /// What is kept of the event; `None` for a delivery, of which only the time is.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        (self.kind != EventKind::Delivered).then(|| Evidence {
            id: self.id,
            time: self.time,
            is_time_of_receipt: self.is_time_of_receipt,
            kind: self.kind,
            category: self.category.clone(),
            status: self.status,
            vmta: Arc::clone(&self.vmta),
            account: Arc::clone(&self.account),
            second_opinion: self.second_opinion.clone(),
        })
    }
}

#[cfg(test)]
impl Event {
    /// One that says nothing but whose it is, which one, and what it reports.
    pub(crate) fn bare(recipient: &str, number: u64, kind: EventKind) -> Self {
        Self {
            id: EventId::from_bits(number),
            recipient: recipient.parse().unwrap(),
            time: UnixSeconds::default(),
            is_time_of_receipt: false,
            kind,
            category: BounceCategory::NONE,
            status: None,
            vmta: "".into(),
            account: "".into(),
            second_opinion: None,
        }
    }
}
