//! CSV (RFC 4180), record by record, with the bytes of each as they stand there.

use anyhow::bail;
use csv_core::ReadRecordResult;

use super::source::Source;

/// Most fields of a record.
const MAX_FIELDS: usize = 16 << 10;

/// What separates the fields: of a spreadsheet, it depends on its language.
pub(crate) const DELIMITERS: [u8; 3] = *b",;\t";

const QUOTE: u8 = b'"';

/// Reads records. It holds the fields of the last one.
pub(crate) struct Csv {
    reader: csv_core::Reader,
    delimiter: u8,
    fields: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
}

impl Csv {
    pub(crate) fn new(delimiter: u8) -> Self {
        let reader = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
        Self { reader, delimiter, fields: vec![0; 1 << 10], ends: vec![0; 32], count: 0 }
    }

    /// A field of the last record.
    pub(crate) fn field(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.count].get(place)?;
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        Some(&self.fields[start..end])
    }

    /// The fields of the last record as names.
    pub(crate) fn names(&self) -> Vec<String> {
        (0..self.count).filter_map(|place| self.field(place)).map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }

    /// Reads the record that the rest begins with, and gives its length with its line break. None if there are no more.
    ///
    /// What a lenient reader would take for one record and another one for several is an error: there would be lines that
    /// nobody has looked at.
    pub(crate) fn record(&mut self, source: &mut Source) -> anyhow::Result<Option<usize>> {
        let (mut scanned, mut used) = (0, 0);
        self.count = 0;
        loop {
            if scanned == source.rest().len() && !source.read_on()? {
                return if scanned == 0 { Ok(None) } else { self.end_without_line_break(used, source).map(|()| Some(scanned)) };
            }
            let room = (&mut self.fields[used..], &mut self.ends[self.count..]);
            let (result, read, written, ended) = self.reader.read_record(&source.rest()[scanned..], room.0, room.1);
            scanned += read;
            used += written;
            self.count += ended;
            if matches!(result, ReadRecordResult::Record) {
                break;
            }
            self.make_room_for(&result)?;
        }
        // It ends at a carriage return; the line feed behind it belongs to the same line break.
        if source.rest()[scanned - 1] == b'\r' {
            if scanned == source.rest().len() {
                source.read_on()?;
            }
            scanned += usize::from(source.rest().get(scanned) == Some(&b'\n'));
        }
        self.refuse_doubtful(&source.rest()[..scanned])?;
        Ok(Some(scanned))
    }

    fn end_without_line_break(&mut self, mut used: usize, source: &Source) -> anyhow::Result<()> {
        loop {
            let room = (&mut self.fields[used..], &mut self.ends[self.count..]);
            let (result, _, written, ended) = self.reader.read_record(b"\n", room.0, room.1);
            used += written;
            self.count += ended;
            match result {
                ReadRecordResult::Record => return self.refuse_doubtful(source.rest()),
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => self.make_room_for(&result)?,
                // The line break that ends it has become part of a field.
                ReadRecordResult::InputEmpty | ReadRecordResult::End => bail!("a quote is not closed"),
            }
        }
    }

    fn make_room_for(&mut self, result: &ReadRecordResult) -> anyhow::Result<()> {
        match result {
            // What is read has a bound, so this has one too.
            ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
            ReadRecordResult::OutputEndsFull if self.ends.len() >= MAX_FIELDS => bail!("more than {MAX_FIELDS} fields"),
            ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            ReadRecordResult::InputEmpty | ReadRecordResult::Record | ReadRecordResult::End => {}
        }
        Ok(())
    }

    fn refuse_doubtful(&self, record: &[u8]) -> anyhow::Result<()> {
        let lines = record.trim_ascii();
        if lines.iter().any(|byte| b"\r\n".contains(byte)) && !is_well_formed(lines, self.delimiter) {
            bail!("a quoted field of several lines does not end where it should");
        }
        Ok(())
    }
}

/// Adds a row.
pub(crate) fn push_row(rows: &mut Vec<u8>, fields: &[&[u8]]) {
    for (place, field) in fields.iter().enumerate() {
        if place > 0 {
            rows.push(b',');
        }
        push_field(rows, field);
    }
    rows.push(b'\n');
}

/// Adds a field of CSV, in quotes if it needs them.
fn push_field(row: &mut Vec<u8>, field: &[u8]) {
    if !field.iter().any(|byte| b"\",\r\n".contains(byte)) {
        row.extend_from_slice(field);
        return;
    }
    row.push(b'"');
    for byte in field {
        row.extend(std::iter::repeat_n(*byte, if *byte == b'"' { 2 } else { 1 }));
    }
    row.push(b'"');
}

/// Whether each quoted field ends with its closing quote.
fn is_well_formed(record: &[u8], delimiter: u8) -> bool {
    let mut rest = record;
    while let Some((first, behind)) = rest.split_first() {
        if *first == QUOTE {
            rest = behind;
            // Two quotes stand for one.
            while let Some(quote) = rest.iter().position(|byte| *byte == QUOTE) {
                rest = &rest[quote + 1..];
                if rest.first() != Some(&QUOTE) {
                    break;
                }
                rest = &rest[1..];
            }
            match rest.split_first() {
                None => return true,
                Some((next, behind)) if *next == delimiter => rest = behind,
                Some(_) => return false,
            }
        } else {
            match rest.iter().position(|byte| *byte == delimiter) {
                None => return true,
                Some(end) => rest = &rest[end + 1..],
            }
        }
    }
    true
}
