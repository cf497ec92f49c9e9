//! What was measured: told as it comes, and kept for the file and the chart.

use std::path::Path;

use serde_json::{Value, json};

use crate::conditions::Conditions;
use crate::limits::Bound;
use crate::rounds::{Comparison, Measured};

/// A limit, and the value that was measured against it.
pub(crate) struct Checked {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) bound: Bound,
}

impl Checked {
    pub(crate) fn holds(&self) -> bool {
        self.bound.holds(self.value)
    }
}

/// A figure by itself.
pub(crate) struct Figure {
    pub(crate) work: String,
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
}

/// All that was measured so far.
pub(crate) struct Report {
    conditions: Conditions,
    comparisons: Vec<Comparison>,
    figures: Vec<Figure>,
    checked: Vec<Checked>,
}

impl Report {
    pub(crate) fn new(conditions: Conditions) -> Self {
        Self { conditions, comparisons: Vec::new(), figures: Vec::new(), checked: Vec::new() }
    }

    pub(crate) fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    pub(crate) fn comparisons(&self) -> &[Comparison] {
        &self.comparisons
    }

    pub(crate) fn figures(&self) -> &[Figure] {
        &self.figures
    }

    pub(crate) fn checked(&self) -> &[Checked] {
        &self.checked
    }

    /// Contenders that took turns.
    pub(crate) fn compare(&mut self, comparison: Comparison) {
        let floor = comparison.floor();
        println!("\n{}\n{:44} {:>9} {:>8} {:>11}", comparison.work, "", "CPU, us", "x floor", "a second");
        for measured in &comparison.measured {
            let ratio = floor.map_or_else(String::new, |floor| format!("{:.2}", measured.ratio_to(floor)));
            let (cpu, rate) = (measured.cpu_us_per_operation(), measured.operations_per_second());
            println!("  {:42} {cpu:>9.3} {ratio:>8} {rate:>11.0}", measured.name);
        }
        self.comparisons.push(comparison);
    }

    /// What has nothing to be compared with. Those of one work stand together.
    pub(crate) fn figure(&mut self, work: &str, name: &str, value: f64, unit: &str) {
        if self.figures.last().is_none_or(|last| last.work != work) {
            println!("\n{work}");
        }
        println!("  {name:42} {value:>9.2} {unit}");
        self.figures.push(Figure { work: work.to_owned(), name: name.to_owned(), value, unit: unit.to_owned() });
    }

    /// What must hold.
    pub(crate) fn limit(&mut self, name: &str, value: f64, bound: Bound) {
        let verdict = if bound.holds(value) { "holds" } else { "MISSED" };
        println!("  {verdict:7} {name}: {value:.2}, {}", bound.words());
        self.checked.push(Checked { name: name.to_owned(), value, bound });
    }

    /// The limits that were missed, once more.
    pub(crate) fn all_hold(&self) -> bool {
        let missed: Vec<_> = self.checked.iter().filter(|checked| !checked.holds()).collect();
        println!("\n{} limits measured, {} missed", self.checked.len(), missed.len());
        for Checked { name, value, bound } in &missed {
            println!("  {name}: {value:.2}, {}", bound.words());
        }
        missed.is_empty()
    }

    pub(crate) fn write(&self, path: &Path) {
        let comparisons: Vec<_> = self.comparisons.iter().map(comparison).collect();
        let figures: Vec<_> = self.figures.iter().map(figure).collect();
        let limits: Vec<_> = self.checked.iter().map(checked).collect();
        let report = json!({
            "conditions": self.conditions.to_json(),
            "comparisons": comparisons,
            "figures": figures,
            "limits": limits,
        });
        std::fs::write(path, format!("{report:#}\n")).unwrap();
    }
}

fn comparison(comparison: &Comparison) -> Value {
    let contender = |measured: &Measured| {
        json!({
            "name": measured.name,
            "role": measured.role.name(),
            "cpu_us_per_operation": measured.cpu_us_per_operation(),
            "ratio_to_floor": comparison.floor().map(|floor| measured.ratio_to(floor)),
            "operations_per_second": measured.operations_per_second(),
            "cpu_us_of_rounds": measured.cpu_of_rounds().collect::<Vec<_>>(),
        })
    };
    json!({
        "work": comparison.work,
        "operation": comparison.operation,
        "contenders": comparison.measured.iter().map(contender).collect::<Vec<_>>(),
    })
}

fn figure(Figure { work, name, value, unit }: &Figure) -> Value {
    json!({"work": work, "name": name, "value": value, "unit": unit})
}

fn checked(checked: &Checked) -> Value {
    let Checked { name, value, bound } = checked;
    json!({"name": name, "value": value, "bound": bound.words(), "holds": checked.holds()})
}
