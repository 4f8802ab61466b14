//! What is under way on each node, and what came of it so far.

use std::collections::{BTreeMap, BTreeSet};

use bary_model::event::Ended;
use bary_model::id::NodeId;
use bary_model::time::Span;

/// The nodes by number.
#[derive(Debug, Default)]
pub(crate) struct Nodes(BTreeMap<NodeId, NodeRow>);

/// One node.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NodeRow {
    /// Runs under way: as many slots are busy.
    pub(crate) busy: u32,
    /// Tasks that it was granted and that have not ended.
    pub(crate) holding: u64,
    pub(crate) ended: u64,
    pub(crate) busy_time: Span,
    /// Whether it is granted nothing more.
    pub(crate) drained: bool,
}

impl Nodes {
    /// What is known of a node; nothing under way where it was never heard of.
    pub(crate) fn of(&self, node: NodeId) -> NodeRow {
        self.0.get(&node).copied().unwrap_or_default()
    }

    pub(crate) fn on_runs(&mut self, node: NodeId, began: usize, over: usize) {
        if let Some(row) = self.row(node) {
            row.busy = (row.busy + began as u32).saturating_sub(over as u32);
        }
    }

    pub(crate) fn on_granted(&mut self, node: NodeId, tasks: u64) {
        if let Some(row) = self.row(node) {
            row.holding += tasks;
        }
    }

    pub(crate) fn on_let_go(&mut self, node: NodeId, tasks: u64) {
        if let Some(row) = self.row(node) {
            row.holding = row.holding.saturating_sub(tasks);
        }
    }

    pub(crate) fn on_ended(&mut self, ended: &Ended) {
        let tasks = u64::from(ended.range.count);
        self.on_let_go(ended.node, tasks);
        if let Some(row) = self.row(ended.node) {
            row.ended += tasks;
            row.busy_time += ended.usage.busy;
        }
    }

    pub(crate) fn on_drained(&mut self, node: NodeId, drain: bool) {
        if let Some(row) = self.row(node) {
            row.drained = drain;
        }
    }

    /// The members whose nodes hold tasks.
    pub(crate) fn holders(&self) -> BTreeSet<u64> {
        let holding = self.0.iter().filter(|(_, row)| row.holding > 0);
        holding.map(|(node, _)| node.member()).collect()
    }

    /// How long tasks have kept slots busy, on all nodes together.
    pub(crate) fn busy_time(&self) -> Span {
        Span(self.0.values().map(|row| row.busy_time.0).sum())
    }

    /// The row of a node; none for the one that stands for any.
    fn row(&mut self, node: NodeId) -> Option<&mut NodeRow> {
        (node != NodeId::ANY).then(|| self.0.entry(node).or_default())
    }
}
