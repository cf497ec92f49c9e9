//! `suppressd classify`, line by line.

use serde_json::{Value, json};

use super::commands::{text, with_input};
use super::webhook::{body, payload};
use crate::servers::suppressd::run;

/// What is said of lines.
fn answers(input: &str) -> Vec<Value> {
    let output = with_input(&["classify"], input.as_bytes());
    assert!(output.status.success());
    text(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An event with that status and these words.
fn event(kind: &str, category: &str, status: &str, words: &str) -> String {
    let mut event = payload(kind, "a@example.com", category, 1);
    event["dsnStatus"] = status.into();
    event["dsnDiag"] = words.into();
    event.to_string() + "\n"
}

#[test]
fn classify_says_what_each_line_counts_as() {
    let unknown = json!({"class":"hard","fault":"recipient","rule":"unknown-user","matched":"no such user"});
    let lines = [
        (
            body("b", "<A@Example.com>", "Bad-Mailbox", 1),
            json!({"line":1,"rcpt":"a@example.com","kind":"bounce","class":"hard","rule":"category:bad-mailbox",
                "second_opinion":unknown}),
        ),
        (
            body("rb", "a@example.com", "quota-issues", 1),
            json!({"line":2,"rcpt":"a@example.com","kind":"remote-bounce","class":"soft","rule":"category:quota-issues",
                "second_opinion":unknown,"contradicts":"harder"}),
        ),
        (
            body("b", "a@example.com", "message-expired", 1),
            json!({"line":3,"rcpt":"a@example.com","kind":"bounce","class":"expired","rule":"category:message-expired",
                "second_opinion":unknown,"contradicts":"harder"}),
        ),
        (
            body("b", "a@example.com", "never-heard-of", 1),
            json!({"line":4,"rcpt":"a@example.com","kind":"bounce","class":"unmapped","rule":"category:never-heard-of",
                "second_opinion":unknown}),
        ),
        (
            body("f", "a@example.com", "", 1),
            json!({"line":5,"rcpt":"a@example.com","kind":"complaint","class":"complaint","rule":"type:f","second_opinion":null}),
        ),
        (
            body("d", "a@example.com", "other", 1),
            json!({"line":6,"rcpt":"a@example.com","kind":"delivered","class":null,"rule":"type:d","second_opinion":null}),
        ),
        (
            body("tq", "a@example.com", "other", 1),
            json!({"line":7,"kind":"ignored","class":null,"rule":"type:tq","second_opinion":null}),
        ),
    ];
    let good: Vec<&str> = lines.iter().map(|(line, _)| &**line).collect();
    let input = good.join("\n") + "\n\n{\"type\n\u{0}";
    let answers = answers(&input);
    assert_eq!(answers[..7], lines.map(|(_, expected)| expected));
    for (answer, line) in answers[7..].iter().zip([9, 10]) {
        assert_eq!(answer["line"], line);
        assert!(answer["error"].as_str().unwrap().contains("JSON"), "{answer}");
    }
    assert_eq!(answers.len(), 9);
    assert_eq!(run(&["classify", "/nowhere"]).status.code(), Some(2));
    assert_eq!(run(&["classify", "/"]).status.code(), Some(0));
}

/// Scripts may cut the first ones off by place.
#[test]
fn classify_keeps_the_order_of_its_fields() {
    let output = with_input(&["classify"], body("rb", "a@example.com", "quota-issues", 1).as_bytes());
    assert_eq!(
        text(&output),
        "{\"line\":1,\"rcpt\":\"a@example.com\",\"kind\":\"remote-bounce\",\"class\":\"soft\",\"rule\":\"category:quota-issues\",\
         \"second_opinion\":{\"class\":\"hard\",\"fault\":\"recipient\",\"rule\":\"unknown-user\",\"matched\":\"no such user\"},\
         \"contradicts\":\"harder\"}\n"
    );
}

#[test]
fn an_opinion_names_class_fault_rule_and_contradiction() {
    let cases = [
        ("other", "5.0.0", "452 4.2.2 over quota", json!(["soft", "recipient", "mailbox-full", "over quota"]), Value::Null),
        ("other", "4.4.7 (expired)", "", json!(["expired", "infrastructure", "code-expired", ""]), Value::Null),
        ("other", "5.1.1 (bad)", "550 no", json!(["hard", "recipient", "code-no-such-address", ""]), Value::Null),
        ("spam-related", "", "554 see spamhaus", json!([null, "sender", "reputation-list", "spamhaus"]), Value::Null),
        ("bad-mailbox", "", "554 see spamhaus", json!([null, "sender", "reputation-list", "spamhaus"]), "milder".into()),
        ("bad-domain", "", "552 over quota", json!(["soft", "recipient", "mailbox-full", "over quota"]), "milder".into()),
        ("quota-issues", "", "550 no such user", json!(["hard", "recipient", "unknown-user", "no such user"]), "harder".into()),
    ];
    let events: String = cases.iter().map(|(category, status, words, ..)| event("b", category, status, words)).collect();
    let answers = answers(&events);
    assert_eq!(answers.len(), cases.len());
    for (answer, (.., opinion, contradicts)) in answers.iter().zip(cases) {
        let found = &answer["second_opinion"];
        assert_eq!(json!([found["class"], found["fault"], found["rule"], found["matched"]]), opinion, "{answer}");
        assert_eq!(found.as_object().unwrap().len(), 4, "{answer}");
        assert_eq!(answer.get("contradicts").unwrap_or(&Value::Null), &contradicts, "{answer}");
    }
}

#[test]
fn where_there_is_nothing_to_say_the_opinion_is_null() {
    let long = format!("550 {} no such user", "é".repeat(1022));
    let cases = [
        ("b", "", ""),
        ("b", "5.0.0", "550 nothing that anybody knows"),
        // What stands beyond the first 2048 bytes is not looked at.
        ("rb", "", &long),
        ("f", "5.1.1", "550 no such user"),
        ("d", "5.1.1", "550 no such user"),
        ("t", "5.1.1", "550 no such user"),
    ];
    let answers = answers(&cases.map(|(kind, status, words)| event(kind, "bad-mailbox", status, words)).concat());
    assert_eq!(answers.len(), cases.len());
    for answer in answers {
        assert_eq!(answer.get("second_opinion"), Some(&Value::Null), "{answer}");
        assert_eq!(answer.get("contradicts"), None, "{answer}");
    }
}

#[test]
fn matched_words_are_shown_as_they_stand() {
    let cases = [
        ("smtp;550 Bo=C3=AEte pleine", "mailbox-full-words", "Bo=C3=AEte pleine"),
        ("552 Boîte\u{a0} PLEINE!", "mailbox-full-words", "Boîte\u{a0} PLEINE"),
        ("550 用户user@x.example不存在。", "unknown-user-zh", "用户user@x.example不存在"),
        ("550 ｎｏ ｓｕｃｈ ｕｓｅｒ！", "unknown-user", "ｎｏ ｓｕｃｈ ｕｓｅｒ"),
        ("550 no such\u{0}user 😀", "unknown-user", "no such\u{0}user"),
        ("550-user=\r\n unknown", "unknown-user", "user=\r\n unknown"),
        ("550 l’utilisateur n’existe pas", "unknown-user-fr", "utilisateur n’existe pas"),
        ("550 <josé@example.com> does not exist", "unknown-user", "josé@example.com> does not exist"),
    ];
    let found = answers(&cases.map(|(words, ..)| event("b", "other", "", words)).concat());
    assert_eq!(found.len(), cases.len());
    for (answer, (_, rule, matched)) in found.iter().zip(cases) {
        assert_eq!(answer["second_opinion"]["rule"], rule, "{answer}");
        assert_eq!(answer["second_opinion"]["matched"], matched, "{answer}");
    }
    // A JSON writer may escape what it likes, but half a character is none.
    let escaped = [r"552 Bo\u00eete pleine \ud83d\ude00", r"550 no such user \ud800"];
    let escaped = escaped.map(|words| format!(r#"{{"type":"b","rcpt":"a@example.com","dsnDiag":"{words}"}}"#) + "\n");
    let found = answers(&escaped.concat());
    assert_eq!(found[0]["second_opinion"]["matched"], "Boîte pleine");
    assert!(found[1]["error"].is_string(), "{}", found[1]);
}
