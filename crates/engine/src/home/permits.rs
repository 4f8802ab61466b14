//! Limits over the whole cluster, from a home's side: it grants under a limit only as many tasks as
//! the limit's keeper permits, and tells the keeper when that changes.

use std::collections::BTreeMap;

use bary_model::id::{NodeId, TaskRange};
use bary_model::message::{Need, Say};
use bary_model::mix::{fnv1a, rendezvous};

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, TimerKey, Timers};

/// What a home uses of each limit, and what it may.
#[derive(Debug, Default)]
pub(super) struct Permits {
    purses: BTreeMap<Box<str>, Purse>,
    again: Option<TimerKey>,
}

#[derive(Debug, Default)]
struct Purse {
    most: u32,
    /// Tasks that are granted.
    uses: u32,
    /// Tasks that may be, these included.
    may: u32,
    heard: u64,
    /// The keeper, and what it was told last.
    told: Option<(NodeId, u32, u32)>,
}

impl Home {
    /// Books that tasks are granted under their limit.
    pub(super) fn use_permits(&mut self, range: TaskRange) {
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(permit) = spec.and_then(|spec| spec.body.permit.as_ref()) {
            let purse = self.permits.purses.entry(permit.name.clone()).or_default();
            // Where specs name one limit differently, the least counts.
            purse.most = if purse.most == 0 { permit.most } else { purse.most.min(permit.most) };
            purse.uses += range.count;
            purse.may = purse.may.max(purse.uses);
        }
    }

    /// Books that tasks are granted no longer; their permits go back.
    pub(super) fn free_permits(&mut self, range: TaskRange) {
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(permit) = spec.and_then(|spec| spec.body.permit.as_ref())
            && let Some(purse) = self.permits.purses.get_mut(&permit.name)
        {
            purse.uses = purse.uses.saturating_sub(range.count);
            purse.may = purse.may.saturating_sub(range.count);
        }
    }

    /// Tells keepers what this home uses and wants of their limits, where that has changed.
    pub(super) fn tell_keepers(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let wanted = self.ready.permits();
        if wanted.is_empty() && self.permits.purses.is_empty() {
            return;
        }
        for (name, most, _) in &wanted {
            let purse = self.permits.purses.entry(name.clone()).or_default();
            purse.most = if purse.most == 0 { *most } else { purse.most.min(*most) };
        }
        let mut gone = Vec::new();
        for (name, purse) in &mut self.permits.purses {
            let waits = wanted.iter().find(|(other, ..)| other == name).map_or(0, |one| one.2);
            let wants = u64::from(purse.uses) + waits;
            let wants = u32::try_from(wants).unwrap_or(u32::MAX).min(purse.most);
            let keeper = keeper_of(name, self.accounts.keys().copied()).unwrap_or(out.me);
            if purse.told.is_some_and(|(former, ..)| former != keeper) {
                (purse.may, purse.heard) = (purse.uses, 0);
            }
            // What is neither used nor waited for goes back.
            purse.may = purse.may.min(wants).max(purse.uses);
            self.ready.permit(name, purse.may - purse.uses);
            let state = (keeper, purse.may, wants);
            if purse.told != Some(state) {
                let (most, uses, heard) = (purse.most, purse.may, purse.heard);
                purse.told = Some(state);
                let need = Need { name: name.clone(), most, uses, wants, heard };
                self.log.say(keeper, Say::Need(need), out);
            }
            if (purse.uses, wants) == (0, 0) {
                gone.push(name.clone());
            }
        }
        for name in gone {
            self.permits.purses.remove(&name);
        }
        if self.permits.again.is_none() && !self.permits.purses.is_empty() {
            let at = out.now + bary_model::time::Span(self.limits.lease.0 / 4);
            self.permits.again = Some(timers.set(at, Timer::Permits(self.log.shard)));
        }
    }

    /// A keeper says how many tasks may run under its limit.
    pub(crate) fn on_permitted(
        &mut self,
        name: &str,
        (tasks, number): (u32, u64),
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if let Some(purse) = self.permits.purses.get_mut(name) {
            (purse.may, purse.heard) = (tasks.max(purse.uses), number);
            self.ready.permit(name, purse.may - purse.uses);
            purse.told = None;
            self.serve(out, timers);
        }
    }

    /// The link to a keeper began anew: what it said last may be lost, and it counts from zero.
    pub(super) fn forget_keeper(&mut self, node: NodeId) {
        for purse in self.permits.purses.values_mut() {
            if purse.told.is_some_and(|(keeper, ..)| keeper == node) {
                (purse.told, purse.heard) = (None, 0);
            }
        }
    }

    /// A node keeps a limit that it knows nothing of: it is told what this home uses.
    pub(crate) fn on_keeps(&mut self, name: &str, out: &mut Outbox, timers: &mut Timers) {
        if let Some(purse) = self.permits.purses.get_mut(name) {
            purse.told = None;
            self.tell_keepers(out, timers);
        }
    }

    pub(super) fn on_permits_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.permits.again = None;
        for purse in self.permits.purses.values_mut() {
            purse.told = None;
        }
        self.tell_keepers(out, timers);
    }
}

/// The node that keeps a limit: the one with the highest score for its name.
fn keeper_of(name: &str, nodes: impl Iterator<Item = NodeId>) -> Option<NodeId> {
    let key = fnv1a(name);
    nodes.max_by_key(|node| (rendezvous(key, *node), node.0))
}
