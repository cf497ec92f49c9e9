//! A list filtered by a set in Redis, in the manner of `redis-cli --pipe`: one thread sends batch after batch, another one reads
//! the replies and writes who is kept. A process of its own.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

use crate::instead::SET;
use crate::process::{ALL_CORES, on_cores};
use crate::redis::OwnRedis;

/// What makes the benchmark's executable this process; behind it stand the socket of the Redis, the list, and who is kept.
pub(super) const FLAG: &str = "--filter-by-smismember";

/// Addresses in one question.
const BATCH: usize = 1000;

/// Most questions that are not answered yet.
const MAX_BATCHES_IN_FLIGHT: usize = 16;

/// Starts the process, and waits until it is done.
pub(super) fn run(redis: &OwnRedis, list: &Path, kept: &Path) {
    super::succeed(on_cores(ALL_CORES, std::env::current_exe().unwrap()).arg(FLAG).arg(redis.socket()).arg(list).arg(kept));
}

/// Runs as that process.
pub(super) fn filter(socket: &Path, list: &Path, kept: &Path) {
    let mut questions = UnixStream::connect(socket).unwrap();
    let (replies, kept) = (BufReader::new(questions.try_clone().unwrap()), BufWriter::new(File::create(kept).unwrap()));
    let (sent, asked) = sync_channel::<Vec<String>>(MAX_BATCHES_IN_FLIGHT);
    std::thread::scope(|scope| {
        scope.spawn(move || keep(&asked, replies, kept));
        let mut addresses = BufReader::new(File::open(list).unwrap()).lines().map(Result::unwrap);
        loop {
            let batch: Vec<String> = addresses.by_ref().take(BATCH).collect();
            if batch.is_empty() {
                break;
            }
            let question = ::redis::cmd("SMISMEMBER").arg(SET).arg(&batch).get_packed_command();
            sent.send(batch).unwrap();
            questions.write_all(&question).unwrap();
        }
        drop(sent);
    });
}

/// Writes the addresses of each batch that are no members: a reply is an array of as many numbers.
fn keep(asked: &Receiver<Vec<String>>, mut replies: BufReader<UnixStream>, mut kept: BufWriter<File>) {
    let mut line = String::new();
    let mut next_line = |line: &mut String| {
        line.clear();
        replies.read_line(line).unwrap();
    };
    for batch in asked {
        next_line(&mut line);
        assert_eq!(line.trim_end(), format!("*{}", batch.len()));
        for address in batch {
            next_line(&mut line);
            if line.trim_end() == ":0" {
                writeln!(kept, "{address}").unwrap();
            }
        }
    }
    kept.flush().unwrap();
}
