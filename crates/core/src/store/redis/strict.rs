//! Reads that no primary answers which has been replaced without knowing it.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::Value;

use super::call::Call;
use super::node::Door;
use super::router::Router;
use super::{keys, record_of};
use crate::{Address, Error};

/// Writes something in the slot of each address, reads, and waits for replicas: a server that none of its replicas follows any
/// more has been replaced, or will be. Where there are no replicas it is a plain read.
pub(super) async fn read(router: &Arc<Router>, addresses: &[Address]) -> Result<Vec<Value>, Error> {
    let is_replicated = router.map().await?.nodes().iter().any(|node| node.is_replicated());
    if !is_replicated {
        return router.make(Door::Reads, addresses.iter().map(record_of).collect()).await;
    }
    let fences: BTreeSet<String> = addresses.iter().map(keys::fence).collect();
    let fences: Vec<Call> = fences.into_iter().map(|key| Call::command("SET", key).argument("").replicated()).collect();
    let written = fences.len();
    let reads = addresses.iter().map(|address| record_of(address).replicated());
    let mut replies = router.make(Door::StrictReads, fences.into_iter().chain(reads).collect()).await?;
    Ok(replies.split_off(written.min(replies.len())))
}
