//! Webhooks as a provider sends them.

use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::measure::Measured;

/// Webhooks in flight.
pub(crate) const IN_FLIGHT: usize = 64;

/// Events of a round.
pub(crate) const EVENTS_PER_ROUND: usize = 64_000;

/// Events a second, and server CPU for each in microseconds, of events that are new, one a webhook, over connections that are kept.
pub(crate) async fn rate_and_cost(server: &Measured, round: usize) -> (f64, f64) {
    let mut connections = Vec::new();
    for _ in 0..IN_FLIGHT {
        let connection = TcpStream::connect(server.http()).await.unwrap();
        connection.set_nodelay(true).unwrap();
        connections.push(connection);
    }
    let share = EVENTS_PER_ROUND / IN_FLIGHT;
    let before = server.cpu();
    let started = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for (caller, connection) in connections.into_iter().enumerate() {
        callers.spawn(deliver(connection, (round * IN_FLIGHT + caller) * share, share));
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    let took = started.elapsed();
    let used = server.cpu().saturating_sub(before);
    (EVENTS_PER_ROUND as f64 / took.as_secs_f64(), used.as_secs_f64() * 1e6 / EVENTS_PER_ROUND as f64)
}

/// The thinnest client there is: it shares two cores with the server and the disk.
async fn deliver(mut connection: TcpStream, first: usize, events: usize) {
    let mut answer = [0; 1024];
    for number in first..first + events {
        let body = format!(
            "{{\"type\":\"b\",\"timeLogged\":\"1695222842\",\"rcpt\":\"r{number}@example.com\",\"bounceCat\":\"quota-issues\",\
             \"dsnStatus\":\"4.2.2 (mailbox full)\",\"header_Message-Id\":\"<{number}@sender.example>\",\"vmta\":\"mta1\"}}"
        );
        let request = format!("POST /webhooks/inboxroad HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut read = 0;
        while !answer[..read].ends_with(b"}") {
            let bytes = connection.read(&mut answer[read..]).await.unwrap();
            assert!(bytes > 0, "the server closed a connection");
            read += bytes;
        }
        let text = std::str::from_utf8(&answer[..read]).unwrap();
        assert!(text.contains("\"recorded\":1"), "{text}");
    }
}
