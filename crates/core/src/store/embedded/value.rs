//! What lies at a record's keys, in bytes: a record is written anew with every event of its address, and there are millions.
//!
//! A record: a byte that says where its evidence is, a counter for each class, a byte that says which of the following parts there
//! are, the time of the last delivery, what operators did as JSON, and behind that the evidence, if it is here. A number takes seven
//! bits a byte, the least of them first; before a text stands its length.

use serde::{Deserialize, Serialize};

use crate::{
    BounceCategory, Class, EnhancedStatusCode, Event, EventId, EventKind, Evidence, Lift, ManualEntry, Record, StoredOpinion,
    Tombstone, UnixSeconds,
};

/// Where a record's evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Within the record's own value.
    Whole = 1,
    /// Each piece at a key of its own.
    Spread = 2,
}

const HAS_DELIVERY: u8 = 1;
const HAS_ACTS: u8 = 2;

const IS_TIME_OF_RECEIPT: u8 = 4;
const HAS_STATUS: u8 = 8;
const HAS_OPINION: u8 = 16;

/// The kinds of evidence, by their numbers.
const KINDS: [EventKind; 3] = [EventKind::Bounce, EventKind::RemoteBounce, EventKind::Complaint];

/// The bits of a piece of evidence that are its kind's number.
const KIND_BITS: u8 = 3;

/// What operators did to an address.
#[derive(Serialize, Deserialize)]
struct Acts {
    #[serde(skip_serializing_if = "Option::is_none")]
    manual: Option<ManualEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lift: Option<Lift>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tombstone: Option<Tombstone>,
}

/// What is written of a piece of evidence, be it a record's or an event that becomes one.
struct Piece<'a> {
    id: &'a EventId,
    time: UnixSeconds,
    is_time_of_receipt: bool,
    kind: EventKind,
    status: Option<EnhancedStatusCode>,
    category: &'a BounceCategory,
    vmta: &'a str,
    account: &'a str,
    second_opinion: Option<&'a StoredOpinion>,
}

impl<'a> From<&'a Evidence> for Piece<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        Self {
            id: &evidence.id,
            time: evidence.time,
            is_time_of_receipt: evidence.is_time_of_receipt,
            kind: evidence.kind,
            status: evidence.status,
            category: &evidence.category,
            vmta: &evidence.vmta,
            account: &evidence.account,
            second_opinion: evidence.second_opinion.as_ref(),
        }
    }
}

impl<'a> From<&'a Event> for Piece<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: &event.id,
            time: event.time,
            is_time_of_receipt: event.is_time_of_receipt,
            kind: event.kind,
            status: event.status,
            category: &event.category,
            vmta: &event.vmta,
            account: &event.account,
            second_opinion: event.second_opinion.as_ref(),
        }
    }
}

/// Writes a record's own value behind others; none if what operators did cannot be written.
pub(super) fn push_record(bytes: &mut Vec<u8>, record: &Record, form: Form) -> Option<()> {
    bytes.push(form as u8);
    for class in Class::ALL {
        push_number(bytes, record.counters.get(class));
    }
    let has_acts = record.manual.is_some() || record.lift.is_some() || record.tombstone.is_some();
    bytes.push(bit(record.last_delivered.is_some(), HAS_DELIVERY) | bit(has_acts, HAS_ACTS));
    if let Some(time) = record.last_delivered {
        push_number(bytes, time.get().unsigned_abs());
    }
    if has_acts {
        let acts = Acts { manual: record.manual.clone(), lift: record.lift.clone(), tombstone: record.tombstone };
        push_text(bytes, &serde_json::to_string(&acts).ok()?);
    }
    if form == Form::Whole {
        for evidence in record.evidence() {
            push_evidence(bytes, &evidence.into());
        }
    }
    Some(())
}

/// Writes the value of a record that an event of that class has just made: the same that [`push_record`] would write.
pub(super) fn push_record_of_one(bytes: &mut Vec<u8>, event: &Event, class: Class) {
    bytes.push(Form::Whole as u8);
    bytes.extend(Class::ALL.map(|other| u8::from(other == class)));
    bytes.push(0);
    push_evidence(bytes, &event.into());
}

/// The value of a piece of evidence at a key of its own.
pub(super) fn of_evidence(evidence: &Evidence) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    push_evidence(&mut bytes, &evidence.into());
    bytes
}

/// Whether a record's own value has all of its evidence.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes.first() == Some(&(Form::Whole as u8))
}

/// Reads into a record what [`push_record`] wrote of it, with the evidence that stands there.
pub(super) fn read_record(record: &mut Record, bytes: &[u8]) -> Option<(Form, Vec<Evidence>)> {
    let mut unread = Unread(bytes);
    let form = [Form::Whole, Form::Spread].into_iter().find(|form| Some(&(*form as u8)) == bytes.first())?;
    unread.byte()?;
    for class in Class::ALL {
        *record.counters.get_mut(class) = unread.number()?;
    }
    let parts = unread.byte()?;
    record.last_delivered = if parts & HAS_DELIVERY > 0 { Some(unread.time()?) } else { None };
    if parts & HAS_ACTS > 0 {
        let acts: Acts = serde_json::from_str(unread.text()?).ok()?;
        (record.manual, record.lift, record.tombstone) = (acts.manual, acts.lift, acts.tombstone);
    }
    let mut evidence = Vec::new();
    while !unread.0.is_empty() {
        evidence.push(unread.evidence()?);
    }
    (form == Form::Whole || evidence.is_empty()).then_some((form, evidence))
}

/// Reads what [`of_evidence`] wrote.
pub(super) fn read_evidence(bytes: &[u8]) -> Option<Evidence> {
    let mut unread = Unread(bytes);
    unread.evidence().filter(|_| unread.0.is_empty())
}

/// What differs from event to event stands together, and what does not: the files are compressed.
fn push_evidence(bytes: &mut Vec<u8>, evidence: &Piece<'_>) {
    bytes.extend_from_slice(evidence.id.as_str().as_bytes());
    push_number(bytes, evidence.time.get().unsigned_abs());
    let kind = KINDS.iter().position(|kind| *kind == evidence.kind).unwrap_or_default();
    bytes.push(
        u8::try_from(kind).unwrap_or_default()
            | bit(evidence.is_time_of_receipt, IS_TIME_OF_RECEIPT)
            | bit(evidence.status.is_some(), HAS_STATUS)
            | bit(evidence.second_opinion.is_some(), HAS_OPINION),
    );
    if let Some(EnhancedStatusCode { class, subject, detail }) = evidence.status {
        for number in [u64::from(class), u64::from(subject), u64::from(detail)] {
            push_number(bytes, number);
        }
    }
    for text in [evidence.category.as_str(), evidence.vmta, evidence.account] {
        push_text(bytes, text);
    }
    if let Some(opinion) = evidence.second_opinion {
        bytes.extend(opinion.letters());
        push_text(bytes, &opinion.rule);
    }
}

fn bit(is_set: bool, bit: u8) -> u8 {
    if is_set { bit } else { 0 }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [seven_bits, ..] = (number & 0x7f).to_le_bytes();
        number >>= 7;
        if number == 0 {
            return bytes.push(seven_bits);
        }
        bytes.push(seven_bits | 0x80);
    }
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    push_number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

/// What is left to read.
struct Unread<'a>(&'a [u8]);

impl<'a> Unread<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn bytes(&mut self, length: usize) -> Option<&'a [u8]> {
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.byte()?;
            let seven_bits = u64::from(byte & 0x7f);
            if (seven_bits << shift) >> shift != seven_bits {
                return None;
            }
            number |= seven_bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }

    fn time(&mut self) -> Option<UnixSeconds> {
        i64::try_from(self.number()?).ok().map(UnixSeconds::clamped)
    }

    fn status(&mut self) -> Option<EnhancedStatusCode> {
        let class = u8::try_from(self.number()?).ok()?;
        let mut part = || u16::try_from(self.number()?).ok();
        Some(EnhancedStatusCode { class, subject: part()?, detail: part()? })
    }

    fn evidence(&mut self) -> Option<Evidence> {
        let id: EventId = std::str::from_utf8(self.bytes(EventId::BYTES)?).ok()?.parse().ok()?;
        let time = self.time()?;
        let parts = self.byte()?;
        let mut evidence = Evidence {
            id,
            time,
            is_time_of_receipt: parts & IS_TIME_OF_RECEIPT > 0,
            kind: *KINDS.get(usize::from(parts & KIND_BITS))?,
            status: if parts & HAS_STATUS > 0 { Some(self.status()?) } else { None },
            category: BounceCategory::from_wire(self.text()?),
            vmta: self.text()?.into(),
            account: self.text()?.into(),
            second_opinion: None,
        };
        if parts & HAS_OPINION > 0 {
            let letters = self.bytes(2)?.try_into().ok()?;
            // One that a later version wrote in another form is none, and no reason to refuse the rest.
            evidence.second_opinion = StoredOpinion::of_parts(letters, self.text()?);
        }
        Some(evidence)
    }
}

#[cfg(test)]
mod tests;
