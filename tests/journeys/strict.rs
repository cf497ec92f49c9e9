//! `strict` in every kind of check reaches the store.

use tonic::Code;

use super::webhook::body;
use crate::servers::redis_pair::RedisPair;
use crate::servers::suppressd::{Launch, PATIENCE, run};

/// What a strict read of the address below writes.
const FENCE: &str = "sup:{5e}:fence";

#[test]
fn strict_checks_of_every_kind_need_a_replica() {
    let pair = RedisPair::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let deadline = PATIENCE.as_millis().to_string();
    let flags = ["--redis-write-deadline-ms", &deadline, "--redis-read-deadline-ms", "2000"];
    let server = Launch::on(&pair.primary.url()).flags(&flags).start();
    assert_eq!(server.webhook().post(body("b", "alice@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    let has_fence = || pair.primary.cli::<i64>(&["DEL", FENCE]) == 1;
    assert!(server.checks().is_suppressed("alice@example.com") && !has_fence());

    let checks = server.checks().strictly();
    assert!(checks.is_suppressed("alice@example.com") && has_fence());
    let both = ["alice@example.com", "ok@example.com"];
    let suppressed = |results: Vec<suppressd_service::proto::SuppressionResult>| {
        results.iter().map(|result| result.suppressed.unwrap()).collect::<Vec<_>>()
    };
    assert!(suppressed(checks.batch(&both).unwrap()) == [true, false] && has_fence());
    let streamed = checks.stream(&[&both]).remove(0).unwrap();
    assert!(suppressed(streamed) == [true, false] && has_fence());
    let command = run(&["check", "--strict", "alice@example.com", "--server", &server.grpc_url()]);
    assert!(command.status.code() == Some(1) && has_fence());

    pair.replica.signal("-STOP");
    assert_eq!(checks.one("alice@example.com").unwrap_err().code(), Code::Unavailable);
    assert_eq!(checks.batch(&both).unwrap_err().code(), Code::Unavailable);
    assert!(server.checks().is_suppressed("alice@example.com"));
}
