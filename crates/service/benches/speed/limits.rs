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

/// A check where two cores serve, as a multiple of one where one core serves.
pub(crate) const TWO_CORES_OVER_ONE: Bound = Bound::AtMost(1.15);

/// A unary check with evidence of the most addresses, as a multiple of one with evidence of a million.
pub(crate) const UNARY_GROWTH: Bound = Bound::AtMost(1.3);

/// The same of an address of a batch.
pub(crate) const BATCH_GROWTH: Bound = Bound::AtMost(1.6);

/// From the start of a process until all addresses of a Redis are known in memory.
pub(crate) const START_ON_REDIS_SECONDS: Bound = Bound::AtMost(30.0);

/// Memory of the filter for an address.
pub(crate) const FILTER_BYTES: Bound = Bound::AtMost(20.0);

/// A policy tried on a million addresses.
pub(crate) const WHAT_IF_SECONDS: Bound = Bound::AtMost(60.0);

/// Of it, those in which the operator is not told how far it is.
pub(crate) const WHAT_IF_SILENT_SECONDS: Bound = Bound::AtMost(3.0);

/// Events a second on the embedded store with 64 in flight, as a multiple of what PostgreSQL and SQLite take in the same run.
pub(crate) const EMBEDDED_OVER_DATABASE: Bound = Bound::AtLeast(1.0);

/// Durable events a second on the embedded store, as a multiple of 20,000 or of half of what the disk allows, whichever is less.
pub(crate) const DURABLE_EVENTS: Bound = Bound::AtLeast(1.0);

/// An event of a thousand in a webhook, on the embedded store, as a multiple of parsing it into `serde_json::Value`.
pub(crate) const EMBEDDED_OVER_PARSING: Bound = Bound::AtMost(2.0);

/// The same on Redis, of the service's CPU.
pub(crate) const REDIS_SERVICE_OVER_PARSING: Bound = Bound::AtMost(1.5);

/// CPU of Redis for an event, in microseconds.
pub(crate) const REDIS_CPU_PER_EVENT_US: Bound = Bound::AtMost(6.0);

/// Events a second when a replica is waited for, as a share of those when none is.
pub(crate) const RATE_WITH_WAIT: Bound = Bound::AtLeast(0.7);

/// Addresses a second of a list that `suppressd filter` reads, asks about and writes, with two cores for it and the server.
pub(crate) const FILTERED_PER_SECOND: Bound = Bound::AtLeast(2_000_000.0);

/// Memory of `suppressd filter`, in mebibytes.
pub(crate) const FILTER_COMMAND_MIB: Bound = Bound::AtMost(64.0);

/// Memory of Redis for an address with two events, its place in the feed included and the bounded changes not, in bytes.
pub(crate) const REDIS_BYTES: Bound = Bound::AtMost(280.0);

/// Bytes on the disk for an address with two events, after compaction, without journals and without the bounded changes.
pub(crate) const DISK_BYTES: Bound = Bound::AtMost(120.0);

/// From the start of the process until it is ready and all addresses of a directory are known, in seconds.
pub(crate) const START_SECONDS: Bound = Bound::AtMost(5.0);
