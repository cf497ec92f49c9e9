//! What an address takes in Redis and on the disk, and what the executable takes when nobody asks.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore, MAX_RECORDS_IN_MEMORY_BYTES};
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _};
use suppressd_core::{Address, LetterLimits};

use crate::events;
use crate::form::Form;
use crate::limits;
use crate::recipients;
use crate::redis::OwnRedis;
use crate::report::Report;
use crate::server::Server;

const RECIPIENTS_PER_WEBHOOK: usize = 500;

const WORK: &str = "footprint";

pub(crate) fn run(form: &Form, report: &mut Report) {
    of_redis(form, report);
    of_directory(form, report);
    of_executable(form, report);
    of_idleness(form, report);
}

fn of_redis(form: &Form, report: &mut Report) {
    let addresses = form.pick(50_000, 500_000);
    let redis = OwnRedis::start();
    let server = Server::suppressd(&redis.url(), &[]);
    let before = used_memory(&redis);
    two_events_each(&server, addresses);
    let with_changes = used_memory(&redis);
    drop(server);
    delete_changes(&redis);
    let bytes = used_memory(&redis).saturating_sub(before) as f64 / addresses as f64;
    let of_changes = with_changes.saturating_sub(before) as f64 / addresses as f64 - bytes;
    report.limit("bytes of an address with two events in Redis, feed included", bytes, limits::REDIS_BYTES);
    report.figure(WORK, "a change in Redis, of which so many are kept", of_changes / 2.0, "bytes");
}

fn used_memory(redis: &OwnRedis) -> u64 {
    let info: ::redis::InfoDict = ::redis::cmd("INFO").arg("memory").query(&mut redis.connect()).unwrap();
    info.get("used_memory").unwrap()
}

fn delete_changes(redis: &OwnRedis) {
    let mut connection = redis.connect();
    let keys: Vec<String> = ::redis::cmd("KEYS").arg("sup:*:changes").query(&mut connection).unwrap();
    assert!(!keys.is_empty(), "there are no changes");
    ::redis::cmd("DEL").arg(keys).exec(&mut connection).unwrap();
}

/// Of the changes only the latest are kept, so that next to nothing of them is in what is measured.
fn of_directory(form: &Form, report: &mut Report) {
    let addresses = form.pick(100_000, 1_000_000);
    let directory = form.place("footprint");
    let server = Server::suppressd(&directory, &["--changes-kept", "1"]);
    two_events_each(&server, addresses);
    drop(server);
    compact(&directory);
    let (journals, others) = bytes_below(&directory);
    let of_address = |bytes| bytes as f64 / addresses as f64;
    report.limit("bytes of an address with two events on the disk", of_address(others), limits::DISK_BYTES);
    report.figure(WORK, "journals of that directory, compacted or not", journals as f64 / f64::from(1 << 20), "MiB");
}

/// Has the files written anew, as they are after an erasure.
fn compact(directory: &Path) {
    let settings = EmbeddedSettings {
        directory: directory.to_path_buf(),
        letter_limits: LetterLimits::default(),
        changes_kept: 1,
        max_records_in_memory_bytes: MAX_RECORDS_IN_MEMORY_BYTES,
        waits_for_disk: true,
    };
    let store = EmbeddedStore::open(&settings).unwrap();
    let one: [Address; 1] = [events::recipient(0).parse().unwrap()];
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let seen = store.records(&one).await.unwrap().remove(0);
        assert!(seen.is_some(), "nothing was recorded");
        store.erase(&one[0], seen.as_ref(), None).await.unwrap();
        assert!(store.compact().await.unwrap(), "the files are not compacted");
    });
}

/// The bytes of journals, which end in `.jnl`, and of all other files.
fn bytes_below(directory: &Path) -> (u64, u64) {
    let (mut journals, mut others) = (0, 0);
    for entry in std::fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            let (journals_below, others_below) = bytes_below(&entry.path());
            journals += journals_below;
            others += others_below;
        } else if entry.path().extension().is_some_and(|ending| ending == "jnl") {
            journals += metadata.len();
        } else {
            others += metadata.len();
        }
    }
    (journals, others)
}

fn two_events_each(server: &Server, addresses: usize) {
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    for first in (0..addresses).step_by(RECIPIENTS_PER_WEBHOOK) {
        let body = events::two_bounces_each(first..first + RECIPIENTS_PER_WEBHOOK);
        let answer = agent.post(&url).send(body).unwrap().into_body().read_to_string().unwrap();
        assert!(answer.contains(&format!("\"recorded\":{}", 2 * RECIPIENTS_PER_WEBHOOK)), "{answer}");
    }
}

fn of_executable(form: &Form, report: &mut Report) {
    let (built, stripped) = (Path::new(env!("CARGO_BIN_EXE_suppressd")), form.place("stripped"));
    let mebibytes = |path: &Path| std::fs::metadata(path).unwrap().len() as f64 / f64::from(1 << 20);
    report.figure(WORK, "the executable as it is built", mebibytes(built), "MiB");
    // Of binutils, which is there where there is a linker.
    if Command::new("strip").arg("-o").arg(&stripped).arg(built).status().is_ok_and(|status| status.success()) {
        report.figure(WORK, "the executable, stripped", mebibytes(&stripped), "MiB");
    }
}

fn of_idleness(form: &Form, report: &mut Report) {
    let redis = OwnRedis::start();
    for (name, store) in [("embedded", form.place("idle")), ("Redis", redis.url())] {
        let server = Server::suppressd(&store, &[]);
        recipients::wait_for_filter(&server, 0);
        let (before, started) = (server.cpu(), Instant::now());
        std::thread::sleep(Duration::from_secs(form.pick(2, 10)));
        let share = server.cpu().saturating_sub(before).as_secs_f64() / started.elapsed().as_secs_f64();
        report.figure(WORK, &format!("CPU of a server that nobody asks, {name}"), share * 100.0, "% of a core");
    }
}
