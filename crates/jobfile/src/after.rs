//! The tasks that a task names in `after`, by name, before they are found.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeValue;

use crate::check;
use crate::context::{Context, Value};

/// One entry of `after`.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) aligned: bool,
    pub(crate) span: Range<usize>,
}

pub(crate) fn read(cx: &mut Context<'_>, value: Option<&Value<'_>>) -> Vec<Named> {
    let entries: Vec<&Value<'_>> = match value.map(|value| (value, value.get_ref())) {
        None => Vec::new(),
        Some((_, DeValue::Array(values))) => values.iter().collect(),
        Some((value, _)) => vec![value],
    };
    let mut named: Vec<Named> = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in entries {
        let Some(found) = one(cx, entry) else { continue };
        if seen.insert(found.name.clone()) {
            named.push(found);
        } else {
            cx.fault(found.span, format!("`after` names `{}` twice", found.name));
        }
    }
    named
}

fn one(cx: &mut Context<'_>, entry: &Value<'_>) -> Option<Named> {
    match entry.get_ref() {
        DeValue::Table(table) => {
            let task = table.get("task")?;
            let aligned =
                table.get("aligned").is_some_and(|flag| check::flag(cx, flag) == Ok(true));
            Some(Named { name: cx.text(task)?, aligned, span: task.span() })
        }
        _ => Some(Named { name: cx.text(entry)?, aligned: false, span: entry.span() }),
    }
}
