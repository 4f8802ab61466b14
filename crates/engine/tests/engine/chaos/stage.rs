//! One node as it looks from outside: what was granted to it from elsewhere, what it runs, and
//! what it has room for.

use std::collections::{BTreeMap, BTreeSet};

use bary_engine::limits::Limits;
use bary_model::id::{Fence, NodeId, RunNo, TaskRange};
use bary_model::message::{GrantItem, OutcomeItem, Retract, Say};
use bary_model::node::NodeInfo;
use bary_model::outcome::Outcome;
use bary_model::resources::Resources;

use super::oracle::home_of;

/// A node; what it was granted by its own home is not seen from outside.
pub(super) struct Stage {
    info: NodeInfo,
    items_max: usize,
    free: Resources,
    slots: BTreeSet<u32>,
    runs: BTreeMap<RunNo, (u32, Vec<GrantItem>)>,
    held: Vec<GrantItem>,
    /// What homes cancelled: it may be forgotten at any time.
    dropped: Vec<(NodeId, TaskRange)>,
}

impl Stage {
    pub(super) fn new(info: &NodeInfo, limits: &Limits) -> Self {
        // A push binds as many as the node's queue takes.
        let pushed = limits.push_queue_tasks_max as usize;
        Self {
            items_max: limits.grant_items_max.max(pushed),
            info: info.clone(),
            free: info.resources.clone(),
            slots: BTreeSet::new(),
            runs: BTreeMap::new(),
            held: Vec::new(),
            dropped: Vec::new(),
        }
    }

    pub(super) fn received(&mut self, from: NodeId, message: &Say) {
        match message {
            Say::Grant(grant) => {
                assert!(grant.items.len() <= self.items_max, "grants are bounded");
                self.held.extend(grant.items.iter().cloned());
            }
            Say::Retract(Retract::Tasks(ranges)) => {
                self.dropped.extend(ranges.iter().map(|range| (from, *range)));
                self.forget_dropped();
            }
            _ => {}
        }
    }

    pub(super) fn sent(&mut self, message: &Say) {
        match message {
            Say::Retracted { items } => {
                for (fence, range) in items {
                    self.take(*fence, *range);
                }
            }
            Say::Outcomes(outcomes) => {
                for item in outcomes.items.iter().filter(|item| item.outcome == Outcome::Returned) {
                    self.take(item.fence, item.range);
                }
            }
            _ => {}
        }
    }

    pub(super) fn started(&mut self, run: RunNo, slot: u32, items: &[GrantItem]) {
        let body = &items[0].spec.body;
        assert!(self.slots.insert(slot), "I4: slot {slot} is taken");
        for held in &self.held {
            let above = held.spec.body.priority > body.priority;
            let fits = self.free.fits(&held.spec.body.request.resources);
            assert!(!above || !fits, "{:?} goes before {:?}", held.range, items[0].range);
        }
        assert!(self.info.has_labels(&body.request), "labels are as they are asked for");
        self.free.take(&body.request.resources);
        for item in items {
            assert_eq!(item.spec.body.request, body.request, "a run has one request");
            assert_eq!(item.spec.body.timeout, body.timeout, "a run has one timeout");
            if home_of(item.fence) != self.info.id.index() {
                self.take(item.fence, item.range);
            }
        }
        self.runs.insert(run, (slot, items.to_vec()));
    }

    pub(super) fn ended(&mut self, run: RunNo, items: &[OutcomeItem]) {
        let Some((slot, began)) = self.runs.remove(&run) else { return };
        self.slots.remove(&slot);
        self.free.give(&began[0].spec.body.request.resources);
        for item in items.iter().filter(|item| item.outcome == Outcome::Returned) {
            let from = began.iter().find(|from| from.fence == item.fence);
            if home_of(item.fence) != self.info.id.index()
                && let Some(from) = from
            {
                self.held.push(GrantItem { range: item.range, ..from.clone() });
            }
        }
        self.forget_dropped();
    }

    /// Takes a range out of what is held under its fence.
    fn take(&mut self, fence: Fence, range: TaskRange) {
        if home_of(fence) == self.info.id.index() {
            return;
        }
        let mut taken = 0;
        for item in std::mem::take(&mut self.held) {
            if item.fence != fence || item.range.spec != range.spec {
                self.held.push(item);
                continue;
            }
            let (first, end) = (item.range.first, item.range.end());
            let (low, high) = (first.max(range.first), end.min(range.end()));
            if low >= high {
                self.held.push(item);
                continue;
            }
            taken += high - low;
            for (from, to) in [(first, low), (high, end)] {
                if from < to {
                    let range = item.range.with(from, to - from);
                    self.held.push(GrantItem { range, ..item.clone() });
                }
            }
        }
        // What is dropped in the same step may have been given back before.
        let dropped = self.dropped.iter().any(|(_, gone)| gone.first <= range.first);
        assert!(taken == range.count || dropped, "only what is held leaves: {range:?}");
    }

    fn forget_dropped(&mut self) {
        let dropped = &self.dropped;
        self.held.retain(|item| {
            let same = |(home, range): &(NodeId, TaskRange)| {
                home.index() == home_of(item.fence)
                    && (range.job, range.spec) == (item.range.job, item.range.spec)
                    && item.range.first < range.end()
                    && range.first < item.range.end()
            };
            !dropped.iter().any(same)
        });
    }

    pub(super) fn at_rest(&self) {
        assert_eq!(self.free, self.info.resources, "I4: all room is free at rest");
        assert!(self.held.is_empty(), "nothing is held at rest: {:?}", self.held[0].range);
    }
}
