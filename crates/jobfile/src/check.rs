//! Whether values have the shapes that the table of keys says, and the leaves in their types.

use std::ops::Range;

use bary_model::template::Template;
use bary_model::template::parse::{Dialect, Named};
use bary_model::time::Span;
use toml::de::DeValue;

use crate::context::{Context, Table, Value};
use crate::keys::task::TASK;
use crate::keys::{Key, Shape, TOP};
use crate::{duration, size, suggest};

/// Checks the whole file and notes what is wrong.
pub(crate) fn file(cx: &mut Context<'_>, table: &Table<'_>) {
    let keys: Vec<&Key> = TOP.iter().chain(TASK.iter().filter(|key| key.top())).collect();
    record(cx, table, &keys, 0..0);
}

pub(crate) fn record(cx: &mut Context<'_>, table: &Table<'_>, keys: &[&Key], span: Range<usize>) {
    for (name, value) in table {
        match keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
            Some(key) => check(cx, value, &key.shape, &format!("`{}`", key.name)),
            None => unknown(cx, name.get_ref(), name.span(), keys),
        }
    }
    for key in keys.iter().filter(|key| key.required && !table.contains_key(key.name)) {
        cx.fault_with_fix(
            span.clone(),
            format!("`{}` is missing", key.name),
            Some(format!("add `{}`", key.example)),
        );
    }
}

fn unknown(cx: &mut Context<'_>, name: &str, span: Range<usize>, keys: &[&Key]) {
    let near = suggest::nearest(name, keys.iter().map(|key| key.name));
    let at_top = keys.iter().any(|key| key.name == "params");
    let in_task = at_top && TASK.iter().any(|key| key.name == name);
    let fix = match near {
        _ if in_task => format!("`{name}` belongs to a task: write it under [[task]]"),
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            format!("the keys here are {}", names.join(", "))
        }
    };
    cx.fault_with_fix(span, format!("unknown key `{name}`"), Some(fix));
}

fn check(cx: &mut Context<'_>, value: &Value<'_>, shape: &Shape, what: &str) {
    match (shape, value.get_ref()) {
        (Shape::Any, _) => {}
        (Shape::Either(shapes), _) => match shapes.iter().find(|one| accepts(one, value)) {
            Some(one) => check(cx, value, one, what),
            None => mismatch(cx, value, shape, what),
        },
        (Shape::List(of), DeValue::Array(values)) => {
            values.iter().for_each(|value| check(cx, value, of, what));
        }
        (Shape::Map(of), DeValue::Table(table)) => {
            for (name, value) in table {
                check(cx, value, of, &format!("{what}, `{}`,", name.get_ref()));
            }
        }
        (Shape::Record(keys), DeValue::Table(table)) => {
            record(cx, table, &keys.iter().collect::<Vec<_>>(), value.span());
        }
        _ if accepts(shape, value) => {
            if let Err(wrong) = leaf(cx, value, shape) {
                cx.fault(value.span(), format!("{what} {wrong}"));
            }
        }
        _ => mismatch(cx, value, shape, what),
    }
}

fn mismatch(cx: &mut Context<'_>, value: &Value<'_>, shape: &Shape, what: &str) {
    let found = value.get_ref().type_str();
    cx.fault(value.span(), format!("{what} must be {}, not {found}", shape.words()));
}

/// Whether a value has the TOML type of a shape. A number may be given by a parameter.
fn accepts(shape: &Shape, value: &Value<'_>) -> bool {
    let value = value.get_ref();
    let by_param = value.as_str().is_some_and(|text| text.contains('{'));
    match shape {
        Shape::Text | Shape::Choice(_) => value.is_str(),
        Shape::Flag => value.is_bool() || by_param,
        Shape::Integer(..) => value.is_integer() || by_param,
        Shape::Number(..) => value.is_integer() || value.is_float() || by_param,
        Shape::Time { .. } => value.is_integer() || value.is_float() || value.is_str(),
        Shape::Size => value.is_integer() || value.is_str(),
        Shape::List(_) => value.is_array(),
        Shape::Map(_) | Shape::Record(_) => value.is_table(),
        Shape::Either(_) | Shape::Any => true,
    }
}

/// What is wrong with a leaf that has the right type.
fn leaf(cx: &Context<'_>, value: &Value<'_>, shape: &Shape) -> Result<(), String> {
    match *shape {
        Shape::Choice(names) => {
            let text = plain(cx, value)?;
            if names.contains(&text.as_str()) {
                return Ok(());
            }
            Err(
                match suggest::nearest(&text.to_uppercase(), names.iter().copied())
                    .or_else(|| suggest::nearest(&text, names.iter().copied()))
                {
                    Some(near) => format!("is `{text}`; did you mean \"{near}\"?"),
                    None => format!("is `{text}`; it must be one of {}", shape.words()),
                },
            )
        }
        Shape::Flag => flag(cx, value).map(drop),
        Shape::Integer(least, most) => {
            let number = integer(cx, value)?;
            bound((least..=most).contains(&number), number, shape)
        }
        Shape::Number(least, most) => {
            let given = number(cx, value)?;
            bound((least..=most).contains(&given), given, shape)
        }
        Shape::Time { zero } => {
            let time = time(cx, value)?;
            bound(zero || time > Span::ZERO, 0, shape)
        }
        Shape::Size => {
            let bytes = size(cx, value)?;
            bound(bytes > 0, 0, shape)
        }
        _ => Ok(()),
    }
}

fn bound(good: bool, given: impl std::fmt::Display, shape: &Shape) -> Result<(), String> {
    if good { Ok(()) } else { Err(format!("is {given}; it must be {}", shape.words())) }
}

/// A string with the values of its parameters.
pub(crate) fn plain(cx: &Context<'_>, value: &Value<'_>) -> Result<String, String> {
    let text = value.get_ref().as_str().ok_or("must be a string")?;
    let mut names = |word: &str| Some(Named::Text(cx.params.get(word)?.clone().into_bytes()));
    let template = Template::parse(text.as_bytes(), Dialect::Strict, &mut names)
        .map_err(|error| format!("has an {error}"))?;
    let bytes = template.literal_bytes().ok_or("can hold no placeholder but parameters")?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

pub(crate) fn flag(cx: &Context<'_>, value: &Value<'_>) -> Result<bool, String> {
    match value.get_ref().as_bool() {
        Some(flag) => Ok(flag),
        None => {
            let text = plain(cx, value)?;
            text.parse().map_err(|_| format!("is `{text}`, not true or false"))
        }
    }
}

pub(crate) fn integer(cx: &Context<'_>, value: &Value<'_>) -> Result<i64, String> {
    if let Some(written) = value.get_ref().as_integer() {
        return i64::from_str_radix(written.as_str(), written.radix())
            .map_err(|_| format!("is {written}, which does not fit 64 bits"));
    }
    let text = plain(cx, value)?;
    text.replace('_', "").parse().map_err(|_| format!("is `{text}`, not a whole number"))
}

pub(crate) fn number(cx: &Context<'_>, value: &Value<'_>) -> Result<f64, String> {
    let text = match value.get_ref() {
        DeValue::Integer(_) => return integer(cx, value).map(|n| n as f64),
        DeValue::Float(written) => written.as_str().to_owned(),
        _ => plain(cx, value)?,
    };
    text.replace('_', "").parse().map_err(|_| format!("is `{text}`, not a number"))
}

pub(crate) fn time(cx: &Context<'_>, value: &Value<'_>) -> Result<Span, String> {
    if value.get_ref().is_str() {
        return duration::parse(&plain(cx, value)?).map_err(|error| format!("is wrong: {error}"));
    }
    let secs = number(cx, value)?;
    if (0.0..=1e10).contains(&secs) {
        return Ok(Span::from_secs_f64(secs));
    }
    Err(format!("is {secs}; it must be a number of seconds from 0 to 1e10"))
}

pub(crate) fn size(cx: &Context<'_>, value: &Value<'_>) -> Result<u64, String> {
    if value.get_ref().is_str() {
        return size::parse(&plain(cx, value)?).map_err(|error| format!("is wrong: {error}"));
    }
    let bytes = integer(cx, value)?;
    u64::try_from(bytes).map_err(|_| format!("is {bytes}; it must be more than zero"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::de::DeTable;

    use super::*;
    use crate::files::Disk;
    use crate::keys::parts::{AFTER, BACKOFF, EACH_FILE, LIMIT, MOVE, REDUCE};
    use crate::read::ReadOptions;

    #[test]
    fn every_example_of_a_key_has_the_shape_of_the_key() {
        let options = ReadOptions::default();
        let tables: [&[Key]; 8] =
            [&TOP, &TASK, &EACH_FILE, &AFTER, &LIMIT, &REDUCE, &BACKOFF, &MOVE];
        for key in tables.into_iter().flatten() {
            let table = DeTable::parse(key.example).expect("the example is TOML");
            let value = table.get_ref().get(key.name);
            let mut cx = Context::new(key.example, Path::new("x"), &options, &Disk);
            check(&mut cx, value.expect("the example sets the key"), &key.shape, key.name);
            let faults: Vec<String> = cx.faults.iter().map(|(_, f)| f.to_string()).collect();
            assert!(faults.is_empty(), "{}", faults.join("\n"));
        }
    }
}
