//! The compose file.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Process, SECONDS_BEYOND_DRAIN, at, deploy, read_changed, read_yaml, text};
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, PATIENCE};

const NODES: [&str; 6] = ["redis-1", "redis-2", "redis-3", "redis-4", "redis-5", "redis-6"];

const PROCESSES: [(&str, &str); 4] = [("ingest-1", "ingest"), ("ingest-2", "ingest"), ("check-1", "check"), ("check-2", "check")];

/// The addresses of the nodes begin with it.
const NETWORK: &str = "172.30.86.";

fn read() -> Value {
    read_yaml("compose", &deploy().join("compose.yaml")).unwrap_or_else(|why| panic!("{why}"))
}

fn service<'a>(file: &'a Value, name: &str) -> &'a Value {
    at(file, &format!("/services/{name}"))
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// A command as a container sees it: compose takes one dollar sign for two.
fn command_of(list: &Value) -> Vec<String> {
    words(list).into_iter().map(|word| word.replace("$$", "$")).collect()
}

#[test]
fn the_schema_allows_it_and_does_not_allow_everything() {
    read();
    for (from, to) in
        [("read_only: true", "read_olny: true"), ("interval: 5s", "interval: soon"), ("file: policy.toml", "fle: x")]
    {
        assert!(read_changed("compose", "compose.yaml", from, to).is_err(), "{to}");
    }
}

#[test]
fn every_service_is_confined() {
    let file = read();
    let services = file["services"].as_object().unwrap();
    assert_eq!(services.len(), NODES.len() + PROCESSES.len() + 1);
    for (name, service) in services {
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        assert_eq!(service["read_only"], true, "{name}");
        assert!(!service["user"].as_str().unwrap().starts_with('0'), "{name}");
        assert!(service["mem_limit"].is_string() && service["pids_limit"].is_u64() && service["cpus"].is_number(), "{name}");
        let is_once = name == "redis-cluster";
        assert_eq!(service["restart"], if is_once { "no" } else { "unless-stopped" }, "{name}");
        assert_eq!(service["healthcheck"]["test"].is_array(), !is_once, "{name}");
        let image = service["image"].as_str().unwrap();
        assert!(image.contains(':') && !image.ends_with(":latest"), "{name}: {image}");
        // Loopback of the machine, and nothing wider.
        let ports = service.get("ports").map(words).unwrap_or_default();
        assert!(ports.iter().all(|port| port.starts_with("127.0.0.1:")), "{name}: {ports:?}");
    }
}

#[test]
fn suppressd_takes_what_the_services_give_it() {
    let file = read();
    for (name, role) in PROCESSES {
        let service = service(&file, name);
        let variables: BTreeMap<_, _> = service["environment"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
            .collect();
        let mut files = BTreeMap::new();
        for secret in words(&service["secrets"]) {
            assert_eq!(file["secrets"][secret]["file"], format!("secrets/{secret}"));
            files.insert(format!("/run/secrets/{secret}"), "change-me".to_owned());
        }
        let used = variables.values().filter(|value| value.starts_with("/run/secrets/")).collect::<Vec<_>>();
        assert!(used.len() == files.len() && used.iter().all(|path| files.contains_key(*path)), "{name}: {used:?}");
        let policy = at(service, "/configs/0");
        assert_eq!(variables["SUPPRESSD_POLICY"], policy["target"].as_str().unwrap());
        let source = at(&file, &format!("/configs/{}/file", policy["source"].as_str().unwrap()));
        files.insert(variables["SUPPRESSD_POLICY"].clone(), text(source.as_str().unwrap()));
        let process = Process { name: name.to_owned(), variables, files };
        process.check();
        assert_eq!(process.variables["SUPPRESSD_ROLE"], role);
        // What is published is where it listens.
        let door = if role == "check" { "SUPPRESSD_GRPC" } else { "SUPPRESSD_HTTP" };
        let published = words(&service["ports"])[0].rsplit_once(':').unwrap().1;
        assert_eq!(process.port(door), Some(published.parse().unwrap()), "{name}");
        let stop: u64 = service["stop_grace_period"].as_str().unwrap().trim_end_matches('s').parse().unwrap();
        assert!(stop >= process.drain_seconds() + SECONDS_BEYOND_DRAIN, "{name}");
        // All nodes are where it begins.
        let nodes: Vec<_> = NODES.iter().map(|node| format!("{node}:6379")).collect();
        assert_eq!(process.variables["SUPPRESSD_STORE"], format!("redis+cluster://{}", nodes.join(",")));
        assert_eq!(service["depends_on"]["redis-cluster"]["condition"], "service_completed_successfully");
    }
}

/// Whether the probe of a service says that a process at that port is well.
fn probe(service: &Value, port: u16) -> bool {
    let test = command_of(at(service, "/healthcheck/test"));
    assert_eq!(test[0], "CMD");
    let script = test[3].replace("127.0.0.1/8080;", &format!("127.0.0.1/{port};"));
    assert_ne!(script, test[3], "the probe asks another port than the one that is served");
    Command::new(&test[1]).arg(&test[2]).arg(script).stderr(Stdio::null()).status().unwrap().success()
}

#[test]
fn the_probe_says_yes_to_who_is_ready_and_no_to_others() {
    let file = read();
    let mut redis = RedisServer::start(&[]);
    for (name, role) in PROCESSES {
        let service = service(&file, name);
        let variables = &service["environment"];
        assert_eq!(variables["SUPPRESSD_HTTP"], "0.0.0.0:8080", "{name}");
        let server = Launch::on(&redis.url()).role(role).start();
        let port = server.http().port();
        await_that(|| probe(service, port), "it is not well");
        redis.kill();
        await_that(|| !probe(service, port), "it is well without its store");
        drop(server);
        assert!(!probe(service, port), "nobody is well");
        redis.start_again();
    }
}

fn await_that(mut is_so: impl FnMut() -> bool, otherwise: &str) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "{otherwise}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The nodes of the compose file as processes of this machine, each at an address of loopback. They are killed when they go.
struct Nodes {
    network: String,
    running: Vec<Child>,
    directory: tempfile::TempDir,
}

impl Nodes {
    /// In a network of loopback that no other process of this machine has at the same time.
    fn new() -> Self {
        let id = std::process::id();
        let network = format!("127.{}.{}.", 1 + id % 254, 1 + id / 254 % 254);
        Self { network, running: Vec::new(), directory: tempfile::tempdir().unwrap() }
    }

    fn address(&self, file: &Value, node: &str) -> String {
        let address = at(file, &format!("/services/{node}/networks/store/ipv4_address")).as_str().unwrap();
        assert!(address.starts_with(NETWORK), "{address}");
        address.replace(NETWORK, &self.network)
    }

    fn start(&mut self, file: &Value) {
        for node in NODES {
            let address = self.address(file, node);
            let place = self.directory.path().join(node);
            std::fs::create_dir_all(&place).unwrap();
            let words = command_of(&service(file, node)["command"]);
            let words: Vec<_> = words.iter().map(|word| if word == "/data" { place.to_str().unwrap() } else { word }).collect();
            let mut command = Command::new(words[0]);
            // On loopback the others would see it come from another address than its own.
            command.args(&words[1..]).args(["--bind", &address, "--bind-source-addr", &address]).stdout(Stdio::null());
            self.running.push(command.spawn().unwrap());
            await_that(|| TcpStream::connect((&*address, 6379)).is_ok(), "a node does not listen");
        }
    }

    fn stop(&mut self) {
        for mut node in self.running.drain(..) {
            node.kill().unwrap();
            node.wait().unwrap();
        }
    }

    /// What the one-shot service does.
    fn make_cluster(&self, file: &Value) {
        let words = command_of(&service(file, "redis-cluster")["command"]);
        let script = words[2].replace(NETWORK, &self.network);
        let output = Command::new(&words[0]).arg(&words[1]).arg(script).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn ask(&self, file: &Value, node: &str, words: &[&str]) -> String {
        let output = Command::new("redis-cli").args(["-h", &self.address(file, node)]).args(words).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        self.stop();
    }
}

#[test]
fn the_nodes_become_a_cluster_and_are_one_again_after_all_were_away() {
    let file = read();
    let mut nodes = Nodes::new();
    for round in ["the first start", "a later one"] {
        nodes.start(&file);
        nodes.make_cluster(&file);
        let known = nodes.ask(&file, "redis-1", &["cluster", "nodes"]);
        let masters = known.lines().filter(|line| line.contains("master")).count();
        assert_eq!((masters, known.lines().count()), (3, 6), "{round}: {known}");
        nodes.stop();
    }
    // What is promised of Redis is asked of it.
    nodes.start(&file);
    for node in NODES {
        for (name, value) in [
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("maxmemory-policy", "noeviction"),
            ("cluster-allow-reads-when-down", "no"),
        ] {
            let said = nodes.ask(&file, node, &["config", "get", name]);
            assert_eq!(said.lines().nth(1), Some(value), "{node}: {said}");
        }
        assert!(Path::new(&nodes.directory.path().join(node).join("appendonlydir")).exists());
    }
}
