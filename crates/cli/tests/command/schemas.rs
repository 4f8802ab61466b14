//! The documents that verbs print are promised: under one schema, fields are only ever added. The
//! file beside this one holds the shape of each.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::bench::{Bench, Run};
use crate::fake::Fake;

/// What has been promised so far.
const PROMISED: &str = include_str!("schemas.json");

/// Verbs that together print every schema of a node's answers.
const VERBS: &[&[&str]] = &[
    &["ls"],
    &["show", "1"],
    &["submit", "--", "x"],
    &["result", "2"],
    &["cancel", "3"],
    &["job", "add", "3", "--", "x"],
    &["node", "ls"],
    &["graph"],
    &["scale", "show"],
    &["scale", "log"],
    &["why", "1/1"],
    &["events"],
    &["policy", "show"],
    &["policy", "learnt"],
    &["policy", "set", "fifo"],
    &["policy", "try", "gravity", "--load", "1"],
    &["cache"],
    &["cache", "clear"],
    &["token", "new", "a"],
    &["token", "ls"],
    &["audit"],
    &["doctor"],
    &["config", "show"],
    &["config", "get"],
];

/// The shape of a value: types in place of values, and of a list its first item.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => Value::Array(items.first().map(shape).into_iter().collect()),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
    }
}

/// Maps whose names are the user's: any will do.
const FREE: &[&str] = &["tags", "labels"];

/// What of a promise is not kept, with the way to it.
fn broken(promised: &Value, found: &Value, way: &str, faults: &mut Vec<String>) {
    match (promised, found) {
        (Value::Object(promised), Value::Object(found)) => {
            fields(promised, found, way, faults);
        }
        (Value::Array(promised), Value::Array(found)) => {
            if let (Some(promised), Some(found)) = (promised.first(), found.first()) {
                broken(promised, found, &format!("{way}[]"), faults);
            }
        }
        (promised, found) if promised == found => {}
        (promised, found) => faults.push(format!("{way} was {promised} and is {found}")),
    }
}

fn fields(
    promised: &Map<String, Value>,
    found: &Map<String, Value>,
    way: &str,
    faults: &mut Vec<String>,
) {
    for (name, promised) in promised {
        let way = format!("{way}.{name}");
        match found.get(name) {
            None => faults.push(format!("{way} has gone")),
            Some(_) if FREE.contains(&name.as_str()) => {}
            Some(found) => broken(promised, found, &way, faults),
        }
    }
    for name in found.keys().filter(|name| !promised.contains_key(*name)) {
        faults.push(format!("{way}.{name} is new: promise it in schemas.json"));
    }
}

#[test]
fn every_document_keeps_what_its_schema_promises() {
    let (bench, fake) = (Bench::new(), Fake::start());
    let mut found = BTreeMap::new();
    for verb in VERBS {
        let mut command = bench.command(["-o", "json"].iter().chain(*verb));
        let run = Run::of(command.env("BARY_ADDR", &fake.addr).output().expect("it is built"));
        let document = run.json();
        let schema = document["schema"].as_str().expect("every document has one").to_owned();
        found.insert(schema, shape(&document));
    }
    let promised: BTreeMap<String, Value> =
        serde_json::from_str(PROMISED).expect("the file is JSON");
    let mut faults = Vec::new();
    for (schema, shape) in &promised {
        match found.get(schema) {
            Some(found) => broken(shape, found, schema, &mut faults),
            None => faults.push(format!("{schema} is printed by no verb")),
        }
    }
    for schema in found.keys().filter(|schema| !promised.contains_key(*schema)) {
        faults.push(format!("{schema} is new: promise it in schemas.json"));
    }
    let shown = serde_json::to_string_pretty(&found).expect("shapes are JSON");
    assert!(faults.is_empty(), "{}\nnow:\n{shown}", faults.join("\n"));
}

#[test]
fn a_field_that_goes_or_changes_is_a_broken_promise() {
    let promised = json!({ "rows": [{ "id": "number", "tags": {}, "name": "string" }] });
    let found = json!({ "rows": [{ "id": "string", "tags": { "a": "string" }, "more": "bool" }] });
    let mut faults = Vec::new();
    broken(&promised, &found, "x", &mut faults);
    let wanted = [
        "x.rows[].id was \"number\" and is \"string\"",
        "x.rows[].name has gone",
        "x.rows[].more is new: promise it in schemas.json",
    ];
    assert_eq!(faults, wanted);
}
