//! From the start of the process until it is ready and knows all addresses of its directory.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::form::Form;
use crate::limits;
use crate::process::{ALL_CORES, cpu_of_own_thread};
use crate::recipients;
use crate::report::Report;
use crate::rounds::{Contender, Cost, Role, cost_of, interleave};
use crate::server::Server;

const BUFFER_BYTES: usize = 1 << 20;

/// Longest time until it is ready.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long between two looks at that.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

const READING: &str = "reading the same bytes";
const SUPPRESSD: &str = "suppressd, until all is known";

pub(crate) fn run(form: &Form, report: &mut Report) {
    let addresses = form.sizes[form.sizes.len() - 1];
    let directory = recipients::directory(form, addresses);
    let contenders = vec![
        Contender::new(READING, Role::Floor, |_| cost_of(cpu_of_own_thread, addresses, || read_all(&directory))),
        Contender::new(SUPPRESSD, Role::Suppressd, |_| start(&directory, addresses)),
    ];
    let work = format!("start on a directory of {addresses} addresses");
    let comparison = interleave(&work, "address", form.rounds, contenders);
    let seconds = addresses as f64 / comparison.named(SUPPRESSD).operations_per_second();
    report.compare(comparison);
    report.limit(&format!("{work}, s"), seconds, limits::START_SECONDS);
}

/// Its CPU is all that the process has used. It is ended afterwards, so that each round starts another one.
fn start(directory: &Path, addresses: usize) -> Cost {
    let started = Instant::now();
    let server = Server::suppressd_on(ALL_CORES, directory, &[]);
    recipients::wait_for_filter(&server, addresses);
    while ureq::get(format!("http://{}/readyz", server.http())).call().is_err() {
        assert!(started.elapsed() < PATIENCE, "it is never ready");
        std::thread::sleep(LOOK_INTERVAL);
    }
    Cost::of(addresses, server.cpu(), started.elapsed())
}

fn read_all(directory: &Path) {
    let mut buffer = vec![0; BUFFER_BYTES];
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        if entry.file_type().unwrap().is_dir() {
            read_all(&entry.path());
        } else {
            let mut file = File::open(entry.path()).unwrap();
            while file.read(&mut buffer).unwrap() > 0 {}
        }
    }
}
