//! Addresses as nearly all of them are: every check parses one, and the rules for the others cost more than the check.

use super::{Address, MAX_ADDRESS_BYTES};

/// Longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART_BYTES: usize = 64;

/// Longest label of a domain, in bytes (RFC 1035, 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// Reads an address of ASCII letters, digits and a few signs, of which only the case has to be normalised. None says nothing:
/// the rules for all addresses decide then. What is read here they would read alike.
pub(super) fn read(text: &str) -> Option<Address> {
    if text.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    let at = text.bytes().position(|letter| letter == b'@')?;
    let (local, domain) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
    if local.len() > MAX_LOCAL_PART_BYTES || !is_plain(local, is_of_local_part) || !is_plain(domain, is_of_domain) {
        return None;
    }
    // Labels that begin with xn-- stand for others, and may be wrong; a name of numbers alone may be none.
    let is_simple = |label: &[u8]| {
        let is_long = label.len() > MAX_LABEL_BYTES;
        !is_long && label.first() != Some(&b'-') && label.last() != Some(&b'-') && label.get(2..4) != Some(b"--")
    };
    let mut labels = domain.split(|letter| *letter == b'.');
    let is_name = labels.next_back().is_some_and(|last| last.first().is_some_and(u8::is_ascii_alphabetic) && is_simple(last));
    (is_name && labels.all(is_simple)).then(|| Address { text: text.to_ascii_lowercase().into(), at })
}

/// Whether it is parts of such letters, with a dot between each two.
fn is_plain(text: &[u8], may_hold: fn(u8) -> bool) -> bool {
    let mut is_in_part = false;
    for letter in text {
        if *letter == b'.' {
            if !is_in_part {
                return false;
            }
            is_in_part = false;
        } else if may_hold(*letter) {
            is_in_part = true;
        } else {
            return false;
        }
    }
    is_in_part
}

fn is_of_local_part(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, b'_' | b'-' | b'+')
}

fn is_of_domain(letter: u8) -> bool {
    letter.is_ascii_alphanumeric() || letter == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::by_all_rules;
    use proptest::prelude::*;

    #[test]
    fn plain_addresses_are_read_and_others_left() {
        for text in ["Alice@Example.COM", "a.b+c_d-e@x-y.example", "a@localhost", "1@2.3.x4"] {
            assert_eq!(read(text).unwrap().as_str(), text.to_ascii_lowercase());
        }
        let long = format!("{}@x.example", "a".repeat(65));
        for text in [
            "",
            "@",
            "a@",
            "@x.example",
            "a@b@c",
            "a@x.1",
            "a@xn--a.example",
            ".a@x",
            "a.@x",
            "a@x.",
            "a@-x",
            " a@x",
            "o'neil@x",
            &long,
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_is_read_all_rules_read_alike(text in "[A-Za-z0-9_+.-]{0,8}[Aa1.-]{0,70}@[A-Za-z0-9.-]{0,8}[xXn.1-]{0,70}") {
            if let Some(address) = read(&text) {
                prop_assert_eq!(Ok(address), by_all_rules(&text));
            }
        }

        #[test]
        fn nothing_else_is_taken_for_one(text in "\\PC{0,12}@?\\PC{0,12}") {
            if let Some(address) = read(&text) {
                prop_assert_eq!(Ok(address), by_all_rules(&text));
            }
        }
    }
}
