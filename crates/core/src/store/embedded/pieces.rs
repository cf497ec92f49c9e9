//! The keys of all records in pieces, so that several threads can read them.

use std::collections::BTreeSet;
use std::ops::Range;

use fjall::Guard;

use super::tree::Moment;
use super::{keys, read_failed};
use crate::Error;

/// How often the pieces are halved: 64 of them, so that a thread which has come by a long one leaves the others to the rest.
const HALVINGS: usize = 6;

/// How much of two keys is compared behind what they have in common, in bytes.
const COMPARED_BYTES: usize = 8;

/// The keys of all records at a moment. The pieces are about as long as the keys are evenly spread.
pub(super) fn pieces(moment: &Moment) -> Result<Vec<Range<Vec<u8>>>, Error> {
    let Range { start, end } = keys::records(None);
    let read = |guard: Guard| guard.key().map(|key| key.to_vec()).map_err(|error| read_failed(&error));
    let mut all = moment.range(start.clone()..end.clone());
    let ends = [all.next(), all.next_back()].into_iter().flatten().map(read);
    let mut bounds = ends.collect::<Result<BTreeSet<_>, _>>()?;
    for _ in 0..HALVINGS {
        let mut found = Vec::new();
        for (from, to) in bounds.iter().zip(bounds.iter().skip(1)) {
            let Some(middle) = middle(from, to) else { continue };
            let behind = moment.range(middle.clone()..to.clone()).next();
            // All of them may lie in one half.
            found.extend(behind.or_else(|| moment.range(from.clone()..middle).next_back()).map(read).transpose()?);
        }
        bounds.extend(found);
    }
    let starts: Vec<_> = std::iter::once(start).chain(bounds.into_iter().skip(1)).collect();
    let ends = starts.iter().skip(1).cloned().chain([end]);
    Ok(starts.iter().cloned().zip(ends).map(|(start, end)| start..end).collect())
}

/// A key about half way between two others; none if they are too near each other.
fn middle(from: &[u8], to: &[u8]) -> Option<Vec<u8>> {
    let common = from.iter().zip(to).take_while(|(one, other)| one == other).count();
    let number = |key: &[u8]| {
        let mut bytes = [0; COMPARED_BYTES];
        for (byte, of_key) in bytes.iter_mut().zip(&key[common..]) {
            *byte = *of_key;
        }
        u64::from_be_bytes(bytes)
    };
    let (low, high) = (number(from), number(to));
    let middle = low + high.checked_sub(low)? / 2;
    (middle > low).then(|| [&from[..common], &middle.to_be_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_middle_lies_between() {
        for (from, to) in
            [("a", "b"), ("a@x.example", "z@x.example"), ("reader1@x", "reader99@x"), ("a", "aaaaaaa\u{7f}"), ("", "a")]
        {
            let middle = middle(from.as_bytes(), to.as_bytes()).unwrap();
            assert!(from.as_bytes() < &middle[..] && &middle[..] < to.as_bytes(), "{from} {to} {middle:?}");
        }
        assert_eq!([middle(b"a", b"a"), middle(b"a", b"a\0"), middle(b"b", b"a")], [None, None, None]);
    }
}
