//! `reduce`: one more task that makes one result of an array's results.
//!
//! The function `reduce` gets its operation as `op` and, for weighted averages, `weights` as
//! JSON; a function or command of the user's gets nothing but the results. Functions read them
//! under the name of the array, a command reads them from its standard input, one a line.

use bary_model::action::{Action, Arg, Stdin, Surroundings};
use bary_model::id::SpecNo;
use bary_model::task::{Body, Use};
use bary_model::template::Template;
use toml::de::DeValue;

use crate::action::{self, Shell};
use crate::array::Rows;
use crate::check;
use crate::context::{Context, Table, Value};

/// What the name of a task that reduces ends with.
pub(crate) const SUFFIX: &str = ".reduce";

/// The function that the built-in operations are done by.
const FUNCTION: &str = "reduce";

/// How a task's results are reduced.
pub(crate) struct Reduction {
    action: Action,
    command: bool,
}

pub(crate) fn read(
    cx: &mut Context<'_>,
    value: &Value<'_>,
    name: &str,
    rows: &Rows,
) -> Option<Reduction> {
    if name.is_empty() {
        cx.fault_with_fix(
            value.span(),
            "a task that is reduced needs a name",
            Some("add `name`; the result is that of `NAME.reduce`".into()),
        );
        return None;
    }
    let empty = Table::default();
    let (table, op) = match value.get_ref() {
        DeValue::Table(table) => (table, table.get("op")?),
        _ => (&empty, value),
    };
    let op = check::plain(cx, op).ok()?;
    if op == "CUSTOM" {
        return custom(cx, value, table);
    }
    for key in ["function", "command"] {
        if let Some(wrong) = table.get(key) {
            cx.fault_with_fix(
                wrong.span(),
                format!("`{key}` belongs to CUSTOM, not to {op}"),
                Some("write op = \"CUSTOM\", or remove it".into()),
            );
        }
    }
    let mut args = vec![named("op", Template::literal(&op))];
    if let Some(weights) = table.get("weights") {
        args.push(named("weights", weights_of(cx, weights, &op, rows)?));
    }
    Some(Reduction { action: Action::Function { name: FUNCTION.into(), args }, command: false })
}

fn named(name: &str, value: Template) -> Arg {
    Arg { name: Some(name.into()), value }
}

fn custom(cx: &mut Context<'_>, value: &Value<'_>, table: &Table<'_>) -> Option<Reduction> {
    if let Some(weights) = table.get("weights") {
        cx.fault(weights.span(), "`weights` belongs to AVERAGE, not to CUSTOM");
    }
    match (table.get("function"), table.get("command")) {
        (Some(function), None) => {
            let name = cx.text(function)?;
            action::known_function(cx, &name, function.span());
            let action = Action::Function { name: name.into(), args: Vec::new() };
            Some(Reduction { action, command: false })
        }
        (None, Some(command)) => {
            let argv = action::command(cx, command, Shell::Never)?;
            Some(Reduction { action: Action::Command { argv }, command: true })
        }
        _ => {
            cx.fault_with_fix(
                value.span(),
                "CUSTOM needs one of `function` and `command`",
                Some("write reduce = { op = \"CUSTOM\", function = \"NAME\" }".into()),
            );
            None
        }
    }
}

fn weights_of(cx: &mut Context<'_>, value: &Value<'_>, op: &str, rows: &Rows) -> Option<Template> {
    if op != "AVERAGE" {
        cx.fault(value.span(), format!("`weights` belongs to AVERAGE, not to {op}"));
        return None;
    }
    let DeValue::Array(values) = value.get_ref() else {
        return Some(Template::literal(format!("\"{}\"", check::plain(cx, value).ok()?)));
    };
    let numbers: Vec<f64> = values.iter().filter_map(|n| check::number(cx, n).ok()).collect();
    if !rows.broken && numbers.len() as u64 != u64::from(rows.count) {
        let (given, count) = (numbers.len(), rows.count);
        cx.fault(value.span(), format!("{given} weights for {count} results; give one for each"));
        return None;
    }
    if numbers.iter().sum::<f64>() <= 0.0 {
        cx.fault(value.span(), "the weights add up to zero; at least one must be more");
        return None;
    }
    Some(Template::literal(serde_json::Value::from(numbers).to_string()))
}

impl Reduction {
    /// The body of the task that reduces the results of `spec`, which is called `name`. Its
    /// times and attempts are those of the array.
    pub(crate) fn body(self, of: &Body, spec: SpecNo, name: &str) -> Body {
        let stdin = if self.command { Stdin::Text(Template::result(name)) } else { Stdin::Null };
        let surroundings = Surroundings {
            env: of
                .surroundings
                .env
                .iter()
                .filter(|(_, value)| value.is_literal())
                .cloned()
                .collect(),
            stdin,
            ..Surroundings::default()
        };
        Body {
            surroundings,
            priority: of.priority,
            timeout: of.timeout,
            grace: of.grace,
            retries: of.retries,
            backoff: of.backoff,
            cache: of.cache,
            uses: [Use { spec, name: name.into(), aligned: false }].into(),
            ..Body::new(self.action)
        }
    }
}
