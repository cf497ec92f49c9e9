//! What the text of evidence tells, of the evidence or of the event of which it is.

use super::{KINDS, TIME_OF_RECEIPT, TIME_RADIX};
use crate::{BounceCategory, EnhancedStatusCode, Event, EventKind, Evidence, StoredOpinion, UnixSeconds};

/// Most digits of a number of 64 bits.
const MAX_DIGITS: usize = 20;

/// What the text tells.
pub(super) struct Told<'a> {
    time: UnixSeconds,
    is_time_of_receipt: bool,
    kind: EventKind,
    category: &'a BounceCategory,
    status: Option<EnhancedStatusCode>,
    vmta: &'a str,
    account: &'a str,
    second_opinion: Option<&'a StoredOpinion>,
}

impl<'a> From<&'a Evidence> for Told<'a> {
    fn from(evidence: &'a Evidence) -> Self {
        let Evidence { id: _, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion } = evidence;
        Self {
            time: *time,
            is_time_of_receipt: *is_time_of_receipt,
            kind: *kind,
            category,
            status: *status,
            vmta,
            account,
            second_opinion: second_opinion.as_ref(),
        }
    }
}

impl<'a> From<&'a Event> for Told<'a> {
    fn from(event: &'a Event) -> Self {
        let Event { id: _, recipient: _, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion } =
            event;
        Self {
            time: *time,
            is_time_of_receipt: *is_time_of_receipt,
            kind: *kind,
            category,
            status: *status,
            vmta,
            account,
            second_opinion: second_opinion.as_ref(),
        }
    }
}

impl Told<'_> {
    pub(super) fn push_beside(&self, usual: &str, text: &mut String) {
        push_time(text, self.time);
        let time_ends = text.len();
        self.push_what(text);
        if text.get(time_ends..) == Some(usual) {
            text.truncate(time_ends);
        }
        if self.is_time_of_receipt {
            text.push_str(TIME_OF_RECEIPT);
        }
    }

    pub(super) fn push_what(&self, text: &mut String) {
        // A delivery is no evidence.
        text.extend(KINDS.iter().find(|(kind, _)| *kind == self.kind).map(|(_, letter)| *letter));
        push_escaped(text, &self.category.to_stored());
        text.push('|');
        if let Some(EnhancedStatusCode { class, subject, detail }) = self.status {
            push_number(text, class.into());
            for part in [subject, detail] {
                text.push('.');
                push_number(text, part.into());
            }
        }
        text.push('|');
        push_escaped(text, self.vmta);
        text.push('|');
        push_escaped(text, self.account);
        text.push('|');
        if let Some(opinion) = self.second_opinion {
            text.extend(opinion.letters().map(char::from));
            text.push(':');
            text.push_str(&opinion.rule);
        }
    }
}

/// A time to the base of 36.
fn push_time(text: &mut String, time: UnixSeconds) {
    push_digits::<TIME_RADIX>(text, time.get().unsigned_abs());
}

/// A number. `format!` takes its time, and an event has several.
fn push_number(text: &mut String, number: u64) {
    push_digits::<10>(text, number);
}

fn push_digits<const RADIX: u32>(text: &mut String, number: u64) {
    let mut digits = [0; MAX_DIGITS];
    let mut rest = number;
    let mut begin = digits.len();
    while begin == digits.len() || rest > 0 {
        begin -= 1;
        digits[begin] = u32::try_from(rest % u64::from(RADIX)).unwrap_or_default();
        rest /= u64::from(RADIX);
    }
    text.extend(digits[begin..].iter().filter_map(|digit| char::from_digit(*digit, RADIX)));
}

fn push_escaped(text: &mut String, part: &str) {
    if !part.bytes().any(|byte| matches!(byte, b'%' | b'|' | b'\n')) {
        text.push_str(part);
        return;
    }
    for letter in part.chars() {
        match letter {
            '%' => text.push_str("%25"),
            '|' => text.push_str("%7C"),
            '\n' => text.push_str("%0A"),
            other => text.push(other),
        }
    }
}
