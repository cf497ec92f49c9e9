//! How a store names addresses: as they are, or by a key. It says so itself, for the wrong key would find nobody suppressed.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How a store names addresses. Of a key it holds what tells it from another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredNames {
    /// As they are.
    Readable,
    /// All by that key.
    Hashed(String),
    /// All by that key since some time, and before as they are.
    Mixed(String),
}

/// What a store holds when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg(any(test, feature = "embedded", feature = "redis"))]
pub(super) enum Begun {
    /// It has no record.
    Empty,
    /// It has records, or may have some soon that whoever writes them names as they are.
    WithRecords,
}

// Only a store that outlives its process has something to agree on.
#[cfg(any(test, feature = "embedded", feature = "redis"))]
impl StoredNames {
    /// How a store names addresses from now on that is opened with a key, or with none.
    ///
    /// # Errors
    ///
    /// [`Error::StoreFailed`] if it names them by a key, and that is not the one that is given.
    pub(super) fn agreed(found: Option<&Self>, check: Option<&str>, begun: Begun) -> Result<Self, Error> {
        match (found, check) {
            (None | Some(Self::Readable), None) => Ok(Self::Readable),
            (None | Some(Self::Readable), Some(check)) => Ok(match begun {
                Begun::Empty => Self::Hashed(check.to_owned()),
                Begun::WithRecords => Self::Mixed(check.to_owned()),
            }),
            (Some(names @ (Self::Hashed(of_store) | Self::Mixed(of_store))), Some(check)) if of_store == check => {
                Ok(names.clone())
            }
            (Some(Self::Hashed(_) | Self::Mixed(_)), given) => Err(Error::StoreFailed { reason: refusal(given.is_some()) }),
        }
    }
}

#[cfg(any(test, feature = "embedded", feature = "redis"))]
fn refusal(has_key: bool) -> String {
    let what = if has_key { "by another key than the one that is given" } else { "by a key, and none is given" };
    format!("its addresses are hashed {what}; give the file with its key as --address-key-file, or nobody in it would be found")
}

/// `readable`, `hashed:<check>`, `mixed:<check>`.
impl fmt::Display for StoredNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readable => f.write_str("readable"),
            Self::Hashed(check) => write!(f, "hashed:{check}"),
            Self::Mixed(check) => write!(f, "mixed:{check}"),
        }
    }
}

impl FromStr for StoredNames {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if it is not what a store says.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim_end();
        let check = |behind: &str| text.strip_prefix(behind).filter(|check| !check.is_empty()).map(str::to_owned);
        match (text, check("hashed:"), check("mixed:")) {
            ("readable", _, _) => Ok(Self::Readable),
            (_, Some(check), _) => Ok(Self::Hashed(check)),
            (_, None, Some(check)) => Ok(Self::Mixed(check)),
            (_, None, None) => {
                Err(Error::StoreDamaged { reason: "how it names addresses cannot be read; restore it from a backup".into() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Begun::{Empty, WithRecords};

    fn agreed(found: Option<&str>, check: Option<&str>, begun: Begun) -> Result<String, Error> {
        let found = found.map(|found| found.parse().unwrap());
        StoredNames::agreed(found.as_ref(), check, begun).map(|names| names.to_string())
    }

    #[test]
    fn a_store_goes_from_readable_to_mixed_and_never_back() {
        for begun in [Empty, WithRecords] {
            assert_eq!(agreed(None, None, begun).unwrap(), "readable");
            assert_eq!(agreed(Some("readable"), None, begun).unwrap(), "readable");
            for names in ["hashed:k", "mixed:k"] {
                assert_eq!(agreed(Some(names), Some("k"), begun).unwrap(), names);
                for other in [None, Some("l")] {
                    let refused = agreed(Some(names), other, begun).unwrap_err();
                    assert!(!refused.is_transient() && refused.to_string().contains("--address-key-file"), "{refused}");
                }
            }
        }
        for found in [None, Some("readable")] {
            assert_eq!(agreed(found, Some("k"), Empty).unwrap(), "hashed:k");
            assert_eq!(agreed(found, Some("k"), WithRecords).unwrap(), "mixed:k");
        }
    }

    #[test]
    fn what_no_store_says_is_damage() {
        for text in ["", "hashed", "hashed:", "mixed:", "Readable"] {
            assert!(matches!(text.parse::<StoredNames>(), Err(Error::StoreDamaged { .. })), "{text:?}");
        }
    }
}
