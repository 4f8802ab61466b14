//! The shape of the contract against its golden copy: what was promised stays.

use std::collections::BTreeSet;
use std::path::PathBuf;

use bary_api::shape::{CALLS, Call, Field, Form, MESSAGES, Times};
use bary_api::verb::TABLE;

/// What is promised, a line each. Lines are only ever added.
const GOLDEN: &str = include_str!("golden/contract.txt");

fn field(message: &str, field: &Field) -> String {
    let form = match field.form {
        Form::Bool => "bool",
        Form::Int32 => "int32",
        Form::Uint32 => "uint32",
        Form::Uint64 => "uint64",
        Form::Double => "double",
        Form::Text => "string",
        Form::Bytes => "bytes",
        Form::Message(name) => name,
    };
    let times = match (field.times, field.oneof) {
        (_, Some(oneof)) => format!("oneof {oneof} "),
        (Times::One, None) => String::new(),
        (Times::Optional, None) => "optional ".to_owned(),
        (Times::Many, None) => "repeated ".to_owned(),
        (Times::Map, None) => "map ".to_owned(),
    };
    format!("field {message}.{} = {} {times}{form}", field.name, field.number)
}

fn call(call: &Call) -> String {
    let stream = |is: bool| if is { "stream " } else { "" };
    let Call { grpc, request, reply, up, down, about: _ } = call;
    format!("call {grpc} ({}{request}) ({}{reply})", stream(*up), stream(*down))
}

fn lines() -> Vec<String> {
    let mut lines: Vec<String> = CALLS.iter().map(call).collect();
    for row in &TABLE {
        let routes = row.http.iter();
        lines.extend(
            routes
                .map(|route| format!("route {} {} {}", route.method.name(), route.path, row.name)),
        );
        lines.push(format!("role {} {}", row.name, row.role));
    }
    for message in MESSAGES {
        lines.push(format!("message {}", message.name));
        lines.extend(message.fields.iter().map(|each| field(message.name, each)));
    }
    lines
}

/// The promises that are not kept any more.
fn broken(lines: &[String]) -> Vec<&'static str> {
    let now: BTreeSet<&str> = lines.iter().map(String::as_str).collect();
    GOLDEN.lines().filter(|line| !now.contains(line)).collect()
}

#[test]
fn nothing_promised_is_removed_renumbered_or_retyped() {
    assert_eq!(broken(&lines()), Vec::<&str>::new());
}

#[test]
fn a_change_of_any_line_is_seen() {
    let lines = lines();
    for at in 0..lines.len() {
        let mut changed = lines.clone();
        changed[at].push('x');
        assert_eq!(broken(&changed), [lines[at].as_str()]);
    }
}

#[test]
fn everything_is_promised() {
    let golden: BTreeSet<&str> = GOLDEN.lines().collect();
    let lines = lines();
    let new: Vec<&String> = lines.iter().filter(|line| !golden.contains(line.as_str())).collect();
    assert!(new.is_empty(), "`cargo test -p bary-api keep -- --ignored` writes {new:#?}");
}

#[test]
#[ignore = "writes the golden copy; it adds, and refuses to take away"]
fn keep() {
    let lines = lines();
    assert_eq!(broken(&lines), Vec::<&str>::new(), "a new version of the contract is needed");
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/api/golden/contract.txt");
    std::fs::write(path, lines.join("\n") + "\n").expect("the golden copy can be written");
}
