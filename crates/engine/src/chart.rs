//! When the graph of the cluster is found anew, and what it told last. Only where a policy looks at
//! it: others cost nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::{Moment, Span};
use bary_policy::topology::Topology;

use crate::limits::Limits;
use crate::timers::{Timer, Timers};
use crate::view::View;

/// Round trips that have changed by more than this part of themselves make another graph.
const CHANGE: f64 = 0.25;

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
    /// Whether a timer is set for then.
    timed: bool,
    found: Option<Arc<Topology>>,
}

/// A question: what is to be found.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) number: u64,
    pub(crate) nodes: Vec<(NodeId, Span)>,
}

impl Default for Chart {
    fn default() -> Self {
        Self {
            touched: true,
            asked: 0,
            waits: false,
            basis: BTreeMap::new(),
            next: Moment(0),
            timed: false,
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

    /// The question to ask now, if what changed is worth one.
    pub(crate) fn question(
        &mut self,
        view: &View,
        limits: &Limits,
        now: Moment,
        timers: &mut Timers,
    ) -> Option<Question> {
        if !self.touched || self.waits {
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
        if too_many || nodes.len() < 2 || !differs(&self.basis, &nodes) {
            return None;
        }
        self.asked += 1;
        (self.waits, self.next) = (true, now + limits.chart_every);
        self.basis = nodes;
        let nodes = self.basis.iter().map(|(node, trip)| (*node, *trip)).collect();
        Some(Question { number: self.asked, nodes })
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
    let moved = |(before, now): (Span, Span)| {
        before.0.abs_diff(now.0) as f64 > CHANGE * before.0.min(now.0) as f64
    };
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
    fn only_the_answer_to_the_last_question_counts() {
        let mut chart = Chart { asked: 2, waits: true, ..Chart::default() };
        let empty = || Some(Topology { places: Vec::new(), regions: 0, connectivity: 0.0 });
        assert!(!chart.answer(1, empty()));
        assert!(chart.answer(2, empty()));
        assert!(!chart.answer(2, empty()), "it was answered");
        assert!(chart.found().is_some());
    }
}
