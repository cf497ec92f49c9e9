//! One check a call, against a tonic handler that always answers the same.

use std::sync::Arc;

use crate::asking::{self, Asked, Flight};
use crate::constant;
use crate::form::Form;
use crate::limits;
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Contender, Role, interleave};
use crate::server::Server;

const FLIGHTS: [Flight; 3] =
    [Flight { connections: 1, on_each: 1 }, Flight { connections: 4, on_each: 4 }, Flight { connections: 4, on_each: 32 }];

const FLOOR: &str = "constant handler";
const BY_FILTER: &str = "suppressd, nobody has evidence";
const WITH_HITS: &str = "suppressd, 3 % have evidence";

pub(crate) fn run(form: &Form, report: &mut Report) {
    let runtime = asking::runtime();
    let floor = Server::of_this_executable(constant::FLAG);
    for &size in form.sizes {
        let suppressd = recipients::serve(&recipients::directory_with(form, size), size);
        let none: Asked = Arc::new(recipients::healthy);
        let some: Asked = Arc::new(move |number| recipients::asked(number, size));
        for flight in FLIGHTS {
            let calls = form.pick(8 * 1024, 64 * 1024) * if flight.in_all() == 1 { 1 } else { 2 };
            let ask = |server, asked| {
                let runtime = &runtime;
                move |round| asking::unary(runtime, server, flight, calls, round, asked)
            };
            let work = format!("unary check, {} M evidence, {} in flight", size / 1_000_000, flight.in_all());
            let comparison = interleave(
                &work,
                "check",
                form.rounds,
                vec![
                    Contender::new(FLOOR, Role::Floor, ask(&floor, &none)),
                    Contender::new(BY_FILTER, Role::Suppressd, ask(&suppressd, &none)),
                    Contender::new(WITH_HITS, Role::Suppressd, ask(&suppressd, &some)),
                ],
            );
            let ratio = comparison.ratio(BY_FILTER, FLOOR);
            report.compare(comparison);
            report.limit(&format!("{work}: by the filter, times the floor"), ratio, limits::UNARY_BY_FILTER);
        }
    }
}
