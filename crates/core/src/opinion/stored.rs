//! The text under which an opinion is kept with its event.

use std::borrow::Cow;
use std::fmt;

use super::{Contradiction, Fault, MAX_RULE_ID_BYTES, Opinion};
use crate::{BounceCategory, Class};

/// An opinion as it is kept: `hr:gmail-no-such-user`, hard by the recipient's fault. The reply that it was formed from is not
/// kept.
///
/// Class and fault are a letter each, and all of it at most [`Self::MAX_BYTES`]: Redis keeps short values in less memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOpinion {
    /// What was thought of the reply; `None` where it said nothing about the recipient.
    pub class: Option<Class>,
    /// Whose fault it was.
    pub fault: Fault,
    /// The rule that decided; perhaps one that is no more.
    pub rule: Cow<'static, str>,
}

impl StoredOpinion {
    /// Longest text, in bytes.
    pub const MAX_BYTES: usize = "hr:".len() + MAX_RULE_ID_BYTES;

    /// As [`Opinion::contradicts`].
    #[must_use]
    pub fn contradicts(&self, category: &BounceCategory) -> Option<Contradiction> {
        match (category.class(), self.class) {
            (Class::Soft | Class::Expired, Some(Class::Hard)) => Some(Contradiction::Harder),
            (Class::Hard, Some(Class::Hard)) | (Class::Unmapped | Class::Complaint, _) => None,
            (Class::Hard, _) => Some(Contradiction::Milder),
            (Class::Soft, None) if self.fault != Fault::Infrastructure => Some(Contradiction::Milder),
            (Class::Soft | Class::Expired, _) => None,
        }
    }

    /// Reads back what [`fmt::Display`] wrote; `None` if it did not write this. Nothing was thought of an empty text.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        let (letters, rule) = text.split_once(':')?;
        Self::of_parts(letters.as_bytes().try_into().ok()?, rule)
    }

    /// The opinion that has these [`letters`](Self::letters) and that rule, if there can be one.
    pub(crate) fn of_parts([class, fault]: [u8; 2], rule: &str) -> Option<Self> {
        let class = match class {
            NO_CLASS => None,
            letter => Some(*CLASSES.iter().find(|class| letter_of(**class) == letter)?),
        };
        let fault = Fault::ALL.into_iter().find(|known| known.as_letter() == fault)?;
        is_rule_id(rule).then(|| Self { class, fault, rule: rule.to_owned().into() })
    }

    /// The letters for class and fault.
    pub(crate) fn letters(&self) -> [u8; 2] {
        [self.class.map_or(NO_CLASS, letter_of), self.fault.as_letter()]
    }
}

impl From<&Opinion<'_>> for StoredOpinion {
    fn from(opinion: &Opinion<'_>) -> Self {
        Self { class: opinion.class, fault: opinion.fault, rule: opinion.rule.to_owned().into() }
    }
}

impl fmt::Display for StoredOpinion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [class, fault] = self.letters().map(char::from);
        write!(f, "{class}{fault}:{}", self.rule)
    }
}

/// The classes that an opinion can have.
pub(super) const CLASSES: [Class; 3] = [Class::Hard, Class::Soft, Class::Expired];

/// Stands for an opinion that says nothing about the recipient.
const NO_CLASS: u8 = b'n';

fn letter_of(class: Class) -> u8 {
    class.as_str().bytes().next().unwrap_or(NO_CLASS)
}

/// Whether a text can be a rule's id.
pub(crate) fn is_rule_id(text: &str) -> bool {
    let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    letters && !text.is_empty() && text.len() <= MAX_RULE_ID_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_written_here_is_no_opinion() {
        for text in ["", "hard", "hr", "hr:", "ur:x", "sx:x", "hrr:x", "hr:a:b", "hr:X", "h:x", ":x"] {
            assert_eq!(StoredOpinion::from_stored(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_as_it_was(
            class in prop::option::of(prop::sample::select(&CLASSES[..])),
            fault in prop::sample::select(&Fault::ALL[..]),
            rule in "[a-z0-9-]{1,24}",
        ) {
            let opinion = StoredOpinion { class, fault, rule: rule.into() };
            let text = opinion.to_string();
            prop_assert!(text.len() <= StoredOpinion::MAX_BYTES);
            prop_assert_eq!(StoredOpinion::from_stored(&text), Some(opinion));
        }

        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            let _ = StoredOpinion::from_stored(&text);
        }
    }
}
