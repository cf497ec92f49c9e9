//! Reads what Redis replies.

use std::str::FromStr;

use redis::Value;

use super::fault::{damaged, unexpected_reply};
use crate::store::Outcome;
use crate::{Address, Class, Entered, Error, EventId, Evidence, Record, UnixSeconds};

/// What `record.lua` says of one event.
pub(super) fn outcome(letter: u8) -> Result<Outcome, Error> {
    match letter {
        b'r' => Ok(Outcome::Recorded),
        b'd' => Ok(Outcome::Duplicate),
        b'i' => Ok(Outcome::Ignored),
        _ => Err(unexpected_reply()),
    }
}

/// What `enter.lua` says of an entry.
pub(super) fn entered(value: &Value) -> Result<Entered, Error> {
    match number(value)? {
        1 => Ok(Entered::Created),
        2 => Ok(Entered::Known),
        _ => Err(unexpected_reply()),
    }
}

/// A number.
pub(super) fn number(value: &Value) -> Result<i64, Error> {
    if let Value::Int(number) = value { Ok(*number) } else { Err(unexpected_reply()) }
}

/// Whether something was there: 1 or 0.
pub(super) fn yes_or_no(value: &Value) -> Result<bool, Error> {
    Ok(number(value)? != 0)
}

/// The one reply to the one command that was sent.
pub(super) fn only(replies: Vec<Value>) -> Result<Value, Error> {
    replies.into_iter().next().ok_or_else(unexpected_reply)
}

/// A list of replies.
pub(super) fn list(value: Value) -> Result<Vec<Value>, Error> {
    if let Value::Array(values) = value { Ok(values) } else { Err(unexpected_reply()) }
}

/// Bytes, if there are any.
pub(super) fn bytes(value: Value) -> Result<Option<Vec<u8>>, Error> {
    if value == Value::Nil {
        return Ok(None);
    }
    if let Value::BulkString(bytes) = value { Ok(Some(bytes)) } else { Err(unexpected_reply()) }
}

/// The fields of a hash or of an entry of a stream. A name that is no text is none of ours.
pub(super) fn fields(value: Value) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let mut values = list(value)?.into_iter();
    let mut fields = Vec::with_capacity(values.len() / 2);
    while let (Some(name), Some(value)) = (values.next(), values.next()) {
        let name = String::from_utf8_lossy(&bytes(name)?.unwrap_or_default()).into_owned();
        fields.push((name, bytes(value)?.unwrap_or_default()));
    }
    Ok(fields)
}

/// Stands between the names of an entry of a stream, and between what is told of each.
pub(super) const BETWEEN_NAMES: char = '\n';

/// Stands between the fields of a record, and behind the last one.
pub(super) const BETWEEN_FIELDS: char = '\n';

/// Stands behind the name of a field.
pub(super) const BEHIND_NAME: char = ' ';

/// The field of a record that says what events have in common of which it holds the times alone.
pub(super) const USUAL: &str = "as";

/// What a field is called whose name could be anything.
const A_FIELD: &str = "a field";

/// An entry of a feed: its id, and the names in it, if there are any. Where one was erased, its line is empty.
pub(super) fn entry(entry: Value) -> Result<(String, Option<String>), Error> {
    let mut parts = list(entry)?.into_iter();
    let (Some(id), Some(of_entry)) = (parts.next(), parts.next()) else { return Err(unexpected_reply()) };
    let id = bytes(id)?.and_then(|id| String::from_utf8(id).ok()).ok_or_else(unexpected_reply)?;
    let mut of_entry = list(of_entry)?.into_iter();
    let mut names = None;
    while let (Some(name), Some(text)) = (of_entry.next(), of_entry.next()) {
        if matches!(&name, Value::BulkString(name) if name == b"a") {
            names = bytes(text)?;
        }
    }
    Ok((id, names.and_then(|names| String::from_utf8(names).ok())))
}

/// What a text stands for, if it can be read.
pub(super) fn parsed<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// An address's record, by its text; none if it is not there.
pub(super) fn record(address: &Address, value: Value) -> Result<Option<Record>, Error> {
    let Some(text) = bytes(value)? else { return Ok(None) };
    let text = String::from_utf8(text).map_err(|_| damaged(address, A_FIELD))?;
    let lines = text.strip_suffix(BETWEEN_FIELDS).ok_or_else(|| damaged(address, A_FIELD))?;
    let mut record = Record::new(address.clone());
    let mut usual = "";
    let mut kept = Vec::new();
    for line in lines.split(BETWEEN_FIELDS) {
        let (name, said) = line.split_once(BEHIND_NAME).ok_or_else(|| damaged(address, shown(line)))?;
        if name.len() == EventId::BYTES {
            kept.push((name, said));
        } else if name == USUAL {
            usual = said;
        } else {
            read_field(&mut record, name, said)?;
        }
    }
    let read = |(name, said)| read_evidence(name, said, usual).ok_or_else(|| damaged(address, shown(name)));
    let evidence: Result<Vec<Evidence>, Error> = kept.into_iter().map(read).collect();
    Ok(Some(record.with_evidence(evidence?).counting_what_is_kept()))
}

fn read_evidence(name: &str, text: &str, usual: &str) -> Option<Evidence> {
    Evidence::from_stored_beside(name.parse().ok()?, text, usual).ok()
}

/// Reads one field that is no evidence. What a later version may have put there is left alone.
fn read_field(record: &mut Record, name: &str, text: &str) -> Result<(), Error> {
    let address = &record.address;
    let unreadable = || damaged(address, name);
    match name {
        "delivered" => {
            record.last_delivered = Some(UnixSeconds::clamped(text.parse().map_err(|_| unreadable())?));
        }
        "manual" => record.manual = Some(serde_json::from_str(text).map_err(|_| unreadable())?),
        "erased" => record.tombstone = Some(serde_json::from_str(text).map_err(|_| unreadable())?),
        "lift" => record.lift = Some(serde_json::from_str(text).map_err(|_| unreadable())?),
        _ => {
            if let Some(class) = Class::ALL.into_iter().find(|class| class.as_str() == name) {
                let counter = text.parse().map_err(|_| unreadable())?;
                *record.counters.get_mut(class) = counter;
            }
        }
    }
    Ok(())
}

/// A field's name as far as it is ours; others could be anything.
fn shown(name: &str) -> &str {
    if name.len() <= 16 { name } else { A_FIELD }
}
