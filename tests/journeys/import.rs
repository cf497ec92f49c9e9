//! Lists of other services, and our own, imported: what is in them is said first, and what is wrong with them before anything is
//! written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use suppressd_service::proto::ListSuppressionsRequest;
use tempfile::TempDir;

use super::Ground;
use super::commands::text;
use super::webhook::body;
use crate::servers::suppressd::{Suppressd, run};

super::on_both_stores!(the_list_of_each_service_is_imported, an_export_is_imported_elsewhere);

/// Why addresses are suppressed, with how many there are.
type Causes = &'static [(&'static str, u64)];

/// A list of each service, what is in it by cause, and the note of its first address.
const LISTS: [(&str, &str, Causes, &str); 9] = [
    (
        "sendgrid",
        "status,reason,email,created\n5.1.1,\"550 5.1.1 no such user, sorry\nbye\",bounce@example.com,1607972400\n\
         550,550 blocked,Other@Example.com,1607972400\n",
        &[("bounce", 2)],
        "imported from SendGrid: bounce, 5.1.1 550 5.1.1 no such user, sorry bye",
    ),
    ("sendgrid", "email,created\nbounce@example.com,1607972400\n", &[("unsubscribe", 1)], "imported from SendGrid: unsubscribe"),
    (
        "mailgun",
        "address,code,error,created_at\r\nbounce@example.com,550,No such mailbox,\"Mon, 14 Dec 2020 19:00:00 UTC\"\r\n",
        &[("bounce", 1)],
        "imported from Mailgun: bounce, 550 No such mailbox",
    ),
    (
        "mailgun",
        "address,tags,created_at\nbounce@example.com,news,\"Mon, 14 Dec 2020 19:00:00 +0000\"\nb@example.com,*,\n",
        &[("unsubscribe", 1), ("unsubscribe from some tags", 1)],
        "imported from Mailgun: unsubscribe from some tags, news",
    ),
    (
        "ses",
        "EmailAddress,Reason,LastUpdateTime\nbounce@example.com,BOUNCE,2020-12-14T19:00:00+00:00\n\
         c@example.com,COMPLAINT,1607972400.5\n",
        &[("bounce", 1), ("complaint", 1)],
        "imported from Amazon SES: bounce",
    ),
    (
        "postmark",
        "EmailAddress;SuppressionReason;Origin;CreatedAt\nbounce@example.com;ManualSuppression;Recipient;2020-12-14T14:00:00-05:00\n\
         b@example.com;HardBounce;Recipient;x\nc@example.com;SpamComplaint;Recipient;\nd@example.com;ManualSuppression;Customer;\n",
        &[("bounce", 1), ("complaint", 1), ("manual", 1), ("unsubscribe", 1)],
        "imported from Postmark: unsubscribe",
    ),
    (
        "mailchimp",
        "\u{feff}\"Email Address\",\"First Name\",UNSUB_TIME,UNSUB_REASON,CLEAN_TIME,LEID\n\
         bounce@example.com,Bo,2020-12-14 19:00:00,\"too many, \"\"really\"\"\",,1\nclean@example.com,Cy,,,2020-12-14 19:00:00,2\n\
         member@example.com,Mo,,,,3\n",
        &[("bounce", 1), ("unsubscribe", 1)],
        "imported from Mailchimp: unsubscribe, too many, \"really\"",
    ),
    (
        "sparkpost",
        "recipient,type,source,description,created\nbounce@example.com,transactional,Bounce Rule,550 gone,2020-12-14T19:00:00Z\n",
        &[("bounce", 1)],
        "imported from SparkPost: bounce, 550 gone",
    ),
    (
        "sparkpost",
        "recipient,transactional,non_transactional,description,subaccount_id\nbounce@example.com,false,true,Asked to,0\n\
         fine@example.com,false,false,,0\n",
        &[("other", 1)],
        "imported from SparkPost: other, Asked to",
    ),
];

/// A directory with a list in it.
struct Desk(TempDir);

impl Desk {
    fn with(list: impl AsRef<[u8]>) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        std::fs::write(desk.list(), list).unwrap();
        desk
    }

    fn list(&self) -> PathBuf {
        self.0.path().join("list.csv")
    }

    fn names(&self) -> BTreeSet<String> {
        names(self.0.path())
    }

    fn import(&self, url: &str, arguments: &[&str]) -> Output {
        run(&[&["import", self.list().to_str().unwrap(), "--server", url], arguments].concat())
    }
}

fn names(directory: &Path) -> BTreeSet<String> {
    std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn counts(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"))
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Nobody listens there.
const NOWHERE: &str = "http://127.0.0.1:1";

fn suppressed(server: &Suppressd) -> BTreeSet<String> {
    server.admin().list(ListSuppressionsRequest::default(), || {}).into_iter().map(|listed| listed.email).collect()
}

fn the_list_of_each_service_is_imported(ground: &Ground) {
    let server = ground.start();
    for (service, list, causes, note) in LISTS {
        let desk = Desk::with(list);
        let expected: Value = causes.iter().map(|(cause, count)| ((*cause).to_owned(), json!(count))).collect();
        let all: u64 = causes.iter().map(|(_, count)| count).sum();
        let preview = desk.import(NOWHERE, &["--preview", "--json"]);
        assert_eq!(preview.status.code(), Some(0), "{preview:?}");
        let preview = counts(&preview);
        assert_eq!((&preview["list"], &preview["to_suppress"], &preview["imported"]), (&json!(service), &expected, &Value::Null));
        assert!(suppressed(&server).is_empty() && desk.names().len() == 1, "a preview writes nothing");

        let first = desk.import(&server.grpc_url(), &["--yes", "--json", "--who", "alex"]);
        let skipped = preview["rows"].as_u64().unwrap() - all;
        assert_eq!(
            (first.status.code(), &counts(&first)["imported"]),
            (Some(0), &json!({"new": all, "known": 0, "refused": 0, "skipped": skipped})),
            "{first:?}"
        );
        assert_eq!(suppressed(&server).len() as u64, all);
        let entry = server.admin().record("bounce@example.com").unwrap().manual_entry.unwrap();
        assert_eq!((&*entry.note, &*entry.who), (note, "alex"));
        if service != "sparkpost" || list.contains("created") {
            assert_eq!(entry.at.unwrap().seconds, 1_607_972_400, "{list}");
        }
        assert_eq!(desk.names().len(), 1, "nothing is left beside it");
        let second = desk.import(&server.grpc_url(), &["--yes", "--json", "--format", service]);
        assert_eq!(counts(&second)["imported"], json!({"new": 0, "known": all, "refused": 0, "skipped": skipped}));
        assert_eq!(server.admin().record("bounce@example.com").unwrap().manual_entry.unwrap(), entry, "known ones stay");
        // Who was lifted by hand is suppressed again by an import.
        for email in suppressed(&server) {
            server.admin().lift(&email, "the next list").unwrap();
        }
    }
}

fn an_export_is_imported_elsewhere(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "hard@example.com", "bad-mailbox", 1)).counts();
    server.webhook().post(body("f", "angry@example.com", "", 2)).counts();
    server.admin().suppress("hand@example.com", "said \"no\", twice").unwrap();
    server.admin().suppress("*@whole.example", "traps").unwrap();
    let until = ["suppress", "leave@example.com", "--note", "on leave", "--who", "kim", "--until", "2999-01-01"];
    assert!(run(&[&until[..], &["--server", &server.grpc_url()]].concat()).status.success());
    for format in ["csv", "ndjson"] {
        let export = run(&["export", "--format", format, "--server", &server.grpc_url()]);
        assert!(export.status.success() && said(&export).contains("5 exported"), "{export:?}");
        let desk = Desk::with(&export.stdout);
        let elsewhere = Ground::embedded();
        let other = elsewhere.start();
        let imported = desk.import(&other.grpc_url(), &["--yes", "--json"]);
        assert_eq!(counts(&imported)["imported"]["new"], 5, "{imported:?}");
        assert_eq!(counts(&imported)["list"], "suppressd");
        assert_eq!(suppressed(&other), suppressed(&server));
        let entry = |email: &str| other.admin().record(email).unwrap().manual_entry.unwrap();
        let hard = entry("hard@example.com");
        assert_eq!(hard.at.unwrap().seconds, 1_695_222_843);
        assert!(hard.note.starts_with("imported from suppressd: hard bounce, hard bounce, bad-mailbox 5.1.1"), "{hard:?}");
        assert!(other.admin().record("hard@example.com").unwrap().events.is_empty(), "evidence is not made up");
        assert_eq!(entry("hand@example.com").note, "imported from suppressd: manual, said \"no\", twice, by ops");
        let leave = entry("leave@example.com");
        assert_eq!(leave.expire_time, server.admin().record("leave@example.com").unwrap().manual_entry.unwrap().expire_time);
        assert!(other.checks().is_suppressed("anybody@whole.example"));
        // What was exported and is over by now is not imported.
        let over = String::from_utf8(export.stdout).unwrap().replace("2999-01-01", "2021-01-01");
        std::fs::write(desk.list(), over).unwrap();
        let preview = counts(&desk.import(NOWHERE, &["--preview", "--json"]));
        assert_eq!((&preview["skipped"], &preview["to_suppress"]["manual"]), (&json!({"expired": 1}), &json!(2)));
    }
}

#[test]
fn bad_lines_are_named_by_their_numbers_and_cost_no_other() {
    let ground = Ground::embedded();
    let server = ground.start();
    // A quoted field of three lines, an empty line, and lines that end as a spreadsheet or an old one ends them.
    let list = b"\xef\xbb\xbfemail,created,reason\r\n\r\na@example.com,1607972400,\"one\r\ntwo\r\nthree\"\r\nnonsense,1,x\r\n\
        b@example.com,never,\r\n*@example.com,1,\r\nr\xe9ne@example.com,1,\r\n,1,\r\nlast@example.com"
        .to_vec();
    let desk = Desk::with(list);
    let errors = desk.0.path().join("errors.csv");
    let output = desk.import(&server.grpc_url(), &["--yes", "--errors", errors.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for words in [
        "list: SendGrid, 7 rows\n",
        "to suppress: 3 (3 invalid address)\n",
        "refused: 4\n  line 6: not an e-mail address: it has no @\n  line 8: not an e-mail address: it stands for a whole domain",
        "without a time that can be read: 2;",
        "for example: line 3, a@example.com, invalid address\n",
        "imported: 3 new, 0 known, 4 refused, 0 skipped\n",
    ] {
        assert!(text(&output).contains(words), "{words}: {}", text(&output));
    }
    let errors = std::fs::read_to_string(errors).unwrap();
    let lines: Vec<&str> = errors.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(lines, ["line", "6", "8", "9", "10"], "{errors}");
    let expected = ["a@example.com", "b@example.com", "last@example.com"].map(str::to_owned);
    assert_eq!(suppressed(&server), BTreeSet::from(expected));
    let broken = "{\"email\":\"a@example.com\",\"reason\":\"manual\",\"suppressed_at\":\"2020-12-14T19:00:00Z\"}\n{\n\n{}\n";
    let preview = counts(&Desk::with(broken).import(NOWHERE, &["--preview", "--json"]));
    let refused: Vec<&Value> = preview["first_refused"].as_array().unwrap().iter().map(|refused| &refused["line"]).collect();
    assert_eq!((refused, &preview["rows"]), (vec![&json!(2), &json!(4)], &json!(3)));
}

#[test]
fn a_file_of_the_wrong_kind_is_refused_before_anything_is_written() {
    let ground = Ground::embedded();
    let server = ground.start();
    let half = "email,created\na@example.com,1\n\"b@example.com,1\nc@example.com,1\n";
    let utf_16: Vec<u8> = "email,created\na@example.com,1\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let cases: [(&[u8], &[&str], &str); 14] = [
        (b"", &[], "it is empty"),
        (b"\r\n\n", &[], "it is empty"),
        (b"a@example.com\nb@example.com\n", &[], "has an @, so it is no header"),
        (b"name,email\nAnn,a@example.com\n", &[], "its columns are \"name\", \"email\""),
        (b"name,email\nAnn,a@example.com\n", &[], "SparkPost (sparkpost): recipient"),
        (b"email,created\na@example.com,1\n", &["--format", "ses"], "Amazon SES (ses): EmailAddress"),
        (b"email,created,address,created_at\n", &[], "say which by --format"),
        (b"email,created,E-Mail\n", &[], "two columns are called \"E-Mail\""),
        (b"{\"email\":\"a@example.com\"}\n", &[], "not those of an export"),
        (b"PK\x03\x04abc", &[], "unpack it first"),
        (b"\xff\xfee\0m\0", &[], "UTF-16"),
        (&utf_16, &[], "no text in UTF-8"),
        (b"\x7fELF\x01\0\0", &[], "no text in UTF-8"),
        (half.as_bytes(), &[], "line 3: a quote"),
    ];
    for (list, arguments, why) in cases {
        let desk = Desk::with(list);
        let errors = desk.0.path().join("errors.csv");
        let errors = ["--yes", "--errors", errors.to_str().unwrap()];
        let output = desk.import(&server.grpc_url(), &[&errors, arguments].concat());
        assert!(output.status.code() == Some(2) && said(&output).contains(why), "{why}: {}", said(&output));
        assert!(!said(&output).contains("a@example.com"), "{}", said(&output));
        assert_eq!((text(&output), desk.names().len()), ("", 1), "{why}");
    }
    assert_eq!(suppressed(&server), BTreeSet::new());
    let nothing = Desk::with("email,created\n").import(&server.grpc_url(), &["--yes"]);
    assert_eq!((nothing.status.code(), text(&nothing).contains("imported: 0 new, 0 known")), (Some(0), true), "{nothing:?}");
    let directory = tempfile::tempdir().unwrap();
    let output = run(&["import", directory.path().to_str().unwrap(), "--yes"]);
    assert!(output.status.code() == Some(2) && said(&output).contains("is no file"), "{output:?}");
}

#[test]
fn nothing_is_imported_that_nobody_has_agreed_to() {
    let ground = Ground::embedded();
    let server = ground.launch().variable("SUPPRESSD_ADMIN_TOKEN", "root").start();
    let desk = Desk::with(LISTS[0].1);
    let url = server.grpc_url();
    let longest = "n".repeat(600);
    for (arguments, why) in [
        (&[][..], "nothing was imported: say --yes"),
        (&["--yes"], "Bearer"),
        (&["--yes", "--preview"], "cannot be used with"),
        (&["--yes", "--note", ""], "note"),
        (&["--yes", "--note", &longest], "note"),
        (&["--yes", "--errors", desk.list().to_str().unwrap()], "is the list itself"),
    ] {
        let output = desk.import(&url, arguments);
        assert!(output.status.code() == Some(2) && said(&output).contains(why), "{arguments:?}: {output:?}");
    }
    let unreachable = desk.import(NOWHERE, &["--yes"]);
    assert!(unreachable.status.code() == Some(2) && said(&unreachable).contains("cannot reach"), "{unreachable:?}");
    assert_eq!(std::fs::read_to_string(desk.list()).unwrap(), LISTS[0].1);
    assert!(server.admin().with_token("root").list(ListSuppressionsRequest::default(), || {}).is_empty());
}
