//! A PostgreSQL of the benchmark's own, and what asks it.

use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::process::{OwnChild, SERVER_CORES, on_cores};
use crate::rounds::Cost;

/// Where Debian keeps the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Who runs it where root would: PostgreSQL refuses root. Debian's package makes this user.
const USER: &str = "postgres";

/// Longest time until it is there, or gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Holds the index of ten million addresses. Nothing runs in the background that a round would pay for.
const SETTINGS: [&str; 3] = ["listen_addresses=", "shared_buffers=2GB", "autovacuum=off"];

/// A `postgres` that this process has started, in directories that are gone with it.
pub(crate) struct OwnPostgres {
    programs: PathBuf,
    /// Where its socket is: a path of that may not be long.
    directory: TempDir,
    /// On the disk on which all that is measured has its data.
    data: TempDir,
    user: Option<(u32, u32)>,
    child: Option<OwnChild>,
}

impl OwnPostgres {
    /// With settings beyond those that it always has.
    pub(crate) fn start(settings: &[&str]) -> Self {
        let (directory, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap());
        let mut own = Self { programs: programs(), directory, data, user: unprivileged(), child: None };
        if let Some((user, group)) = own.user {
            chown(own.directory.path(), Some(user), Some(group)).unwrap();
            chown(own.data.path(), Some(user), Some(group)).unwrap();
        }
        let data = own.data();
        let mut initdb = own.command("initdb");
        initdb.args(["--auth", "trust", "--username", USER, "--no-locale", "--encoding", "UTF8", "--no-sync", "--pgdata"]);
        succeed(initdb.arg(&data));
        let mut server = on_cores(SERVER_CORES, own.programs.join("postgres"));
        own.descend(&mut server).arg("-D").arg(&data).arg("-k").arg(own.directory.path());
        for setting in SETTINGS.iter().chain(settings) {
            server.args(["-c", setting]);
        }
        own.child = Some(OwnChild::spawn(server.stdout(Stdio::null()).stderr(Stdio::null())));
        let started = Instant::now();
        while !own.client("pg_isready").stdout(Stdio::null()).status().unwrap().success() {
            assert!(started.elapsed() < PATIENCE, "PostgreSQL did not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        own
    }

    /// Runs SQL, and gives what it says.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let output = self.client("psql").args(["-v", "ON_ERROR_STOP=1", "-qAt", "-c", sql, "postgres"]).output().unwrap();
        assert!(output.status.success(), "{sql}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// CPU that it has used so far, with the processes of its sessions.
    pub(crate) fn cpu(&self) -> Duration {
        self.child.as_ref().unwrap().cpu()
    }

    /// So many transactions of a script of `pgbench` by each of so many clients at a time. What the sessions themselves take is left
    /// out: it is what one transaction of each takes, in a run of its own before.
    pub(crate) fn transactions(&self, script: &Path, clients: usize, of_each: usize) -> Cost {
        let run = |of_each: usize| {
            let (clients, of_each) = (clients.to_string(), of_each.to_string());
            let mut pgbench = self.client("pgbench");
            pgbench.args(["--no-vacuum", "--protocol", "prepared", "--client", &clients, "--transactions", &of_each, "--file"]);
            self.used(pgbench.arg(script).arg("postgres"))
        };
        beyond_one(clients, run(1), run(1 + of_each), of_each)
    }

    /// So many statements of one session, each about so many addresses. Again the session itself is left out.
    pub(crate) fn statements(&self, prepare: &str, statements: &[String], addresses_of_each: usize) -> Cost {
        let run = |statements: &[String]| {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            write!(file, "{prepare}\n{}", statements.concat()).unwrap();
            self.used(self.client("psql").args(["-v", "ON_ERROR_STOP=1", "-qAt", "-f"]).arg(file.path()).arg("postgres"))
        };
        beyond_one(addresses_of_each, run(&statements[..1]), run(statements), statements.len() - 1)
    }

    /// CPU and time that it took while a client ran.
    fn used(&self, client: &mut Command) -> (Duration, Duration) {
        let (before, started) = (self.cpu(), Instant::now());
        succeed(client);
        let took = started.elapsed();
        // A session ends after its client, and is not done before.
        while self.sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'").trim() != "1" {
            std::thread::sleep(Duration::from_millis(2));
        }
        (self.cpu().saturating_sub(before), took)
    }

    fn data(&self) -> PathBuf {
        self.data.path().join("data")
    }

    /// A program that speaks to it, on the clients' core.
    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.arg("--host").arg(self.directory.path()).args(["--username", USER]);
        command
    }

    /// A program that works on its directory.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        self.descend(&mut command);
        command
    }

    /// Gives a command the rights of the user who may run PostgreSQL.
    fn descend<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command.current_dir(self.directory.path())
    }
}

impl Drop for OwnPostgres {
    /// It takes its shared memory along only if it is told to end. The directory says which one it is.
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl");
        stop.args(["stop", "--mode", "fast", "--silent", "--pgdata"]).arg(self.data());
        let _ = stop.stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// A script for `pgbench`, which whoever runs PostgreSQL may read.
pub(crate) fn script(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
}

/// What each operation beyond the first one of each client, or statement, cost.
fn beyond_one(at_a_time: usize, one: (Duration, Duration), all: (Duration, Duration), further: usize) -> Cost {
    let operations = (at_a_time * further) as f64;
    let of = |one: Duration, all: Duration| all.saturating_sub(one).as_secs_f64();
    Cost { cpu_us_per_operation: of(one.0, all.0) * 1e6 / operations, operations_per_second: operations / of(one.1, all.1) }
}

/// The newest version's.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir(DEBIAN).into_iter().flatten();
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest = versions.filter_map(|version| Some(version.ok()?.path())).max_by_key(number);
    newest.expect("the benchmark needs PostgreSQL, of Debian's package postgresql").join("bin")
}

/// User and group who run it, if this process is root's.
fn unprivileged() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| {
        let output = Command::new("id").args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().expect("a user postgres, of Debian's package postgresql")
    };
    (id(&["--user"]) == 0).then(|| (id(&["--user", USER]), id(&["--group", USER])))
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
}
