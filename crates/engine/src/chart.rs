//! When the graph of the cluster is found anew, what nodes measure for it, and what it told last.
//! Only where a policy looks at it: others cost nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::message::SURVEYED_MAX;
use bary_model::time::{Moment, Span};
use bary_policy::topology::{Probe, Topology};
use bary_policy::trip;

use crate::limits::Limits;
use crate::timers::{Timer, Timers};
use crate::view::View;

/// What an engine knows of the graph of its cluster.
#[derive(Debug)]
pub(crate) struct Chart {
    /// Whether nodes have come, gone or moved since it was last looked whether that matters.
    touched: bool,
    /// The number of the last question.
    asked: u64,
    /// Whether it is not answered yet.
    waits: bool,
    /// The nodes of the last question, and how far they were.
    basis: BTreeMap<NodeId, Span>,
    /// Before this moment nothing is asked.
    next: Moment,
    /// From this moment on distances are measured anew while there is work.
    stale: Moment,
    /// Whether a timer is set for then.
    timed: bool,
    /// The question for which nodes still measure.
    measured: Option<Measuring>,
    found: Option<Arc<Topology>>,
}

/// What nodes measure of each other before the graph can be found.
#[derive(Debug)]
struct Measuring {
    number: u64,
    nodes: Vec<NodeId>,
    /// Who has not told yet.
    left: BTreeSet<NodeId>,
    probes: Vec<Probe>,
    until: Moment,
}

/// A question: what is to be found.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) number: u64,
    pub(crate) nodes: Vec<NodeId>,
}

/// A question with all that nodes have measured for it.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) number: u64,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) probes: Vec<Probe>,
}

impl Default for Chart {
    fn default() -> Self {
        Self {
            touched: true,
            asked: 0,
            waits: false,
            basis: BTreeMap::new(),
            next: Moment(0),
            stale: Moment(0),
            timed: false,
            measured: None,
            found: None,
        }
    }
}

impl Chart {
    /// A node has come, gone or moved.
    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    /// What was found last.
    pub(crate) fn found(&self) -> Option<&Arc<Topology>> {
        self.found.as_ref()
    }

    /// The timer for the next question has come.
    pub(crate) fn on_time(&mut self) {
        self.timed = false;
    }

    /// The question to ask now, if what changed is worth one, or where there is work and what was
    /// measured is old.
    pub(crate) fn question(
        &mut self,
        view: &View,
        limits: &Limits,
        (now, busy): (Moment, bool),
        timers: &mut Timers,
    ) -> Option<Question> {
        let stale = busy && now >= self.stale;
        if !(self.touched || stale) || self.waits {
            return None;
        }
        if now < self.next {
            if !std::mem::replace(&mut self.timed, true) {
                timers.set(self.next, Timer::Chart);
            }
            return None;
        }
        self.touched = false;
        let nodes: BTreeMap<NodeId, Span> =
            view.peers.iter().map(|(node, peer)| (*node, peer.round_trip)).collect();
        let too_many = nodes.len() > limits.chart_nodes_max;
        if too_many || nodes.len() < 2 || !(stale || differs(&self.basis, &nodes)) {
            return None;
        }
        self.asked += 1;
        (self.waits, self.next) = (true, now + limits.chart_every);
        self.stale = now + limits.survey_every;
        self.basis = nodes;
        let nodes: Vec<NodeId> = self.basis.keys().copied().collect();
        let until = now + limits.survey_wait.times(2);
        timers.set(until, Timer::Chart);
        let left = nodes.iter().copied().collect();
        let number = self.asked;
        let measured = Measuring { number, nodes, left, probes: Vec::new(), until };
        let nodes = measured.nodes.clone();
        self.measured = Some(measured);
        Some(Question { number, nodes })
    }

    /// A node tells how far others are.
    pub(crate) fn hear(&mut self, from: NodeId, number: u64, trips: &[(NodeId, Span)]) {
        let Some(measured) = &mut self.measured else { return };
        if measured.number == number && measured.left.remove(&from) {
            let probe = |&(to, round_trip): &(NodeId, Span)| Probe { from, to, round_trip };
            measured.probes.extend(trips.iter().take(SURVEYED_MAX + 1).map(probe));
        }
    }

    /// What was measured, when all have told or have had their time.
    pub(crate) fn measured(&mut self, now: Moment) -> Option<Measured> {
        let over = |measured: &mut Measuring| measured.left.is_empty() || measured.until <= now;
        let Measuring { number, nodes, probes, .. } = self.measured.take_if(over)?;
        Some(Measured { number, nodes, probes })
    }

    /// A node is taken to be so far away now, as it was measured: that alone is no reason to ask
    /// again.
    pub(crate) fn moved(&mut self, node: NodeId, trip: Span) {
        if let Some(known) = self.basis.get_mut(&node) {
            *known = trip;
        }
    }

    /// An answer has come; tells whether it is one to the last question and there is something new.
    pub(crate) fn answer(&mut self, number: u64, topology: Option<Topology>) -> bool {
        if !self.waits || number != self.asked {
            return false;
        }
        self.waits = false;
        let new = topology.is_some();
        self.found = topology.map(Arc::new).or_else(|| self.found.take());
        new
    }
}

/// Whether other nodes are there, or one is nearer or further than it was.
fn differs(before: &BTreeMap<NodeId, Span>, now: &BTreeMap<NodeId, Span>) -> bool {
    let moved = |(before, now): (Span, Span)| trip::differ(before, now);
    !before.keys().eq(now.keys()) || before.values().copied().zip(now.values().copied()).any(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(trips: &[(u64, u64)]) -> BTreeMap<NodeId, Span> {
        trips.iter().map(|(node, ms)| (NodeId(*node), Span::millis(*ms))).collect()
    }

    #[test]
    fn other_nodes_or_other_distances_make_another_graph() {
        let before = nodes(&[(0, 0), (1, 100)]);
        assert!(!differs(&before, &nodes(&[(0, 0), (1, 120)])));
        assert!(differs(&before, &nodes(&[(0, 0), (1, 130)])));
        assert!(differs(&before, &nodes(&[(0, 0), (2, 100)])));
        assert!(differs(&before, &nodes(&[(0, 0)])));
    }

    #[test]
    fn what_nodes_measured_is_taken_when_all_have_told_or_time_is_over() {
        let left = BTreeSet::from([NodeId(0), NodeId(1)]);
        let nodes = left.iter().copied().collect();
        let (number, until) = (3, Moment(50));
        let measured = Measuring { number, nodes, left, probes: Vec::new(), until };
        let mut chart = Chart { measured: Some(measured), ..Chart::default() };
        chart.hear(NodeId(0), 2, &[(NodeId(1), Span(9))]);
        chart.hear(NodeId(0), 3, &[(NodeId(1), Span(9))]);
        chart.hear(NodeId(0), 3, &[(NodeId(1), Span(8))]);
        assert!(chart.measured(Moment(49)).is_none());
        let measured = chart.measured(Moment(50)).expect("it was waited long enough");
        let probe = Probe { from: NodeId(0), to: NodeId(1), round_trip: Span(9) };
        assert_eq!((measured.number, measured.probes), (3, vec![probe]));
        assert!(chart.measured(Moment(51)).is_none(), "it is taken once");
    }

    #[test]
    fn only_the_answer_to_the_last_question_counts() {
        let mut chart = Chart { asked: 2, waits: true, ..Chart::default() };
        let (places, ways) = (Vec::new(), Vec::new());
        let empty = Topology { places, regions: 0, ways, connectivity: 0.0 };
        let empty = || Some(empty.clone());
        assert!(!chart.answer(1, empty()));
        assert!(chart.answer(2, empty()));
        assert!(!chart.answer(2, empty()), "it was answered");
        assert!(chart.found().is_some());
    }
}
