//! How far somebody knows the changes.

use super::Change;
use crate::checksum;

/// Longest position as bytes, whatever its numbers are. Those of a Redis take a third of it.
pub const MAX_POSITION_BYTES: usize = 6144;

/// Most parts of a store in each of which changes have an order.
const MAX_PARTS: usize = 256;

/// Bytes of a mark.
const MARK_BYTES: usize = 2;

/// Where a change lies among those of its part of the store.
///
/// The numbers alone would not do: a store that lost its end gives them again, to other changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Place {
    /// Orders the changes.
    pub(in crate::store) major: u64,
    /// Orders those that have that in common.
    pub(in crate::store) minor: u64,
    /// Tells the change from others that are given the same numbers.
    pub(in crate::store) mark: u16,
}

/// The mark of a change, by the text that is kept of it. The address is not in it, so that a name can be replaced.
pub(in crate::store) fn mark_of(kind: &str) -> u16 {
    // A position outlives the process that gave it, so this stays what it is.
    let [a, b, c, d] = checksum(kind.as_bytes()).to_be_bytes();
    u16::from_be_bytes([a ^ c, b ^ d])
}

/// How far the changes of a store are known: of each of its parts the latest change, or none if there was none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangePosition(Vec<Option<Place>>);

impl ChangePosition {
    pub(in crate::store) fn new(parts: Vec<Option<Place>>) -> Self {
        Self(parts)
    }

    /// The latest change of each part; `None` if that is not the number of parts that a store has.
    pub(in crate::store) fn parts<const PARTS: usize>(&self) -> Option<&[Option<Place>; PARTS]> {
        self.0.as_slice().try_into().ok()
    }

    /// From now on, a change is known that lies behind it.
    pub fn pass(&mut self, change: &Change) {
        if let Some(part) = self.0.get_mut(change.part) {
            *part = Some(change.place);
        }
    }

    /// As bytes, at most [`MAX_POSITION_BYTES`]. Numbers are written as their distance from the greatest one.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let greatest = self.0.iter().flatten().map(|place| place.major).max().unwrap_or(0);
        let mut bytes = Vec::new();
        write_number(self.0.len() as u128, &mut bytes);
        write_number(greatest.into(), &mut bytes);
        for part in &self.0 {
            let Some(Place { major, minor, mark }) = part else {
                write_number(0, &mut bytes);
                continue;
            };
            // Nothing is 0; most have no minor number.
            let distance = u128::from(greatest - major);
            write_number(1 + (distance << 1 | u128::from(*minor != 0)), &mut bytes);
            if *minor != 0 {
                write_number((*minor).into(), &mut bytes);
            }
            bytes.extend_from_slice(&mark.to_be_bytes());
        }
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote at the beginning of some bytes. Gives the rest as well; none if it is not
    /// that.
    #[must_use]
    pub fn from_bytes(mut bytes: &[u8]) -> Option<(Self, &[u8])> {
        let count = usize::try_from(read_number(&mut bytes)?).ok().filter(|count| *count <= MAX_PARTS)?;
        let greatest = u64::try_from(read_number(&mut bytes)?).ok()?;
        let parts: Option<Vec<_>> = (0..count).map(|_| read_part(greatest, &mut bytes)).collect();
        Some((Self(parts?), bytes))
    }
}

#[expect(clippy::option_option, reason = "a part may have no change, and bytes may be none of a part")]
fn read_part(greatest: u64, bytes: &mut &[u8]) -> Option<Option<Place>> {
    let Some(number) = read_number(bytes)?.checked_sub(1) else { return Some(None) };
    let major = greatest.checked_sub(u64::try_from(number >> 1).ok()?)?;
    let minor = if number & 1 == 0 { 0 } else { u64::try_from(read_number(bytes)?).ok()? };
    let (mark, rest) = bytes.split_first_chunk::<MARK_BYTES>()?;
    *bytes = rest;
    Some(Some(Place { major, minor, mark: u16::from_be_bytes(*mark) }))
}

/// Seven bits a byte, the lowest first; all but the last have the eighth.
fn write_number(mut number: u128, bytes: &mut Vec<u8>) {
    loop {
        let [.., low] = number.to_be_bytes();
        number >>= 7;
        if number == 0 && low < 0x80 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn read_number(bytes: &mut &[u8]) -> Option<u128> {
    let mut number = 0;
    // What is longer stands for no number that was written.
    for shift in (0..70).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn places()(major in prop_oneof![0..10_u64, any::<u64>()], minor in prop_oneof![Just(0), any::<u64>()], mark in any::<u16>())
            -> Place {
            Place { major, minor, mark }
        }
    }

    proptest! {
        #[test]
        fn a_position_comes_back(parts in prop::collection::vec(prop::option::of(places()), 0..=MAX_PARTS), rest in any::<Vec<u8>>()) {
            let position = ChangePosition(parts);
            let bytes = [position.to_bytes(), rest.clone()].concat();
            prop_assert!(bytes.len() - rest.len() <= MAX_POSITION_BYTES);
            prop_assert_eq!(ChangePosition::from_bytes(&bytes), Some((position, &rest[..])));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
            let read = ChangePosition::from_bytes(&bytes);
            prop_assert!(read.is_none_or(|(position, rest)| position.0.len() <= MAX_PARTS && rest.len() < bytes.len()));
        }
    }

    #[test]
    fn a_position_of_a_redis_is_short() {
        // A year of changes, some of them several in a millisecond.
        let place =
            |bucket: u64| Place { major: 1_800_000_000_000 - bucket * 123_000_000, minor: bucket % 3 * 100, mark: 0xffff };
        let bytes = ChangePosition((0..256).map(|bucket| Some(place(bucket))).collect()).to_bytes();
        assert!(bytes.len() <= 2200, "{}", bytes.len());
    }

    #[test]
    fn a_mark_is_stable_across_versions() {
        assert_eq!([mark_of(""), mark_of("suppress"), mark_of("b|hard|AAAAAAAAAAE")], [7385, 10_043, 60_674]);
    }
}
