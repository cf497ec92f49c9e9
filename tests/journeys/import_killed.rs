//! Imports that are cut off and go on: nobody is left out, nobody is counted twice.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suppressd_service::proto::SuppressionEntry;
use tempfile::TempDir;

use super::Ground;
use super::commands::text;
use crate::servers::suppressd::{PATIENCE, Suppressd, command, run};

super::on_both_stores!(
    an_import_that_is_killed_goes_on_with_no_doubles,
    what_was_answered_and_not_kept_is_counted_once,
    an_import_outlives_its_server,
);

/// How many lines the list has whose import is killed, if it is not the default: `tests/soak` is for more.
const LINES: &str = "SUPPRESSD_IMPORT_LINES";

const DEFAULT_LINES: usize = 8000;

/// A long list is read through before its import begins.
const PATIENCE_PER_LINE: Duration = Duration::from_millis(1);

/// A list of members: of each hundred one is bad, one a member, one there already, and one twice in it.
struct List {
    directory: TempDir,
    lines: usize,
}

impl List {
    fn new(lines: usize) -> Self {
        let mut text = "Email Address,First Name,UNSUB_TIME,UNSUB_REASON,LEID\n".to_owned();
        for number in 0..lines {
            let time = if number % 100 == 1 { "" } else { "2020-12-14 19:00:00" };
            let _ = writeln!(text, "{},\"N, {number}\",{time},no longer,{number}", email(number));
        }
        let list = Self { directory: tempfile::tempdir().unwrap(), lines };
        std::fs::write(list.path(), text).unwrap();
        list
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("list.csv")
    }

    fn state(&self) -> PathBuf {
        self.directory.path().join("list.csv.suppressd-import")
    }

    fn of_kind(&self, kind: usize) -> usize {
        (0..self.lines).filter(|number| number % 100 == kind).count()
    }

    fn suppress_those_who_are_known(&self, server: &Suppressd) {
        let known: Vec<_> = (0..self.lines).filter(|number| number % 100 == 2).collect();
        let entry = |number: &usize| SuppressionEntry { email: email(*number), note: "known".into(), ..Default::default() };
        for part in known.chunks(1000) {
            assert_eq!(server.admin().enter(part.iter().map(entry).collect()).unwrap().len(), part.len());
        }
    }

    fn expected(&self) -> Value {
        let [refused, skipped, known, twice] = [0, 1, 2, 3].map(|kind| self.of_kind(kind));
        let new = self.lines - refused - skipped - known - twice;
        json!({"new": new, "known": known + twice, "refused": refused, "skipped": skipped})
    }

    /// How many addresses are suppressed in the end.
    fn addresses(&self) -> usize {
        self.lines - self.of_kind(0) - self.of_kind(1) - self.of_kind(3)
    }

    fn start(&self, url: &str) -> Child {
        let mut command = command();
        command.args(["import", self.path().to_str().unwrap(), "--yes", "--json", "--server", url]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn import(&self, url: &str) -> Output {
        self.start(url).wait_with_output().unwrap()
    }

    /// Behind which line it goes on; 0 if nothing is kept yet.
    fn done_line(&self) -> usize {
        let state = std::fs::read(self.state()).ok().and_then(|state| serde_json::from_slice::<Value>(&state).ok());
        state.map_or(0, |state| usize::try_from(state["done_line"].as_u64().unwrap()).unwrap())
    }

    /// Waits until it is behind a line, or has come to its end.
    fn await_line(&self, line: usize, child: &mut Child) {
        let started = Instant::now();
        let patience = PATIENCE.max(PATIENCE_PER_LINE * u32::try_from(self.lines).unwrap());
        while self.done_line() < line && child.try_wait().unwrap().is_none() {
            assert!(started.elapsed() < patience, "it does not go on");
            std::thread::yield_now();
        }
    }
}

fn email(number: usize) -> String {
    match number % 100 {
        0 => format!("nobody{number}"),
        // The one before is known already.
        3 => format!("r{}@example{}.com", number - 1, (number - 1) % 7),
        _ => format!("r{number}@example{}.com", number % 7),
    }
}

fn imported(output: &Output) -> Value {
    let counts: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
    counts["imported"].clone()
}

/// Nobody is missing, and nobody was entered twice.
fn assert_complete(ground: &Ground, server: &Suppressd, list: &List) {
    let listed = run(&["export", "--format", "ndjson", "--server", &server.grpc_url()]);
    assert!(listed.status.success(), "{listed:?}");
    assert_eq!(text(&listed).lines().count(), list.addresses());
    if let Ground::Redis(redis) = ground {
        let all = |stream: &str| -> usize {
            let streams: Vec<String> = redis.cli(&["KEYS", &format!("sup:*:{stream}")]);
            streams.iter().map(|stream| redis.cli::<usize>(&["XLEN", stream])).sum()
        };
        assert_eq!(all("feed"), list.addresses());
        // A bucket keeps its latest changes only.
        if list.lines <= DEFAULT_LINES {
            assert_eq!(all("changes"), list.addresses());
        }
    }
    let left: Vec<_> = std::fs::read_dir(list.directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["list.csv"]);
}

fn an_import_that_is_killed_goes_on_with_no_doubles(ground: &Ground) {
    let lines = std::env::var(LINES).map_or(DEFAULT_LINES, |lines| lines.parse().unwrap());
    let (server, list) = (ground.start(), List::new(lines));
    list.suppress_those_who_are_known(&server);
    let url = server.grpc_url();
    let mut kills = 0;
    for part in 1..5 {
        let mut child = list.start(&url);
        list.await_line(lines / 5 * (part - 1) + 1, &mut child);
        kills += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        let _ = child.wait().unwrap();
        if part == 2 {
            // Whoever imports another list under its name is told.
            let text = std::fs::read_to_string(list.path()).unwrap();
            std::fs::write(list.path(), format!("{text}one-more@example.com,,2020-12-14,,\n")).unwrap();
            let other = list.import(&url);
            let said = String::from_utf8(other.stderr).unwrap();
            assert!(other.status.code() == Some(2) && said.contains("the list has changed"), "{said}");
            std::fs::write(list.path(), text).unwrap();
        }
    }
    assert!(kills >= 3, "only {kills} were killed while they were at it");
    let started = Instant::now();
    let left = lines - list.done_line();
    let output = list.import(&url);
    eprintln!("{left} of {lines} lines in {:?}", started.elapsed());
    assert_eq!((output.status.code(), imported(&output)), (Some(1), list.expected()), "{output:?}");
    assert_complete(ground, &server, &list);
    let again = list.import(&url);
    let (before, all) = (list.expected(), imported(&again));
    let known = before["new"].as_u64().unwrap() + before["known"].as_u64().unwrap();
    assert_eq!((&all["new"], &all["known"]), (&json!(0), &json!(known)), "a second import has nothing to do");
    assert_complete(ground, &server, &list);
}

/// As if it had been killed after each answer and before it was kept.
fn what_was_answered_and_not_kept_is_counted_once(ground: &Ground) {
    let (server, list) = (ground.start(), List::new(3000));
    list.suppress_those_who_are_known(&server);
    let mut child = list.start(&server.grpc_url());
    list.await_line(1, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    let early = std::fs::read(list.state()).unwrap();
    for _ in 0..3 {
        let output = list.import(&server.grpc_url());
        assert_eq!(imported(&output), list.expected(), "{output:?}");
        assert_complete(ground, &server, &list);
        std::fs::write(list.state(), &early).unwrap();
    }
}

fn an_import_outlives_its_server(ground: &Ground) {
    let (server, list) = (ground.start(), List::new(DEFAULT_LINES));
    list.suppress_those_who_are_known(&server);
    let mut child = list.start(&server.grpc_url());
    list.await_line(DEFAULT_LINES / 3, &mut child);
    server.kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("the same command goes on"), "{said}");
    assert!(list.done_line() < DEFAULT_LINES, "it was over before the server was killed");
    let server = ground.start();
    let output = list.import(&server.grpc_url());
    assert_eq!(imported(&output), list.expected(), "{output:?}");
    assert_complete(ground, &server, &list);
}

#[test]
fn two_imports_of_one_list_at_once_are_refused() {
    let ground = Ground::embedded();
    let (server, list) = (ground.start(), List::new(200));
    let file = std::fs::File::open(list.path()).unwrap();
    file.lock().unwrap();
    let output = list.import(&server.grpc_url());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("another process"), "{said}");
    file.unlock().unwrap();
    assert_eq!(imported(&list.import(&server.grpc_url()))["refused"], 2);
}

#[test]
fn a_server_that_takes_few_entries_gets_few() {
    let ground = Ground::embedded();
    let server = ground.launch().flags(&["--max-addresses-per-batch", "7"]).start();
    let list = List::new(600);
    assert_eq!(imported(&list.import(&server.grpc_url()))["skipped"], 6);
    let listed = run(&["export", "--server", &server.grpc_url()]);
    assert_eq!(text(&listed).lines().count(), 1 + 600 - 6 - 6 - 6);
}
