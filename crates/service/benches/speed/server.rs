//! Servers that announce their doors on standard error, as `suppressd` does.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::process::{OwnChild, SERVER_CORES, on_cores};

/// How long a server must have been quiet to have come to rest, and the part of it that it may still use.
const QUIET_TIME: Duration = Duration::from_millis(300);
const MOST_OF_QUIET_TIME: u32 = 20;

/// Longest time until a server has come to rest.
const PATIENCE: Duration = Duration::from_mins(5);

/// One of the benchmark's own.
pub(crate) struct Server {
    child: OwnChild,
    http: Option<SocketAddr>,
    grpc: SocketAddr,
}

impl Server {
    /// `suppressd serve` on free ports and the servers' core.
    pub(crate) fn suppressd(store: &Path, flags: &[&str]) -> Self {
        Self::suppressd_on(SERVER_CORES, store, flags)
    }

    /// The same on other cores. It has a thread that serves for each of them.
    pub(crate) fn suppressd_on(cores: &str, store: &Path, flags: &[&str]) -> Self {
        let mut command = on_cores(cores, env!("CARGO_BIN_EXE_suppressd"));
        command
            .args(["serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-format", "json", "--store"])
            .arg(store)
            .args(flags);
        // What is measured is not Redis's disk.
        command.env("SUPPRESSD_REDIS_ALLOW", "appendonly,appendfsync");
        Self::start(command, 2)
    }

    /// This executable as a server of another kind, which a flag tells it to be.
    pub(crate) fn of_this_executable(flag: &str) -> Self {
        Self::of_this_executable_with(&[flag])
    }

    /// The same with what stands behind the flag.
    pub(crate) fn of_this_executable_with(arguments: &[&str]) -> Self {
        let mut command = on_cores(SERVER_CORES, std::env::current_exe().unwrap());
        command.args(arguments);
        Self::start(command, 1)
    }

    fn start(mut command: Command, doors: usize) -> Self {
        let mut child = OwnChild::spawn(command.stderr(Stdio::piped()));
        let mut lines = BufReader::new(child.child().stderr.take().unwrap()).lines();
        let (mut http, mut grpc) = (None, None);
        let mut announced = 0;
        while announced < doors {
            let line = lines.next().expect("the server ended by itself").unwrap();
            let Ok(line) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            if line["message"] == "listening" {
                let address = line["address"].as_str().unwrap().parse().unwrap();
                *(if line["door"] == "http" { &mut http } else { &mut grpc }) = Some(address);
                announced += 1;
            }
        }
        // Its log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, http, grpc: grpc.or(http).unwrap() }
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http.expect("it has no HTTP door")
    }

    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// CPU that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.child.cpu()
    }

    /// Waits until it has nothing to do any more: what it does behind its start must be in nobody's round.
    pub(crate) fn settle(&self) {
        let started = Instant::now();
        loop {
            let before = self.cpu();
            std::thread::sleep(QUIET_TIME);
            if self.cpu().saturating_sub(before) < QUIET_TIME / MOST_OF_QUIET_TIME {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "it never comes to rest");
        }
    }

    /// A value that it publishes.
    pub(crate) fn metric(&self, name: &str) -> f64 {
        let url = format!("http://{}/metrics", self.http());
        let text = ureq::get(&url).call().unwrap().into_body().read_to_string().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.expect(name)
    }
}
