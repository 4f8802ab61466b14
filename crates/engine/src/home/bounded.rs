//! Stealing counted in tasks, between queues that are bounded: how often a task has moved is kept
//! in mind only, what was taken back goes straight to the thief, and a node whose queue fills up
//! gives some away before anybody asks.

use std::collections::BTreeMap;

use bary_ledger::job::Job;
use bary_model::event::Cause;
use bary_model::id::{NodeId, TaskId, TaskRange};
use bary_model::message::{Retract, Say};
use bary_model::node::NodeInfo;
use bary_model::task::Request;
use bary_policy::steal::Bounds;

use crate::home::Home;
use crate::home::account::Account;
use crate::home::grant::Terms;
use crate::home::ready::Entry;
use crate::outbox::Outbox;
use crate::timers::Timers;

/// How often each task was stolen.
#[derive(Debug, Default)]
pub(super) struct Moves {
    of: BTreeMap<TaskId, u32>,
}

impl Moves {
    /// Some tasks were stolen once more. Past the limit nothing new is kept in mind, so that those
    /// tasks may move more often.
    fn add(&mut self, range: TaskRange, most: usize) {
        for task in range.tasks() {
            if self.of.len() < most || self.of.contains_key(&task) {
                *self.of.entry(task).or_default() += 1;
            }
        }
    }

    /// Some tasks have ended.
    pub(super) fn forget(&mut self, range: TaskRange) {
        if self.of.is_empty() {
            return;
        }
        let end = TaskId { index: range.end(), ..range.head() };
        let gone: Vec<TaskId> = self.of.range(range.head()..end).map(|(task, _)| *task).collect();
        for task in gone {
            self.of.remove(&task);
        }
    }
}

impl Home {
    /// What a victim is asked for: so many tasks, but for what has moved often enough.
    pub(super) fn few(&mut self, bounds: Bounds, victim: NodeId, thief: NodeId) -> Retract {
        let ledger = &self.ledger;
        self.moves.of.retain(|task, _| {
            let waits = |job: &Job| job.is_open(task.spec, task.index);
            ledger.holder(TaskRange::one(*task)).is_some()
                || ledger.job(task.job).is_some_and(waits)
        });
        let tired = self.moves.of.iter().filter(|(_, times)| **times >= bounds.times_max);
        let tired = tired.map(|(task, _)| TaskRange::one(*task));
        let there = |range: &TaskRange| ledger.holder(*range).is_some_and(|h| h.node == victim);
        let spared = tired.filter(there).collect();
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let (tasks, least) = (number(bounds.tasks_max), number(bounds.queued_min));
        Retract::Few { tasks, least, thief, spared }
    }

    /// The limits of queues and steals, where they are counted.
    pub(super) fn bounds(&self) -> Option<Bounds> {
        let bounds = self.policy.steal.bounds();
        (bounds != Bounds::default()).then_some(bounds)
    }

    /// Hands tasks that were stolen to the thief, as far as it may have them; the rest is given
    /// back.
    pub(super) fn hand_over(
        &mut self,
        thief: NodeId,
        ranges: Vec<TaskRange>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Vec<TaskRange> {
        let (mut taken, mut left): (Vec<Entry>, Vec<TaskRange>) = (Vec::new(), Vec::new());
        let mut more = 0;
        let mut items = self.limits.grant_items_max as u64;
        for range in ranges {
            self.moves.add(range, self.limits.moves_kept_max);
            let (tasks, entry) = (u64::from(range.count), self.entry(range));
            match entry.filter(|entry| self.may_have(thief, more + tasks, entry)) {
                Some(entry) if u64::from(entry.items()) <= items => {
                    more += tasks;
                    items -= u64::from(entry.items());
                    taken.push(entry);
                }
                _ => left.push(range),
            }
        }
        if !taken.is_empty() {
            let answers = self.unpark(thief).map_or_else(Vec::new, |parked| parked.asked);
            let ready_tasks = taken.iter().map(|entry| u64::from(entry.range.count)).sum();
            let terms = Terms::new(answers, Cause::Stolen, ready_tasks);
            self.grant(thief, taken, terms, out, timers);
        }
        left
    }

    /// How many tasks of this request a node may hold at a time: what its queue takes, and what it
    /// runs beside it.
    pub(super) fn held_max(&self, info: &NodeInfo, request: &Request) -> u64 {
        let most = self.limits.push_queue_tasks_max;
        let Some(bounds) = self.bounds() else { return most };
        let at_once = info.resources.times(&request.resources).min(u64::from(info.slots));
        most.min(bounds.queue_max.saturating_add(at_once))
    }

    /// Whether a node may have so many tasks more, such as these.
    fn may_have(&self, node: NodeId, more: u64, entry: &Entry) -> bool {
        let request = &entry.spec.body.request;
        let able = |account: &Account| {
            let fits = account.tasks() + more <= self.held_max(&account.peer.info, request);
            fits && account.peer.info.can_run(request)
        };
        // Permits are counted where ready tasks are.
        self.has_session(node)
            && !self.is_barred(node)
            && entry.spec.gang == 0
            && !self.begins_nothing(entry.range.job)
            && entry.spec.body.permit.is_none()
            && self.accounts.get(&node).is_some_and(able)
    }

    /// Nodes whose queues have filled up give tasks to the one that holds fewest.
    pub(super) fn shed(&mut self, out: &mut Outbox) {
        let Some(bounds) = self.bounds() else { return };
        let crowded = self.met().filter(|(_, account)| {
            let queued = account.as_victim().queued;
            account.is_open_to_thieves() && bounds.is_crowded(queued) && queued >= bounds.queued_min
        });
        let crowded: Vec<NodeId> = crowded.map(|(node, _)| *node).collect();
        for victim in crowded {
            let held = self.accounts[&victim].tasks();
            // Where it would not be ahead of the victim afterwards, nothing is gained.
            let other = self.met().filter(|(_, account)| account.tasks() + 2 <= held);
            let other = other.map(|(node, account)| (account.tasks(), *node));
            let open: Vec<(u64, NodeId)> = other.filter(|(_, n)| !self.is_barred(*n)).collect();
            let Some((_, thief)) = open.into_iter().min() else { continue };
            if !self.accounts.is_stealing(thief) {
                let few = self.few(bounds, victim, thief);
                self.retract_for(thief, victim, few, out);
            }
        }
    }

    /// Asks a node for some of what it has not begun, for another.
    pub(super) fn retract_for(
        &mut self,
        thief: NodeId,
        victim: NodeId,
        what: Retract,
        out: &mut Outbox,
    ) {
        if let Some(account) = self.accounts.get_mut(&victim) {
            account.thief = Some(thief);
        }
        self.counts.steals_tried += 1;
        self.log.say(victim, Say::Retract(what), out);
    }
}
