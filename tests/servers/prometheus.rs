//! A Prometheus of a test's own, by the configuration in `deploy/`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::redis::free_port;
use crate::servers::suppressd::PATIENCE;

/// The target in the configuration that lies in `deploy/`.
const WRITTEN_TARGET: &str = "127.0.0.1:8080";

/// How often the configuration says that targets are read and rules evaluated, and how often they are here.
const INTERVALS: [&str; 2] = ["15s", "1s"];

/// A server that is killed when it goes.
pub(crate) struct Prometheus {
    child: Child,
    port: u16,
    #[expect(dead_code, reason = "it is removed when it goes")]
    directory: TempDir,
}

impl Prometheus {
    /// Reads one target, and evaluates the rules.
    pub(crate) fn start(target: SocketAddr) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/prometheus");
        let configuration = std::fs::read_to_string(deploy.join("prometheus.yml")).unwrap();
        assert!(configuration.contains(WRITTEN_TARGET) && configuration.contains(INTERVALS[0]));
        let configuration = configuration.replace(WRITTEN_TARGET, &target.to_string()).replace(INTERVALS[0], INTERVALS[1]);
        std::fs::write(directory.path().join("prometheus.yml"), configuration).unwrap();
        std::fs::copy(deploy.join("rules.yml"), directory.path().join("rules.yml")).unwrap();
        let port = free_port();
        let child = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=error"])
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(directory.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("the tests need prometheus: {error}"));
        Self { child, port, directory }
    }

    /// What it answers; nothing while it is not there yet, or has nothing.
    fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Value> {
        let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build());
        let url = format!("http://127.0.0.1:{}/api/v1/{path}", self.port);
        let text = agent.get(url).query_pairs(query.iter().copied()).call().ok()?.body_mut().read_to_string().ok()?;
        Some(serde_json::from_str::<Value>(&text).unwrap()["data"].take())
    }

    /// The series that an expression has at the moment; none if it is an empty result.
    pub(crate) fn series(&self, expression: &str) -> Option<Vec<Value>> {
        let answer = self.get("query", &[("query", expression)])?;
        answer["result"].as_array().filter(|series| !series.is_empty()).cloned()
    }

    /// The rules, each with its health, when all have been evaluated.
    pub(crate) fn rules(&self) -> Option<Vec<Value>> {
        let groups = self.get("rules", &[])?;
        let rules: Vec<_> = groups["groups"]
            .as_array()?
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
            .collect();
        (!rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown")).then_some(rules)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
