//! A `suppressd serve` of a test's own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::clients::http::Webhook;
use crate::clients::rust_admin::Admin;
use crate::clients::rust_grpc::Checks;

/// Longest time for anything on a machine that is busy with other tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The executable.
pub(crate) fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_suppressd"))
}

/// A command of the executable with no settings from the tests' own environment.
pub(crate) fn command() -> Command {
    let mut command = Command::new(executable());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SUPPRESSD_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

/// A process that is killed when it goes.
pub(crate) struct Suppressd {
    child: Child,
    http: SocketAddr,
    grpc: Option<SocketAddr>,
    socketmap: Option<SocketAddr>,
    log: Option<JoinHandle<String>>,
}

/// How one is started.
pub(crate) struct Launch {
    command: Command,
    has_grpc: bool,
    has_socketmap: bool,
    log_file: Option<PathBuf>,
}

impl Launch {
    /// On free ports of loopback, on that store. If that is a Redis, it may be one that keeps nothing.
    pub(crate) fn on(store: &str) -> Self {
        let mut command = command();
        command.env("SUPPRESSD_REDIS_ALLOW", "appendonly,appendfsync");
        Self::by(command, store)
    }

    /// As `on`, with another program in front that runs the executable given behind it.
    pub(crate) fn by(mut command: Command, store: &str) -> Self {
        command.args(["serve", "--store", store, "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-format", "json"]);
        Self { command, has_grpc: true, has_socketmap: false, log_file: None }
    }

    pub(crate) fn in_directory(directory: &Path) -> Self {
        Self::on(directory.to_str().unwrap())
    }

    pub(crate) fn role(mut self, role: &str) -> Self {
        self.has_grpc = role != "ingest";
        self.flags(&["--role", role])
    }

    /// Lets mail servers ask, too.
    pub(crate) fn socketmap(mut self) -> Self {
        self.has_socketmap = true;
        self.flags(&["--socketmap", "127.0.0.1:0"])
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.command.args(flags);
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Writes its log to the end of a file, too: it outlives a test that fails.
    pub(crate) fn logging_to(mut self, file: &Path) -> Self {
        self.log_file = Some(file.to_owned());
        self
    }

    /// Starts it. It is ready when it listens wherever it should.
    pub(crate) fn start(self) -> Suppressd {
        let doors = 1 + usize::from(self.has_grpc) + usize::from(self.has_socketmap);
        let (mut child, announced, log) = self.spawn();
        let mut http = None;
        let mut grpc = None;
        let mut socketmap = None;
        for _ in 0..doors {
            let Ok((door, address)) = announced.recv_timeout(PATIENCE) else {
                // It may have stopped by itself, and its log says why.
                let _ = child.kill();
                let status = child.wait().unwrap();
                panic!("suppressd did not come up ({status}): {}", log.join().unwrap());
            };
            match &*door {
                "http" => http = Some(address),
                "grpc" => grpc = Some(address),
                _ => socketmap = Some(address),
            }
        }
        Suppressd { child, http: http.unwrap(), grpc, socketmap, log: Some(log) }
    }

    /// Runs it although it is expected to stop by itself.
    pub(crate) fn fail(mut self) -> Output {
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let started = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if started.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("it serves, though it should have been refused");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        child.wait_with_output().unwrap()
    }

    fn spawn(mut self) -> (Child, Receiver<(String, SocketAddr)>, JoinHandle<String>) {
        self.command.stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, announced) = channel();
        let mut kept = self.log_file.map(|file| File::options().create(true).append(true).open(file).unwrap());
        let log = std::thread::spawn(move || {
            let mut all = String::new();
            let mut line = String::new();
            while stderr.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
                if let Some(door) = listening(&line) {
                    // Nobody may be waiting any more.
                    let _ = sender.send(door);
                }
                if let Some(file) = &mut kept {
                    file.write_all(line.as_bytes()).unwrap();
                }
                all.push_str(&line);
                line.clear();
            }
            let _ = stderr.read_to_string(&mut all);
            all
        });
        (child, announced, log)
    }
}

/// What a line of the log says of a door that listens.
fn listening(line: &str) -> Option<(String, SocketAddr)> {
    let line: serde_json::Value = serde_json::from_str(line).ok()?;
    if line["message"] != "listening" {
        return None;
    }
    Some((line["door"].as_str()?.to_owned(), line["address"].as_str()?.parse().ok()?))
}

impl Suppressd {
    pub(crate) fn http(&self) -> SocketAddr {
        self.http
    }

    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc.expect("this role serves no gRPC")
    }

    pub(crate) fn socketmap(&self) -> SocketAddr {
        self.socketmap.expect("no mail server may ask")
    }

    pub(crate) fn grpc_url(&self) -> String {
        format!("http://{}", self.grpc())
    }

    /// A client of its webhook.
    pub(crate) fn webhook(&self) -> Webhook {
        Webhook::at(self.http)
    }

    /// A client of its gRPC service.
    pub(crate) fn checks(&self) -> Checks {
        Checks::at(&self.grpc_url())
    }

    /// A client of its administrative service.
    pub(crate) fn admin(&self) -> Admin {
        Admin::at(&self.grpc_url())
    }

    /// Kills it with no chance to write anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to end, and waits for it. Gives its status and its log.
    pub(crate) fn terminate(self) -> (ExitStatus, String) {
        self.signal("-TERM");
        self.wait()
    }

    /// Asks it to end, and gives what strace wrote of it: started behind `strace -D -f -o` that file, it is the traced one.
    pub(crate) fn terminate_traced(self, file: &Path) -> String {
        let id = self.id();
        assert!(self.terminate().0.success());
        let started = Instant::now();
        loop {
            let trace = std::fs::read_to_string(file).unwrap();
            // The tracer writes its last line when the process is gone.
            if trace.lines().any(|line| line.starts_with(&format!("{id} ")) && line.contains("+++ exited")) {
                return trace;
            }
            assert!(started.elapsed() < PATIENCE, "strace did not end its trace");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for it to end by itself. Gives its status and its log.
    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.log.take().unwrap().join().unwrap())
    }

    /// Sends it a signal by name, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
    }
}

impl Drop for Suppressd {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command of the executable to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().unwrap()
}

/// Where a store lies that a test's process keeps in a directory.
pub(crate) fn data(directory: &Path) -> PathBuf {
    directory.join("data")
}
