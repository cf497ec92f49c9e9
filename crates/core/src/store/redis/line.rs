//! A connection to a primary, and what its replies are worth: a reply counts only with as many replicas as there should be.

use std::sync::Arc;
use std::time::Duration;
use std::vec;

use redis::{Pipeline, ServerErrorKind, Value};

use super::call::Call;
use super::connection::Connection;
use super::fault::{self, Fault};
use super::redirection::error_of;
use super::replication::{Asks, Following, Replication};
use super::reply;
use crate::Error;

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
        let looks = must_wait && self.replication.may_be_too_few(wanted);
        if looks {
            pipeline.cmd("INFO").arg("replication");
        }
        let mut replies = match self.connection.ask(&pipeline).await {
            Ok(replies) => replies.into_iter(),
            Err(fault) => return vec![Err(fault); sent.len()],
        };
        let replicated = self.enough(wanted, looks, &mut replies);
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

    /// Whether enough replicas have what was written, by the last replies: those to `WAIT` and `INFO`, as far as they were asked.
    fn enough(&self, wanted: usize, looks: bool, replies: &mut vec::IntoIter<Value>) -> Result<(), Fault> {
        let info = if looks { Some(reply_or_error(replies.next_back())?) } else { None };
        let have_it = if wanted > 0 { replicas(&reply_or_error(replies.next_back())?)? } else { 0 };
        if have_it < wanted {
            return Err(fault::not_replicated(have_it, wanted).into());
        }
        match info.map(Following::read).transpose()? {
            None => Ok(()),
            Some(Following::Replicas(connected)) => Ok(self.replication.compare(have_it, connected)?),
            // It was a primary when it wrote, and whoever made it a replica does not know what it wrote.
            Some(Following::Another) => Err(fault::replaced().into()),
        }
    }
}

/// How many replicas `WAIT` says have it.
fn replicas(reply: &Value) -> Result<usize, Error> {
    usize::try_from(reply::number(reply)?).map_err(|_| fault::unexpected_reply())
}

fn reply_or_error(reply: Option<Value>) -> Result<Value, Error> {
    let reply = reply.ok_or_else(fault::unexpected_reply)?;
    reply.extract_error().map_err(|error| fault::from_redis(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

    fn waited(reply: Option<&[u8]>) -> Result<usize, Error> {
        replicas(&reply_or_error(reply.map(|reply| parse_redis_value(reply).unwrap()))?)
    }

    #[test]
    fn what_wait_says_is_read() {
        assert_eq!(waited(Some(b":2\r\n")), Ok(2));
        for reply in [&b":-1\r\n"[..], b"-UNBLOCKED it is a replica now\r\n", b"-ERR WAIT cannot be used\r\n", b"+OK\r\n"] {
            assert!(waited(Some(reply)).is_err());
        }
        assert!(waited(None).is_err());
    }
}
