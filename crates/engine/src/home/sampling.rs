//! Sampling with late binding (Ousterhout et al., "Sparrow", SOSP 2013): for each ready task a few
//! nodes drawn by lot are asked to keep room. One that has room in its turn asks, and is given a
//! task or told that there is none left. What is kept is a hint: where nodes are lost, more are
//! drawn, and what waits for long is told to all.

use std::collections::BTreeMap;

use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_model::message::Say;
use bary_model::task::Request;
use bary_policy::dice::Dice;
use bary_policy::preset::Binding;
use bary_policy::sample;

use crate::home::Home;
use crate::home::account::Parked;
use crate::home::grant::Terms;
use crate::home::ready::Portion;
use crate::outbox::Outbox;
use crate::timers::Timers;

/// Who was asked to keep room.
#[derive(Debug)]
pub(super) struct Sampling {
    /// For how many tasks each node keeps room.
    kept: BTreeMap<NodeId, u64>,
    dice: Dice,
}

impl Sampling {
    pub(super) fn new(seed: u64) -> Self {
        Self { kept: BTreeMap::new(), dice: Dice::new(seed, "sample") }
    }

    /// A node keeps room no longer, or it is not known whether it does.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.kept.remove(&node);
    }

    fn use_up(&mut self, node: NodeId, tasks: u64) {
        if let Some(kept) = self.kept.get_mut(&node) {
            *kept = kept.saturating_sub(tasks);
            if *kept == 0 {
                self.kept.remove(&node);
            }
        }
    }

    /// So many nodes of a list, each as often as it is drawn, and none much more often.
    fn drawn(&mut self, able: &[NodeId], tasks: u64) -> BTreeMap<NodeId, u64> {
        let all = able.len() as u64;
        let (each, rest) = (tasks / all, (tasks % all) as usize);
        let mut drawn = BTreeMap::new();
        if each > 0 {
            drawn.extend(able.iter().map(|node| (*node, each)));
        }
        if rest > 0 {
            for place in sample::drawn(able.len(), rest, &mut self.dice) {
                *drawn.entry(able[place]).or_default() += 1;
            }
        }
        drawn
    }
}

impl Home {
    /// Whether nodes hear of ready tasks only where it is their turn.
    pub(super) fn keeps_to_few(&self) -> bool {
        match self.policy.binding {
            // Gangs are placed by asks.
            _ if self.gangs.open.1 > 0 => false,
            Binding::Sample => true,
            Binding::Claims => !self.offers.lapsed,
            Binding::Pull | Binding::Push | Binding::Open => false,
        }
    }

    /// Gives tasks to nodes that have room, and seeks others for the rest.
    pub(super) fn sample(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let asking: Vec<NodeId> = self.parked.iter().copied().collect();
        for node in asking {
            if self.ready.is_empty() {
                return;
            }
            if self.sampling.kept.contains_key(&node) && !self.is_kept(node) {
                self.redeem(node, out, timers);
            }
        }
        self.probe(out);
    }

    /// A node has room that it was asked to keep.
    fn redeem(&mut self, node: NodeId, out: &mut Outbox, timers: &mut Timers) {
        let kept = self.sampling.kept.get(&node).copied().unwrap_or(0);
        let Some(account) = self.accounts.get(&node) else { return };
        let Some(Parked { ask, asked, .. }) = account.parked.clone() else { return };
        let info = account.peer.info.clone();
        let free = (ask.held > 0).then_some(ask.free);
        // One that is empty starts as many as it has slots.
        let most = if free.is_some() { 1 } else { u64::from(info.slots).max(1) };
        let most = most.min(kept).min(self.limits.grant_items_max as u64);
        let (_, ready_tasks) = self.ready.for_node(&info);
        let mut taken = Vec::new();
        for _ in 0..most {
            taken.extend(self.ready.take(&info, free.as_ref(), Portion::ONE));
        }
        if !taken.is_empty() {
            self.sampling.use_up(node, taken.len() as u64);
            self.unpark(node);
            let terms = Terms::new(asked, Cause::Asked, ready_tasks);
            self.grant(node, taken, terms, out, timers);
        } else if free.is_none() {
            self.sampling.forget(node);
            self.log.say(node, Say::Release, out);
        }
    }

    /// Asks as many more nodes to keep room as are wanted for what is ready.
    fn probe(&mut self, out: &mut Outbox) {
        let wanted = self.ready.wanted();
        let mut left = self.sampling.kept.clone();
        let mut sum: u64 = left.values().sum();
        let mut more: BTreeMap<NodeId, u64> = BTreeMap::new();
        for (request, tasks) in wanted {
            let able = self.able(&request);
            if able.is_empty() {
                continue;
            }
            let mut missing = tasks.saturating_mul(self.policy.protocol.probes);
            for node in &able {
                let Some(kept) = left.get_mut(node) else { continue };
                let used = missing.min(*kept);
                (*kept, missing) = (*kept - used, missing - used);
            }
            // Never so many that each of them would keep room for what others have long run.
            let missing = missing.min(self.limits.kept_room_max.saturating_sub(sum));
            sum += missing;
            for (node, tasks) in self.sampling.drawn(&able, missing) {
                *more.entry(node).or_default() += tasks;
            }
        }
        for (node, tasks) in more {
            self.reserve(node, tasks, out);
        }
    }

    pub(super) fn able(&self, request: &Request) -> Vec<NodeId> {
        let able = self.accounts.iter().filter(|(_, one)| one.peer.info.can_run(request));
        let able = able.map(|(node, _)| *node);
        able.filter(|node| !self.is_barred(*node) && !self.departed.contains(node)).collect()
    }

    fn reserve(&mut self, node: NodeId, tasks: u64, out: &mut Outbox) {
        *self.sampling.kept.entry(node).or_default() += tasks;
        self.counts.probes += tasks;
        let tasks = u32::try_from(tasks).unwrap_or(u32::MAX);
        self.log.say(node, Say::Reserve { tasks }, out);
    }

    /// Tells all who keep room that nothing is left: as soon as that is so, and not only when they
    /// ask.
    pub(super) fn release_all(&mut self, out: &mut Outbox) {
        for node in std::mem::take(&mut self.sampling.kept).into_keys() {
            self.log.say(node, Say::Release, out);
        }
    }

    /// What waits has waited for long, and who keeps room may have lost it: all are asked.
    pub(super) fn reserve_everywhere(&mut self, nodes: Vec<NodeId>, out: &mut Outbox) {
        for node in nodes {
            let info = self.accounts[&node].peer.info.clone();
            if !self.is_drained(node) && self.ready.for_node(&info).1 > 0 {
                self.reserve(node, 1, out);
            }
        }
    }
}
