//! The JSON door as an OpenAPI 3.1 document, made from the contract and the table of verbs. The
//! same tables give the same text, byte for byte.

mod operation;
mod schema;

use serde_json::{Map, Value, json};

use crate::problem;
use crate::shape::Call;
use crate::verb::TABLE;

/// The document, with a line end.
#[must_use]
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// The document.
#[must_use]
pub fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Barycenter",
            "version": "v1",
            "description": ABOUT,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/", "description": "The node that serves this document." }],
        "security": [{ "bearer": [] }],
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": TOKEN },
            },
            "headers": { "RetryAfter": retry_after() },
            "responses": responses(),
            "schemas": schema::all(calls()),
        },
    })
}

const ABOUT: &str = "What a Barycenter node is asked and answers, as JSON: the messages of the \
    protobuf package bary.v1 under the same names. Bytes are base64 text, times are RFC 3339 text \
    in UTC, durations are seconds. Fields and paths are only ever added, so readers pass over \
    fields that they do not know; requests with unknown fields are refused.";

const TOKEN: &str =
    "An access token; the node makes the first one, an admin's, when it first starts.";

/// The calls that lie anywhere over HTTP.
fn calls() -> impl Iterator<Item = &'static Call> {
    let rows = TABLE.iter().filter(|row| !row.http.is_empty());
    rows.filter_map(|row| Call::of(row.grpc))
}

fn paths() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for row in &TABLE {
        let Some(call) = Call::of(row.grpc) else { continue };
        for (at, route) in row.http.iter().enumerate() {
            let method = route.method.name().to_lowercase();
            let operation = operation::operation(row, call, route, at);
            let path = paths.entry(route.path).or_insert_with(|| json!({}));
            path[method] = operation;
        }
    }
    Value::Object(paths)
}

fn retry_after() -> Value {
    json!({
        "description": "Whole seconds after which trying again may help.",
        "schema": { "type": "integer", "minimum": 0 },
    })
}

/// One response for each kind of problem, and one for any other.
fn responses() -> Value {
    let problem = json!({
        "application/problem+json": { "schema": schema::reference("Problem") },
    });
    let mut responses = Map::new();
    for row in &problem::TABLE {
        let mut response = json!({
            "description": format!("`{}`: {}.", row.word, row.summary),
            "content": problem,
        });
        if operation::may_retry(row.http) {
            let header = json!({ "$ref": "#/components/headers/RetryAfter" });
            response["headers"] = json!({ "Retry-After": header });
        }
        responses.insert(row.word.to_owned(), response);
    }
    let other = json!({ "description": "Any other problem.", "content": problem });
    responses.insert("other".to_owned(), other);
    Value::Object(responses)
}
