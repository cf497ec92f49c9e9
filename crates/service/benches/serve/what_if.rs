//! A policy tried on a million stored addresses with two events each, on either store.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::measure::Measured;
use crate::redis::Redis;

/// Longest time for it.
const TARGET: Duration = Duration::from_mins(1);

const ADDRESSES: usize = 1_000_000;
const EVENTS_PER_BODY: usize = 1000;

/// Lifts the class of one category, lowers the limit, and trusts the second opinion: every record is judged twice in full.
const POLICY: &str = "soft_bounce_limit = 2\nsecond_opinion = \"enforce\"\n[classes]\nbad-domain = \"unmapped\"\n";

pub(crate) fn reach_target() -> bool {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let redis = Redis::start();
    let on_embedded = reaches_target("directory", &directory.path().join("data"), directory.path());
    let on_redis = reaches_target("redis", &redis.url(), directory.path());
    on_embedded && on_redis
}

fn reaches_target(name: &str, store: &Path, directory: &Path) -> bool {
    let server = Measured::suppressd(store);
    fill(&server);
    let policy = directory.join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let (started, cpu) = (Instant::now(), server.cpu());
    let output = Command::new(env!("CARGO_BIN_EXE_suppressd"))
        .args(["policy", "diff", "--json", "--server", &format!("http://{}", server.grpc()), "--policy"])
        .arg(&policy)
        .output()
        .unwrap();
    let (took, cpu) = (started.elapsed(), server.cpu().saturating_sub(cpu));
    assert!(output.status.success(), "{output:?}");
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts["addresses"], ADDRESSES, "{counts}");
    assert_eq!((&counts["suppressed"], &counts["released"]), (&json!(ADDRESSES / 2), &json!(ADDRESSES / 4)), "{counts}");
    let progress = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains(" %")).count();
    println!(
        "what-if, {name:9} {:6.2} s for {ADDRESSES} addresses (target: {TARGET:?}), {:.2} us of server CPU each, progress shown {progress} times",
        took.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / ADDRESSES as f64
    );
    // Each second it is said how far it is.
    took <= TARGET && progress + 2 >= usize::try_from(took.as_secs()).unwrap()
}

/// Two events for each address: a quarter of them each with two soft bounces, a hard one, one whose domain is bad, and one that
/// the category says nothing about.
fn fill(server: &Measured) {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    for begin in (0..2 * ADDRESSES).step_by(EVENTS_PER_BODY) {
        let mut body = String::new();
        for number in begin..begin + EVENTS_PER_BODY {
            let (address, second) = (number / 2, number % 2);
            let category = match (address % 4, second) {
                (0, _) => "quota-issues",
                (1, 0) => "bad-mailbox",
                (2, 0) => "bad-domain",
                (_, _) => "other",
            };
            // The words that say nobody is there stand with the category that says nothing.
            let words = if address % 4 == 3 { "smtp;550 5.1.1 no such user" } else { "smtp;550 no" };
            let _ = writeln!(
                body,
                "{{\"type\":\"b\",\"timeLogged\":\"{}\",\"rcpt\":\"somebody{address}@d{}.example\",\"dsnStatus\":\"5.0.0\",\
                 \"dsnDiag\":\"{words}\",\"bounceCat\":\"{category}\",\"rcvSmtpUser\":\"acme\",\
                 \"header_Message-Id\":\"<{number}@x.example>\",\"vmta\":\"mta1\"}}",
                1_700_000_000 + number % 86_400,
                address % 1000,
            );
        }
        agent.post(&url).send(body).unwrap();
    }
}
