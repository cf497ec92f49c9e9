//! How many replicas must have what is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use redis::Value;

use super::settings::WaitReplicas;
use super::{fault, reply};
use crate::Error;

/// For what a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Writes,
    Strictly,
}

/// Whether any primary of the store has, or had, a replica. It stays so until the process ends: where there was one, a primary
/// that none follows may have been replaced.
#[derive(Debug, Clone, Default)]
pub(super) struct OfStore(Arc<AtomicBool>);

impl OfStore {
    pub(super) fn saw_a_replica(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn has_replicas(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Which replicas a primary has, and how many are waited for. Shared by its connections.
#[derive(Debug)]
pub(super) struct Replication {
    /// By the latest list.
    listed: AtomicUsize,
    /// The most that were connected at any time, where one that cannot be reached is in no list.
    seen: AtomicUsize,
    of_store: OfStore,
    wait: WaitReplicas,
}

impl Replication {
    pub(super) fn new(wait: WaitReplicas, of_store: OfStore) -> Self {
        Self { listed: AtomicUsize::new(0), seen: AtomicUsize::new(0), of_store, wait }
    }

    /// So many there are, or may be, by a list that somebody else keeps.
    pub(super) fn set_listed(&self, replicas: usize) {
        self.listed.store(replicas, Ordering::Relaxed);
    }

    /// So many are connected to a primary of which nobody keeps a list.
    pub(super) fn saw(&self, replicas: usize) {
        self.seen.fetch_max(replicas, Ordering::Relaxed);
    }

    fn known(&self) -> usize {
        self.listed.load(Ordering::Relaxed).max(self.seen.load(Ordering::Relaxed))
    }

    pub(super) fn wanted(&self, asks: Asks) -> usize {
        let known = self.known();
        let wanted = match self.wait {
            WaitReplicas::Auto => known.min(1),
            WaitReplicas::Count(wanted) => wanted,
            WaitReplicas::All => known,
        };
        match asks {
            Asks::Writes => wanted,
            // Who waits for no replicas when writing still wants to know whether the primary has been replaced.
            Asks::Strictly => wanted.max(usize::from(self.of_store.has_replicas())),
        }
    }

    /// Whether the primary must say, after so many were waited for, how many are connected by now: one that came since they were
    /// last counted could be elected, and lack what nobody waited for it to have.
    pub(super) fn may_be_too_few(&self, waited_for: usize) -> bool {
        match self.wait {
            WaitReplicas::Auto => waited_for == 0,
            WaitReplicas::Count(_) => false,
            WaitReplicas::All => true,
        }
    }

    /// Judges how many have it, by the number of those that were connected after that.
    pub(super) fn compare(&self, have_it: usize, connected: usize) -> Result<(), Error> {
        self.listed.fetch_max(connected, Ordering::Relaxed);
        if connected > 0 {
            self.of_store.saw_a_replica();
        }
        let wanted = match self.wait {
            WaitReplicas::Auto => connected.min(1),
            WaitReplicas::Count(wanted) => wanted,
            WaitReplicas::All => connected,
        };
        if have_it >= wanted { Ok(()) } else { Err(fault::not_replicated(have_it, wanted)) }
    }
}

/// Who follows whom, by what a server says of its replication.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Following {
    /// So many replicas follow it, also those that it is about to fill: `ROLE` does not tell of them.
    Replicas(usize),
    /// It is a replica itself.
    Another,
}

impl Following {
    /// Reads what `INFO replication` replied.
    pub(super) fn read(info: Value) -> Result<Self, Error> {
        let text = String::from_utf8(reply::bytes(info)?.unwrap_or_default()).map_err(|_| fault::unexpected_reply())?;
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        match field("role") {
            Some("slave") => Ok(Self::Another),
            Some("master") => {
                let connected = field("connected_slaves").and_then(|number| number.parse().ok());
                connected.map(Self::Replicas).ok_or_else(fault::unexpected_reply)
            }
            Some(_) | None => Err(fault::unexpected_reply()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_follows_is_read() {
        let read = |text: &str| Following::read(Value::BulkString(text.into()));
        let text = "# Replication\r\nrole:master\r\nconnected_slaves:2\r\nslave0:ip=127.0.0.1,port=1,state=wait_bgsave\r\n";
        assert_eq!(read(text), Ok(Following::Replicas(2)));
        assert_eq!(read("# Replication\r\nrole:slave\r\nconnected_slaves:0\r\n"), Ok(Following::Another));
        for text in ["", "role:master\r\n", "role:master\r\nconnected_slaves:-1\r\n", "role:sentinel\r\nconnected_slaves:1\r\n"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn as_many_replicas_are_waited_for_as_is_said() {
        for (wait, known, of_writes, strictly) in [
            (WaitReplicas::Auto, 0, 0, 0),
            (WaitReplicas::Auto, 1, 1, 1),
            (WaitReplicas::Auto, 3, 1, 1),
            (WaitReplicas::Count(0), 2, 0, 1),
            (WaitReplicas::Count(0), 0, 0, 0),
            (WaitReplicas::Count(2), 1, 2, 2),
            (WaitReplicas::All, 0, 0, 0),
            (WaitReplicas::All, 3, 3, 3),
        ] {
            let replication = Replication::new(wait, OfStore::default());
            replication.saw(known);
            if known > 0 {
                replication.of_store.saw_a_replica();
            }
            let wanted = [Asks::Writes, Asks::Strictly].map(|asks| replication.wanted(asks));
            assert_eq!(wanted, [of_writes, strictly], "{wait:?} of {known}");
        }
    }

    #[test]
    fn where_there_was_a_replica_a_primary_without_one_reads_nothing_strictly() {
        let of_store = OfStore::default();
        let [old, new] = [(); 2].map(|()| Replication::new(WaitReplicas::Auto, of_store.clone()));
        assert_eq!(new.wanted(Asks::Strictly), 0);
        of_store.saw_a_replica();
        assert_eq!([&old, &new].map(|replication| replication.wanted(Asks::Strictly)), [1, 1]);
        assert_eq!([&old, &new].map(|replication| replication.wanted(Asks::Writes)), [0, 0]);
    }

    #[test]
    fn a_replica_that_was_seen_stays_known_and_one_that_is_listed_until_it_is_not() {
        let replication = Replication::new(WaitReplicas::All, OfStore::default());
        let wanted = || replication.wanted(Asks::Writes);
        replication.set_listed(2);
        replication.saw(1);
        assert_eq!(wanted(), 2);
        replication.set_listed(0);
        replication.saw(0);
        assert_eq!(wanted(), 1);
    }

    #[test]
    fn a_replica_that_came_meanwhile_must_have_it_too() {
        for (wait, have_it, connected, is_enough) in [
            (WaitReplicas::Auto, 0, 0, true),
            (WaitReplicas::Auto, 0, 1, false),
            (WaitReplicas::Auto, 1, 2, true),
            (WaitReplicas::All, 2, 2, true),
            (WaitReplicas::All, 1, 2, false),
            (WaitReplicas::All, 2, 1, true),
        ] {
            let replication = Replication::new(wait, OfStore::default());
            let compared = replication.compare(have_it, connected);
            assert_eq!(compared.is_ok(), is_enough, "{wait:?}: {have_it} of {connected}");
            assert!(compared.err().is_none_or(|error| error.is_transient()));
            // It is waited for from now on.
            assert_eq!(replication.wanted(Asks::Writes) > 0, connected > 0);
        }
        let waits = |wait| Replication::new(wait, OfStore::default());
        assert!(waits(WaitReplicas::Auto).may_be_too_few(0) && !waits(WaitReplicas::Auto).may_be_too_few(1));
        assert!(waits(WaitReplicas::All).may_be_too_few(1) && !waits(WaitReplicas::Count(0)).may_be_too_few(0));
    }
}
