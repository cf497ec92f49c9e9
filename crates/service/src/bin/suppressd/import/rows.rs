//! The rows of a list, one after the other.

use std::borrow::Cow;
use std::fs::File;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde_json::{Map, Value};
use suppressd_core::UnixSeconds;

use super::kind::{self, Columns, Kind};
use super::meaning::{self, Fields, Meaning};
use crate::cli::ImportFormat;
use crate::list_file::{Csv, DELIMITERS, MAX_RECORD_BYTES, Source};

/// How a ZIP archive begins, and what gzip makes.
const ARCHIVES: [&[u8]; 2] = [b"PK\x03\x04", b"\x1f\x8b"];

/// A list from where it is read next.
pub(super) struct Rows {
    source: Source,
    kind: Kind,
    layout: Layout,
    /// What is in the past by now is not imported.
    now: UnixSeconds,
}

enum Layout {
    /// Under a header that is read.
    Csv { csv: Box<Csv>, columns: Columns },
    /// One object a line, as `export` writes them.
    Ndjson,
}

/// A row, and where it stands.
pub(super) struct Row {
    /// The number of the line that it begins in.
    pub(super) line: u64,
    /// How many bytes of the file it is, with the empty lines in front of it.
    pub(super) bytes: usize,
    pub(super) meaning: Meaning,
}

impl Rows {
    /// Looks at the beginning of a list, and says what it is.
    ///
    /// # Errors
    ///
    /// If it is none of the kinds that can be imported, or not the one that is asked for.
    pub(super) fn of(file: File, told: Option<ImportFormat>, now: UnixSeconds) -> anyhow::Result<Self> {
        let mut source = Source::new(Box::new(file));
        let mark = source.byte_order_mark()?;
        source.advance(mark);
        source.read_on()?;
        ensure!(!ARCHIVES.iter().any(|mark| source.rest().starts_with(mark)), "it is an archive; unpack it first");
        ensure!(!source.rest().contains(&0), "it is no text in UTF-8");
        let mut blank_bytes = 0;
        while let Some(length) = source.blank_line()? {
            blank_bytes += length;
            ensure!(blank_bytes <= MAX_RECORD_BYTES, "more than {MAX_RECORD_BYTES} bytes of empty lines");
            source.advance(length);
        }
        if source.rest().first() == Some(&b'{') {
            let is_export = told.is_none_or(|told| told == ImportFormat::Suppressd) && begins_an_export(&mut source)?;
            ensure!(is_export, "its lines are JSON, and not those of an export; {}", kind::expected(told));
            return Ok(Self { source, kind: Kind::of(ImportFormat::Suppressd), layout: Layout::Ndjson, now });
        }
        let (kind, layout, header_bytes) = of_csv(&mut source, told)?;
        source.advance(header_bytes);
        Ok(Self { source, kind, layout, now })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    ///
    /// If it cannot be said where the row ends.
    pub(super) fn next(&mut self) -> anyhow::Result<Option<Row>> {
        let mut blank_bytes = 0;
        while let Some(length) = self.source.blank_line()? {
            blank_bytes += length;
            self.source.advance(length);
        }
        let line = self.source.line_number();
        let length = match &mut self.layout {
            Layout::Csv { csv, .. } => csv.record(&mut self.source),
            Layout::Ndjson => self.source.line(),
        };
        let Some(length) = length.with_context(|| format!("line {line}"))? else { return Ok(None) };
        let meaning = match &self.layout {
            Layout::Csv { csv, columns } => read_record(self.kind, csv, columns, self.now),
            Layout::Ndjson => read_object(self.kind, &self.source.rest()[..length], self.now),
        };
        self.source.advance(length);
        Ok(Some(Row { line, bytes: blank_bytes + length, meaning }))
    }
}

/// The kind and the layout of a list with a header, and how long that is.
fn of_csv(source: &mut Source, told: Option<ImportFormat>) -> anyhow::Result<(Kind, Layout, usize)> {
    let mut most: Vec<String> = Vec::new();
    for delimiter in DELIMITERS {
        let mut csv = Csv::new(delimiter);
        let Some(length) = csv.record(source).context("line 1")? else { bail!("it is empty; {}", kind::expected(told)) };
        let header = csv.names();
        let columns = Columns::read(&header)?;
        if let Some(kind) = kind::recognise(&columns, told)? {
            return Ok((kind, Layout::Csv { csv: Box::new(csv), columns }, length));
        }
        if header.len() > most.len() {
            most = header;
        }
    }
    // A list without a header begins with somebody's address, which is nobody else's business.
    let found = if most.iter().any(|name| name.contains('@')) {
        "its first line has an @, so it is no header".to_owned()
    } else {
        format!("its columns are {}", most.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", "))
    };
    Err(anyhow!("{found}; {}", kind::expected(told)))
}

fn begins_an_export(source: &mut Source) -> anyhow::Result<bool> {
    let Some(length) = source.line()? else { return Ok(false) };
    let object: Option<Map<String, Value>> = serde_json::from_slice(&source.rest()[..length]).ok();
    Ok(object.is_some_and(|object| ["email", "reason", "suppressed_at"].iter().all(|name| object.contains_key(*name))))
}

fn read_record(kind: Kind, csv: &Csv, columns: &Columns, now: UnixSeconds) -> Meaning {
    let address = columns.place(kind.address_column()).and_then(|place| csv.field(place));
    match address.map(std::str::from_utf8) {
        None => Meaning::Refused("the row has no such column as the address is in".to_owned()),
        Some(Err(_)) => Meaning::Refused("the address is not UTF-8".to_owned()),
        Some(Ok(_)) => meaning::read(kind, &Record { csv, columns }, now),
    }
}

struct Record<'a> {
    csv: &'a Csv,
    columns: &'a Columns,
}

impl Fields for Record<'_> {
    fn get(&self, column: &str) -> Cow<'_, str> {
        self.columns.place(column).and_then(|place| self.csv.field(place)).map(String::from_utf8_lossy).unwrap_or_default()
    }

    fn has(&self, column: &str) -> bool {
        self.columns.place(column).is_some()
    }
}

fn read_object(kind: Kind, line: &[u8], now: UnixSeconds) -> Meaning {
    match serde_json::from_slice(line) {
        Ok(object) => meaning::read(kind, &Object(object), now),
        Err(_) => Meaning::Refused("it is no JSON object".to_owned()),
    }
}

/// An object as `export` writes it. What is within another object has a column of its own.
struct Object(Map<String, Value>);

impl Object {
    fn value(&self, column: &str) -> Option<&Value> {
        let entry = || self.0.get("manual_entry")?.as_object();
        match column {
            "who" | "note" => entry()?.get(column),
            "suppressedat" => self.0.get("suppressed_at"),
            "expiretime" => self.0.get("expire_time"),
            _ => self.0.get(column),
        }
    }
}

impl Fields for Object {
    fn get(&self, column: &str) -> Cow<'_, str> {
        self.value(column).and_then(Value::as_str).unwrap_or_default().into()
    }

    fn has(&self, column: &str) -> bool {
        self.value(column).is_some()
    }
}
