//! Lists without those who are suppressed: what is kept is kept as it was, and nobody gets through unasked.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Output, Stdio};
use std::time::{Duration, Instant};

use super::Ground;
use super::commands::{text, with_input};
use super::webhook::body;
use crate::servers::replication_proxy::ReplicationProxy;
use crate::servers::suppressd::{PATIENCE, Suppressd, command};

super::on_both_stores!(
    each_kind_of_list_comes_out_less_the_suppressed,
    a_long_list_takes_no_more_memory_than_a_short_one,
    a_server_that_is_killed_midway_lets_nobody_through,
);

/// Most memory of the command, in kibibytes.
const MAX_MEMORY_KIB: u64 = 64 << 10;

/// One address in so many is suppressed, in a long list.
const ONE_SUPPRESSED_IN: usize = 33;

fn filter(server: &Suppressd, arguments: &[&str], list: &str) -> Output {
    with_input(&[&["filter", "--server", &server.grpc_url()], arguments].concat(), list.as_bytes())
}

/// Starts it on standard input. Whoever holds that decides when it ends.
fn start(url: &str, arguments: &[&str]) -> (Child, ChildStdin) {
    let mut command = command();
    command.args(["filter", "--server", url]).args(arguments);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let input = child.stdin.take().unwrap();
    (child, input)
}

/// Waits, with a bound, for something to be so.
fn await_that(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How many bytes lie in a directory, and under which names.
fn content(directory: &Path) -> (u64, BTreeSet<String>) {
    let entries: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap()).collect();
    let bytes = entries.iter().filter_map(|entry| Some(entry.metadata().ok()?.len())).sum();
    (bytes, entries.iter().map(|entry| entry.file_name().into_string().unwrap()).collect())
}

/// Suppresses what of a long list is to be, and gives the list and what is left of it.
fn long_list(server: &Suppressd, addresses: usize) -> (String, String) {
    let is_suppressed = |number: usize| number.is_multiple_of(ONE_SUPPRESSED_IN) && number < 3000;
    let line = |number: usize| format!("recipient{number}@example{}.com\r\n", number % 7);
    let suppressed = (0..addresses).filter(|number| is_suppressed(*number));
    let events: String = suppressed.map(|number| body("b", line(number).trim(), "bad-mailbox", number) + "\n").collect();
    server.webhook().post(events).counts();
    let kept = (0..addresses).filter(|number| !is_suppressed(*number)).map(line).collect();
    ((0..addresses).map(line).collect(), kept)
}

fn each_kind_of_list_comes_out_less_the_suppressed(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    server.webhook().post(body("f", "angry@example.com", "", 2)).counts();
    let cases = [
        ("ok@example.com\r\n Bad@Example.com\r\n\r\nnonsense\nlast@example.com", "ok@example.com\r\n\r\nlast@example.com"),
        (
            "\u{feff}name;E-Mail;note\r\nAnn;ok@example.com;\"two\r\nlines; \"\"x\"\"\"\r\nBob;\"bad@example.com\";x\r\nCy\r\n\
             Di;;\r\nEd;angry@example.com;\r\n\r\nAnn;ok@example.com;again",
            "\u{feff}name;E-Mail;note\r\nAnn;ok@example.com;\"two\r\nlines; \"\"x\"\"\"\r\n\r\nAnn;ok@example.com;again",
        ),
        (
            "{\"id\":1, \"email\":\"ok@example.com\"}\n{\"email\":\"b\\u0061d@example.com\"}\n{\"id\":3}\n\n{\"email\":\"z@example.com\"}\n",
            "{\"id\":1, \"email\":\"ok@example.com\"}\n\n{\"email\":\"z@example.com\"}\n",
        ),
        ("email\nbad@example.com\n", "email\n"),
        ("", ""),
    ];
    for (list, kept) in cases {
        let output = filter(&server, &[], list);
        assert_eq!((output.status.code(), text(&output)), (Some(0), kept), "{output:?}");
    }

    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let (list, clean, rejects) = (path("list.csv"), path("clean.csv"), path("rejects.csv"));
    std::fs::write(&list, cases[1].0).unwrap();
    let output = filter(&server, &[&list, "--output", &clean, "--rejects", &rejects], "");
    assert_eq!((output.status.code(), text(&output)), (Some(0), ""), "{output:?}");
    assert_eq!(std::fs::read_to_string(&clean).unwrap(), cases[1].1);
    let dropped = std::fs::read_to_string(&rejects).unwrap();
    let expected = "line,address,reason,detail\n\
        4,bad@example.com,HARD_BOUNCE,\"hard bounce, bad-mailbox 5.1.1, since 2023-09-20T15:14:03Z\"\n\
        5,Cy,INVALID_ADDRESS,the row has no such column\n6,Di;;,INVALID_ADDRESS,it is empty\n\
        7,angry@example.com,COMPLAINT,";
    assert!(dropped.starts_with(expected), "{dropped}");
    assert_eq!(content(directory.path()).1.len(), 3, "nothing else is left");
}

fn a_long_list_takes_no_more_memory_than_a_short_one(ground: &Ground) {
    let server = ground.start();
    let (list, kept) = long_list(&server, 100_000);
    let directory = tempfile::tempdir().unwrap();
    let clean = directory.path().join("clean");
    let (child, mut input) = start(&server.grpc_url(), &["--output", clean.to_str().unwrap()]);
    input.write_all(list.as_bytes()).unwrap();
    // All but what fits in the pipe is read by now.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(most.unwrap() < MAX_MEMORY_KIB, "{most:?} KiB");
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(clean).unwrap(), kept);
}

fn a_server_that_is_killed_midway_lets_nobody_through(ground: &Ground) {
    let server = ground.start();
    let (list, kept) = long_list(&server, 40_000);
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let url = server.grpc_url();
    let (to_file, mut of_file) = start(&url, &["--output", &path("clean"), "--rejects", &path("rejects")]);
    let (mut to_pipe, mut of_pipe) = start(&url, &[]);
    // So little that it is taken although nobody reads what comes out.
    let (before, after) = list.split_at(list.len() / 5);
    of_pipe.write_all(before.as_bytes()).unwrap();
    of_file.write_all(before.as_bytes()).unwrap();
    let mut written = vec![0; 1000];
    to_pipe.stdout.as_mut().unwrap().read_exact(&mut written).unwrap();
    await_that("something is written", || content(directory.path()).0 > 1000);
    server.kill();
    let piped = std::thread::spawn(move || to_pipe.wait_with_output().unwrap());
    for mut input in [of_file, of_pipe] {
        let after = after.to_owned();
        // They may give up before they have read all of it.
        std::thread::spawn(move || input.write_all(after.as_bytes()));
    }
    let piped = piped.join().unwrap();
    written.extend_from_slice(&piped.stdout);
    assert!(kept.as_bytes().starts_with(&written) && written.len() < kept.len());
    let said = String::from_utf8(piped.stderr).unwrap();
    assert!(piped.status.code() == Some(2) && said.contains("the list on standard output is incomplete"), "{said}");

    let filed = to_file.wait_with_output().unwrap();
    let said = String::from_utf8(filed.stderr).unwrap();
    assert!(filed.status.code() == Some(2) && said.contains("clean was not written: gave up after 6 attempts"), "{said}");
    assert_eq!(content(directory.path()).1, BTreeSet::new());
}

#[test]
fn a_server_that_comes_back_is_asked_again() {
    let ground = Ground::redis();
    let (first, second) = (ground.start(), ground.start());
    let (list, kept) = long_list(&first, 40_000);
    second.checks().await_that("the other one knows", |checks| checks.is_suppressed("recipient2970@example2.com"));
    let proxy = ReplicationProxy::start();
    proxy.stand_before(first.grpc().port());
    let directory = tempfile::tempdir().unwrap();
    let clean = directory.path().join("clean");
    let url = format!("http://127.0.0.1:{}", proxy.port());
    let (child, mut input) = start(&url, &["--output", clean.to_str().unwrap()]);
    let (before, after) = list.split_at(list.len() / 2);
    input.write_all(before.as_bytes()).unwrap();
    await_that("something is written", || content(directory.path()).0 > 1000);
    proxy.stand_before(second.grpc().port());
    first.kill();
    input.write_all(after.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(clean).unwrap(), kept);
}

#[test]
fn who_is_asked_to_end_midway_leaves_no_file() {
    let ground = Ground::embedded();
    let server = ground.start();
    for signal in ["-TERM", "-INT"] {
        let directory = tempfile::tempdir().unwrap();
        let clean = directory.path().join("clean");
        std::fs::write(&clean, "before").unwrap();
        let (child, mut input) = start(&server.grpc_url(), &["--output", clean.to_str().unwrap()]);
        input.write_all("ok@example.com\n".repeat(20_000).as_bytes()).unwrap();
        await_that("something is written", || content(directory.path()).0 > 1000);
        assert!(std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert_eq!(content(directory.path()).1, BTreeSet::from(["clean".to_owned()]));
        assert_eq!(std::fs::read_to_string(&clean).unwrap(), "before");
    }
}

#[test]
fn what_cannot_be_done_is_refused_before_anything_is_written() {
    let ground = Ground::embedded();
    let server = ground.launch().variable("SUPPRESSD_READ_TOKEN", "reader").start();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let run = |token: &str, arguments: &[&str]| {
        let list = path("list.csv");
        std::fs::write(&list, "name,Kontakt\nAnn,ok@example.com\n").unwrap();
        let mut command = command();
        command.env("SUPPRESSD_READ_TOKEN", token).args(["filter", &list, "--server", &server.grpc_url()]).args(arguments);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (clean, column) = (path("clean"), ["--column", "Kontakt"]);
    let good = run("reader", &column);
    assert_eq!((good.0, &*good.1), (0, "name,Kontakt\nAnn,ok@example.com\n"));
    for (token, arguments, why) in [
        ("wrong", &[&column[..], &["--output", &clean]].concat()[..], "Unauthenticated|valid authentication"),
        ("reader", &["--output", &clean], "\"name\", \"Kontakt\""),
        ("reader", &["--column", "email", "--output", &clean], "\"email\" is none"),
        ("reader", &["--field", "email", "--column", "x"], "cannot be used with"),
        ("reader", &["--format", "plain", "--column", "Kontakt", "--output", &clean], "--column is for CSV"),
        ("reader", &["--format", "ndjson", "--output", &clean], "no JSON object"),
        ("reader", &[&column[..], &["--output", &clean, "--rejects", &clean]].concat(), "cannot be one file"),
        ("reader", &[&column[..], &["--output", "/dev/full"]].concat(), "/dev/full is no file"),
        ("reader", &[&column[..], &["--output", &path("none/clean")]].concat(), "cannot write"),
    ] {
        let (code, out, said) = run(token, arguments);
        assert!(code == 2 && why.split('|').any(|why| said.contains(why)), "{arguments:?}: {code} {said}");
        assert_eq!(out, "");
        assert_eq!(content(directory.path()).1, BTreeSet::from(["list.csv".to_owned()]));
    }
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let ground = Ground::embedded();
    let server = ground.start();
    for lines in [1, 100_000] {
        let mut command = command();
        command.args(["filter", "--server", &server.grpc_url()]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.stdout(std::fs::File::create("/dev/full").unwrap()).spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        // It ends before it has read all of it.
        let _ = input.write_all("ok@example.com\n".repeat(lines).as_bytes());
        drop(input);
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("incomplete") && said.contains("No space left"), "{said}");
        assert_eq!(child.wait().unwrap().code(), Some(2));
    }
}

#[test]
fn a_server_that_takes_few_addresses_is_asked_for_few() {
    let ground = Ground::embedded();
    let server = ground.launch().flags(&["--max-addresses-per-batch", "7"]).start();
    let list = "ok@example.com\n".repeat(600);
    let output = filter(&server, &[], &list);
    assert_eq!((output.status.code(), text(&output)), (Some(0), &*list));
    let full = with_input(&["filter", "--server", "http://127.0.0.1:1"], b"ok@example.com\n");
    assert_eq!((full.status.code(), text(&full)), (Some(2), ""));
}

#[test]
fn an_account_is_filtered_by_its_own_evidence() {
    let ground = Ground::embedded();
    let server = ground.start();
    for number in 0..5 {
        server.webhook().post(body("b", "soft@example.com", "quota-issues", number)).counts();
    }
    assert_eq!(text(&filter(&server, &["--account", "acme"], "soft@example.com\n")), "");
    assert_eq!(text(&filter(&server, &["--account", "other", "--strict"], "soft@example.com\n")), "soft@example.com\n");
}
