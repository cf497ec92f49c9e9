//! One piece of text repeated to doubling lengths, and how the work on it may grow.

use std::rc::Rc;

use suppressd_core::opinion::MAX_DIAGNOSTIC_BYTES;

use crate::Case;

/// The lengths, in bytes, each twice the one before.
pub(crate) const LENGTHS: [usize; 7] = [128, 256, 512, 1024, 2048, 4096, 8192];

/// How many times as much a text of twice the length may cost. Linear work at most doubles, whatever it does at first; the tenth
/// beyond that is for what grows in steps, as the buffer does at 384 bytes. Quadratic work comes to four times.
const DOUBLING: f64 = 2.2;

/// How many times as much a text may cost whose additional bytes are not looked at: just as much, but for finding the letter at
/// which it is cut off, which takes a few instructions of a hundred thousand.
const BEYOND: f64 = 1.001;

pub(crate) struct Ladder {
    pub(crate) name: &'static str,
    pub(crate) piece: &'static str,
    pub(crate) work: fn(&str),
    /// Whether the bounds must hold; that they do not hold must be seen otherwise.
    pub(crate) holds: bool,
}

impl Ladder {
    /// The work at each length.
    pub(crate) fn cases(&self) -> impl Iterator<Item = Case> {
        let longest: Rc<str> = self.piece.repeat(LENGTHS[LENGTHS.len() - 1] / self.piece.len() + 1).into();
        let work = self.work;
        LENGTHS.into_iter().map(move |length| {
            let text = Rc::clone(&longest);
            Box::new(move || work(&text[..text.floor_char_boundary(length)])) as Case
        })
    }
}

/// How many times the one before it each count is; 0 for the first.
pub(crate) fn growth(counts: &[u64]) -> Vec<f64> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let times = |pair: &[u64]| pair[1] as f64 / pair[0] as f64;
    std::iter::once(0.0).chain(counts.windows(2).map(times)).collect()
}

/// Whether the counts grow as they may.
pub(crate) fn is_bounded(growth: &[f64]) -> bool {
    let allowed = LENGTHS.map(|length| if length > MAX_DIAGNOSTIC_BYTES { BEYOND } else { DOUBLING });
    growth.iter().zip(allowed).all(|(growth, allowed)| *growth <= allowed)
}
