//! The provider's bounce categories and the class each of them falls into.

use std::borrow::Cow;

/// Longest category that is kept, in bytes; what is longer is cut, and is unmapped in any case.
pub const MAX_CATEGORY_BYTES: usize = 64;

/// What a piece of evidence weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The mailbox or its domain does not exist.
    Hard,
    /// A fault that may pass; suppresses when it repeats.
    Soft,
    /// The message was given up after its time in the queue.
    Expired,
    /// A bounce that says nothing reliable about the recipient.
    Unmapped,
    /// The recipient complained: a feedback loop's report.
    Complaint,
}

impl Class {
    /// All classes, in the order of their counters.
    pub const ALL: [Self; 5] = [Self::Hard, Self::Soft, Self::Expired, Self::Unmapped, Self::Complaint];

    /// The lower-case name: of the counter in the store, in metrics and in `classify`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Expired => "expired",
            Self::Unmapped => "unmapped",
            Self::Complaint => "complaint",
        }
    }
}

/// The categories that the provider names, with its documented class for each. This table is the only place of that rule.
///
/// Source: Inboxroad's webhook documentation; the names are `PowerMTA`'s `bounceCat` values. The letter is what a store may keep of
/// the name, and never becomes that of another one.
const CATEGORIES: [(&str, Class, &str); 17] = [
    ("bad-mailbox", Class::Hard, "m"),
    ("bad-domain", Class::Hard, "d"),
    ("quota-issues", Class::Soft, "q"),
    ("inactive-mailbox", Class::Soft, "i"),
    ("no-answer-from-host", Class::Soft, "n"),
    ("relaying-issues", Class::Soft, "y"),
    ("routing-errors", Class::Soft, "r"),
    ("message-expired", Class::Expired, "x"),
    ("other", Class::Unmapped, "o"),
    ("spam-related", Class::Unmapped, "s"),
    ("policy-related", Class::Unmapped, "p"),
    ("content-related", Class::Unmapped, "c"),
    ("virus-related", Class::Unmapped, "v"),
    ("protocol-errors", Class::Unmapped, "e"),
    ("bad-connection", Class::Unmapped, "b"),
    ("bad-configuration", Class::Unmapped, "g"),
    ("invalid-sender", Class::Unmapped, "z"),
];

/// Stands in front of the name of a category that has no letter.
const UNNAMED: char = '=';

/// A bounce category (`bounceCat`): lower-case, without blanks, at most [`MAX_CATEGORY_BYTES`] long; empty if none was given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BounceCategory {
    name: Cow<'static, str>,
    /// That of the name: asked for several times an event.
    class: Class,
}

impl BounceCategory {
    /// The category of an event that names none.
    pub const NONE: Self = Self { name: Cow::Borrowed(""), class: Class::Unmapped };

    /// Reads a category as it stood on the wire: case and blanks do not count, and any text is a category.
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        if let Some(named) = Self::named_so(text) {
            return named;
        }
        let mut name = String::new();
        for letter in text.chars().filter(|letter| !letter.is_whitespace() && !letter.is_control()).flat_map(char::to_lowercase) {
            if name.len() + letter.len_utf8() > MAX_CATEGORY_BYTES {
                break;
            }
            name.push(letter);
        }
        Self::named_so(&name).unwrap_or(Self { name: Cow::Owned(name), class: Class::Unmapped })
    }

    fn named_so(text: &str) -> Option<Self> {
        CATEGORIES.iter().find(|(name, ..)| *name == text).map(Self::of_table)
    }

    fn of_table((name, class, _): &(&'static str, Class, &str)) -> Self {
        Self { name: Cow::Borrowed(name), class: *class }
    }

    /// The letter of a category that the provider names, or the name of another one behind `=`; nothing if none was given.
    #[must_use]
    pub fn to_stored(&self) -> Cow<'static, str> {
        match CATEGORIES.iter().find(|(name, ..)| *name == self.name) {
            Some((_, _, letter)) => Cow::Borrowed(letter),
            None if self.name.is_empty() => Cow::Borrowed(""),
            None => Cow::Owned(format!("{UNNAMED}{}", self.name)),
        }
    }

    /// Reads back what [`Self::to_stored`] wrote; none if it did not write this.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<Self> {
        match text.strip_prefix(UNNAMED) {
            Some(name) => Some(Self::from_wire(name)),
            None if text.is_empty() => Some(Self::NONE),
            None => CATEGORIES.iter().find(|(.., letter)| *letter == text).map(Self::of_table),
        }
    }

    /// The name, empty if the event named none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The class that the provider documents for it; [`Class::Unmapped`] for all that it does not name.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The names of all categories that the provider names.
    pub fn named() -> impl Iterator<Item = &'static str> {
        CATEGORIES.into_iter().map(|(name, ..)| name)
    }

    /// The categories that have a class of their own, with that class: for stores that sort evidence where it lies.
    pub fn mapped() -> impl Iterator<Item = (Self, Class)> {
        CATEGORIES
            .iter()
            .map(Self::of_table)
            .map(|category| (category.clone(), category.class))
            .filter(|(_, class)| *class != Class::Unmapped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn case_and_blanks_do_not_count() {
        for text in ["bad-mailbox", "Bad-Mailbox", " bad-mailbox\t", "BAD - MAILBOX"] {
            assert_eq!(BounceCategory::from_wire(text).class(), Class::Hard, "{text:?}");
        }
    }

    #[test]
    fn everything_else_is_unmapped() {
        for text in ["", " ", "other", "spam-related", "badmailbox", "hard", "bad-mailbox2", "\u{0}"] {
            assert_eq!(BounceCategory::from_wire(text).class(), Class::Unmapped, "{text:?}");
        }
    }

    #[test]
    fn each_named_category_has_a_letter_of_its_own() {
        let letters: std::collections::BTreeSet<_> = CATEGORIES.iter().map(|(.., letter)| *letter).collect();
        assert_eq!(letters.len(), CATEGORIES.len());
        for (name, _, letter) in CATEGORIES {
            assert_eq!(BounceCategory::from_wire(name).to_stored(), letter);
        }
        assert_eq!(BounceCategory::from_stored("?"), None);
    }

    proptest! {
        #[test]
        fn is_read_back_as_it_was(text in any::<String>()) {
            let category = BounceCategory::from_wire(&text);
            prop_assert_eq!(BounceCategory::from_stored(&category.to_stored()), Some(category));
        }

        #[test]
        fn reading_twice_changes_nothing(text in any::<String>()) {
            let once = BounceCategory::from_wire(&text);
            prop_assert!(once.as_str().len() <= MAX_CATEGORY_BYTES);
            prop_assert_eq!(BounceCategory::from_wire(once.as_str()), once);
        }
    }
}
