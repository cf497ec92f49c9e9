//! Events a second on a Redis with a replica, with and without waiting for it.

use tokio::runtime::Runtime;

use crate::measure::{Measured, median};
use crate::redis::Redis;
use crate::webhooks::{self, EVENTS_PER_ROUND, IN_FLIGHT};

/// Least share of the rate that is left when each group of writes waits for a replica.
const TARGET_SHARE: f64 = 0.7;

const ROUNDS: usize = 7;

/// Of one round: events a second, and microseconds of CPU an event, of the server and of the primary.
#[derive(Clone, Copy)]
struct Round {
    rate: f64,
    of_server: f64,
    of_primary: f64,
}

pub(crate) fn reach_target() -> bool {
    let (primary, _replica) = Redis::start_with_replica();
    let start = |replicas| Measured::suppressd_with(&primary.url(), &["--redis-wait-replicas", replicas]);
    let (waiting, careless) = (start("1"), start("0"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    // The first round warms both up.
    for round in 0..=ROUNDS {
        let of_careless = measure(&runtime, &careless, &primary, 2 * round);
        let of_waiting = measure(&runtime, &waiting, &primary, 2 * round + 1);
        if round > 0 {
            without.push(of_careless);
            with.push(of_waiting);
        }
    }
    for (name, rounds) in [("waiting for none ", &without), ("waiting for one  ", &with)] {
        let median_of = |part: fn(&Round) -> f64| median(rounds.iter().map(part).collect());
        println!(
            "{name} {:9.0} events a second, {IN_FLIGHT} in flight; CPU an event {:.2} us, and {:.2} us in the primary",
            median_of(|round| round.rate),
            median_of(|round| round.of_server),
            median_of(|round| round.of_primary)
        );
    }
    let share = median(with.iter().zip(&without).map(|(with, without)| with.rate / without.rate).collect());
    println!("share of the rate {share:9.2} (target: at least {TARGET_SHARE})");
    share >= TARGET_SHARE
}

fn measure(runtime: &Runtime, server: &Measured, primary: &Redis, round: usize) -> Round {
    let before = primary.cpu();
    let (rate, of_server) = runtime.block_on(webhooks::rate_and_cost(server, round));
    let of_primary = primary.cpu().saturating_sub(before).as_secs_f64() * 1e6 / EVENTS_PER_ROUND as f64;
    Round { rate, of_server, of_primary }
}
