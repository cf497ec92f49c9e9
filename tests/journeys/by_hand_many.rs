//! Many entries at once, each made only where it is missing.

use prost_types::Timestamp;
use suppressd_service::proto::SuppressionEntryOutcome::{Created, Known, Refused};
use suppressd_service::proto::{SuppressionEntry, SuppressionEntryResult, SuppressionReason};
use tonic::Code;

use super::Ground;
use super::webhook::body;

super::on_both_stores!(
    entries_are_made_where_they_are_missing,
    a_batch_that_is_too_large_or_lost_makes_no_entry,
    what_is_entered_survives_a_kill_and_another_policy,
);

fn entry(email: &str) -> SuppressionEntry {
    SuppressionEntry { email: email.into(), note: "imported".into(), ..SuppressionEntry::default() }
}

fn outcomes(results: &[SuppressionEntryResult]) -> Vec<suppressd_service::proto::SuppressionEntryOutcome> {
    results.iter().map(SuppressionEntryResult::outcome).collect()
}

fn entries_are_made_where_they_are_missing(ground: &Ground) {
    let server = ground.start();
    let admin = server.admin();
    admin.suppress("known@example.com", "asked by phone").unwrap();
    let past = |seconds| Some(Timestamp { seconds, nanos: 0 });
    let entries = vec![
        SuppressionEntry { since: past(1_600_000_000), request_id: "run:1".into(), ..entry("New@Example.com") },
        SuppressionEntry { request_id: "run:2".into(), ..entry("new@example.com") },
        entry("known@example.com"),
        entry("nonsense"),
        entry("*@whole.example"),
        SuppressionEntry { note: String::new(), ..entry("noted@example.com") },
        SuppressionEntry { expire_time: past(1_600_000_000), ..entry("expired@example.com") },
        SuppressionEntry { request_id: "a b".into(), ..entry("asked@example.com") },
        SuppressionEntry { since: past(9_999_999_999), ..entry("ahead@example.com") },
    ];
    let answers = [Created, Known, Known, Refused, Created, Refused, Refused, Refused, Created];
    let results = admin.enter(entries.clone()).unwrap();
    assert_eq!(outcomes(&results), answers);
    for (place, words) in [(3, "has no @"), (5, "note"), (6, "expire_time"), (7, "request_id")] {
        let result = &results[place];
        assert!(result.error.contains(words) && !result.error.contains("nonsense"), "{result:?}");
    }
    let kept = admin.record("new@example.com").unwrap().manual_entry.unwrap();
    assert_eq!((kept.at.unwrap().seconds, &*kept.note, &*kept.who), (1_600_000_000, "imported", "ops"));
    assert_eq!(admin.record("known@example.com").unwrap().manual_entry.unwrap().note, "asked by phone");
    let ahead = admin.record("ahead@example.com").unwrap().manual_entry.unwrap();
    assert!(ahead.at.unwrap().seconds < 9_999_999_999, "what is to come is not so since then");
    for email in ["noted@example.com", "expired@example.com", "asked@example.com"] {
        assert!(admin.record(email).is_none(), "{email}");
    }
    // Again: whoever says by which request it was learns what came of that, whoever does not that it is known.
    let mut again = answers;
    (again[4], again[8]) = (Known, Known);
    assert!(server.checks().is_suppressed("anybody@whole.example"));
    assert_eq!(outcomes(&admin.enter(entries).unwrap()), again);
    admin.lift("new@example.com", "asked to be back").unwrap();
    assert!(!server.checks().is_suppressed("new@example.com"));
    assert_eq!(outcomes(&admin.enter(vec![entry("new@example.com")]).unwrap()), [Created]);
    assert!(server.checks().is_suppressed("new@example.com"));
    let (status, log) = server.terminate();
    assert!(status.success() && !log.contains("new@") && !log.contains("nonsense"), "{log}");
}

fn a_batch_that_is_too_large_or_lost_makes_no_entry(ground: &Ground) {
    let server = ground.launch().flags(&["--max-addresses-per-batch", "3"]).start();
    let entries = |count: usize| (0..count).map(|number| entry(&format!("r{number}@example.com"))).collect();
    let refused = server.admin().enter(entries(4)).unwrap_err();
    assert!(refused.code() == Code::InvalidArgument && refused.message().contains("3 at most"), "{refused}");
    assert!(server.admin().record("r0@example.com").is_none());
    assert_eq!(outcomes(&server.admin().enter(entries(3)).unwrap()), [Created; 3]);
    assert_eq!(server.admin().enter(vec![]).unwrap(), []);
    if let Ground::Redis(redis) = ground {
        redis.cli::<()>(&["CONFIG", "SET", "maxmemory", "1"]);
        redis.cli::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        let lost = vec![entry("lost@example.com"), entry("r0@example.com")];
        assert_eq!(server.admin().enter(lost).unwrap_err().code(), Code::Unavailable);
        redis.cli::<()>(&["CONFIG", "SET", "maxmemory", "0"]);
        assert!(server.admin().record("lost@example.com").is_none());
    }
}

fn what_is_entered_survives_a_kill_and_another_policy(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    // Suppressed by evidence is not entered yet.
    assert_eq!(outcomes(&server.admin().enter(vec![entry("bad@example.com")]).unwrap()), [Created]);
    server.kill();
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, "[classes]\nbad-mailbox = \"unmapped\"\n").unwrap();
    let server = ground.launch().flags(&["--policy", policy.to_str().unwrap()]).start();
    assert_eq!(server.checks().one("bad@example.com").unwrap().reason(), SuppressionReason::Manual);
}
