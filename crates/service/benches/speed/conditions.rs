//! Where, when and of what it was measured.

use std::process::Command;

use serde_json::{Value, json};

/// What a reader of the figures has to know.
pub(crate) struct Conditions {
    form: &'static str,
    pub(crate) date: String,
    pub(crate) processor: String,
    kernel: String,
    memory: String,
    revision: Option<String>,
    redis: Option<String>,
    postgresql: Option<String>,
}

impl Conditions {
    pub(crate) fn of_this_machine(form: &'static str) -> Self {
        let line_of = |path: &str, name: &str| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let value = text.lines().find_map(|line| Some(line.strip_prefix(name)?.split_once(':')?.1.trim().to_owned()));
            value.unwrap_or_else(|| "unknown".to_owned())
        };
        Self {
            form,
            date: said_by("date", &["--utc", "+%Y-%m-%d"]).unwrap_or_default(),
            processor: line_of("/proc/cpuinfo", "model name"),
            kernel: said_by("uname", &["-sr"]).unwrap_or_default(),
            memory: line_of("/proc/meminfo", "MemTotal"),
            revision: said_by("git", &["describe", "--always", "--dirty"]),
            redis: said_by("redis-server", &["--version"]),
            postgresql: said_by("pgbench", &["--version"]),
        }
    }

    /// In one line.
    pub(crate) fn words(&self) -> String {
        let Self { form, date, processor, kernel, .. } = self;
        format!("{date}, the {form} form, one core each of {processor} for server and client, {kernel}")
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "form": self.form,
            "date": self.date,
            "processor": self.processor,
            "kernel": self.kernel,
            "memory": self.memory,
            "suppressd": env!("CARGO_PKG_VERSION"),
            "revision": self.revision,
            "redis": self.redis,
            "postgresql": self.postgresql,
        })
    }
}

/// The first line that a command says, if it is there and succeeds.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.lines().next().unwrap_or_default().to_owned())
}
