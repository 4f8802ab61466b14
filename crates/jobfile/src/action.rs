//! What a task runs: `command`, with or without a shell, or `function` with `args`.

use std::ops::Range;

use bary_model::action::{Action, Arg};
use bary_model::template::Template;
use toml::de::DeValue;

use crate::check;
use crate::context::{Context, Value};
use crate::operator;
use crate::suggest;
use crate::task::Fields;

/// The action of a task; `None`, with faults noted, where it has none or more than one.
pub(crate) fn read(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<Action> {
    let (command, function) = (fields.own("command"), fields.own("function"));
    match (command, function) {
        (Some(command), None) => {
            if let Some(args) = fields.own("args") {
                cx.fault_with_fix(
                    args.span(),
                    "`args` belongs to `function`, but this task has `command`",
                    Some("write the arguments in `command`".into()),
                );
            }
            let on = fields.get("shell").is_some_and(|flag| check::flag(cx, flag) == Ok(true));
            let shell = if on { Shell::On } else { Shell::Off };
            Some(Action::Command { argv: self::command(cx, command, shell)? })
        }
        (None, Some(function)) => {
            let name = cx.text(function)?;
            known_function(cx, &name, function.span());
            let args = fields.own("args").map_or(Some(Vec::new()), |args| self::args(cx, args))?;
            Some(Action::Function { name: name.into(), args })
        }
        (None, None) => {
            cx.fault_with_fix(
                fields.span.clone(),
                "this task has neither `command` nor `function`",
                Some("add what it runs, such as `command = [\"echo\", \"{index}\"]`".into()),
            );
            None
        }
        (Some(_), Some(function)) => {
            cx.fault_with_fix(
                function.span(),
                "this task has both `command` and `function`",
                Some("remove one of them".into()),
            );
            None
        }
    }
}

/// Notes a fault where the functions are known and this is none of them.
pub(crate) fn known_function(cx: &mut Context<'_>, name: &str, span: Range<usize>) {
    let Some(known) = cx.functions.filter(|known| !known.contains(name)) else { return };
    let fix = match suggest::nearest(name, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            format!("the functions are {}", names.join(", "))
        }
    };
    cx.fault_with_fix(span, format!("unknown function `{name}`"), Some(fix));
}

/// Whether a shell reads a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    On,
    /// It could be switched on.
    Off,
    /// There is no key for it.
    Never,
}

/// The words of a command.
pub(crate) fn command(
    cx: &mut Context<'_>,
    value: &Value<'_>,
    shell: Shell,
) -> Option<Vec<Template>> {
    if let Some(words) = value.get_ref().as_array() {
        if shell == Shell::On {
            cx.fault_with_fix(
                value.span(),
                "with `shell = true` the command is one string, which the shell reads",
                Some("write one string, or remove `shell`".into()),
            );
            return None;
        }
        if words.is_empty() {
            cx.fault(value.span(), "this command is empty");
            return None;
        }
        return words.iter().map(|word| cx.template(word)).collect();
    }
    let text = value.get_ref().as_str()?;
    if shell == Shell::On {
        let script = cx.template(value)?.for_shell();
        return Some(vec![Template::literal("sh"), Template::literal("-c"), script]);
    }
    if let Some(operator) = operator::find(text.as_bytes()) {
        let message = format!("`{operator}` means something to a shell only, and none runs");
        let fix = match shell {
            Shell::Never => "write [\"sh\", \"-c\", \"...\"], or an array of words",
            Shell::On | Shell::Off => "set shell = true, or write an array of words",
        };
        cx.fault_with_fix(value.span(), message, Some(fix.into()));
        return None;
    }
    match shlex::split(text) {
        Some(words) if !words.is_empty() => {
            let word = |word: &String| cx.template_of(word, value.span(), &str::to_owned);
            words.iter().map(word).collect()
        }
        Some(_) => {
            cx.fault(value.span(), "this command is empty");
            None
        }
        None => {
            cx.fault_with_fix(
                value.span(),
                "this command cannot be split into words: a quote is not closed",
                Some("close the quote, or write an array of words".into()),
            );
            None
        }
    }
}

fn args(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Vec<Arg>> {
    match value.get_ref() {
        DeValue::Array(values) => {
            values.iter().map(|value| Some(Arg { name: None, value: arg(cx, value)? })).collect()
        }
        DeValue::Table(table) => {
            let mut named: Vec<_> = table.iter().collect();
            named.sort_by_key(|(name, _)| name.span().start);
            let one = |(name, value): (&toml::Spanned<std::borrow::Cow<'_, str>>, &Value<'_>)| {
                Some(Arg { name: Some((**name.get_ref()).into()), value: arg(cx, value)? })
            };
            named.into_iter().map(one).collect()
        }
        _ => Some(vec![Arg { name: None, value: arg(cx, value)? }]),
    }
}

/// A string stays the text that it is; what is no string becomes JSON.
fn arg(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Template> {
    if value.get_ref().is_str() { cx.template(value) } else { Some(json(cx, value)?.for_json()) }
}

fn json(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Template> {
    match value.get_ref() {
        DeValue::String(text) => {
            let inner = cx.template_of(&escape(text), value.span(), &escape)?;
            Some(Template::literal("\"").then(&inner).then(&Template::literal("\"")))
        }
        DeValue::Boolean(flag) => Some(Template::literal(flag.to_string())),
        DeValue::Datetime(time) => Some(Template::literal(format!("\"{time}\""))),
        DeValue::Integer(_) | DeValue::Float(_) => {
            let text = match check::integer(cx, value) {
                Ok(number) => Ok(number.to_string()),
                Err(_) => check::number(cx, value).map(|number| number.to_string()),
            };
            match text {
                Ok(text) if serde_json::from_str::<serde_json::Value>(&text).is_ok() => {
                    Some(Template::literal(text))
                }
                Ok(text) | Err(text) => {
                    cx.fault(value.span(), format!("`{text}` is no number that JSON can hold"));
                    None
                }
            }
        }
        DeValue::Array(values) => {
            let mut made = Template::literal("[");
            for (n, value) in values.iter().enumerate() {
                let comma = Template::literal(if n > 0 { "," } else { "" });
                made = made.then(&comma).then(&json(cx, value)?);
            }
            Some(made.then(&Template::literal("]")))
        }
        DeValue::Table(table) => {
            let mut made = Template::literal("{");
            for (n, (name, value)) in table.iter().enumerate() {
                let comma = if n > 0 { "," } else { "" };
                let name = format!("{comma}\"{}\":", escape(name.get_ref()));
                made = made.then(&Template::literal(name)).then(&json(cx, value)?);
            }
            Some(made.then(&Template::literal("}")))
        }
    }
}

/// A text as it stands between the quotes of a JSON string.
fn escape(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}
