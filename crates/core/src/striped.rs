//! What many threads count into all the time, and hardly anybody reads.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many stripes there are: more than threads that answer checks, for the most part.
const STRIPES: usize = 16;

/// The stripe of the next thread that needs one.
static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static MINE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
}

/// One of something for each thread, or for a few of them. Together they are what they would be if there was one: threads that count
/// into the same would wait for each other each time.
#[derive(Debug)]
pub struct Striped<T>(Box<[Stripe<T>]>);

/// As far from the next one as processors fetch memory.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Stripe<T>(T);

impl<T: Default> Default for Striped<T> {
    fn default() -> Self {
        Self((0..STRIPES).map(|_| Stripe::default()).collect())
    }
}

impl<T> Striped<T> {
    /// The one of this thread.
    #[must_use]
    pub fn mine(&self) -> &T {
        &self.0[MINE.with(|stripe| *stripe)].0
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|Stripe(one)| one)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_they_are_what_was_counted() {
        let counts: Striped<AtomicUsize> = Striped::default();
        std::thread::scope(|scope| {
            for _ in 0..2 * STRIPES {
                scope.spawn(|| {
                    for _ in 0..1000 {
                        counts.mine().fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        let all: Vec<usize> = counts.all().map(|count| count.load(Ordering::Relaxed)).collect();
        assert_eq!((all.len(), all.iter().sum::<usize>()), (STRIPES, 2 * STRIPES * 1000));
        assert!(all.iter().filter(|count| **count > 0).count() > 1, "{all:?}");
    }
}
