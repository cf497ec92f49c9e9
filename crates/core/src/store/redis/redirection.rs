//! Where a call goes that a server refused.

use redis::{ServerError, ServerErrorKind, Value};

use super::fault::{self, Fault};
use super::location::Endpoint;
use crate::Error;

/// Codes of errors by which a server refuses a call, without having done anything of it, that another server may take.
const REFUSALS: [&str; 6] = ["CLUSTERDOWN", "TRYAGAIN", "LOADING", "MASTERDOWN", "READONLY", "MOVED"];

/// What is to be done about an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// It is one.
    Take(Value),
    /// It is none, and another server is not known to have a better one.
    Fail(Error),
    /// Whoever has the slot by now may have one; if that is the same server, there is only the error.
    AskOwner(Error),
    /// The slot is on its way to that server.
    AskThere(Endpoint, Error),
}

/// The error that a server replied with.
pub(super) fn error_of(reply: &Result<Value, Fault>) -> Option<&ServerError> {
    if let Ok(Value::ServerError(error)) = reply { Some(error) } else { None }
}

/// What is known of a call when its answer is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The server that answered.
    pub(super) server: &'a Endpoint,
    /// Whether it is one of a cluster, in which slots move; elsewhere a slot that is not there is a wrong URL.
    pub(super) is_in_a_cluster: bool,
    /// Whether the call changes nothing, so that it may be made again when its fate is unknown.
    pub(super) may_repeat: bool,
}

/// Judges an answer.
pub(super) fn judge(answer: Result<Value, Fault>, asked: Asked<'_>) -> Next {
    if let Some(error) = error_of(&answer) {
        let is_asked_elsewhere = error.kind() == Some(ServerErrorKind::Ask);
        let named = if is_asked_elsewhere { named_server(error, asked.server) } else { None };
        let is_refusal = REFUSALS.contains(&error.code());
        let is_moving = asked.is_in_a_cluster && (is_asked_elsewhere || error.kind() == Some(ServerErrorKind::Moved));
        let error = if is_moving { fault::moving() } else { fault::from_redis(&error.clone().into()) };
        return match named {
            Some(there) => Next::AskThere(there, error),
            None if is_refusal => Next::AskOwner(error),
            None => Next::Fail(error),
        };
    }
    match answer {
        Ok(value) => Next::Take(value),
        Err(Fault { error, was_never_sent }) if error.is_transient() && (asked.may_repeat || was_never_sent) => {
            Next::AskOwner(error)
        }
        Err(Fault { error, .. }) => Next::Fail(error),
    }
}

/// The server that an error names. A cluster that knows no names of its hosts leaves the host out: it is the one that was asked.
fn named_server(error: &ServerError, asked: &Endpoint) -> Option<Endpoint> {
    let (host, port) = fault::named_server(error.details()?)?;
    match asked {
        Endpoint::Port { host: own, .. } if host.is_empty() => Some(Endpoint::port(own, port)),
        Endpoint::Port { .. } => Some(Endpoint::port(host, port)),
        Endpoint::Socket(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

    fn judged_reply(text: &str, is_in_a_cluster: bool, may_repeat: bool) -> Next {
        judged(Ok(parse_redis_value(text.as_bytes()).unwrap()), is_in_a_cluster, may_repeat)
    }

    fn judged(answer: Result<Value, Fault>, is_in_a_cluster: bool, may_repeat: bool) -> Next {
        judge(answer, Asked { server: &Endpoint::port("h", 1), is_in_a_cluster, may_repeat })
    }

    #[test]
    fn a_reply_is_taken() {
        assert_eq!(judged_reply(":1\r\n", true, false), Next::Take(Value::Int(1)));
    }

    #[test]
    fn what_was_refused_unexecuted_goes_to_the_owner() {
        for code in REFUSALS {
            let next = judged_reply(&format!("-{code} 1 secret:2\r\n"), true, false);
            let Next::AskOwner(error) = next else { panic!("{code}: {next:?}") };
            assert!(error.is_transient() && !error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_slot_that_is_elsewhere_is_a_wrong_url_where_nothing_moves() {
        let next = judged_reply("-MOVED 1 h:2\r\n", false, false);
        assert!(matches!(&next, Next::AskOwner(error) if error.to_string().contains("redis+cluster://")), "{next:?}");
    }

    #[test]
    fn a_slot_on_its_way_is_asked_for_where_it_goes() {
        for (text, place) in [("-ASK 1 x:2\r\n", "x:2"), ("-ASK 1 :2\r\n", "h:2"), ("-ASK 1 ::1:2\r\n", "[::1]:2")] {
            let next = judged_reply(text, true, false);
            assert!(matches!(&next, Next::AskThere(there, _) if there.to_string() == place), "{next:?}");
        }
        assert!(matches!(judged_reply("-ASK 1 x\r\n", true, false), Next::Fail(_)));
    }

    #[test]
    fn what_may_have_been_executed_is_never_repeated() {
        for code in ["OOM", "MISCONF", "UNBLOCKED", "NOREPLICAS", "ERR"] {
            assert!(matches!(judged_reply(&format!("-{code} x\r\n"), true, false), Next::Fail(_)), "{code}");
        }
        let lost = |was_never_sent, may_repeat| judged(Err(Fault { error: fault::too_late(), was_never_sent }), true, may_repeat);
        assert!(matches!(lost(false, false), Next::Fail(_)));
        assert!(matches!(lost(true, false), Next::AskOwner(_)));
        assert!(matches!(lost(false, true), Next::AskOwner(_)));
    }
}
