//! The operator's page, held to a Redis in which everything was done: the rights, and what lies where.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use suppressd_core::store::redis::{DangerKind, RedisSettings, RedisStore};
use suppressd_core::store::{BookVersion, DomainAnswers, FeedSink, FeedStore as _, Store};
use suppressd_core::{Answers, DAY_SECONDS, Error, IncidentBook, KEPT_PER_DAY, Letter, LetterLimits, Slot};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::markdown::{Document, code_spans, rows};
use crate::events::{ALICE, BOB, address, at, bounce, delivery, entry};
use crate::servers::redis::{RedisServer, patient_settings};
use crate::servers::redis_cluster::RedisCluster;
use crate::servers::redis_pair::RedisPair;
use crate::stores::block_on;

const PAGE: &str = "docs/operations/redis.md";

/// What begins the command that gives the rights.
const GIVES_RIGHTS: &str = "redis-cli ACL SETUSER suppressd ";

/// All of that, and the look at the settings that goes before it.
async fn check_and_do_everything(store: &RedisStore) -> Result<(), Error> {
    if store.check().await?.found.iter().any(|danger| danger.kind == DangerKind::ConfigDenied) {
        return Err(Error::StoreFailed { reason: "NOPERM to see the settings".into() });
    }
    store.agree_on_names(Some("check")).await?;
    do_everything(store).await
}

/// The words of the page's command behind the user's name.
fn words() -> Vec<String> {
    let blocks = Document::read(PAGE).blocks();
    let command = blocks.iter().find_map(|block| block.text.strip_prefix(GIVES_RIGHTS)).unwrap();
    command.split_whitespace().filter(|word| *word != "\\").map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// Everything that a store can do, in all the ways that need a command of their own.
async fn do_everything(store: &impl Store) -> Result<(), Error> {
    store.probe().await?;
    let before = store.end_of_changes().await?;
    // One more of a day than is kept.
    let of_a_day: Vec<_> = (0..=KEPT_PER_DAY as u64).map(|number| bounce(ALICE, number, number.cast_signed(), "other")).collect();
    // The first of them by itself: what nobody knows yet goes another way.
    store.record(&of_a_day[..1]).await?;
    store.record(&of_a_day).await?;
    store.record(&[delivery(ALICE, 100, 300)]).await?;
    store.suppress(&address(ALICE), entry(5, "asked to")).await?;
    store.lift(&address(ALICE), at(800), "ops", "typo").await?;
    store.records(&[address(ALICE)]).await?;
    store.records_strictly(&[address(ALICE)]).await?;
    store.changes_behind(&before).await?;
    store.list_records(None, 10).await?;
    store.suppress(&address(BOB), entry(5, "asked to")).await?;
    let seen = store.records(&[address(BOB)]).await?.remove(0);
    store.erase(&address(BOB), seen.as_ref(), None).await?;
    store.replace_incidents(BookVersion(0), &IncidentBook::default()).await?;
    store.incidents(None).await?;
    for (seconds, now) in [(100, at(100)), (100 * DAY_SECONDS, at(100 * DAY_SECONDS))] {
        let answers = Answers::one(true);
        store.count_answers(&[DomainAnswers { domain: "example.com".into(), slot: Slot::of(at(seconds)), answers }], now).await?;
    }
    let letter = |content: &str, seconds| Letter::new(content.as_bytes(), "why".into(), at(seconds));
    store.keep_letters(vec![letter("a", 1), letter("b", 1)], at(1)).await?;
    store.keep_letters(vec![letter("c", 5000), letter("d", 5000)], at(5000)).await?;
    let head = store.letter_heads(None, 1).await?.remove(0);
    store.letter_heads(Some((head.received, head.id)), 1).await?;
    store.letter(head.id).await?;
    store.remove_letter(head.id).await?;
    store.letter_usage().await.map(|_| ())
}

/// The right without which all goes on: a new record is then known only at the next question.
const MAKES_QUICKER: &str = "+publish";

/// Longest time until the feed is followed, if it can be.
const FOLLOWING_DEADLINE: Duration = Duration::from_secs(2);

/// Told of what is followed, it takes note of the first confirmation.
#[derive(Default)]
struct Confirmed(Notify);

impl FeedSink for Confirmed {
    fn add(&self, _: &str) {}

    fn may_hold(&self, _: &str) -> bool {
        true
    }

    fn confirm(&self, _: u8, _: Instant) {
        self.0.notify_one();
    }

    fn doubt(&self, _: u8) {}
}

async fn can_follow(store: &RedisStore) -> bool {
    let sink = Arc::new(Confirmed::default());
    let following = store.follow(Arc::clone(&sink));
    timeout(FOLLOWING_DEADLINE, async {
        tokio::select! {
            never = following => match never {},
            () = sink.0.notified() => {}
        }
    })
    .await
    .is_ok()
}

fn as_user(server: &RedisServer, words: &[String]) -> RedisStore {
    server.cli::<()>(&["FLUSHALL"]);
    let mut command = vec!["ACL", "SETUSER", "suppressd", "reset"];
    command.extend(words.iter().map(String::as_str));
    server.cli::<()>(&command);
    let letter_limits = LetterLimits { max_age_seconds: 1000, ..LetterLimits::default() };
    let url = server.url().replace("redis://", "redis://suppressd:change-me@");
    RedisStore::open(&RedisSettings { url, letter_limits, ..server.patient_settings() }).unwrap()
}

#[test]
fn the_page_s_rights_are_enough_and_none_is_needless() {
    let pair = RedisPair::start(&[]);
    let server = &pair.primary;
    let words = words();
    block_on(async {
        let store = as_user(server, &words);
        assert_eq!(check_and_do_everything(&store).await, Ok(()));
        assert!(can_follow(&store).await);
        for right in words.iter().filter(|word| word.starts_with('+')) {
            let without: Vec<_> = words.iter().filter(|word| *word != right).cloned().collect();
            // EVAL is only for scripts that Redis has forgotten.
            server.cli::<()>(&["SCRIPT", "FLUSH"]);
            let store = as_user(server, &without);
            let done = check_and_do_everything(&store).await;
            let is_of_the_filter = done.is_ok() && (right == MAKES_QUICKER || !can_follow(&store).await);
            assert!(
                is_of_the_filter || matches!(&done, Err(Error::StoreFailed { reason }) if reason.contains("NOPERM")),
                "without {right}: {done:?}"
            );
        }
    });
}

#[test]
fn in_a_cluster_the_page_s_rights_are_enough() {
    let cluster = RedisCluster::start(3, 0, &[]);
    let page = Document::read(PAGE).prose();
    let (_, more) = page.split_once("In a cluster it needs `").unwrap();
    let more = more.split_once('`').unwrap().0.split(' ').map(str::to_owned);
    let words: Vec<_> = words().into_iter().chain(more).collect();
    for node in cluster.nodes() {
        let command: Vec<_> =
            ["ACL", "SETUSER", "suppressd", "reset"].into_iter().chain(words.iter().map(String::as_str)).collect();
        cluster.node(node).cli::<()>(&command);
    }
    let url = cluster.url().replace("://", "://suppressd:change-me@");
    let letter_limits = LetterLimits { max_age_seconds: 1000, ..LetterLimits::default() };
    block_on(async {
        let store = RedisStore::open(&RedisSettings { letter_limits, ..patient_settings(url) }).unwrap();
        assert_eq!(check_and_do_everything(&store).await, Ok(()));
    });
}

#[test]
fn every_key_is_on_the_page() {
    let pair = RedisPair::start(&[]);
    let server = &pair.primary;
    let keys: BTreeSet<String> = block_on(async {
        check_and_do_everything(&as_user(server, &words())).await.unwrap();
        server.cli(&["KEYS", "*"])
    });
    let forms: BTreeSet<String> = keys.iter().map(|key| form_of(key)).collect();
    let rows = rows(&Document::read(PAGE).section("What lies where"));
    let told: BTreeSet<String> = rows.iter().flat_map(|row| code_spans(&row[0])).map(str::to_owned).collect();
    assert_eq!(forms, told);
}

/// A key with names in the place of what differs.
fn form_of(key: &str) -> String {
    let mut form = key.replace(ALICE, "<address>").replace("example.com", "<domain>");
    let bucket = form.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(bucket, _)| format!("{{{bucket}}}"));
    if let Some(bucket) = bucket.filter(|bucket| bucket.len() == 4) {
        form = form.replace(&bucket, "{<bucket>}");
    }
    form
}
