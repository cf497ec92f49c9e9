//! gRPC by Python's `grpcio` and the server's own reflection: a client, and code for the messages, that nobody here wrote.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Where `tests/run` installs Python's packages.
fn installed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/clients/bin")
}

/// A program that `tests/run` installs.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = installed().join(name);
    assert!(path.exists(), "{} is missing: run tests/run once, it installs what the tests need", path.display());
    path
}

/// A Python process that calls what it is told to.
pub(crate) struct Grpcio {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// How it connects.
#[derive(Default)]
pub(crate) struct Credentials<'a> {
    pub(crate) token: &'a str,
    pub(crate) roots: &'a str,
    pub(crate) certificate: &'a str,
    pub(crate) key: &'a str,
}

impl Grpcio {
    pub(crate) fn at(server: &str) -> Self {
        Self::with(server, &Credentials::default())
    }

    pub(crate) fn with(server: &str, credentials: &Credentials<'_>) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/reflecting_client.py");
        let mut child = Command::new(program("python"))
            .arg(script)
            .args([server, credentials.token, credentials.roots, credentials.certificate, credentials.key])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, commands, answers }
    }

    /// Calls a method, given as `package.Service/Method`. Gives `{"ok": message}`, for a stream `{"ok": [message, ...]}`, or
    /// `{"code": ..., "message": ..., "details": [...]}`.
    pub(crate) fn call(&mut self, method: &str, requests: &Value) -> Value {
        writeln!(self.commands, "{}", json!({"method": method, "requests": requests})).unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the Python client ended: {line:?}"))
    }

    pub(crate) fn is_suppressed(&mut self, request: &Value) -> Value {
        self.call("suppression.v1.SuppressionService/IsSuppressed", request)
    }
}

impl Drop for Grpcio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
