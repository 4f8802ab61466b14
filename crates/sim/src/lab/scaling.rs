//! How many of a scenario's nodes there are: a number that stays, or what a rule says.

use std::sync::Arc;

use bary_jobfile::document::{Document, Section};
use bary_jobfile::fault::Fault;
use bary_model::time::Span;
use bary_policy::parameter::Value;
use bary_policy::scale::Rule;
use bary_policy::scale::bounds::Bounds;
use bary_policy::scale::cost::Cost;
use bary_policy::scale::queue::Queue;
use bary_policy::scale::wait::Wait;

use crate::lab::nodes::Group;
use crate::plan::scaling::ScalePlan;

/// One way to choose the number of nodes.
#[derive(Clone, Debug)]
pub struct Scaling {
    /// What its row is called.
    pub name: String,
    /// How many nodes there are at first, the first ones.
    pub first: usize,
    /// The rule; without one their number stays.
    pub plan: Option<ScalePlan>,
}

/// What nodes and waiting cost, in any currency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// An hour of a node.
    pub node_hour: f64,
    /// An hour of waiting of one task.
    pub wait_hour: f64,
}

impl Default for Prices {
    fn default() -> Self {
        Self { node_hour: 1.0, wait_hour: 1.0 }
    }
}

impl Prices {
    pub(crate) fn read(from: Option<&Section<'_>>) -> Self {
        let usual = Self::default();
        let price = |key, usual| from.and_then(|from| from.number(key)).unwrap_or(usual);
        Self {
            node_hour: price("node_hour", usual.node_hour),
            wait_hour: price("wait_hour", usual.wait_hour),
        }
    }
}

/// What the scenario has that scaling stands on.
pub(crate) struct Ground<'a> {
    pub(crate) groups: &'a [Group],
    pub(crate) homes: usize,
    pub(crate) prices: Prices,
}

/// The keys that are of one rule only.
const OF_RULES: [(&str, &str); 4] =
    [("nodes", "fixed"), ("per_node", "queue"), ("target", "wait"), ("bill", "cost")];
/// The keys that say nothing of a number that stays.
const OF_NO_FIXED: [&str; 11] = [
    "least",
    "most",
    "first",
    "start_up",
    "every",
    "window",
    "pause_add",
    "pause_remove",
    "steady",
    "band",
    "step_add",
];

impl Scaling {
    pub(crate) fn read(
        document: &Document<'_>,
        from: &Section<'_>,
        ground: &Ground<'_>,
    ) -> Result<Self, Box<Fault>> {
        let rule = from.text("rule").unwrap_or("fixed");
        fitting(document, from, rule)?;
        let all: usize = ground.groups.iter().map(|group| group.count).sum();
        let count = |key, usual: usize| from.integer(key).map_or(usual, |number| number as usize);
        if rule == "fixed" {
            let first = within(document, from, "nodes", count("nodes", all), (ground.homes, all))?;
            let name = from.text("name").map_or_else(|| format!("{first} fixed"), str::to_owned);
            return Ok(Self { name, first, plan: None });
        }
        let least =
            within(document, from, "least", count("least", ground.homes), (ground.homes, all))?;
        let most = within(document, from, "most", count("most", all), (least, all))?;
        let first = within(document, from, "first", count("first", least), (least, most))?;
        let (made, said) = made(from, rule, ground);
        let usual = Bounds::default();
        let time = |key, usual| from.time(key).unwrap_or(usual);
        let bounds = Bounds {
            least: least as u32,
            most: most as u32,
            pause_add: time("pause_add", usual.pause_add),
            pause_remove: time("pause_remove", usual.pause_remove),
            band: count("band", usual.band as usize) as u32,
            steady: time("steady", usual.steady),
            step_add: count("step_add", usual.step_add as usize) as u32,
            step_remove: count("step_remove", usual.step_remove as usize) as u32,
        };
        let plan = ScalePlan {
            rule: made,
            bounds,
            every: time("every", Span::secs(15)),
            window: time("window", Span::secs(600)),
            start_up: time("start_up", Span::secs(60)),
        };
        let name = from.text("name").map_or(said, str::to_owned);
        Ok(Self { name, first, plan: Some(plan) })
    }
}

/// A rule with what it reads, and its words for a row.
fn made(from: &Section<'_>, rule: &str, ground: &Ground<'_>) -> (Arc<dyn Rule>, String) {
    match rule {
        "queue" => {
            let slots: u64 =
                ground.groups.iter().map(|g| u64::from(g.slots) * g.count as u64).sum();
            let nodes: usize = ground.groups.iter().map(|group| group.count).sum();
            let usual = 2.0 * slots as f64 / nodes.max(1) as f64;
            let each = from.number("per_node").unwrap_or(usual);
            let per_node = (each * 1e3).round().max(1.0) as u64;
            (Arc::new(Queue { per_node }), format!("queue, {each} a node"))
        }
        "cost" => {
            let Prices { node_hour, wait_hour } = ground.prices;
            let bill = from.time("bill").unwrap_or_else(|| Cost::default().bill);
            let said = format!("cost, {node_hour} : {wait_hour}");
            (Arc::new(Cost { node_hour, wait_hour, bill }), said)
        }
        _ => {
            let target = from.time("target").unwrap_or_else(|| Wait::default().target);
            (Arc::new(Wait { target }), format!("wait, {}", Value::Time(target)))
        }
    }
}

fn fitting(document: &Document<'_>, from: &Section<'_>, rule: &str) -> Result<(), Box<Fault>> {
    let other = OF_RULES.iter().find(|(key, of)| from.has(key) && *of != rule);
    if let Some((key, of)) = other {
        let text = format!("`{key}` says nothing of the rule `{rule}`");
        let fix = format!("it is of {of}; leave it out, or write rule = \"{of}\"");
        return Err(document.fault(from.span(key), &text, &fix));
    }
    let bound = OF_NO_FIXED.iter().chain(&["step_remove"]).find(|key| from.has(key));
    if let Some(key) = bound.filter(|_| rule == "fixed") {
        let text = format!("`{key}` says nothing of a number of nodes that stays");
        let fix = "leave it out, or write rule = \"wait\"";
        return Err(document.fault(from.span(key), &text, fix));
    }
    Ok(())
}

/// Refuses a number of nodes that cannot be.
fn within(
    document: &Document<'_>,
    from: &Section<'_>,
    key: &str,
    number: usize,
    (least, most): (usize, usize),
) -> Result<usize, Box<Fault>> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    let text = format!("`{key}` is {number}, and may be from {least} to {most} here");
    let fix = "homes stay, and there are no more nodes than the scenario has";
    Err(document.fault(from.span(key), &text, fix))
}
