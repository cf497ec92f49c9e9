//! `suppressd filter` over a million addresses of which 3 % are suppressed: how long it takes, with all that belongs to it.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure::{Measured, cpu_of, median};

/// Fewest addresses in a second.
const TARGET_PER_SECOND: f64 = 500_000.0;

/// Most memory of the command, in mebibytes.
const TARGET_MIB: f64 = 64.0;

const ADDRESSES: usize = 1_000_000;
const ONE_SUPPRESSED_IN: usize = 33;
const EVENTS_PER_WEBHOOK: usize = 1000;
const ROUNDS: usize = 3;

/// What the command has used.
struct Used {
    wall: Duration,
    cpu: Duration,
    mib: f64,
}

pub(crate) fn reach_target() -> bool {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Measured::suppressd(&directory.path().join("data"));
    suppress(&server);
    let list: String = (0..ADDRESSES).map(|number| recipient(number) + "\n").collect();
    let kept: String = (0..ADDRESSES)
        .filter(|number| !number.is_multiple_of(ONE_SUPPRESSED_IN))
        .map(|number| recipient(number) + "\n")
        .collect();
    let (mut rates, mut cpus, mut of_server, mut most_mib) = (Vec::new(), Vec::new(), Vec::new(), 0.0_f64);
    // The first round warms both up.
    for round in 0..=ROUNDS {
        let clean = directory.path().join("clean");
        let before = server.cpu();
        let used = filter(&server, &list, &clean);
        let by_server = server.cpu().saturating_sub(before);
        assert!(std::fs::read_to_string(&clean).unwrap() == kept, "the output is not the input less the suppressed");
        if round > 0 {
            rates.push(ADDRESSES as f64 / used.wall.as_secs_f64());
            cpus.push(used.cpu.as_secs_f64() * 1e6 / ADDRESSES as f64);
            of_server.push(by_server.as_secs_f64() * 1e6 / ADDRESSES as f64);
            most_mib = most_mib.max(used.mib);
        }
    }
    let rate = median(rates);
    println!("filter a list     {rate:9.0} addresses a second of wall time (target: {TARGET_PER_SECOND})");
    println!("CPU               {:9.2} us an address in the command, {:.2} us in the server", median(cpus), median(of_server));
    println!("memory            {most_mib:9.1} MiB at most (target: {TARGET_MIB})");
    rate >= TARGET_PER_SECOND && most_mib <= TARGET_MIB
}

fn recipient(number: usize) -> String {
    format!("recipient.{number}@example{}.com", number % 997)
}

fn suppress(server: &Measured) {
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    let all: Vec<usize> = (0..ADDRESSES).step_by(ONE_SUPPRESSED_IN).collect();
    for numbers in all.chunks(EVENTS_PER_WEBHOOK) {
        let line =
            |number: &usize| format!("{{\"type\":\"b\",\"rcpt\":\"{}\",\"bounceCat\":\"bad-mailbox\"}}\n", recipient(*number));
        let body: String = numbers.iter().map(line).collect();
        let answer = ureq::post(&url).send(body.as_bytes()).unwrap().body_mut().read_to_string().unwrap();
        assert!(answer.contains(&format!("\"recorded\":{}", numbers.len())), "{answer}");
    }
}

/// Gives it the list by a pipe, and reads its figures before that is closed: what lies in the pipe then is all that they lack.
fn filter(server: &Measured, list: &str, clean: &Path) -> Used {
    let mut command = Command::new(env!("CARGO_BIN_EXE_suppressd"));
    command.args(["filter", "--server", &format!("http://{}", server.grpc()), "--output"]).arg(clean);
    let started = Instant::now();
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(list.as_bytes()).unwrap();
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    let cpu = cpu_of(child.id());
    drop(input);
    assert!(child.wait().unwrap().success());
    Used { wall: started.elapsed(), cpu, mib: most.unwrap() / 1024.0 }
}
