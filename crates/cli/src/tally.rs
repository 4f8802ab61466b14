//! A fold of events into numbers: how tasks ended, what each node and slot did, what failed.

use bary_model::event::{Ended, Event, EventKind};
use bary_model::id::{NodeId, TaskId};
use bary_model::node::NodeInfo;
use bary_model::outcome::{End, Failure};
use bary_model::roster::Roster;
use bary_model::time::{Moment, Span};

use crate::limits;

/// Numbers of one run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) tasks: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    pub(crate) timed_out: u64,
    pub(crate) quarantined: u64,
    pub(crate) cancelled: u64,
    pub(crate) skipped: u64,
    pub(crate) retried: u64,
    pub(crate) retracted: u64,
    /// Outcomes that came for a grant that was no longer current.
    pub(crate) superseded: u64,
    pub(crate) began: Option<Moment>,
    /// When the first result came.
    pub(crate) first_end: Option<Moment>,
    pub(crate) ended: Option<Moment>,
    /// The longest mean time of a task of a range, times the speed of its node: in seconds.
    pub(crate) longest: f64,
    pub(crate) nodes: Vec<NodeTally>,
    /// The failures that come first in the order of inputs.
    pub(crate) failures: Vec<FailedTask>,
    /// Tasks whose output was longer than is kept.
    pub(crate) cut: u64,
    /// Whether the run is being cut short: what tasks still report then is no duplicate.
    pub(crate) stopping: bool,
}

/// What one node did.
#[derive(Debug)]
pub(crate) struct NodeTally {
    pub(crate) info: NodeInfo,
    pub(crate) tasks: u64,
    pub(crate) busy: Span,
    /// Busy time times the cores that were held and the speed of the node, in seconds.
    work: f64,
    /// Busy time of each slot.
    pub(crate) slots: Vec<Span>,
}

/// A task that failed, or whose run the user would want to know of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FailedTask {
    pub(crate) task: TaskId,
    /// Its number among all tasks, from 1.
    pub(crate) number: u64,
    pub(crate) node: NodeId,
    pub(crate) attempt: u16,
    pub(crate) failure: Failure,
    pub(crate) quarantined: bool,
    /// What people call it, its input, and the last line of its standard error; filled in by
    /// whoever has the roster and the store.
    pub(crate) name: String,
    pub(crate) input: String,
    pub(crate) last_line: String,
}

impl Tally {
    /// Nothing done yet, by these nodes.
    pub(crate) fn new(nodes: &[NodeInfo]) -> Self {
        let node = |info: &NodeInfo| NodeTally {
            info: info.clone(),
            tasks: 0,
            busy: Span::ZERO,
            work: 0.0,
            slots: vec![Span::ZERO; info.slots as usize],
        };
        Self { nodes: nodes.iter().map(node).collect(), ..Self::default() }
    }

    /// The nodes, by their ids.
    pub(crate) fn nodes_info(&self) -> Vec<&NodeInfo> {
        self.nodes.iter().map(|node| &node.info).collect()
    }

    /// Tasks that have ended, however.
    pub(crate) fn done(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled + self.skipped
    }

    /// Folds an event in that the roster knows of.
    pub(crate) fn on_event(&mut self, event: &Event, roster: &Roster) {
        match &event.kind {
            EventKind::Submitted { specs, .. } => {
                self.began.get_or_insert(event.at);
                self.tasks += specs.iter().map(|spec| u64::from(spec.count)).sum::<u64>();
            }
            EventKind::Closed { .. }
            | EventKind::Granted { .. }
            | EventKind::Retried { .. }
            | EventKind::Held { .. }
            | EventKind::Prioritised { .. }
            | EventKind::Stopping { .. }
            | EventKind::Arrived { .. }
            | EventKind::Forgotten { .. }
            | EventKind::Drained { .. }
            | EventKind::Decreed(_)
            | EventKind::Ran(_)
            | EventKind::Checkpointed { .. } => {}
            EventKind::Retracted { ranges, .. } => {
                self.retracted += ranges.iter().map(|range| u64::from(range.count)).sum::<u64>();
            }
            EventKind::Retrying { .. } => self.retried += 1,
            EventKind::Ended(ended) => self.on_ended(event.at, ended, roster),
            EventKind::Dropped { range, end, .. } => match end {
                End::Skipped => self.skipped += u64::from(range.count),
                _ => self.cancelled += u64::from(range.count),
            },
            EventKind::Superseded { range, .. } if !self.stopping => {
                self.superseded += u64::from(range.count);
            }
            EventKind::Superseded { .. } => {}
            EventKind::Finished { .. } => self.ended = Some(event.at),
        }
    }

    fn on_ended(&mut self, at: Moment, ended: &Ended, roster: &Roster) {
        let count = u64::from(ended.range.count);
        self.first_end.get_or_insert(at);
        match &ended.end {
            End::Succeeded => self.succeeded += count,
            End::Failed(failure) => self.on_failed(ended, failure, roster),
            End::Quarantined(failure) => self.on_failed(ended, failure, roster),
            End::Cancelled => self.cancelled += count,
            End::Skipped => self.skipped += count,
        }
        let Some(node) = self.nodes.get_mut(ended.node.index()) else { return };
        node.tasks += count;
        node.busy += ended.usage.busy;
        let work = ended.usage.busy.as_secs_f64() * node.info.speed;
        node.work += work * roster.cores(ended.range.spec);
        let slot = (ended.usage.slot.max(1) - 1) as usize;
        if let Some(busy) = node.slots.get_mut(slot) {
            *busy += ended.usage.busy;
        }
        self.longest = self.longest.max(work / count as f64);
    }

    fn on_failed(&mut self, ended: &Ended, failure: &Failure, roster: &Roster) {
        let quarantined = matches!(ended.end, End::Quarantined(_));
        self.failed += 1;
        self.timed_out += u64::from(matches!(failure, Failure::TimedOut | Failure::Silent));
        self.quarantined += u64::from(quarantined);
        let task = ended.range.head();
        let number = roster.number(task);
        let place = self.failures.partition_point(|failed| failed.number < number);
        if place >= limits::FAILURES_SHOWN_MAX {
            return;
        }
        self.failures.truncate(limits::FAILURES_SHOWN_MAX - 1);
        self.failures.insert(
            place,
            FailedTask {
                task,
                number,
                node: ended.node,
                attempt: ended.attempt,
                failure: failure.clone(),
                quarantined,
                name: String::new(),
                input: String::new(),
                last_line: String::new(),
            },
        );
    }

    /// The failure of a task, where it is among those that are listed.
    pub(crate) fn failure_of(&mut self, number: u64) -> Option<&mut FailedTask> {
        self.failures.iter_mut().find(|failed| failed.number == number)
    }

    /// From the first submission to the last end, in seconds.
    pub(crate) fn makespan(&self) -> f64 {
        let ended = self.ended.or(self.first_end).unwrap_or_default();
        self.began.map_or(0.0, |began| ended.since(began).as_secs_f64())
    }

    /// `100 (1 - std / mean)` of the busy times of all slots; none where there were fewer than
    /// two tasks for each, since it says nothing then.
    pub(crate) fn balance(&self) -> Option<f64> {
        let ran: u64 = self.nodes.iter().map(|node| node.tasks).sum();
        let slots: u64 = self.nodes.iter().map(|node| u64::from(node.info.slots)).sum();
        if ran < 2 * slots {
            return None;
        }
        let busy = || self.nodes.iter().flat_map(|node| &node.slots).map(|s| s.as_secs_f64());
        let count = busy().count() as f64;
        let mean = busy().sum::<f64>() / count;
        let variance = busy().map(|busy| (busy - mean).powi(2)).sum::<f64>() / count;
        (mean > 0.0).then(|| 100.0 * (1.0 - variance.sqrt() / mean))
    }

    /// No placement could have been faster: all work over all power, and the longest task on the
    /// fastest node. Work is busy time times the cores that were held and their speed.
    pub(crate) fn bound(&self) -> f64 {
        let work: f64 = self.nodes.iter().map(|node| node.work).sum();
        let power: f64 = self.nodes.iter().map(|node| power(&node.info)).sum();
        let fastest = self.nodes.iter().map(|node| node.info.speed).fold(0.0, f64::max);
        if power > 0.0 { (work / power).max(self.longest / fastest) } else { 0.0 }
    }
}

/// The cores of a node times their speed.
fn power(node: &NodeInfo) -> f64 {
    node.resources.milli_cpus as f64 / 1e3 * node.speed
}

#[cfg(test)]
mod tests {
    use super::*;
    use bary_model::node::Offers;
    use std::sync::Arc;

    use bary_model::action::Action;
    use bary_model::id::{JobNo, ShardId, SpecNo, TaskRange};
    use bary_model::inputs::Inputs;
    use bary_model::outcome::{Results, Usage};
    use bary_model::payload::Payload;
    use bary_model::resources::Resources;
    use bary_model::task::{Body, TaskSpec};

    fn node(id: u64, slots: u32, speed: f64) -> NodeInfo {
        NodeInfo {
            offers: Offers::default(),
            id: NodeId(id),
            name: format!("n{id}").into(),
            region: "r".into(),
            resources: Resources::cpus(slots),
            slots,
            speed,
            labels: std::collections::BTreeMap::new(),
        }
    }

    fn ended(node: u64, slot: u32, count: u32, busy_ms: u64, end: End) -> Event {
        let kind = EventKind::Ended(Ended {
            range: TaskRange { count, ..TaskRange::default() },
            node: NodeId(node),
            attempt: 1,
            end,
            results: Results::Nothing,
            stderr: Payload::Empty,
            usage: Usage { busy: Span::millis(busy_ms), slot, ..Usage::default() },
        });
        Event { at: Moment(0), shard: ShardId(1), kind }
    }

    /// One spec of many tasks that hold so many cores each.
    fn roster(cores: u32) -> Roster {
        let mut body = Body::new(Action::Command { argv: Vec::new() });
        body.request.resources = Resources::cpus(cores);
        let spec = TaskSpec {
            name: "a".into(),
            inputs: Inputs::numbers(0, 1, 100).expect("they are few"),
            count: 100,
            array: true,
            ..TaskSpec::new(Arc::new(body))
        };
        let specs = [Arc::new(spec)].into();
        let mut roster = Roster::default();
        let kind = EventKind::Submitted { job: JobNo(0), first: SpecNo(0), specs, brief: None };
        roster.on_event(&Event { at: Moment(0), shard: ShardId(1), kind });
        roster
    }

    #[test]
    fn balance_and_bound_follow_their_formulas() {
        let (mut tally, roster) = (Tally::new(&[node(0, 1, 1.0), node(1, 1, 2.0)]), roster(1));
        assert_eq!(tally.balance(), None);
        tally.on_event(&ended(0, 1, 2, 3_000, End::Succeeded), &roster);
        tally.on_event(&ended(1, 1, 1, 500, End::Succeeded), &roster);
        assert_eq!(tally.balance(), None, "fewer than two for each slot say nothing");
        tally.on_event(&ended(1, 1, 1, 500, End::Succeeded), &roster);
        // Busy 3 and 1: mean 2, standard deviation 1.
        assert_eq!(tally.balance(), Some(50.0));
        // Work 3 * 1 + 1 * 2 = 5 over power 3; the longest is 1.5 units of work on speed 2.
        assert!((tally.bound() - 5.0 / 3.0).abs() < 1e-9);
        assert_eq!(tally.succeeded, 4);
    }

    #[test]
    fn work_counts_the_cores_that_a_task_holds() {
        let (mut tally, roster) = (Tally::new(&[node(0, 4, 1.0)]), roster(2));
        for _ in 0..4 {
            tally.on_event(&ended(0, 1, 1, 1_000, End::Succeeded), &roster);
        }
        assert!((tally.bound() - 2.0).abs() < 1e-9, "four tasks of two cores on four cores");
    }

    #[test]
    fn failures_are_counted_and_the_first_inputs_are_kept() {
        let (mut tally, roster) = (Tally::new(&[node(0, 1, 1.0)]), roster(1));
        let most = limits::FAILURES_SHOWN_MAX as u32;
        for index in (0..most + 5).rev() {
            let mut event = ended(0, 1, 1, 1, End::Failed(Failure::TimedOut));
            if let EventKind::Ended(ended) = &mut event.kind {
                ended.range.first = index;
            }
            tally.on_event(&event, &roster);
        }
        let numbers: Vec<u64> = tally.failures.iter().map(|failed| failed.number).collect();
        assert_eq!(numbers, (1..=u64::from(most)).collect::<Vec<_>>());
        assert_eq!((tally.failed, tally.timed_out, tally.done()), (15, 15, 15));
    }
}
