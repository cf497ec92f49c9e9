//! Messages as schemas.

#![allow(clippy::wildcard_enum_match_arm, reason = "protobuf has more kinds than the messages use")]

use std::collections::BTreeMap;

use prost_reflect::{EnumDescriptor, FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Value, json};

use super::annotations::{ALWAYS_SET, REQUIRED, form};

const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The schemas that are referred to, by name.
#[derive(Default)]
pub(super) struct Schemas(BTreeMap<String, Value>);

/// On which side a message stands. One that stands on both is as a request has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Request,
    Response,
}

impl Schemas {
    pub(super) fn into_inner(self) -> BTreeMap<String, Value> {
        self.0
    }

    /// A request's body: all fields but those of its path.
    pub(super) fn request(&mut self, message: &MessageDescriptor, in_path: &[FieldDescriptor]) -> Value {
        self.add(message, in_path, Side::Request)
    }

    /// An answer.
    pub(super) fn response(&mut self, message: &MessageDescriptor) -> Value {
        self.add(message, &[], Side::Response)
    }

    fn add(&mut self, message: &MessageDescriptor, left_out: &[FieldDescriptor], side: Side) -> Value {
        let name = name_of(message).to_owned();
        let reference = reference(&name);
        if self.0.contains_key(&name) && side == Side::Response {
            return reference;
        }
        let mut properties = BTreeMap::new();
        let mut required = Vec::new();
        for field in message.fields().filter(|field| !left_out.contains(field)) {
            match field.kind() {
                Kind::Message(inner) if is_message_of_ours(&field) => drop(self.add(&inner, &[], side)),
                Kind::Enum(inner) => self.enumeration(&inner),
                _ => {}
            }
            let json_name = field.json_name().to_owned();
            let is_required = match side {
                Side::Request => is_one_of(REQUIRED, &name, &json_name),
                // What has no unset state is always written.
                Side::Response => !field.supports_presence() || is_one_of(ALWAYS_SET, &name, &json_name),
            };
            if is_required {
                required.push(json_name.clone());
            }
            let mut schema = field_schema(&field);
            if side == Side::Request && matches!(field.kind(), Kind::Enum(_)) {
                schema = or_number(&schema);
            }
            if side == Side::Request && !is_required {
                schema = or_null(schema);
            }
            schema["description"] = comment(&field.parent_file(), field.path()).into();
            properties.insert(json_name, schema);
        }
        let mut schema =
            json!({"type": "object", "description": comment(&message.parent_file(), message.path()), "properties": properties});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if side == Side::Request {
            schema["additionalProperties"] = false.into();
        }
        self.0.insert(name, schema);
        reference
    }

    /// An enum, with what its values mean.
    pub(super) fn enumeration(&mut self, of: &EnumDescriptor) {
        let says = |value: prost_reflect::EnumValueDescriptor| {
            format!("- `{}`: {}", value.name(), comment(&of.parent_file(), value.path()))
        };
        let values: Vec<String> = of.values().map(says).collect();
        let description = format!("{}\n\n{}", comment(&of.parent_file(), of.path()), values.join("\n"));
        let names: Vec<String> = of.values().map(|value| value.name().to_owned()).collect();
        self.0.insert(of.name().to_owned(), json!({"type": "string", "enum": names, "description": description}));
    }
}

/// A field without its description.
pub(super) fn field_schema(field: &FieldDescriptor) -> Value {
    let one = match field.kind() {
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Uint32 => json!({"type": "integer", "minimum": 0, "maximum": u32::MAX}),
        Kind::Uint64 => json!({"type": "string", "format": "uint64", "pattern": "^[0-9]+$"}),
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => json!({"type": "string", "format": "byte", "contentEncoding": "base64"}),
        Kind::Message(message) if message.full_name() == TIMESTAMP => json!({"type": "string", "format": "date-time"}),
        Kind::Message(message) => reference(name_of(&message)),
        Kind::Enum(of) => reference(of.name()),
        other => panic!("{} is a {other:?}: say here what that is in JSON", field.full_name()),
    };
    let mut schema = if field.is_list() { json!({"type": "array", "items": one}) } else { one };
    let more = form(name_of(field.parent_message()), field.name());
    schema.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    schema
}

/// A value of an enum may also be given by its number.
fn or_number(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}]})
}

/// What may be left out may also be `null`, which means the same.
fn or_null(mut schema: Value) -> Value {
    match schema.get("type").cloned() {
        Some(one) => schema["type"] = json!([one, "null"]),
        None => schema = json!({"anyOf": [schema, {"type": "null"}]}),
    }
    schema
}

pub(super) fn is_message_of_ours(field: &FieldDescriptor) -> bool {
    matches!(field.kind(), Kind::Message(message) if message.full_name() != TIMESTAMP)
}

pub(super) fn is_one_of(table: &[(&str, &[&str])], message: &str, field: &str) -> bool {
    table.iter().any(|(name, fields)| *name == message && fields.contains(&field))
}

pub(super) fn name_of(message: &MessageDescriptor) -> &str {
    message.name()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The comment before what stands at that path of a file, in one line a paragraph.
pub(super) fn comment(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref().unwrap();
    let location = info.location.iter().find(|location| location.path == path).unwrap();
    let paragraphs = location
        .leading_comments()
        .trim()
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let text = paragraphs.collect::<Vec<_>>().join("\n\n");
    assert!(!text.is_empty(), "no comment at {path:?} of {}", file.name());
    text
}
