//! One node of a world: its process, if it lives, with its engine and what it runs.

use bary_engine::engine::Engine;
use bary_engine::input::Input;
use bary_model::id::RunNo;
use bary_model::machine::Machine;
use bary_model::node::NodeInfo;
use bary_model::time::{Moment, Span};

use crate::clock::Clock;
use crate::plan::NodePlan;
use crate::run::Run;

/// How a node's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Up,
    /// It stands still; what comes for it waits.
    Paused,
    Down,
    /// Down for good.
    Dead,
    /// Not there (any more), until somebody lets it join.
    Absent,
}

/// How the process is about to end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Doom {
    /// How many effects of the next step are still done.
    pub(crate) after: u32,
    pub(crate) power: bool,
    pub(crate) down: Span,
}

/// A node.
#[derive(Debug)]
pub(crate) struct Node {
    /// What it says of itself.
    pub(crate) info: NodeInfo,
    /// What its machine was found to be in this life.
    pub(crate) machine: Machine,
    pub(crate) state: State,
    pub(crate) engine: Option<Engine>,
    /// Its life, which is its incarnation.
    pub(crate) life: u32,
    pub(crate) clock: Clock,
    pub(crate) runs: Vec<(RunNo, Run)>,
    /// The shards that it believes to be home of, by position; the first gets its requests.
    pub(crate) shards: Vec<usize>,
    /// When it is to be woken; the latest moment where it is not.
    pub(crate) wake: Moment,
    pub(crate) doom: Option<Doom>,
    /// Whether it was removed: nobody knows it any more, and its process ends for good.
    pub(crate) removed: bool,
    /// What came while it stood still.
    pub(crate) waiting: Vec<Input>,
    /// How many times longer everything takes that it runs.
    pub(crate) slow: u32,
    /// How long it was busy with tasks.
    pub(crate) busy: Span,
}

/// How many inputs wait for a process that stands still; frames beyond it are lost.
pub(crate) const WAITING_MAX: usize = 10_000;

impl Node {
    pub(crate) fn new(plan: &NodePlan) -> Self {
        Self {
            info: plan.info.clone(),
            machine: plan.probe.at_first(),
            state: State::Down,
            engine: None,
            life: 0,
            clock: Clock::new(plan.drift),
            runs: Vec::new(),
            shards: Vec::new(),
            wake: Moment(u64::MAX),
            doom: None,
            removed: false,
            waiting: Vec::new(),
            slow: 1,
            busy: Span::ZERO,
        }
    }

    /// Whether it can be reached, though it may not answer for a while.
    pub(crate) fn lives(&self) -> bool {
        matches!(self.state, State::Up | State::Paused)
    }

    pub(crate) fn run_at(&self, run: RunNo) -> Option<usize> {
        self.runs.iter().position(|(number, _)| *number == run)
    }
}
