//! A `redis-server` of a test's own, on a socket in a directory of its own.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::FromRedisValue;

use crate::store::redis::{RedisSettings, RedisStore};

/// Longest time that a server may take to start.
const START_DEADLINE: Duration = Duration::from_secs(10);

pub(super) struct Server {
    directory: tempfile::TempDir,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Server {
    pub(super) fn start(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut server = Self { directory, arguments, child: None };
        server.start_again();
        server
    }

    /// Starts it on the same socket. It is ready when it accepts a connection.
    pub(super) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        let socket = self.directory.path().join("s");
        let mut command = Command::new("redis-server");
        command.current_dir(self.directory.path()).args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]);
        command.arg(&socket).args(&self.arguments).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("redis-server must be installed"));
        let started = Instant::now();
        while std::os::unix::net::UnixStream::connect(&socket).is_err() {
            assert!(started.elapsed() < START_DEADLINE, "redis-server did not start");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(super) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(super) fn url(&self) -> String {
        format!("redis+unix://{}/s", self.directory.path().display())
    }

    /// To be called within a runtime.
    pub(super) fn store(&self) -> RedisStore {
        RedisStore::open(&RedisSettings::new(self.url())).unwrap()
    }

    /// What an operator sees in `redis-cli`.
    pub(super) fn cli<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut connection).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
