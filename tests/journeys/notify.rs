//! What a supervisor is told of a process by the protocol of `sd_notify`. The test is the supervisor.

use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use tempfile::TempDir;

use crate::servers::suppressd::{Launch, PATIENCE, Suppressd, command, data};

/// A supervisor's socket, and a place for the data and the policy of what it supervises.
struct Supervisor {
    directory: TempDir,
    socket: UnixDatagram,
}

/// The lines of one message.
type Message = Vec<String>;

impl Supervisor {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(directory.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        std::fs::write(directory.path().join("policy.toml"), "").unwrap();
        Self { directory, socket }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn launch(&self) -> Launch {
        let launch = Launch::in_directory(&data(self.directory.path())).flags(&["--policy", &self.path("policy.toml")]);
        launch.variable("NOTIFY_SOCKET", &self.path("notify"))
    }

    fn next(&self) -> Message {
        let mut bytes = [0; 4096];
        let length = self.socket.recv(&mut bytes).expect("no message came");
        std::str::from_utf8(&bytes[..length]).unwrap().lines().map(str::to_owned).collect()
    }

    /// All that has come by now.
    fn rest(&self) -> Vec<Message> {
        self.socket.set_nonblocking(true).unwrap();
        let mut bytes = [0; 4096];
        let messages = std::iter::from_fn(|| self.socket.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec()));
        messages.map(|bytes| String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect()).collect()
    }
}

fn has(message: &Message, line: &str) -> bool {
    message.iter().any(|other| other == line)
}

fn status(message: &Message) -> &str {
    message.iter().find_map(|line| line.strip_prefix("STATUS=")).unwrap_or_else(|| panic!("{message:?} has no words"))
}

/// Now, by the clock that the supervisor goes by.
fn monotonic_usec() -> u128 {
    // The first field is the time since the start in seconds; it counts time asleep, too, so it is never behind.
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    Duration::from_secs_f64(seconds).as_micros()
}

fn reload(supervisor: &Supervisor, server: &Suppressd) -> String {
    server.signal("-HUP");
    let reloading = supervisor.next();
    assert!(has(&reloading, "RELOADING=1"), "{reloading:?}");
    let at: u128 = reloading.iter().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).unwrap().parse().unwrap();
    // A hundredth of a second is what the file of the uptime shows.
    assert!(at > 0 && at <= monotonic_usec() + 10_000, "{at}");
    let ready = supervisor.next();
    assert!(has(&ready, "READY=1"), "{ready:?}");
    status(&ready).to_owned()
}

#[test]
fn ready_is_said_when_both_doors_answer_then_reloads_and_the_end() {
    let supervisor = Supervisor::new();
    let server = supervisor.launch().start();
    let opening = supervisor.next();
    assert_eq!((opening.len(), status(&opening)), (1, "opening the store"), "{opening:?}");
    let ready = supervisor.next();
    assert!(has(&ready, "READY=1") && status(&ready) == "serving webhooks and checks", "{ready:?}");
    // Neither is asked twice.
    assert_eq!(server.webhook().get("/healthz").status, 200);
    assert!(!server.checks().is_suppressed("a@example.com"));
    assert!(reload(&supervisor, &server).ends_with("is in force"));
    // A file that cannot be used ends the reload all the same.
    std::fs::write(supervisor.path("policy.toml"), "nonsense").unwrap();
    assert!(reload(&supervisor, &server).contains("cannot be used"));
    server.signal("-TERM");
    let stopping = supervisor.next();
    assert!(has(&stopping, "STOPPING=1") && status(&stopping).starts_with("draining"), "{stopping:?}");
    let (status, log) = server.wait();
    assert!(status.success(), "{status}: {log}");
    assert_eq!(supervisor.rest(), Vec::<Message>::new(), "nothing comes behind the end");
}

#[test]
fn who_cannot_open_its_second_door_is_never_ready() {
    let supervisor = Supervisor::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let grpc = taken.local_addr().unwrap().to_string();
    let output = command()
        .args(["serve", "--store", &supervisor.path("data"), "--http", "127.0.0.1:0", "--grpc", &grpc])
        .env("NOTIFY_SOCKET", supervisor.path("notify"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let told = supervisor.rest();
    assert!(!told.is_empty() && !told.iter().any(|message| has(message, "READY=1")), "{told:?}");
}

#[test]
fn a_supervisor_that_is_gone_or_does_not_listen_ends_nothing() {
    let supervisor = Supervisor::new();
    let gone = supervisor.launch().variable("NOTIFY_SOCKET", "/no/such/socket").start();
    gone.signal("-HUP");
    assert_eq!(gone.webhook().get("/healthz").status, 200);
    let (status, log) = gone.terminate();
    assert!(status.success() && log.contains("NOTIFY_SOCKET"), "{status}: {log}");
    // Its queue is filled up, and nobody takes anything out.
    let filling = UnixDatagram::unbound().unwrap();
    filling.set_nonblocking(true).unwrap();
    while filling.send_to(b"X=1", supervisor.path("notify")).is_ok() {}
    let deaf = supervisor.launch().start();
    assert_eq!(deaf.webhook().get("/healthz").status, 200);
    let (status, log) = deaf.terminate();
    assert!(status.success() && log.contains("does not listen"), "{status}: {log}");
}
