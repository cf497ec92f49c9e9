//! A Redis of the benchmark's own, and the only one that it would flush or stop.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{OwnChild, SERVER_CORES, on_cores};

/// Longest time until a server is there.
const PATIENCE: Duration = Duration::from_secs(10);

/// A `redis-server` that this process has started. Only such a one can be flushed or stopped: nothing else makes this type.
pub(crate) struct OwnRedis {
    child: OwnChild,
    socket: PathBuf,
    port: String,
    /// What it writes, which goes behind it.
    _directory: TempDir,
}

impl OwnRedis {
    /// On a unix socket alone.
    pub(crate) fn start() -> Self {
        Self::start_on(SERVER_CORES)
    }

    /// The same on other cores.
    pub(crate) fn start_on(cores: &str) -> Self {
        Self::start_with(cores, "0", &[])
    }

    /// On a free port, too: what is compared with calls over TCP has to be called over TCP.
    pub(crate) fn start_on_tcp() -> Self {
        Self::start_with(SERVER_CORES, &free_port(), &[])
    }

    /// One with a replica, which is in sync with it, both on the same cores.
    pub(crate) fn start_with_replica_on(cores: &str) -> (Self, Self) {
        let port = free_port();
        let primary = Self::start_with(cores, &port, &["--repl-diskless-sync-delay", "0"]);
        let replica = Self::start_with(cores, "0", &["--replicaof", &format!("127.0.0.1 {port}")]);
        let mut connection = replica.connect();
        let started = Instant::now();
        while !::redis::cmd("INFO").arg("replication").query::<String>(&mut connection).unwrap().contains("master_link_status:up")
        {
            assert!(started.elapsed() < PATIENCE, "the replica is not in sync");
            std::thread::sleep(Duration::from_millis(2));
        }
        (primary, replica)
    }

    /// With settings of its own, and without TCP if the port is 0.
    fn start_with(cores: &str, port: &str, arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("s");
        let child = OwnChild::spawn(
            on_cores(cores, "redis-server")
                .current_dir(directory.path())
                .args(["--bind", "127.0.0.1", "--port", port, "--save", ""])
                .args(arguments)
                .arg("--unixsocket")
                .arg(&socket)
                .stdout(Stdio::null()),
        );
        let started = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(started.elapsed() < PATIENCE, "the benchmark needs redis-server, of Debian's redis-server");
            std::thread::sleep(Duration::from_millis(2));
        }
        Self { child, socket, port: port.to_owned(), _directory: directory }
    }

    /// CPU that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        self.child.cpu()
    }

    /// As `--store` takes it.
    pub(crate) fn url(&self) -> PathBuf {
        format!("redis+unix://{}", self.socket.display()).into()
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn client(&self) -> ::redis::Client {
        ::redis::Client::open(self.url().to_str().unwrap()).unwrap()
    }

    pub(crate) fn client_over_tcp(&self) -> ::redis::Client {
        ::redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }

    pub(crate) fn connect(&self) -> ::redis::Connection {
        self.client().get_connection().unwrap()
    }

    /// Deletes all that it holds, if it is certain that whoever answers is the child.
    pub(crate) fn flush(&self) -> Result<(), String> {
        let mut connection = self.connect();
        let info: ::redis::InfoDict = ::redis::cmd("INFO").arg("server").query(&mut connection).unwrap();
        let answering: Option<u32> = info.get("process_id");
        if answering != Some(self.child.id()) {
            return Err(format!("process {answering:?} answers, and {} was started here", self.child.id()));
        }
        ::redis::cmd("FLUSHALL").query(&mut connection).map_err(|error| error.to_string())
    }
}

fn free_port() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// Whether a flush is refused where another server than the child answers.
pub(crate) fn refuses_what_is_not_its_own() -> bool {
    let (mut own, other) = (OwnRedis::start(), OwnRedis::start());
    let mut connection = other.connect();
    ::redis::cmd("SET").arg("kept").arg(1).exec(&mut connection).unwrap();
    own.socket.clone_from(&other.socket);
    own.flush().is_err() && ::redis::cmd("EXISTS").arg("kept").query(&mut connection).unwrap() && other.flush().is_ok()
}
