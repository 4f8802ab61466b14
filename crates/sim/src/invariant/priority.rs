//! No task starts while its node surely holds one of a higher priority that fits into what is
//! free.

use std::collections::BTreeMap;

use bary_model::id::{Fence, JobNo, NodeId, RunNo, SpecNo};
use bary_model::resources::Resources;

use crate::history::{Fact, How, Work};
use crate::invariant::{Broken, Invariant, Scene, hold};
use crate::oracle::stretches::Stretches;

/// Where tasks of a grant stand on their node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// They arrived, but the node may not have taken them in.
    Offered,
    Held,
    /// They run; what the run does not begin is held again.
    Begun,
}

/// Tasks of one grant and spec on a node.
#[derive(Debug)]
struct Lot {
    rank: i32,
    need: Resources,
    steps: Stretches<Step>,
}

/// One node as it looks from outside.
#[derive(Debug, Default)]
struct Stage {
    free: Resources,
    whole: Resources,
    runs: BTreeMap<RunNo, Resources>,
    lots: BTreeMap<(Fence, JobNo, SpecNo), Lot>,
}

/// What is more urgent goes before.
#[derive(Debug)]
pub struct Priorities {
    /// Whether a grant is for any holder: then a node may be given a copy of what it had before,
    /// and copies are dropped as others end.
    open: bool,
    stages: BTreeMap<NodeId, Stage>,
}

impl Priorities {
    /// For grants to one holder each, or to any.
    #[must_use]
    pub fn new(open: bool) -> Self {
        Self { open, stages: BTreeMap::new() }
    }
}

fn key(work: &Work) -> (Fence, JobNo, SpecNo) {
    (work.fence, work.range.job, work.range.spec)
}

fn indices(work: &Work) -> std::ops::Range<u64> {
    u64::from(work.range.first)..u64::from(work.range.end())
}

impl Stage {
    fn new(whole: Resources) -> Self {
        Self { free: whole.clone(), whole, ..Self::default() }
    }

    /// Changes those of these tasks that are in one state into another, or forgets them.
    fn turn(&mut self, work: &Work, from: Step, to: Option<Step>) {
        let Some(lot) = self.lots.get_mut(&key(work)) else { return };
        let pieces: Vec<_> = lot.steps.over(indices(work)).collect();
        for (piece, _) in pieces.into_iter().filter(|(_, step)| *step == Some(from)) {
            match to {
                Some(to) => lot.steps.set(piece, to),
                None => lot.steps.clear(piece),
            }
        }
    }

    fn forget(&mut self, work: &Work) {
        if let Some(lot) = self.lots.get_mut(&key(work)) {
            lot.steps.clear(indices(work));
            if lot.steps.iter().next().is_none() {
                self.lots.remove(&key(work));
            }
        }
    }

    fn start(&self, node: NodeId, work: &Work, rank: i32) -> Result<(), Broken> {
        for ((fence, job, spec), lot) in &self.lots {
            if lot.rank <= rank || !self.free.fits(&lot.need) {
                continue;
            }
            let held = lot.steps.iter().find(|(_, step)| *step == Step::Held);
            hold!(
                held.is_none(),
                "{node} starts {:?} of priority {rank}, but {held:?} of {job:?} {spec:?} under \
                 {fence:?}, which it holds and which fits, has {}",
                work.range,
                lot.rank,
            );
        }
        Ok(())
    }
}

impl Invariant for Priorities {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        if let Fact::Node(info) = fact {
            self.stages.insert(scene.node, Stage::new(info.resources.clone()));
        }
        let Some(stage) = self.stages.get_mut(&scene.node).filter(|_| !self.open) else {
            return Ok(());
        };
        match fact {
            Fact::Offered { work, rank, need } => {
                let lot = stage.lots.entry(key(work)).or_insert_with(|| Lot {
                    rank: *rank,
                    need: need.resources.clone(),
                    steps: Stretches::default(),
                });
                lot.steps.set(indices(work), Step::Offered);
            }
            Fact::Holds { work } => stage.turn(work, Step::Offered, Some(Step::Held)),
            Fact::MayDrop { shard } => stage.lots.retain(|(fence, ..), _| fence.shard != *shard),
            Fact::GaveBack { work } => stage.forget(work),
            Fact::Started { run, work, need, rank, .. } => {
                if let Some(need) = need {
                    stage.start(scene.node, work, *rank)?;
                    stage.free.take(&need.resources);
                    stage.runs.insert(*run, need.resources.clone());
                }
                stage.turn(work, Step::Offered, Some(Step::Begun));
                stage.turn(work, Step::Held, Some(Step::Begun));
            }
            Fact::Ran { work, how: How::Returned, .. } => {
                stage.turn(work, Step::Begun, Some(Step::Held));
            }
            Fact::Ran { work, .. } => stage.forget(work),
            Fact::Over { run } => {
                if let Some(held) = stage.runs.remove(run) {
                    stage.free.give(&held);
                }
            }
            Fact::Crashed => *stage = Stage::new(stage.whole.clone()),
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use bary_model::id::{NodeId, RunNo, ShardId, TaskRange};
    use bary_model::resources::Resources;
    use bary_model::task::Request;
    use bary_model::time::Moment;

    use super::Priorities;
    use crate::history::{Fact, How, Work};
    use crate::invariant::{Broken, Invariant, Scene};
    use crate::oracle::book::Book;
    use crate::plan::world::node;

    fn need(cpus: u32) -> Request {
        Request { resources: Resources::cpus(cpus), ..Request::default() }
    }

    fn work(spec: u32) -> Work {
        let spec = bary_model::id::SpecNo(spec);
        let range = TaskRange { spec, first: 0, count: 4, ..TaskRange::default() };
        Work { range, fence: bary_model::id::Fence::default(), attempt: 1 }
    }

    fn offered(spec: u32, rank: i32, cpus: u32) -> Fact<'static> {
        Fact::Offered { work: work(spec), rank, need: Cow::Owned(need(cpus)) }
    }

    fn started(spec: u32, rank: i32) -> Fact<'static> {
        let (run, work, need) = (RunNo(1), work(spec), Some(Cow::Owned(need(1))));
        Fact::Started { run, slot: 1, work, need, rank }
    }

    /// The history of a node with two cores, judged.
    fn judged(facts: &[Fact<'static>]) -> Result<(), Broken> {
        let book = Book::default();
        let scene = Scene { at: Moment(0), node: NodeId(0), own: None, book: &book };
        let mut judge = Priorities::new(false);
        judge.on(&scene, &Fact::Node(Cow::Owned(node(0, 2, 1.0, true).info)))?;
        facts.iter().try_for_each(|fact| judge.on(&scene, fact))
    }

    fn both_held(cpus: u32) -> Vec<Fact<'static>> {
        let holds = |spec| Fact::Holds { work: work(spec) };
        vec![offered(0, 0, 1), offered(1, 5, cpus), holds(0), holds(1)]
    }

    #[test]
    fn what_is_less_urgent_does_not_start_first() {
        let mut facts = both_held(1);
        facts.push(started(0, 0));
        assert!(judged(&facts).is_err());
        facts[4] = started(1, 5);
        assert_eq!(judged(&facts), Ok(()));
    }

    #[test]
    fn what_does_not_fit_or_may_be_gone_is_passed_over() {
        let mut facts = both_held(3);
        facts.push(started(0, 0));
        assert_eq!(judged(&facts), Ok(()), "it asks for more than there is");
        let mut facts = both_held(1);
        facts.extend([Fact::MayDrop { shard: ShardId::default() }, started(0, 0)]);
        assert_eq!(judged(&facts), Ok(()), "it may have been taken back");
        let facts = [offered(1, 5, 1), started(0, 0)];
        assert_eq!(judged(&facts), Ok(()), "it may not have been taken in");
    }

    #[test]
    fn what_a_run_did_not_begin_is_held_again() {
        let mut facts = both_held(1);
        let run = RunNo(1);
        facts.extend([started(1, 5), Fact::Ran { run, work: work(1), how: How::Returned }]);
        facts.extend([Fact::Over { run }, started(0, 0)]);
        assert!(judged(&facts).is_err());
    }
}
