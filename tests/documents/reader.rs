//! Somebody who does what a document says, in a directory and on ports of their own.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::markdown::root;
use crate::clients::grpcio::program;
use crate::journeys::access::write_certificates;
use crate::servers::listmonk::Listmonk;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd, command, executable};

/// Longest time that the commands of a block may take, in seconds: one of them compiles a library while other tests run.
const BLOCK_DEADLINE_SECONDS: &str = "180";

/// Where a document says that HTTP is served, if it does not say it.
const HTTP_PORT: u16 = 8080;

/// Where a document says that gRPC is served, if it does not say it.
const GRPC_PORT: u16 = 50051;

/// What a document takes for granted of where it is read: the top of the repository.
const AT_THE_TOP: [&str; 2] = ["proto", "deploy"];

/// Where Debian has what only root needs.
const SBIN: &str = "/usr/sbin";

/// Where listmonk is served, if it is not told otherwise.
const LISTMONK_PORT: u16 = 9000;

/// What a document's servers of these ports are called there. A port of any other place is nobody's that is started.
const HOSTS: [&str; 2] = ["127.0.0.1:", "localhost:"];

pub(super) struct Reader {
    home: TempDir,
    running: Vec<Running>,
    /// The ports of all servers that there were, as they are written and as they are.
    ports: BTreeMap<u16, u16>,
    files: Vec<(String, String)>,
}

/// A server that a document started, with the ports that it has there and here.
struct Running {
    server: Server,
    ports: BTreeMap<u16, u16>,
}

enum Server {
    Suppressd(Suppressd),
    Redis(#[expect(dead_code, reason = "it is killed when it goes")] RedisServer),
    Listmonk(#[expect(dead_code, reason = "it is killed when it goes")] Listmonk),
}

impl Reader {
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        write_certificates(home.path());
        // On a terminal, where a document is read, curl shows no progress.
        std::fs::write(home.path().join(".curlrc"), "silent\nshow-error\n").unwrap();
        let programs = home.path().join(".programs");
        std::fs::create_dir(&programs).unwrap();
        symlink(executable(), programs.join("suppressd")).unwrap();
        symlink(program("grpcurl"), programs.join("grpcurl")).unwrap();
        // By a link, they would not find their packages.
        for name in ["python", "pip"] {
            write_program(&programs.join(name), &format!("#!/bin/sh\nexec {} \"$@\"\n", program(name).display()));
        }
        for name in AT_THE_TOP {
            symlink(root().join(name), home.path().join(name)).unwrap();
        }
        Self { home, running: Vec::new(), ports: BTreeMap::new(), files: Vec::new() }
    }

    fn programs(&self) -> PathBuf {
        self.home.path().join(".programs")
    }

    /// Writes a file, with the ports of what was started. A script can be run.
    pub(super) fn write(&mut self, name: &str, text: &str) {
        self.files.push((name.to_owned(), text.to_owned()));
        self.write_files();
    }

    fn write_files(&self) {
        for (name, text) in &self.files {
            let path = self.home.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            write_program(&path, &self.with_real_ports(text));
        }
    }

    /// Starts a server, in the place of one that has its ports. Files speak of the new one then.
    pub(super) fn serve(&mut self, text: &str) {
        let text = text.replace("cargo run --release --", "suppressd").replace("\\\n", " ");
        let mut words = text.split_whitespace().peekable();
        let mut variables = Vec::new();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            variables.push((name.to_owned(), value.to_owned()));
            words.next();
        }
        let words: Vec<_> = words.collect();
        match words[..] {
            ["redis-server", ref flags @ ..] => self.serve_redis(Flags::read(flags)),
            ["suppressd", "serve", ref flags @ ..] => self.serve_suppressd(&variables, Flags::read(flags)),
            ["./listmonk"] => self.serve_listmonk(),
            _ => panic!("no server is started by {text}"),
        }
        let started = self.running.last().unwrap();
        self.ports.extend(&started.ports);
        self.write_files();
    }

    fn serve_redis(&mut self, mut flags: Flags) {
        let port = flags.take("--port").expect("a Redis is started with its port").parse().unwrap();
        self.stop_those_at(&[port]);
        for (_, directory) in flags.0.iter_mut().filter(|(name, _)| name == "--dir") {
            self.home.path().join(&*directory).to_str().unwrap().clone_into(directory);
        }
        let words: Vec<_> = flags.0.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        let redis = RedisServer::start_on_tcp(&words);
        let real = redis.url().rsplit_once(':').unwrap().1.parse().unwrap();
        self.running.push(Running { server: Server::Redis(redis), ports: BTreeMap::from([(port, real)]) });
    }

    fn serve_listmonk(&mut self) {
        let listmonk = Listmonk::start();
        let ports = BTreeMap::from([(LISTMONK_PORT, listmonk.port)]);
        self.running.push(Running { server: Server::Listmonk(listmonk), ports });
    }

    fn serve_suppressd(&mut self, variables: &[(String, String)], mut flags: Flags) {
        let port = |flag: Option<String>, default| flag.map_or(default, |address| port_of(&address));
        let http = port(flags.take("--http"), HTTP_PORT);
        let role = flags.take("--role").unwrap_or_else(|| "all".to_owned());
        let grpc = port(flags.take("--grpc"), GRPC_PORT);
        let socketmap = flags.take("--socketmap").map(|address| port_of(&address));
        let has_grpc = role != "ingest";
        self.stop_those_at(&if has_grpc { vec![http, grpc] } else { vec![http] });
        let store = self.with_real_ports(&flags.take("--store").unwrap_or_else(|| "suppressd-data".to_owned()));
        let mut by = command();
        by.current_dir(self.home.path());
        let words: Vec<_> = flags.0.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
        let launch = Launch::by(by, &store).role(&role).flags(&words);
        let launch = if socketmap.is_some() { launch.socketmap() } else { launch };
        let launch = variables.iter().fold(launch, |launch, (name, value)| launch.variable(name, value));
        let server = launch.start();
        let mut ports = BTreeMap::from([(http, server.http().port())]);
        if has_grpc {
            ports.insert(grpc, server.grpc().port());
        }
        ports.extend(socketmap.map(|written| (written, server.socketmap().port())));
        self.running.push(Running { server: Server::Suppressd(server), ports });
    }

    fn stop_those_at(&mut self, ports: &[u16]) {
        self.stop_if(|running| ports.iter().any(|port| running.ports.contains_key(port)));
    }

    /// Stops every suppressd, as one does who backs its directory up.
    pub(super) fn stop(&mut self) {
        self.stop_if(|running| matches!(running.server, Server::Suppressd(_)));
    }

    fn stop_if(&mut self, is_meant: impl Fn(&Running) -> bool) {
        for running in self.running.extract_if(.., |running| is_meant(running)) {
            if let Server::Suppressd(server) = running.server {
                let (status, log) = server.terminate();
                assert!(status.success(), "{status}: {log}");
            }
        }
    }

    /// Runs commands. Gives all that they wrote, as a terminal shows it.
    pub(super) fn run(&self, text: &str) -> Result<String, String> {
        let script = format!("exec 2>&1\n{}", self.with_real_ports(text).replace("redis-cli ", &self.redis_cli()));
        let url = |port| self.real_port(port).map_or("http://unknown".to_owned(), |real| format!("http://127.0.0.1:{real}"));
        let path = format!("{}:{}:{SBIN}", self.programs().display(), std::env::var("PATH").unwrap());
        let output = in_environment_of(&command(), Command::new("timeout"))
            .args([BLOCK_DEADLINE_SECONDS, "sh", "-eu", "-c", &script])
            .current_dir(self.home.path())
            .env("HOME", self.home.path())
            .env("PATH", path)
            .env("SUPPRESSD_SERVER", url(GRPC_PORT))
            .env("SUPPRESSD_HTTP_SERVER", url(HTTP_PORT))
            .envs(self.installed())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        if output.status.success() { Ok(said) } else { Err(format!("{}: {said}", output.status)) }
    }

    /// What makes installers, compilers and Postfix take what is here, and ask nobody.
    fn installed(&self) -> Vec<(&'static str, String)> {
        let in_target = |name: &str| root().join("target").join(name).display().to_string();
        let in_home = |name: &str| self.home.path().join(name).display().to_string();
        vec![
            ("PIP_NO_INDEX", "1".to_owned()),
            ("PIP_DISABLE_PIP_VERSION_CHECK", "1".to_owned()),
            ("PIP_ROOT_USER_ACTION", "ignore".to_owned()),
            ("npm_config_offline", "true".to_owned()),
            ("npm_config_cache", in_target("node")),
            ("GOPROXY", format!("file://{}", in_target("go/modules"))),
            ("GOSUMDB", "off".to_owned()),
            ("GOPATH", in_home(".go")),
            // Elsewhere each time, everything would be compiled each time.
            ("GOMODCACHE", in_target("go/downloaded")),
            ("GOCACHE", in_target("go/cache")),
            // Otherwise what is in there could not be removed.
            ("GOFLAGS", "-modcacherw".to_owned()),
            ("MAIL_CONFIG", in_home("")),
        ]
    }

    /// On a terminal, `redis-cli` numbers and quotes what it finds.
    fn redis_cli(&self) -> String {
        let real = self.real_port(6379).unwrap_or_default();
        format!("redis-cli --no-raw -p {real} ")
    }

    fn real_port(&self, port: u16) -> Option<u16> {
        self.ports.get(&port).copied()
    }

    fn with_real_ports(&self, text: &str) -> String {
        HOSTS.iter().fold(text.to_owned(), |text, host| {
            let mut parts = text.split(host);
            let mut replaced = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
                let real = part[..end].parse().ok().and_then(|port| self.real_port(port));
                let real = real.unwrap_or_else(|| panic!("nothing is started at {host}{}", &part[..end]));
                replaced += host;
                replaced += &real.to_string();
                replaced += &part[end..];
            }
            replaced
        })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

/// Flags with their values, as they stand in a document.
struct Flags(Vec<(String, String)>);

impl Flags {
    fn read(words: &[&str]) -> Self {
        let (pairs, rest) = words.as_chunks();
        assert!(rest.is_empty() && pairs.iter().all(|[name, _]| name.starts_with("--")), "flags have one value each: {words:?}");
        Self(pairs.iter().map(|[name, value]| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn take(&mut self, wanted: &str) -> Option<String> {
        let place = self.0.iter().position(|(name, _)| name == wanted)?;
        Some(self.0.remove(place).1)
    }
}

fn write_program(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

fn port_of(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// The other command without the variables that the first one goes without.
fn in_environment_of(model: &Command, mut other: Command) -> Command {
    for (name, value) in model.get_envs() {
        if value.is_none() {
            other.env_remove(name);
        }
    }
    other
}
