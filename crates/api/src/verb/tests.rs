//! The table against the contract.

use std::collections::BTreeSet;

use super::{TABLE, Verb};
use crate::role::Role;
use crate::shape::{CALLS, Call, Form, Message, Times};

#[test]
fn the_table_has_the_calls_of_the_contract_in_their_order() {
    let calls: Vec<&str> = CALLS.iter().map(|call| call.grpc).collect();
    let rows: Vec<&str> = TABLE.iter().map(|row| row.grpc).collect();
    assert_eq!(rows, calls);
    for (at, (row, call)) in TABLE.iter().zip(CALLS).enumerate() {
        assert_eq!(row.verb as usize, at);
        assert_eq!((row.streams, row.http.is_empty()), (call.down, call.up), "{}", row.name);
        let plain: String = row.name.split('-').collect();
        assert!(row.grpc.to_lowercase().ends_with(&format!("/{plain}")), "{}", row.name);
    }
}

#[test]
fn names_and_paths_lead_back_to_their_verb() {
    for row in &TABLE {
        assert_eq!(Verb::of_name(row.name), Some(row.verb));
        assert_eq!(Verb::of_grpc(row.grpc), Some(row.verb));
        assert_eq!(row.verb.to_string(), row.name);
    }
    assert_eq!(Verb::of_grpc("/bary.v1.Node/Nothing"), None);
    for (row, route) in TABLE.iter().flat_map(|row| row.http.iter().map(move |at| (row, at))) {
        assert_eq!(Verb::of_http(route.method.name(), route.path), Some(row.verb));
    }
    assert_eq!(Verb::of_http("POST", "/v1/jobs/1,2/hold"), Some(Verb::Hold));
    for (method, path) in [("GET", "/v1/jobs/1/hold"), ("GET", "/v1/jobs/"), ("GET", "/")] {
        assert_eq!(Verb::of_http(method, path), None, "{method} {path}");
    }
}

#[test]
fn no_two_routes_are_one() {
    let mut seen = BTreeSet::new();
    for route in TABLE.iter().flat_map(|row| row.http) {
        let braced = |part: &'static str| if part.starts_with('{') { "{}" } else { part };
        let path: Vec<&str> = route.path.split('/').map(braced).collect();
        assert!(seen.insert((route.method, path)), "{}", route.path);
    }
}

#[test]
fn what_is_in_a_path_or_query_can_be_written_as_text() {
    for row in &TABLE {
        let call = Call::of(row.grpc).expect("it is in the contract");
        let message = Message::of(call.request).expect("it is in the contract");
        for route in row.http {
            for param in route.params() {
                assert!(message.field(param).is_some(), "{}", route.path);
            }
            let in_text = |field: &&crate::shape::Field| {
                !route.method.has_body() || route.params().any(|param| param == field.name)
            };
            for field in message.fields.iter().filter(in_text) {
                let plain = !matches!(field.form, Form::Bytes | Form::Message(_));
                assert!(plain && field.times != Times::Map, "{} {}", row.name, field.name);
            }
        }
    }
}

#[test]
fn who_only_looks_changes_nothing() {
    for row in TABLE.iter().filter(|row| row.role == Role::Viewer) {
        assert!(!row.changes, "{}", row.name);
    }
    for row in TABLE.iter().filter(|row| row.changes) {
        assert!(row.http.iter().all(|route| route.method.name() != "GET"), "{}", row.name);
    }
}
