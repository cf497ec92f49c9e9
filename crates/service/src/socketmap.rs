//! The door for mail servers: Postfix's socketmap, one lookup after the other on a connection (`socketmap_table(5)`).
//!
//! A recipient that is suppressed is found, with the reply that refuses it; every other one is not found. What cannot be answered for
//! certain is a temporary fault, with which Postfix puts the recipient off.

mod netstring;

use std::sync::Arc;

use suppressd_core::Error;
use suppressd_core::store::{EvidenceStore, IncidentStore};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::Limits;
use crate::incoming::Acceptor;
use crate::judge::{Judge, Reading};

/// The only table there is.
const TABLE: &str = "suppressed";

/// Longest lookup, in bytes: the table's name and an address.
const MAX_LOOKUP_BYTES: usize = 1024;

/// Longest reason that is given, in bytes: it becomes part of a reply line of SMTP, which may have 512 (RFC 5321, 4.5.3.1.5).
const MAX_REASON_BYTES: usize = 400;

/// Answers lookups until the drain begins, then finishes those that are under way.
pub(crate) async fn serve<S: EvidenceStore + IncidentStore>(
    listener: TcpListener,
    judge: Arc<Judge<S>>,
    limits: &Limits,
    draining: watch::Receiver<bool>,
) {
    let mut acceptor = Acceptor::new(listener, limits.max_socketmap_connections, draining.clone());
    let mut connections = JoinSet::new();
    while let Some((tcp, place)) = acceptor.next().await {
        while connections.try_join_next().is_some() {}
        let client = Client { judge: Arc::clone(&judge), limits: limits.clone(), draining: draining.clone() };
        connections.spawn(async move {
            // Who breaks off or speaks something else has lost nothing.
            let _ = client.converse(tcp).await;
            drop(place);
        });
    }
    drop(acceptor);
    while connections.join_next().await.is_some() {}
}

/// One connection.
struct Client<S> {
    judge: Arc<Judge<S>>,
    limits: Limits,
    draining: watch::Receiver<bool>,
}

impl<S: EvidenceStore + IncidentStore> Client<S> {
    async fn converse(mut self, mut tcp: TcpStream) -> std::io::Result<()> {
        tcp.set_nodelay(true)?;
        let (reading, mut writing) = tcp.split();
        let mut reading = BufReader::new(reading);
        loop {
            let lookup = tokio::select! {
                read = timeout(self.limits.socketmap_idle_timeout, netstring::read(&mut reading, MAX_LOOKUP_BYTES)) => read??,
                _ = self.draining.wait_for(|draining| *draining) => None,
            };
            let Some(lookup) = lookup else { return Ok(()) };
            let reply = self.reply(&lookup).await;
            timeout(self.limits.socketmap_idle_timeout, writing.write_all(netstring::of(&reply).as_bytes())).await??;
        }
    }

    async fn reply(&self, lookup: &[u8]) -> String {
        let Some((table, key)) = std::str::from_utf8(lookup).ok().and_then(|lookup| lookup.split_once(' ')) else {
            return "PERM a lookup is the name of the table, a blank and an address".to_owned();
        };
        if table != TABLE {
            return format!("PERM there is no such table; ask for {TABLE}");
        }
        // After the address itself, access(5) looks its domain up, what is above that, and the local part with an @.
        if key.split_once('@').is_none_or(|(local, domain)| local.is_empty() || domain.is_empty()) {
            return not_found();
        }
        let judged = timeout(self.limits.call_timeout, self.judge.one(key, "", Reading::Plain)).await;
        match judged {
            Ok(Ok(Some(verdict))) if verdict.is_suppressed() => refusal("5.7.1", &format!("recipient is suppressed: {verdict}")),
            Ok(Ok(_)) => not_found(),
            Ok(Err(error @ Error::InvalidAddress { .. })) => refusal("5.1.3", &error.to_string()),
            Ok(Err(error)) => format!("TEMP {}", line(&error.to_string())),
            Err(_) => "TEMP the store did not answer in time".to_owned(),
        }
    }
}

fn not_found() -> String {
    // The blank is part of it.
    "NOTFOUND ".to_owned()
}

/// What access(5) takes for a refusal: a code of SMTP, an enhanced one (RFC 3463) and why.
fn refusal(enhanced_status_code: &str, reason: &str) -> String {
    format!("OK 550 {enhanced_status_code} {}", line(reason))
}

/// Text as it may stand in a line of SMTP: printable ASCII, and not too long.
fn line(text: &str) -> String {
    let is_plain = |letter: char| letter == ' ' || letter.is_ascii_graphic();
    text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).take(MAX_REASON_BYTES).collect()
}
