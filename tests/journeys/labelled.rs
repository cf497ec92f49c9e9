//! `suppressd classify --labelled`, from a file to the figures.

use std::process::Output;

use serde_json::{Value, json};

use super::commands::{text, with_input};
use crate::servers::suppressd::run;

/// Bounces that somebody has looked at, the seventh line being none. Lines 2, 4 and 6 are misjudged: by a word that the rules do
/// not know, and by labels that are wrong.
const ROWS: &str = r#"{"event":{"rcpt":"a@example.com","dsnStatus":"5.0.0","dsnDiag":"550 no such user"},"expected":"HARD","reason":"gone"}
{"event":{"dsnDiag":"550 he flew to the moon"},"expected":"HARD","reason":"gone","ambiguous":false,"source":"made up","alt":1}
{"event":{"rcpt":"nobody","dsnDiag":"552 mailbox full"},"expected":"SOFT","reason":"full","source":null}
{"event":{"dsnDiag":"550 user unknown"},"expected":"OTHER","reason":"trap: blocked","source":"made\tup"}

{"event":{"dsnDiag":"550 no such user"},"expected":"SOFT","reason":"unsure","ambiguous":true}
{"event":{"dsnDiag":"550 no such user"},"expected":"MAYBE","reason":"gone"}
{"event":{"dsnDiag":"554 see spamhaus"},"expected":"OTHER","reason":"blocked"}
{"event":{"type":"t","dsnStatus":"4.4.7"},"expected":"SOFT"}
{"event":{"dsnStatus":"5.1.1 (bad)"},"expected":"HARD","reason":"gone"}
"#;

fn error(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Writes the rows to a file of their own and measures by them.
fn measure(rows: &[u8], flags: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("labelled.ndjson");
    std::fs::write(&file, rows).unwrap();
    run(&[&["classify", "--labelled", file.to_str().unwrap()], flags].concat())
}

#[test]
fn labelled_rows_give_exact_figures() {
    let output = measure(ROWS.as_bytes(), &[]);
    assert_eq!(
        text(&output),
        "\
reason         expected  HARD  SOFT  EXPIRED  NONE  total
-              SOFT         0     0        1     0      1
blocked        OTHER        0     0        0     1      1
full           SOFT         0     1        0     0      1
gone           HARD         2     0        0     1      3
trap: blocked  OTHER        1     0        0     0      1

rows read: 8
ambiguous rows, left out: 1
unreadable lines: 1
HARD precision: 66.6% (2 of 3), recall: 66.6% (2 of 3)
SOFT precision: 100.0% (1 of 1), recall: 50.0% (1 of 2)
OTHER called HARD: 1
traps called HARD: 1, on line 4

line 2: expected HARD, called NONE by no rule, gone, made up
line 4: expected OTHER, called HARD by rule unknown-user, trap: blocked, made\u{fffd}up
"
    );
    assert_eq!(
        error(&output),
        "suppressd: line 7: unknown variant `MAYBE`, expected one of `HARD`, `SOFT`, `EXPIRED`, `OTHER` at column 58\n"
    );
    assert_eq!(output.status.code(), Some(2), "a line could not be read");
}

#[test]
fn labelled_rows_give_the_same_figures_as_json() {
    let output = measure(ROWS.as_bytes(), &["--json", "--with-ambiguous"]);
    assert_eq!(output.status.code(), Some(2));
    let line = |reason: &str, expected: &str, [hard, soft, expired, none]: [u64; 4]| {
        json!({"reason": reason, "expected": expected, "hard": hard, "soft": soft, "expired": expired, "none": none,
            "total": hard + soft + expired + none})
    };
    let share = |right: u64, of: u64, percent: f64| json!({"right": right, "of": of, "percent": percent});
    assert_eq!(
        serde_json::from_str::<Value>(text(&output)).unwrap(),
        json!({
            "rows": 8, "ambiguous": 1, "ambiguous_counted": true, "unreadable": 1,
            "confusion": [
                line("", "SOFT", [0, 0, 1, 0]),
                line("blocked", "OTHER", [0, 0, 0, 1]),
                line("full", "SOFT", [0, 1, 0, 0]),
                line("gone", "HARD", [2, 0, 0, 1]),
                line("trap: blocked", "OTHER", [1, 0, 0, 0]),
                line("unsure", "SOFT", [1, 0, 0, 0]),
            ],
            "hard": {"precision": share(2, 4, 50.0), "recall": share(2, 3, 66.6)},
            "soft": {"precision": share(1, 1, 100.0), "recall": share(1, 3, 33.3)},
            "other_called_hard": 1,
            "traps_called_hard": [4],
            "misjudged": [
                {"line": 2, "source": "made up", "reason": "gone", "expected": "HARD", "called": "NONE", "rule": null},
                {"line": 4, "source": "made\tup", "reason": "trap: blocked", "expected": "OTHER", "called": "HARD",
                    "rule": "unknown-user"},
                {"line": 6, "reason": "unsure", "expected": "SOFT", "called": "HARD", "rule": "unknown-user"},
            ],
        })
    );
}

#[test]
fn labelled_rows_that_can_all_be_read_are_a_success() {
    let good: String = ROWS.lines().filter(|line| !line.contains("MAYBE")).flat_map(|line| [line, "\r\n"]).collect();
    let output = measure(good.as_bytes(), &["--with-ambiguous"]);
    assert_eq!((output.status.code(), error(&output)), (Some(0), ""), "misjudged rows are figures, and no fault");
    assert!(text(&output).contains("\nambiguous rows, counted too: 1\nunreadable lines: 0\n"), "{}", text(&output));
    let piped = with_input(&["classify", "--labelled", "-", "--with-ambiguous"], good.as_bytes());
    assert_eq!(text(&piped), text(&output));
    let nothing = measure(b"", &[]);
    assert_eq!(nothing.status.code(), Some(0));
    assert!(text(&nothing).contains("\nHARD precision: none (0 of 0), recall: none (0 of 0)\n"), "{}", text(&nothing));
}

#[test]
fn what_is_no_labelled_row_is_named_by_its_line() {
    for (rows, named) in [
        (&b"{\"expected\":\"HARD\"}"[..], "line 1: missing field `event`"),
        (b"\n{\"event\":{}}", "line 2: missing field `expected`"),
        (b"{\"event\":null,\"expected\":\"HARD\"}", "line 1: invalid type: null, expected an event as a JSON object"),
        (b"{\"event\":{\"dsnDiag\":[\"550 no such user\"]},\"expected\":\"HARD\"}", "line 1: dsnDiag: must be text"),
        (
            b"{\"event\":{\"dsnDiag\":\"\",\"dsnDiag\":\"\"},\"expected\":\"HARD\"}",
            "line 1: the field `dsnDiag` stands there twice",
        ),
        (b"\x7fELF\x00\xff\x1b[2J", "line 1: expected value"),
        (b"[]", "line 1: "),
    ] {
        let output = measure(rows, &[]);
        assert!(error(&output).contains(named), "{named}: {}", error(&output));
        assert!(!error(&output).contains('\u{1b}'), "{}", error(&output));
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output).contains("\nrows read: 0\n") && text(&output).contains("\nunreadable lines: 1\n"), "{named}");
    }
    let directory = run(&["classify", "--labelled", "/"]);
    assert_eq!(directory.status.code(), Some(2));
    assert!(error(&directory).starts_with("suppressd: line 1: cannot read on: "), "{}", error(&directory));
    assert_eq!(run(&["classify", "--labelled", "/nowhere"]).status.code(), Some(2));
}

#[test]
fn flags_that_do_not_go_together_are_refused() {
    for arguments in [&["--json"][..], &["--with-ambiguous"], &["--labelled", "a", "b"], &["--labelled"]] {
        assert_eq!(run(&[&["classify"], arguments].concat()).status.code(), Some(64), "{arguments:?}");
    }
    assert!(text(&run(&["classify", "--help"])).contains(r#""expected":"HARD""#));
}
