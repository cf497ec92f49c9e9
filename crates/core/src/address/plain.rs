//! Addresses as nearly all of them are: every check parses one, and the rules for the others cost more than the check.

use wide::u8x16;

use super::Address;

/// Longest text that is looked at: of each byte it is known in a bit of a word what it is. So no local part (RFC 5321, 4.5.3.1.1) and no
/// label of a domain (RFC 1035, 2.3.4) is too long.
const MAX_PLAIN_BYTES: usize = u64::BITS as usize;

/// Reads an address of ASCII letters, digits and a few signs, of which only the case has to be normalised. None says nothing:
/// the rules for all addresses decide then. What is read here they would read alike.
pub(super) fn read(text: &str) -> Option<Address> {
    at_of(text).map(|at| Address { text: text.to_ascii_lowercase().into(), at })
}

/// Where the @ of a plain address is; it is read by making its letters small ones.
pub(super) fn at_of(text: &str) -> Option<usize> {
    if text.is_empty() || text.len() > MAX_PLAIN_BYTES {
        return None;
    }
    let Bytes { letters, digits, signs, dots, hyphens, ats } = Bytes::of(text.as_bytes());
    let at = ats & ats.wrapping_neg();
    let (local, domain) = (at.wrapping_sub(1), !(at | at.wrapping_sub(1)));
    let all = u64::MAX >> (MAX_PLAIN_BYTES - text.len());
    let plain = letters | digits | dots | hyphens | signs & local | at;
    // Each stands between two bytes that are none. Two hyphens together are left to all rules, since labels that begin with `xn--`
    // stand for others, and may be wrong.
    let between = dots | at | hyphens & domain;
    let edges = 1 | (all ^ all >> 1);
    let begins_last_label = (dots | at).checked_ilog2()? + 1;
    // A name of numbers alone may be none.
    let is_name = letters.checked_shr(begins_last_label)? & 1 == 1;
    let is_plain = at != 0 && plain == all && between & (between << 1 | edges) == 0 && is_name;
    is_plain.then_some(at.trailing_zeros() as usize)
}

/// What the bytes of a text are: each a bit, the first the lowest.
#[derive(Debug, Default)]
struct Bytes {
    letters: u64,
    digits: u64,
    /// What else a local part may hold, and no domain.
    signs: u64,
    dots: u64,
    hyphens: u64,
    ats: u64,
}

impl Bytes {
    /// Of a text of at most [`MAX_PLAIN_BYTES`].
    fn of(text: &[u8]) -> Self {
        let mut bytes = Self::default();
        let (blocks, rest) = text.as_chunks();
        for (number, block) in blocks.iter().enumerate() {
            bytes.add(*block, number * size_of::<u8x16>());
        }
        if rest.is_empty() {
            return bytes;
        }
        // Bytes that are looked at twice are twice the same.
        let (last, first_byte) = text.last_chunk().map_or_else(|| (padded(rest), 0), |last| (*last, text.len() - last.len()));
        bytes.add(last, first_byte);
        bytes
    }

    fn add(&mut self, block: [u8; size_of::<u8x16>()], first_byte: usize) {
        let block = u8x16::new(block);
        let is = |byte: u8| block.simd_eq(u8x16::splat(byte));
        let is_among = |bytes: u8x16, first: u8, last: u8| (bytes - u8x16::splat(first)).simd_le(u8x16::splat(last - first));
        let bits = |which: u8x16| u64::from(which.to_bitmask()) << first_byte;
        self.letters |= bits(is_among(block | u8x16::splat(0x20), b'a', b'z'));
        self.digits |= bits(is_among(block, b'0', b'9'));
        self.signs |= bits(is(b'_') | is(b'+'));
        self.dots |= bits(is(b'.'));
        self.hyphens |= bits(is(b'-'));
        self.ats |= bits(is(b'@'));
    }
}

/// A text that is shorter than a block, and behind it bytes that are nothing.
fn padded(text: &[u8]) -> [u8; size_of::<u8x16>()] {
    let mut block = [0; size_of::<u8x16>()];
    block[..text.len()].copy_from_slice(text);
    block
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

    #[test]
    fn they_are_read_up_to_their_length_whatever_stands_where() {
        for length in 1..=MAX_PLAIN_BYTES + 1 {
            for at in 0..length {
                let text: String = (0..length).map(|place| if place == at { '@' } else { 'x' }).collect();
                let has_room = (1..length - 1).contains(&at) && length <= MAX_PLAIN_BYTES;
                assert_eq!(at_of(&text), has_room.then_some(at), "{text}");
                // One byte that is none of theirs.
                for place in (0..length).filter(|place| *place != at) {
                    let mut other = text.clone();
                    other.replace_range(place..=place, "!");
                    assert_eq!(at_of(&other), None, "{other}");
                }
            }
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
