//! Which server is the primary of a slot.

use std::collections::BTreeSet;

use redis::Value;

use super::fault::unexpected_reply;
use super::keys::SLOTS;
use super::location::Endpoint;
use super::reply;
use crate::Error;

/// Nobody has that slot.
const NOBODY: u16 = u16::MAX;

/// A primary, and who replicates it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Primary {
    pub(super) endpoint: Endpoint,
    pub(super) replicas: Vec<Endpoint>,
}

/// All primaries, and which of them has which slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topology {
    primaries: Vec<Primary>,
    owner_of: Vec<u16>,
    is_replicated: bool,
    least_replicas: usize,
}

impl Topology {
    /// One primary for all slots. It may have other replicas than those that are connected to it.
    pub(super) fn of_one(primary: Primary, others: Followers) -> Self {
        let is_replicated = others.known > 0 || !primary.replicas.is_empty();
        Self { primaries: vec![primary], owner_of: vec![0; usize::from(SLOTS)], is_replicated, least_replicas: others.online }
    }

    /// Reads what `CLUSTER SHARDS` replied to whom was asked by that endpoint.
    pub(super) fn of_shards(shards: Value, asked: &Endpoint, is_tls: bool) -> Result<Self, Error> {
        let mut topology =
            Self { primaries: Vec::new(), owner_of: vec![NOBODY; usize::from(SLOTS)], is_replicated: false, least_replicas: 0 };
        for shard in reply::list(shards)? {
            let (mut slots, mut members) = (Vec::new(), Vec::new());
            for (name, value) in pairs(shard)? {
                match &*name {
                    "slots" => slots = reply::list(value)?,
                    "nodes" => members = reply::list(value)?,
                    _ => {}
                }
            }
            let members = members.into_iter().map(|member| Member::read(member, asked, is_tls)).collect::<Result<Vec<_>, _>>()?;
            topology.add(&slots, members)?;
        }
        if topology.primaries.is_empty() { Err(unexpected_reply()) } else { Ok(topology) }
    }

    /// Adds a shard. Without a primary that is there its slots are nobody's.
    fn add(&mut self, slots: &[Value], members: Vec<Member>) -> Result<(), Error> {
        // A node without slots that is away is an old primary: whoever replaced it was its replica.
        let is_old = |member: &Member| slots.is_empty() && !member.is_online;
        self.is_replicated |= members.len() > 1 || members.iter().any(is_old);
        // Others will follow the successor, and could be elected in its place.
        if slots.is_empty() && members.len() > 1 {
            self.least_replicas = 1;
        }
        // After a failover the old primary may still be listed as one, failed or not yet told.
        let primary = members.iter().filter(|member| member.is_primary).max_by_key(|member| (member.is_online, member.offset));
        let Some(primary) = primary.map(|primary| primary.endpoint.clone()) else { return Ok(()) };
        let owner = u16::try_from(self.primaries.len()).map_err(|_| unexpected_reply())?;
        // Whatever their health: of one that is in sync, too, a node that has not heard of it lately says that it is loading.
        let replicas = members.into_iter().filter(|member| !member.is_primary).map(|member| member.endpoint).collect();
        self.primaries.push(Primary { endpoint: primary, replicas });
        let (ranges, []) = slots.as_chunks() else { return Err(unexpected_reply()) };
        for [first, last] in ranges {
            let bound = |value| usize::try_from(reply::number(value)?).map_err(|_| unexpected_reply());
            let range = self.owner_of.get_mut(bound(first)?..=bound(last)?);
            range.ok_or_else(unexpected_reply)?.fill(owner);
        }
        Ok(())
    }

    pub(super) fn primaries(&self) -> &[Primary] {
        &self.primaries
    }

    /// Whether any primary has a replica, or had one.
    pub(super) fn is_replicated(&self) -> bool {
        self.is_replicated
    }

    /// How many replicas every primary is taken to have at least: those that followed one that was replaced a moment ago are not
    /// yet known as those of its successor.
    pub(super) fn least_replicas(&self) -> usize {
        self.least_replicas
    }

    /// The place of a slot's primary among them.
    pub(super) fn owner(&self, slot: u16) -> Option<usize> {
        self.owner_of.get(usize::from(slot)).filter(|owner| **owner != NOBODY).map(|owner| usize::from(*owner))
    }

    /// The places of those primaries that have slots.
    pub(super) fn owners(&self) -> BTreeSet<usize> {
        let owners: BTreeSet<u16> = self.owner_of.iter().copied().filter(|owner| *owner != NOBODY).collect();
        owners.into_iter().map(usize::from).collect()
    }

    /// Slots that nobody has.
    pub(super) fn uncovered_slots(&self) -> usize {
        self.owner_of.iter().filter(|owner| **owner == NOBODY).count()
    }
}

/// Replicas as a sentinel knows them, whether or not they have found the primary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Followers {
    pub(super) known: usize,
    pub(super) online: usize,
}

impl Followers {
    /// Reads what `SENTINEL REPLICAS` replied.
    pub(super) fn read(replicas: Value) -> Result<Self, Error> {
        let mut followers = Self::default();
        for replica in reply::list(replicas)? {
            let mut is_online = true;
            for (name, value) in pairs(replica)? {
                if name == "flags" {
                    is_online = !text(value)?.split(',').any(|flag| matches!(flag, "s_down" | "o_down" | "disconnected"));
                }
            }
            followers.known += 1;
            followers.online += usize::from(is_online);
        }
        Ok(followers)
    }
}

/// A server of a shard.
struct Member {
    endpoint: Endpoint,
    is_primary: bool,
    is_online: bool,
    offset: i64,
}

impl Member {
    fn read(member: Value, asked: &Endpoint, is_tls: bool) -> Result<Self, Error> {
        let (mut host, mut plain, mut by_tls) = (String::new(), None, None);
        let (mut is_primary, mut is_online, mut offset) = (false, false, 0);
        for (name, value) in pairs(member)? {
            match &*name {
                "endpoint" => host = text(value)?,
                "port" => plain = u16::try_from(reply::number(&value)?).ok(),
                "tls-port" => by_tls = u16::try_from(reply::number(&value)?).ok(),
                "role" => is_primary = text(value)? == "master",
                "health" => is_online = text(value)? == "online",
                "replication-offset" => offset = reply::number(&value)?,
                _ => {}
            }
        }
        // A node that was told no name of its own leaves it out: who asked it knows one.
        if let ("" | "?", Endpoint::Port { host: own, .. }) = (&*host, asked) {
            host.clone_from(own);
        }
        let port = if is_tls { by_tls } else { plain }.ok_or_else(unexpected_reply)?;
        Ok(Self { endpoint: Endpoint::port(host, port), is_primary, is_online, offset })
    }
}

/// What a server says of itself by `ROLE`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// With those of its replicas that are connected.
    Primary(Vec<Endpoint>),
    Replica,
}

impl Role {
    pub(super) fn read(value: Value) -> Result<Self, Error> {
        let mut parts = reply::list(value)?.into_iter();
        let role = parts.next().map(text).transpose()?;
        if role.as_deref() != Some("master") {
            return Ok(Self::Replica);
        }
        let replicas = parts.nth(1).map(reply::list).transpose()?.unwrap_or_default();
        let endpoint = |replica| {
            let mut parts = reply::list(replica)?.into_iter();
            let (Some(host), Some(port)) = (parts.next(), parts.next()) else { return Err(unexpected_reply()) };
            let port = text(port)?.parse().map_err(|_| unexpected_reply())?;
            Ok(Endpoint::port(text(host)?, port))
        };
        replicas.into_iter().map(endpoint).collect::<Result<_, _>>().map(Self::Primary)
    }
}

/// Names with their values, which are lists themselves.
fn pairs(value: Value) -> Result<Vec<(String, Value)>, Error> {
    let mut values = reply::list(value)?.into_iter();
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        pairs.push((text(name)?, value));
    }
    Ok(pairs)
}

fn text(value: Value) -> Result<String, Error> {
    let bytes = reply::bytes(value)?.unwrap_or_default();
    String::from_utf8(bytes).map_err(|_| unexpected_reply())
}

#[cfg(test)]
mod tests;
