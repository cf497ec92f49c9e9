//! The page's metrics are those of a real `/metrics`.

use std::collections::{BTreeMap, BTreeSet};

use super::markdown::{Document, OPERATIONS, code, code_spans, rows};
use crate::journeys::webhook::{body, payload};
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::Launch;

/// A metric by its name: its type, its labels, and what they were seen to be.
type Metrics = BTreeMap<String, (String, BTreeSet<String>)>;

/// Labels whose values the page does not list.
const NOT_LISTED: [&str; 3] = ["code", "http_method", "route"];

/// All that there is to count, counted once, down to a store that fails.
fn exposition() -> String {
    let mut redis = RedisServer::start(&[]);
    let server = Launch::on(&redis.url()).start();
    let kinds = [("b", "bad-mailbox"), ("rb", "quota-issues"), ("b", "message-expired"), ("b", "other"), ("f", ""), ("d", "")];
    for (number, (kind, category)) in kinds.into_iter().enumerate() {
        server.webhook().post(body(kind, "a@example.com", category, number)).counts();
    }
    assert_eq!(server.webhook().post(body("b", "a@example.com", "bad-mailbox", 0)).counts(), [0, 1, 0, 0]);
    assert_eq!(server.webhook().post(r#"[{"type":"tq"},{"type":"x"}]"#).counts(), [0, 0, 1, 1]);
    let of_a_day: Vec<_> = (0..20).map(|number| payload("b", "b@example.com", "other", 20 - number)).collect();
    assert_eq!(server.webhook().post(serde_json::to_string(&of_a_day).unwrap()).counts(), [16, 0, 4, 0]);
    let replies = [
        ("bad-mailbox", "550 blocked using zen.spamhaus.org"),
        ("other", "550 message rejected because of its content: spam"),
        ("other", "delivery time expired, giving up"),
        ("other", "552 mailbox full"),
    ];
    for (number, (category, words)) in replies.into_iter().enumerate() {
        let mut event = payload("b", "c@example.com", category, number);
        (event["dsnDiag"], event["dsnStatus"]) = (words.into(), "5.0.0".into());
        server.webhook().post(event.to_string()).counts();
    }
    assert!(server.checks().is_suppressed("a@example.com"));
    server.checks().batch(&["a@example.com", "ok@example.com", "x"]).unwrap();
    assert_eq!(server.webhook().get("/v1/suppressions/a@example.com").status, 200);
    redis.kill();
    assert!(server.checks().one("a@example.com").is_err());
    assert_eq!(server.webhook().post(body("b", "a@example.com", "other", 9)).status, 503);
    assert_eq!(server.webhook().post("{").status, 503);
    assert_eq!(server.webhook().get("/readyz").status, 503);
    // The failure to count the letters is itself counted, for the next time.
    server.webhook().get("/metrics");
    server.webhook().get("/metrics").text
}

/// The name under which a sample's metric stands on the page.
fn metric_of<'a>(sample: &'a str, types: &BTreeMap<String, String>) -> &'a str {
    let histogram = ["_bucket", "_count", "_sum"].iter().find_map(|ending| sample.strip_suffix(ending));
    histogram.filter(|name| types.contains_key(*name)).unwrap_or(sample)
}

fn labels(text: &str) -> impl Iterator<Item = (String, String)> {
    let pairs = text.split("\",").filter_map(|pair| pair.trim_end_matches('"').split_once("=\""));
    pairs.filter(|(name, _)| *name != "le").map(|(name, value)| (name.to_owned(), value.to_owned()))
}

fn of_server() -> (Metrics, BTreeSet<String>) {
    let text = exposition();
    let types: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        // A counter's samples have an ending that its type has not.
        .map(|(name, kind)| (if kind == "counter" { format!("{name}_total") } else { name.to_owned() }, kind.to_owned()))
        .collect();
    let mut values = BTreeSet::new();
    let mut metrics: Metrics = types.iter().map(|(name, kind)| (name.clone(), (kind.clone(), BTreeSet::new()))).collect();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (sample, rest) = line.split_once(['{', ' ']).unwrap();
        let of_metric = &mut metrics.get_mut(metric_of(sample, &types)).unwrap_or_else(|| panic!("no type: {line}")).1;
        if let Some((inside, _)) = rest.rsplit_once('}') {
            for (name, value) in labels(inside) {
                if !NOT_LISTED.contains(&&*name) {
                    values.insert(value);
                }
                of_metric.insert(name);
            }
        }
    }
    (metrics, values)
}

/// The names of all metrics.
pub(super) fn metric_names() -> BTreeSet<String> {
    of_server().0.into_keys().collect()
}

#[test]
fn the_page_has_every_metric_label_and_value_and_no_other() {
    let page = Document::read("docs/operations/health.md");
    let (found, found_values) = of_server();
    let mut shown = Metrics::new();
    let mut shown_values = BTreeSet::new();
    for row in rows(&page.section("Metrics")) {
        // `name` (`value`, `value`), `name` (...), or the names alone
        let of_row = || row[2].split_inclusive(')').filter(|_| row[2] != "none");
        let without_values = |label: &str| !label.contains('(');
        let names = of_row().flat_map(|label| {
            let names = if without_values(label) { usize::MAX } else { 1 };
            code_spans(label).into_iter().take(names).map(str::to_owned)
        });
        let names = names.collect();
        shown_values.extend(
            of_row()
                .filter(|label| !without_values(label))
                .flat_map(|label| code_spans(label).into_iter().skip(1))
                .map(str::to_owned),
        );
        shown.insert(code(&row[0]).unwrap().to_owned(), (row[1].clone(), names));
    }
    assert_eq!(shown, found);
    assert_eq!(shown_values, found_values);
    // No page speaks of others.
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let all: String = Document::all_in(OPERATIONS).into_iter().map(|page| page.text).collect();
    let words = all.split(|letter| !is_name(letter)).filter(|word| word.starts_with("suppressd_"));
    for word in words.filter(|word| !word.contains("core") && *word != "suppressd_ingest") {
        assert!(found.contains_key(word), "there is no metric {word}");
    }
}
