//! Processes of the benchmark's own, where they run, and the CPU that they use.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

/// Where every server runs.
pub(crate) const SERVER_CORES: &str = "0";

/// Where the clients run: this process, and those that it starts by themselves.
pub(crate) const CLIENT_CORE: &str = "1";

/// Where those run that are measured from end to end, clients and servers.
pub(crate) const ALL_CORES: &str = "0,1";

/// What the kernel counts reaped children's time in: a hundredth of a second, on every Linux that anybody runs.
const TICK: Duration = Duration::from_millis(10);

/// Keeps this process to the core of the clients, before it has other threads. What it starts is there too, unless it says otherwise.
pub(crate) fn pin_clients() {
    let pinned = Command::new("taskset").args(["--pid", "--cpu-list", CLIENT_CORE, &std::process::id().to_string()]).output();
    let pinned = pinned.expect("the benchmark needs taskset, of Debian's util-linux");
    assert!(pinned.status.success(), "two cores are needed, one for servers and one for clients: {pinned:?}");
}

/// A command that runs on some cores, and is ended when this process is killed. Those who see to that become the program, so the
/// child's id is the program's.
pub(crate) fn on_cores(cores: &str, program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM", "taskset", "--cpu-list", cores]).arg(program);
    command
}

/// A child that is killed when it goes.
pub(crate) struct OwnChild(Child);

impl OwnChild {
    /// Starts a server that stays.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// CPU that it and its children have used so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.id())
    }
}

impl Drop for OwnChild {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// CPU that a process has used so far, with its children that run (in nanoseconds) and those that it has reaped (in ticks, so that
/// a round should take a second of them).
pub(crate) fn cpu_of(process: u32) -> Duration {
    cpu_of_threads(process) + cpu_of_reaped(process) + children_of(process).into_iter().map(cpu_of).sum::<Duration>()
}

fn cpu_of_threads(process: u32) -> Duration {
    let of_thread = |task: PathBuf| {
        let stat = std::fs::read_to_string(task.join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    };
    Duration::from_nanos(tasks_of(process).filter_map(of_thread).sum())
}

fn children_of(process: u32) -> Vec<u32> {
    let of_task = |task: PathBuf| std::fs::read_to_string(task.join("children")).unwrap_or_default();
    let children: String = tasks_of(process).map(of_task).collect();
    children.split_whitespace().filter_map(|child| child.parse().ok()).collect()
}

/// `cutime` and `cstime` of `/proc/<id>/stat`, the 16th and 17th field. The second one, a name in parentheses, may hold anything.
fn cpu_of_reaped(process: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let Some((_, fields)) = stat.rsplit_once(") ") else { return Duration::ZERO };
    fields.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).map(|ticks| TICK * ticks).sum()
}

/// None of a process that is gone.
fn tasks_of(process: u32) -> impl Iterator<Item = PathBuf> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    tasks.filter_map(|task| Some(task.ok()?.path()))
}

/// CPU that the thread which asks has used so far.
pub(crate) fn cpu_of_own_thread() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}
