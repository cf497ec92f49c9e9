//! A connection to a primary, and what its replies are worth: a reply counts only with as many replicas as there should be.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::{Pipeline, ServerErrorKind, Value};

use super::call::Call;
use super::connection::Connection;
use super::fault::{self, Fault};
use super::redirection::error_of;
use super::settings::WaitReplicas;

/// Which replicas a primary has, and how many are waited for. Shared by its connections.
#[derive(Debug)]
pub(super) struct Replication {
    known: AtomicUsize,
    wait: WaitReplicas,
}

impl Replication {
    pub(super) fn new(wait: WaitReplicas) -> Self {
        Self { known: AtomicUsize::new(0), wait }
    }

    pub(super) fn set_known(&self, replicas: usize) {
        self.known.store(replicas, Ordering::Relaxed);
    }

    /// There are at least so many: one that cannot be reached is not in the list that a lone primary gives.
    pub(super) fn set_seen(&self, replicas: usize) {
        self.known.fetch_max(replicas, Ordering::Relaxed);
    }

    fn wanted(&self, asks: Asks) -> usize {
        let known = self.known.load(Ordering::Relaxed);
        let wanted = match self.wait {
            WaitReplicas::Auto => known.min(1),
            WaitReplicas::Count(wanted) => wanted,
            WaitReplicas::All => known,
        };
        match asks {
            Asks::Writes => wanted,
            // Who waits for no replicas when writing still wants to know whether the primary has been replaced.
            Asks::Strictly => wanted.max(known.min(1)),
        }
    }
}

/// For what a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asks {
    Writes,
    Strictly,
}

/// One connection to a primary.
pub(super) struct Line {
    connection: Connection,
    replication: Arc<Replication>,
    asks: Asks,
    replication_timeout: Duration,
}

/// A call as it is put on a line.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) call: &'a Call,
    /// Its slot is on its way to this server, which answers only who says that it was sent here.
    pub(super) is_asking: bool,
}

impl Line {
    /// Replicas have `replication_timeout` to say that they have what was written.
    pub(super) fn new(connection: Connection, replication: Arc<Replication>, asks: Asks, replication_timeout: Duration) -> Self {
        Self { connection, replication, asks, replication_timeout }
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether calls that must be replicated wait here.
    pub(super) fn waits(&self) -> bool {
        self.replication.wanted(self.asks) > 0
    }

    /// Makes calls in one go, and says what became of each. A reply that is an error is a value here.
    ///
    /// Redis forgets scripts at a restart, a failover or `SCRIPT FLUSH`: just the calls that it refused for that are sent again,
    /// with the text, and wait again.
    pub(super) async fn make(&self, sent: &[Sent<'_>]) -> Vec<Result<Value, Fault>> {
        let mut made = self.make_once(sent, true).await;
        let is_forgotten =
            |reply: &Result<Value, Fault>| error_of(reply).is_some_and(|error| error.kind() == Some(ServerErrorKind::NoScript));
        let forgotten: Vec<usize> = (0..made.len()).filter(|place| is_forgotten(&made[*place])).collect();
        if !forgotten.is_empty() {
            let again: Vec<_> = forgotten.iter().map(|place| sent[*place]).collect();
            for (place, reply) in forgotten.into_iter().zip(self.make_once(&again, false).await) {
                made[place] = reply;
            }
        }
        made
    }

    async fn make_once(&self, sent: &[Sent<'_>], by_name: bool) -> Vec<Result<Value, Fault>> {
        let mut pipeline = Pipeline::with_capacity(sent.len() + 1);
        for Sent { call, is_asking } in sent {
            if *is_asking {
                pipeline.cmd("ASKING");
            }
            call.append_to(&mut pipeline, by_name);
        }
        let must_wait = sent.iter().any(|sent| sent.call.must_be_replicated());
        let wanted = if must_wait { self.replication.wanted(self.asks) } else { 0 };
        if wanted > 0 {
            // It speaks of all that this connection has written or read so far, and of nothing on a connection of its own.
            pipeline.cmd("WAIT").arg(wanted).arg(self.replication_timeout.as_millis().max(1).to_string());
        }
        let mut replies = match self.connection.ask(&pipeline).await {
            Ok(replies) => replies.into_iter(),
            Err(fault) => return vec![Err(fault); sent.len()],
        };
        let replicated = if wanted > 0 { enough(replies.next_back(), wanted) } else { Ok(()) };
        let judge = |Sent { call, is_asking }: &Sent<'_>| {
            if *is_asking {
                replies.next();
            }
            let reply = replies.next().ok_or_else(fault::unexpected_reply)?;
            // What was refused changed nothing that replicas could have.
            if call.must_be_replicated() && !matches!(reply, Value::ServerError(_)) {
                replicated.clone()?;
            }
            Ok(reply)
        };
        sent.iter().map(judge).collect()
    }
}

/// Reads what `WAIT` replied.
fn enough(reply: Option<Value>, wanted: usize) -> Result<(), Fault> {
    match reply {
        Some(Value::Int(replicas)) if usize::try_from(replicas).is_ok_and(|replicas| replicas >= wanted) => Ok(()),
        Some(Value::Int(replicas)) => Err(fault::not_replicated(replicas, wanted).into()),
        Some(reply) => match reply.extract_error() {
            Err(error) => Err(fault::from_redis(&error).into()),
            Ok(_) => Err(fault::unexpected_reply().into()),
        },
        None => Err(fault::unexpected_reply().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

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
            let replication = Replication::new(wait);
            replication.set_seen(known);
            let wanted = [Asks::Writes, Asks::Strictly].map(|asks| replication.wanted(asks));
            assert_eq!(wanted, [of_writes, strictly], "{wait:?} of {known}");
        }
    }

    #[test]
    fn a_replica_that_was_seen_stays_known() {
        let replication = Replication::new(WaitReplicas::Auto);
        replication.set_seen(1);
        replication.set_seen(0);
        assert_eq!(replication.wanted(Asks::Writes), 1);
        replication.set_known(0);
        assert_eq!(replication.wanted(Asks::Writes), 0);
    }

    #[test]
    fn too_few_replicas_are_not_enough() {
        assert_eq!(enough(Some(Value::Int(2)), 2), Ok(()));
        for reply in
            [&b":1\r\n"[..], b":-1\r\n", b"-UNBLOCKED it is a replica now\r\n", b"-ERR WAIT cannot be used\r\n", b"+OK\r\n"]
        {
            assert!(enough(Some(parse_redis_value(reply).unwrap()), 2).is_err());
        }
        assert!(enough(None, 1).is_err());
        let too_few = enough(Some(Value::Int(0)), 1).unwrap_err();
        assert!(too_few.error.is_transient() && too_few.error.to_string().contains("not replicated"), "{too_few:?}");
    }
}
