//! A connection that mends itself, with limits on how long it is waited for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Pipeline, RedisError, Value};

use super::fault::{self, Fault};
use crate::Error;

/// Most pipelines that wait to be put on one connection; who comes then waits, within its deadline.
const MAX_QUEUED_PIPELINES: usize = 1024;

/// How often a connection is tried again before what waits for it fails.
const CONNECTION_RETRIES: usize = 1;

/// Longest wait before a connection is tried again.
const MAX_RETRY_DELAY: Duration = Duration::from_millis(10);

/// Whether a request that was cut off may be sent again without telling the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It only reads.
    IfLost,
    /// It writes: what became of it is unknown, and its repetition would be answered as a duplicate.
    IfNeverSent,
}

/// What a connection is opened with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// One request, with all that it waits for.
    pub(super) deadline: Duration,
    /// One attempt to connect.
    pub(super) connection_timeout: Duration,
    /// What may be sent again.
    pub(super) repeat: Repeat,
}

/// One connection that is shared by all requests of a kind.
pub(super) struct Connection {
    client: Client,
    limits: Limits,
    manager: Mutex<Numbered>,
}

/// A manager, and how many there were before it.
struct Numbered {
    number: u64,
    manager: ConnectionManager,
}

impl Connection {
    /// A connection that is made when it is first needed.
    pub(super) fn lazy(client: Client, limits: Limits) -> Result<Self, Error> {
        let manager = manager(&client, limits).map_err(|error| fault::from_redis(&error))?;
        Ok(Self { client, limits, manager: Mutex::new(Numbered { number: 0, manager }) })
    }

    /// What a further connection to the same server is made with.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Sends a pipeline and waits for one reply to each of its commands; a reply may be an error. Bounded in time only by what
    /// the connection was opened with, for each of its parts.
    pub(super) async fn ask(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Fault> {
        let may_repeat = |error: &RedisError| match self.limits.repeat {
            Repeat::IfLost => error.is_connection_dropped(),
            Repeat::IfNeverSent => error.is_connection_refusal(),
        };
        // After a loss the first request hears of it late, from a connection or an attempt to connect that failed long ago.
        let replies = match self.try_once(pipeline).await {
            Err(error) if may_repeat(&error) => self.try_once(pipeline).await,
            other => other,
        };
        let replies = replies.map_err(|error| Fault::of_connection(&error))?;
        if replies.len() == pipeline.len() { Ok(replies) } else { Err(fault::unexpected_reply().into()) }
    }

    async fn try_once(&self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let (number, mut manager) = {
            let current = self.current();
            (current.number, current.manager.clone())
        };
        let result = manager.req_packed_commands(pipeline, 0, pipeline.len()).await;
        if let Err(error) = &result
            && !error.is_io_error()
        {
            self.replace(number);
        }
        result
    }

    /// Puts a new manager in the place of one that will not recover: it tries again after errors of the network, but would
    /// repeat a refused log-in for ever, also when the password has long been corrected in Redis.
    fn replace(&self, number: u64) {
        let mut current = self.current();
        if current.number == number
            && let Ok(manager) = manager(&self.client, self.limits)
        {
            *current = Numbered { number: number + 1, manager };
        }
    }

    fn current(&self) -> MutexGuard<'_, Numbered> {
        self.manager.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn manager(client: &Client, limits: Limits) -> Result<ConnectionManager, RedisError> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(limits.connection_timeout))
        .set_response_timeout(Some(limits.deadline))
        .set_number_of_retries(CONNECTION_RETRIES)
        .set_min_delay(MAX_RETRY_DELAY)
        .set_max_delay(MAX_RETRY_DELAY)
        .set_pipeline_buffer_size(MAX_QUEUED_PIPELINES);
    ConnectionManager::new_lazy_with_config(client.clone(), config)
}
