//! Messages from and to JSON, by protobuf's canonical mapping: names in lowerCamelCase, as they are in the `.proto` they are
//! taken, too; enums by name, times as RFC 3339, 64-bit integers as texts.

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, SerializeOptions, Value};
use serde::Deserializer;
use serde_json::{Map, Value as Json};
use tonic::Status;

use crate::status;

/// What a whole body is called where a field would be named.
const BODY: &str = "body";

/// A path's fields, undecoded.
type Parameters<'a> = [(&'static str, &'a str)];

/// Reads a request whose fields stand in its path and its query.
pub(super) fn from_query(
    descriptor: MessageDescriptor,
    parameters: &Parameters<'_>,
    query: Option<&str>,
) -> Result<DynamicMessage, Status> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        // Not named: it may be anything.
        let field = field(&descriptor, &name).ok_or_else(|| status::refused("query", "has a parameter that there is none of"))?;
        let name = field.json_name();
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(status::refused(name, "is not UTF-8"));
        }
        if fields.insert(name.to_owned(), in_query(&field, &value)).is_some() {
            return Err(status::refused(name, "is given twice"));
        }
    }
    with_parameters(parse(descriptor, Json::Object(fields))?, parameters)
}

/// Reads a request whose fields stand in its path and its body.
pub(super) fn from_body(
    descriptor: MessageDescriptor,
    parameters: &Parameters<'_>,
    query: Option<&str>,
    body: &Bytes,
) -> Result<DynamicMessage, Status> {
    if query.is_some_and(|query| !query.is_empty()) {
        return Err(status::refused("query", "must be empty: the fields of this request stand in its body"));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let message = parse(descriptor, &mut json)?;
    json.end().map_err(|error| status::refused(BODY, &place(&error)))?;
    with_parameters(message, parameters)
}

/// Writes an answer. What is not set is written, too, unless it can be told from its default: whether an address is suppressed
/// must stand there.
pub(super) fn to_json(message: &DynamicMessage) -> Result<Vec<u8>, Status> {
    let options = SerializeOptions::new().skip_default_fields(false);
    let mut json = serde_json::Serializer::new(Vec::new());
    // Only a time that no calendar has cannot be written.
    message.serialize_with_options(&mut json, &options).map_err(|_| Status::internal("the answer cannot be written as JSON"))?;
    Ok(json.into_inner())
}

/// A field by either of its names.
fn field(descriptor: &MessageDescriptor, name: &str) -> Option<FieldDescriptor> {
    descriptor.get_field_by_json_name(name).or_else(|| descriptor.get_field_by_name(name))
}

/// A text of the query as what the mapping takes for it: numbers, times and enums may be texts, truth values may not.
fn in_query(field: &FieldDescriptor, value: &str) -> Json {
    match (field.kind(), value) {
        (Kind::Bool, "true") => Json::Bool(true),
        (Kind::Bool, "false") => Json::Bool(false),
        _ => Json::String(value.to_owned()),
    }
}

fn parse<'de, D>(descriptor: MessageDescriptor, json: D) -> Result<DynamicMessage, Status>
where
    D: Deserializer<'de, Error = serde_json::Error>,
{
    let options = DeserializeOptions::new().deny_unknown_fields(true);
    let mut track = serde_path_to_error::Track::new();
    let json = serde_path_to_error::Deserializer::new(json, &mut track);
    DynamicMessage::deserialize_with_options(descriptor, json, &options).map_err(|error| {
        let path = track.path().to_string();
        status::refused(if path == "." { BODY } else { &path }, &place(&error))
    })
}

/// What is wrong, and where. The error's own text would quote what stands there.
fn place(error: &serde_json::Error) -> String {
    let what = if error.is_data() { "does not fit its place, or there is no such field" } else { "is not JSON" };
    match (error.line(), error.column()) {
        (0, _) => what.to_owned(),
        (line, column) => format!("{what}: line {line}, column {column}"),
    }
}

/// Adds the path's fields, decoded. A plus sign stays one.
fn with_parameters(mut message: DynamicMessage, parameters: &Parameters<'_>) -> Result<DynamicMessage, Status> {
    for (name, value) in parameters {
        if message.has_field_by_name(name) {
            return Err(status::refused(name, "stands in the path, and must not be given elsewhere"));
        }
        let value = percent_decode_str(value).decode_utf8().map_err(|_| status::refused(name, "is not UTF-8"))?;
        message.set_field_by_name(name, Value::String(value.into_owned()));
    }
    Ok(message)
}
