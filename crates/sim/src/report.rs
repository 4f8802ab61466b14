//! What a run came to.

use bary_engine::counts::Counts;
use bary_model::time::{Moment, Span};

use crate::plan::Plan;
use crate::tally::{KINDS, MESSAGES, PLACING, Tally};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing was left to happen.
    Rest,
    /// Something still happened after the plan's deadline.
    Late,
    /// At the plan's deadline, some nodes that live do not see each other.
    Apart,
    /// There were more events than the plan allows.
    TooMany,
    /// Very much happened without any time going by.
    Still,
}

/// What a run came to. Everything in it is the same for the same plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// How it ended.
    pub verdict: Verdict,
    /// Inputs given to engines, frames that did not arrive, and whatever else came due.
    pub events: u64,
    /// The moment of the last of them.
    pub until: Moment,
    /// A hash of all that happened.
    pub hash: u64,
    /// Tasks of the plan.
    pub tasks: u64,
    /// Tasks that were executed to their own end, each time it happened.
    pub executed: u64,
    /// Jobs in ledgers that are open or have tasks left.
    pub unfinished: u64,
    /// Shards that nobody is home of.
    pub orphans: u64,
    /// Refused submissions of a stream.
    pub refused: u64,
    /// Messages sent by kind, in the order of [`MESSAGES`]; those sent again count again.
    pub messages: [u64; KINDS],
    /// Outcomes that carried an ask.
    pub asking: u64,
    /// Frames sent, those that only acknowledge included.
    pub frames: u64,
    /// Frames that did not arrive.
    pub lost: u64,
    /// Bytes that were moved to the nodes that read them.
    pub moved: u64,
    /// Those of them that went from one region to another.
    pub crossed: u64,
    /// Steals, probes and claims, as the homes that lived to the end counted them.
    pub counts: Counts,
    /// How far run times that homes predicted were off on average, over what they took, and how
    /// many they predicted; of the homes that lived to the end.
    pub predicted: (f64, u64),
    /// 100 (1 - deviation / mean) of the nodes' busy times.
    pub balance: f64,
    /// When the last task ended.
    pub makespan: Span,
    /// No schedule is shorter: all work over all speeds, or the longest task on the fastest node.
    pub bound: Span,
    /// Mean time from a streamed task's arrival to its start.
    pub wait_mean: Span,
    /// The same for the task that waited longer than 99 of a hundred.
    pub wait_p99: Span,
    /// How long all nodes that run tasks were there, or on their way, until the last task ended.
    pub node_time: Span,
    /// How often a rule added nodes or took some away.
    pub scalings: u64,
}

impl Report {
    pub(crate) fn new(plan: &Plan, tally: &mut Tally, busy: &[Span], verdict: Verdict) -> Self {
        tally.waits.sort_unstable();
        let waits = &tally.waits;
        let total: u64 = waits.iter().map(|wait| wait.0).sum();
        let p99 = waits.get((waits.len() * 99 / 100).min(waits.len().saturating_sub(1)));
        Self {
            verdict,
            events: tally.events,
            until: Moment(0),
            hash: 0,
            tasks: plan.tasks(),
            executed: tally.executed,
            unfinished: 0,
            orphans: 0,
            refused: tally.refused,
            messages: tally.messages,
            asking: tally.asking,
            frames: tally.frames,
            lost: tally.lost,
            moved: 0,
            crossed: 0,
            counts: Counts::default(),
            predicted: (0.0, 0),
            balance: balance(busy),
            makespan: tally.last_end.since(Moment(0)),
            bound: bound(plan),
            wait_mean: Span(total / waits.len().max(1) as u64),
            wait_p99: p99.copied().unwrap_or(Span::ZERO),
            node_time: Span::ZERO,
            scalings: 0,
        }
    }

    /// How many messages of this kind were sent.
    #[must_use]
    pub fn messages_of(&self, kind: &str) -> u64 {
        let at = MESSAGES.iter().position(|name| *name == kind);
        at.map_or(0, |at| self.messages[at])
    }

    /// Messages that placing took: asks, outcomes that ask, grants, retracts, what homes hand each
    /// other, and what is announced and claimed.
    #[must_use]
    pub fn claims(&self) -> u64 {
        PLACING.iter().map(|kind| self.messages_of(kind)).sum::<u64>() + self.asking
    }
}

fn balance(busy: &[Span]) -> f64 {
    let busy: Vec<f64> = busy.iter().map(|span| span.as_secs_f64()).collect();
    let mean = busy.iter().sum::<f64>() / busy.len().max(1) as f64;
    let variance = busy.iter().map(|one| (one - mean) * (one - mean)).sum::<f64>();
    if mean > 0.0 { 100.0 * (1.0 - (variance / busy.len() as f64).sqrt() / mean) } else { 100.0 }
}

fn bound(plan: &Plan) -> Span {
    let power: f64 = plan.nodes.iter().map(|node| node.info.power()).sum();
    let fastest = plan.nodes.iter().map(|node| node.info.speed).fold(0.0, f64::max);
    let total: u64 = plan.specs().map(|spec| spec.total_weight()).sum();
    let longest = plan.specs().map(|spec| spec.weight.units()).fold(0.0, f64::max);
    let units = (total as f64 / 1e3 / power).max(longest / fastest);
    Span::from_secs_f64(units * plan.unit.as_secs_f64())
}
