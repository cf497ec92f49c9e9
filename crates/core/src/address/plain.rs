//! Addresses as nearly all of them are: every check parses one, and the rules for the others cost more than the check.

use memchr::memchr;

use super::{Address, MAX_ADDRESS_BYTES};

/// Longest local part, in bytes (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL_PART_BYTES: usize = 64;

/// Longest label of a domain, in bytes (RFC 1035, 2.3.4).
const MAX_LABEL_BYTES: usize = 63;

/// What a byte may be, each a bit: of a local part, of a domain, a dot, and what stands between two parts of a label or two labels.
const LOCAL_PART: u8 = 1;
const DOMAIN: u8 = 2;
const DOT: u8 = 4;
const BETWEEN: u8 = 8;

/// What each byte may be.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        kinds[byte as usize] = match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => LOCAL_PART | DOMAIN,
            b'.' => LOCAL_PART | DOMAIN | DOT | BETWEEN,
            b'-' => LOCAL_PART | DOMAIN | BETWEEN,
            b'_' | b'+' => LOCAL_PART,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// Reads an address of ASCII letters, digits and a few signs, of which only the case has to be normalised. None says nothing:
/// the rules for all addresses decide then. What is read here they would read alike.
pub(super) fn read(text: &str) -> Option<Address> {
    at_of(text).map(|at| Address { text: text.to_ascii_lowercase().into(), at })
}

/// Where the @ of a plain address is; it is read by making its letters small ones.
pub(super) fn at_of(text: &str) -> Option<usize> {
    if text.len() > MAX_ADDRESS_BYTES {
        return None;
    }
    let at = memchr(b'@', text.as_bytes())?;
    let (local, domain) = (&text.as_bytes()[..at], &text.as_bytes()[at + 1..]);
    let is_plain = local.len() <= MAX_LOCAL_PART_BYTES && is_all(local, LOCAL_PART, DOT) && is_plain_domain(domain);
    is_plain.then_some(at)
}

/// Whether all bytes are of a kind, of which those of another kind stand between two that are not.
fn is_all(text: &[u8], kind: u8, separator: u8) -> bool {
    // Nothing is decided before the end: nearly all addresses are plain to theirs.
    let (mut of_all, mut of_neighbours, mut before) = (u8::MAX, 0, separator);
    for byte in text {
        let kinds = KINDS[usize::from(*byte)];
        of_all &= kinds;
        of_neighbours |= kinds & before;
        before = kinds;
    }
    of_all & kind != 0 && (of_neighbours | before) & separator == 0
}

/// Whether it is labels of which the last begins with a letter: a name of numbers alone may be none. Two hyphens together are left to
/// all rules, since labels that begin with `xn--` stand for others, and may be wrong.
fn is_plain_domain(domain: &[u8]) -> bool {
    let labels = || domain.split(|letter| *letter == b'.');
    let is_name = |last: &[u8]| last.first().is_some_and(u8::is_ascii_alphabetic);
    let is_short = |label: &[u8]| label.len() <= MAX_LABEL_BYTES;
    is_all(domain, DOMAIN, BETWEEN) && labels().next_back().is_some_and(is_name) && (is_short(domain) || labels().all(is_short))
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
        #![proptest_config(ProptestConfig::with_cases(1500))]
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
