//! Whether a check costs more, the more addresses have evidence.

use std::rc::Rc;
use std::sync::Arc;

use suppressd_service::proto::BatchView;

use crate::asking::{self, Asked, Flight};
use crate::batching::{self, OF_EACH, Way};
use crate::constant;
use crate::form::Form;
use crate::limits::{self, Bound};
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Contender, Cost, Role, interleave};
use crate::server::Server;

/// Addresses with evidence, and what they are called.
type Size = (usize, &'static str);

/// Too few to say anything about what must hold: below a million addresses, the processor's caches hold what is looked at.
const QUICK: [Size; 2] = [(100_000, "0.1 M"), FROM];
const FULL: [Size; 4] = [(100_000, "0.1 M"), FROM, (10_000_000, "10 M"), (50_000_000, "50 M")];

/// What the largest is compared with.
const FROM: Size = (1_000_000, "1 M");

/// One that serves, and what its size is called.
struct Grown {
    size: usize,
    name: &'static str,
    server: Rc<Server>,
}

const CALLS: Flight = Flight { connections: 4, on_each: 32 };
const BATCHES: Flight = Flight { connections: 4, on_each: 4 };

pub(crate) fn run(form: &Form, report: &mut Report) {
    // Their memory is needed here.
    form.stages.borrow_mut().clear();
    let runtime = asking::runtime();
    let sizes = form.pick(&QUICK[..], &FULL[..]);
    let floor = Server::of_this_executable(constant::FLAG);
    let serving: Vec<_> =
        sizes.iter().map(|&(size, name)| Grown { size, name, server: recipients::serving(form, size) }).collect();
    let calls = form.pick(16, 64) * 1024;
    let unary = |server: &Server, round, asked: &Asked| asking::unary(&runtime, server, CALLS, calls, round, asked);
    compare(form, report, ("unary check, as evidence grows", "check", limits::UNARY_GROWTH), (&floor, &serving), unary);
    let batches = form.pick(320, 1600);
    let batch = |server: &Server, round, asked: &Asked| {
        batching::ask(&runtime, server, (Way::Call, BatchView::Full, BATCHES), batches, round, asked)
    };
    let work = format!("batches of {OF_EACH}, as evidence grows");
    compare(form, report, (&work, "address", limits::BATCH_GROWTH), (&floor, &serving), batch);
}

fn compare(
    form: &Form,
    report: &mut Report,
    (work, operation, limit): (&str, &str, Bound),
    (floor, serving): (&Server, &[Grown]),
    ask: impl Fn(&Server, usize, &Asked) -> Cost,
) {
    let asked = |size| -> Asked { Arc::new(move |number| recipients::asked(number, size)) };
    let ask = &ask;
    let contender = |name, role, server, asked: Asked| Contender::new(name, role, move |round| ask(server, round, &asked));
    let mut contenders = vec![contender("constant handler", Role::Floor, floor, asked(1))];
    contenders.extend(serving.iter().map(|grown| contender(grown.name, Role::Suppressd, &grown.server, asked(grown.size))));
    let comparison = interleave(work, operation, form.rounds, contenders);
    let (from, largest) = (FROM.1, serving.last().unwrap().name);
    let ratio = comparison.ratio(largest, from);
    report.compare(comparison);
    if largest != from {
        report.limit(&format!("{work}: {largest}, times {from}"), ratio, limit);
    }
}
