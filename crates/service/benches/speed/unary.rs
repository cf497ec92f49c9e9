//! One check a call, against a tonic handler that always answers the same, and beside one look-up a call in what a sender might have
//! already.

use std::sync::Arc;

use crate::asking::{self, Asked, Flight};
use crate::form::Form;
use crate::instead;
use crate::limits;
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Comparison, Contender, Role, interleave};
use crate::stage::Stage;

const FLIGHTS: [Flight; 3] =
    [Flight { connections: 1, on_each: 1 }, Flight { connections: 4, on_each: 4 }, Flight { connections: 4, on_each: 32 }];

const FLOOR: &str = "constant handler";
const BY_FILTER: &str = "suppressd, nobody has evidence";
const WITH_HITS: &str = "suppressd, 3 % have evidence";
const EXISTS: &str = "Redis EXISTS, a connection a call";
const SHARED_EXISTS: &str = "Redis EXISTS, calls share connections";
const SELECT: &str = "PostgreSQL SELECT, a connection a call";

pub(crate) fn run(form: &Form, report: &mut Report) {
    for &size in form.sizes {
        let stage = Stage::of(form, size);
        for flight in FLIGHTS {
            let comparison = compare(form, &stage, flight);
            let (work, ratio) = (comparison.work.clone(), comparison.ratio(BY_FILTER, FLOOR));
            let over = comparison.ratio(EXISTS, WITH_HITS);
            report.compare(comparison);
            report.limit(&format!("{work}: by the filter, times the floor"), ratio, limits::UNARY_BY_FILTER);
            if flight.in_all() == 128 {
                report.limit(&format!("{work}: EXISTS, times suppressd"), over, limits::EXISTS_OVER_UNARY);
            }
        }
    }
}

fn compare(form: &Form, stage: &Stage, flight: Flight) -> Comparison {
    let size = stage.size;
    let calls = if flight.in_all() == 1 { form.pick(8, 16) } else { form.pick(16, 64) } * 1024;
    let none: Asked = Arc::new(recipients::healthy);
    let some: Asked = Arc::new(move |number| recipients::asked(number, size));
    let script = instead::select_script(form, size);
    let ask = |server, asked: &Asked| {
        let asked = Arc::clone(asked);
        move |round| asking::unary(&stage.runtime, server, flight, calls, round, &asked)
    };
    let exists = |flight| {
        let some = Arc::clone(&some);
        move |round| instead::exists(&stage.runtime, &stage.redis, flight, calls, round, &some)
    };
    let a_connection_a_call = Flight { connections: flight.in_all(), on_each: 1 };
    let mut contenders = vec![
        Contender::new(FLOOR, Role::Floor, ask(&stage.floor, &none)),
        Contender::new(BY_FILTER, Role::Suppressd, ask(&stage.suppressd, &none)),
        Contender::new(WITH_HITS, Role::Suppressd, ask(&stage.suppressd, &some)),
        Contender::new(EXISTS, Role::Instead, exists(a_connection_a_call)),
    ];
    if flight.on_each > 1 {
        contenders.push(Contender::new(SHARED_EXISTS, Role::Instead, exists(flight)));
    }
    // It takes so much longer that fewer say as much.
    let select = |_| stage.postgres.transactions(&script, flight.in_all(), calls / 2 / flight.in_all());
    contenders.push(Contender::new(SELECT, Role::Instead, select));
    let work = format!("unary check, {}, {} in flight", stage.words(), flight.in_all());
    interleave(&work, "check", form.rounds, contenders)
}
