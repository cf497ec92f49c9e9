//! Whatever a list looks like, its bytes come out as they went in, and nobody in it is overlooked.

use std::fmt::Write as _;
use std::io::Read;

use proptest::prelude::*;

use super::*;
use crate::cli::FilterFormat;

/// Gives few bytes at a time, so that pieces end everywhere.
struct Trickle(Vec<u8>, usize);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.0.len().min(self.1).min(buffer.len());
        buffer[..bytes].copy_from_slice(&self.0[..bytes]);
        self.0.drain(..bytes);
        Ok(bytes)
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    bytes: Vec<u8>,
    asked: Vec<String>,
    refused: Vec<(u64, &'static str)>,
}

fn read(list: &[u8], told: &Told, piece: usize) -> anyhow::Result<Seen> {
    let source = Source::new(Box::new(Trickle(list.to_vec(), piece)));
    let (sender, mut batches) = mpsc::channel(1);
    spawn(source, told.clone(), sender);
    let mut seen = Seen::default();
    while let Some(batch) = batches.blocking_recv().unwrap()? {
        seen.asked.extend(batch.emails().iter().map(str::to_owned));
        for piece in batch.pieces() {
            seen.bytes.extend_from_slice(piece.bytes);
            if let Content::Refused(why) = piece.content {
                seen.refused.push((piece.line, why));
            }
        }
    }
    Ok(seen)
}

fn of(format: FilterFormat) -> Told {
    Told { format: Some(format), ..Told::default() }
}

/// Who is asked for and which lines are refused, of a list whose kind is told by its beginning.
fn seen(list: &str) -> (Vec<String>, Vec<u64>) {
    let seen = read(list.as_bytes(), &Told::default(), 7).unwrap();
    assert_eq!(seen.bytes, list.as_bytes());
    (seen.asked, seen.refused.into_iter().map(|(line, _)| line).collect())
}

fn error(list: &str, told: &Told) -> String {
    format!("{:#}", read(list.as_bytes(), told, 7).unwrap_err())
}

fn emails(emails: &[&str]) -> Vec<String> {
    emails.iter().map(|email| (*email).to_owned()).collect()
}

#[test]
fn a_plain_list_has_an_address_a_line() {
    assert_eq!(seen("a@x\n b@x \r\n\r\n\nnonsense\nc@x"), (emails(&["a@x", "b@x", "nonsense", "c@x"]), vec![]));
    assert_eq!(seen("\u{feff}a@x\n\tb@x\n"), (emails(&["a@x", "b@x"]), vec![]));
    assert_eq!(seen(""), (vec![], vec![]));
    assert_eq!(seen("\n \n"), (vec![], vec![]));
    let latin = read(b"a@x\njos\xe9@x\n", &Told::default(), 7).unwrap();
    assert_eq!((latin.asked, latin.refused), (emails(&["a@x"]), vec![(2, "it is not UTF-8")]));
}

#[test]
fn a_row_has_its_address_in_its_column() {
    let list =
        "\u{feff}id,Email,note\r\n1,a@x,\"two\r\nlines, and \"\"quotes\"\"\"\r\n\r\n2,\"b@x\"\r\n3\r\n4,,x\r\n5,c@x,x,more";
    assert_eq!(seen(list), (emails(&["a@x", "b@x", "c@x"]), vec![6, 7]));
    assert_eq!(seen("name;e-mail\nAnn;a@x\nBob;b@x\n"), (emails(&["a@x", "b@x"]), vec![]));
    assert_eq!(seen("name\temail\nAnn\ta@x\n"), (emails(&["a@x"]), vec![]));
    assert_eq!(read(b"email\ra@x\rb@x\r", &of(FilterFormat::Csv), 3).unwrap().asked, ["a@x", "b@x"]);
    assert_eq!(seen("\nemail\na@x\n"), (emails(&["a@x"]), vec![]));
    let told = Told { column: Some("work".into()), ..Told::default() };
    assert_eq!(read(b"email,work\na@x,b@x\n", &told, 3).unwrap().asked, ["b@x"]);
}

#[test]
fn an_object_has_its_address_in_its_field() {
    let list = "{\"id\":1,\"email\":\"a@x\"}\r\n\n{\"email\":7}\n[]\n{\"email\":\"b\\u0040x\"} \n{\"email\":\"c@x\",\"email\":\"d@x\"}\n{}";
    assert_eq!(seen(list), (emails(&["a@x", "b@x"]), vec![3, 4, 6, 7]));
    let told = Told { field: Some("to".into()), ..Told::default() };
    assert_eq!(read(b"{\"to\":\"a@x\"}", &told, 3).unwrap().asked, ["a@x"]);
}

#[test]
fn what_is_not_certain_is_an_error() {
    let csv = of(FilterFormat::Csv);
    assert!(error("email,note\na@x,\"open\nbad@x,\n", &csv).contains("line 2: a quote is not closed"));
    assert!(error("email,note\na@x,\"open\nbad@x,\"x\"\n", &csv).contains("line 2: a quoted field"));
    assert!(error("email,email\na@x,b@x\n", &csv).contains("could both"));
    assert!(error("a@x,Ann\n", &Told::default()).contains("no header"));
    assert!(!error("a@x,Ann\n", &Told::default()).contains("a@x"));
    assert!(error("Kontakt\na@x\n", &Told::default()).contains("--column"));
    assert!(error("{\"to\":\"a@x\"}\n", &Told::default()).contains("--field"));
    assert!(error("x,y\n", &Told { column: Some("z".into()), ..Told::default() }).contains("\"z\" is none"));
    assert!(error("a@x\n", &Told { column: Some("z".into()), ..of(FilterFormat::Plain) }).contains("for CSV"));
    assert!(read(b"\xff\xfea\0@\0x\0", &Told::default(), 1).is_err());
    let long = format!("email\n\"{}", "x".repeat(2 * MAX_RECORD_BYTES));
    let error = read(long.as_bytes(), &Told::default(), 64 << 10).unwrap_err();
    assert!(format!("{error:#}").contains("line 2: longer than"));
}

/// A field, as some program or other writes it.
fn field() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z@.]{0,8}", "[a-z\"' ]{0,6}[a-z]", quoted()]
}

/// A field in quotes, with all that only quotes allow.
fn quoted() -> impl Strategy<Value = String> {
    "\"([a-z,;\r\n]|\"\"){0,8}\""
}

proptest! {
    #[test]
    fn the_bytes_of_rows_come_out_as_they_went_in(
        rows in prop::collection::vec((prop::collection::vec(field(), 0..4), prop_oneof!["\n", "\r\n", "\r"]), 0..12),
        ends in any::<bool>(),
        piece in 1_usize..20,
    ) {
        let mut list = "email,note\n".to_owned();
        for (fields, line_break) in rows {
            list += &fields.join(",");
            list += &line_break;
        }
        list += if ends { "" } else { "z@x" };
        // What is doubtful is refused whole.
        if let Ok(seen) = read(list.as_bytes(), &of(FilterFormat::Csv), piece) {
            prop_assert_eq!(String::from_utf8(seen.bytes).unwrap(), list);
        }
    }

    #[test]
    fn every_row_is_asked_for_once(names in prop::collection::vec("[a-z]{1,9}", 0..40), piece in 1_usize..20, note in quoted()) {
        let mut list = "note,email,x\r\n".to_owned();
        for name in &names {
            write!(list, "{note},{name}@x,\"{name}\"\"\r\n\"\r\n").unwrap();
        }
        let seen = read(list.as_bytes(), &of(FilterFormat::Csv), piece).unwrap();
        let asked: Vec<String> = names.iter().map(|name| format!("{name}@x")).collect();
        prop_assert_eq!(seen, Seen { bytes: list.into_bytes(), asked, refused: vec![] });
    }

    #[test]
    fn the_bytes_of_lines_come_out_as_they_went_in(list in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..20) {
        for format in [FilterFormat::Plain, FilterFormat::Ndjson] {
            let field = (format == FilterFormat::Ndjson).then(|| "email".to_owned());
            if let Ok(seen) = read(&list, &Told { field, ..of(format) }, piece) {
                prop_assert_eq!(seen.bytes, &list[..]);
            } else {
                prop_assert!(list.starts_with(b"\xff\xfe") || list.starts_with(b"\xfe\xff"));
            }
        }
    }
}
