//! The text under which a store keeps evidence.

mod told;

use super::Evidence;
use crate::{BounceCategory, EnhancedStatusCode, Error, Event, EventId, EventKind, StoredOpinion, UnixSeconds};
use told::Told;

/// The kinds of evidence, each with the letter that stands for it behind the time.
const KINDS: [(EventKind, char); 3] = [(EventKind::Bounce, 'B'), (EventKind::RemoteBounce, 'R'), (EventKind::Complaint, 'F')];

/// The base to which a time is written: its digits are no capital letters, and Lua reads them.
const TIME_RADIX: u32 = 36;

/// Room for a usual text, in bytes.
const TEXT_BYTES: usize = 64;

/// What stands behind them if the time is that of receipt.
const TIME_OF_RECEIPT: &str = "|r";

impl Evidence {
    /// `<time><kind><category>|<x.y.z>|<vmta>|<account>|<second opinion>`, with `|`, `%` and line feeds in a part written as in a URL;
    /// behind it `|r` if the time is that of receipt. The time is in seconds, to the base of 36; the kind is `B` for a bounce, `R` for a
    /// remote one, `F` for a complaint; the category is as [`BounceCategory::to_stored`] says.
    ///
    /// The identity is no part of it: it is the name under which the text is kept.
    #[must_use]
    pub fn to_stored(&self) -> String {
        self.to_stored_beside("")
    }

    /// All of the stored text but the time: what different evidence of a record often has in common.
    #[must_use]
    pub fn to_stored_what(&self) -> String {
        let mut text = String::with_capacity(TEXT_BYTES);
        Told::from(self).push_what(&mut text);
        text
    }

    /// The stored text where all but the time is told once, as what is `usual`: the time alone, if this says the same.
    #[must_use]
    pub fn to_stored_beside(&self, usual: &str) -> String {
        let mut text = String::with_capacity(TEXT_BYTES);
        Told::from(self).push_beside(usual, &mut text);
        text
    }

    /// Reads back what [`Self::to_stored`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if it did not write this.
    pub fn from_stored(id: EventId, text: &str) -> Result<Self, Error> {
        Self::from_stored_beside(id, text, "")
    }

    /// Reads back what [`Self::to_stored_beside`] wrote.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if it did not write this.
    pub fn from_stored_beside(id: EventId, text: &str, usual: &str) -> Result<Self, Error> {
        Self::parse(id, text, usual).ok_or_else(|| Error::StoreDamaged { reason: format!("evidence {id:?} cannot be read") })
    }

    fn parse(id: EventId, text: &str, usual: &str) -> Option<Self> {
        let time_ends = text.find(|letter: char| !letter.is_ascii_digit() && !letter.is_ascii_lowercase()).unwrap_or(text.len());
        let (time, what) = text.split_at(time_ends);
        let (what, is_time_of_receipt) = what.strip_suffix(TIME_OF_RECEIPT).map_or((what, false), |what| (what, true));
        let what = if what.is_empty() { usual } else { what };
        let kind = what.chars().next()?;
        let mut parts = what[kind.len_utf8()..].split('|');
        let mut part = || parts.next().and_then(unescaped);
        let evidence = Self {
            id,
            time: UnixSeconds::clamped(i64::from_str_radix(time, TIME_RADIX).ok()?),
            is_time_of_receipt,
            kind: KINDS.iter().find(|(_, letter)| *letter == kind)?.0,
            category: BounceCategory::from_stored(&part()?)?,
            status: EnhancedStatusCode::from_wire(&part()?),
            vmta: part()?.into(),
            account: part()?.into(),
            // One that a later version wrote in another form is none, and no reason to refuse the rest.
            second_opinion: StoredOpinion::from_stored(&part()?),
        };
        parts.next().is_none().then_some(evidence)
    }
}

impl Event {
    /// Adds what [`Evidence::to_stored_beside`] says of its evidence to a text, without a copy of it. Of no delivery.
    pub fn push_stored_beside(&self, usual: &str, text: &mut String) {
        Told::from(self).push_beside(usual, text);
    }
}

fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let letter_of = |(written, letter): (&str, char)| Some((letter, piece.strip_prefix(written)?));
        let (letter, rest) = [("25", '%'), ("7C", '|'), ("0A", '\n')].into_iter().find_map(letter_of)?;
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
        assert_eq!(evidence().to_stored(), "s1aibeRm|5.1.1|mta%7C1|100%25|");
        let received = Evidence { is_time_of_receipt: true, ..evidence() };
        assert_eq!(received.to_stored(), "s1aibeRm|5.1.1|mta%7C1|100%25||r");
        let judged = Evidence { second_opinion: StoredOpinion::from_stored("hr:unknown-user"), ..evidence() };
        assert_eq!(judged.to_stored(), "s1aibeRm|5.1.1|mta%7C1|100%25|hr:unknown-user");
    }

    #[test]
    fn an_event_says_what_its_evidence_does() {
        let Evidence { id, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion } = evidence();
        let recipient = "a@x.example".parse().unwrap();
        let event = Event { id, recipient, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion };
        for usual in ["", &evidence().to_stored_what()] {
            let mut text = String::new();
            event.push_stored_beside(usual, &mut text);
            assert_eq!(text, evidence().to_stored_beside(usual));
        }
    }

    #[test]
    fn no_line_feed_is_in_a_text() {
        let evidence = Evidence { vmta: "a\nb".into(), category: BounceCategory::from_wire("x\ny"), ..evidence() };
        let text = evidence.to_stored();
        assert!(!text.contains('\n') && text.contains("|a%0Ab|"), "{text}");
        assert_eq!(Evidence::from_stored(evidence.id, &text), Ok(evidence));
    }

    #[test]
    fn what_is_usual_is_told_once() {
        let usual = evidence().to_stored_what();
        assert_eq!(usual, "Rm|5.1.1|mta%7C1|100%25|");
        assert_eq!(evidence().to_stored_beside(&usual), "s1aibe");
        let received = Evidence { is_time_of_receipt: true, ..evidence() };
        assert_eq!(received.to_stored_beside(&usual), "s1aibe|r");
        assert_eq!(received.to_stored_beside("B||||r|"), received.to_stored());
        for text in ["s1aibe", "s1aibe|r"] {
            let damaged = Evidence::from_stored_beside(EventId::from_bits(7), text, "");
            assert!(matches!(damaged, Err(Error::StoreDamaged { .. })), "{text}");
        }
    }

    #[test]
    fn what_was_not_written_here_is_damage() {
        for text in [
            "",
            "B||||",
            "1Q||||",
            "1D||||",
            "1B|||",
            "1B|||||",
            "1B||||||r",
            "1B||||||x",
            "1B||%zz||",
            "1B?||||",
            "1",
            "1|r",
            "1|b||||||",
        ] {
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
