//! A connection that mends itself, with limits on how long and for how much it is waited.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike as _, ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Client, ConnectionInfo, IntoConnectionInfo as _, Pipeline, ProtocolVersion, RedisError, Value};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::fault;
use crate::Error;

/// Most pipelines that wait to be put on one connection; who comes then waits, within its deadline.
const MAX_QUEUED_PIPELINES: usize = 1024;

/// How often a connection is tried again before what waits for it fails.
const CONNECTION_RETRIES: usize = 1;

/// Longest wait before a connection is tried again.
const MAX_RETRY_DELAY: Duration = Duration::from_millis(10);

/// How long sent bytes may stay without confirmation before the connection is given up: a host that died says nothing, and the
/// kernel's own patience is a quarter of an hour.
const UNCONFIRMED_BYTES_TIMEOUT: Duration = Duration::from_secs(5);

/// How an operator writes a store's URL.
const FORM: &str = "a Redis is given as redis://[user:password@]host[:port] or redis+unix:///path";

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
    /// Events, addresses or letters in all requests that are under way.
    pub(super) max_in_flight: usize,
    /// What may be sent again.
    pub(super) repeat: Repeat,
}

/// One connection that is shared by all requests of a kind.
pub(super) struct Connection {
    client: Client,
    limits: Limits,
    manager: Mutex<Numbered>,
    room: Semaphore,
}

/// A manager, and how many there were before it.
struct Numbered {
    number: u64,
    manager: ConnectionManager,
}

impl Connection {
    /// A connection that is made when it is first needed.
    pub(super) fn lazy(url: &str, limits: Limits) -> Result<Self, Error> {
        let client = Client::open(connection_info(url)?).map_err(|_| invalid(FORM))?;
        let manager = manager(&client, limits).map_err(|error| fault::from_redis(&error))?;
        let room = Semaphore::new(limits.max_in_flight);
        Ok(Self { client, limits, manager: Mutex::new(Numbered { number: 0, manager }), room })
    }

    /// What a further connection to the same server is made with.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Room for a request of so many parts. Alone, one that is larger than all the room is let in.
    pub(super) fn room_for(&self, parts: usize) -> Result<SemaphorePermit<'_>, Error> {
        let parts = u32::try_from(parts.clamp(1, self.limits.max_in_flight)).unwrap_or(u32::MAX);
        self.room.try_acquire_many(parts).map_err(|_| Error::StoreOverloaded)
    }

    /// Does something within the deadline of a request.
    pub(super) async fn within_deadline<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::time::timeout(self.limits.deadline, work).await.unwrap_or_else(|_| Err(fault::too_late()))
    }

    /// Sends a pipeline and waits for one reply to each of its commands; a reply may be an error. Not bounded in time by itself.
    pub(super) async fn ask(&self, pipeline: &Pipeline) -> Result<Vec<Value>, Error> {
        let may_repeat = |error: &RedisError| match self.limits.repeat {
            Repeat::IfLost => error.is_connection_dropped(),
            Repeat::IfNeverSent => error.is_connection_refusal(),
        };
        // After a loss the first request hears of it late, from a connection or an attempt to connect that failed long ago.
        let replies = match self.try_once(pipeline).await {
            Err(error) if may_repeat(&error) => self.try_once(pipeline).await,
            other => other,
        };
        let replies = replies.map_err(|error| fault::from_redis(&error))?;
        if replies.len() == pipeline.len() { Ok(replies) } else { Err(fault::unexpected_reply()) }
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

/// Checks a store's URL.
pub(super) fn check_url(url: &str) -> Result<(), Error> {
    connection_info(url).map(|_| ())
}

/// Reads a store's URL. Errors do not quote it: it may hold a password.
fn connection_info(url: &str) -> Result<ConnectionInfo, Error> {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let not_spoken = |what: &str| Error::StoreFailed { reason: format!("this version does not speak {what}; {FORM}") };
    match scheme.as_deref() {
        Some("redis" | "redis+unix" | "unix") => {}
        Some("rediss") => return Err(not_spoken("TLS to Redis (rediss)")),
        Some("redis+cluster") => return Err(not_spoken("to a Redis Cluster (redis+cluster)")),
        Some("redis+sentinel") => return Err(not_spoken("to Redis Sentinel (redis+sentinel)")),
        Some(_) | None => return Err(invalid(FORM)),
    }
    let info = url.into_connection_info().map_err(|_| invalid(FORM))?;
    let database = info.redis_settings().db();
    if database != 0 {
        return Err(invalid(&format!(
            "database {database} cannot be used: a cluster has only database 0, so it is the only one"
        )));
    }
    if let redis::ConnectionAddr::Unix(path) = info.addr()
        && path == Path::new("/")
    {
        return Err(invalid(FORM));
    }
    // The other protocol has a queue for messages out of turn that has no limit, and nothing that is needed here.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP2);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp_settings()))
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(UNCONFIRMED_BYTES_TIMEOUT);
    settings
}

fn invalid(reason: &str) -> Error {
    Error::InvalidField { field: "store", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read() {
        for url in [
            "redis://h",
            "redis://h:7000/0",
            "redis://u:p%40ss@h",
            "redis://:p@[::1]:1",
            "redis+unix:///s",
            "unix:///s?user=u&pass=p",
        ] {
            let info = connection_info(url).unwrap();
            assert!(info.tcp_settings().nodelay(), "{url}");
        }
        let info = connection_info("redis://u:p%40ss@h").unwrap();
        assert_eq!((info.redis_settings().username(), info.redis_settings().password()), (Some("u"), Some("p@ss")));
    }

    #[test]
    fn what_is_not_spoken_is_refused_by_name() {
        for (url, word) in
            [("rediss://:secret@h", "TLS"), ("redis+cluster://h:1,h:2", "Cluster"), ("redis+sentinel://h/x", "Sentinel")]
        {
            let error = connection_info(url).unwrap_err();
            assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains(word)), "{error:?}");
        }
        let error = connection_info("redis://h/3").unwrap_err();
        assert!(error.to_string().contains("database 3"), "{error}");
    }

    #[test]
    fn a_url_is_never_quoted() {
        for url in [
            "",
            "x",
            "redis://",
            "redis://:secret@h:port",
            "redis://:secret@h/x",
            "redis+unix://",
            "http://:secret@h",
            "redis://:secret@0.0.0.0",
        ] {
            let error = connection_info(url).unwrap_err();
            assert!(matches!(error, Error::InvalidField { field: "store", .. }), "{url}: {error:?}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
