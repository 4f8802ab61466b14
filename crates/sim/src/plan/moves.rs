//! Members as chaos has them come and go for good: some nodes are not there at first, and some are
//! removed while their processes still run.

use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::faults::deaths;
use crate::plan::{Fault, FaultKind, Plan};

/// Has some nodes come late, and removes some, in a third of the plans of several nodes. The first
/// node stays, as it has what some tasks need, and for each shard a node does; and all do where
/// tasks need what only some of them have.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    let nodes = plan.nodes.len();
    if !lot.percent(33) || nodes < 2 {
        return;
    }
    let homes = plan.nodes.iter().filter(|node| node.home).count();
    let (span, come, go) = (plan.calm.0.max(1), lot.one_of(&[20, 60]), lot.one_of(&[20, 60]));
    for node in 1..nodes {
        let (comes, goes) = (lot.percent(come), lot.percent(go));
        let (first, second) = (lot.below(span), lot.below(span));
        let lasts = Span::millis(lot.one_of(&[1, 500, 3_000, 15_000]) + lot.below(50));
        if comes && !plan.nodes[node].home {
            let at = Moment(first.min(second));
            plan.faults.push(Fault { at, kind: FaultKind::Newcomer { node } });
        }
        if goes && plan.tame.is_none() && deaths(plan, node) + homes <= nodes {
            let at = Moment(first.max(second));
            plan.faults.push(Fault { at, kind: FaultKind::Removed { node, lasts } });
        }
    }
}

/// Has all be there from the beginning on, and removes none.
pub(crate) fn leave_out(plan: &mut Plan) {
    let moves =
        |kind: &FaultKind| matches!(kind, FaultKind::Newcomer { .. } | FaultKind::Removed { .. });
    plan.faults.retain(|fault| !moves(&fault.kind));
}

#[cfg(test)]
mod tests {
    use super::leave_out;
    use crate::plan::{FaultKind, Plan};

    #[test]
    fn some_plans_have_nodes_that_come_and_go_and_each_keeps_a_node_for_each_shard() {
        let mut plans: Vec<Plan> = (0..300).map(Plan::of).collect();
        let count = |plan: &Plan, fits: fn(&FaultKind) -> bool| {
            plan.faults.iter().filter(|fault| fits(&fault.kind)).count()
        };
        let (mut come, mut go) = (0, 0);
        for plan in &plans {
            come += count(plan, |kind| matches!(kind, FaultKind::Newcomer { .. }));
            let gone = count(plan, |kind| matches!(kind, FaultKind::Removed { .. }));
            let homes = plan.nodes.iter().filter(|node| node.home).count();
            assert!(gone + homes <= plan.nodes.len(), "seed {}", plan.seed);
            go += gone;
        }
        assert!(come > 30 && go > 30, "{come} come and {go} go");
        plans.iter_mut().for_each(leave_out);
        let left = plans.iter().flat_map(|plan| &plan.faults);
        assert!(left.clone().all(|fault| !matches!(fault.kind, FaultKind::Removed { .. })));
        assert!(left.into_iter().all(|fault| !matches!(fault.kind, FaultKind::Newcomer { .. })));
    }
}
