//! What a task asks of a node: amounts, labels, a region, and what it is bound by.

use bary_model::resources::Resources;
use bary_model::task::{Kind, LabelRule, Request};
use toml::de::DeValue;

use crate::check;
use crate::context::{Context, Value};
use crate::task::Fields;

pub(crate) fn read(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Request {
    Request {
        resources: resources(cx, fields),
        labels: labels(cx, fields.get("where")),
        region: fields.get("region").and_then(|value| cx.text(value)).map(Into::into),
        kind: fields.get("kind").map_or_else(Kind::default, |value| kind(cx, value)),
        function: None,
    }
}

fn resources(cx: &mut Context<'_>, fields: Fields<'_, '_>) -> Resources {
    let number = |cx: &Context<'_>, key| check::number(cx, fields.get(key)?).ok();
    let milli = |units: f64| (units * 1e3).round() as u64;
    let mut resources = Resources {
        milli_cpus: milli(number(cx, "cpus").unwrap_or(1.0)),
        memory: fields.get("memory").and_then(|value| check::size(cx, value).ok()).unwrap_or(0),
        milli_gpus: milli(number(cx, "gpus").unwrap_or(0.0)),
        ..Resources::default()
    };
    if let Some(DeValue::Table(named)) = fields.get("resources").map(Value::get_ref) {
        for (name, value) in named {
            if ["cpus", "memory", "gpus", ""].contains(&name.get_ref().as_ref()) {
                cx.fault_with_fix(
                    name.span(),
                    format!("`{}` cannot be the name of a resource", name.get_ref()),
                    Some("`cpus`, `memory` and `gpus` are keys of the task itself".into()),
                );
            } else if let Some(n) = check::integer(cx, value).ok().and_then(|n| n.try_into().ok()) {
                resources.named.insert((**name.get_ref()).into(), n);
            }
        }
    }
    resources
}

fn labels(cx: &mut Context<'_>, value: Option<&Value<'_>>) -> Vec<LabelRule> {
    let Some(DeValue::Table(table)) = value.map(Value::get_ref) else { return Vec::new() };
    let mut rules = Vec::new();
    for (label, value) in table {
        let Some(text) = cx.text(value) else { continue };
        let (value, not) = match text.strip_prefix('!') {
            Some(value) => (value, true),
            None => (text.as_str(), false),
        };
        rules.push(LabelRule { label: (**label.get_ref()).into(), value: value.into(), not });
    }
    rules
}

fn kind(cx: &Context<'_>, value: &Value<'_>) -> Kind {
    match check::plain(cx, value).as_deref() {
        Ok("communication") => Kind::Communication,
        Ok("io") => Kind::Io,
        Ok("mixed") => Kind::Mixed,
        _ => Kind::Compute,
    }
}
