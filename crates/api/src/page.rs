//! The reference page of the contract, as Markdown.

use std::fmt::Write;

use crate::problem;
use crate::shape::{Field, Form, MESSAGES, Times};
use crate::verb::TABLE;

/// The page, with a line end.
#[must_use]
pub fn markdown() -> String {
    let mut page = OPENING.to_owned();
    page.push_str("\n## Verbs\n\n");
    page.push_str(
        "A greater role may all that a lesser one may: viewer, operator, admin. Uses of \
                   verbs that change something, and refusals, are lines of the audit log.\n\n",
    );
    page.push_str(
        "| verb | what it does | role | changes | gRPC | HTTP |\n|---|---|---|---|---|---|\n",
    );
    for row in &TABLE {
        let route =
            |route: &crate::verb::Route| format!("`{} {}`", route.method.name(), route.path);
        let routes: Vec<String> = row.http.iter().map(route).collect();
        let changes = if row.changes { "yes" } else { "no" };
        let (name, summary, role) = (row.name, row.summary, row.role);
        let (grpc, http) = (row.grpc.trim_start_matches('/'), routes.join(", "));
        put(
            &mut page,
            format_args!("| {name} | {summary} | {role} | {changes} | `{grpc}` | {http} |\n"),
        );
    }
    page.push_str("\n## Problems\n\n");
    page.push_str(PROBLEMS);
    page.push_str("| type | meaning | HTTP | gRPC | exit code |\n|---|---|---|---|---|\n");
    for row in &problem::TABLE {
        let problem::Row { word, http, grpc, exit, summary, .. } = row;
        put(&mut page, format_args!("| {word} | {summary} | {http} | {grpc:?} | {exit} |\n"));
    }
    page.push_str("\n## Messages\n");
    for message in MESSAGES {
        put(&mut page, format_args!("\n### {}\n\n", message.name));
        if !message.about.is_empty() {
            put(&mut page, format_args!("{}\n\n", message.about));
        }
        fields(&mut page, message.fields);
    }
    page
}

const OPENING: &str = "\
# The API

A node speaks gRPC and JSON on one port. Both have the same verbs and messages; the contract is
`crates/api/proto/bary/v1/node.proto`, served by gRPC reflection, and the JSON door is described in
[OpenAPI 3.1](openapi.json), which a node serves at `/openapi.json`.

Version `bary.v1` is a promise, in gRPC and in JSON: verbs, paths, messages and fields are only ever
added. A field keeps its name, number and type, and a verb its role. Readers pass over fields that
they do not know; a JSON request with an unknown field is refused, so that no wish is lost in
silence. What would break this comes as `bary.v2`, beside it.

## JSON

- Names are those of the contract. Bytes are base64 text, times RFC 3339 text in UTC, durations
  seconds. Whole numbers are JSON numbers, up to 2^64 - 1.
- Requests may leave out any field; it then has its plain value: 0, false, empty. Answers have every
  field, plain or not, except messages and alternatives that are absent.
- Of the alternatives of a choice one field may be there, as in `{\"file\": \"...\"}`.
- A name in braces in a path is a field of the request; a list is written with commas, as in
  `POST /v1/jobs/1,2/hold`. The other fields are query parameters of GET and DELETE, where a list
  has one for each entry, and else fields of a JSON object, the body.
- Streams are server-sent events: each message is an event's data, its `number`, where it has one,
  the event's id. An event `end` closes a stream that is complete, an event `problem` one that broke
  off. `Last-Event-ID` stands for the field `after`.
- `Idempotency-Key` stands for the field `idempotency_key`.
";

const PROBLEMS: &str = "\
What was not done is answered with a `Problem`: over HTTP as `application/problem+json` (RFC 9457),
over gRPC in the details of the status (`google.rpc.Status`), with a `RetryInfo` and a trailer
`retry-after` where trying again may help. Nothing was changed, except that `unavailable`,
`timed-out` and `internal` leave open whether something was.

";

fn fields(page: &mut String, fields: &[Field]) {
    if fields.is_empty() {
        page.push_str("It has no fields.\n");
        return;
    }
    page.push_str("| field | number | type | meaning |\n|---|---|---|---|\n");
    for field in fields {
        let Field { name, number, about, .. } = field;
        let about = about.replace('|', "\\|");
        put(page, format_args!("| `{name}` | {number} | {} | {about} |\n", form(field)));
    }
}

fn form(field: &Field) -> String {
    let one = match field.form {
        Form::Bool => "bool".to_owned(),
        Form::Int32 => "int32".to_owned(),
        Form::Uint32 => "uint32".to_owned(),
        Form::Uint64 => "uint64".to_owned(),
        Form::Double => "double".to_owned(),
        Form::Text => "string".to_owned(),
        Form::Bytes => "bytes".to_owned(),
        Form::Message(name) => format!("[{name}](#{})", name.to_lowercase()),
    };
    match (field.times, field.oneof) {
        (_, Some(_)) => format!("{one}, or another choice"),
        (Times::One, None) => one,
        (Times::Optional, None) => format!("{one}, may be absent"),
        (Times::Many, None) => format!("list of {one}"),
        (Times::Map, None) => format!("map of {one}"),
    }
}

fn put(text: &mut String, args: std::fmt::Arguments<'_>) {
    text.write_fmt(args).expect("writing to a string cannot fail");
}
