//! What a node gives back as not started it has not started under that grant, and never will.

use std::collections::BTreeMap;

use bary_model::id::{Fence, JobNo, NodeId, SpecNo};

use crate::history::{Fact, How, Work};
use crate::invariant::{Broken, Invariant, Scene, hold};
use crate::oracle::stretches::Stretches;

/// Where a grant of some node stands, task by task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Started,
    GivenBack,
}

/// Giving back is serialised with starting.
#[derive(Debug)]
pub struct Retracts {
    /// Whether a grant is for any holder: then a node may be given a copy of what it had before.
    open: bool,
    steps: BTreeMap<(NodeId, Fence, JobNo, SpecNo), Stretches<Step>>,
}

impl Retracts {
    /// For grants to one holder each, or to any.
    #[must_use]
    pub fn new(open: bool) -> Self {
        Self { open, steps: BTreeMap::new() }
    }

    fn steps(&mut self, node: NodeId, work: &Work) -> &mut Stretches<Step> {
        let key = (node, work.fence, work.range.job, work.range.spec);
        self.steps.entry(key).or_default()
    }
}

fn indices(work: &Work) -> std::ops::Range<u64> {
    u64::from(work.range.first)..u64::from(work.range.end())
}

impl Invariant for Retracts {
    fn name(&self) -> &'static str {
        "retract"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        let node = scene.node;
        match fact {
            _ if self.open => {}
            Fact::Started { work, .. } => {
                let steps = self.steps(node, work);
                for (_, step) in steps.over(indices(work)) {
                    let range = work.range;
                    hold!(step.is_none(), "{node} starts {range:?}, which it has {step:?} before");
                }
                steps.set(indices(work), Step::Started);
            }
            Fact::Ran { work, how: How::Returned, .. } => {
                self.steps(node, work).clear(indices(work));
            }
            Fact::GaveBack { work } => {
                let steps = self.steps(node, work);
                let started =
                    steps.over(indices(work)).any(|(_, step)| step == Some(Step::Started));
                hold!(!started, "{node} gives {:?} back, but has started it", work.range);
                steps.set(indices(work), Step::GivenBack);
            }
            Fact::Crashed => self.steps.retain(|(of, ..), _| *of != node),
            _ => {}
        }
        Ok(())
    }
}
