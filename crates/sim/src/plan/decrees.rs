//! What is decreed while work goes on, as chaos draws it: policies, drains, and labels that come
//! and go. Before all is calm every node has its labels again, and none is drained.

use std::collections::BTreeSet;

use bary_model::decree::Decree;
use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::plan::{Plan, swarm};

/// Something is decreed of a shard.
#[derive(Clone, Debug)]
pub struct DecreePlan {
    /// When, at the earliest: it comes after all that was decreed of the shard before.
    pub at: Moment,
    /// The node that has the shard at first.
    pub home: usize,
    /// What.
    pub decree: Decree,
}

/// Draws them in a third of the plans.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    if !lot.percent(33) {
        return;
    }
    let homes: Vec<usize> = (0..plan.nodes.len()).filter(|node| plan.nodes[*node].home).collect();
    for _ in 0..lot.between(1, 6) {
        let home = lot.one_of(&homes);
        let node = lot.below(plan.nodes.len() as u64) as usize;
        let at = Moment(0) + Span(lot.below(plan.calm.0 + 1));
        let name = plan.nodes[node].info.name.clone();
        let decree = match lot.below(5) {
            0 => Decree::Follow(swarm::policy(lot).into()),
            1 => Decree::Drain { node: name, drain: true },
            2 => Decree::Drain { node: name, drain: false },
            _ => {
                let value = lot.one_of(&[None, Some("a"), Some("b")]).map(Into::into);
                Decree::Label { node: name, labels: [("zone".into(), value)].into() }
            }
        };
        plan.decrees.push(DecreePlan { at, home, decree });
    }
    plan.decrees.sort_by_key(|decree| decree.at);
    let ends = restored(plan);
    plan.decrees.extend(ends);
}

/// What makes everything as it was.
fn restored(plan: &Plan) -> Vec<DecreePlan> {
    let touched: BTreeSet<(usize, &str)> = plan
        .decrees
        .iter()
        .filter_map(|one| match &one.decree {
            Decree::Follow(_) => None,
            Decree::Drain { node, .. } | Decree::Label { node, .. } => Some((one.home, &**node)),
        })
        .collect();
    let mut ends = Vec::new();
    for (home, name) in touched {
        let infos = plan.nodes.iter().map(|node| &node.info);
        for info in infos.filter(|info| &*info.name == name) {
            let own = info.labels.get("zone").cloned();
            let labels = [("zone".into(), own)].into();
            let drain = Decree::Drain { node: info.name.clone(), drain: false };
            for decree in [drain, Decree::Label { node: info.name.clone(), labels }] {
                ends.push(DecreePlan { at: plan.calm, home, decree });
            }
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bary_model::decree::{Decree, Decrees};

    use crate::plan::Plan;

    #[test]
    fn some_plans_decree_and_all_is_as_it_was_when_it_is_calm() {
        let plans: Vec<Plan> = (0..100).map(Plan::of).collect();
        let some = plans.iter().filter(|plan| !plan.decrees.is_empty()).count();
        assert!((15..55).contains(&some), "{some} of 100 plans decree something");
        for plan in &plans {
            let mut shards: BTreeMap<usize, Decrees> = BTreeMap::new();
            for one in &plan.decrees {
                assert!(one.at <= plan.calm && plan.nodes[one.home].home);
                shards.entry(one.home).or_default().take_in(&one.decree);
            }
            for decrees in shards.values() {
                assert!(decrees.drained.is_empty());
                for node in &plan.nodes {
                    assert_eq!(decrees.labels_of(&node.info), node.info.labels);
                }
            }
        }
        let labels =
            |plan: &Plan| plan.decrees.iter().any(|one| matches!(one.decree, Decree::Label { .. }));
        assert!(plans.iter().any(labels));
    }
}
