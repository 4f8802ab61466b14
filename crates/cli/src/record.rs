//! A task that ended as one JSON object, and what bytes become in JSON.

use bary_model::action::Action;
use bary_model::event::Ended;
use bary_model::id::TaskId;
use bary_model::outcome::End;
use bary_model::payload::Payload;
use bary_model::roster::Roster;
use bary_ports::store::{Store, StoreError};
use serde_json::{Map, Value, json};

/// Whether a task runs a program.
pub(crate) fn is_command(roster: &Roster, task: TaskId) -> bool {
    let action = roster.spec(task.spec).map(|spec| &spec.body.action);
    matches!(action, Some(Action::Command { .. }))
}

/// A task that ended as one JSON object.
pub(crate) fn task(
    ended: &Ended,
    task: TaskId,
    output: &Payload,
    roster: &Roster,
    store: &dyn Store,
) -> Result<Value, StoreError> {
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("seq", json!(roster.number(task)));
    put("input", text(&roster.input(task)));
    put("node", json!(ended.node.0));
    put("attempt", json!(ended.attempt));
    put("outcome", json!(ended.end.name()));
    put("seconds", json!(ended.usage.busy.as_secs_f64() / f64::from(ended.range.count)));
    if let End::Failed(failure) | End::Quarantined(failure) = &ended.end {
        put("failure", json!(failure.to_string()));
    }
    if is_command(roster, task) {
        put("exit", json!(ended.end.code()));
        put("stdout", text(&store.read(output)?));
    } else {
        put("result", value(&store.read(output)?));
    }
    let errors = store.read(&ended.stderr)?;
    if !errors.is_empty() {
        put("stderr", text(&errors));
    }
    Ok(Value::Object(object))
}

/// What a task gave as JSON: as it is where it is JSON, else its text without the last line end;
/// nothing is null.
pub(crate) fn value(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    let Ok(text) = str::from_utf8(bytes) else { return text(bytes) };
    let text = text.strip_suffix('\n').unwrap_or(text);
    // A whole number past 64 bits would lose digits as a JSON number.
    let long = text.len() > 18 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match serde_json::from_str::<Value>(text) {
        Ok(read) if !(long && read.is_f64()) => read,
        _ => json!(text),
    }
}

/// Bytes as a JSON string, or as `{"base64": "..."}` where they are not UTF-8, so that nothing is
/// lost.
pub(crate) fn text(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) => json!(text),
        Err(_) => json!({ "base64": base64(bytes) }),
    }
}

/// Base64 with padding, as RFC 4648 has it.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_json_where_they_can_be() {
        assert_eq!(value(b"3.5\n"), json!(3.5));
        assert_eq!(value(b"{\"a\":[1]}"), json!({ "a": [1] }));
        assert_eq!(value(b"two words\n"), json!("two words"));
        assert_eq!(value(b"123456789012345678901234"), json!("123456789012345678901234"));
        assert_eq!(value(b"\xff"), json!({ "base64": "/w==" }));
        let coded = [&b""[..], b"f", b"fo", b"foo", b"foob", b"\xfb\xff"].map(base64);
        assert_eq!(coded, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "+/8="]);
        assert_eq!(value(b""), Value::Null);
    }
}
