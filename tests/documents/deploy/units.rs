//! The units of systemd.

use std::collections::BTreeMap;
use std::fs::write;
use std::path::Path;
use std::process::{Command, Output};

use super::{Process, SECONDS_BEYOND_DRAIN, text};
use crate::servers::suppressd::executable;

pub(super) const UNITS: [&str; 3] = ["suppressd.service", "suppressd-ingest.service", "suppressd-check.service"];

/// Most that `systemd-analyze security` may say, in tenths: it was 1.1 when this was written, and versions differ a little.
const MAX_EXPOSURE: &str = "15";

/// Where the units expect the executable.
const INSTALLED: &str = "/usr/local/bin/suppressd";

/// The assignments of a unit, in their order.
pub(super) fn assignments(unit: &str) -> Vec<(String, String)> {
    let lines = text(&format!("systemd/{unit}"));
    let is_assignment = |line: &&str| !line.starts_with(['#', '[']) && !line.is_empty();
    lines
        .lines()
        .filter(is_assignment)
        .map(|line| {
            let (name, value) = line.split_once('=').unwrap_or_else(|| panic!("{unit}: {line}"));
            (name.to_owned(), value.to_owned())
        })
        .collect()
}

fn all(unit: &str, wanted: &str) -> Vec<String> {
    assignments(unit).into_iter().filter(|(name, _)| name == wanted).map(|(_, value)| value).collect()
}

fn one(unit: &str, wanted: &str) -> String {
    let values = all(unit, wanted);
    assert_eq!(values.len(), 1, "{unit}: {wanted}");
    values.into_iter().next().unwrap()
}

/// `systemd-analyze`, of a copy that names an executable which is there.
fn analyze(directory: &Path, unit: &str, text: &str, words: &[&str]) -> Output {
    let copy = directory.join(unit);
    write(&copy, text.replace(INSTALLED, executable().to_str().unwrap())).unwrap();
    Command::new("systemd-analyze")
        .args(words)
        .arg(copy)
        .output()
        .expect("systemd-analyze is missing: run tests/run once, it installs what the tests need")
}

fn verify(unit: &str, text: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    let output = analyze(directory.path(), unit, text, &["verify", "--man=no"]);
    // Of a line that it does not know it only warns.
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() && said.is_empty() { Ok(()) } else { Err(said) }
}

#[test]
fn systemd_takes_every_line() {
    for unit in UNITS {
        verify(unit, &text(&format!("systemd/{unit}"))).unwrap_or_else(|why| panic!("{unit}: {why}"));
    }
}

#[test]
fn a_line_that_systemd_does_not_know_fails() {
    let text = text("systemd/suppressd.service");
    for (from, to) in [
        ("ProtectClock=", "ProtectClocks="),
        ("Type=notify", "Type=notifies"),
        ("@system-service", "@system-services"),
        (INSTALLED, "/no/such/executable"),
    ] {
        assert!(verify("suppressd.service", &text.replace(from, to)).is_err(), "{to}");
    }
}

#[test]
fn little_is_exposed() {
    for unit in UNITS {
        let directory = tempfile::tempdir().unwrap();
        let words = ["security", "--offline=yes", "--no-pager", "--threshold", MAX_EXPOSURE];
        let output = analyze(directory.path(), unit, &text(&format!("systemd/{unit}")), &words);
        assert!(output.status.success(), "{unit}: {}", String::from_utf8_lossy(&output.stdout));
        // The threshold is a threshold.
        let bare = analyze(directory.path(), unit, &format!("[Service]\nExecStart={INSTALLED}\n"), &words);
        assert!(!bare.status.success());
    }
}

#[test]
fn suppressd_takes_what_the_units_give_it() {
    for (unit, role) in UNITS.into_iter().zip(["all", "ingest", "check"]) {
        let variables: BTreeMap<_, _> = all(unit, "Environment")
            .iter()
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut files = BTreeMap::from([("/etc/suppressd/policy.toml".to_owned(), text("policy.toml"))]);
        for credential in all(unit, "LoadCredential") {
            let (name, path) = credential.split_once(':').unwrap();
            assert_eq!(path, format!("/etc/suppressd/{name}"), "{unit}");
            let content = if name == "store" { "redis+cluster://suppressd:change-me@a:6379,b:6379" } else { "change-me" };
            files.insert(format!("%d/{name}"), content.to_owned());
        }
        let used = variables.values().filter(|value| value.starts_with("%d/")).count();
        assert_eq!(used, files.len() - 1, "{unit}: each credential is used");
        assert!(variables.values().all(|value| !value.starts_with("%d/") || files.contains_key(value)), "{unit}");
        let process = Process { name: unit.to_owned(), variables, files };
        assert_eq!(process.variables["SUPPRESSD_ROLE"], role);
        process.check();
        let stop: u64 = one(unit, "TimeoutStopSec").parse().unwrap();
        assert!(stop >= process.drain_seconds() + SECONDS_BEYOND_DRAIN, "{unit}");
        assert_eq!(one(unit, "ExecStart"), format!("{INSTALLED} serve"));
    }
}

#[test]
fn the_units_rely_on_what_suppressd_does() {
    for unit in UNITS {
        for (name, value) in [
            ("Type", "notify"),
            ("ExecReload", "kill -HUP $MAINPID"),
            ("Restart", "on-failure"),
            ("RestartPreventExitStatus", "64"),
            ("DynamicUser", "yes"),
        ] {
            assert_eq!(one(unit, name), value, "{unit}: {name}");
        }
    }
    // The store lies where systemd makes a place for it.
    let environment = all("suppressd.service", "Environment");
    let state = one("suppressd.service", "StateDirectory");
    assert!(environment.contains(&format!("SUPPRESSD_STORE=/var/lib/{state}/data")), "{environment:?}");
}

#[test]
fn the_fleet_s_units_can_run_beside_each_other() {
    let mut ports = Vec::new();
    for unit in ["suppressd-ingest.service", "suppressd-check.service"] {
        let doors = all(unit, "Environment");
        let addresses =
            doors.iter().filter_map(|pair| pair.strip_prefix("SUPPRESSD_HTTP=").or_else(|| pair.strip_prefix("SUPPRESSD_GRPC=")));
        ports.extend(addresses.map(str::to_owned));
    }
    assert_eq!(ports, ["127.0.0.1:8080", "127.0.0.1:8081", "127.0.0.1:50051"]);
}
