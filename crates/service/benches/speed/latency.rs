//! How long a caller waits at half of what the server could take: the calls come when they come, whether or not those before them
//! are answered, and each is timed from when it was to come. So a pause of the server is felt by all whom it made wait.

use std::sync::Arc;
use std::time::{Duration, Instant};

use suppressd_service::proto::IsSuppressedRequest;
use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::asking::{self, Asked, Flight};
use crate::constant;
use crate::form::Form;
use crate::recipients;
use crate::report::Report;
use crate::rounds::median;
use crate::server::Server;

const FLIGHT: Flight = Flight { connections: 4, on_each: 32 };

/// The share of callers who wait no longer, in thousandths.
const QUANTILES: [(usize, &str); 3] = [(500, "p50"), (990, "p99"), (999, "p99.9")];

const SIZE: usize = 1_000_000;

pub(crate) fn run(form: &Form, report: &mut Report) {
    let runtime = asking::runtime();
    let floor = Server::of_this_executable(constant::FLAG);
    let suppressd = recipients::serving(form, SIZE);
    let asked: Asked = Arc::new(|number| recipients::asked(number, SIZE));
    let calls = form.pick(16, 128) * 1024;
    // What it takes when it is asked as fast as it answers; the first time warms up.
    let capacity = |_| asking::unary(&runtime, &suppressd, FLIGHT, calls, 0, &asked).operations_per_second;
    let rate = [0, 1].map(capacity)[1] / 2.0;
    let work = format!("latency at {:.0} checks a second", rate.round());
    eprintln!("{work} ...");
    let servers = [("constant handler", &floor), ("suppressd", &*suppressd)];
    let mut rounds = servers.map(|_| Vec::new());
    for round in 0..=form.rounds {
        let arrivals = arrivals(round as u64, rate, form.pick(Duration::from_millis(500), Duration::from_secs(3)));
        for (rounds, (_, server)) in rounds.iter_mut().zip(servers) {
            let waited = waited(&runtime, server, &arrivals, round, &asked);
            if round > 0 {
                rounds.push(waited);
            }
        }
    }
    for ((name, _), rounds) in servers.iter().zip(&rounds) {
        for (thousandths, quantile) in QUANTILES {
            let of_round = |waited: &Vec<Duration>| waited[waited.len() * thousandths / 1000].as_secs_f64() * 1e6;
            report.figure(&work, &format!("{name}, {quantile}"), median(rounds.iter().map(of_round).collect()), "us");
        }
    }
}

/// When calls come: by chance, as those of many senders do, and the same for everybody in a round.
fn arrivals(seed: u64, rate: f64, long: Duration) -> Vec<Duration> {
    let mut state = seed;
    let mut at = 0.0;
    let gap = || {
        // SplitMix64, of which 53 bits are a number above 0 and up to 1.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let uniform = ((mixed >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        at += -uniform.ln() / rate;
        Some(Duration::from_secs_f64(at))
    };
    std::iter::from_fn(gap).take_while(|at| *at < long).collect()
}

/// How long each caller waited, the shortest first.
fn waited(runtime: &Runtime, server: &Server, arrivals: &[Duration], round: usize, asked: &Asked) -> Vec<Duration> {
    runtime.block_on(async {
        let channels = asking::connect(server, FLIGHT).await;
        let mut calls = JoinSet::new();
        let started = Instant::now();
        for (number, at) in arrivals.iter().enumerate() {
            let due = started + *at;
            // The runtime's timer is too coarse. This core has nothing else to do.
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
            let mut client = SuppressionServiceClient::new(channels[number % channels.len()].clone());
            let email = asked(round * arrivals.len() + number);
            calls.spawn(async move {
                let request = IsSuppressedRequest { email, account: String::new(), strict: false };
                client.is_suppressed(request).await.unwrap();
                due.elapsed()
            });
        }
        let mut waited = calls.join_all().await;
        waited.sort_unstable();
        waited
    })
}
