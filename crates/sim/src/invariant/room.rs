//! No node runs more than its declared resources allow, has two runs on one slot, or runs what
//! asks for other labels than it has; and all tasks of a run ask for the same.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::decree::Decree;
use bary_model::id::{NodeId, RunNo};
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::task::Request;

use crate::history::{Fact, Work};
use crate::invariant::{Broken, Invariant, Scene, hold};

/// One node as it looks from outside.
#[derive(Debug)]
struct Stage {
    info: NodeInfo,
    free: Resources,
    slots: BTreeSet<u32>,
    runs: BTreeMap<RunNo, (u32, Request)>,
}

/// Nodes are never over-full.
#[derive(Debug, Default)]
pub struct Room {
    stages: BTreeMap<NodeId, Stage>,
    /// Nodes that have, or had, labels by decree: what they are granted is judged then.
    relabelled: BTreeSet<Box<str>>,
}

impl Stage {
    fn new(info: NodeInfo) -> Self {
        let free = info.resources.clone();
        Self { info, free, slots: BTreeSet::new(), runs: BTreeMap::new() }
    }

    fn start(&mut self, run: RunNo, slot: u32, need: &Request, own: bool) -> Result<(), Broken> {
        let name = self.info.id;
        hold!(
            self.slots.insert(slot),
            "{name} starts run {} on slot {slot}, which is taken",
            run.0
        );
        hold!(
            self.free.fits(&need.resources),
            "{name} starts run {} that holds {:?}, but has only {:?}",
            run.0,
            need.resources,
            self.free,
        );
        let labels = !own || self.info.has_labels(need);
        hold!(labels, "{name} starts run {} without the labels it asks for", run.0);
        self.free.take(&need.resources);
        self.runs.insert(run, (slot, need.clone()));
        Ok(())
    }

    /// More tasks of a run: they share its room, and so have to ask for the same.
    fn join(&self, run: RunNo, work: &Work, need: &Request) -> Result<(), Broken> {
        let held = self.runs.get(&run).map(|(_, held)| held);
        let (name, range) = (self.info.id, work.range);
        hold!(
            held == Some(need),
            "run {} of {name} holds {held:?}, but {range:?} asks for {need:?}",
            run.0
        );
        Ok(())
    }

    fn over(&mut self, run: RunNo) -> Result<(), Broken> {
        let name = self.info.id;
        let Some((slot, held)) = self.runs.remove(&run) else {
            return Err(Broken(format!("run {} of {name} is over, but never started", run.0)));
        };
        self.slots.remove(&slot);
        self.free.give(&held.resources);
        Ok(())
    }
}

impl Invariant for Room {
    fn name(&self) -> &'static str {
        "room"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        if let Fact::Node(info) = fact {
            self.stages.insert(scene.node, Stage::new(info.clone().into_owned()));
        }
        if let Fact::Appended { records, .. } = fact {
            for record in &**records {
                if let Record::Decreed { decree } = record
                    && let Decree::Label { node, .. } = &**decree
                {
                    self.relabelled.insert(node.clone());
                }
            }
        }
        let Some(stage) = self.stages.get_mut(&scene.node) else { return Ok(()) };
        let own = !self.relabelled.contains(&stage.info.name);
        match fact {
            Fact::Started { run, slot, need: Some(need), .. } => {
                stage.start(*run, *slot, need, own)
            }
            Fact::Started { run, work, need: None, .. } => {
                let saga = scene.book.granted(work.fence, work.range);
                let spec = saga.and_then(|saga| saga.spec(work.range.spec));
                spec.map_or(Ok(()), |spec| stage.join(*run, work, &spec.body.request))
            }
            Fact::Over { run } => stage.over(*run),
            Fact::Crashed => {
                *stage = Stage::new(stage.info.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn at_end(&mut self, _: &Scene<'_>) -> Result<(), Broken> {
        for (node, stage) in &self.stages {
            let going_on = stage.runs.len();
            hold!(going_on == 0, "{going_on} runs of {node} go on when nothing will happen");
        }
        Ok(())
    }
}
