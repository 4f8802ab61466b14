//! The inputs of a submission: numbers, lines, or values of JSON.

use std::io::Read;
use std::path::Path;

use bary_jobfile::limits::EACH_LINE_BYTES_MAX;
use bary_model::inputs::lines::LinesBuilder;
use bary_model::inputs::{Inputs, InputsError};
use serde_json::Value;

use crate::args::submit::WorkArgs;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::sources;
use crate::sources::cut::{Cut, Rows};

/// The rows that tasks are made for; none where one task is meant.
pub(crate) fn of(args: &WorkArgs) -> Result<Option<Inputs>, Complaint> {
    if let Some(range) = args.array {
        return range.inputs().map(Some).map_err(Complaint::usage);
    }
    let lines = if let Some(path) = &args.each_line {
        let cut = Cut { end: b'\n', colsep: None, skip_blank: false, rows: Rows::Single };
        cut.lines(&whole(path)?)
    } else if let Some(path) = &args.each_json {
        let mut lines = LinesBuilder::default();
        values(&whole(path)?, path)?.iter().for_each(|value| lines.push(&text(value)));
        lines.finish()
    } else {
        return Ok(None);
    };
    Inputs::lines(lines).map(Some).map_err(|error| match error {
        InputsError::Empty => Complaint::usage("there are no inputs, so there is no task"),
        error => Complaint::usage(error),
    })
}

fn whole(path: &Path) -> Result<Vec<u8>, Complaint> {
    let mut bytes = Vec::new();
    let most = EACH_LINE_BYTES_MAX;
    let mut from = sources::open(path)?.take(most + 1);
    from.read_to_end(&mut bytes).map_err(|cause| sources::read_error(path, cause))?;
    if bytes.len() as u64 > most {
        let text = format!("{} is longer than each_line_bytes_max = {most}", path.display());
        return Err(Complaint::new(Exit::FULL, text));
    }
    Ok(bytes)
}

/// The items of an array, or one value after another.
fn values(bytes: &[u8], path: &Path) -> Result<Vec<Value>, Complaint> {
    let wrong = |error| Complaint::usage(format!("{}: {error}", path.display()));
    let read = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut values = read.collect::<Result<Vec<_>, _>>().map_err(wrong)?;
    match values.as_mut_slice() {
        [Value::Array(items)] => Ok(std::mem::take(items)),
        _ => Ok(values),
    }
}

/// A text stands for itself, anything else for its JSON.
fn text(value: &Value) -> Vec<u8> {
    match value {
        Value::String(text) => text.clone().into_bytes(),
        other => other.to_string().into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Vec<String> {
        let values = values(json.as_bytes(), Path::new("x")).expect("it is JSON");
        values.iter().map(|value| String::from_utf8_lossy(&text(value)).into_owned()).collect()
    }

    #[test]
    fn json_is_an_array_or_one_value_after_another() {
        assert_eq!(read(r#"["a", 1, {"b": 2}]"#), ["a", "1", r#"{"b":2}"#]);
        assert_eq!(read("\"a\"\n[1]\n"), ["a", "[1]"]);
        assert!(values(b"[1,", Path::new("x")).is_err());
    }
}
