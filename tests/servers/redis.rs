//! A `redis-server` of a test's own, in a directory of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::redis::{Connection, FromRedisValue, InfoDict, RedisResult};
use suppressd_core::store::redis::{RedisSettings, RedisStore};

/// Longest time that a server may take to start.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// Longest path of a directory that leaves room for a socket in it: the kernel allows 108 bytes.
const MAX_DIRECTORY_BYTES: usize = 80;

/// Longest time for anything on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest time that a server that is asked how it is may keep silent.
const ANSWER_DEADLINE: Duration = Duration::from_millis(500);

/// A server forgets everything when it ends, unless its own arguments say otherwise.
const KEEPS_NOTHING: [&str; 4] = ["--save", "", "--appendonly", "no"];

/// Where a server listens.
pub(super) enum Door {
    Socket(PathBuf),
    Port(u16),
}

/// A server that is killed when it goes.
pub(crate) struct RedisServer {
    directory: tempfile::TempDir,
    /// What runs the server that is given behind it; empty if nothing does.
    runner: Vec<String>,
    arguments: Vec<String>,
    door: Door,
    child: Option<Child>,
}

impl RedisServer {
    /// A server on a socket. It forgets everything when it ends, unless the arguments say otherwise; `--appendonly yes
    /// --appendfsync always` makes it keep what it acknowledged.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let directory = directory();
        let door = Door::Socket(directory.path().join("s"));
        let mut server = Self::new(directory, door, &[&KEEPS_NOTHING, arguments].concat());
        server.start_again();
        server
    }

    /// A server on a port of loopback.
    pub(crate) fn start_on_tcp(arguments: &[&str]) -> Self {
        Self::start_on(free_port, arguments)
    }

    /// A server on the first of some ports that it gets.
    pub(super) fn start_on(port: impl FnMut() -> u16, arguments: &[&str]) -> Self {
        Self::start_behind(&[], port, arguments)
    }

    /// As `start_on`, with a program in front that runs the server in its own place.
    pub(super) fn start_behind(runner: &[String], mut port: impl FnMut() -> u16, arguments: &[&str]) -> Self {
        let started = Instant::now();
        loop {
            let mut server = Self::new(directory(), Door::Port(port()), &[&KEEPS_NOTHING, arguments].concat());
            server.runner = runner.to_vec();
            if server.try_start() {
                return server;
            }
            // Somebody else took the port between our asking for it and the server's.
            assert!(started.elapsed() < START_DEADLINE, "redis-server did not start on any port");
        }
    }

    /// A server that does not run yet, with no arguments but where it listens and those given.
    pub(super) fn new(directory: tempfile::TempDir, door: Door, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Self { directory, runner: Vec::new(), arguments, door, child: None }
    }

    /// Starts it at the same place, in the same directory.
    pub(crate) fn start_again(&mut self) {
        assert!(self.try_start(), "redis-server ended by itself; its log is {}", self.log());
    }

    /// Says whether it is ready; it is not if it ended by itself.
    pub(super) fn try_start(&mut self) -> bool {
        self.launch();
        self.await_ready()
    }

    /// Starts it again, and does not wait until it has read its files.
    pub(crate) fn launch(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        let (port, socket) = match &self.door {
            Door::Socket(path) => ("0".to_owned(), path.to_str().unwrap()),
            Door::Port(port) => (port.to_string(), ""),
        };
        let mut words = self.runner.iter().map(String::as_str).chain(["redis-server"]);
        let child = Command::new(words.next().unwrap())
            .args(words)
            .current_dir(self.directory.path())
            .args(&self.arguments)
            .args(["--bind", "127.0.0.1", "--port", &port, "--unixsocket", socket, "--logfile", "log"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("the tests need redis-server, 7 or later: {error}")));
    }

    /// Says whether it is ready, as soon as it is; it is not if it ended by itself.
    pub(crate) fn await_ready(&mut self) -> bool {
        let started = Instant::now();
        while !self.answers() {
            if self.child.as_mut().unwrap().try_wait().unwrap().is_some() {
                self.child = None;
                return false;
            }
            assert!(started.elapsed() < START_DEADLINE, "redis-server did not start; its log is {}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Whether it has read its files, and is who answers there.
    fn answers(&self) -> bool {
        let info = || -> RedisResult<InfoDict> { ::redis::cmd("INFO").query(&mut self.connection()?) };
        // A sentinel loads nothing.
        let is_loading = |info: &InfoDict| info.get("loading") == Some(1_u8);
        info().is_ok_and(|info| !is_loading(&info) && info.get("process_id") == self.child.as_ref().map(Child::id))
    }

    pub(crate) fn connection(&self) -> RedisResult<Connection> {
        ::redis::Client::open(self.url())?.get_connection_with_timeout(PATIENCE)
    }

    /// Where it keeps its files.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Has it write its dump.
    pub(crate) fn save(&self) {
        assert_eq!(self.cli::<String>(&["SAVE"]), "OK");
    }

    /// Has it write its append-only file anew, and waits until the old one is gone.
    pub(crate) fn rewrite(&self) {
        let rewritten = || {
            let info: InfoDict = self.cli(&["INFO", "persistence"]);
            let is_under_way =
                info.get("aof_rewrite_in_progress") != Some(0_u8) || info.get("aof_rewrite_scheduled") != Some(0_u8);
            (!is_under_way).then(|| assert_eq!(info.get::<String>("aof_last_bgrewrite_status").as_deref(), Some("ok")))
        };
        let started = Instant::now();
        while rewritten().is_none() {
            assert!(started.elapsed() < PATIENCE, "it writes for too long");
            std::thread::sleep(Duration::from_millis(5));
        }
        let before = self.append_only_files();
        let _: String = self.cli(&["BGREWRITEAOF"]);
        let started = Instant::now();
        // It removes the old ones behind its back.
        while rewritten().is_none() || self.append_only_files().iter().any(|file| before.contains(file)) {
            assert!(started.elapsed() < PATIENCE, "the append-only file is not written anew; its log is {}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Without the list of them, which is never another file.
    fn append_only_files(&self) -> Vec<PathBuf> {
        let all = std::fs::read_dir(self.directory.path().join("appendonlydir")).unwrap().map(|entry| entry.unwrap().path());
        all.filter(|path| path.extension().is_some_and(|ending| ending != "manifest")).collect()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Kills it with no chance to write anything.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end, and waits for it.
    pub(crate) fn stop(&mut self) {
        self.signal("-TERM");
        let status = self.child.take().unwrap().wait().unwrap();
        assert!(status.success(), "redis-server ended with {status}; its log is {}", self.log());
    }

    /// Sends it a signal by name, as `kill` does.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    pub(crate) fn url(&self) -> String {
        match &self.door {
            Door::Socket(path) => format!("redis+unix://{}", path.display()),
            Door::Port(port) => format!("redis://127.0.0.1:{port}"),
        }
    }

    /// How a store is opened that waits as long as a busy machine needs.
    pub(crate) fn patient_settings(&self) -> RedisSettings {
        patient_settings(self.url())
    }

    /// A patient store. To be called within a runtime.
    pub(crate) fn store(&self) -> RedisStore {
        RedisStore::open(&self.patient_settings()).unwrap()
    }

    /// The port of one that was started on a port.
    pub(crate) fn port(&self) -> u16 {
        match &self.door {
            Door::Socket(path) => panic!("it listens at {}", path.display()),
            Door::Port(port) => *port,
        }
    }

    /// What an operator sees in `redis-cli`.
    pub(crate) fn cli<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let (name, arguments) = words.split_first().unwrap();
        ::redis::cmd(name).arg(arguments).query(&mut self.connection().unwrap()).unwrap()
    }

    /// As `cli`, where the server wants a password.
    pub(crate) fn cli_as<T: FromRedisValue>(&self, password: &str, words: &[&str]) -> T {
        let url = match &self.door {
            Door::Socket(path) => format!("redis+unix://{}?pass={password}", path.display()),
            Door::Port(port) => format!("redis://:{password}@127.0.0.1:{port}"),
        };
        let mut connection = ::redis::Client::open(url).unwrap().get_connection_with_timeout(PATIENCE).unwrap();
        let (name, arguments) = words.split_first().unwrap();
        ::redis::cmd(name).arg(arguments).query(&mut connection).unwrap()
    }

    /// As `cli`, of a server that may be away or hang.
    pub(crate) fn try_cli<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let mut connection = ::redis::Client::open(self.url())?.get_connection_with_timeout(ANSWER_DEADLINE)?;
        connection.set_read_timeout(Some(ANSWER_DEADLINE))?;
        let (name, arguments) = words.split_first().unwrap();
        ::redis::cmd(name).arg(arguments).query(&mut connection)
    }
}

/// How a store is opened that waits as long as a busy machine needs.
pub(crate) fn patient_settings(url: impl Into<String>) -> RedisSettings {
    RedisSettings { read_deadline: PATIENCE, write_deadline: PATIENCE, connection_timeout: PATIENCE, ..RedisSettings::new(url) }
}

/// A runner for which every sync of a file takes so long.
pub(super) fn slow_disk(sync: Duration) -> Vec<String> {
    let delay = format!("inject=fsync,fdatasync:delay_enter={}", sync.as_micros());
    ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e", &delay].map(str::to_owned).to_vec()
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn directory() -> tempfile::TempDir {
    let wanted = std::env::temp_dir();
    let is_short = wanted.as_os_str().len() <= MAX_DIRECTORY_BYTES;
    tempfile::tempdir_in(if is_short { &wanted } else { Path::new("/tmp") }).unwrap()
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
