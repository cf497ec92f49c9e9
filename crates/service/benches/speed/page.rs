//! The figures as tables, between two marks of a page.

use std::fmt::Write as _;
use std::path::Path;

use crate::report::Report;

const BEGIN: &str = "<!-- speed: begin -->\n";
const END: &str = "<!-- speed: end -->\n";

/// Puts the figures in the place of those that a page has.
pub(crate) fn renew(path: &Path, report: &Report) {
    let page = std::fs::read_to_string(path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has no mark where the figures begin");
    let (_, behind) = rest.split_once(END).expect("the page has no mark where the figures end");
    std::fs::write(path, format!("{before}{BEGIN}{}{END}{behind}", tables(report))).unwrap();
}

fn tables(report: &Report) -> String {
    let mut page = format!("{}.\n", report.conditions().words());
    if !report.comparisons().is_empty() {
        page += "\n| work | by | CPU of one, us | times the floor | a second |\n|---|---|---:|---:|---:|\n";
    }
    for comparison in report.comparisons() {
        let mut work = format!("{}, per {}", comparison.work, comparison.operation);
        for measured in &comparison.measured {
            let ratio = comparison.floor().map(|floor| format!("{:.2}", measured.ratio_to(floor))).unwrap_or_default();
            let (cpu, rate) = (measured.cpu_us_per_operation(), measured.operations_per_second());
            let _ = writeln!(page, "| {work} | {} | {cpu:.3} | {ratio} | {rate:.0} |", measured.name);
            work.clear();
        }
    }
    if !report.figures().is_empty() {
        page += "\n| work | what | figure |\n|---|---|---:|\n";
    }
    for figure in report.figures() {
        let _ = writeln!(page, "| {} | {} | {:.2} {} |", figure.work, figure.name, figure.value, figure.unit);
    }
    page += "\n| limit | must be | is | |\n|---|---|---:|---|\n";
    for checked in report.checked() {
        let verdict = if checked.holds() { "holds" } else { "**missed**" };
        let _ = writeln!(page, "| {} | {} | {:.2} | {verdict} |", checked.name, checked.bound.words(), checked.value);
    }
    page
}
