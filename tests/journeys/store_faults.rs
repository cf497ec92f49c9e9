//! A Redis that refuses, is full, is loading, or holds what it should not: webhooks are told to come again, checks UNAVAILABLE, and
//! who is suppressed is never taken for a good one. When it is mended, all goes on by itself.

use tonic::Code;

use super::webhook::body;
use crate::clients::rust_grpc::Checks;
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::{Launch, Suppressd};

/// What a Redis that keeps what it acknowledged is started with.
const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// Suppressed from the beginning.
const KNOWN: &str = "alice@example.com";

/// The key of its record.
const RECORD: &str = "sup:{5e}:a:alice@example.com";

/// Keys besides, and the microseconds that each of them takes to load.
const KEYS: u32 = 20_000;
const LOAD_MICROS: &str = "200";

/// A Redis and a node on it, which checks all that is asked by what Redis says now.
struct Ground {
    redis: RedisServer,
    node: Suppressd,
    checks: Checks,
    events: usize,
}

impl Ground {
    fn start(arguments: &[&str]) -> Self {
        let redis = RedisServer::start(&[&SAFE, arguments].concat());
        let node = Launch::on(&redis.url()).flags(&["--redis-read-deadline-ms", "2000"]).start();
        let checks = node.checks();
        let mut ground = Self { redis, node, checks, events: 0 };
        ground.assert_goes_on();
        ground
    }

    /// Posts an event of its own.
    fn post(&mut self) -> u16 {
        self.events += 1;
        let answer = self.node.webhook().post(body("b", KNOWN, "bad-mailbox", self.events));
        assert_eq!(answer.retry_after.is_some(), answer.status == 503, "{answer:?}");
        answer.status
    }

    /// Right, or no answer.
    fn is_answered(&self) -> bool {
        match self.checks.one(KNOWN) {
            Ok(answer) => answer.suppressed() || panic!("{answer:?}"),
            Err(status) => status.code() != Code::Unavailable && panic!("{status}"),
        }
    }

    fn assert_refused(&mut self) {
        for _ in 0..3 {
            assert_eq!(self.post(), 503);
        }
    }

    fn assert_unanswered(&self) {
        for _ in 0..3 {
            assert!(!self.is_answered());
        }
        assert_eq!(self.checks.batch(&["nobody@example.com", KNOWN]).unwrap_err().code(), Code::Unavailable);
    }

    /// All goes on by itself.
    fn assert_goes_on(&mut self) {
        await_condition("no event is taken", || (self.post() == 200).then_some(()));
        await_condition("no check is answered", || self.is_answered().then_some(()));
    }
}

#[test]
fn a_log_in_that_fails_is_no_answer() {
    let mut ground = Ground::start(&[]);
    ground.redis.cli::<()>(&["CONFIG", "SET", "requirepass", "another"]);
    let _: u32 = ground.redis.cli_as("another", &["CLIENT", "KILL", "TYPE", "normal"]);
    ground.assert_refused();
    ground.assert_unanswered();
    ground.redis.cli_as::<()>("another", &["CONFIG", "SET", "requirepass", ""]);
    ground.assert_goes_on();
}

#[test]
fn a_right_that_is_missing_is_no_answer() {
    let mut ground = Ground::start(&[]);
    ground.redis.cli::<()>(&["ACL", "SETUSER", "default", "-get", "-mset"]);
    ground.assert_refused();
    ground.assert_unanswered();
    ground.redis.cli::<()>(&["ACL", "SETUSER", "default", "+@all"]);
    ground.assert_goes_on();
}

#[test]
fn a_key_of_another_type_is_no_answer() {
    let mut ground = Ground::start(&[]);
    ground.redis.cli::<()>(&["RENAME", RECORD, "aside"]);
    ground.redis.cli::<()>(&["LPUSH", RECORD, "x"]);
    ground.assert_refused();
    ground.assert_unanswered();
    ground.redis.cli::<()>(&["RENAME", "aside", RECORD]);
    ground.assert_goes_on();
}

#[test]
fn a_redis_that_is_full_takes_nothing_and_goes_on_answering() {
    let mut ground = Ground::start(&["--maxmemory-policy", "noeviction"]);
    ground.redis.cli::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
    ground.assert_refused();
    assert!(ground.is_answered());
    ground.redis.cli::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
    ground.assert_goes_on();
}

#[test]
fn a_redis_that_reads_its_files_is_no_answer() {
    let mut ground = Ground::start(&["--key-load-delay", LOAD_MICROS, "--loading-process-events-interval-bytes", "1024"]);
    let fill = "for n = 1, ARGV[1] do redis.call('SET', 'x' .. n, n) end";
    ground.redis.cli::<()>(&["EVAL", fill, "0", &KEYS.to_string()]);
    ground.redis.kill();
    ground.redis.launch();
    let says = |ground: &Ground| ground.redis.try_cli::<String>(&["GET", RECORD]).unwrap_err();
    await_condition("it is not loading", || (says(&ground).code() == Some("LOADING")).then_some(()));
    ground.assert_refused();
    ground.assert_unanswered();
    assert_eq!(says(&ground).code(), Some("LOADING"), "it was ready before it was asked");
    assert!(ground.redis.await_ready());
    ground.assert_goes_on();
}

#[test]
fn scripts_that_are_forgotten_are_not_noticed() {
    let mut ground = Ground::start(&[]);
    for _ in 0..20 {
        ground.redis.cli::<()>(&["SCRIPT", "FLUSH"]);
        assert_eq!(ground.post(), 200);
    }
    assert!(ground.is_answered());
}
