//! The comparisons as bars, in an SVG that a README can show on a light and on a dark page.

use std::fmt::Write as _;

use crate::report::Report;
use crate::rounds::{Comparison, Measured, Role};

// All in pixels.
const COLUMNS: usize = 2;
const COLUMN: usize = 420;
const MARGIN: usize = 24;
const HEADER: usize = 84;
const FOOTER: usize = 32;
const TITLE: usize = 30;
const ROW: usize = 30;
const BAR: usize = 7;
const BELOW_CARD: usize = 18;

/// Each role's colour on a light page, and on a dark one. They differ in lightness too.
const STYLE: &str = "
text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
.head { font-size: 18px; font-weight: 600 } .work { font-size: 13px; font-weight: 600 }
.value { text-anchor: end; font-variant-numeric: tabular-nums } .faint { fill: #59636e; font-size: 11px }
.page { fill: #ffffff } .track { fill: #eff2f5 }
.floor { fill: #a3adb8 } .suppressd { fill: #0969da } .instead { fill: #bc6c25 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 } .page { fill: #0d1117 } .track { fill: #1c2129 }
.floor { fill: #656c76 } .suppressd { fill: #58a6ff } .instead { fill: #e3a857 }
}";

/// Nothing if nothing was compared with what a sender would use instead.
pub(crate) fn render(report: &Report) -> Option<String> {
    let drawn: Vec<_> = report.comparisons().iter().filter(|comparison| is_drawn(comparison)).collect();
    if drawn.is_empty() {
        return None;
    }
    // Row by row, so that those which belong together stand side by side or one below the other.
    let mut bottoms = [HEADER; COLUMNS];
    let mut cards = String::new();
    for comparison in drawn {
        let column = (0..COLUMNS).min_by_key(|column| bottoms[*column]).unwrap_or_default();
        let x = MARGIN + column * (COLUMN + MARGIN);
        card(&mut cards, comparison, x, bottoms[column]);
        bottoms[column] += TITLE + comparison.measured.len() * ROW + BELOW_CARD;
    }
    let width = MARGIN + COLUMNS * (COLUMN + MARGIN);
    let height = bottoms.into_iter().max().unwrap_or_default() + FOOTER;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\">\n\
         <title>Server CPU of an operation, suppressd beside its floor and what would be used instead</title>\n\
         <style>{STYLE}\n</style>\n<rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n"
    );
    header(&mut svg);
    svg += &cards;
    text(&mut svg, "faint", (MARGIN, height - MARGIN / 2 - 4), &report.conditions().words());
    svg += "</svg>\n";
    Some(svg)
}

fn is_drawn(comparison: &Comparison) -> bool {
    comparison.measured.iter().any(|measured| measured.role == Role::Instead)
}

fn header(svg: &mut String) {
    text(svg, "head", (MARGIN, 36), "Server CPU of one operation, and how many times the floor that is");
    let legend =
        [(Role::Floor, "floor: what nobody could go below"), (Role::Suppressd, "suppressd"), (Role::Instead, "instead of it")];
    let mut x = MARGIN;
    for (role, words) in legend {
        rect(svg, role.name(), (x, 52), (12, 12));
        text(svg, "", (x + 18, 62), words);
        x += 40 + words.len() * 7;
    }
}

/// The longest bar is as wide as the card; those of different cards have nothing to do with each other.
fn card(svg: &mut String, comparison: &Comparison, x: usize, y: usize) {
    text(svg, "work", (x, y + 16), &comparison.work);
    let of = |measured: &Measured| measured.cpu_us_per_operation();
    let most = comparison.measured.iter().map(of).fold(0.0, f64::max);
    for (row, measured) in comparison.measured.iter().enumerate() {
        let y = y + TITLE + row * ROW;
        let ratio = comparison.floor().map(|floor| format!(" · {:.2} ×", measured.ratio_to(floor))).unwrap_or_default();
        text(svg, "", (x, y + 10), measured.name);
        text(svg, "value", (x + COLUMN, y + 10), &format!("{} µs{ratio}", three_digits(of(measured))));
        rect(svg, "track", (x, y + 15), (COLUMN, BAR));
        let share = of(measured) / most;
        rect(svg, measured.role.name(), (x, y + 15), (((COLUMN as f64 * share) as usize).max(1), BAR));
    }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

fn text(svg: &mut String, class: &str, (x, y): (usize, usize), words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = writeln!(svg, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{words}</text>");
}

fn rect(svg: &mut String, class: &str, (x, y): (usize, usize), (width, height): (usize, usize)) {
    let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"2\"/>");
}
