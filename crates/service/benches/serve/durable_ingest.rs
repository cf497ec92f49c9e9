//! Durable events a second on the embedded store with 64 webhooks in flight, against what the disk alone allows.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::measure::{Measured, median};

/// Events a second that are enough whatever the disk does.
const TARGET_EVENTS_PER_SECOND: f64 = 20_000.0;

/// Otherwise, the most by which the disk's own bound may be missed.
const TARGET_FACTOR: f64 = 2.0;

const IN_FLIGHT: usize = 64;
const ROUNDS: usize = 5;
const EVENTS_PER_ROUND: usize = 64_000;
const SYNCS_PER_ROUND: usize = 300;

/// What the journal takes for one event.
const JOURNAL_BYTES_PER_EVENT: usize = 250;

pub(crate) fn reach_target() -> bool {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Measured::suppressd(&directory.path().join("data"));
    let http = server.http();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut rates, mut costs, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let bound = events_per_second_of_disk(directory.path());
        let before = server.cpu();
        let rate = runtime.block_on(events_per_second(http, round));
        let cost = server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / EVENTS_PER_ROUND as f64;
        if round > 0 {
            rates.push(rate);
            costs.push(cost);
            bounds.push(bound);
        }
    }
    let (rate, bound) = (median(rates), median(bounds));
    println!("durable events    {rate:9.0} a second, one a webhook, {IN_FLIGHT} in flight (target: {TARGET_EVENTS_PER_SECOND})");
    println!("server CPU        {:9.2} us an event", median(costs));
    println!("disk alone        {bound:9.0} events a second, {IN_FLIGHT} a sync (target: at most {TARGET_FACTOR} times ours)");
    rate >= TARGET_EVENTS_PER_SECOND || rate * TARGET_FACTOR >= bound
}

/// What the disk allows when every sync acknowledges all that is in flight.
fn events_per_second_of_disk(directory: &Path) -> f64 {
    let mut file = std::fs::File::create(directory.join("raw")).unwrap();
    let bytes = vec![b'x'; JOURNAL_BYTES_PER_EVENT * IN_FLIGHT];
    let started = Instant::now();
    for _ in 0..SYNCS_PER_ROUND {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    }
    (SYNCS_PER_ROUND * IN_FLIGHT) as f64 / started.elapsed().as_secs_f64()
}

/// Delivers events that are new, one a webhook, over connections that are kept.
async fn events_per_second(http: SocketAddr, round: usize) -> f64 {
    let mut connections = Vec::new();
    for _ in 0..IN_FLIGHT {
        let connection = TcpStream::connect(http).await.unwrap();
        connection.set_nodelay(true).unwrap();
        connections.push(connection);
    }
    let share = EVENTS_PER_ROUND / IN_FLIGHT;
    let started = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for (caller, connection) in connections.into_iter().enumerate() {
        callers.spawn(deliver(connection, (round * IN_FLIGHT + caller) * share, share));
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    EVENTS_PER_ROUND as f64 / started.elapsed().as_secs_f64()
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
