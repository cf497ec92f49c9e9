//! A list of which 3 % are suppressed, from file to file: by `suppressd filter`, and by what one would write instead.
//!
//! End to end: all CPU of all who take part is counted, and both cores are there for all of them.

mod smismember;

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::form::Form;
use crate::instead;
use crate::limits;
use crate::process::{ALL_CORES, cpu_of, on_cores};
use crate::recipients::{self, ONE_HIT_IN};
use crate::redis::OwnRedis;
use crate::report::Report;
use crate::rounds::{Contender, Cost, Role, cost_of, interleave};
use crate::server::Server;

/// What is read and written at a time where that is all there is to do.
const BUFFER_BYTES: usize = 1 << 20;

const READING_AND_WRITING: &str = "reading and writing the file";
const SUPPRESSD: &str = "suppressd filter";
const SMISMEMBER: &str = "SMISMEMBER script, 1000 at a time";
const SORT_AND_COMM: &str = "sort, and comm with who is suppressed";
const COMM: &str = "comm alone, of what is sorted";

/// The files of a list.
struct Lists {
    directory: PathBuf,
    addresses: usize,
}

/// Becomes a child of the benchmark, if the arguments say so.
pub(crate) fn run_as_child(arguments: &[String]) -> bool {
    let [flag, socket, list, kept] = arguments else { return false };
    if flag != smismember::FLAG {
        return false;
    }
    smismember::filter(socket.as_ref(), list.as_ref(), kept.as_ref());
    true
}

pub(crate) fn run(form: &Form, report: &mut Report) {
    let lists = Lists::write(form);
    let server = Server::suppressd_on(ALL_CORES, &form.place("filter-list"), &[]);
    recipients::record(&server, lists.suppressed());
    let redis = OwnRedis::start_on(ALL_CORES);
    instead::fill_redis(&redis, lists.suppressed());
    let contenders = vec![
        Contender::new(READING_AND_WRITING, Role::Floor, |_| lists.cost(|kept| copy(&lists.list(), kept), false)),
        Contender::new(SUPPRESSD, Role::Suppressd, |_| lists.cost(|kept| filter(&server, &lists.list(), kept), true)),
        Contender::new(SMISMEMBER, Role::Instead, |_| lists.cost(|kept| smismember::run(&redis, &lists.list(), kept), true)),
        Contender::new(SORT_AND_COMM, Role::Instead, |_| lists.cost(|kept| lists.sort_and_comm(kept), false)),
        Contender::new(COMM, Role::Instead, |_| lists.cost(|kept| lists.comm(&lists.sorted(), kept), false)),
    ];
    let work = format!("a list of {} M addresses, 3 % suppressed", lists.addresses as f64 / 1e6);
    let comparison = interleave(&work, "address", form.rounds, contenders);
    let rate = comparison.named(SUPPRESSD).operations_per_second();
    report.compare(comparison);
    report.limit("addresses/s of a list, end to end on two cores", rate, limits::FILTERED_PER_SECOND);
    let most = lists.most_memory_mib(&server);
    report.limit("memory of suppressd filter, MiB", most, limits::FILTER_COMMAND_MIB);
}

impl Lists {
    /// The list, as it comes and sorted, and who is suppressed, sorted.
    fn write(form: &Form) -> Self {
        let lists = Self { directory: form.place("lists"), addresses: form.pick(1_000_000, 10_000_000) };
        std::fs::create_dir_all(&lists.directory).unwrap();
        let asked = |number| recipients::asked(number, lists.suppressed());
        put(&lists.list(), (0..lists.addresses).map(asked));
        put(&lists.expected(), (0..lists.addresses).filter(|number| !number.is_multiple_of(ONE_HIT_IN)).map(asked));
        put(&lists.path("suppressed"), (0..lists.suppressed()).map(recipients::stored));
        sort(&lists.list(), &lists.sorted());
        sort(&lists.path("suppressed"), &lists.sorted_suppressed());
        lists
    }

    /// How many are suppressed. Each of them stands in the list once.
    fn suppressed(&self) -> usize {
        self.addresses.div_ceil(ONE_HIT_IN)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn list(&self) -> PathBuf {
        self.path("list")
    }

    /// What is left of it.
    fn expected(&self) -> PathBuf {
        self.path("expected")
    }

    fn sorted(&self) -> PathBuf {
        self.path("list.sorted")
    }

    fn sorted_suppressed(&self) -> PathBuf {
        self.path("suppressed.sorted")
    }

    fn sort_and_comm(&self, kept: &Path) {
        let sorted = self.path("list.sorted-again");
        sort(&self.list(), &sorted);
        self.comm(&sorted, kept);
    }

    fn comm(&self, sorted: &Path, kept: &Path) {
        let kept = File::create(kept).unwrap();
        succeed(on_cores(ALL_CORES, "comm").env("LC_ALL", "C").arg("-23").arg(sorted).arg(self.sorted_suppressed()).stdout(kept));
    }

    /// The most that the command has held. It gets the list by a pipe, and is looked at before that is closed: what lies in the
    /// pipe then is all that it has not seen.
    fn most_memory_mib(&self, server: &Server) -> f64 {
        let mut child = filter_command(server, &self.path("kept")).stdin(Stdio::piped()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::copy(&mut File::open(self.list()).unwrap(), &mut input).unwrap();
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        drop(input);
        assert!(child.wait().unwrap().success());
        most.unwrap() / 1024.0
    }

    /// All the CPU that this process and its children use for it. What keeps the order of the list must keep all else of it, too.
    fn cost(&self, work: impl FnOnce(&Path), keeps_order: bool) -> Cost {
        let kept = self.path("kept");
        let cost = cost_of(|| cpu_of(std::process::id()), self.addresses, || work(&kept));
        if keeps_order {
            let is_expected = Command::new("cmp").arg("--silent").arg(&kept).arg(self.expected()).status().unwrap().success();
            assert!(is_expected, "the output is not the input less the suppressed");
        }
        cost
    }
}

fn put(path: &Path, addresses: impl Iterator<Item = String>) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    for address in addresses {
        writeln!(file, "{address}").unwrap();
    }
    file.flush().unwrap();
}

fn copy(list: &Path, kept: &Path) {
    let (mut list, mut kept) = (File::open(list).unwrap(), File::create(kept).unwrap());
    let mut buffer = vec![0; BUFFER_BYTES];
    while let bytes @ 1.. = list.read(&mut buffer).unwrap() {
        kept.write_all(&buffer[..bytes]).unwrap();
    }
}

fn filter(server: &Server, list: &Path, kept: &Path) {
    succeed(filter_command(server, kept).arg(list));
}

fn filter_command(server: &Server, kept: &Path) -> Command {
    let mut command = on_cores(ALL_CORES, env!("CARGO_BIN_EXE_suppressd"));
    command.args(["filter", "--server", &format!("http://{}", server.grpc()), "--output"]).arg(kept).stderr(Stdio::null());
    command
}

/// As bytes, which is the quickest.
fn sort(list: &Path, sorted: &Path) {
    succeed(on_cores(ALL_CORES, "sort").env("LC_ALL", "C").arg("--output").arg(sorted).arg(list));
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}
