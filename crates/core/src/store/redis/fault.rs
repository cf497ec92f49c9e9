//! What Redis's errors mean to a caller. The only place of that rule.

use std::error::Error as _;
use std::sync::Arc;

use redis::{ErrorKind, RedisError};

use crate::{Address, Error};

/// Codes of errors that pass by themselves: Redis starts, fails over, is busy, or has no room or replicas just now.
///
/// Lack of memory and a full disk are among them: what was refused was not written, and the very same request succeeds once
/// there is room. The code in the text tells an operator which it is.
const PASSING_CODES: [&str; 10] = [
    "LOADING",
    "READONLY",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "TRYAGAIN",
    "BUSY",
    "NOREPLICAS",
    "MISCONF",
    "OOM",
    // A hand-over to a replica, or a shutdown, cut off a call that had to wait.
    "UNBLOCKED",
];

/// An error, and whether it is certain that nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) error: Error,
    /// What was asked never left this process.
    pub(super) was_never_sent: bool,
}

impl Fault {
    /// What a connection said instead of replies.
    pub(super) fn of_connection(error: &RedisError) -> Self {
        Self { error: from_redis(error), was_never_sent: error.is_connection_refusal() }
    }
}

/// What is not known to have never been sent.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, was_never_sent: false }
    }
}

/// Longest name of a field that an error shows.
const MAX_SHOWN_BYTES: usize = 32;

/// Maps an error of Redis or of the connection to it.
///
/// Its text never holds more than kind and code: Redis's own words may quote an address, and a URL may hold a password.
pub(super) fn from_redis(error: &RedisError) -> Error {
    if error.is_io_error() {
        return unavailable(connection_fault(error));
    }
    let plain = error.code() == Some("ERR");
    let words = error.detail().unwrap_or_default();
    match error.code() {
        Some(_) if plain && words.starts_with("max number of clients reached") => unavailable("Redis has too many clients"),
        // Within a script, some versions say so only in words.
        Some(_) if plain && words.starts_with("The user executing the script can't") => failed("NOPERM"),
        Some(code) if PASSING_CODES.contains(&code) => unavailable(&format!("Redis says {code}")),
        Some(code) => failed(code),
        None => Error::StoreFailed { reason: without_code(error.kind()) },
    }
}

/// Redis did not answer in time.
pub(super) fn too_late() -> Error {
    unavailable("Redis did not answer in time")
}

/// Redis has it, but not as many replicas as there should be say so: it could be lost with the primary.
pub(super) fn not_replicated(replicas: usize, wanted: usize) -> Error {
    unavailable(&format!("it was not replicated in time: {replicas} of {wanted} replicas have it"))
}

/// What wrote it became a replica meanwhile.
pub(super) fn replaced() -> Error {
    unavailable("the primary was replaced")
}

/// It is not known yet whether this Redis keeps what it acknowledges.
pub(super) fn unchecked() -> Error {
    unavailable("the settings of Redis are not checked yet, or must be changed first; the server's log says which")
}

/// Nobody serves a part of the cluster.
pub(super) fn uncovered() -> Error {
    unavailable("a part of the Redis Cluster is served by nobody")
}

/// A slot is on its way from one server to another.
pub(super) fn moving() -> Error {
    unavailable("a part of the Redis Cluster is on its way to another server")
}

/// Nobody said which servers there are.
pub(super) fn no_topology() -> Error {
    unavailable("no server says which Redis is the primary")
}

/// The Sentinel knows no service of that name.
pub(super) fn unknown_service() -> Error {
    Error::StoreFailed { reason: "the Sentinel knows no service of that name; correct the store's URL".into() }
}

/// A server that was named as the primary says that it is none.
pub(super) fn not_primary() -> Error {
    unavailable("the Redis that Sentinel names is not the primary yet")
}

/// What waited to be written has nobody left who would write it.
pub(super) fn nobody_writes() -> Error {
    unavailable("nobody writes to Redis any more")
}

/// Where an error that names another server sends who asked: its host, which may be empty, and its port.
pub(super) fn named_server(detail: &str) -> Option<(&str, u16)> {
    let (host, port) = detail.split(' ').next_back()?.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    Some((host, port.parse().ok()?))
}

/// A reply that no script or command of this version gives.
pub(super) fn unexpected_reply() -> Error {
    Error::StoreFailed { reason: "Redis gave a reply of an unexpected form; see whether it is Redis 7 or later".into() }
}

/// Something in an address's record cannot be read.
pub(super) fn damaged(address: &Address, field: &str) -> Error {
    Error::StoreDamaged { reason: format!("{field} in the record of {address:?} cannot be read; mend or remove it by hand") }
}

/// A field of the hash at a key that holds no address cannot be read.
pub(super) fn damaged_field(key: &str, field: &str) -> Error {
    // One that is longer than ours could be anything.
    let field = if field.len() <= MAX_SHOWN_BYTES { field } else { "..." };
    Error::StoreDamaged { reason: format!("the field {field:?} of {key} cannot be read; mend or remove it by hand") }
}

fn unavailable(reason: &str) -> Error {
    Error::StoreUnavailable { reason: reason.to_owned() }
}

fn failed(code: &str) -> Error {
    Error::StoreFailed { reason: format!("Redis says {code}; {}", remedy(code)) }
}

fn connection_fault(error: &RedisError) -> &'static str {
    if error.is_connection_refusal() {
        "Redis refuses connections"
    } else if error.is_timeout() {
        "Redis did not answer in time"
    } else if error.is_connection_dropped() {
        "the connection to Redis was lost"
    } else if is_unreadable(error) {
        "Redis has no certificate that can be trusted, or speaks no TLS"
    } else {
        "Redis cannot be reached"
    }
}

/// What TLS says of a certificate or of bytes that are none of its own.
fn is_unreadable(error: &RedisError) -> bool {
    // The library hands out what lies behind it in the box in which it keeps it.
    let source = error.source().and_then(|source| source.downcast_ref::<Arc<dyn std::error::Error + Send + Sync>>());
    let io = source.and_then(|source| source.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::InvalidData)
}

fn remedy(code: &str) -> &'static str {
    match code {
        "NOAUTH" => "give a user name and password in the store's URL",
        "WRONGPASS" => "correct the user name or password in the store's URL",
        "NOPERM" => "allow its user all that suppressd does: see the documentation of the Redis store",
        "DENIED" => "Redis is in protected mode: give it a password, or bind it to loopback",
        "WRONGTYPE" => {
            "a key that begins with sup: holds something else, or a record of an earlier layout, which no released version has; give \
             suppressd an empty Redis of its own"
        }
        "LAYOUT" => "a record is not as this version writes it: it was changed by hand; mend or remove it",
        "MOVED" | "ASK" | "CROSSSLOT" => "it is part of a cluster: give the store as redis+cluster://host:port",
        "ERR" => "see whether it is Redis 7 or later, and whether its keys that begin with sup: were changed by hand",
        _ => "see Redis's documentation of that error",
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the library's enum is not exhaustive; an operator looks at all of them")]
fn without_code(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::AuthenticationFailed => {
            "Redis refused to log in; correct the user name or password in the store's URL".to_owned()
        }
        other => format!("Redis cannot be spoken to ({other:?}); see whether the store's URL is that of a Redis"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

    fn mapped(reply: &str) -> Error {
        from_redis(&parse_redis_value(reply.as_bytes()).unwrap().extract_error().unwrap_err())
    }

    #[test]
    fn what_passes_by_itself_is_transient() {
        for code in ["LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "MISCONF", "OOM"] {
            let error = mapped(&format!("-{code} secret@x.example\r\n"));
            assert!(error.is_transient(), "{error}");
            assert!(error.to_string().contains(code) && !error.to_string().contains("secret"), "{error}");
        }
        assert!(mapped("-ERR max number of clients reached\r\n").is_transient());
        assert!(!mapped("-ERR other words\r\n").is_transient());
    }

    #[test]
    fn what_an_operator_must_mend_is_not() {
        for code in ["NOAUTH", "WRONGPASS", "NOPERM", "WRONGTYPE", "DENIED", "MOVED", "ERR", "NEVERHEARD"] {
            let error = mapped(&format!("-{code} secret@x.example\r\n"));
            assert!(matches!(error, Error::StoreFailed { .. }), "{error:?}");
            assert!(error.to_string().contains(code) && !error.to_string().contains("secret"), "{error}");
        }
    }
}
