//! Server CPU of a unary `IsSuppressed`, against a tonic handler that always answers the same: where the filter answers, and where
//! some of the addresses have evidence.

use std::ffi::OsStr;
use std::process::Command;
use std::time::Instant;

use suppressd_service::proto::IsSuppressedRequest;
use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use tonic::transport::Endpoint;

use crate::constant;
use crate::measure::{Measured, median};

/// Most that a check may cost which the filter answers, as a multiple of the constant handler.
const TARGET_RATIO: f64 = 1.15;

/// Addresses with evidence in the store.
const STORED: usize = 100_000;

/// One in so many checks asks for an address with evidence.
const ONE_HIT_IN: usize = 33;

const CONNECTIONS: usize = 4;
const IN_FLIGHT_PER_CONNECTION: usize = 32;
const ROUNDS: usize = 9;
const CALLS_PER_ROUND: usize = 60_000;

pub(crate) fn reach_target() -> bool {
    let directory = tempfile::tempdir().unwrap();
    let mut command = on_one_core(std::env::current_exe().unwrap());
    command.arg(constant::FLAG);
    let constant = Measured::start(command, 1);
    let suppressd = Measured::suppressd_by(on_one_core(env!("CARGO_BIN_EXE_suppressd")), &directory.path().join("data"), &[]);
    fill(&suppressd);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut floors, mut by_filter, mut with_hits) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms both up.
    for round in 0..=ROUNDS {
        let floor = runtime.block_on(cpu_per_call(&constant, 2 * round, None));
        let filtered = runtime.block_on(cpu_per_call(&suppressd, 2 * round, None));
        let mixed = runtime.block_on(cpu_per_call(&suppressd, 2 * round + 1, Some(ONE_HIT_IN)));
        if round > 0 {
            floors.push(floor);
            by_filter.push((filtered, filtered / floor));
            with_hits.push((mixed, mixed / floor));
        }
    }
    println!("constant handler  {:6.2} us of server CPU a call", median(floors));
    let tell = |name, rounds: Vec<(f64, f64)>| {
        let (costs, ratios): (Vec<_>, Vec<_>) = rounds.into_iter().unzip();
        let ratio = median(ratios);
        println!("{name} {:6.2} us, {ratio:.2} times that", median(costs));
        ratio
    };
    let ratio = tell("by the filter    ", by_filter);
    println!("                  (target: at most {TARGET_RATIO} times)");
    tell("3 % with evidence", with_hits);
    ratio <= TARGET_RATIO
}

/// Both on the same one, so that neither saves system calls by having more connections on a thread than the other.
fn on_one_core(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(program);
    command
}

/// Records evidence of some addresses over the webhook.
fn fill(server: &Measured) {
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    for first in (0..STORED).step_by(500) {
        let line = |number| format!("{{\"type\":\"b\",\"rcpt\":\"{}\",\"bounceCat\":\"quota-issues\"}}\n", stored(number));
        let body: String = (first..first + 500).map(line).collect();
        let answer = ureq::post(&url).send(body.as_bytes()).unwrap().body_mut().read_to_string().unwrap();
        assert!(answer.contains("\"recorded\":500"), "{answer}");
    }
}

fn stored(number: usize) -> String {
    format!("stored{number}@example.com")
}

/// Server CPU per call, in microseconds. The addresses vary from call to call; one in so many has evidence, if any has.
async fn cpu_per_call(server: &Measured, round: usize, one_hit_in: Option<usize>) -> f64 {
    let before = server.cpu();
    let started = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    let share = CALLS_PER_ROUND / (CONNECTIONS * IN_FLIGHT_PER_CONNECTION);
    for connection in 0..CONNECTIONS {
        let channel = Endpoint::from_shared(format!("http://{}", server.grpc())).unwrap().connect().await.unwrap();
        for caller in 0..IN_FLIGHT_PER_CONNECTION {
            let mut client = SuppressionServiceClient::new(channel.clone());
            let first = ((round * CONNECTIONS + connection) * IN_FLIGHT_PER_CONNECTION + caller) * share;
            callers.spawn(async move {
                for number in first..first + share {
                    let is_hit = one_hit_in.is_some_and(|numbers| number % numbers == 0);
                    let email =
                        if is_hit { stored(number % STORED) } else { format!("Healthy.{number}@example{}.com", number % 997) };
                    let request = IsSuppressedRequest { email, account: String::new(), strict: false };
                    let answer = client.is_suppressed(request).await.unwrap().into_inner();
                    assert_eq!(answer.suppressed, Some(false));
                }
            });
        }
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
    assert!(started.elapsed().as_secs() < 60, "a round takes too long for a benchmark");
    let calls = share * CONNECTIONS * IN_FLIGHT_PER_CONNECTION;
    server.cpu().saturating_sub(before).as_secs_f64() * 1e6 / calls as f64
}
