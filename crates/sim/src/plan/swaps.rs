//! Changes of policy as chaos draws them: nodes change to policies of one family, and back, while
//! work goes on.

use bary_model::decree::Decree;
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::decrees::DecreePlan;
use crate::plan::{Plan, swarm};

/// A family of policies.
pub(crate) struct Swaps {
    /// What their texts begin with, so that all can be taken away; whoever parses them passes over
    /// it.
    pub(crate) mark: &'static str,
    /// Draws one of them.
    pub(crate) one: fn(&mut Lot) -> String,
}

impl Swaps {
    /// Draws changes to them, in half of all plans from the beginning on.
    pub(crate) fn draw(&self, plan: &mut Plan, lot: &mut Lot) {
        let nodes = plan.nodes.len();
        let early = lot.percent(50);
        for number in 0..lot.between(1, 4) {
            let first = number == 0 && early;
            // Where nothing else is drawn, the last change may lead away from them all.
            let other = !first && !lot.percent(75);
            let policy = if other { swarm::policy(lot) } else { (self.one)(lot) };
            let policy = self.mark.to_owned() + &policy;
            let at = if first { Span::ZERO } else { Span::millis(lot.below(1_500)) };
            let only = if first { nodes } else { lot.below(2 * nodes as u64) as usize };
            for node in (0..nodes).filter(|node| only >= nodes || *node == only) {
                plan.changes.push((Moment(0) + at, node, policy.clone()));
            }
        }
        plan.changes.sort_by_key(|(at, ..)| *at);
        if lot.percent(20) {
            self.decree(plan, lot);
        }
    }

    /// One is decreed of some shard.
    fn decree(&self, plan: &mut Plan, lot: &mut Lot) {
        let is_home = |node: &usize| plan.nodes[*node].home;
        let homes: Vec<usize> = (0..plan.nodes.len()).filter(is_home).collect();
        let (home, at) = (lot.one_of(&homes), Moment(0) + Span(lot.below(plan.calm.0 + 1)));
        let decree = Decree::Follow((self.mark.to_owned() + &(self.one)(lot)).into());
        plan.decrees.push(DecreePlan { at, home, decree });
        plan.decrees.sort_by_key(|decree| decree.at);
    }

    /// Takes them all away.
    pub(crate) fn leave_out(&self, plan: &mut Plan) {
        plan.changes.retain(|(.., policy)| !policy.starts_with(self.mark));
        plan.decrees.retain(|one| match &one.decree {
            Decree::Follow(policy) => !policy.starts_with(self.mark),
            _ => true,
        });
    }
}
