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

    /// Whether the domain may have been added; `false` if it surely was not.
    pub(super) fn may_hold(&self, domain: &str) -> bool {
        // Relaxed, since whoever sees that a bucket is confirmed, or hears that an entry was made, sees what was added before.
        let len = self.len.load(Ordering::Relaxed);
        len != 0 && (len > self.limit || self.known.may_hold(domain))
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
        let none = WholeDomains::new(0);
        none.insert("a.example");
        assert!(none.may_hold("b.example"));
        let domains = WholeDomains::new(2);
        assert!(!domains.may_hold("a.example"));
        for known in ["a.example", "b.example", "a.example"] {
            domains.insert(known);
        }
        assert!(domains.may_hold("a.example") && domains.may_hold("b.example") && !domains.may_hold("c.example"));
        domains.insert("c.example");
        assert!(["a.example", "c.example", "d.example"].iter().all(|domain| domains.may_hold(domain)));
    }
}
