//! Counts instructions: this very program runs again under callgrind, which writes down what each call of [`counted`] cost.

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};

/// The argument with which the program runs again.
pub(crate) const FLAG: &str = "--counted";

/// How callgrind knows the one function whose calls it counts, with all that they call.
const COUNTED: &str = "*::counted";

/// Runs some work and counts it. Before that it is run once uncounted, so that what happens only at first is none of it.
pub(crate) fn count(mut work: impl FnMut()) {
    work();
    counted(&mut work);
}

#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    black_box(work)();
}

/// What the calls of [`count`] cost, in their order, in instructions.
pub(crate) fn run() -> Result<Vec<u64>, Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("instructions-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let counts = run_in(&directory);
    std::fs::remove_dir_all(&directory)?;
    counts
}

fn run_in(directory: &Path) -> Result<Vec<u64>, Box<dyn Error>> {
    let out = directory.join("out");
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--compress-strings=no"])
        .arg(format!("--toggle-collect={COUNTED}"))
        .arg(format!("--dump-after={COUNTED}"))
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .arg(FLAG)
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("valgrind cannot be started: {error}"))?;
    if !status.success() {
        return Err(format!("what ran under valgrind ended with {status}").into());
    }
    let mut counts = Vec::new();
    // Each call ends with a dump of its own; they are numbered from 1.
    while let Ok(dump) = std::fs::read_to_string(out.with_extension(format!("{}", counts.len() + 1))) {
        let total = dump.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("a dump without its total")?;
        counts.push(total.trim().parse()?);
    }
    Ok(counts)
}
