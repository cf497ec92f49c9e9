//! Which whole domains have a record: few, and asked for with every check.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Filter;

/// Most whole domains that are told apart. With more of them the store is asked for the whole domain's record at every check.
pub(super) const MAX_WHOLE_DOMAINS: usize = 65_536;

/// A set of domains. Grows to its limit, and forgets nothing.
pub(super) struct WholeDomains {
    known: Filter,
    /// How many there are, and more than the limit if some are not known. As long as it is 0, a check needs nothing else.
    len: AtomicUsize,
    limit: usize,
}

impl WholeDomains {
    pub(super) fn new(limit: usize) -> Self {
        Self { known: Filter::default(), len: AtomicUsize::new(0), limit }
    }

    pub(super) fn insert(&self, domain: &str) {
        if self.len.load(Ordering::Relaxed) < self.limit {
            if self.known.insert(domain) {
                self.len.fetch_add(1, Ordering::Relaxed);
            }
        } else if !self.known.may_hold(domain) {
            self.len.store(self.limit + 1, Ordering::Relaxed);
        }
    }

    /// Which of the domains may have been added, by their places, in order; the others surely were not.
    pub(super) fn held<'a>(&self, domains: impl ExactSizeIterator<Item = &'a str>) -> Vec<usize> {
        // Relaxed, since whoever sees that a bucket is confirmed, or hears that an entry was made, sees what was added before.
        match self.len.load(Ordering::Relaxed) {
            0 => Vec::new(),
            len if len > self.limit => (0..domains.len()).collect(),
            _ => self.known.held(domains),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.known.bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_nothing_is_ruled_out() {
        let asked = ["a.example", "b.example", "c.example", "d.example"];
        let held = |domains: &WholeDomains| domains.held(asked.into_iter());
        let none = WholeDomains::new(0);
        none.insert("a.example");
        assert_eq!(held(&none), [0, 1, 2, 3]);
        let domains = WholeDomains::new(2);
        assert_eq!(held(&domains), [0; 0]);
        for known in ["b.example", "a.example", "b.example"] {
            domains.insert(known);
        }
        assert_eq!(held(&domains), [0, 1]);
        domains.insert("c.example");
        assert_eq!(held(&domains), [0, 1, 2, 3]);
    }
}
