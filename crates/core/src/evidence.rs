//! What is kept of an event, and the text under which the stores keep it.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::{BounceCategory, Class, EnhancedStatusCode, Error, EventId, EventKind, StoredOpinion, UnixSeconds};

/// How many parts the stored text has.
const PARTS: usize = 7;

/// What stands behind them if the time is that of receipt.
const TIME_OF_RECEIPT: &str = "|r";

/// Evidence of a class that shares room: that of a day of UTC, or all that has no time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// Times of receipt.
    TimeOfReceipt,
    /// The number of the day since 1970.
    Day(i64),
}

/// One kept occurrence: a bounce, a remote bounce or a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The event's identity.
    pub id: EventId,
    /// When it happened.
    pub time: UnixSeconds,
    /// Whether that is the time of receipt, since the provider gave none that could be believed.
    pub is_time_of_receipt: bool,
    /// What happened; never a delivery.
    pub kind: EventKind,
    /// Why, in the provider's words.
    pub category: BounceCategory,
    /// The enhanced status code, if there was one.
    pub status: Option<EnhancedStatusCode>,
    /// The virtual MTA, empty if unknown.
    pub vmta: Arc<str>,
    /// The injecting account, empty if unknown.
    pub account: Arc<str>,
    /// What was thought of the receiving server's words when the event came, if anything was.
    pub second_opinion: Option<StoredOpinion>,
}

impl Evidence {
    /// The class that the provider documents for it. Retention and counters go by it; verdicts go by the policy's class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.kind.class(&self.category)
    }

    /// What the evidence of a record is ordered by.
    #[must_use]
    pub fn order(&self) -> (UnixSeconds, EventId) {
        (self.time, self.id)
    }

    /// With which other evidence of its class it shares the room that there is.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        if self.is_time_of_receipt { Shelf::TimeOfReceipt } else { Shelf::Day(self.time.utc_day()) }
    }

    /// What decides who stays on a shelf that is full: the greater does.
    ///
    /// A time of receipt is no part of it. It is another one when the same event comes again, and evidence that had to go would
    /// come back with it, and count twice.
    #[must_use]
    pub fn rank(&self) -> (UnixSeconds, EventId) {
        if self.is_time_of_receipt { (UnixSeconds::default(), self.id) } else { self.order() }
    }

    /// `<epoch>|<type>|<category>|<x.y.z>|<vmta>|<account>|<second opinion>`, with `|` and `%` in a part written as in a URL;
    /// behind it `|r` if the epoch is the time of receipt.
    ///
    /// The identity is no part of it: it is the name under which the text is kept.
    #[must_use]
    pub fn to_stored(&self) -> String {
        let mut text = String::with_capacity(64);
        let _ = write!(text, "{}|", self.time.get());
        self.push_what(&mut text);
        if self.is_time_of_receipt {
            text.push_str(TIME_OF_RECEIPT);
        }
        text
    }

    /// All of the stored text but the time: what different evidence of a record often has in common.
    #[must_use]
    pub fn to_stored_what(&self) -> String {
        let mut text = String::with_capacity(64);
        self.push_what(&mut text);
        text
    }

    /// The stored text where all but the time is told once, as what is `usual`: the time alone, if this says the same.
    #[must_use]
    pub fn to_stored_beside(&self, usual: &str) -> String {
        let mut text = String::with_capacity(64);
        let _ = write!(text, "{}", self.time.get());
        let time_ends = text.len();
        text.push('|');
        self.push_what(&mut text);
        if text.get(time_ends + 1..) == Some(usual) {
            text.truncate(time_ends);
        }
        if self.is_time_of_receipt {
            text.push_str(TIME_OF_RECEIPT);
        }
        text
    }

    fn push_what(&self, text: &mut String) {
        text.push_str(self.kind.as_wire());
        text.push('|');
        push_escaped(text, self.category.as_str());
        text.push('|');
        if let Some(code) = self.status {
            let _ = write!(text, "{code}");
        }
        text.push('|');
        push_escaped(text, &self.vmta);
        text.push('|');
        push_escaped(text, &self.account);
        text.push('|');
        if let Some(opinion) = &self.second_opinion {
            let _ = write!(text, "{opinion}");
        }
    }

    /// Reads back what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if it did not write this.
    pub fn from_stored(id: EventId, text: &str) -> Result<Self, Error> {
        Self::parse(id, text).ok_or_else(|| Error::StoreDamaged { reason: format!("evidence {id:?} cannot be read") })
    }

    /// Reads back what [`Self::to_stored_beside`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if it did not write this.
    pub fn from_stored_beside(id: EventId, text: &str, usual: &str) -> Result<Self, Error> {
        let (time, receipt) = match text.split_once('|') {
            None => (text, ""),
            Some((time, "r")) => (time, TIME_OF_RECEIPT),
            Some(_) => return Self::from_stored(id, text),
        };
        Self::from_stored(id, &format!("{time}|{usual}{receipt}"))
    }

    fn parse(id: EventId, text: &str) -> Option<Self> {
        let is_time_of_receipt = text.matches('|').count() == PARTS && text.ends_with(TIME_OF_RECEIPT);
        let text = if is_time_of_receipt { text.strip_suffix(TIME_OF_RECEIPT)? } else { text };
        let mut parts = text.split('|');
        let mut part = || parts.next().and_then(unescaped);
        let evidence = Self {
            id,
            time: UnixSeconds::clamped(part()?.parse().ok()?),
            is_time_of_receipt,
            kind: EventKind::from_wire(&part()?).filter(|kind| *kind != EventKind::Delivered)?,
            category: BounceCategory::from_wire(&part()?),
            status: EnhancedStatusCode::from_wire(&part()?),
            vmta: part()?.into(),
            account: part()?.into(),
            // One that a later version wrote in another form is none, and no reason to refuse the rest.
            second_opinion: StoredOpinion::from_stored(&part()?),
        };
        parts.next().is_none().then_some(evidence)
    }
}

fn push_escaped(text: &mut String, part: &str) {
    if !part.contains(['%', '|']) {
        text.push_str(part);
        return;
    }
    for letter in part.chars() {
        match letter {
            '%' => text.push_str("%25"),
            '|' => text.push_str("%7C"),
            other => text.push(other),
        }
    }
}

fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (letter, rest) =
            if let Some(rest) = piece.strip_prefix("25") { ('%', rest) } else { ('|', piece.strip_prefix("7C")?) };
        text.push(letter);
        text.push_str(rest);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn evidence() -> Evidence {
        Evidence {
            id: EventId::from_bits(7),
            time: UnixSeconds::clamped(1_695_222_842),
            is_time_of_receipt: false,
            kind: EventKind::RemoteBounce,
            category: BounceCategory::from_wire("bad-mailbox"),
            status: EnhancedStatusCode::from_wire("5.1.1"),
            vmta: "mta|1".into(),
            account: "100%".into(),
            second_opinion: None,
        }
    }

    #[test]
    fn is_kept_as_readable_text() {
        assert_eq!(evidence().to_stored(), "1695222842|rb|bad-mailbox|5.1.1|mta%7C1|100%25|");
        let received = Evidence { is_time_of_receipt: true, ..evidence() };
        assert_eq!(received.to_stored(), "1695222842|rb|bad-mailbox|5.1.1|mta%7C1|100%25||r");
        let judged = Evidence { second_opinion: StoredOpinion::from_stored("hr:unknown-user"), ..evidence() };
        assert_eq!(judged.to_stored(), "1695222842|rb|bad-mailbox|5.1.1|mta%7C1|100%25|hr:unknown-user");
    }

    #[test]
    fn what_is_usual_is_told_once() {
        let usual = evidence().to_stored_what();
        assert_eq!(usual, "rb|bad-mailbox|5.1.1|mta%7C1|100%25|");
        assert_eq!(evidence().to_stored_beside(&usual), "1695222842");
        let received = Evidence { is_time_of_receipt: true, ..evidence() };
        assert_eq!(received.to_stored_beside(&usual), "1695222842|r");
        assert_eq!(received.to_stored_beside("b||||r|"), received.to_stored());
        for text in ["1695222842", "1695222842|r"] {
            let damaged = Evidence::from_stored_beside(EventId::from_bits(7), text, "");
            assert!(matches!(damaged, Err(Error::StoreDamaged { .. })), "{text}");
        }
    }

    #[test]
    fn what_was_not_written_here_is_damage() {
        for text in ["", "x|b|||||", "1|q|||||", "1|d|||||", "1|b||||", "1|b||||||", "1|b|||||||r", "1|b||||||x", "1|b|||%zz||"] {
            assert!(matches!(Evidence::from_stored(EventId::from_bits(7), text), Err(Error::StoreDamaged { .. })), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_it_was(vmta in any::<String>(), account in any::<String>(), category in any::<String>(), bits in any::<u64>(), rule in "[a-z-]{0,24}", is_time_of_receipt in any::<bool>()) {
            let once = Evidence {
                id: EventId::from_bits(bits),
                vmta: vmta.into(),
                account: account.into(),
                category: BounceCategory::from_wire(&category),
                second_opinion: StoredOpinion::from_stored(&format!("hr:{rule}")),
                is_time_of_receipt,
                ..evidence()
            };
            prop_assert_eq!(&Evidence::from_stored(once.id, &once.to_stored()).unwrap(), &once);
            for usual in [once.to_stored_what(), evidence().to_stored_what()] {
                let text = once.to_stored_beside(&usual);
                prop_assert_eq!(&Evidence::from_stored_beside(once.id, &text, &usual).unwrap(), &once);
            }
        }
    }
}
