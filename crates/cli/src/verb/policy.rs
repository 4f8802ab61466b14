//! `bary policy ls`: the ways of placing tasks, and the parameters of their parts.

use bary_policy::parameter::{Parameter, table};
use bary_policy::preset::{self, PRESETS, Policy};
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};

use crate::args::Face;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::Screen;
use crate::verb;

/// Lists the presets with the parts that they are made of, and every parameter.
pub(crate) fn list(face: Face) -> Result<Exit, Complaint> {
    let parts = |name: &str| preset::parse(name).map(|policy| policy.to_string());
    let mut rows = Vec::new();
    for (name, what) in PRESETS {
        rows.push((*name, parts(name).map_err(Complaint::failed)?, *what));
    }
    let shown = if face.is_data() {
        let each = rows
            .iter()
            .map(|(name, parts, what)| json!({ "name": name, "parts": parts, "what": what }));
        let parameters: Value = table::ALL.iter().map(|one| shown(one, None)).collect();
        let policies = each.collect::<Value>();
        let schema = "bary.policies/1";
        let document = json!({ "schema": schema, "policies": policies, "parameters": parameters });
        format!("{document:#}\n")
    } else if face.is_quiet() {
        rows.iter().map(|(name, ..)| format!("{name}\n")).collect()
    } else {
        let mut policies = Table::new();
        policies.load_style(NOTHING);
        policies.set_header(["POLICY", "WHAT IT DOES", "PARTS"]);
        for (name, parts, what) in &rows {
            policies.add_row([*name, what, parts]);
        }
        let mut parameters = Table::new();
        parameters.load_style(NOTHING);
        parameters.set_header([
            "PARAMETER",
            "USUAL",
            "COUNTS WITH",
            "WHAT IT IS",
            "WHAT IT MAY BE",
        ]);
        for one in table::ALL {
            let usual = amount(&one.usual().to_string(), one.unit);
            let may_be = one.domain.to_string();
            parameters.add_row([one.key, &usual, &counts_with(one), one.what, &may_be]);
        }
        let tables = [&mut policies, &mut parameters].map(crate::report::plain);
        format!("{}\n\n{}\n", tables[0], tables[1])
    };
    verb::print(&mut Screen::new(face), &shown)?;
    Ok(Exit::OK)
}

/// A parameter as data, with what it is in a policy where one is given.
fn shown(one: &Parameter, policy: Option<&Policy>) -> Value {
    let usual = one.usual().to_string();
    let mut document = json!({
        "key": one.key,
        "part": one.part.name(),
        "of": one.of,
        "usual": usual,
        "unit": one.unit,
        "may_be": one.domain.to_string(),
        "what": one.what,
    });
    if let Some(policy) = policy {
        document["value"] = policy.given.value(one).to_string().into();
    }
    document
}

/// The parameters that count in a policy, as data; none where this version does not know it.
pub(crate) fn parameters_of(policy: &str) -> Vec<Value> {
    let Ok(policy) = preset::parse(policy) else { return Vec::new() };
    policy.parameters().map(|one| shown(one, Some(&policy))).collect()
}

/// The same for people, each as `key value unit`.
pub(crate) fn parameters_in_words(policy: &str) -> String {
    let Ok(policy) = preset::parse(policy) else { return String::new() };
    let value = |one: &Parameter| policy.given.value(one).to_string();
    let each = policy.parameters().map(|one| format!("{}={}", one.key, value(one)));
    each.collect::<Vec<_>>().join(" ")
}

fn amount(value: &str, unit: &str) -> String {
    if unit.is_empty() { value.to_owned() } else { format!("{value} {unit}") }
}

fn counts_with(one: &Parameter) -> String {
    if one.of.is_empty() { "any".to_owned() } else { one.belongs_to() }
}
