//! Whatever comes over HTTP becomes a request or is refused, and nothing breaks.

use bary_api::bind::{self, Parts};
use bary_api::problem::Kind;
use bary_api::shape::{Call, Message};
use bary_api::v1;
use bary_api::verb::{Route, Row, TABLE, Verb};
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::strategy::Strategy;
use serde::de::DeserializeOwned;

/// Names that requests have, and one that none has.
fn name() -> impl Strategy<Value = String> {
    let asked = bary_api::shape::MESSAGES.iter().filter(|message| message.asked);
    let mut names: Vec<&str> =
        asked.flat_map(|message| message.fields).map(|field| field.name).collect();
    names.push("nobody");
    proptest::sample::select(names).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    proptest::sample::select(vec![
        "",
        "1",
        "1,2",
        "-1",
        "true",
        "NaN",
        "inf",
        "1e999",
        "4294967296",
        "null",
        "[]",
        "{}",
        "\"\"",
        "\"a\"",
        "\"YQ==\"",
        "[1]",
        "[\"a\"]",
        "{\"a\":\"b\"}",
        "{\"a\":1}",
        "0.5",
        "ü",
    ])
    .prop_map(str::to_owned)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let object = vec((name(), value()), 0..4).prop_map(|fields| {
        let fields: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
        format!("{{{}}}", fields.join(",")).into_bytes()
    });
    proptest::prop_oneof![object, vec(any::<u8>(), 0..40)]
}

fn ask<T: DeserializeOwned>(row: &Row, route: &Route, parts: Parts<'_>) {
    if let Err(refused) = bind::request::<T>(row, route, parts) {
        assert_eq!(refused.kind, Kind::Invalid, "{}", refused.title);
        assert!(!refused.title.is_empty());
    }
}

fn ask_all(parts: Parts<'_>) {
    for row in &TABLE {
        for route in row.http {
            match row.verb {
                Verb::Submit => ask::<v1::SubmitRequest>(row, route, parts),
                Verb::Extend => ask::<v1::ExtendRequest>(row, route, parts),
                Verb::Cancel => ask::<v1::CancelRequest>(row, route, parts),
                Verb::ListJobs => ask::<v1::ListJobsRequest>(row, route, parts),
                Verb::Logs => ask::<v1::LogsRequest>(row, route, parts),
                Verb::ChangeNode => ask::<v1::ChangeNodeRequest>(row, route, parts),
                Verb::TryPolicy => ask::<v1::TryPolicyRequest>(row, route, parts),
                Verb::CreateToken => ask::<v1::CreateTokenRequest>(row, route, parts),
                _ => ask::<serde_json::Value>(row, route, parts),
            }
        }
    }
}

proptest! {
    #[test]
    fn anything_is_a_request_or_refused(
        path in vec((name(), value()), 0..2),
        query in vec((name(), value()), 0..4),
        body in body(),
    ) {
        ask_all(Parts { path: &path, query: &query, body: &body });
        ask_all(Parts { path: &path, query: &[], body: &body });
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"tasks\":", "}")] {
        let body = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        let parts = Parts { path: &[], query: &[], body: body.as_bytes() };
        let row = Verb::Submit.row();
        let request = bind::request::<v1::SubmitRequest>(row, &row.http[0], parts);
        assert_eq!(request.expect_err("it is no request").kind, Kind::Invalid);
    }
}

#[test]
fn each_field_of_each_route_can_be_said() {
    for row in TABLE.iter().filter(|row| !row.http.is_empty()) {
        let call = Call::of(row.grpc).expect("it is in the contract");
        let message = Message::of(call.request).expect("it is in the contract");
        for route in row.http.iter().filter(|route| !route.method.has_body()) {
            for field in message.fields {
                let text = ["1", "true"][usize::from(field.form == bary_api::shape::Form::Bool)];
                let pair = [(field.name.to_owned(), text.to_owned())];
                let parts = Parts { path: &[], query: &pair, body: b"" };
                let made = bind::request::<serde_json::Value>(row, route, parts);
                let made = made.expect("the field takes such a value");
                assert!(made.get(field.name).is_some(), "{} {}", row.name, field.name);
            }
        }
    }
}
