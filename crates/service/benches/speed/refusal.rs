//! The benchmark deletes nothing that is not its own.

use crate::form::Form;
use crate::limits::Bound;
use crate::redis;
use crate::report::Report;

pub(crate) fn run(_: &Form, report: &mut Report) {
    let refused = f64::from(u8::from(redis::refuses_what_is_not_its_own()));
    report.limit("flushes of a Redis that is not our own which were refused, of 1", refused, Bound::AtLeast(1.0));
}
