//! Incidents: evidence that is not to be believed is left out, by every process, and counts again afterwards.

use std::process::Output;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suppressd_service::proto::SuppressionResult;

use super::Ground;
use super::webhook::{body, payload};
use crate::clients::rust_grpc::Checks;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd, run};

super::on_both_stores!(
    an_incident_is_shown_opened_and_closed,
    an_incident_covers_what_falls_into_all_its_parts,
    what_an_incident_cannot_be_is_refused,
    explain_tells_the_evidence_and_what_would_change,
);

/// When the payloads' events happen, at the earliest.
const BEGIN: &str = "2023-09-20T15:14:00Z";
const END: &str = "2023-09-20T16:00:00Z";

/// Where the incidents lie.
const BOOK: &str = "sup:{incidents}:book";

/// Bounds how long every node may take to know of an incident.
const FRESHNESS: Duration = Duration::from_secs(1);

fn incident(server: &Suppressd, arguments: &[&str]) -> Output {
    run(&[&["incident", "--server", &server.grpc_url()], arguments].concat())
}

fn open(server: &Suppressd, more: &[&str]) -> Value {
    let arguments = ["open", "--from", BEGIN, "--to", END, "--why", "false bounces", "--who", "ops", "--json"];
    let output = incident(server, &[&arguments, more].concat());
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(output.stdout.split(|byte| *byte == b'\n').next().unwrap()).unwrap()
}

fn close(server: &Suppressd, id: &str) {
    let output = incident(server, &["close", id, "--why", "it is over"]);
    assert!(output.status.success(), "{output:?}");
}

fn an_incident_is_shown_opened_and_closed(ground: &Ground) {
    let server = ground.start();
    let checks = server.checks();
    for (number, domain) in ["one.example", "two.example"].into_iter().enumerate() {
        server.webhook().post(body("b", &format!("a@{domain}"), "bad-mailbox", number)).counts();
    }
    let before = checks.one("a@one.example").unwrap();
    // First it only says whom it would release.
    let shown = open(&server, &["--domain", "One.Example"]);
    let by_rule = json!([{"effect": "released", "rule": "category:bad-mailbox", "addresses": 1}]);
    assert_eq!(shown, json!({"addresses": 2, "suppressed": 0, "released": 1, "by_rule": by_rule}));
    let text = incident(&server, &["open", "--from", BEGIN, "--to", END, "--domain", "one.example", "--why", "x"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains("released\ta@one.example\tcategory:bad-mailbox\n"), "{text}");
    assert!(checks.is_suppressed("a@one.example"));
    assert_eq!(incident(&server, &["list"]).stdout, b"");

    let opened = open(&server, &["--domain", "one.example", "--yes"]);
    assert_eq!((&opened["state"], &opened["opened"]["who"]), (&json!("open"), &json!("ops")));
    let released = checks.one("a@one.example").unwrap();
    assert_eq!(released.suppressed, Some(false));
    assert!(released.detail.contains("an incident covers 1 more event"), "{}", released.detail);
    assert!(checks.is_suppressed("a@two.example"));
    // What comes late is covered, too.
    server.webhook().post(body("rb", "a@one.example", "bad-domain", 7)).counts();
    assert!(!checks.is_suppressed("a@one.example"));
    let id = opened["id"].as_str().unwrap();
    let listed = incident(&server, &["list", "--json"]);
    assert_eq!(serde_json::from_slice::<Value>(&listed.stdout).unwrap(), opened);
    let metrics = server.webhook().get("/metrics").text;
    assert!(metrics.contains("suppressd_incidents{state=\"open\"} 1"), "{metrics}");

    close(&server, id);
    assert_eq!(checks.one("a@one.example").unwrap(), before);
    let listed = String::from_utf8(incident(&server, &["list"]).stdout).unwrap();
    for words in ["closed", "by ops: false bounces", "it is over"] {
        assert!(listed.contains(words), "{listed}");
    }
    assert_eq!(incident(&server, &["close", "0123456789abcdef", "--why", "x"]).status.code(), Some(2));
}

fn an_incident_covers_what_falls_into_all_its_parts(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "a@example.com", "bad-mailbox", 1)).counts();
    let complaint = body("f", "angry@example.com", "", 1);
    server.webhook().post(complaint).counts();
    let checks = server.checks();
    for (parts, releases) in [
        (&["--vmta", "mta1"][..], true),
        (&["--vmta", "mta2"], false),
        (&["--rule", "category:bad-mailbox"], true),
        (&["--rule", "unknown-user"], true),
        (&["--rule", "opinion:full-mailbox"], false),
        (&["--domain", "example.com", "--vmta", "mta1", "--rule", "unknown-user"], true),
        (&["--domain", "example.org", "--vmta", "mta1"], false),
    ] {
        let opened = open(&server, &[parts, &["--yes"]].concat());
        assert_eq!(checks.is_suppressed("a@example.com"), !releases, "{parts:?}");
        // No server's fault makes people complain.
        assert!(checks.is_suppressed("angry@example.com"));
        close(&server, opened["id"].as_str().unwrap());
        assert!(checks.is_suppressed("a@example.com"));
    }
}

fn what_an_incident_cannot_be_is_refused(ground: &Ground) {
    let server = ground.start();
    for arguments in [
        &["open", "--from", END, "--to", BEGIN, "--why", "x", "--yes"][..],
        &["open", "--from", "yesterday", "--to", END, "--why", "x"],
        &["open", "--from", BEGIN, "--to", END, "--why", " ", "--yes"],
        &["open", "--from", BEGIN, "--to", END, "--yes"],
        &["open", "--from", BEGIN, "--to", END, "--why", "x", "--domain", "no domain"],
        &["open", "--from", BEGIN, "--to", END, "--why", "x", "--rule", "No Rule"],
        &["keep", "nonsense", "--why", "x"],
    ] {
        let output = incident(&server, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    }
    assert_eq!(incident(&server, &["list"]).stdout, b"");
}

fn explain_tells_the_evidence_and_what_would_change(ground: &Ground) {
    let server = ground.start();
    for number in 0..3 {
        server.webhook().post(body("b", "soft@example.com", "quota-issues", number)).counts();
    }
    server.webhook().post(body("b", "hard@example.com", "bad-mailbox", 9)).counts();
    let explain = |arguments: &[&str]| {
        let output = run(&[&["explain", "--server", &server.grpc_url()], arguments].concat());
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let soft = explain(&["Soft@Example.com"]);
    for words in [
        "soft@example.com\tnot suppressed\t3 of 5 soft bounces\n",
        "evidence: 2023-09-20T15:14:02Z b quota-issues 5.1.1 mta1 acme counts as soft; second opinion: hard",
        "change: 2 more soft bounces suppress it\n",
    ] {
        assert!(soft.contains(words), "{words}: {soft}");
    }
    let unknown = explain(&["nobody@example.com"]);
    assert!(unknown.contains("nothing is known of it"), "{unknown}");
    let incident = open(&server, &["--yes"]);
    let hard: Value = serde_json::from_str(&explain(&["hard@example.com", "--json"])).unwrap();
    assert_eq!((&hard["suppressed"], &hard["evidence"][0]["counts"]), (&json!(false), &json!(false)));
    let effect = hard["evidence"][0]["effect"].as_str().unwrap();
    assert!(effect.contains(incident["id"].as_str().unwrap()) && effect.contains("false bounces"), "{effect}");
    assert_eq!(hard["evidence"][0]["second_opinion"]["rule"], "unknown-user");
    assert_eq!(explain(&["soft@example.com", "--account", "other"]).matches("evidence: ").count(), 0);
}

/// Addresses of an outage, and how many of them are in a batch.
const OUTAGE: usize = 100_000;
const BATCH: usize = 1000;

fn outage_address(number: usize) -> String {
    format!("r{number}@provider.example")
}

fn verdicts(checks: &Checks, addresses: std::ops::Range<usize>) -> Vec<SuppressionResult> {
    let mut results = Vec::with_capacity(addresses.len());
    for begin in addresses.clone().step_by(BATCH) {
        let emails: Vec<String> = (begin..(begin + BATCH).min(addresses.end)).map(outage_address).collect();
        results.extend(checks.batch(&emails.iter().map(String::as_str).collect::<Vec<_>>()).unwrap());
    }
    results
}

#[test]
fn an_incident_of_100_000_addresses_holds_within_a_second_on_two_check_nodes() {
    let redis = RedisServer::start(&[]);
    let ingest = Launch::on(&redis.url()).role("ingest").start();
    // A machine that is busy with other tests may take its time for a thousand records.
    let patient = ["--redis-read-deadline-ms", "10000"];
    let nodes = [0, 1].map(|_| Launch::on(&redis.url()).role("check").flags(&patient).start());
    for begin in (0..OUTAGE).step_by(BATCH) {
        let events: Vec<_> = (begin..begin + BATCH)
            .map(|number| {
                let category = ["bad-mailbox", "bad-domain", "quota-issues"][number % 3];
                payload("b", &outage_address(number), category, number % 600)
            })
            .collect();
        assert_eq!(ingest.webhook().post(serde_json::to_string(&events).unwrap()).counts(), [BATCH as u64, 0, 0, 0]);
    }
    let checks = [0, 1].map(|node: usize| nodes[node].checks());
    // What another process recorded is known here within the filter's bound.
    let is_known = |checks: &Checks| {
        verdicts(checks, OUTAGE - BATCH..OUTAGE).iter().all(|result| result.soft_bounces > 0 || result.suppressed())
    };
    for checks in &checks {
        checks.await_that("all is known", is_known);
    }
    let before = verdicts(&checks[0], 0..OUTAGE);
    assert_eq!(before.iter().filter(|result| result.suppressed()).count(), OUTAGE - OUTAGE / 3);

    // The one node opens it; both are asked until both know.
    let knows = |is_known: bool| {
        let started = Instant::now();
        let last = [0, OUTAGE - 1].map(outage_address);
        while checks.iter().any(|checks| last.iter().any(|address| checks.is_suppressed(address) == is_known)) {
            assert!(started.elapsed() < Duration::from_secs(20), "a node never heard of it");
            thread::sleep(Duration::from_millis(1));
        }
        started.elapsed()
    };
    let opened = open(&nodes[0], &["--domain", "provider.example", "--yes"]);
    let took = knows(true);
    assert!(took < FRESHNESS, "it took {took:?} until both nodes left out what the incident covers");
    // All of them on the one node, some on the other.
    let asked = [0..OUTAGE, 7 * BATCH..17 * BATCH];
    for (checks, addresses) in checks.iter().zip(&asked) {
        assert!(verdicts(checks, addresses.clone()).iter().all(|result| !result.suppressed()));
    }
    close(&nodes[1], opened["id"].as_str().unwrap());
    let took = knows(false);
    assert!(took < FRESHNESS, "it took {took:?} until on both nodes all counted again");
    for (checks, addresses) in checks.iter().zip(&asked) {
        assert!(verdicts(checks, addresses.clone()) == before[addresses.clone()], "a verdict is another one than before");
    }
}

#[test]
fn a_node_that_cannot_read_the_incidents_is_in_doubt_only_where_they_could_change_something() {
    let redis = RedisServer::start(&[]);
    let server = Launch::on(&redis.url()).start();
    for (number, domain) in ["example.com", "released.example"].into_iter().enumerate() {
        server.webhook().post(body("b", &format!("a@{domain}"), "bad-mailbox", number)).counts();
    }
    open(&server, &["--domain", "released.example", "--yes"]);
    let checks = server.checks();
    assert!(checks.is_suppressed("a@example.com") && !checks.is_suppressed("a@released.example"));
    // The evidence can be read, but not the incidents: the one might be closed by now.
    let _: String = redis.cli(&["RENAME", BOOK, "elsewhere"]);
    let _: String = redis.cli(&["SET", BOOK, "not a hash"]);
    checks.await_that("it does not believe for ever what it knew once", |checks| checks.one("a@released.example").is_err());
    assert_eq!(checks.one("a@released.example").unwrap_err().code(), tonic::Code::Unavailable);
    assert_eq!(checks.batch(&["a@example.com", "a@released.example"]).unwrap_err().code(), tonic::Code::Unavailable);
    assert!(checks.is_suppressed("a@example.com") && !checks.is_suppressed("ok@example.com"));
    // Whoever has never read them knows of nobody that is suppressed for certain.
    let newcomer = Launch::on(&redis.url()).start();
    let asked = newcomer.checks();
    assert_eq!(asked.one("a@example.com").unwrap_err().code(), tonic::Code::Unavailable);
    assert!(!asked.is_suppressed("ok@example.com"));
    let _: i64 = redis.cli(&["DEL", BOOK]);
    let _: String = redis.cli(&["RENAME", "elsewhere", BOOK]);
    for checks in [checks, asked] {
        checks.await_that("it recovers", |checks| checks.one("a@released.example").is_ok());
        assert!(checks.is_suppressed("a@example.com") && !checks.is_suppressed("a@released.example"));
    }
}
