//! Hashed storage, and a person's right to erasure: nothing readable is left anywhere, and who was suppressed stays so.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use suppressd_service::proto::{ListSuppressionsRequest, SuppressionReason};
use tonic::Code;

use super::Ground;
use super::commands::text;
use super::webhook::{body, payload};
use crate::servers::files::{files_with, holds};
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::{Launch, Suppressd, run};

super::on_both_stores!(
    a_store_that_was_hashed_from_the_start_never_holds_a_name,
    a_store_that_was_begun_without_a_key_holds_nothing_after_an_erasure,
    what_was_kept_before_there_was_a_key_counts_on,
    who_was_not_suppressed_is_unknown_after_an_erasure,
    without_a_key_nothing_is_erased,
    a_store_with_a_key_is_not_opened_without_it,
    an_operator_lists_and_suppresses_by_a_domain_that_is_hashed,
);

const ALICE: &str = "alice.who.goes@example.com";
const BOB: &str = "bob.who.stays@example.com";

/// A file with a key.
struct Key(tempfile::TempDir);

impl Key {
    fn new(letter: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("key"), letter.repeat(32) + "\n").unwrap();
        Self(directory)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("key")
    }

    fn launch(&self, ground: &Ground) -> Launch {
        ground.launch().flags(&["--log", "debug", "--address-key-file", self.path().to_str().unwrap()])
    }
}

impl Ground {
    /// Where all files of the store are, the letters with them, when the store has written them anew.
    fn files(&self) -> &Path {
        match self {
            Self::Embedded(directory) => directory.path(),
            Self::Redis(server) => {
                server.save();
                server.rewrite();
                server.directory()
            }
        }
    }
}

/// Waits until the files of an embedded store are written anew: on a busy machine that takes longer than a call waits for it.
fn await_files(ground: &Ground, server: &Suppressd) {
    if let Ground::Embedded(_) = ground {
        await_condition("the files are not written anew", || server.admin().erase(ALICE).unwrap().compacted.then_some(()));
    }
}

/// Ends it, and holds its log to the rule.
fn end(server: Suppressd) {
    let (status, log) = server.terminate();
    assert!(status.success(), "{log}");
    for name in [ALICE, BOB] {
        assert!(!holds(log.as_bytes(), name), "{log}");
    }
}

/// Posts what is suppressed for, and what is refused and names her in three ways.
fn post_everything(server: &Suppressd) {
    let webhook = server.webhook();
    for (number, name) in [ALICE, BOB].into_iter().enumerate() {
        assert_eq!(webhook.post(body("b", name, "bad-mailbox", number)).counts(), [1, 0, 0, 0]);
        server.admin().suppress(name, &format!("asked by mail from {name}")).unwrap();
    }
    let mut elsewhere = payload("?", "nobody@example.com", "other", 7);
    elsewhere["dsnDiag"] = json!(format!("smtp;550 <{}>: unknown", ALICE.to_uppercase()));
    let escaped = format!(r#"{{"type":"?","rcpt":"{}"}}"#, ALICE.replace('@', "\\u0040"));
    let cut = format!(r#"{{"type":"b","rcpt":"{ALICE}"#);
    for refused in [elsewhere.to_string(), escaped, cut, body("?", BOB, "other", 8)] {
        assert!(matches!(webhook.post(refused).status, 400 | 422));
    }
}

fn letters(server: &Suppressd) -> usize {
    let listed = run(&["rejected", "list", "--server", &server.grpc_url()]);
    text(&listed).lines().count()
}

/// That she is suppressed, known as erased, and that nothing changes that.
fn stays_erased(server: &Suppressd) {
    let late = body("b", ALICE, "quota-issues", 99);
    assert_eq!(server.webhook().post(late).counts(), [0, 0, 1, 0]);
    assert_eq!(server.webhook().post(body("b", ALICE, "bad-mailbox", 0)).counts(), [0, 0, 1, 0]);
    let answer = server.checks().one(ALICE).unwrap();
    assert_eq!(answer.suppressed, Some(true));
    assert!(
        answer.detail.starts_with("erased on request, at ") && answer.detail.ends_with("; stays suppressed"),
        "{}",
        answer.detail
    );
    let record = server.admin().record(ALICE).unwrap();
    assert!(record.erased_at.is_some() && record.events.is_empty() && record.manual_entry.is_none(), "{record:?}");
    assert_eq!(server.admin().lift(ALICE, "wants it back").unwrap_err().code(), Code::FailedPrecondition);
    let explained = run(&["explain", ALICE, "--server", &server.grpc_url()]);
    assert!(text(&explained).contains("  rule: tombstone\n"), "{}", text(&explained));
}

fn a_store_that_was_hashed_from_the_start_never_holds_a_name(ground: &Ground) {
    let key = Key::new("k");
    let server = key.launch(ground).start();
    let post = |kind: &str, name: &str, category: &str, number| server.webhook().post(body(kind, name, category, number));
    assert_eq!(post("b", ALICE, "bad-mailbox", 1).counts(), [1, 0, 0, 0]);
    assert_eq!(post("b", &ALICE.to_uppercase(), "bad-mailbox", 1).counts(), [0, 1, 0, 0]);
    assert_eq!(post("d", ALICE, "", 2).counts(), [1, 0, 0, 0]);
    assert!(matches!(post("?", ALICE, "other", 3).status, 400 | 422));
    assert!(matches!(post("?", ALICE, "other", 3).status, 400 | 422));
    assert!(server.checks().is_suppressed(ALICE) && !server.checks().is_suppressed(BOB));
    assert_eq!(letters(&server), 1, "a retry is recognised");
    let listed = run(&["rejected", "list", "--server", &server.grpc_url()]);
    let listed = text(&listed);
    let id = listed.split('\t').next().unwrap();
    let shown = run(&["rejected", "show", id, "--server", &server.grpc_url()]);
    assert_eq!(text(&shown), body("?", ALICE, "other", 3));
    assert!(listed.contains(&format!("\t{} bytes\ttype: unknown record type", shown.stdout.len())), "{listed}");
    let domain = ALICE.split_once('@').unwrap().1;
    for readable in [ALICE, domain] {
        assert_eq!(files_with(ground.files(), readable), [] as [&Path; 0]);
    }
    assert!(!files_with(ground.files(), "mta1").is_empty(), "they hold what else there is");

    let erased = server.admin().erase(&format!(" <{}>", ALICE.to_uppercase())).unwrap();
    assert_eq!(
        (erased.suppressed, erased.reason(), erased.had_record, erased.letters),
        (true, SuppressionReason::HardBounce, true, 1)
    );
    assert_eq!(letters(&server), 0);
    stays_erased(&server);
    await_files(ground, &server);
    assert_eq!(files_with(ground.files(), "mta1"), [] as [&Path; 0], "nor anything that was known");
    let again = server.admin().erase(ALICE).unwrap();
    assert_eq!(
        (again.suppressed, again.reason(), again.had_record, again.letters),
        (true, SuppressionReason::HardBounce, false, 0)
    );
    end(server);
    let server = key.launch(ground).start();
    stays_erased(&server);
    end(server);
}

fn a_store_that_was_begun_without_a_key_holds_nothing_after_an_erasure(ground: &Ground) {
    let server = ground.start();
    post_everything(&server);
    assert_eq!(letters(&server), 4);
    for name in [ALICE, BOB] {
        assert!(!files_with(ground.files(), name).is_empty(), "the search finds {name}");
    }
    assert!(server.terminate().0.success());

    let key = Key::new("k");
    let server = key.launch(ground).start();
    // Something under the name and something under the pseudonym.
    assert_eq!(server.webhook().post(body("f", ALICE, "", 5)).counts(), [1, 0, 0, 0]);
    assert_eq!(server.admin().record(ALICE).unwrap().events.len(), 2);
    let erased = run(&["erase", ALICE, "--server", &server.grpc_url()]);
    let said = text(&erased);
    assert!(
        said.starts_with(&format!("{ALICE}\terased\tstays suppressed; a record and 3 letters were there; ")),
        "{said}{erased:?}"
    );
    await_files(ground, &server);
    assert_eq!(files_with(ground.files(), ALICE), [] as [&Path; 0]);
    assert_eq!(files_with(ground.files(), &ALICE.replace('@', "\\u0040")), [] as [&Path; 0]);
    assert_eq!(letters(&server), 1);
    stays_erased(&server);
    // Everybody else is as before.
    let bob = server.admin().record(BOB).unwrap();
    assert_eq!((bob.events.len(), bob.manual_entry.unwrap().note), (1, format!("asked by mail from {BOB}")));
    assert!(!files_with(ground.files(), BOB).is_empty(), "who has not asked for it is not erased");
    end(server);
    let server = key.launch(ground).start();
    stays_erased(&server);
    assert!(server.checks().is_suppressed(BOB));
    assert_eq!(files_with(ground.files(), ALICE), [] as [&Path; 0]);
    end(server);
}

fn what_was_kept_before_there_was_a_key_counts_on(ground: &Ground) {
    let soft = |number| body("b", ALICE, "quota-issues", number);
    let server = ground.start();
    (1..=3).for_each(|number| assert_eq!(server.webhook().post(soft(number)).counts(), [1, 0, 0, 0]));
    server.webhook().post(body("b", BOB, "bad-mailbox", 7));
    assert!(server.terminate().0.success());

    let key = Key::new("k");
    let server = key.launch(ground).start();
    let checks = server.checks();
    assert!(checks.is_suppressed(BOB));
    assert_eq!(checks.soft_bounces(ALICE), 3);
    // The webhook comes again, which is no other bounce. Two new ones make five.
    for number in 1..=4 {
        server.webhook().post(soft(number));
        server.webhook().post(soft(number));
    }
    assert_eq!(checks.soft_bounces(ALICE), 4);
    server.webhook().post(soft(5));
    assert!(checks.is_suppressed(ALICE));
    // A lift holds for both halves, and what comes later counts anew.
    let fence = server.admin().lift(ALICE, "it is emptied").unwrap().lift.unwrap().fence.unwrap().seconds;
    server.admin().lift(BOB, "a mistake").unwrap();
    assert!(!checks.is_suppressed(ALICE) && !checks.is_suppressed(BOB));
    assert_eq!(checks.soft_bounces(ALICE), 0);
    for number in 11..16 {
        let mut event = payload("b", ALICE, "quota-issues", number);
        event["timeLogged"] = (fence + 60).to_string().into();
        server.webhook().post(event.to_string());
    }
    assert!(checks.is_suppressed(ALICE));
    end(server);
}

fn who_was_not_suppressed_is_unknown_after_an_erasure(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", ALICE, "quota-issues", 1));
    assert!(server.terminate().0.success());
    let key = Key::new("k");
    let server = key.launch(ground).start();
    server.webhook().post(body("b", ALICE, "quota-issues", 2));
    assert_eq!(server.checks().soft_bounces(ALICE), 2);
    let erased = server.admin().erase(ALICE).unwrap();
    assert_eq!((erased.suppressed, erased.reason(), erased.had_record), (false, SuppressionReason::Unspecified, true));
    assert!(server.admin().record(ALICE).is_none());
    await_files(ground, &server);
    assert_eq!(files_with(ground.files(), ALICE), [] as [&Path; 0]);
    // What comes later is of somebody who is not known.
    assert_eq!(server.webhook().post(body("b", ALICE, "quota-issues", 1)).counts(), [1, 0, 0, 0]);
    assert_eq!(server.checks().soft_bounces(ALICE), 1);
    assert_eq!(files_with(ground.files(), ALICE), [] as [&Path; 0]);
    end(server);
}

fn without_a_key_nothing_is_erased(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", ALICE, "bad-mailbox", 1));
    let refused = server.admin().erase(ALICE).unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("--address-key-file"), "{refused:?}");
    assert_eq!(server.admin().record(ALICE).unwrap().events.len(), 1);
    let refused = run(&["erase", ALICE, "--server", &server.grpc_url()]);
    assert_eq!(refused.status.code(), Some(2));
    let key = Key::new("k");
    assert!(server.terminate().0.success());
    let server = key.launch(ground).start();
    for no_person in ["*@example.com", "<*@example.com>", "nobody", ""] {
        assert_eq!(server.admin().erase(no_person).unwrap_err().code(), Code::InvalidArgument, "{no_person:?}");
    }
}

fn a_store_with_a_key_is_not_opened_without_it(ground: &Ground) {
    let [key, other] = ["k", "l"].map(Key::new);
    let refused = |launch: Launch, words: &str| {
        let output = launch.fail();
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(!output.status.success() && said.contains(words) && said.contains("--address-key-file"), "{said}");
    };
    let server = key.launch(ground).start();
    server.webhook().post(body("b", ALICE, "bad-mailbox", 1));
    end(server);
    refused(ground.launch(), "hashed by a key, and none is given");
    refused(other.launch(ground), "hashed by another key");
    let server = key.launch(ground).start();
    assert!(server.checks().is_suppressed(ALICE));
    end(server);
}

#[test]
fn a_key_that_could_be_guessed_is_refused_before_anything_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    let file = file.to_str().unwrap();
    let refused = |words: &str| {
        let output = run(&["serve", "--check-config", "--address-key-file", file]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(64), "{said}");
        assert!(said.contains(words) && said.contains("--address-key-file") && !said.contains("secret"), "{said}");
    };
    refused("cannot read");
    fs::write(file, "secret of thirty-one bytes.....\n").unwrap();
    refused("fewer than 32 bytes");
    fs::write(file, "secret of thirty-two bytes......\n").unwrap();
    assert!(run(&["serve", "--check-config", "--address-key-file", file]).status.success());
}

#[test]
fn a_process_without_a_key_notices_that_others_have_one() {
    let ground = Ground::redis();
    let Ground::Redis(redis) = &ground else { panic!() };
    let without = ground.start();
    assert_eq!(without.webhook().post(body("b", BOB, "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    let key = Key::new("k");
    let with = key.launch(&ground).start();
    assert!(with.checks().is_suppressed(BOB));
    // A Redis that is slow for a moment is no reason to wait for less.
    let is_refused = || without.webhook().get("/readyz").text.contains("settings");
    await_condition("it goes on without the key", || is_refused().then_some(()));
    assert_eq!(without.webhook().post(body("b", BOB, "quota-issues", 2)).status, 503);
    assert_eq!(without.checks().one(BOB).unwrap_err().code(), Code::Unavailable);
    let (_, log) = without.terminate();
    assert!(log.contains("hashed by a key, and none is given"), "{log}");
    // What it holds says so to an operator, too.
    assert!(redis.cli::<String>(&["GET", "sup:{00}:addresses"]).starts_with("mixed:"));
    end(with);
}

fn an_operator_lists_and_suppresses_by_a_domain_that_is_hashed(ground: &Ground) {
    let key = Key::new("k");
    let server = key.launch(ground).start();
    for (number, name) in [ALICE, BOB, "carol@example.org"].into_iter().enumerate() {
        server.webhook().post(body("b", name, "bad-mailbox", number));
    }
    let listed = |domain: &str| {
        let request = ListSuppressionsRequest { domain: domain.into(), ..ListSuppressionsRequest::default() };
        server.admin().list(request, || {})
    };
    assert_eq!((listed("").len(), listed("Example.com").len(), listed("example.net").len()), (3, 2, 0));
    assert!(listed("").iter().all(|listed| !listed.email.contains("example")), "{:?}", listed(""));
    // An incident of a domain covers its recipients, in checks as in lists.
    let by_command = |arguments: &[&str]| {
        let output = run(&[arguments, &["--server", &server.grpc_url()]].concat());
        assert!(output.status.success(), "{output:?}");
        text(&output).to_owned()
    };
    let opening =
        ["incident", "open", "--from", "2023-09-01", "--to", "2023-09-30", "--domain", "example.com", "--why", "it lied"];
    let previewed = by_command(&opening);
    assert!(previewed.contains("0 would be suppressed, 2 released, of 3 addresses"), "{previewed}");
    by_command(&[&opening[..], &["--yes"]].concat());
    server.checks().await_that("it is in force", |checks| !checks.is_suppressed(ALICE));
    assert_eq!((listed("").len(), listed("example.com").len(), listed("example.org").len()), (1, 0, 1));
    end(server);
}
