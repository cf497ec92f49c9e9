//! A server in a process of its own, and the CPU that it uses.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process that is killed when it goes.
pub(crate) struct Measured {
    child: Child,
    http: Option<SocketAddr>,
    grpc: SocketAddr,
}

impl Measured {
    /// `suppressd serve` on free ports.
    pub(crate) fn suppressd(store: &Path) -> Self {
        Self::suppressd_with(store, &[])
    }

    /// The same, with flags of its own.
    pub(crate) fn suppressd_with(store: &Path, flags: &[&str]) -> Self {
        Self::suppressd_by(Command::new(env!("CARGO_BIN_EXE_suppressd")), store, flags)
    }

    /// The same, by a command that runs the executable with what is given behind it.
    pub(crate) fn suppressd_by(mut command: Command, store: &Path, flags: &[&str]) -> Self {
        command
            .args(["serve", "--http", "127.0.0.1:0", "--grpc", "127.0.0.1:0", "--log-format", "json", "--store"])
            .arg(store)
            .args(flags);
        // What is measured is not Redis's disk.
        command.env("SUPPRESSD_REDIS_ALLOW", "appendonly,appendfsync");
        Self::start(command, 2)
    }

    /// Any process that announces its doors on standard error as `suppressd` does.
    pub(crate) fn start(mut command: Command, doors: usize) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (mut http, mut grpc) = (None, None);
        let mut announced = 0;
        while announced < doors {
            let line = lines.next().expect("the server ended by itself").unwrap();
            let Ok(line) = serde_json::from_str::<serde_json::Value>(&line) else { continue };
            if line["message"] == "listening" {
                let address = line["address"].as_str().unwrap().parse().unwrap();
                *(if line["door"] == "http" { &mut http } else { &mut grpc }) = Some(address);
                announced += 1;
            }
        }
        // Its log must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, http, grpc: grpc.unwrap() }
    }

    pub(crate) fn http(&self) -> SocketAddr {
        self.http.expect("it has no HTTP door")
    }

    pub(crate) fn grpc(&self) -> SocketAddr {
        self.grpc
    }

    /// CPU that it has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }
}

/// CPU that the threads of a process have used so far (`/proc/<id>/task/*/schedstat`, in nanoseconds).
pub(crate) fn cpu_of(process: u32) -> Duration {
    let of_thread = |task: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    };
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    Duration::from_nanos(tasks.filter_map(of_thread).sum())
}

impl Drop for Measured {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The middle one, which one disturbed round does not move.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
