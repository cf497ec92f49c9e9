//! Whole domains are told in the feed of every bucket.
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
            let call = Call::script(&self.shared.scripts.tell, &[&keys::feed(bucket)]).of_parts(new.len());
            new.iter().fold(call, |call, domain| call.argument(domain.as_str()))
        };
        self.write((0..BUCKETS).map(tell_in).collect()).await.map(|_| ())
    }
}
