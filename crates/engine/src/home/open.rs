//! Open binding: one grant that several nodes may run, of which the first outcome counts. Nodes
//! that wait while nothing is ready get copies of what others hold, the oldest first. Which nodes
//! have copies is kept in mind only; after a restart they say so, and what nobody has is granted
//! anew.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::array::Holder;
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, TaskRange};
use bary_model::message::{Grant, GrantItem, Retract, Say};

use crate::home::Home;
use crate::home::session::beyond;
use crate::outbox::Outbox;
use crate::timers::Timers;

/// Who has copies of which grants.
#[derive(Debug, Default)]
pub(super) struct OpenGrants {
    grants: BTreeMap<(Epoch, GrantNo), Copies>,
}

#[derive(Debug, Default)]
struct Copies {
    nodes: BTreeSet<NodeId>,
    /// Tasks of the grant that are still open.
    tasks: u64,
}

impl OpenGrants {
    pub(super) fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// How many grants several nodes may run.
    pub(super) fn len(&self) -> usize {
        self.grants.len()
    }

    /// Whether several nodes may run what is under a grant.
    pub(super) fn contains(&self, epoch: Epoch, grant: GrantNo) -> bool {
        self.grants.contains_key(&(epoch, grant))
    }

    /// Tasks were granted openly.
    pub(super) fn granted(&mut self, epoch: Epoch, grant: GrantNo, tasks: u32) {
        self.grants.entry((epoch, grant)).or_default().tasks += u64::from(tasks);
    }

    /// A node has a copy.
    pub(super) fn claim(&mut self, fence: Fence, node: NodeId) {
        if let Some(copies) = self.grants.get_mut(&(fence.epoch, fence.grant)) {
            copies.nodes.insert(node);
        }
    }

    /// Whether tasks of a grant are open and no node has said that it has them.
    pub(super) fn is_unclaimed(&self, epoch: Epoch, grant: GrantNo) -> bool {
        self.grants.get(&(epoch, grant)).is_some_and(|copies| copies.nodes.is_empty())
    }

    /// A node that had claimed a grant has it no longer; tells whether nobody has it now.
    pub(super) fn give_way(&mut self, fence: Fence, node: NodeId) -> bool {
        let copies = self.grants.get_mut(&(fence.epoch, fence.grant));
        copies.is_some_and(|copies| copies.nodes.remove(&node) && copies.nodes.is_empty())
    }

    /// The nodes that have a copy.
    pub(super) fn nodes(&self, epoch: Epoch, grant: GrantNo) -> Vec<NodeId> {
        let copies = self.grants.get(&(epoch, grant));
        copies.into_iter().flat_map(|copies| &copies.nodes).copied().collect()
    }

    /// Whether a node has a copy of anything.
    pub(super) fn has(&self, node: NodeId) -> bool {
        self.grants.values().any(|copies| copies.nodes.contains(&node))
    }

    /// Tasks of a grant are open no longer.
    pub(super) fn closed(&mut self, epoch: Epoch, grant: GrantNo, tasks: u32) {
        if let Some(copies) = self.grants.get_mut(&(epoch, grant)) {
            copies.tasks = copies.tasks.saturating_sub(u64::from(tasks));
            if copies.tasks == 0 {
                self.grants.remove(&(epoch, grant));
            }
        }
    }

    fn may_copy(&self, holder: Holder, node: NodeId, most: usize) -> bool {
        self.grants.get(&(holder.epoch, holder.grant)).is_some_and(|copies| {
            let nodes = &copies.nodes;
            !nodes.is_empty() && nodes.len() < most && !nodes.contains(&node)
        })
    }
}

impl Home {
    /// Some tasks of an open grant have ended, or are to run under another: the copies that other
    /// nodes have stop.
    pub(super) fn stop_copies(
        &mut self,
        fence: Fence,
        range: TaskRange,
        ended_at: NodeId,
        out: &mut Outbox,
    ) {
        for node in self.open.nodes(fence.epoch, fence.grant) {
            if node != ended_at {
                let stale = Retract::Stale(vec![(fence, range)]);
                self.log.say_after_held(node, Say::Retract(stale), out);
            }
        }
        self.open.closed(fence.epoch, fence.grant, range.count);
    }

    /// Whether tasks are held openly.
    pub(super) fn is_open_grant(&self, range: TaskRange) -> bool {
        self.ledger.holder(range).is_some_and(|holder| holder.node == NodeId::ANY)
    }

    /// Gives a node that waits a copy of what others hold, if there is something it can run.
    pub(super) fn copy_to(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let Some(account) = self.accounts.get(&node) else { return };
        if account.parked.is_none() {
            return;
        }
        let info = account.peer.info.clone();
        let mut best: Option<(Holder, TaskRange)> = None;
        self.ledger.held(|holder, range| {
            if holder.node != NodeId::ANY
                || best.is_some_and(|(known, _)| known.grant <= holder.grant)
            {
                return;
            }
            let free = self.open.may_copy(holder, node, self.limits.open_copies_max)
                && !self.begins_nothing(range.job);
            let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
            if free && spec.is_some_and(|spec| info.can_run(&spec.body.request)) {
                best = Some((holder, range));
            }
        });
        let Some((holder, _)) = best else { return };
        let fence = Fence { shard: self.log.shard, epoch: holder.epoch, grant: holder.grant };
        // A copy is of all that is left of a grant: who has one has every part of it.
        let parts = self.open_where(|one| (one.epoch, one.grant) == (fence.epoch, fence.grant));
        let items: Vec<GrantItem> = parts
            .into_iter()
            .filter_map(|(_, range)| self.grant_item(&self.entry(range)?, range, fence))
            .collect();
        if items.is_empty() {
            return;
        }
        self.open.claim(fence, node);
        let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
        let settled = self.accounts.get(&node).map_or(0, |account| account.session.settled);
        let ready = self.ready.weight();
        if let Some(account) = self.accounts.get_mut(&node) {
            account.told = ready > 0 && self.exchange.is_alone();
        }
        self.watch_lease(node, out, timers);
        let say = Say::Grant(Grant { items, answers, ready, settled });
        self.log.say_when_durable(node, say, out);
    }

    /// Copies that a node should have and has not are with it no longer; what nobody has is lost.
    pub(super) fn lost_copies(
        &mut self,
        node: NodeId,
        listed: &BTreeMap<(Epoch, GrantNo), Vec<TaskRange>>,
    ) -> Vec<(Holder, TaskRange)> {
        let mut lost = BTreeSet::new();
        for (grant, copies) in &mut self.open.grants {
            let gone = !listed.contains_key(grant) && copies.nodes.remove(&node);
            if gone && copies.nodes.is_empty() {
                lost.insert(*grant);
            }
        }
        self.open_where(|holder| lost.contains(&(holder.epoch, holder.grant)))
    }

    /// A node lists what it has of open grants. It has a copy where that is all that is left of
    /// one; of a part it has one only where nobody else has the rest, which then is lost.
    pub(super) fn claim_listed(
        &mut self,
        node: NodeId,
        listed: &BTreeMap<(Epoch, GrantNo), Vec<TaskRange>>,
    ) -> Vec<(Holder, TaskRange)> {
        let mut lost = Vec::new();
        for (&(epoch, grant), ranges) in listed {
            let parts = self.open_where(|holder| (holder.epoch, holder.grant) == (epoch, grant));
            let beyond = |(holder, range): (Holder, TaskRange)| {
                beyond(range, ranges).into_iter().map(move |part| (holder, part))
            };
            let rest: Vec<(Holder, TaskRange)> = parts.into_iter().flat_map(beyond).collect();
            let alone = self.open.nodes(epoch, grant).iter().all(|other| *other == node);
            if rest.is_empty() || alone {
                self.open.claim(Fence { shard: self.log.shard, epoch, grant }, node);
                lost.extend(rest);
            }
        }
        lost
    }

    /// Open tasks of which no node has said that it has a copy.
    pub(super) fn unclaimed(&self) -> Vec<(Holder, TaskRange)> {
        self.open_where(|holder| self.open.nodes(holder.epoch, holder.grant).is_empty())
    }

    pub(super) fn open_where(&self, wanted: impl Fn(Holder) -> bool) -> Vec<(Holder, TaskRange)> {
        let mut found = Vec::new();
        self.ledger.held(|holder, range| {
            if holder.node == NodeId::ANY && wanted(holder) {
                found.push((holder, range));
            }
        });
        found
    }
}
