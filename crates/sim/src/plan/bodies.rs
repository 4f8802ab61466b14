//! Bodies as chaos draws them. What one asks for is on the first node, which stays for good, until
//! ties say otherwise.

use bary_model::action::{Action, Backoff};
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::task::{After, Body, LabelRule, RunIf, Use};
use bary_model::template::Template;
use bary_model::time::Span;

use crate::lot::Lot;
use crate::plan::Plan;
use crate::plan::ready::function;

/// A body for a spec that waits for these.
pub(crate) fn a_body(plan: &Plan, lot: &mut Lot, after: &[After]) -> Body {
    let host = &plan.nodes[0].info;
    let mut body = function(lot.one_of(&["f", "g"]));
    if lot.percent(20) {
        body.action = Action::Command { argv: vec![Template::literal("true")] };
    }
    body.request.resources = resources(lot, host);
    if lot.percent(15) {
        let value = host.labels["zone"].clone();
        body.request.labels = vec![LabelRule { label: "zone".into(), value, not: false }];
    }
    body.priority = lot.one_of(&[0, 0, 0, 1, -1]);
    body.retries = lot.between(0, 3) as u16;
    let base = Span::millis(lot.between(0, 50));
    body.backoff = Backoff { base, max: Span::secs(1), ..Backoff::default() };
    body.run_if = lot.one_of(&[RunIf::Success, RunIf::Success, RunIf::Failure, RunIf::Always]);
    body.detail = lot.percent(20);
    body.keep_results = lot.percent(40);
    let uses = after.iter().filter(|_| lot.percent(50)).map(|after| Use {
        spec: after.spec,
        name: "up".into(),
        aligned: after.aligned,
    });
    body.uses = uses.collect();
    if plan.fates.hangs > 0 || lot.percent(20) {
        body.timeout = Span::millis(lot.between(20, 500));
    }
    body.grace = Span::millis(lot.between(1, 50));
    if plan.fates.silent > 0 || lot.percent(20) {
        body.heartbeat_timeout = Some(Span::millis(lot.between(5, 100)));
    }
    body
}

/// A request that fits into this node.
pub(crate) fn resources(lot: &mut Lot, host: &NodeInfo) -> Resources {
    let whole = host.resources.milli_cpus;
    let cpus = lot.one_of(&[1_000, 1_000, 1_000, 250, 2_000, whole, 0]).min(whole);
    let mut need = Resources { milli_cpus: cpus, ..Resources::default() };
    if lot.percent(20) {
        need.memory = host.resources.memory / lot.between(1, 4);
    }
    if lot.percent(20) && host.resources.milli_gpus > 0 {
        need.milli_gpus = 500;
    }
    if lot.percent(20) {
        need.named = host.resources.named.keys().map(|name| (name.clone(), 1)).collect();
    }
    need
}
