//! What an address with two events takes up in Redis and on the disk, and what it costs to record them.

use std::path::{Path, PathBuf};

use crate::measure::Measured;
use crate::redis::Redis;

/// Most memory for an address with two events in Redis, its feed included, in bytes.
const TARGET_BYTES_IN_REDIS: f64 = 280.0;

const ADDRESSES: usize = 300_000;
const EVENTS_PER_WEBHOOK: usize = 1000;

pub(crate) fn reach_target() -> bool {
    let redis = Redis::start();
    let before = memory_of(&redis);
    let server = Measured::suppressd(&redis.url());
    record(&server);
    let (of_server, of_redis) = (server.cpu().as_secs_f64(), redis.cpu().as_secs_f64());
    drop(server);
    let addresses = ADDRESSES as f64;
    let changes = memory_of_changes(&redis);
    let in_redis = (memory_of(&redis) - before - changes) / addresses;
    let events = (2 * ADDRESSES) as f64;
    println!("Redis             {in_redis:9.0} bytes an address with two events (target: {TARGET_BYTES_IN_REDIS})");
    println!(
        "                  {:9.0} bytes more for the latest changes, of which there are a bounded number",
        changes / addresses
    );
    println!(
        "CPU               {:9.2} us an event here, {:.2} us in Redis, {EVENTS_PER_WEBHOOK} events a webhook",
        of_server * 1e6 / events,
        of_redis * 1e6 / events
    );

    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let data = directory.path().join("data");
    let server = Measured::suppressd(&data);
    record(&server);
    println!("CPU               {:9.2} us an event into a directory", server.cpu().as_secs_f64() * 1e6 / events);
    drop(server);
    let on_disk = bytes_below(&data) / addresses;
    println!("a directory       {on_disk:9.0} bytes an address with two events, journals included");
    in_redis <= TARGET_BYTES_IN_REDIS
}

/// Two events for each address, each pair in the same webhook.
fn record(server: &Measured) {
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    for first in (0..2 * ADDRESSES).step_by(EVENTS_PER_WEBHOOK) {
        let line = |number: usize| {
            format!(
                "{{\"type\":\"b\",\"timeLogged\":\"1695222842\",\"rcpt\":\"recipient{}@example.com\",\"bounceCat\":\"quota-issues\",\
                 \"dsnStatus\":\"4.2.2 (mailbox full)\",\"header_Message-Id\":\"<{number}@sender.example>\",\"vmta\":\"mta1\",\
                 \"rcvSmtpUser\":\"acme\"}}\n",
                number / 2
            )
        };
        let body: String = (first..first + EVENTS_PER_WEBHOOK).map(line).collect();
        let answer = ureq::post(&url).send(body.as_bytes()).unwrap().body_mut().read_to_string().unwrap();
        assert!(answer.contains(&format!("\"recorded\":{EVENTS_PER_WEBHOOK},")), "{answer}");
    }
}

fn memory_of(redis: &Redis) -> f64 {
    let mut connection = ::redis::Client::open(redis.url().to_str().unwrap()).unwrap().get_connection().unwrap();
    let info: ::redis::InfoDict = ::redis::cmd("INFO").arg("memory").query(&mut connection).unwrap();
    info.get("used_memory").unwrap()
}

/// Bounded whatever the number of addresses, so none of theirs.
fn memory_of_changes(redis: &Redis) -> f64 {
    let mut connection = ::redis::Client::open(redis.url().to_str().unwrap()).unwrap().get_connection().unwrap();
    let mut of_bucket = |bucket: u16| -> f64 {
        let key = format!("sup:{{{bucket:02x}}}:changes");
        ::redis::cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0).query(&mut connection).unwrap()
    };
    (0..256).map(&mut of_bucket).sum()
}

fn bytes_below(directory: &Path) -> f64 {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let bytes_of = |path: PathBuf| {
        if path.is_dir() {
            bytes_below(&path)
        } else {
            std::os::unix::fs::MetadataExt::blocks(&path.metadata().unwrap()) as f64 * 512.0
        }
    };
    entries.map(bytes_of).sum()
}
