//! The OpenAPI document holds together: every reference leads somewhere, every parameter is
//! declared.

use std::collections::BTreeSet;

use bary_api::openapi;
use bary_api::verb::TABLE;
use serde_json::Value;

/// Every value of the document that lies under a key.
fn under<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Object(object) => {
            found.extend(object.get(key));
            object.values().for_each(|value| under(value, key, found));
        }
        Value::Array(list) => list.iter().for_each(|value| under(value, key, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_schema_is_used() {
    let document = openapi::document();
    let mut references = Vec::new();
    under(&document, "$ref", &mut references);
    let mut used = BTreeSet::new();
    for reference in references {
        let path = reference.as_str().and_then(|text| text.strip_prefix('#'));
        let path = path.expect("references are within the document");
        assert!(document.pointer(path).is_some(), "{path}");
        used.insert(path.to_owned());
    }
    for part in ["responses", "headers"] {
        for name in document["components"][part].as_object().expect("it is an object").keys() {
            assert!(used.contains(&format!("/components/{part}/{name}")), "{part} {name}");
        }
    }
}

#[test]
fn every_route_is_an_operation_with_its_parameters_and_role() {
    let document = openapi::document();
    let mut names = BTreeSet::new();
    for row in &TABLE {
        for route in row.http {
            let method = route.method.name().to_lowercase();
            let operation = &document["paths"][route.path][method];
            let name = operation["operationId"].as_str().expect("operations have names");
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert_eq!(operation["x-bary-role"], row.role.name());
            let declared = operation["parameters"].as_array().into_iter().flatten();
            let declared = declared.filter(|parameter| parameter["in"] == "path");
            let declared: BTreeSet<&str> =
                declared.filter_map(|parameter| parameter["name"].as_str()).collect();
            assert_eq!(declared, route.params().collect(), "{}", route.path);
            assert_eq!(operation.get("requestBody").is_some(), route.method.has_body());
            let streams = operation["responses"]["200"]["content"].get("text/event-stream");
            assert_eq!(streams.is_some(), row.streams, "{name}");
        }
    }
}

#[test]
fn the_same_tables_give_the_same_text() {
    assert_eq!(openapi::text(), openapi::text());
    assert!(openapi::text().is_ascii());
}
