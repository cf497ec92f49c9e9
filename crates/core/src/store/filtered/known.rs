//! What is known of the addresses that have a record, and how far it can be believed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::confirmations::Confirmations;
use super::whole_domains::WholeDomains;
use crate::address::domain_of_everybody;
use crate::store::FeedSink;
use crate::store::findings::Inquiry;
use crate::{AddressRef, Filter, Striped};

/// The filter, and how far it can be believed.
pub(super) struct Known {
    filter: Filter,
    domains: WholeDomains,
    pub(super) confirmations: Confirmations,
    counts: Striped<Counts>,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    passed_on: AtomicU64,
    unconfirmed: AtomicU64,
}

/// What a filter has done, and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterState {
    /// Addresses that the filter answered: neither they nor their whole domains have a record.
    pub answered: u64,
    /// Addresses for which the store was asked, since they or their whole domains may have a record.
    pub passed_on: u64,
    /// Addresses for which the store was asked, since the filter could not be believed.
    pub unconfirmed: u64,
    /// Fingerprints in it.
    pub addresses: usize,
    /// Memory that they take, in bytes.
    pub bytes: usize,
    /// How long ago the bucket was confirmed whose confirmation is the oldest; none if one of them is not confirmed at all.
    pub lag: Option<Duration>,
}

impl Known {
    pub(super) fn new(bound: Duration, max_whole_domains: usize) -> Self {
        Self {
            filter: Filter::default(),
            domains: WholeDomains::new(max_whole_domains),
            confirmations: Confirmations::new(bound),
            counts: Striped::default(),
        }
    }

    fn add_domain(&self, address: &str) {
        if let Some(domain) = domain_of_everybody(address) {
            self.domains.insert(domain);
        }
    }

    /// What it has done, and how it is.
    pub(super) fn state(&self) -> FilterState {
        let Known { filter, domains, confirmations, counts } = self;
        let sum = |of: fn(&Counts) -> &AtomicU64| counts.all().map(|counts| of(counts).load(Ordering::Relaxed)).sum();
        FilterState {
            answered: sum(|counts| &counts.answered),
            passed_on: sum(|counts| &counts.passed_on),
            unconfirmed: sum(|counts| &counts.unconfirmed),
            addresses: filter.len(),
            bytes: filter.bytes() + domains.bytes(),
            lag: confirmations.lag(Instant::now()),
        }
    }

    /// What a store has to be asked for addresses, and for their whole domains if those matter; none if memory answers for all.
    pub(super) fn inquiry(
        &self,
        addresses: &[AddressRef<'_>],
        with_domains: bool,
        bucket_of: impl Fn(AddressRef<'_>) -> u8,
    ) -> Option<Inquiry> {
        let now = self.confirmations.nanoseconds(Instant::now());
        // One look for all of them; when some bucket lags behind, a look for each. Before the filter is looked at: what a bucket
        // is confirmed of is in it by then.
        let lagging: Vec<usize> = if self.confirmations.are_all_confirmed(now) {
            Vec::new()
        } else {
            let lags = |address: AddressRef<'_>| !self.confirmations.is_confirmed(bucket_of(address), now);
            (0..addresses.len()).filter(|place| lags(addresses[*place])).collect()
        };
        let held = self.filter.held(addresses.iter().map(|address| address.as_str()));
        let own = in_either(held, &lagging);
        let of_domains = if with_domains {
            // Whole domains are told in every bucket: what is known of the address's own includes its domain.
            in_either(self.domains.held(addresses.iter().map(|address| address.domain())), &lagging)
        } else {
            Vec::new()
        };
        let unconfirmed = lagging.len() as u64;
        let asked = in_either(own.clone(), &of_domains).len() as u64;
        let counts = self.counts.mine();
        counts.answered.fetch_add(addresses.len() as u64 - asked, Ordering::Relaxed);
        if asked > 0 {
            counts.unconfirmed.fetch_add(unconfirmed, Ordering::Relaxed);
            counts.passed_on.fetch_add(asked - unconfirmed, Ordering::Relaxed);
        }
        (asked > 0).then(|| Inquiry::new(addresses, own, of_domains))
    }
}

/// All places that are among some or among others, in order.
fn in_either(mut some: Vec<usize>, others: &[usize]) -> Vec<usize> {
    if !others.is_empty() {
        some.extend_from_slice(others);
        some.sort_unstable();
        some.dedup();
    }
    some
}

impl FeedSink for Known {
    fn add(&self, address: &str) {
        self.filter.insert(address);
        self.add_domain(address);
    }

    fn add_all(&self, addresses: &[&str]) -> Vec<bool> {
        for address in addresses {
            self.add_domain(address);
        }
        self.filter.insert_all(addresses.iter().copied())
    }

    fn may_hold(&self, address: &str) -> bool {
        self.filter.may_hold(address)
    }

    fn confirm(&self, bucket: u8, asked_at: Instant) {
        self.confirmations.confirm(bucket, asked_at);
    }

    fn doubt(&self, bucket: u8) {
        self.confirmations.doubt(bucket);
    }
}
