//! The parameters of a file and the values that `--set` gives them.

use std::path::Path;

use bary_model::template::parse::known_words;
use toml::de::DeValue;

use crate::context::{Context, Table, Value};
use crate::fault::Fault;
use crate::suggest;

/// Fills the context's parameters from the file, then from `--set`.
pub(crate) fn read(cx: &mut Context<'_>, top: &Table<'_>, set: &[(String, String)]) {
    if let Some(DeValue::Table(params)) = top.get("params").map(Value::get_ref) {
        for (name, value) in params {
            if !is_name(name.get_ref()) {
                cx.fault_with_fix(
                    name.span(),
                    format!("`{}` cannot be the name of a parameter", name.get_ref()),
                    Some("use letters, digits, `-` and `_`, but no placeholder's name".into()),
                );
            } else if let Some(text) = text(value.get_ref()) {
                cx.params.insert(name.get_ref().to_string(), text);
            }
        }
    }
    for (name, value) in set {
        if let Some(there) = cx.params.get_mut(name) {
            there.clone_from(value);
            continue;
        }
        let fix = match suggest::nearest(name, cx.params.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None if cx.params.is_empty() => "the file has no [params]".into(),
            None => {
                let names: Vec<&str> = cx.params.keys().map(String::as_str).collect();
                format!("its parameters are {}", names.join(", "))
            }
        };
        let file = Path::display(cx.path);
        let message = format!("{file} has no parameter `{name}`");
        let path = format!("--set {name}");
        cx.faults.push((0, Fault { path, place: None, message, fix: Some(fix) }));
    }
}

fn is_name(name: &str) -> bool {
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    starts && name.chars().all(goes_on) && known_words().all(|word| word != name)
}

fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.clone().into_owned()),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        DeValue::Integer(number) => {
            Some(i64::from_str_radix(number.as_str(), number.radix()).ok()?.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}
