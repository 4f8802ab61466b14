//! `--format`: a text for each row, with fields in braces.

use serde_json::Value;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Text(String),
    /// A field, or a field of a field.
    Field(String),
}

/// A brace that does not close. Nothing was printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` has a brace that does not close; write {{{{ for a brace itself")]
pub(crate) struct OpenBrace(String);

/// A field that the rows do not have. Nothing was printed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no field `{0}`")]
pub(crate) struct NoField(pub(crate) String);

/// Reads a template; `{{` and `}}` are braces, `\t` and `\n` a tab and a line end.
pub(crate) fn parse(text: &str) -> Result<Vec<Part>, OpenBrace> {
    let text = text.replace("\\t", "\t").replace("\\n", "\n");
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            plain.push(c);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or_else(|| OpenBrace(text.clone()))?;
            parts.push(Part::Text(std::mem::take(&mut plain)));
            parts.push(Part::Field(name.trim().trim_start_matches('.').to_owned()));
            rest = after;
        } else {
            plain.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    parts.push(Part::Text(plain));
    Ok(parts)
}

/// The text of one row. A name that a map of the row lacks, as a tag, is empty.
pub(crate) fn fill(template: &[Part], row: &Value) -> Result<String, NoField> {
    let mut text = String::new();
    for part in template {
        match part {
            Part::Text(plain) => text += plain,
            Part::Field(path) => text += &field(row, path)?,
        }
    }
    Ok(text)
}

fn field(row: &Value, path: &str) -> Result<String, NoField> {
    let (first, inner) = path.split_once('.').map_or((path, None), |(a, b)| (a, Some(b)));
    let value = row.get(first).ok_or_else(|| NoField(first.to_owned()))?;
    let value = match inner {
        // Tags may have dots in their names.
        Some(name) => value.get(name).unwrap_or(&Value::Null),
        None => value,
    };
    Ok(match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_filled_in() {
        let row = json!({ "id": 7, "name": "a", "tags": { "team.x": "y" } });
        let shown = |text: &str| fill(&parse(text).expect("it closes"), &row);
        assert_eq!(shown("{id}\\t{.name} {{x}} {tags.team.x}|{tags.z}"), Ok("7\ta {x} y|".into()));
        assert_eq!(shown("{nam}"), Err(NoField("nam".into())));
        assert!(parse("{id").is_err());
    }
}
