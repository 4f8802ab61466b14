//! A document as YAML: blocks for what holds others, and strings as JSON writes them, which YAML
//! reads the same.

use serde_json::Value;

/// The document with a line end.
pub(crate) fn text(document: &Value) -> String {
    let mut text = String::new();
    match is_block(document) {
        true => block(document, 0, &mut text),
        false => text = format!("{document}\n"),
    }
    text
}

/// Whether a value takes lines of its own.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn block(value: &Value, depth: usize, text: &mut String) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                indent(depth, text);
                match is_plain(name) {
                    true => text.push_str(name),
                    false => text.push_str(&Value::from(name.as_str()).to_string()),
                }
                text.push(':');
                below(value, depth + 1, text);
            }
        }
        Value::Array(items) => {
            for item in items {
                indent(depth, text);
                text.push('-');
                below(item, depth + 1, text);
            }
        }
        _ => {}
    }
}

/// Whether a name is read as text although nothing stands around it.
fn is_plain(name: &str) -> bool {
    const WORDS: &[&str] = &["y", "n", "no", "yes", "on", "off", "true", "false", "null"];
    let letters = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    letters && !name.is_empty() && !WORDS.contains(&name)
}

fn below(value: &Value, depth: usize, text: &mut String) {
    if is_block(value) {
        text.push('\n');
        block(value, depth, text);
    } else {
        text.push_str(&format!(" {value}\n"));
    }
}

fn indent(depth: usize, text: &mut String) {
    text.push_str(&"  ".repeat(depth));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_are_indented_and_words_quoted() {
        let document = json!({ "schema": "a/1", "rows": [{ "id": 1, "No": "yes" }, []], "n": 1 });
        // The fields of a document are in the order of their names.
        let want =
            "\"n\": 1\nrows:\n  -\n    \"No\": \"yes\"\n    id: 1\n  - []\nschema: \"a/1\"\n";
        assert_eq!(text(&document), want);
        assert_eq!(text(&json!([])), "[]\n");
    }
}
