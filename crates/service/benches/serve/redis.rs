//! A Redis of the benchmark's own.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::cpu_of;

/// A `redis-server` of the benchmark's own.
pub(crate) struct Redis {
    directory: tempfile::TempDir,
    child: Child,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::start_with("0", &[])
    }

    /// One with a replica, which is in sync with it.
    pub(crate) fn start_with_replica() -> (Self, Self) {
        let free_port = || std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let port = free_port();
        let primary = Self::start_with(&port, &["--repl-diskless-sync-delay", "0"]);
        let replica = Self::start_with("0", &["--replicaof", &format!("127.0.0.1 {port}")]);
        let mut connection = ::redis::Client::open(replica.url().to_str().unwrap()).unwrap().get_connection().unwrap();
        let started = Instant::now();
        while !::redis::cmd("INFO").arg("replication").query::<String>(&mut connection).unwrap().contains("master_link_status:up")
        {
            assert!(started.elapsed() < Duration::from_secs(10), "the replica is not in sync");
            std::thread::sleep(Duration::from_millis(2));
        }
        (primary, replica)
    }

    fn start_with(port: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let child = Command::new("redis-server")
            .current_dir(directory.path())
            .args(["--bind", "127.0.0.1", "--port", port, "--save", ""])
            .args(arguments)
            .arg("--unixsocket")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("the benchmark needs redis-server");
        let started = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(started.elapsed() < Duration::from_secs(10), "redis-server did not start");
            std::thread::sleep(Duration::from_millis(2));
        }
        Self { directory, child }
    }

    /// CPU that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }

    pub(crate) fn url(&self) -> PathBuf {
        format!("redis+unix://{}/s", self.directory.path().display()).into()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
