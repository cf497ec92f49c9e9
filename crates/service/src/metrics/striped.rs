//! Metrics that every check changes: threads count into stripes of their own.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::{Atomic, Counter};
use prometheus_client::metrics::{MetricType, TypedMetric};
use suppressd_core::Striped;

/// A counter that threads do not wait for each other to change.
pub(super) type StripedCounter = Counter<u64, Count>;

/// What it counts with.
#[derive(Debug, Default)]
pub(super) struct Count(Striped<AtomicU64>);

/// Tells how far this thread's stripe was, where it is to tell how far it was.
impl Atomic<u64> for Count {
    fn inc(&self) -> u64 {
        self.inc_by(1)
    }

    fn inc_by(&self, number: u64) -> u64 {
        self.0.mine().fetch_add(number, Ordering::Relaxed)
    }

    fn get(&self) -> u64 {
        self.0.all().map(|count| count.load(Ordering::Relaxed)).sum()
    }
}

/// Upper bounds of the buckets for the time that a check takes, in nanoseconds: from the memory of this process to the call's
/// deadline.
const BOUNDS_NANOSECONDS: [u64; BUCKETS - 1] = [
    10_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    300_000_000,
    1_000_000_000,
    10_000_000_000,
];

/// With one for what takes longer than any of the bounds.
const BUCKETS: usize = 15;

const NANOSECONDS_PER_SECOND: f64 = 1e9;

/// A histogram of durations. Clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct Durations(Arc<Striped<Observed>>);

#[derive(Debug, Default)]
struct Observed {
    buckets: [AtomicU64; BUCKETS],
    sum_nanoseconds: AtomicU64,
}

impl Durations {
    pub(super) fn observe(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let bucket = BOUNDS_NANOSECONDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BUCKETS - 1);
        let observed = self.0.mine();
        observed.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        observed.sum_nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Each bucket with its upper bound in seconds.
    fn buckets(&self) -> [(f64, u64); BUCKETS] {
        std::array::from_fn(|bucket| {
            let bound = BOUNDS_NANOSECONDS.get(bucket).map_or(f64::INFINITY, |bound| seconds(*bound));
            (bound, self.0.all().map(|observed| observed.buckets[bucket].load(Ordering::Relaxed)).sum())
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a sum of times need not be exact to the nanosecond")]
fn seconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / NANOSECONDS_PER_SECOND
}

impl TypedMetric for Durations {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Durations {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> Result<(), fmt::Error> {
        let buckets = self.buckets();
        let sum = self.0.all().map(|observed| observed.sum_nanoseconds.load(Ordering::Relaxed)).fold(0, u64::saturating_add);
        let count = buckets.iter().map(|(_, count)| count).sum();
        encoder.encode_histogram::<NoLabelSet>(seconds(sum), count, &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::Registry;

    #[test]
    fn durations_read_as_a_histogram_does() {
        let ours = Durations::default();
        let theirs = Histogram::new(BOUNDS_NANOSECONDS.map(seconds));
        for microseconds in [1, 10, 11, 49, 2_500, 999_999, 20_000_000] {
            let time = Duration::from_micros(microseconds);
            theirs.observe(time.as_secs_f64());
            std::thread::scope(|scope| scope.spawn(|| ours.observe(time)).join().unwrap());
        }
        let text = |metric: Box<dyn FnOnce(&mut Registry)>| {
            let (mut registry, mut text) = (Registry::default(), String::new());
            metric(&mut registry);
            encode(&mut text, &registry).unwrap();
            text
        };
        let ours = text(Box::new(|registry| registry.register("took", "Time", ours)));
        let theirs = text(Box::new(|registry| registry.register("took", "Time", theirs)));
        assert_eq!(ours, theirs);
    }

    #[test]
    fn a_counter_is_what_all_threads_counted() {
        let counter = StripedCounter::default();
        std::thread::scope(|scope| (0..20).for_each(|_| drop(scope.spawn(|| counter.inc_by(3)))));
        assert_eq!(counter.get(), 60);
    }
}
