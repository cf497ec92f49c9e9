//! What lies in `deploy/`: held to the published schemas, to the tools that read it, and to what suppressd itself takes.

mod compose;
mod image;
mod kubernetes;
mod system_calls;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{create_dir_all, write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::markdown::{Document, root};
use super::settings::variables;
use crate::clients::grpcio::program;
use crate::servers::suppressd::command;

/// How much longer than the drain a supervisor must wait at least, as the page says under "The end".
const SECONDS_BEYOND_DRAIN: u64 = 5;

/// Where `deploy/` lies.
fn deploy() -> PathBuf {
    root().join("deploy")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(deploy().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What a YAML file holds, if the schema of its kind allows it; otherwise why not.
fn read_yaml(kind: &str, path: &Path) -> Result<Value, String> {
    let script = root().join("tests/documents/deploy/read.py");
    let output = Command::new(program("python")).arg(script).arg(kind).arg(path).output().unwrap();
    if output.status.success() {
        Ok(serde_json::from_slice(&output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// As `read_yaml`, of a file in `deploy/` with something in it replaced.
fn read_changed(kind: &str, path: &str, from: &str, to: &str) -> Result<Value, String> {
    let directory = tempfile::tempdir().unwrap();
    let changed = directory.path().join("changed.yaml");
    let text = text(path);
    assert!(text.contains(from), "{path} has no {from}");
    write(&changed, text.replacen(from, to, 1)).unwrap();
    read_yaml(kind, &changed)
}

/// Something within what was read, by its JSON pointer.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a Value {
    value.pointer(pointer).unwrap_or_else(|| panic!("there is no {pointer} in {value}"))
}

/// One process that something in `deploy/` starts.
struct Process {
    name: String,
    variables: BTreeMap<String, String>,
    /// The files that it is given, by the path that it sees.
    files: BTreeMap<String, String>,
}

impl Process {
    fn port(&self, variable: &str) -> Option<u64> {
        self.variables.get(variable).map(|address| address.rsplit_once(':').unwrap().1.parse().unwrap())
    }

    /// How long its drain may take.
    fn drain_seconds(&self) -> u64 {
        self.variables.get("SUPPRESSD_DRAIN_DEADLINE_SECONDS").map_or(10, |seconds| seconds.parse().unwrap())
    }

    /// Every variable is on the page of settings, and suppressd takes all of them with the files that are there.
    fn check(&self) {
        let on_page = variables();
        for name in self.variables.keys() {
            assert!(on_page.contains(name), "{}: there is no {name} on the page of settings", self.name);
        }
        let secrets: BTreeSet<_> =
            self.variables.iter().filter(|(name, _)| name.ends_with("_FILE")).map(|(_, path)| path).collect();
        assert!(!secrets.is_empty(), "{}: its tokens lie in files", self.name);
        self.check_config().unwrap_or_else(|why| panic!("{}: {why}", self.name));
    }

    fn check_config(&self) -> Result<(), String> {
        let files = tempfile::tempdir().unwrap();
        let mut by = command();
        by.args(["serve", "--check-config"]);
        for (name, value) in &self.variables {
            if let Some(content) = self.files.get(value) {
                let path = files.path().join(value.trim_start_matches(['/', '%']));
                create_dir_all(path.parent().unwrap()).unwrap();
                write(&path, content).unwrap();
                by.env(name, path);
            } else {
                by.env(name, value);
            }
        }
        let output = by.output().unwrap();
        if output.status.success() { Ok(()) } else { Err(String::from_utf8(output.stderr).unwrap()) }
    }
}

#[test]
fn the_page_says_what_is_there_and_nothing_else() {
    let section = Document::read("docs/operations/deployment.md").section("Deployment");
    let mut there: Vec<String> =
        std::fs::read_dir(deploy()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    // One's own tokens, which nobody else has.
    there.retain(|name| name != "secrets");
    for name in &there {
        assert!(section.contains(&format!("`deploy/{name}")), "the page does not tell of {name}");
    }
    for named in super::markdown::code_spans(&section).into_iter().filter(|span| span.starts_with("deploy/")) {
        let path = root().join(named);
        assert!(path.exists() || named.starts_with("deploy/secrets"), "{named} is not there");
    }
}

#[test]
fn the_policy_can_be_used_with_all_that_is_commented_out() {
    let policy = text("policy.toml");
    let is_setting = |line: &&str| line.contains(" = ") || line.starts_with("# [");
    let every = policy.lines().filter(is_setting).map(|line| line.trim_start_matches("# ")).collect::<Vec<_>>().join("\n");
    assert!(every.lines().count() >= 5, "{every}");
    let directory = tempfile::tempdir().unwrap();
    for text in [policy, every] {
        let path = directory.path().join("policy.toml");
        write(&path, &text).unwrap();
        let output = command().args(["serve", "--check-config", "--policy"]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
