//! Rejected letters: what was refused and must not be lost for it.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::{Error, UnixSeconds};

/// Longest reason that is kept, in bytes.
pub const MAX_REASON_BYTES: usize = 512;

/// What a letter is known by: the first 128 bits of its content's SHA-256, as 32 hexadecimal digits. The same content is the
/// same letter, so a provider's retry does not make a second one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LetterId(u128);

impl LetterId {
    /// The identity of a letter with that content.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        let digest = Sha256::digest(content);
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(u128::from_be_bytes(first))
    }
}

impl fmt::Display for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for LetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for LetterId {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidField`] if the text is not 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || Error::InvalidField { field: "id", reason: "a letter's id is 32 hexadecimal digits".into() };
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        u128::from_str_radix(text, 16).map(Self).map_err(|_| invalid())
    }
}

/// What is known of a letter without its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LetterHead {
    /// When it was first refused; events in it that give no time of their own happened then.
    pub received: UnixSeconds,
    /// What it is known by.
    pub id: LetterId,
    /// Length of its content, in bytes.
    pub content_bytes: u64,
    /// Why it was refused.
    pub reason: String,
}

/// A rejected letter: the part of a webhook's body that could not be read, byte by byte.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// What is known of it.
    pub head: LetterHead,
    /// The bytes as they came.
    pub content: Vec<u8>,
}

impl Letter {
    /// A letter for refused bytes. A reason beyond [`MAX_REASON_BYTES`] is cut.
    #[must_use]
    pub fn new(content: &[u8], mut reason: String, received: UnixSeconds) -> Self {
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        let head = LetterHead { received, id: LetterId::of(content), content_bytes: content.len() as u64, reason };
        Self { head, content: content.to_vec() }
    }
}

/// Shows no content: it holds addresses.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").field("head", &self.head).finish_non_exhaustive()
    }
}

/// How much the rejected letters may take up. At the limit a new letter is refused, and with it the request that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetterLimits {
    /// How many letters.
    pub max_letters: u64,
    /// How many bytes of content.
    pub max_content_bytes: u64,
    /// How long a letter is kept, in seconds.
    pub max_age_seconds: u64,
}

impl Default for LetterLimits {
    /// 10,000 letters, 64 MiB, 30 days.
    fn default() -> Self {
        Self { max_letters: 10_000, max_content_bytes: 64 << 20, max_age_seconds: 30 * 86_400 }
    }
}

impl LetterLimits {
    /// Whether a letter of that head is past its age.
    #[must_use]
    pub fn is_expired(&self, head: &LetterHead, now: UnixSeconds) -> bool {
        head.received.plus(self.max_age_seconds) < now
    }

    /// Whether one more letter fits beside so many, of so many bytes.
    #[must_use]
    pub fn have_room(&self, usage: LetterUsage, content_bytes: u64) -> bool {
        usage.letters < self.max_letters && usage.content_bytes.saturating_add(content_bytes) <= self.max_content_bytes
    }
}

/// How much the rejected letters take up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LetterUsage {
    /// How many letters.
    pub letters: u64,
    /// How many bytes of content.
    pub content_bytes: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_content_is_the_same_letter() {
        assert_eq!(LetterId::of(b"{"), LetterId::of(b"{"));
        assert_ne!(LetterId::of(b"{"), LetterId::of(b"["));
        let id = LetterId::of(b"");
        assert_eq!(id.to_string().parse::<LetterId>().unwrap(), id);
        for text in ["", "e3b0", "+3b0c44298fc1c149afbf4c8996fb924", "zzb0c44298fc1c149afbf4c8996fb924"] {
            assert!(text.parse::<LetterId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_letter_shows_no_content() {
        let letter = Letter::new(b"secret@x.example", "why".into(), UnixSeconds::clamped(1));
        assert!(!format!("{letter:?}").contains("secret"));
    }
}
