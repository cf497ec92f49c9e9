//! The floor of ingest: hyper takes the same body, `serde_json` parses it line by line, and it is answered. Nothing is kept.

use std::borrow::Cow;
use std::hint::black_box;

use serde::Deserialize;
use serde_json::Value;

use super::door;
use super::load::Load;
use crate::rounds::{Contender, Role};
use crate::server::Server;

/// What makes the benchmark's executable a server that parses all of a line into a [`Value`].
pub(crate) const FLAG_VALUE: &str = "--serve-parse-value";

/// What makes it one that parses into [`Fields`].
pub(crate) const FLAG_BORROWED: &str = "--serve-parse-borrowed";

/// The name of the first of the two floors.
pub(crate) const VALUE: &str = "hyper, serde_json::Value";

/// The name of the second.
pub(crate) const BORROWED: &str = "hyper, serde_json, borrowed fields";

/// The provider's eleven fields, borrowed from the body where nothing in them is escaped. Nothing is checked: a field that is not
/// text makes the event unreadable.
#[derive(Default, Deserialize)]
#[serde(default)]
#[allow(dead_code, reason = "the rest is parsed, and that is all")]
pub(super) struct Fields<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, rename = "timeLogged")]
    pub(super) time_logged: Cow<'a, str>,
    #[serde(borrow)]
    orig: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) rcpt: Cow<'a, str>,
    #[serde(borrow, rename = "dsnAction")]
    dsn_action: Cow<'a, str>,
    #[serde(borrow, rename = "dsnStatus")]
    pub(super) dsn_status: Cow<'a, str>,
    #[serde(borrow, rename = "dsnDiag")]
    dsn_diag: Cow<'a, str>,
    #[serde(borrow, rename = "bounceCat")]
    pub(super) bounce_cat: Cow<'a, str>,
    #[serde(borrow, rename = "rcvSmtpUser")]
    pub(super) rcv_smtp_user: Cow<'a, str>,
    #[serde(borrow, rename = "header_Message-Id")]
    pub(super) message_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) vmta: Cow<'a, str>,
}

/// Both floors, each a process of its own.
pub(crate) struct Parsing {
    value: Server,
    borrowed: Server,
}

impl Parsing {
    pub(crate) fn start() -> Self {
        Self { value: Server::of_this_executable(FLAG_VALUE), borrowed: Server::of_this_executable(FLAG_BORROWED) }
    }

    /// The first one is that which ratios are taken to.
    pub(crate) fn contenders(&self, load: Load) -> Vec<Contender<'_>> {
        [(VALUE, &self.value), (BORROWED, &self.borrowed)]
            .map(|(name, server)| Contender::new(name, Role::Floor, move |round| load.cost(server, round)))
            .into()
    }
}

/// Runs as the first floor.
pub(super) fn serve_value() {
    door::serve(|body| async move {
        let parsed = door::lines(&body).map(|line| serde_json::from_slice::<Value>(line).unwrap());
        parsed.map(black_box).fold(0, |events, _| events + 1)
    });
}

/// Runs as the second.
pub(super) fn serve_borrowed() {
    door::serve(|body| async move {
        let parsed = door::lines(&body).map(|line| serde_json::from_slice::<Fields<'_>>(line).unwrap());
        parsed.map(black_box).fold(0, |events, _| events + 1)
    });
}
