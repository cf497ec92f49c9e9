//! What an operator does to an address by hand.

use serde::{Deserialize, Serialize};

use crate::{Error, UnixSeconds};

/// Longest note, reason or name given by an operator, in bytes.
pub const MAX_NOTE_BYTES: usize = 512;

/// A suppression that an operator entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualEntry {
    /// Since when.
    pub since: UnixSeconds,
    /// Until when; for good if not given.
    pub until: Option<UnixSeconds>,
    /// Who entered it.
    pub who: String,
    /// Why.
    pub note: String,
}

impl ManualEntry {
    /// An entry that is made at `since`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if who or note is longer than [`MAX_NOTE_BYTES`] or holds a control character, if note is empty,
    /// or if the end is not later than the beginning: such an entry would suppress nobody.
    pub fn new(since: UnixSeconds, until: Option<UnixSeconds>, who: &str, note: &str) -> Result<Self, Error> {
        let who = words("who", who)?;
        let note = reason("note", note)?;
        if until.is_some_and(|until| until <= since) {
            return Err(Error::InvalidField { field: "expire_time", reason: "must lie in the future".into() });
        }
        Ok(Self { since, until, who, note })
    }

    /// Whether it suppresses at that time.
    #[must_use]
    pub fn is_in_force(&self, now: UnixSeconds) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A fence: evidence up to it no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lift {
    /// Evidence of this time and before does not count.
    pub fence: UnixSeconds,
    /// When it was set.
    pub at: UnixSeconds,
    /// Who set it.
    pub who: String,
    /// Why.
    pub why: String,
}

/// An operator's words, without the blanks around them.
///
/// # Errors
///
/// [`Error::InvalidField`] if they are longer than [`MAX_NOTE_BYTES`] or hold a control character.
pub(crate) fn words(field: &'static str, text: &str) -> Result<String, Error> {
    let invalid = |reason: String| Err(Error::InvalidField { field, reason });
    if text.len() > MAX_NOTE_BYTES {
        return invalid(format!("is longer than {MAX_NOTE_BYTES} bytes"));
    }
    if text.chars().any(char::is_control) {
        return invalid("holds a control character".into());
    }
    Ok(text.trim().to_owned())
}

/// As [`words`], and there have to be some.
///
/// # Errors
///
/// As there; and if there are none.
pub(crate) fn reason(field: &'static str, text: &str) -> Result<String, Error> {
    let reason = words(field, text)?;
    if reason.is_empty() {
        return Err(Error::InvalidField { field, reason: "must say why, for those who come later".into() });
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixSeconds = UnixSeconds::clamped(1000);

    fn refused(until: Option<i64>, who: &str, note: &str) -> Option<&'static str> {
        match ManualEntry::new(NOW, until.map(UnixSeconds::clamped), who, note) {
            Err(Error::InvalidField { field, .. }) => Some(field),
            other => {
                assert!(other.is_ok(), "{other:?}");
                None
            }
        }
    }

    #[test]
    fn what_no_entry_can_be_is_refused_by_its_field() {
        let longest = "n".repeat(MAX_NOTE_BYTES);
        let too_long = format!("{longest}n");
        assert_eq!(refused(None, "", "asked to"), None);
        assert_eq!(refused(Some(1001), &longest, &longest), None);
        assert_eq!(refused(None, &too_long, "asked to"), Some("who"));
        assert_eq!(refused(None, "o\np", "asked to"), Some("who"));
        for note in ["", " ", "a\tb", &too_long] {
            assert_eq!(refused(None, "ops", note), Some("note"), "{note:?}");
        }
        for past in [0, 999, 1000] {
            assert_eq!(refused(Some(past), "ops", "asked to"), Some("expire_time"), "{past}");
        }
    }

    #[test]
    fn blanks_around_words_are_none_of_them() {
        let entry = ManualEntry::new(NOW, None, " ops ", " asked to ").unwrap();
        assert_eq!((&*entry.who, &*entry.note), ("ops", "asked to"));
    }
}
