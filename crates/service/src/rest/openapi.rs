//! The description of the HTTP port, written down from the table of routes, the descriptors and their comments. It is committed
//! as `proto/openapi.json`, from where it is served; what is not of gRPC stands in `openapi/frame.json`.

mod annotations;
mod schemas;

use prost_reflect::{FieldDescriptor, MethodDescriptor};
use serde_json::{Map, Value, json};

use super::routes::{Route, Routes};
use super::{JSON, LINES, OPENAPI};
use annotations::{REQUIRED, examples};
use schemas::{Schemas, comment, field_schema, is_one_of, name_of};

const FRAME: &str = include_str!("openapi/frame.json");

/// Where the document is committed, and where it is written to if it should be another one.
const COMMITTED: &str = "proto/openapi.json";
const WANTED: &str = "target/openapi.json";

#[test]
fn the_committed_description_is_that_of_the_routes() {
    let wanted = document();
    let committed: Value = serde_json::from_str(OPENAPI).unwrap();
    if committed != wanted {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        std::fs::create_dir_all(root.join("target")).unwrap();
        std::fs::write(root.join(WANTED), serde_json::to_string_pretty(&wanted).unwrap() + "\n").unwrap();
        panic!("{COMMITTED} is not what the routes and the protocol say; look at the difference, then: cp {WANTED} {COMMITTED}");
    }
}

/// The whole description.
fn document() -> Value {
    let mut document: Value = serde_json::from_str(FRAME).unwrap();
    let mut schemas = Schemas::default();
    for route in Routes::resolve().unwrap().all() {
        let operation = operation(route, &mut schemas);
        let place = &mut document["paths"][route.template][route.method.as_str().to_ascii_lowercase()];
        assert!(place.is_null());
        *place = operation;
    }
    let components = document["components"].as_object_mut().unwrap();
    for (name, schema) in schemas.into_inner() {
        assert!(components["schemas"].as_object_mut().unwrap().insert(name, schema).is_none());
    }
    let problem = json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    for response in components["responses"].as_object_mut().unwrap().values_mut() {
        response["content"] = problem.clone();
    }
    document
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let rpc = &route.rpc;
    let is_check = route.service().ends_with(".SuppressionService");
    let (summary, description) = summary(rpc);
    let in_path: Vec<FieldDescriptor> =
        rpc.input().fields().filter(|field| route.template.contains(&format!("{{{}}}", field.name()))).collect();
    let mut operation = json!({
        "tags": [if is_check { "checks" } else { "administration" }],
        "operationId": lower_camel(rpc.name()),
        "summary": summary,
        "security": [{"bearer": [if is_check { "read" } else { "administrate" }]}],
        "responses": responses(route, schemas),
    });
    if !description.is_empty() {
        operation["description"] = description.into();
    }
    let mut parameters: Vec<Value> = in_path.iter().map(|field| parameter(field, "path")).collect();
    if route.has_body() {
        let schema = schemas.request(&rpc.input(), &in_path);
        let mut content = json!({"schema": schema});
        if let (Some(example), _) = examples(rpc.name()) {
            content["example"] = example;
        }
        operation["requestBody"] = json!({"required": true, "content": {JSON: content}});
    } else {
        parameters.extend(rpc.input().fields().filter(|field| !in_path.contains(field)).map(|field| {
            if let prost_reflect::Kind::Enum(of) = field.kind() {
                schemas.enumeration(&of);
            }
            parameter(&field, "query")
        }));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    operation
}

fn parameter(field: &FieldDescriptor, place: &str) -> Value {
    let message = name_of(field.parent_message());
    let is_required = place == "path" || is_one_of(REQUIRED, message, field.json_name());
    assert!(!field.is_list() && !schemas::is_message_of_ours(field), "{} does not go into a query", field.full_name());
    let mut schema = field_schema(field);
    let name = if place == "path" { field.name() } else { field.json_name() };
    let mut parameter =
        json!({"name": name, "in": place, "required": is_required, "description": comment(&field.parent_file(), field.path())});
    if place == "path" {
        schema["minLength"] = 1.into();
    }
    parameter["schema"] = schema;
    parameter
}

/// The answer, and what else may come. A path that is not served, and a method that is not, are of no operation.
fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let output = schemas.response(&route.rpc.output());
    let content = if route.rpc.is_server_streaming() {
        let output_name = name_of(&route.rpc.output()).to_owned();
        let said =
            format!("One `{output_name}` a line. A fault on the way is the last line: `{{\"problem\": ...}}`, with a `Problem`.");
        json!({LINES: {"schema": {"type": "string", "description": said}}})
    } else {
        let mut content = json!({"schema": output});
        if let (_, Some(example)) = examples(route.rpc.name()) {
            content["example"] = example;
        }
        json!({JSON: content})
    };
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({"description": comment(&route.rpc.output().parent_file(), route.rpc.output().path()), "content": content}),
    );
    let always = [
        ("400", "BadRequest"),
        ("401", "Unauthorized"),
        ("403", "Forbidden"),
        ("404", "NotFound"),
        ("406", "NotAcceptable"),
        ("429", "TooManyRequests"),
        ("500", "InternalServerError"),
        ("503", "ServiceUnavailable"),
        ("504", "GatewayTimeout"),
    ];
    let with_body = [("408", "RequestTimeout"), ("413", "ContentTooLarge"), ("415", "UnsupportedMediaType")];
    let with_body = with_body.into_iter().filter(|_| route.has_body());
    for (code, name) in always.into_iter().chain(with_body) {
        responses.insert(code.to_owned(), json!({"$ref": format!("#/components/responses/{name}")}));
    }
    responses.into()
}

/// The first sentence of a method's comment, and the rest.
fn summary(rpc: &MethodDescriptor) -> (String, String) {
    let comment = comment(&rpc.parent_file(), rpc.path());
    assert!(!comment.is_empty(), "{} has no comment", rpc.full_name());
    match comment.split_once(". ") {
        Some((first, rest)) => (format!("{first}."), rest.to_owned()),
        None => (comment, String::new()),
    }
}

fn lower_camel(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_ascii_lowercase() + rest
}
