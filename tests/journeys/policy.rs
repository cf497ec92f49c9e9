//! The policy: a file that holds for what is stored, read again while requests go on, and tried before it is used.

use std::fs::write;
use std::path::PathBuf;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suppressd_service::proto::SuppressionReason;
use tempfile::TempDir;

use super::Ground;
use super::webhook::{body, payload};
use crate::servers::suppressd::{Suppressd, command, run};

super::on_both_stores!(
    a_changed_limit_holds_for_what_is_stored_and_rewrites_nothing,
    a_reload_drops_no_request,
    the_second_opinion_suppresses_only_where_it_is_enforced,
    a_policy_is_tried_on_what_is_stored,
);

/// A policy file that may be written anew.
struct Policy {
    directory: TempDir,
}

impl Policy {
    fn new(text: &str) -> Self {
        let policy = Self { directory: tempfile::tempdir().unwrap() };
        policy.write(text);
        policy
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("policy.toml")
    }

    fn write(&self, text: &str) {
        write(self.path(), text).unwrap();
    }

    fn start(&self, ground: &Ground) -> Suppressd {
        ground.launch().flags(&["--policy", self.path().to_str().unwrap()]).start()
    }
}

/// How often the policy was read again, with which result.
fn reloads(server: &Suppressd, result: &str) -> u64 {
    let wanted = format!("suppressd_policy_reloads_total{{result=\"{result}\"}} ");
    let metrics = server.webhook().get("/metrics").text;
    metrics.lines().find_map(|line| line.strip_prefix(&wanted)?.parse().ok()).unwrap_or(0)
}

/// Sends a hang-up, and waits until the policy was read again with that result.
fn reload(server: &Suppressd, result: &str) {
    let before = reloads(server, result);
    server.signal("-HUP");
    let started = Instant::now();
    while reloads(server, result) == before {
        assert!(started.elapsed() < Duration::from_secs(20), "the policy was not read again with {result}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// What the store holds, in a form in which any change shows.
fn stored(ground: &Ground) -> String {
    match ground {
        Ground::Embedded(directory) => {
            let committed = std::fs::read(crate::servers::suppressd::data(directory.path()).join("committed")).unwrap();
            format!("{committed:?}")
        }
        Ground::Redis(server) => server.cli(&["DEBUG", "DIGEST"]),
    }
}

fn a_changed_limit_holds_for_what_is_stored_and_rewrites_nothing(ground: &Ground) {
    let policy = Policy::new("");
    let server = policy.start(ground);
    for number in 0..3 {
        server.webhook().post(body("b", "soft@example.com", "quota-issues", number)).counts();
    }
    let before = stored(ground);
    let checks = server.checks();
    assert!(!checks.is_suppressed("soft@example.com"));
    policy.write("soft_bounce_limit = 3");
    reload(&server, "ok");
    let answer = checks.one("soft@example.com").unwrap();
    assert_eq!((answer.reason(), answer.soft_bounce_limit), (SuppressionReason::SoftBounces, 3));
    // A file that cannot be used changes nothing, and neither does one that is gone.
    policy.write("soft_bounce_limit = 99");
    reload(&server, "failed");
    assert!(checks.is_suppressed("soft@example.com"));
    std::fs::remove_file(policy.path()).unwrap();
    reload(&server, "failed");
    assert!(checks.is_suppressed("soft@example.com"));
    policy.write("soft_bounce_limit = 4");
    reload(&server, "ok");
    assert!(!checks.is_suppressed("soft@example.com"));
    assert_eq!(stored(ground), before, "a policy rewrote what is stored");
}

fn a_reload_drops_no_request(ground: &Ground) {
    let policy = Policy::new("soft_bounce_limit = 2");
    let server = policy.start(ground);
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let working: Vec<_> = (0..4)
            .map(|client| {
                let (server, is_over) = (&server, &is_over);
                scope.spawn(move || {
                    let (webhook, checks) = (server.webhook(), server.checks());
                    let mut number = 0;
                    while !is_over.load(Ordering::Relaxed) || number < 20 {
                        let rcpt = format!("r{client}-{number}@example.com");
                        assert_eq!(webhook.post(body("b", &rcpt, "bad-mailbox", number)).counts(), [1, 0, 0, 0]);
                        assert!(checks.is_suppressed(&rcpt));
                        number += 1;
                    }
                })
            })
            .collect();
        for round in 0..20 {
            policy.write(if round % 5 == 4 { "nonsense" } else { "soft_bounce_limit = 2" });
            reload(&server, if round % 5 == 4 { "failed" } else { "ok" });
        }
        is_over.store(true, Ordering::Relaxed);
        for client in working {
            client.join().unwrap();
        }
    });
}

#[test]
fn a_hang_up_without_a_policy_file_changes_nothing() {
    let ground = Ground::embedded();
    let server = ground.start();
    server.signal("-HUP");
    server.webhook().post(body("b", "a@example.com", "bad-mailbox", 1)).counts();
    assert!(server.checks().is_suppressed("a@example.com"));
    let (status, log) = server.terminate();
    assert!(status.success() && log.contains("no policy file"), "{log}");
}

#[test]
fn check_config_says_what_is_wrong_with_the_policy_and_where() {
    let policy = Policy::new("soft_bounce_limit = 5\none_soft_bounce_a_week = true\n");
    let path = policy.path();
    let check = |text: &str| {
        policy.write(text);
        run(&["serve", "--check-config", "--policy", path.to_str().unwrap()])
    };
    for (text, words) in [
        ("soft_bounce_limit = 5\none_soft_bounce_a_week = true\n", &["line 2", "one_soft_bounce_a_week"][..]),
        ("soft_bounce_limit = 0", &["line 1", "1 to 16"]),
        (
            "[[rules]]\nid = \"x\"\nclass = \"hard\"\nfault = \"recipient\"\npatterns = [\"a b\"]\nexamples = [\"c d\"]",
            &["line 1", "c d"],
        ),
    ] {
        let output = check(text);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(words.iter().chain(&["--policy", "policy.toml"]).all(|word| said.contains(word)), "{said}");
    }
    assert!(check("soft_bounce_limit = 5").status.success());
    let missing = run(&["serve", "--check-config", "--policy", "/no/such/file"]);
    assert_eq!(missing.status.code(), Some(64));
}

fn the_second_opinion_suppresses_only_where_it_is_enforced(ground: &Ground) {
    let rule = "\n[[rules]]\nid = \"gone-to-the-moon\"\nclass = \"hard\"\nfault = \"recipient\"\n\
                patterns = [\"gone to the moon\"]\nexamples = [\"550 gone to the moon\"]\n";
    let policy = Policy::new("");
    let server = policy.start(ground);
    let post = |rcpt: &str, words: &str, number: usize| {
        let mut event = payload("b", rcpt, "other", number);
        event["dsnDiag"] = words.into();
        event["dsnStatus"] = "5.0.0".into();
        assert_eq!(server.webhook().post(event.to_string()).counts(), [1, 0, 0, 0]);
    };
    let checks = server.checks();
    post("unknown@example.com", "smtp;550 no such user here", 1);
    post("moon@example.com", "smtp;550 she has gone to the moon", 2);
    // By default it advises.
    let answer = checks.one("unknown@example.com").unwrap();
    assert_eq!(answer.suppressed, Some(false));
    assert!(answer.detail.contains("unknown-user"), "{}", answer.detail);
    let metrics = server.webhook().get("/metrics").text;
    for line in [
        "suppressd_checks_advised_total 1",
        "suppressd_second_opinions_total{class=\"hard\",fault=\"recipient\",category=\"unmapped\"} 1",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    policy.write("second_opinion = \"off\"");
    reload(&server, "ok");
    assert!(!checks.one("unknown@example.com").unwrap().detail.contains("unknown-user"));
    // New rules judge new events.
    policy.write(&format!("second_opinion = \"enforce\"\n{rule}"));
    reload(&server, "ok");
    let answer = checks.one("unknown@example.com").unwrap();
    assert_eq!(answer.reason(), SuppressionReason::HardBounce);
    assert!(answer.detail.contains("by the second opinion unknown-user"), "{}", answer.detail);
    assert!(!checks.is_suppressed("moon@example.com"));
    post("moon@example.com", "smtp;550 she has gone to the moon", 3);
    assert!(checks.is_suppressed("moon@example.com"));
}

/// The counts of a what-if in JSON, and the addresses behind them.
fn what_if(output: &Output) -> (Value, Vec<Value>) {
    assert!(output.status.success(), "{output:?}");
    let mut lines = std::str::from_utf8(&output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
    (lines.next().unwrap(), lines.collect())
}

fn a_policy_is_tried_on_what_is_stored(ground: &Ground) {
    let server = ground.start();
    let mut events = Vec::new();
    for address in 0..30 {
        for number in 0..3 {
            events.push(payload("b", &format!("soft{address}@example.com"), "quota-issues", number));
        }
        events.push(payload("b", &format!("hard{address}@example.com"), "bad-mailbox", 9));
        events.push(payload("b", &format!("other{address}@example.com"), "other", 9));
    }
    let text = serde_json::to_string(&events).unwrap();
    assert_eq!(server.webhook().post(text).counts(), [150, 0, 0, 0]);
    let before = stored(ground);
    let policy = Policy::new("soft_bounce_limit = 3\nsecond_opinion = \"enforce\"\n[classes]\nbad-mailbox = \"soft\"\n");
    let path = policy.path();
    let diff = |more: &[&str]| {
        run(&[&["policy", "diff", "--policy", path.to_str().unwrap(), "--json", "--server", &server.grpc_url()], more].concat())
    };
    let expected = json!({"addresses": 90, "suppressed": 60, "released": 30, "by_rule": [
        {"effect": "suppressed", "rule": "opinion:unknown-user", "addresses": 30},
        {"effect": "suppressed", "rule": "soft-bounces", "addresses": 30},
        {"effect": "released", "rule": "category:bad-mailbox", "addresses": 30},
    ]});
    assert_eq!(what_if(&diff(&[])), (expected.clone(), vec![]));
    let (counts, addresses) = what_if(&diff(&["--addresses"]));
    assert_eq!((counts, addresses.len()), (expected, 90));
    assert!(addresses.contains(&json!({"email": "hard7@example.com", "effect": "released", "rule": "category:bad-mailbox"})));
    assert_eq!(stored(ground), before);
    assert!(server.checks().is_suppressed("hard7@example.com") && !server.checks().is_suppressed("soft7@example.com"));
    // The policy is refused where it is written as by the server.
    policy.write("soft_bounce_limit = 0");
    assert_eq!(diff(&[]).status.code(), Some(2));
}

#[test]
fn a_policy_with_rules_is_tried_on_a_history() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut moon = payload("b", "moon@example.com", "other", 1);
    (moon["dsnDiag"], moon["dsnStatus"]) = ("smtp;550 gone to the moon".into(), "5.0.0".into());
    let lines = [
        moon.to_string(),
        body("b", "unknown@example.com", "other", 2),
        body("d", "healthy@example.com", "", 3),
        "{\"type\":\"b\"}".to_owned(),
        String::new(),
    ];
    let history = file("history.ndjson", &lines.join("\n"));
    let rule = "[[rules]]\nid = \"gone-to-the-moon\"\nclass = \"hard\"\nfault = \"recipient\"\n\
                patterns = [\"gone to the moon\"]\nexamples = [\"550 gone to the moon\"]\n";
    let new = file("new.toml", &format!("second_opinion = \"enforce\"\n{rule}"));
    let output = run(&["policy", "diff", "--policy", &new, "--history", &history, "--addresses", "--json"]);
    let (counts, addresses) = what_if(&output);
    assert_eq!((&counts["suppressed"], &counts["released"], &counts["addresses"]), (&json!(2), &json!(0), &json!(2)));
    assert_eq!(
        addresses,
        [
            json!({"email": "moon@example.com", "effect": "suppressed", "rule": "opinion:gone-to-the-moon"}),
            json!({"email": "unknown@example.com", "effect": "suppressed", "rule": "opinion:unknown-user"}),
        ]
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 lines cannot be read"), "{output:?}");
    // Against itself nothing changes.
    let same = command().args(["policy", "diff", "--policy", &new, "--history", &history, "--against", &new]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&same.stdout), "0 would be suppressed, 0 released, of 2 addresses\n");
}
