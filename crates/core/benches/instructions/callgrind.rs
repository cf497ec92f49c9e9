//! Counts instructions: this very program runs again under callgrind.

use std::error::Error;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

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

/// What the calls of [`count`] cost, in their order, in instructions, when the program runs with these arguments.
pub(crate) fn of_calls(arguments: &[&str]) -> Result<Vec<u64>, Box<dyn Error>> {
    let dumps = Dumps::new()?;
    let toggle = [format!("--toggle-collect={COUNTED}"), format!("--dump-after={COUNTED}")];
    dumps.run(&toggle, arguments)?;
    // Each call ends with a dump of its own; they are numbered from 1.
    let numbered = (1..).map(|number| dumps.out.with_extension(format!("{number}"))).take_while(|dump| dump.exists());
    numbered.map(|dump| total(&dump)).collect()
}

/// What all threads of the program cost together, from its start to its end, in instructions.
pub(crate) fn of_all_threads(arguments: &[&str]) -> Result<u64, Box<dyn Error>> {
    let dumps = Dumps::new()?;
    dumps.run(&[], arguments)?;
    total(&dumps.out)
}

/// Where callgrind writes down what it has counted; removed when this goes.
struct Dumps {
    directory: PathBuf,
    out: PathBuf,
}

impl Dumps {
    fn new() -> Result<Self, Box<dyn Error>> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("instructions-{}", std::process::id()));
        std::fs::create_dir_all(&directory)?;
        Ok(Self { out: directory.join("out"), directory })
    }

    fn run(&self, options: &[String], arguments: &[&str]) -> Result<(), Box<dyn Error>> {
        let status = Command::new("valgrind")
            // It runs one thread at a time: one that looks for another one in vain must not be the next one again and again.
            .args(["--quiet", "--tool=callgrind", "--compress-strings=no", "--fair-sched=yes"])
            .args(options)
            .arg(format!("--callgrind-out-file={}", self.out.display()))
            .arg(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::null())
            .status()
            .map_err(|error| format!("valgrind cannot be started: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("what ran under valgrind ended with {status}").into()) }
    }
}

impl Drop for Dumps {
    fn drop(&mut self) {
        // A directory that is left costs nobody anything.
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn total(dump: &Path) -> Result<u64, Box<dyn Error>> {
    let dump = std::fs::read_to_string(dump)?;
    let total = dump.lines().find_map(|line| line.strip_prefix("totals: ")).ok_or("a dump without its total")?;
    Ok(total.trim().parse()?)
}
