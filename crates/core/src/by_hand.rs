//! What an operator does to an address by hand.

use serde::{Deserialize, Serialize};

use crate::{Error, UnixSeconds};

/// Longest note, reason or name given by an operator, in bytes.
pub const MAX_NOTE_BYTES: usize = 512;

/// Longest identity of a request, in bytes.
pub const MAX_REQUEST_ID_BYTES: usize = 64;

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
    /// The request by which it was entered, if whoever made it may have to make it again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<Box<str>>,
}

/// What became of an entry that is made only where it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entered {
    /// It suppresses the address from now on, or was entered by the same request before.
    Created,
    /// There is an entry that lasts as long; nothing changed.
    Known,
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
        Ok(Self { since, until, who, note, request_id: None })
    }

    /// Whether it suppresses at that time.
    #[must_use]
    pub fn is_in_force(&self, now: UnixSeconds) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// The same entry for something that was so before it is entered. A time that is later changes nothing.
    #[must_use]
    pub fn backdated(self, since: UnixSeconds) -> Self {
        Self { since: self.since.min(since), ..self }
    }

    /// The same entry as the work of a request that may be made again.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if the identity is empty, longer than [`MAX_REQUEST_ID_BYTES`], or not made of visible ASCII.
    pub fn requested_by(self, request_id: &str) -> Result<Self, Error> {
        let is_visible = request_id.bytes().all(|byte| byte.is_ascii_graphic());
        if request_id.is_empty() || request_id.len() > MAX_REQUEST_ID_BYTES || !is_visible {
            let reason = format!("must be 1 to {MAX_REQUEST_ID_BYTES} visible characters of ASCII");
            return Err(Error::InvalidField { field: "request_id", reason });
        }
        Ok(Self { request_id: Some(request_id.into()), ..self })
    }

    /// What becomes of this entry where there is another one. None if it takes its place.
    ///
    /// An entry that has expired lasts less long than any that is made later: no clock is needed.
    #[must_use]
    pub fn answer_beside(&self, kept: &Self) -> Option<Entered> {
        if self.request_id.is_some() && self.request_id == kept.request_id {
            return Some(Entered::Created);
        }
        let lasts_as_long = kept.until.is_none_or(|end_of_kept| self.until.is_some_and(|end| end <= end_of_kept));
        lasts_as_long.then_some(Entered::Known)
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
    fn an_entry_yields_to_one_that_lasts_as_long() {
        let entry = |until: Option<i64>| ManualEntry::new(NOW, until.map(UnixSeconds::clamped), "ops", "asked to").unwrap();
        let by = |id: &str, until| entry(until).requested_by(id).unwrap();
        for (new, kept, answer) in [
            (entry(None), entry(None), Some(Entered::Known)),
            (entry(Some(2000)), entry(None), Some(Entered::Known)),
            (entry(Some(2000)), entry(Some(2000)), Some(Entered::Known)),
            (entry(Some(2001)), entry(Some(2000)), None),
            (entry(None), entry(Some(2000)), None),
            (by("a:1", None), by("a:1", None), Some(Entered::Created)),
            (by("a:1", None), by("a:2", None), Some(Entered::Known)),
            (by("a:1", None), by("a:2", Some(2000)), None),
        ] {
            assert_eq!(new.answer_beside(&kept), answer, "{new:?} beside {kept:?}");
        }
        for id in ["", " ", "a b", "\u{e9}", &"x".repeat(MAX_REQUEST_ID_BYTES + 1)] {
            assert!(entry(None).requested_by(id).is_err(), "{id:?}");
        }
        assert_eq!(entry(None).backdated(UnixSeconds::clamped(7)).since, UnixSeconds::clamped(7));
        assert_eq!(entry(None).backdated(UnixSeconds::clamped(7777)).since, NOW);
    }

    #[test]
    fn blanks_around_words_are_none_of_them() {
        let entry = ManualEntry::new(NOW, None, " ops ", " asked to ").unwrap();
        assert_eq!((&*entry.who, &*entry.note), ("ops", "asked to"));
    }
}
