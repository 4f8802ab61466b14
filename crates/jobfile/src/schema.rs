//! The reference page and the JSON schema of job files, made from the table of keys.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::keys::parts::{AFTER, BACKOFF, EACH_FILE, LIMIT, MOVE, REDUCE};
use crate::keys::task::TASK;
use crate::keys::{Key, Shape, TOP};
use crate::limits::LIMITS;

/// What stands before the tables of keys.
const HEAD: &str = "# Job files

A job file is TOML. `bary run JOB.toml` checks all of it before anything runs and reports every
fault with file, line, column and what to write instead. Numbers, times and sizes may also be
given by a parameter, as in `cpus = \"{cores}\"`.
";

/// What stands after them.
const PLACEHOLDERS: &str = "
## Placeholders

| placeholder | stands for |
|---|---|
| `{index}` | the index of the array, or the number of the line or file from 0 |
| `{}` `{line}` `{file}` | the line, file or index |
| `{.}` `{/}` `{//}` `{/.}` | without extension, base name, directory, base name without \
extension; also `{file.}`, `{line/}` and so on |
| `{#}` `{%}` `{attempt}` | number of the task in the job, slot that it runs on, attempt; \
all from 1 |
| `{NAME}` | the parameter NAME |
| `{result.NAME}` | the result of the task NAME, which must be in `after`; of the \
same index where it is aligned, else of every index, one a line |
| `{{word}}` | the letters `{word}` |

Other braces stay as they are: `{print $1}`, `{\"a\": 1}` and `${HOME}` need no escapes. A word of
a command that is only a placeholder stays one argument, whatever blanks its value holds.

Relative paths of `each-line` and `each-file` start from the directory that `bary` was started in,
as those of the tasks do. Directories named `.git` and `target` are not walked.
";

/// The reference page, in Markdown.
#[must_use]
pub fn markdown() -> String {
    let mut page = HEAD.to_owned();
    section(&mut page, "At the top of the file", "", TOP.iter());
    let inherited: Vec<String> =
        TASK.iter().filter(|key| key.inherits).map(|key| format!("`{}`", key.name)).collect();
    let inherited = inherited.join(", ");
    let note = format!("These may also stand at the top, as defaults for every task: {inherited}.");
    section(&mut page, "`[[task]]`", &note, TASK.iter());
    let parts: [(&str, &'static [Key]); 6] = [
        ("`each-file`", &EACH_FILE),
        ("`limit`", &LIMIT),
        ("entries of `after`", &AFTER),
        ("`reduce`", &REDUCE),
        ("`backoff`", &BACKOFF),
        ("entries of `inputs` and `outputs`", &MOVE),
    ];
    for (title, keys) in parts {
        section(&mut page, &format!("Keys of {title}"), "", keys.iter());
    }
    page.push_str(PLACEHOLDERS);
    page.push_str("\n## Limits\n\n| limit | most | of |\n|---|---|---|\n");
    for limit in &LIMITS {
        put(&mut page, format_args!("| `{}` | {} | {} |\n", limit.name, limit.most, limit.what));
    }
    page
}

fn section<'k>(page: &mut String, title: &str, note: &str, keys: impl Iterator<Item = &'k Key>) {
    put(page, format_args!("\n## {title}\n\n"));
    if !note.is_empty() {
        put(page, format_args!("{note}\n\n"));
    }
    page.push_str("| key | value | default | |\n|---|---|---|---|\n");
    for key in keys {
        let default = if key.required { "required" } else { key.default };
        let (doc, example) = (key.doc, key.example);
        let words = key.shape.words().replace('|', "\\|");
        put(page, format_args!("| `{}` | {words} | {default} | {doc} `{example}` |\n", key.name));
    }
}

fn put(page: &mut String, text: std::fmt::Arguments<'_>) {
    page.write_fmt(text).expect("writing to a string cannot fail");
}

/// The JSON schema of a job file, for editors.
#[must_use]
pub fn json_schema() -> Value {
    let mut schema = record(TOP.iter().chain(TASK.iter().filter(|key| key.inherits)));
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("Barycenter job file");
    schema
}

fn record<'k>(keys: impl Iterator<Item = &'k Key>) -> Value {
    let mut properties = serde_json::Map::new();
    let mut required = Vec::new();
    for key in keys {
        let mut property = shape(&key.shape);
        property["description"] = json!(key.doc);
        if key.required {
            required.push(key.name);
        }
        properties.insert(key.name.to_owned(), property);
    }
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": required,
    })
}

fn shape(of: &Shape) -> Value {
    let by_param = json!({ "type": "string", "pattern": "\\{" });
    match of {
        Shape::Text => json!({ "type": "string" }),
        Shape::Choice(names) => json!({ "enum": names }),
        Shape::Flag => json!({ "anyOf": [{ "type": "boolean" }, by_param] }),
        Shape::Integer(least, most) => {
            let number = json!({ "type": "integer", "minimum": least, "maximum": most });
            json!({ "anyOf": [number, by_param] })
        }
        Shape::Number(least, most) => {
            let number = json!({ "type": "number", "minimum": least, "maximum": most });
            json!({ "anyOf": [number, by_param] })
        }
        Shape::Time { .. } => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "number", "minimum": 0 }] })
        }
        Shape::Size => {
            json!({ "anyOf": [{ "type": "string" }, { "type": "integer", "minimum": 1 }] })
        }
        Shape::List(one) => json!({ "type": "array", "items": shape(one) }),
        Shape::Map(one) => json!({ "type": "object", "additionalProperties": shape(one) }),
        Shape::Record(keys) => record(keys.iter()),
        Shape::Either(shapes) => {
            json!({ "anyOf": shapes.iter().map(shape).collect::<Vec<_>>() })
        }
        Shape::Any => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_and_the_schema_name_every_key_and_limit() {
        let page = markdown();
        let schema = json_schema();
        let task = &schema["properties"]["task"]["items"]["properties"];
        for key in &TASK {
            assert!(page.contains(&format!("| `{}` | ", key.name)), "{}", key.name);
            assert_eq!(task[key.name]["description"], key.doc);
            let at_top = schema["properties"].get(key.name).is_some() && key.name != "name";
            assert_eq!(at_top, key.inherits, "{}", key.name);
        }
        for limit in &LIMITS {
            assert!(page.contains(&format!("| `{}` | {} |", limit.name, limit.most)));
        }
        for row in page.lines().filter(|line| line.starts_with("| `")) {
            let bars = row.replace("\\|", "").matches('|').count();
            assert!(bars == 5 || bars == 4 || bars == 3, "this row has {bars} bars: {row}");
        }
    }
}
