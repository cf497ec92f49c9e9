//! What must hold, each bound beside what it bounds. A ratio is one of server CPU per operation, taken in the same run.

/// A bound, and which side of it is the good one.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::AtLeast(bound) => format!("at least {bound}"),
        }
    }
}

/// A unary check that the filter answers, as a multiple of the constant handler.
pub(crate) const UNARY_BY_FILTER: Bound = Bound::AtMost(1.10);

/// A unary `EXISTS` of Redis with 128 in flight, as a multiple of a check.
pub(crate) const EXISTS_OVER_UNARY: Bound = Bound::AtLeast(1.4);

/// An address of a batch or of a streamed batch, as a multiple of the constant handler, with evidence of a million addresses.
pub(crate) const BATCH_AT_1_M: Bound = Bound::AtMost(1.9);

/// The same with evidence of ten million.
pub(crate) const BATCH_AT_10_M: Bound = Bound::AtMost(2.5);

/// An address of `SMISMEMBER` in Redis, as a multiple of one of a batch.
pub(crate) const SMISMEMBER_OVER_BATCH: Bound = Bound::AtLeast(3.0);
