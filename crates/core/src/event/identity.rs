//! An event's identity: the same occurrence has the same one, however often and in whatever company it is delivered.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::wire::WebhookEvent;
use crate::{Address, Error};

/// Length of an identity's text, in bytes.
const EVENT_ID_BYTES: usize = 11;

/// The first 64 bits of a SHA-256, as 11 characters of base64url. Ordered as its text is, in Rust as in a Redis script.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventId([u8; EVENT_ID_BYTES]);

impl EventId {
    /// Length of its text, in bytes.
    pub const BYTES: usize = EVENT_ID_BYTES;

    /// The identity of an event: type, Message-Id without its angle brackets, recipient, and `timeLogged` as it stood on the
    /// wire; without a Message-Id, all the fields. Every part is preceded by its length, so no two lists of parts are alike.
    ///
    /// The time of receipt is no part of it: a webhook that is repeated is the same occurrence.
    pub(super) fn of(event: &WebhookEvent, recipient: &Address) -> Self {
        let message_id = event.message_id.trim().trim_start_matches('<').trim_end_matches('>');
        let mut parts = Sha256::new();
        let mut add = |part: &str| {
            parts.update((part.len() as u64).to_be_bytes());
            parts.update(part.as_bytes());
        };
        add(&event.kind);
        add(message_id);
        add(recipient.as_str());
        add(&event.time_logged);
        if message_id.is_empty() {
            for part in [
                &event.orig,
                &event.dsn_action,
                &event.dsn_status,
                &event.dsn_diag,
                &event.bounce_cat,
                &event.rcv_smtp_user,
                &event.vmta,
            ] {
                add(part);
            }
        }
        let digest = parts.finalize();
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Self::from_bits(u64::from_be_bytes(first))
    }

    /// The identity with these 64 bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        let mut text = [0; EVENT_ID_BYTES];
        let length = URL_SAFE_NO_PAD.encode_slice(bits.to_be_bytes(), &mut text);
        debug_assert_eq!(length, Ok(EVENT_ID_BYTES), "8 bytes are 11 characters");
        Self(text)
    }

    /// The 11 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only base64url characters are ever put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for EventId {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if the text is not an identity: identities are only ever read back from a store.
    fn from_str(text: &str) -> Result<Self, Error> {
        let damaged = || Error::StoreDamaged { reason: "an event's identity cannot be read".into() };
        let bytes: [u8; EVENT_ID_BYTES] = text.as_bytes().try_into().map_err(|_| damaged())?;
        if bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
            Ok(Self(bytes))
        } else {
            Err(damaged())
        }
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(change: impl FnOnce(&mut WebhookEvent)) -> EventId {
        let mut event = WebhookEvent {
            kind: "b".into(),
            rcpt: "a@x.example".into(),
            message_id: "<1@y>".into(),
            time_logged: "1695222842".into(),
            dsn_diag: "smtp;550".into(),
            ..WebhookEvent::default()
        };
        change(&mut event);
        EventId::of(&event, &event.rcpt.parse().unwrap())
    }

    #[test]
    fn is_stable_across_versions() {
        // A change here would make every stored event a stranger to its repetition.
        assert_eq!(id(|_| ()).as_str(), "GEtYffWYmGg");
    }

    #[test]
    fn brackets_and_spelling_do_not_count() {
        assert_eq!(id(|_| ()), id(|event| event.message_id = "1@y".into()));
        assert_eq!(id(|_| ()), id(|event| event.rcpt = " <A@X.example>".into()));
        assert_eq!(id(|_| ()), id(|event| event.dsn_diag = "other words".into()));
    }

    #[test]
    fn every_part_counts() {
        assert_ne!(id(|_| ()), id(|event| event.kind = "rb".into()));
        assert_ne!(id(|_| ()), id(|event| event.message_id = "<2@y>".into()));
        assert_ne!(id(|_| ()), id(|event| event.rcpt = "b@x.example".into()));
        assert_ne!(id(|_| ()), id(|event| event.time_logged = "1695222843".into()));
    }

    #[test]
    fn without_a_message_id_all_fields_count() {
        let bare = id(|event| event.message_id = "".into());
        assert_eq!(bare, id(|event| event.message_id = " <> ".into()));
        assert_ne!(
            bare,
            id(|event| {
                event.message_id = "".into();
                event.dsn_diag = "other words".into();
            })
        );
    }

    #[test]
    fn its_text_reads_back() {
        let once = EventId::from_bits(0x0123_4567_89ab_cdef);
        assert_eq!(once.as_str().parse::<EventId>().unwrap(), once);
        assert!("short".parse::<EventId>().is_err());
    }
}
