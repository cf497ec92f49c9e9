//! A policy tried on stored addresses with two events each, on either store.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::form::Form;
use crate::limits;
use crate::process::ALL_CORES;
use crate::redis::OwnRedis;
use crate::report::Report;
use crate::server::Server;

const EVENTS_PER_BODY: usize = 1000;

/// Lifts the class of one category, lowers the limit, and trusts the second opinion: every record is judged twice in full.
const POLICY: &str = "soft_bounce_limit = 2\nsecond_opinion = \"enforce\"\n[classes]\nbad-domain = \"unmapped\"\n";

pub(crate) fn run(form: &Form, report: &mut Report) {
    let addresses = form.pick(100_000, 1_000_000);
    let redis = OwnRedis::start();
    measure(form, report, ("a directory", &form.place("what-if")), addresses);
    measure(form, report, ("a Redis", &redis.url()), addresses);
}

fn measure(form: &Form, report: &mut Report, (name, store): (&str, &Path), addresses: usize) {
    let server = Server::suppressd_on(ALL_CORES, store, &[]);
    fill(&server, addresses);
    let policy = form.place("policy.toml");
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
    assert_eq!(counts["addresses"], addresses, "{counts}");
    assert_eq!((&counts["suppressed"], &counts["released"]), (&json!(addresses / 2), &json!(addresses / 4)), "{counts}");
    let progress = String::from_utf8_lossy(&output.stderr).lines().filter(|line| line.contains(" %")).count();
    let work = format!("a policy tried on {addresses} addresses of {name}");
    report.figure(&work, "server CPU an address", cpu.as_secs_f64() * 1e6 / addresses as f64, "us");
    report.limit(&format!("{work}: seconds"), took.as_secs_f64(), limits::WHAT_IF_SECONDS);
    // Each second it is said how far it is. The first and the last one may be cut short.
    let silent = took.as_secs_f64() - progress as f64;
    report.limit(&format!("{work}: seconds of which nothing was said"), silent, limits::WHAT_IF_SILENT_SECONDS);
}

/// Two events for each address: a quarter of them each with two soft bounces, a hard one, one whose domain is bad, and one that
/// the category says nothing about.
fn fill(server: &Server, addresses: usize) {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    for begin in (0..2 * addresses).step_by(EVENTS_PER_BODY) {
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
