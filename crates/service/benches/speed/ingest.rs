//! Ingest on the embedded store: one event a request, and a thousand.
//!
//! Beside it stand what nobody could go below, which is parsing the body and waiting for the disk, and the two databases that
//! somebody would otherwise insert the events into.

mod alone;
mod disk;
mod door;
pub(crate) mod load;
pub(crate) mod parse;
mod postgres;
mod sqlite;

use crate::events::Mix;
use crate::form::Form;
use crate::limits;
use crate::report::Report;
use crate::rounds::{Contender, Role, interleave};
use crate::server::Server;
use alone::Alone;
use load::Load;
use parse::Parsing;
use postgres::Inserting;

/// Events a second that are enough whatever the disk does.
const ENOUGH_PER_SECOND: f64 = 20_000.0;

/// Otherwise, the most by which the disk's own bound may be missed.
const DISK_FACTOR: f64 = 2.0;

const SUPPRESSD: &str = "suppressd";
const DISK: &str = "write and fdatasync by 64";
const SQLITE: &str = "hyper, serde_json, SQLite";
const POSTGRESQL: &str = "PostgreSQL, 64 clients, no webhook";
const STORE: &str = "suppressd's embedded store";
const SQLITE_ALONE: &str = "SQLite, the same group commit";

/// Becomes a child of the benchmark, if the arguments say so.
pub(crate) fn run_as_child(arguments: &[String]) -> bool {
    let [flag, rest @ ..] = arguments else { return false };
    match (flag.as_str(), rest) {
        (parse::FLAG_VALUE, _) => parse::serve_value(),
        (parse::FLAG_BORROWED, _) => parse::serve_borrowed(),
        (sqlite::FLAG, [file]) => sqlite::serve(file.as_ref()),
        (alone::FLAG_STORE, [directory, producers]) => alone::record_in_store(directory.as_ref(), producers.parse().unwrap()),
        (alone::FLAG_SQLITE, [file, producers]) => alone::record_in_sqlite(file.as_ref(), producers.parse().unwrap()),
        _ => return false,
    }
    true
}

pub(crate) fn run(form: &Form, report: &mut Report) {
    one_event_a_request(form, report);
    stores_alone(form, report);
    for mix in [Mix::Bounces, Mix::Mailing] {
        thousand_events_a_request(form, report, mix);
    }
}

fn one_event_a_request(form: &Form, report: &mut Report) {
    let load = Load::one_event_a_request(form.pick(200, 1000));
    let parsing = Parsing::start();
    let suppressd = Server::suppressd(&form.place("ingest-singly"), &[]);
    let sqlite = Server::of_this_executable_with(&[sqlite::FLAG, form.place("served.sqlite").to_str().unwrap()]);
    let postgresql = Inserting::start(form);
    let (in_flight, each) = (load.in_flight, load.requests_per_connection);
    let mut contenders = parsing.contenders(load);
    contenders.extend([
        Contender::new(DISK, Role::Floor, |_| disk::cost(form.directory(), each, in_flight)),
        Contender::new(SUPPRESSD, Role::Suppressd, |round| load.cost(&suppressd, round)),
        Contender::new(SQLITE, Role::Instead, |round| load.cost(&sqlite, round)),
        Contender::new(POSTGRESQL, Role::Instead, |_| postgresql.cost(in_flight, each)),
    ]);
    let comparison = interleave("ingest of one bounce a webhook, 64 in flight, embedded", "event", form.rounds, contenders);
    let over = |name| comparison.rate_ratio(SUPPRESSD, name);
    let (over_sqlite, over_postgresql, share) = (over(SQLITE), over(POSTGRESQL), over(DISK));
    let rate = comparison.named(SUPPRESSD).operations_per_second();
    report.compare(comparison);
    report.figure("ingest, one a webhook", "share of what the disk alone would take", share * 100.0, "% of its events/s");
    report.limit("webhooks into suppressd over into PostgreSQL, events/s", over_postgresql, limits::EMBEDDED_OVER_DATABASE);
    report.limit("webhooks into suppressd over into SQLite, events/s", over_sqlite, limits::EMBEDDED_OVER_DATABASE);
    let of_enough = (rate / ENOUGH_PER_SECOND).max(share * DISK_FACTOR);
    report.limit("durable events/s, of 20,000 or half the disk's", of_enough, limits::DURABLE_EVENTS);
}

/// The stores by themselves, with the same events at hand.
fn stores_alone(form: &Form, report: &mut Report) {
    let load = Load::one_event_a_request(form.pick(200, 1000));
    let (in_flight, each) = (load.in_flight, load.requests_per_connection);
    let mut store = Alone::start(alone::FLAG_STORE, &form.place("alone"), in_flight);
    let mut sqlite = Alone::start(alone::FLAG_SQLITE, &form.place("alone.sqlite"), in_flight);
    let contenders = vec![
        Contender::new(DISK, Role::Floor, |_| disk::cost(form.directory(), each, in_flight)),
        Contender::new(STORE, Role::Suppressd, |round| store.cost(load, round)),
        Contender::new(SQLITE_ALONE, Role::Instead, |round| sqlite.cost(load, round)),
    ];
    let work = "one bounce of each of 64 producers into the store alone";
    let comparison = interleave(work, "event", form.rounds, contenders);
    let over_sqlite = comparison.rate_ratio(STORE, SQLITE_ALONE);
    report.compare(comparison);
    report.limit("the embedded store over SQLite, events/s", over_sqlite, limits::EMBEDDED_OVER_DATABASE);
}

fn thousand_events_a_request(form: &Form, report: &mut Report, mix: Mix) {
    let load = Load::thousand_events_a_request(mix, form.pick(15, 50));
    let parsing = Parsing::start();
    let suppressd = Server::suppressd(&form.place(&format!("ingest-{}", mix.name())), &[]);
    let mut contenders = parsing.contenders(load);
    contenders.push(Contender::new(SUPPRESSD, Role::Suppressd, |round| load.cost(&suppressd, round)));
    let work = format!("ingest of 1000 {} a webhook, embedded", mix.name());
    let before = suppressd.cpu();
    let comparison = interleave(&work, "event", form.rounds, contenders);
    let of_all_rounds = suppressd.cpu().saturating_sub(before).as_secs_f64() * 1e6 / (load.events() * (form.rounds + 1)) as f64;
    let (over_value, over_borrowed) = (comparison.ratio(SUPPRESSD, parse::VALUE), comparison.ratio(SUPPRESSD, parse::BORROWED));
    report.compare(comparison);
    report.figure(&work, "over parsing into borrowed fields", over_borrowed, "times");
    // What is done behind the answers comes seldom, and a median leaves out what comes seldom.
    report.figure(&work, "server CPU of an event, all that is done behind the answers included", of_all_rounds, "us");
    report.limit(&format!("{work}, over parsing"), over_value, limits::EMBEDDED_OVER_PARSING);
}
