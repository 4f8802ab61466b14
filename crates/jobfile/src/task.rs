//! One `[[task]]`, read by itself; what it names elsewhere in the file is found later.

use std::collections::BTreeSet;
use std::ops::Range;

use bary_model::action::{Action, Backoff};
use bary_model::task::{Body, Permit, Request, RunIf};
use bary_model::template::Template;
use bary_model::time::Span;
use bary_model::weight::Weight;
use toml::de::DeValue;

use crate::action;
use crate::after::{self, Named};
use crate::array::{self, Rows};
use crate::check;
use crate::context::{Context, Table, Value};
use crate::reduce::{self, Reduction};
use crate::request;
use crate::surroundings;

/// The keys of a task and the defaults at the top of the file.
#[derive(Clone)]
pub(crate) struct FieldsOf<'t, 'i> {
    pub(crate) task: &'t Table<'i>,
    pub(crate) top: &'t Table<'i>,
    pub(crate) span: Range<usize>,
}

/// A task as it stands in the file.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) body: Body,
    pub(crate) rows: Rows,
    pub(crate) weight: Weight,
    pub(crate) output: u64,
    pub(crate) estimate: Span,
    /// The size of its gangs; 0 where each task is alone.
    pub(crate) gang: u16,
    pub(crate) after: Vec<Named>,
    /// The tasks whose results its placeholders read; all are in `after`.
    pub(crate) reads: BTreeSet<String>,
    pub(crate) reduce: Option<Reduction>,
}

pub(crate) type Fields<'t, 'i> = &'t FieldsOf<'t, 'i>;

impl<'t, 'i> FieldsOf<'t, 'i> {
    /// The task's own value of a key.
    pub(crate) fn own(&self, key: &str) -> Option<&'t Value<'i>> {
        self.task.get(key)
    }

    /// The task's value of a key, or the one at the top of the file.
    pub(crate) fn get(&self, key: &str) -> Option<&'t Value<'i>> {
        self.task.get(key).or_else(|| self.top.get(key))
    }
}

/// Reads a task. Where faults are noted the draft only keeps its name, so that those who name
/// it are not refused as well.
pub(crate) fn read(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Draft {
    let name = fields.own("name").map_or_else(String::new, |value| name(cx, value));
    let after = after::read(cx, fields.own("after"));
    cx.readable = after.iter().map(|named| named.name.clone()).collect();
    cx.results_read = BTreeSet::new();
    let rows = array::read(cx, fields);
    let action = action::read(cx, fields).unwrap_or(Action::Command { argv: Vec::new() });
    let surroundings = surroundings::read(cx, fields);
    let request = request::read(cx, fields);
    let mut body = Body { surroundings, ..Body::new(action) };
    body.request = Request { function: body.request.function.take(), ..request };
    times(cx, fields, &mut body);
    body.run_if = match fields.own("run-if").map(|value| check::plain(cx, value)) {
        Some(Ok(text)) if text == "failure" => RunIf::Failure,
        Some(Ok(text)) if text == "always" => RunIf::Always,
        _ => RunIf::Success,
    };
    body.detail = fields.get("detail").is_some_and(|flag| check::flag(cx, flag) == Ok(true));
    if !rows.array {
        refuse_rows(cx, fields, &body);
    }
    let reads = std::mem::take(&mut cx.results_read);
    let reduce = fields.own("reduce").and_then(|value| reduce::read(cx, value, &name, &rows));
    let span = fields.span.clone();
    let output = fields.get("output-size").and_then(|value| check::size(cx, value).ok());
    let estimate = fields.get("estimate").and_then(|value| check::time(cx, value).ok());
    let (output, estimate) = (output.unwrap_or(0), estimate.unwrap_or(Span::ZERO));
    let weight = weight(cx, fields);
    let gang = gang(cx, fields);
    Draft { name, span, weight, output, estimate, gang, body, rows, after, reads, reduce }
}

/// How many tasks are one gang; 0 where each is alone.
pub(crate) fn gang(cx: &Context<'_>, fields: Fields<'_, '_>) -> u16 {
    let size = fields.own("gang").and_then(|value| check::integer(cx, value).ok());
    size.and_then(|size| u16::try_from(size).ok()).unwrap_or(0)
}

fn name(cx: &mut Context<'_>, value: &Value<'_>) -> String {
    let Some(name) = cx.text(value) else { return String::new() };
    let good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if name.is_empty() || !name.chars().all(good) {
        cx.fault_with_fix(
            value.span(),
            format!("`{name}` cannot be the name of a task"),
            Some("use letters, digits, `_`, `.` and `-`".into()),
        );
    }
    name
}

fn weight(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Weight {
    let given = fields.get("weight").and_then(|value| check::number(cx, value).ok());
    given.and_then(|units| Weight::new(units).ok()).unwrap_or_default()
}

fn permit(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Permit> {
    let DeValue::Table(table) = value.get_ref() else { return None };
    let name = table.get("name").and_then(|name| cx.text(name))?;
    if name.is_empty() {
        cx.fault(value.span(), "the limit has no name");
        return None;
    }
    let most = check::integer(cx, table.get("most")?).ok()?.try_into().ok()?;
    let first = *cx.limits.entry(name.clone()).or_insert(most);
    if first != most {
        let message = format!("the limit `{name}` is {most} here, and {first} before");
        cx.fault_with_fix(value.span(), message, Some("give it one `most` everywhere".into()));
    }
    Some(Permit { name: name.into(), most })
}

fn times(cx: &mut Context<'_>, fields: Fields<'_, '_>, body: &mut Body) {
    let time = |cx: &Context<'_>, key| check::time(cx, fields.get(key)?).ok();
    let integer = |cx: &Context<'_>, key| check::integer(cx, fields.get(key)?).ok();
    body.timeout = time(cx, "timeout").filter(|time| *time > Span::ZERO).unwrap_or(body.timeout);
    body.grace = time(cx, "grace").unwrap_or(body.grace);
    body.heartbeat_timeout = time(cx, "heartbeat-timeout");
    body.cache = fields.get("cache").and_then(|value| match value.get_ref() {
        DeValue::Boolean(wanted) => wanted.then_some(Body::CACHE),
        _ => check::time(cx, value).ok().filter(|age| *age > Span::ZERO),
    });
    body.permit = fields.get("limit").and_then(|value| permit(cx, value));
    body.priority = integer(cx, "priority").and_then(|n| n.try_into().ok()).unwrap_or(0);
    body.retries = integer(cx, "retries").and_then(|n| n.try_into().ok()).unwrap_or(0);
    if let Some(value) = fields.get("backoff") {
        body.backoff = backoff(cx, value);
    }
}

fn backoff(cx: &mut Context<'_>, value: &Value<'_>) -> Backoff {
    let usual = Backoff::default();
    let DeValue::Table(table) = value.get_ref() else { return usual };
    let time = |key| check::time(cx, table.get(key)?).ok();
    let number = |key| check::number(cx, table.get(key)?).ok();
    let base = time("base").unwrap_or(usual.base);
    let max = time("max").unwrap_or_else(|| usual.max.max(base));
    let factor = number("factor").unwrap_or(usual.factor);
    let jitter = number("jitter").unwrap_or(usual.jitter);
    if max < base {
        cx.fault(value.span(), format!("`backoff`: `max` is {max}, less than `base`, {base}"));
    }
    Backoff { base, max, factor, jitter }
}

/// Notes a fault where a plain task reads a row, which it does not have.
fn refuse_rows(cx: &mut Context<'_>, fields: Fields<'_, '_>, body: &Body) {
    let (span, templates): (_, Vec<&Template>) = match &body.action {
        Action::Command { argv } => (fields.own("command"), argv.iter().collect()),
        Action::Function { args, .. } => {
            (fields.own("args"), args.iter().map(|arg| &arg.value).collect())
        }
    };
    if templates.iter().any(|template| template.reads_row()) {
        cx.fault_with_fix(
            span.map_or_else(|| fields.span.clone(), Value::span),
            "this reads an index or an input, but the task is not an array",
            Some("add `array`, `each-line` or `each-file`; for literal braces write {{}}".into()),
        );
    }
}
