//! Rounds in which contenders take turns, and what is made of them. One disturbed round moves no median; a machine that slows down
//! slows all contenders of a round down, so that their ratios stay.

use std::time::{Duration, Instant};

/// What a contender stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// What nobody could go below. The first floor is the one that ratios are taken to.
    Floor,
    Suppressd,
    /// What somebody would use who had no suppressd.
    Instead,
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Suppressd => "suppressd",
            Self::Instead => "instead",
        }
    }
}

/// One way to do the work, and what runs one round of it.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    /// Is told which round it is, so that no round repeats the addresses of another.
    pub(crate) round: Box<dyn FnMut(usize) -> Cost + 'a>,
}

impl<'a> Contender<'a> {
    pub(crate) fn new(name: &'static str, role: Role, round: impl FnMut(usize) -> Cost + 'a) -> Self {
        Self { name, role, round: Box::new(round) }
    }
}

/// What a round took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    /// Of the server, all threads and processes.
    pub(crate) cpu_us_per_operation: f64,
    pub(crate) operations_per_second: f64,
}

impl Cost {
    pub(crate) fn of(operations: usize, cpu: Duration, wall: Duration) -> Self {
        let operations = operations as f64;
        Self {
            cpu_us_per_operation: cpu.as_secs_f64() * 1e6 / operations,
            operations_per_second: operations / wall.as_secs_f64(),
        }
    }
}

/// What all rounds of a contender took.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    costs: Vec<Cost>,
}

impl Measured {
    pub(crate) fn cpu_us_per_operation(&self) -> f64 {
        median(self.cpu_of_rounds().collect())
    }

    pub(crate) fn operations_per_second(&self) -> f64 {
        median(self.costs.iter().map(|cost| cost.operations_per_second).collect())
    }

    /// The median over the rounds of how many times another's CPU this one used in the same round.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        median(self.cpu_of_rounds().zip(other.cpu_of_rounds()).map(|(own, of_other)| own / of_other).collect())
    }

    pub(crate) fn cpu_of_rounds(&self) -> impl Iterator<Item = f64> {
        self.costs.iter().map(|cost| cost.cpu_us_per_operation)
    }
}

/// One piece of work, and what it took by each contender.
pub(crate) struct Comparison {
    pub(crate) work: String,
    /// What is counted: a check, an address, an event.
    pub(crate) operation: String,
    pub(crate) measured: Vec<Measured>,
}

impl Comparison {
    pub(crate) fn floor(&self) -> Option<&Measured> {
        self.measured.iter().find(|measured| measured.role == Role::Floor)
    }

    /// How many times the CPU of another a contender used, both by their names.
    pub(crate) fn ratio(&self, name: &str, to: &str) -> f64 {
        self.named(name).ratio_to(self.named(to))
    }

    /// How many times the rate of another a contender had, as a median over the rounds, both by their names.
    pub(crate) fn rate_ratio(&self, name: &str, to: &str) -> f64 {
        let (own, other) = (&self.named(name).costs, &self.named(to).costs);
        median(own.iter().zip(other).map(|(own, other)| own.operations_per_second / other.operations_per_second).collect())
    }

    pub(crate) fn named(&self, name: &str) -> &Measured {
        self.measured.iter().find(|measured| measured.name == name).expect(name)
    }
}

/// Lets all contenders do the same work in turn. The first round warms them up, and is not counted; each round begins with another
/// contender.
pub(crate) fn interleave(work: &str, operation: &str, rounds: usize, mut contenders: Vec<Contender>) -> Comparison {
    eprintln!("{work} ...");
    let mut costs: Vec<Vec<Cost>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..=rounds {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let cost = (contenders[index].round)(round);
            if round > 0 {
                costs[index].push(cost);
            }
        }
    }
    let measured = contenders.iter().zip(costs).map(|(of, costs)| Measured { name: of.name, role: of.role, costs }).collect();
    Comparison { work: work.to_owned(), operation: operation.to_owned(), measured }
}

/// The middle one.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// What work takes, by the clock that says how much CPU its server has used so far.
pub(crate) fn cost_of(cpu: impl Fn() -> Duration, operations: usize, work: impl FnOnce()) -> Cost {
    let (before, started) = (cpu(), Instant::now());
    work();
    let (took, used) = (started.elapsed(), cpu().saturating_sub(before));
    Cost::of(operations, used, took)
}
