//! An outcome counts only under the task's current grant, from the node that was granted it. So
//! what a zombie reports after its lease was lost changes nothing.

use bary_ledger::record::Record;
use bary_model::id::{GrantNo, NodeId, TaskRange};

use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::book::Hold;
use crate::oracle::saga::Saga;

/// At most one accepted completion, and it is the current holder's.
#[derive(Debug, Default)]
pub struct Fenced;

impl Invariant for Fenced {
    fn name(&self) -> &'static str {
        "fence"
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        let saga = |range: TaskRange| {
            let saga = scene.book.job(settled.shard, range.job);
            saga.filter(|saga| saga.has(range))
        };
        match settled.record {
            Record::Ended { items } => items.iter().try_for_each(|item| {
                current(saga(item.range), item.range, item.grant, Some(item.node), "ended")
            }),
            Record::Failed { task, grant, .. } => {
                let range = TaskRange::one(*task);
                current(saga(range), range, *grant, None, "failed")
            }
            Record::Retracted { items } => items.iter().try_for_each(|&(grant, range)| {
                current(saga(range), range, grant, None, "was given back")
            }),
            Record::Granted { node, items } => {
                items.iter().try_for_each(|&(grant, range)| free(saga(range), range, grant, *node))
            }
            _ => Ok(()),
        }
    }
}

fn current(
    saga: Option<&Saga>,
    range: TaskRange,
    grant: GrantNo,
    node: Option<NodeId>,
    what: &str,
) -> Result<(), Broken> {
    let Some(saga) = saga else {
        return Err(Broken(format!("{range:?} {what}, but was never submitted")));
    };
    let any = |hold: Hold| node.is_none() || hold.node == NodeId::ANY;
    let same = |hold: Hold| hold.grant == grant && (any(hold) || node == Some(hold.node));
    for (_, holder) in saga.holds(range) {
        let right = holder.is_some_and(same);
        hold!(right, "{range:?} {what} under {grant:?} of {node:?}, but is held by {holder:?}");
    }
    Ok(())
}

fn free(saga: Option<&Saga>, range: TaskRange, grant: GrantNo, node: NodeId) -> Result<(), Broken> {
    let Some(saga) = saga else {
        return Err(Broken(format!("{range:?} was granted, but was never submitted")));
    };
    let end = saga.ends(range).find_map(|(_, end)| end);
    hold!(end.is_none(), "{range:?} was granted to {node} after it ended as {end:?}");
    let holder = saga.holds(range).find_map(|(_, hold)| hold);
    hold!(holder.is_none(), "{range:?} was granted to {node} as {grant:?} while {holder:?} has it");
    Ok(())
}
