//! What the machines of nodes are, and how long it takes until that is found.

use bary_model::machine::Machine;
use bary_model::time::Span;
use bary_policy::preset;

use crate::lot::Lot;
use crate::plan::Plan;

/// What there is to be found of a machine. `Default` is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Probe {
    /// What it is.
    pub machine: Machine,
    /// How long after a process begins that is found.
    pub takes: Span,
}

impl Probe {
    /// What is known of it when a process begins; others may know that before.
    pub(crate) fn at_first(&self) -> Machine {
        if self.takes == Span::ZERO { self.machine } else { Machine::default() }
    }
}

/// Draws some for half of the plans in which somebody looks at that.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    let changes = plan.changes.iter().map(|(.., policy)| policy);
    let mut policies = changes.chain([&plan.policy]).filter_map(|text| preset::parse(text).ok());
    if !policies.any(|policy| policy.force.sees_machines()) || !lot.percent(50) {
        return;
    }
    for node in &mut plan.nodes {
        let gpus = (node.info.resources.milli_gpus / 1_000) as u32;
        let machine = Machine {
            mhz: lot.one_of(&[0, 1_500, 3_000, 4_500]),
            gpu_mib: gpus * lot.one_of(&[0, 8 << 10, 80 << 10]),
            link_mbit: lot.one_of(&[0, 100, 10_000]),
            lost: lot.one_of(&[0, 0, 10, 200]),
        };
        let takes = Span::millis(lot.one_of(&[0, 5, 50, 5_000]));
        node.probe = Probe { machine, takes };
    }
}

/// Takes it all away.
pub(crate) fn leave_out(plan: &mut Plan) {
    plan.nodes.iter_mut().for_each(|node| node.probe = Probe::default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_plans_have_machines_that_differ_where_somebody_looks_at_them() {
        let mut plans: Vec<Plan> = (0..300).map(Plan::of).collect();
        let some = |plan: &&Plan| plan.nodes.iter().any(|node| node.probe != Probe::default());
        let drawn = plans.iter().filter(some).count();
        assert!((6..100).contains(&drawn), "{drawn} of 300 plans have them");
        plans.iter_mut().for_each(leave_out);
        assert!(!plans.iter().any(|plan| some(&plan)));
    }
}
