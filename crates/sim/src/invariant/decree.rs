//! What is on record of a node holds for every later grant, in every reign: one that is drained is
//! granted nothing, and no node anything that asks for other labels than it has by then. Under Open
//! binding grants name nobody.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::NodeId;
use bary_model::node::NodeInfo;

use crate::history::Fact;
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};
use crate::oracle::book::Shard;

/// Decrees hold.
#[derive(Debug, Default)]
pub struct Decreed {
    nodes: BTreeMap<NodeId, NodeInfo>,
}

/// A node with the labels that a shard's records give it.
fn labelled(info: &NodeInfo, shard: &Shard) -> NodeInfo {
    let mut info = info.clone();
    for (label, value) in shard.labels.get(&info.name).into_iter().flatten() {
        info.labels.retain(|other, _| other != label);
        info.labels.extend(value.clone().map(|value| (label.clone(), value)));
    }
    info
}

impl Invariant for Decreed {
    fn name(&self) -> &'static str {
        "decree"
    }

    fn on(&mut self, _: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        if let Fact::Node(info) = fact {
            self.nodes.insert(info.id, info.clone().into_owned());
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        let Record::Granted { node, items } = settled.record else { return Ok(()) };
        let Some(info) = self.nodes.get(node) else { return Ok(()) };
        let Some(shard) = scene.book.shard(settled.shard) else { return Ok(()) };
        let drained = shard.drained.contains(&info.name);
        hold!(!drained, "{items:?} were granted to {node}, which is drained by decree");
        let info = labelled(info, shard);
        for (_, range) in items {
            let spec = shard.jobs.get(range.job.index()).and_then(|saga| saga.spec(range.spec));
            let fits = spec.is_none_or(|spec| info.has_labels(&spec.body.request));
            hold!(fits, "{range:?} was granted to {node}, which has other labels by decree");
        }
        Ok(())
    }
}
