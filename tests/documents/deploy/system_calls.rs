//! What the units forbid, suppressd does not need: shown by its system calls.
//!
//! No systemd runs here, so the filter is not applied: what it lets through is compared with what is called.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use super::units::{UNITS, assignments};
use crate::journeys::webhook::body;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, data, executable};

/// The sets of system calls that systemd knows, each with its members: calls, and other sets.
fn sets() -> BTreeMap<String, Vec<String>> {
    let output = Command::new("systemd-analyze")
        .args(["syscall-filter", "--no-pager"])
        .output()
        .expect("systemd-analyze is missing: run tests/run once, it installs what the tests need");
    let mut sets: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut open = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if line.starts_with('@') {
            line.clone_into(&mut open);
        } else if let Some(member) = line.strip_prefix("    ").filter(|member| !member.starts_with('#')) {
            sets.entry(open.clone()).or_default().push(member.to_owned());
        }
    }
    sets
}

/// The calls that a set stands for.
fn expand(sets: &BTreeMap<String, Vec<String>>, name: &str) -> BTreeSet<String> {
    if !name.starts_with('@') {
        return BTreeSet::from([name.to_owned()]);
    }
    let members = sets.get(name).unwrap_or_else(|| panic!("there is no set {name}"));
    members.iter().flat_map(|member| expand(sets, member)).collect()
}

/// What a unit's filters let through; they are all alike.
fn allowed() -> BTreeSet<String> {
    let sets = sets();
    let filters = UNITS.map(|unit| {
        let of_unit = assignments(unit).into_iter().filter(|(name, _)| name == "SystemCallFilter");
        of_unit.map(|(_, value)| value).collect::<Vec<_>>()
    });
    assert!(filters.iter().all(|filter| *filter == filters[0] && filter.len() == 2), "{filters:?}");
    // What systemd always lets through, or a program could not even begin.
    let mut allowed = expand(&sets, "@default");
    for value in &filters[0] {
        let (is_denied, names) = value.strip_prefix('~').map_or((false, &**value), |names| (true, names));
        for call in names.split(' ').flat_map(|name| expand(&sets, name)) {
            if is_denied {
                allowed.remove(&call)
            } else {
                allowed.insert(call)
            };
        }
    }
    allowed
}

/// The calls of a life: it opens its store, takes a webhook, answers a check, reads its policy again, and drains.
fn trace(store: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace");
    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, "").unwrap();
    let mut strace = Command::new("strace");
    // As a grandchild, so that the process under test is the one that is signalled.
    strace.args(["-D", "-f", "-s", "0", "-o"]).arg(&file).arg(executable());
    let server = Launch::by(strace, store).flags(&["--policy", policy.to_str().unwrap()]).start();
    let webhook = server.webhook();
    assert_eq!(webhook.post(body("b", "gone@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    assert_eq!(webhook.post("no JSON").status, 400);
    assert!(server.checks().is_suppressed("gone@example.com"));
    server.signal("-HUP");
    assert!(webhook.get("/metrics").text.contains("suppressd_events_total"));
    server.terminate_traced(&file)
}

/// The calls of a trace, each as it begins, without those before the program itself was there: `call(arguments`.
fn calls(trace: &str) -> Vec<&str> {
    let calls = trace.lines().filter_map(|line| Some(line.split_once(' ')?.1.trim_start()));
    calls.filter(|call| call.starts_with(|letter: char| letter.is_ascii_lowercase()) && call.contains('(')).collect()
}

#[test]
fn the_units_forbid_no_system_call_that_is_needed() {
    let allowed = allowed();
    assert!(!allowed.contains("ptrace") && !allowed.contains("setuid") && !allowed.contains("mount"));
    let directory = tempfile::tempdir().unwrap();
    let redis = RedisServer::start_on_tcp(&["--appendonly", "yes", "--appendfsync", "always"]);
    for store in [data(directory.path()).to_str().unwrap(), &redis.url()] {
        let trace = trace(store);
        let calls = calls(&trace);
        let names: BTreeSet<_> = calls.iter().map(|call| call.split('(').next().unwrap().to_owned()).collect();
        assert!(names.contains("accept4") && names.len() > 20, "{names:?}");
        let forbidden: Vec<_> = names.difference(&allowed).collect();
        assert!(forbidden.is_empty(), "{forbidden:?}");
        for call in calls {
            // MemoryDenyWriteExecute=yes
            let is_memory = ["mmap(", "mprotect(", "pkey_mprotect("].iter().any(|name| call.starts_with(name));
            let is_made_executable = call.contains("PROT_EXEC") && (call.contains("PROT_WRITE") || call.starts_with("mprotect("));
            assert!(!(is_memory && is_made_executable), "{call}");
            // RestrictAddressFamilies=
            let is_known = ["AF_INET,", "AF_INET6,", "AF_UNIX,"].iter().any(|family| call.contains(family));
            assert!(!call.starts_with("socket(") || is_known, "{call}");
        }
    }
}
