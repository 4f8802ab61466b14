//! The indices of an array and the rows that they read: `array`, `each-line`, `each-file`.

use std::path::PathBuf;
use std::sync::Arc;

use bary_model::inputs::lines::{Lines, LinesBuilder};
use bary_model::inputs::{Column, Grouping, Inputs};
use toml::de::DeValue;

use crate::check;
use crate::context::{Context, Value};
use crate::glob::{self, Search};
use crate::limits;
use crate::range;
use crate::task::{self, Fields};

/// Whether a task is an array, and the rows that it then has.
pub(crate) struct Rows {
    pub(crate) inputs: Inputs,
    pub(crate) count: u32,
    pub(crate) array: bool,
    /// Whether the array is wrong, which a fault says; its count then means nothing.
    pub(crate) broken: bool,
}

impl Rows {
    pub(crate) fn plain() -> Self {
        Self { inputs: Inputs::none(), count: 1, array: false, broken: false }
    }

    fn broken() -> Self {
        Self { array: true, broken: true, ..Self::plain() }
    }
}

/// The rows of a task; those of a plain one, with faults noted, where they are wrong.
pub(crate) fn read(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Rows {
    let given: Vec<&Value<'_>> =
        ["array", "each-line", "each-file"].iter().filter_map(|key| fields.own(key)).collect();
    if let [_, second, ..] = given.as_slice() {
        cx.fault_with_fix(
            second.span(),
            "a task has only one of `array`, `each-line` and `each-file`",
            Some("remove the others".into()),
        );
    }
    let Some(value) = given.first() else { return ranks(cx, fields) };
    let Some(column) = column(cx, fields) else { return Rows::broken() };
    let count = column.count();
    if count > limits::ARRAY_INDICES_MAX {
        let most = limits::ARRAY_INDICES_MAX;
        let message =
            format!("this array has {count} indices, more than array_indices_max = {most}");
        cx.fault(value.span(), message);
        return Rows::broken();
    }
    match Inputs::new(vec![vec![column]], Grouping::Single) {
        Ok(inputs) => Rows { inputs, count: count as u32, array: true, broken: false },
        Err(error) => {
            cx.fault(value.span(), format!("this array is empty: {error}"));
            Rows::broken()
        }
    }
}

/// The ranks of one gang, where there is nothing else that tasks differ by.
fn ranks(cx: &Context<'_>, fields: Fields<'_, '_>) -> Rows {
    let count = u32::from(task::gang(cx, fields));
    match Inputs::numbers(0, 1, count.into()) {
        Ok(inputs) if count > 0 => Rows { inputs, count, array: true, broken: false },
        _ => Rows::plain(),
    }
}

fn column(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Option<Column> {
    if let Some(value) = fields.own("array") {
        return indices(cx, value);
    }
    if let Some(value) = fields.own("each-line") {
        return lines(cx, value).map(|lines| Column::Lines(Arc::new(lines)));
    }
    let value = fields.own("each-file")?;
    listed(cx, value).map(|lines| Column::Lines(Arc::new(lines)))
}

fn indices(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Column> {
    let range = if value.get_ref().is_integer() {
        let count = check::integer(cx, value).ok()?;
        range::first(u64::try_from(count).ok()?)
    } else {
        range::parse(&cx.text(value)?)
    };
    match range {
        Ok(range) => Some(range.column()),
        Err(error) => {
            cx.fault(value.span(), format!("`array`: {error}"));
            None
        }
    }
}

fn lines(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Lines> {
    let path = cx.text(value)?;
    let full = cx.base.join(&path);
    match cx.files.read(&full, limits::EACH_LINE_BYTES_MAX) {
        Ok(bytes) => Some(split(&bytes)),
        Err(error) => {
            let fix = full.is_relative().then(|| {
                let base = if cx.base.as_os_str().is_empty() {
                    "the directory that the command runs in".into()
                } else {
                    cx.base.display().to_string()
                };
                format!("the path starts from {base}")
            });
            cx.fault_with_fix(
                value.span(),
                format!("cannot read {}: {error}", full.display()),
                fix,
            );
            None
        }
    }
}

/// The lines of a file, without their ends; one at the end of the file may have none.
#[must_use]
pub(crate) fn split(bytes: &[u8]) -> Lines {
    let bytes = bytes.strip_suffix(b"\n").map_or(bytes, |rest| rest);
    let mut lines = LinesBuilder::default();
    if !bytes.is_empty() {
        bytes.split(|&byte| byte == b'\n').for_each(|line| lines.push(line));
    }
    lines.finish()
}

fn listed(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Lines> {
    let base = cx.base.to_owned();
    let search = match value.get_ref() {
        DeValue::Table(table) => {
            let name = match table.get("match") {
                Some(name) => Some(cx.text(name)?),
                None => None,
            };
            let text = table.get("text").is_some_and(|flag| check::flag(cx, flag) == Ok(true));
            Search { path: cx.text(table.get("path")?)?, base, name, text }
        }
        _ => Search { path: cx.text(value)?, base, name: None, text: false },
    };
    match glob::find(&search, cx.files) {
        Ok(found) if found.is_empty() => {
            let message = format!("this array is empty: no file matches {}", search.path);
            cx.fault(value.span(), message);
            None
        }
        Ok(found) => {
            Some(found.iter().map(|path: &PathBuf| path.as_os_str().as_encoded_bytes()).collect())
        }
        Err(error) => {
            cx.fault(value.span(), format!("`each-file`: {error}"));
            None
        }
    }
}
