//! Where a command runs and which files go in and out.

use bary_model::action::{FileMove, Stdin, Surroundings};
use bary_model::template::Template;
use toml::de::DeValue;

use crate::context::{Context, Value};
use crate::task::Fields;

/// The keys that only a command can use.
const OF_COMMANDS: [&str; 7] =
    ["stdin", "stdin-text", "stdout", "stderr", "inputs", "outputs", "cwd"];

pub(crate) fn read(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Surroundings {
    if let Some(function) = fields.own("function") {
        for key in OF_COMMANDS.iter().filter(|key| fields.own(key).is_some()) {
            cx.fault_with_fix(
                function.span(),
                format!("`{key}` belongs to a command, but this task has `function`"),
                Some(format!("remove `{key}`, or hand it over in `args`")),
            );
        }
    }
    let template = |cx: &mut Context<'_>, key| cx.template(fields.get(key)?);
    Surroundings {
        env: env(cx, fields),
        cwd: template(cx, "cwd"),
        stdin: stdin(cx, fields),
        stdout: template(cx, "stdout"),
        stderr: template(cx, "stderr"),
        inputs: moves(cx, fields.own("inputs")),
        outputs: moves(cx, fields.own("outputs")),
        ..Surroundings::default()
    }
}

fn env(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Vec<(Box<str>, Template)> {
    let mut env: Vec<(Box<str>, Template)> = Vec::new();
    for value in [fields.top.get("env"), fields.own("env")].into_iter().flatten() {
        let DeValue::Table(table) = value.get_ref() else { continue };
        for (name, value) in table {
            let text: &str = name.get_ref();
            if text.is_empty() || text.contains(['=', '\0']) {
                cx.fault(name.span(), format!("`{text}` cannot be the name of a variable"));
                continue;
            }
            let Some(template) = cx.template(value) else { continue };
            env.retain(|(there, _)| **there != *text);
            env.push((text.into(), template));
        }
    }
    env
}

fn stdin(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Stdin {
    match (fields.own("stdin"), fields.own("stdin-text")) {
        (Some(_), Some(text)) => {
            cx.fault_with_fix(
                text.span(),
                "a task has only one of `stdin` and `stdin-text`",
                Some("remove one of them".into()),
            );
            Stdin::Null
        }
        (Some(file), None) => cx.template(file).map_or(Stdin::Null, Stdin::File),
        (None, Some(text)) => cx.template(text).map_or(Stdin::Null, Stdin::Text),
        (None, None) => Stdin::Null,
    }
}

fn moves(cx: &mut Context<'_>, value: Option<&Value<'_>>) -> Vec<FileMove> {
    let Some(DeValue::Array(values)) = value.map(Value::get_ref) else { return Vec::new() };
    values.iter().filter_map(|value| file_move(cx, value)).collect()
}

fn file_move(cx: &mut Context<'_>, value: &Value<'_>) -> Option<FileMove> {
    if let DeValue::Table(table) = value.get_ref() {
        let (from, to) = (cx.template(table.get("from")?), cx.template(table.get("to")?));
        return Some(FileMove { from: from?, to: to? });
    }
    let path = cx.template(value)?;
    let leaves = path.literal_bytes().is_some_and(|bytes| {
        bytes.starts_with(b"/") || bytes.split(|&byte| byte == b'/').any(|part| part == b"..")
    });
    if leaves {
        cx.fault_with_fix(
            value.span(),
            "a path that is kept must lie below the directory that the task runs in",
            Some("write { from = \"...\", to = \"...\" } with a relative path inside".into()),
        );
        return None;
    }
    Some(FileMove { from: path.clone(), to: path })
}
