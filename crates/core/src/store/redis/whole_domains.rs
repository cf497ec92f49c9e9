//! Whole domains are told in the feed of every bucket: in their own one by their records.
//!
//! So whoever has confirmed the bucket of an address knows whether its whole domain may have a record, wherever that one lies: a
//! shard that is away costs the addresses in it, and those of domains with an entry there, and nobody else.

use super::call::Call;
use super::keys::BUCKETS;
use super::{RedisStore, keys, reply};
use crate::{Address, Error};

impl RedisStore {
    /// Tells of the whole domains among these, before any of them has a record: once it has one, every feed has its name.
    ///
    /// Whoever fails midway has told of one that has no record, which costs its addresses a look.
    pub(super) async fn tell_whole_domains(&self, addresses: impl Iterator<Item = &Address>) -> Result<(), Error> {
        let domains: Vec<&Address> = addresses.filter(|address| address.is_whole_domain()).collect();
        if domains.is_empty() {
            return Ok(());
        }
        let are_there = self.read(domains.iter().map(|domain| Call::command("EXISTS", keys::record(domain))).collect()).await?;
        let mut new = Vec::new();
        for (domain, is_there) in domains.into_iter().zip(are_there) {
            if !reply::yes_or_no(&is_there)? {
                new.push(domain);
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let tell_in = |bucket| {
            // In its own bucket the record is told, once it is there.
            let others: Vec<_> = new.iter().filter(|domain| keys::bucket(domain.as_str()) != bucket).collect();
            let call = Call::script(&self.shared.scripts.tell, &[&keys::feed(bucket)]).of_parts(others.len());
            (!others.is_empty()).then(|| others.iter().fold(call, |call, domain| call.argument(domain.as_str())))
        };
        self.write((0..BUCKETS).filter_map(tell_in).collect()).await.map(|_| ())
    }
}
