//! The text under which an opinion is kept with its event.

use std::fmt;

use super::{Fault, MAX_RULE_ID_BYTES, Opinion};
use crate::Class;

/// An opinion as it is kept: `hard,rcpt,gmail-no-such-user`. The reply that it was formed from is not kept.
///
/// At most [`Self::MAX_BYTES`]: the stores keep short values in less memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredOpinion<'a> {
    /// What was thought of the reply; `None` where it said nothing about the recipient.
    pub class: Option<Class>,
    /// Whose fault it was.
    pub fault: Fault,
    /// The rule that decided; perhaps one that is no more.
    pub rule: &'a str,
}

impl<'a> StoredOpinion<'a> {
    /// Longest text, in bytes.
    pub const MAX_BYTES: usize = "none,content,".len() + MAX_RULE_ID_BYTES;

    /// Reads back what [`fmt::Display`] wrote; `None` if it did not write this. Nothing was thought of an empty text.
    #[must_use]
    pub fn from_stored(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let class = match parts.next()? {
            "none" => None,
            name => Some(*CLASSES.iter().find(|class| short(**class) == name)?),
        };
        let fault = parts.next()?;
        let fault = Fault::ALL.into_iter().find(|known| known.as_stored() == fault)?;
        let rule = parts.next().filter(|rule| is_rule_id(rule))?;
        Some(Self { class, fault, rule })
    }
}

impl<'a> From<&Opinion<'a>> for StoredOpinion<'a> {
    fn from(opinion: &Opinion<'a>) -> Self {
        Self { class: opinion.class, fault: opinion.fault, rule: opinion.rule }
    }
}

impl fmt::Display for StoredOpinion<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.class.map_or("none", short), self.fault.as_stored(), self.rule)
    }
}

/// The classes that an opinion can have.
pub(super) const CLASSES: [Class; 3] = [Class::Hard, Class::Soft, Class::Expired];

fn short(class: Class) -> &'static str {
    if class == Class::Expired { "exp" } else { class.as_str() }
}

/// Whether a text can be a rule's id.
pub(super) fn is_rule_id(text: &str) -> bool {
    let letters = text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    letters && !text.is_empty() && text.len() <= MAX_RULE_ID_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_was_not_written_here_is_no_opinion() {
        for text in ["", "hard", "hard,rcpt", "hard,rcpt,", "unmapped,rcpt,x", "soft,nobody,x", "hard,rcpt,a,b", "hard,rcpt,X"] {
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
            let opinion = StoredOpinion { class, fault, rule: &rule };
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
