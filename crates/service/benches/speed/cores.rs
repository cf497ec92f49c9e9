//! Whether a check costs more where two cores serve than where one does: a thread that waits for another one shows here.

use std::sync::Arc;

use crate::asking::{self, Asked, Flight};
use crate::constant;
use crate::form::Form;
use crate::limits;
use crate::process::{ALL_CORES, SERVER_CORES};
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Contender, Role, interleave};
use crate::server::Server;

const FLIGHT: Flight = Flight { connections: 4, on_each: 32 };

const ONE: &str = "suppressd, one core serves";
const TWO: &str = "suppressd, two cores serve";

pub(crate) fn run(form: &Form, report: &mut Report) {
    let size = form.pick(100_000, 1_000_000);
    let runtime = asking::runtime();
    let floor = Server::of_this_executable(constant::FLAG);
    let one = recipients::serve(&form.place("one-core"), size, SERVER_CORES);
    // The client shares one of them, which takes time from it and from the server, and no CPU.
    let two = recipients::serve(&form.place("two-cores"), size, ALL_CORES);
    let asked: Asked = Arc::new(move |number| recipients::asked(number, size));
    let calls = form.pick(16, 128) * 1024;
    let ask = |server| {
        let (runtime, asked) = (&runtime, &asked);
        move |round| asking::unary(runtime, server, FLIGHT, calls, round, asked)
    };
    let work = format!("unary check, 1 or 2 cores serve, {} in flight", FLIGHT.in_all());
    let contenders = vec![
        Contender::new("constant handler", Role::Floor, ask(&floor)),
        Contender::new(ONE, Role::Suppressd, ask(&one)),
        Contender::new(TWO, Role::Suppressd, ask(&two)),
    ];
    let comparison = interleave(&work, "check", form.rounds, contenders);
    let ratio = comparison.ratio(TWO, ONE);
    report.compare(comparison);
    report.limit(&format!("{work}: two, times one"), ratio, limits::TWO_CORES_OVER_ONE);
}
