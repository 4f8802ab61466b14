//! Placement protocols as chaos draws them: nodes change to queues that are bounded and to the
//! other ways of sharing out tasks, and from each to any other policy, while work goes on.

use bary_model::decree::Decree;
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::decrees::DecreePlan;
use crate::plan::{Plan, swarm};

/// What texts that are drawn here begin with; whoever parses them passes over it.
const MARK: &str = " ";

/// Draws changes to them in two fifths of the plans, half of these from the beginning on.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(40) {
        return;
    }
    let nodes = plan.nodes.len();
    plan.limits.offers_max = lot.one_of(&[3, 30, 300]) as usize;
    let early = lot.percent(50);
    for number in 0..lot.between(1, 4) {
        let first = number == 0 && early;
        // Where nothing else is drawn, the last change may lead away from them all.
        let policy = if first || lot.percent(75) { protocol(lot) } else { swarm::policy(lot) };
        let policy = MARK.to_owned() + &policy;
        let at = if first { Span::ZERO } else { Span::millis(lot.below(1_500)) };
        let only = if first { nodes } else { lot.below(2 * nodes as u64) as usize };
        for node in (0..nodes).filter(|node| only >= nodes || *node == only) {
            plan.changes.push((Moment(0) + at, node, policy.clone()));
        }
    }
    plan.changes.sort_by_key(|(at, ..)| *at);
    if lot.percent(20) {
        decree(plan, lot);
    }
}

/// A protocol is decreed of some shard.
fn decree(plan: &mut Plan, lot: &mut Lot) {
    let homes: Vec<usize> = (0..plan.nodes.len()).filter(|node| plan.nodes[*node].home).collect();
    let (home, at) = (lot.one_of(&homes), Moment(0) + Span(lot.below(plan.calm.0 + 1)));
    let decree = Decree::Follow((MARK.to_owned() + &protocol(lot)).into());
    plan.decrees.push(DecreePlan { at, home, decree });
    plan.decrees.sort_by_key(|decree| decree.at);
}

/// Takes it all away.
pub(crate) fn leave_out(plan: &mut Plan) {
    plan.changes.retain(|(.., policy)| !policy.starts_with(MARK));
    plan.decrees.retain(|one| match &one.decree {
        Decree::Follow(policy) => !policy.starts_with(MARK),
        _ => true,
    });
}

/// One of the protocols, with other parts at times.
fn protocol(lot: &mut Lot) -> String {
    let all = [
        "work-stealing-classic",
        "work-stealing-classic,steal_by=idle",
        "sparrow",
        "broadcast",
        "pids-broadcast",
        "pids-as-written",
    ];
    let mut text = lot.one_of(&all).to_owned();
    if text.starts_with("pids") || text == "broadcast" {
        text += &format!(",claim_timeout={}", lot.one_of(&["20ms", "500ms", "5s"]));
    }
    let orders = ["fifo", "heaviest-first", "b-level", "priority"];
    if lot.percent(30) {
        text += &format!(",order={}", lot.one_of(&orders));
    }
    if lot.percent(30) {
        text += &format!(",force={}", lot.one_of(&["gravity", "least-loaded", "random"]));
    }
    if text.starts_with("sparrow") && lot.percent(30) {
        text += &format!(",probes={}", lot.one_of(&[1, 3, 8]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{MARK, leave_out};
    use crate::plan::Plan;

    #[test]
    fn some_plans_change_to_a_protocol_and_none_does_where_they_are_left_out() {
        let mut plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let some = |plan: &&Plan| plan.changes.iter().any(|(.., policy)| policy.starts_with(MARK));
        let drawn = plans.iter().filter(some).count();
        assert!((25..60).contains(&drawn), "{drawn} of 100 plans draw protocols");
        plans.iter_mut().for_each(leave_out);
        assert!(!plans.iter().any(|plan| some(&plan)));
    }
}
