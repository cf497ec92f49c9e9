//! Where a client goes on: what it knows, as a text that it keeps.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use suppressd_core::checksum;
use suppressd_core::store::{ChangePosition, ListingPlace, MAX_POSITION_BYTES};
use tonic::Status;

use crate::status;

/// Longest token, in bytes: a position, a place in a listing, and what stands around them, in base64.
const MAX_TOKEN_BYTES: usize = (MAX_POSITION_BYTES + MAX_PLACE_BYTES + 32) / 3 * 4;

/// Longest place in a listing, in bytes: an address, and a number.
const MAX_PLACE_BYTES: usize = 512;

/// The form of a token.
const VERSION: u8 = 1;

/// It knows all changes up to a position.
const LIVE: u8 = 0;

/// It is on its way through a snapshot.
const SNAPSHOT: u8 = 1;

/// Bytes of the sum by which a token is told from what is none.
const SUM_BYTES: usize = 4;

/// What a client knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A part of a snapshot that was begun when the changes were at the position: all up to a place, or nothing yet.
    Snapshot { known: Known, place: Option<ListingPlace> },
    /// Everything up to that position.
    Live(Known),
}

/// How far changes are known, and by what verdicts on them were formed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) position: ChangePosition,
    /// The mark of the standpoint.
    pub(super) standpoint: u32,
}

impl Token {
    pub(super) fn write(&self) -> String {
        let (phase, known, place) = match self {
            Self::Snapshot { known, place } => (SNAPSHOT, known, place.as_ref().map_or("", |place| &place.0)),
            Self::Live(known) => (LIVE, known, ""),
        };
        let mut bytes = vec![VERSION, phase];
        bytes.extend(known.standpoint.to_be_bytes());
        bytes.extend(known.position.to_bytes());
        bytes.extend_from_slice(place.as_bytes());
        bytes.extend(checksum(&bytes).to_be_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads one. Whether what it stands for is still kept is not known by that.
    pub(super) fn read(token: &str) -> Result<Self, Status> {
        Self::decode(token).ok_or_else(|| status::refused("token", "it is none that a message had"))
    }

    fn decode(token: &str) -> Option<Self> {
        if token.len() > MAX_TOKEN_BYTES {
            return None;
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok()?;
        let (content, found) = bytes.split_last_chunk::<SUM_BYTES>()?;
        let [VERSION, phase, rest @ ..] = content else { return None };
        let (standpoint, rest) = rest.split_first_chunk().filter(|_| *found == checksum(content).to_be_bytes())?;
        let (position, rest) = ChangePosition::from_bytes(rest)?;
        let place = std::str::from_utf8(rest).ok()?;
        let known = Known { position, standpoint: u32::from_be_bytes(*standpoint) };
        match *phase {
            LIVE if place.is_empty() => Some(Self::Live(known)),
            SNAPSHOT => {
                let place = (!place.is_empty()).then(|| ListingPlace(place.to_owned()));
                Some(Self::Snapshot { known, place })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use suppressd_core::store::memory::MemoryStore;
    use suppressd_core::store::{AdministrativeStore as _, ChangeStore as _};
    use suppressd_core::{ManualEntry, UnixSeconds};
    use tonic::Code;

    async fn tokens() -> [Token; 4] {
        let store = MemoryStore::default();
        let empty = store.end_of_changes().await.unwrap();
        let entry = ManualEntry::new(UnixSeconds::clamped(1), None, "ops", "x").unwrap();
        store.suppress(&"a@x.example".parse().unwrap(), entry).await.unwrap();
        let position = store.end_of_changes().await.unwrap();
        let [empty, known] = [(empty, 0), (position, u32::MAX)].map(|(position, standpoint)| Known { position, standpoint });
        [
            Token::Live(empty.clone()),
            Token::Live(known.clone()),
            Token::Snapshot { known: empty, place: None },
            Token::Snapshot { known, place: Some(ListingPlace("7 a@x.example".into())) },
        ]
    }

    #[tokio::test]
    async fn a_token_comes_back() {
        for token in tokens().await {
            assert_eq!(Token::read(&token.write()).unwrap(), token);
        }
    }

    #[tokio::test]
    async fn what_is_no_token_is_refused() {
        for token in tokens().await {
            let text = token.write();
            for place in 0..text.len() {
                let other = if text.as_bytes()[place] == b'A' { "B" } else { "A" };
                let wrong = [&text[..place], other, &text[place + 1..]].concat();
                assert_eq!(Token::read(&wrong).unwrap_err().code(), Code::InvalidArgument, "{wrong}");
                assert!(Token::read(&text[..place]).is_err());
            }
        }
        for text in ["x", "=", "\u{e9}", &"A".repeat(MAX_TOKEN_BYTES), &"A".repeat(MAX_TOKEN_BYTES + 1)] {
            assert!(Token::read(text).is_err());
        }
    }
}
