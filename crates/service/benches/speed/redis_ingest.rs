//! Ingest into Redis, with and without waiting for a replica: what it costs the service, and what it costs Redis.

mod recording;

use crate::events::Mix;
use crate::form::Form;
use crate::ingest::load::Load;
use crate::ingest::parse::{self, Parsing};
use crate::limits;
use crate::process::{ALL_CORES, SERVER_CORES};
use crate::redis::OwnRedis;
use crate::report::Report;
use crate::rounds::{Comparison, Contender, Role, cost_of, interleave};
use crate::server::Server;
use recording::{Commands, Recorder};

/// Scripts that the bare client has in flight, as many as one webhook makes at most.
const AT_A_TIME: usize = 1000;

const ALONE: &str = "suppressd, no replica";
const NOT_WAITING: &str = "suppressd, a replica, no WAIT";
const WAITING: &str = "suppressd, a replica, WAIT";
const BARE: &str = "the same scripts, bare client";

/// A Redis, perhaps with a replica, and the one process that records in it.
struct Recording {
    redis: OwnRedis,
    _replica: Option<OwnRedis>,
    server: Server,
}

impl Recording {
    fn alone() -> Self {
        let redis = OwnRedis::start();
        let server = Server::suppressd(&redis.url(), &[]);
        Self { redis, _replica: None, server }
    }

    /// All of them on the same cores.
    fn with_replica_on(cores: &str, awaited: &str) -> Self {
        let (redis, replica) = OwnRedis::start_with_replica_on(cores);
        let server = Server::suppressd_on(cores, &redis.url(), &["--redis-wait-replicas", awaited]);
        Self { redis, _replica: Some(replica), server }
    }
}

pub(crate) fn run(form: &Form, report: &mut Report) {
    let load = Load::thousand_events_a_request(Mix::Bounces, form.pick(5, 25));
    cpu_of_service(form, report, load);
    cpu_of_redis(form, report, load);
    rate(form, report, Load::one_event_a_request(form.pick(150, 1000)));
}

fn cpu_of_service(form: &Form, report: &mut Report, load: Load) {
    let parsing = Parsing::start();
    let (alone, waiting) = (Recording::alone(), Recording::with_replica_on(SERVER_CORES, "1"));
    let mut contenders = parsing.contenders(load);
    contenders.push(Contender::new(ALONE, Role::Suppressd, |round| load.cost(&alone.server, round)));
    contenders.push(Contender::new(WAITING, Role::Suppressd, |round| load.cost(&waiting.server, round)));
    let work = "ingest of 1000 bounces a webhook, Redis";
    let comparison = interleave(work, "event", form.rounds, contenders);
    let over: [(&str, f64); 2] = [ALONE, WAITING].map(|name| (name, comparison.ratio(name, parse::VALUE)));
    report.compare(comparison);
    for (name, over) in over {
        report.limit(&format!("{work}: {name}, times parsing"), over, limits::REDIS_SERVICE_OVER_PARSING);
    }
}

fn cpu_of_redis(form: &Form, report: &mut Report, load: Load) {
    let bare = OwnRedis::start();
    let (alone, waiting) = (Recording::alone(), Recording::with_replica_on(SERVER_CORES, "1"));
    let (scripts, rounds) = record(form, load);
    let mut connection = bare.connect();
    scripts.load(&mut connection);
    let by = |of: &'static str, recording| {
        let Recording { redis, server, .. }: &Recording = recording;
        Contender::new(of, Role::Suppressd, move |round| load.cost_to(|| redis.cpu(), server, round))
    };
    let send = |round: usize| rounds[round].send(&mut connection, AT_A_TIME);
    let contenders = vec![barely(&bare, load.events(), send), by(ALONE, &alone), by(WAITING, &waiting)];
    let comparison = interleave("the same, CPU of Redis", "event", form.rounds, contenders);
    let cpu = [ALONE, WAITING].map(|name| (name, comparison.named(name).cpu_us_per_operation()));
    report.compare(comparison);
    for (name, cpu) in cpu {
        report.limit(&format!("us of CPU of Redis an event: {name}"), cpu, limits::REDIS_CPU_PER_EVENT_US);
    }
}

fn barely<'a>(redis: &'a OwnRedis, events: usize, mut send: impl FnMut(usize) + 'a) -> Contender<'a> {
    Contender::new(BARE, Role::Floor, move |round| cost_of(|| redis.cpu(), events, || send(round)))
}

/// How many events a second there are on all cores. Where the CPU of one core is the bound, waiting for a replica would seem to be
/// for nothing.
fn rate(form: &Form, report: &mut Report, load: Load) {
    let parsing = Parsing::start();
    let (waiting, not_waiting) = (Recording::with_replica_on(ALL_CORES, "1"), Recording::with_replica_on(ALL_CORES, "0"));
    let mut contenders = parsing.contenders(load);
    contenders.push(Contender::new(NOT_WAITING, Role::Suppressd, |round| load.cost(&not_waiting.server, round)));
    contenders.push(Contender::new(WAITING, Role::Suppressd, |round| load.cost(&waiting.server, round)));
    let work = "ingest of one bounce a webhook, 64 in flight, Redis";
    let comparison: Comparison = interleave(work, "event", form.rounds, contenders);
    let share = comparison.rate_ratio(WAITING, NOT_WAITING);
    report.compare(comparison);
    report.limit("events/s with WAIT, as a share of those without", share, limits::RATE_WITH_WAIT);
}

/// What makes Redis know the scripts, and what is sent to record each round, by a `suppressd` that follows no feed: it sends
/// nothing else by itself.
fn record(form: &Form, load: Load) -> (Commands, Vec<Commands>) {
    let redis = OwnRedis::start();
    let recorder = Recorder::start(redis.socket());
    let server = Server::suppressd(&recorder.url(), &["--filter", "false"]);
    let record = |round| {
        load.round(round).send(server.http());
        recorder.take_scripts()
    };
    // Scripts are sent by their names until Redis says that it does not know them.
    let first = record(form.rounds + 1);
    (first, (0..=form.rounds).map(record).collect())
}
