//! Rules of placement as chaos draws them: nodes change to other forces, orders, queues, copies of
//! stragglers, layouts and flows, and back, while work goes on.

use bary_model::decree::Decree;
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::decrees::DecreePlan;
use crate::plan::{Plan, swarm};

/// What texts that are drawn here begin with; whoever parses them passes over it.
const MARK: &str = "\t";

/// Draws changes to them in a third of the plans, half of these from the beginning on.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(33) {
        return;
    }
    let nodes = plan.nodes.len();
    let early = lot.percent(50);
    for number in 0..lot.between(1, 4) {
        let first = number == 0 && early;
        let policy = if first || lot.percent(75) { rule(lot) } else { swarm::policy(lot) };
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

/// A rule is decreed of some shard.
fn decree(plan: &mut Plan, lot: &mut Lot) {
    let homes: Vec<usize> = (0..plan.nodes.len()).filter(|node| plan.nodes[*node].home).collect();
    let (home, at) = (lot.one_of(&homes), Moment(0) + Span(lot.below(plan.calm.0 + 1)));
    let decree = Decree::Follow((MARK.to_owned() + &rule(lot)).into());
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

/// One of the rules, with other parts at times.
fn rule(lot: &mut Lot) -> String {
    let presets = [
        "gravity",
        "giants",
        "heft",
        "shortest-remaining",
        "deadline",
        "fair-share",
        "power-of-two",
        "least-used",
        "magnetic",
        "geo",
        "quantum",
        "resource-aware",
        "locality",
        "eft",
        "topology",
        "capability",
        "central",
        "fiedler",
        "mixed",
        "fcfs",
        "easy",
        "fair",
    ];
    let mut text = lot.one_of(&presets).to_owned();
    let parts: [(&str, &[&str]); 10] = [
        ("delay", &["5ms", "500ms", "5s"]),
        ("giants", &["1", "1.1", "3"]),
        ("flow", &["none", "laplacian"]),
        ("queue", &["fcfs,binding=pull", "easy,binding=pull", "fair,binding=pull"]),
        ("speculate", &["late"]),
        ("age_min", &["1ms", "100ms"]),
        ("layout", &["three", "one", "split"]),
        ("weights", &["learnt"]),
        ("looks", &["1", "2"]),
        ("distances", &["measured"]),
    ];
    for (part, values) in parts {
        if lot.percent(15) {
            text += &format!(",{part}={}", lot.one_of(values));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use bary_policy::preset;

    use super::{MARK, leave_out, rule};
    use crate::lot::Lot;
    use crate::plan::Plan;

    #[test]
    fn whatever_is_drawn_is_a_policy() {
        let mut lot = Lot::new(1, "placing");
        for _ in 0..1_000 {
            let text = MARK.to_owned() + &rule(&mut lot);
            assert!(preset::parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn some_plans_change_to_a_rule_and_none_does_where_they_are_left_out() {
        let mut plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let some = |plan: &&Plan| plan.changes.iter().any(|(.., policy)| policy.starts_with(MARK));
        let drawn = plans.iter().filter(some).count();
        assert!((15..50).contains(&drawn), "{drawn} of 100 plans draw rules");
        plans.iter_mut().for_each(leave_out);
        assert!(!plans.iter().any(|plan| some(&plan)));
    }
}
