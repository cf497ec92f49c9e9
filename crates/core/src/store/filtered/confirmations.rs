//! How far what is known of a store's feed can be believed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::store::feed::BUCKETS;

/// Stands for "not confirmed".
const NEVER: u64 = 0;

/// When each bucket was confirmed last. Times are counted in nanoseconds from a beginning, and from 1.
pub(super) struct Confirmations {
    /// How long what was confirmed may be believed.
    bound_nanoseconds: u64,
    beginning: Instant,
    of_buckets: [AtomicU64; BUCKETS],
    /// The oldest of them, [`NEVER`] if a bucket is not confirmed: one look says whether all of them can be believed.
    oldest: AtomicU64,
    /// A bucket that was confirmed then. Held by whoever changes anything.
    laggard: Mutex<usize>,
}

impl Confirmations {
    pub(super) fn new(bound: Duration) -> Self {
        Self {
            bound_nanoseconds: u64::try_from(bound.as_nanos()).unwrap_or(u64::MAX),
            beginning: Instant::now(),
            of_buckets: [const { AtomicU64::new(NEVER) }; BUCKETS],
            oldest: AtomicU64::new(NEVER),
            laggard: Mutex::new(BUCKETS - 1),
        }
    }

    /// When that is.
    pub(super) fn nanoseconds(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.beginning).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(NEVER + 1)
    }

    pub(super) fn confirm(&self, bucket: u8, asked_at: Instant) {
        let mut laggard = self.laggard();
        self.of_buckets[usize::from(bucket)].store(self.nanoseconds(asked_at), Ordering::Release);
        // As long as that one is not confirmed again, no other one can be the oldest.
        if *laggard == usize::from(bucket) {
            let mut oldest = u64::MAX;
            for (bucket, confirmed) in self.of_buckets.iter().enumerate() {
                let confirmed = confirmed.load(Ordering::Acquire);
                // Of several the last: they are confirmed one after the other, so all of them are when that one is.
                if confirmed <= oldest {
                    (oldest, *laggard) = (confirmed, bucket);
                }
            }
            self.oldest.store(oldest, Ordering::Release);
        }
    }

    pub(super) fn doubt(&self, bucket: u8) {
        let mut laggard = self.laggard();
        *laggard = usize::from(bucket);
        self.of_buckets[*laggard].store(NEVER, Ordering::Release);
        self.oldest.store(NEVER, Ordering::Release);
    }

    pub(super) fn is_confirmed(&self, bucket: u8, now: u64) -> bool {
        // What was added before the confirmation is seen by whoever sees the confirmation.
        self.is_believed(self.of_buckets[usize::from(bucket)].load(Ordering::Acquire), now)
    }

    pub(super) fn are_all_confirmed(&self, now: u64) -> bool {
        self.is_believed(self.oldest.load(Ordering::Acquire), now)
    }

    /// How long ago the bucket was confirmed whose confirmation is the oldest; none if one of them is not confirmed at all.
    pub(super) fn lag(&self, now: Instant) -> Option<Duration> {
        let oldest = self.oldest.load(Ordering::Acquire);
        (oldest != NEVER).then(|| Duration::from_nanos(self.nanoseconds(now).saturating_sub(oldest)))
    }

    fn is_believed(&self, confirmed: u64, now: u64) -> bool {
        confirmed != NEVER && now.saturating_sub(confirmed) <= self.bound_nanoseconds
    }

    fn laggard(&self) -> MutexGuard<'_, usize> {
        self.laggard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_oldest_is_the_oldest_in_whatever_order_buckets_are_confirmed_and_doubted(
            acts in prop::collection::vec((0..=u8::MAX, prop::option::weighted(0.95, 0_u64..50)), 0..600),
        ) {
            let confirmations = Confirmations::new(Duration::from_secs(1));
            for bucket in 0..=u8::MAX {
                confirmations.confirm(bucket, confirmations.beginning);
            }
            let mut model = [Some(0); BUCKETS];
            for (later, (bucket, milliseconds)) in (0..).zip(acts) {
                let place = &mut model[usize::from(bucket)];
                if let Some(milliseconds) = milliseconds {
                    // Time goes on, and nobody is confirmed as of a time before the last one.
                    let at = Duration::from_millis(milliseconds + 50 * later);
                    confirmations.confirm(bucket, confirmations.beginning + at);
                    *place = Some(u64::try_from(at.as_nanos()).unwrap());
                } else {
                    confirmations.doubt(bucket);
                    *place = None;
                }
                let oldest = model.iter().copied().min().unwrap();
                let lag = confirmations.lag(confirmations.beginning + Duration::from_mins(1));
                prop_assert_eq!(lag.map(|lag| lag + Duration::from_nanos(oldest.unwrap_or(0))), oldest.map(|_| Duration::from_mins(1)));
            }
        }
    }
}
