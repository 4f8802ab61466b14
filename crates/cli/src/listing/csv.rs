//! Rows as comma-separated values (RFC 4180): a header of field names, then a line for each row.

use serde_json::Value;

/// Rows that are objects of the same fields. What is no single value is written as JSON.
pub(crate) fn text(rows: &[Value]) -> String {
    let Some(Value::Object(first)) = rows.first() else { return String::new() };
    let names: Vec<&String> = first.keys().collect();
    let mut text = record(names.iter().map(|name| quoted(name)));
    for row in rows {
        text += &record(names.iter().map(|name| field(&row[name.as_str()])));
    }
    text
}

fn record(fields: impl Iterator<Item = String>) -> String {
    let mut line = fields.collect::<Vec<_>>().join(",");
    line.push_str("\r\n");
    line
}

fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => quoted(text),
        Value::Array(list) if list.is_empty() => String::new(),
        Value::Object(fields) if fields.is_empty() => String::new(),
        other => quoted(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        let rows = [
            json!({ "id": 1, "name": "a,b", "tags": { "x": "y" } }),
            json!({ "id": 2, "name": "say \"hi\"", "tags": {} }),
        ];
        let want = "id,name,tags\r\n1,\"a,b\",\"{\"\"x\"\":\"\"y\"\"}\"\r\n\
                    2,\"say \"\"hi\"\"\",\r\n";
        assert_eq!(text(&rows), want);
        assert_eq!(text(&[]), "");
    }
}
