//! A thousand addresses a call, or a batch of a stream, against a handler that returns the same messages without a look at anything.

use std::sync::Arc;

use suppressd_service::proto::BatchView;

use crate::asking::{Asked, Flight};
use crate::batching::{self, OF_EACH, Way};
use crate::form::Form;
use crate::instead;
use crate::limits;
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Comparison, Contender, Role, interleave};
use crate::stage::Stage;

const FLIGHT: Flight = Flight { connections: 4, on_each: 4 };

const FLOOR: &str = "constant handler";
const SUPPRESSD: &str = "suppressd";
const SUPPRESSED_ONLY: &str = "suppressd, asked who is suppressed";
const SMISMEMBER: &str = "Redis SMISMEMBER, pipelined";
const ANY: &str = "PostgreSQL = ANY, one session";

/// In calls.
pub(crate) fn run(form: &Form, report: &mut Report) {
    measure(form, report, Way::Call);
}

/// In streams.
pub(crate) fn run_streamed(form: &Form, report: &mut Report) {
    measure(form, report, Way::Stream);
}

fn measure(form: &Form, report: &mut Report, way: Way) {
    for &size in form.sizes {
        let comparison = compare(form, &Stage::of(form, size), way);
        let (work, ratio) = (comparison.work.clone(), comparison.ratio(SUPPRESSD, FLOOR));
        let (over, over_suppressed_only) =
            (comparison.ratio(SMISMEMBER, SUPPRESSD), comparison.ratio(SMISMEMBER, SUPPRESSED_ONLY));
        report.compare(comparison);
        let limit = if size > 1_000_000 { limits::BATCH_AT_10_M } else { limits::BATCH_AT_1_M };
        report.limit(&format!("{work}: times the floor"), ratio, limit);
        report.limit(&format!("{work}: SMISMEMBER, times suppressd"), over, limits::SMISMEMBER_OVER_BATCH);
        let work = format!("{work}: SMISMEMBER, times suppressd that is asked who is suppressed");
        report.limit(&work, over_suppressed_only, limits::SMISMEMBER_OVER_BATCH);
    }
}

fn compare(form: &Form, stage: &Stage, way: Way) -> Comparison {
    let size = stage.size;
    let asked: Asked = Arc::new(move |number| recipients::asked(number, size));
    // What does not answer the same is no floor.
    let answers = |server| batching::results(&stage.runtime, server, 0, &asked);
    assert!(answers(&stage.floor) == answers(&stage.suppressd), "the constant handler answers otherwise than suppressd");
    let batches = form.pick(320, 3200);
    let ask = |server, view| {
        let asked = Arc::clone(&asked);
        move |round| batching::ask(&stage.runtime, server, (way, view, FLIGHT), batches, round, &asked)
    };
    let contenders = vec![
        Contender::new(FLOOR, Role::Floor, ask(&stage.floor, BatchView::Full)),
        Contender::new(SUPPRESSD, Role::Suppressd, ask(&stage.suppressd, BatchView::Full)),
        Contender::new(SUPPRESSED_ONLY, Role::Suppressd, ask(&stage.suppressd, BatchView::SuppressedOnly)),
        Contender::new(SMISMEMBER, Role::Instead, |round| {
            instead::smismember(&stage.runtime, &stage.redis, FLIGHT, (batches, OF_EACH), round, &asked)
        }),
        Contender::new(ANY, Role::Instead, |round| instead::any(&stage.postgres, (form.pick(80, 320), OF_EACH), round, size)),
    ];
    let name = match way {
        Way::Call => "batches",
        Way::Stream => "streamed batches",
    };
    interleave(&format!("{name} of {OF_EACH}, {}", stage.words()), "address", form.rounds, contenders)
}
