//! One verb at one route: its parameters, body and answers.

use serde_json::{Map, Value, json};

use super::schema;
use crate::problem;
use crate::shape::{Call, Field, Message, Times};
use crate::sse;
use crate::verb::{Route, Row, Verb};

/// Whether a problem of this status comes with `Retry-After`.
pub(super) fn may_retry(http: u16) -> bool {
    matches!(http, 429 | 503)
}

/// The operation of a verb at its route `at`.
pub(super) fn operation(row: &Row, call: &Call, route: &Route, at: usize) -> Value {
    let name = match (at, route.params().last()) {
        (1.., Some(param)) => format!("{}-by-{param}", row.name),
        _ => row.name.to_owned(),
    };
    let mut operation = json!({
        "operationId": name,
        "summary": row.summary,
        "description": format!("{} Needs the role {}.", call.about, row.role),
        "tags": [tag(route)],
        "x-bary-role": row.role.name(),
        "responses": answers(row, call),
    });
    let Some(message) = Message::of(call.request) else { return operation };
    let parameters = parameters(row, message, route);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if route.method.has_body() {
        let in_path: Vec<&str> = route.params().collect();
        let schema = match in_path.as_slice() {
            [] => schema::reference(message.name),
            in_path => schema::object(message, in_path),
        };
        let content = json!({ "application/json": { "schema": schema } });
        // What is left out is plain, the whole body too.
        operation["requestBody"] = json!({ "content": content, "required": false });
    }
    operation
}

/// What a path is about: its first part after the version.
fn tag(route: &Route) -> &'static str {
    route.path.split('/').nth(2).unwrap_or_default()
}

fn parameters(row: &Row, message: &Message, route: &Route) -> Vec<Value> {
    let mut parameters = Vec::new();
    let in_path = |field: &Field| route.params().any(|param| param == field.name);
    for field in message.fields {
        if in_path(field) {
            parameters.push(in_the_path(field));
        } else if !route.method.has_body() {
            parameters.push(in_the_query(field));
        }
    }
    if row.verb == Verb::Submit {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "Stands for the field `idempotency_key`, and goes before it.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
        }));
    }
    if row.streams && message.field(sse::AFTER).is_some() {
        parameters.push(json!({
            "name": sse::LAST_EVENT_ID,
            "in": "header",
            "description": format!("Stands for the field `{}`, and goes before it.", sse::AFTER),
            "schema": schema::form(crate::shape::Form::Uint64),
        }));
    }
    parameters
}

fn in_the_path(field: &Field) -> Value {
    let mut schema = schema::field(field);
    let least = if field.times == Times::Many { "minItems" } else { "minLength" };
    if schema["type"] != "integer" {
        schema[least] = 1.into();
    }
    parameter(field, "path", schema)
}

fn in_the_query(field: &Field) -> Value {
    parameter(field, "query", schema::field(field))
}

fn parameter(field: &Field, place: &str, mut schema: Value) -> Value {
    let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({ "name": field.name, "in": place, "schema": schema });
    if place == "path" {
        parameter["required"] = true.into();
    }
    if field.times == Times::Many {
        let (style, explode) = if place == "path" { ("simple", false) } else { ("form", true) };
        parameter["style"] = style.into();
        parameter["explode"] = explode.into();
    }
    if let Some(about) = about {
        parameter["description"] = about;
    }
    parameter
}

fn answers(row: &Row, call: &Call) -> Value {
    let mut answers = Map::new();
    answers.insert("200".to_owned(), good(row, call));
    for row in &problem::TABLE {
        let reference = format!("#/components/responses/{}", row.word);
        answers.insert(row.http.to_string(), json!({ "$ref": reference }));
    }
    let other = json!({ "$ref": "#/components/responses/other" });
    answers.insert("default".to_owned(), other);
    Value::Object(answers)
}

fn good(row: &Row, call: &Call) -> Value {
    if !row.streams {
        let about = Message::of(call.reply).map_or("", |message| message.about);
        let about = if about.is_empty() { "It was done." } else { about };
        let content = json!({ "application/json": { "schema": schema::reference(call.reply) } });
        return json!({ "description": about, "content": content });
    }
    let about = format!(
        "A stream of {}: the schema is that of one event. An event `{}` ends it; an event `{}` \
         says why it broke off.",
        call.reply,
        sse::END,
        sse::PROBLEM
    );
    let content = json!({ "text/event-stream": { "schema": event(call) } });
    json!({ "description": about, "content": content })
}

/// One server-sent event of a stream, as its parts are called there.
fn event(call: &Call) -> Value {
    let said = |name: &str, schema: Value| {
        json!({
            "type": "object",
            "properties": {
                "event": { "const": name },
                "id": { "type": "string" },
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": schema,
                },
            },
            "required": if name == sse::PLAIN { vec!["data"] } else { vec!["event", "data"] },
        })
    };
    json!({
        "oneOf": [
            said(sse::PLAIN, schema::reference(call.reply)),
            said(sse::END, json!({ "type": "object" })),
            said(sse::PROBLEM, schema::reference("Problem")),
        ],
    })
}
