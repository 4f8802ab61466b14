//! Messages as JSON schemas.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::shape::{Call, Field, Form, MESSAGES, Message, Times};

/// A reference to a message's schema.
pub(super) fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schemas of every message that calls send as a body or answer with, and of what is in them.
pub(super) fn all(calls: impl Iterator<Item = &'static Call>) -> Value {
    let mut open = vec!["Problem"];
    open.extend(calls.flat_map(|call| [call.request, call.reply]));
    let mut wanted = BTreeSet::new();
    while let Some(name) = open.pop() {
        if wanted.insert(name) {
            let fields = Message::of(name).map_or(&[][..], |message| message.fields);
            open.extend(fields.iter().filter_map(|field| match field.form {
                Form::Message(name) => Some(name),
                _ => None,
            }));
        }
    }
    let found = MESSAGES.iter().filter(|message| wanted.contains(message.name));
    found.map(|message| (message.name.to_owned(), object(message, &[]))).collect()
}

/// A message without some of its fields. What is asked may leave out any field and takes no others;
/// what is answered has all of them but those that may be absent, and may have more one day.
pub(super) fn object(message: &Message, without: &[&str]) -> Value {
    let fields = || message.fields.iter().filter(|field| !without.contains(&field.name));
    let properties = fields().map(|each| (each.name.to_owned(), field(each)));
    let mut schema = json!({
        "type": "object",
        "properties": properties.collect::<Map<_, _>>(),
    });
    if !message.about.is_empty() {
        schema["description"] = message.about.into();
    }
    if message.asked {
        schema["additionalProperties"] = false.into();
        let choice = fields().filter(|field| field.oneof.is_some());
        let choice: Vec<&str> = choice.map(|field| field.name).collect();
        if !choice.is_empty() {
            schema["not"] = json!({ "anyOf": pairs(&choice) });
        }
    } else {
        let always = fields().filter(|field| field.times != Times::Optional);
        schema["required"] = always.map(|field| field.name).collect();
    }
    schema
}

/// Every two alternatives of a choice, which may not be there together.
fn pairs(choice: &[&str]) -> Vec<Value> {
    let mut pairs = Vec::new();
    for (at, one) in choice.iter().enumerate() {
        pairs.extend(choice[at + 1..].iter().map(|other| json!({ "required": [one, other] })));
    }
    pairs
}

/// What a field holds, with what the contract says of it.
pub(super) fn field(field: &Field) -> Value {
    let one = form(field.form);
    let mut schema = match field.times {
        Times::One | Times::Optional => one,
        Times::Many => json!({ "type": "array", "items": one }),
        Times::Map => json!({ "type": "object", "additionalProperties": one }),
    };
    if !field.about.is_empty() {
        schema["description"] = field.about.into();
    }
    schema
}

/// One value of a form.
pub(super) fn form(form: Form) -> Value {
    match form {
        Form::Bool => json!({ "type": "boolean" }),
        Form::Int32 => json!({
            "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX,
        }),
        Form::Uint32 => json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX }),
        Form::Uint64 => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
        Form::Double => json!({ "type": "number", "format": "double" }),
        Form::Text => json!({ "type": "string" }),
        Form::Bytes => json!({ "type": "string", "contentEncoding": "base64" }),
        Form::Message(name) => reference(name),
    }
}
