//! What runs where by this home's book, kept while tasks stand in line for room: how much of each
//! node is taken, until when as far as can be expected, and how much each owner has.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_ledger::array::Holder;
use bary_ledger::job::Job;
use bary_ledger::ledger::Ledger;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, TaskRange};
use bary_model::resources::Resources;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::order::fair_share::Turns;
use bary_policy::queue::Discipline;

use crate::home::Home;
use crate::timers::TimerKey;

/// The book. It is empty, and nothing is written to it, while whatever fits goes.
#[derive(Debug, Default)]
pub(super) struct Line {
    on: bool,
    /// Whether owners count.
    owned: bool,
    /// When the first of the tasks that wait for their node waits no longer, as last seen.
    pub(super) next_turn: Option<Wall>,
    /// The timer of that.
    pub(super) turn: Option<TimerKey>,
    /// When stragglers are looked for again.
    pub(super) look: Option<TimerKey>,
    /// When each node last ended something.
    ends: BTreeMap<NodeId, Moment>,
    held: BTreeMap<(Epoch, GrantNo), Held>,
    used: BTreeMap<NodeId, Resources>,
    /// The owners that have come up, by name; the number of nobody is 0.
    owners: BTreeMap<Box<str>, u32>,
    /// What each owner has, by number.
    shares: Vec<Resources>,
}

/// Tasks under one grant.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) node: NodeId,
    pub(super) job: JobNo,
    pub(super) spec: Arc<TaskSpec>,
    owner: u32,
    pub(super) tasks: u32,
    since: Moment,
}

impl Line {
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// Notes the owner of a job, where owners count; gives the number of one that has not come up
    /// before.
    pub(super) fn meet(&mut self, job: Option<&Job>) -> Option<u32> {
        let owner = &job.filter(|_| self.owned)?.about.owner;
        if owner.is_empty() || self.owners.contains_key(owner) {
            return None;
        }
        let number = self.owners.len() as u32 + 1;
        self.owners.insert(owner.clone(), number);
        Some(number)
    }

    /// The number of a job's owner; 0 for nobody, and for all where owners do not count.
    pub(super) fn owner_of(&self, job: &Job) -> u32 {
        self.owners.get(&job.about.owner).copied().unwrap_or(0)
    }

    /// The names of all owners, by their numbers.
    pub(super) fn owners(&self) -> Vec<&str> {
        let mut names = vec![""; self.owners.len() + 1];
        for (name, &number) in &self.owners {
            names[number as usize] = name;
        }
        names
    }

    /// What an owner has.
    pub(super) fn share_of(&self, owner: u32) -> Resources {
        self.shares.get(owner as usize).cloned().unwrap_or_default()
    }

    /// What a node that has `all` has left.
    pub(super) fn free_of(&self, node: NodeId, all: &Resources) -> Resources {
        self.used.get(&node).map_or_else(|| all.clone(), |used| less(all, used))
    }

    /// Everything that runs, by grant.
    pub(super) fn held(&self) -> impl Iterator<Item = (&(Epoch, GrantNo), &Held)> {
        self.held.iter()
    }

    pub(super) fn runs_something(&self) -> bool {
        !self.held.is_empty()
    }

    /// Since when tasks have run at the latest: what waited at a node began when another ended.
    pub(super) fn begun(&self, held: &Held) -> Moment {
        self.ends.get(&held.node).map_or(held.since, |end| held.since.max(*end))
    }

    /// Notes that a node has ended something.
    pub(super) fn noted(&mut self, node: NodeId, now: Moment) {
        if self.on {
            self.ends.insert(node, now);
        }
    }

    /// Books that tasks were granted.
    fn granted(
        &mut self,
        holder: Holder,
        (job, spec): (JobNo, &Arc<TaskSpec>),
        owner: u32,
        tasks: u32,
        now: Moment,
    ) {
        let need = many(&spec.body.request.resources, tasks);
        give(self.used.entry(holder.node).or_default(), &need);
        let owners = self.shares.len().max(owner as usize + 1);
        self.shares.resize_with(owners, Resources::default);
        give(&mut self.shares[owner as usize], &need);
        let (node, spec) = (holder.node, Arc::clone(spec));
        let new = Held { node, job, spec, owner, tasks: 0, since: now };
        self.held.entry((holder.epoch, holder.grant)).or_insert(new).tasks += tasks;
    }

    /// Books that tasks are held no longer.
    pub(super) fn ended(&mut self, holder: Holder, tasks: u32) {
        let place = (holder.epoch, holder.grant);
        let Some(held) = self.held.get_mut(&place) else { return };
        held.tasks = held.tasks.saturating_sub(tasks);
        let need = many(&held.spec.body.request.resources, tasks);
        if let Some(used) = self.used.get_mut(&held.node) {
            *used = less(used, &need);
        }
        let share = &mut self.shares[held.owner as usize];
        *share = less(share, &need);
        if held.tasks == 0 {
            self.held.remove(&place);
        }
    }
}

impl Line {
    /// Checks that the book is what the ledger says is held.
    pub(super) fn check(&self, ledger: &Ledger, has_ended: impl Fn(TaskRange) -> bool) {
        if !self.is_on() {
            return;
        }
        let mut held: BTreeMap<(Epoch, GrantNo), u32> = BTreeMap::new();
        ledger.held(|holder, range| {
            if !has_ended(range) {
                *held.entry((holder.epoch, holder.grant)).or_default() += range.count;
            }
        });
        let booked = self.held.iter().map(|(place, held)| (*place, held.tasks));
        assert!(held.into_iter().eq(booked), "what runs by the book is what the ledger says");
    }
}

impl Home {
    /// Begins to keep the book, or ends to, as the policy has it.
    pub(super) fn line_up(&mut self, now: Moment) {
        let queue = &self.policy.queue;
        let on = queue.is_line() || queue.speculate.is_some();
        let turns = self.policy.order.takes_turns();
        let owned = queue.discipline == Discipline::Fair || turns;
        let (turn, look) = (self.line.turn.take(), self.line.look.take());
        self.line = Line { on, owned, turn, look, ..Line::default() };
        self.ready.turns = turns.then(Turns::default);
        if !self.line.is_on() {
            return;
        }
        let mut held = Vec::new();
        self.ledger.held(|holder, range| held.push((holder, range)));
        for (holder, range) in held {
            if !self.gangs.is_done(range) {
                self.meet_owner(range.job);
                self.book(holder, range, now);
            }
        }
    }

    /// Books that tasks were granted, where a book is kept.
    pub(super) fn book(&mut self, holder: Holder, range: TaskRange, now: Moment) {
        if !self.line.is_on() {
            return;
        }
        if let Some(job) = self.ledger.job(range.job)
            && let Some(spec) = job.spec(range.spec)
        {
            let owner = self.line.owner_of(job);
            self.line.granted(holder, (range.job, spec), owner, range.count, now);
        }
    }

    /// When what runs on each node will give its room back, as far as can be expected.
    pub(super) fn ends(&mut self) -> BTreeMap<NodeId, Vec<(Moment, Resources)>> {
        let mut ends: BTreeMap<NodeId, Vec<(Moment, Resources)>> = BTreeMap::new();
        let scale = self.totals().scale;
        for held in self.line.held.values() {
            let expected = self.expected(&held.spec, held.node, scale);
            let room = many(&held.spec.body.request.resources, held.tasks);
            ends.entry(held.node).or_default().push((held.since + expected, room));
        }
        ends
    }

    /// How long a task is expected to take on a node: its estimate, over the node's speed, where
    /// it has one. Otherwise its weight at the pace that the node has shown, or at that of all
    /// nodes for its speed; a unit a second until any has shown one.
    pub(super) fn expected(&self, spec: &TaskSpec, node: NodeId, scale: Option<f64>) -> Span {
        let Some(account) = self.accounts.get(&node) else { return Span::ZERO };
        if spec.estimate > Span::ZERO {
            return Span::from_secs_f64(spec.estimate.as_secs_f64() / account.peer.info.speed);
        }
        if let Some(learnt) = self.predicted(spec) {
            return Span::from_secs_f64(learnt.as_secs_f64() / account.peer.info.speed);
        }
        let pace = account.pace(scale);
        Span::from_secs_f64(spec.weight.thousandths() as f64 / pace)
    }
}

/// An amount for so many tasks.
pub(super) fn many(need: &Resources, tasks: u32) -> Resources {
    let tasks = u64::from(tasks);
    let named = need.named.iter().map(|(name, n)| (name.clone(), n.saturating_mul(tasks)));
    Resources {
        milli_cpus: need.milli_cpus.saturating_mul(tasks),
        memory: need.memory.saturating_mul(tasks),
        milli_gpus: need.milli_gpus.saturating_mul(tasks),
        named: named.collect(),
    }
}

/// Adds to an amount, things that were not in it too.
pub(super) fn give(sum: &mut Resources, more: &Resources) {
    for name in more.named.keys() {
        if !sum.named.contains_key(name) {
            sum.named.insert(name.clone(), 0);
        }
    }
    sum.give(more);
}

/// What is left of an amount; nothing of what it has less of.
pub(super) fn less(from: &Resources, taken: &Resources) -> Resources {
    let named = from.named.iter().map(|(name, n)| {
        let taken = taken.named.get(name).copied().unwrap_or(0);
        (name.clone(), n.saturating_sub(taken))
    });
    Resources {
        milli_cpus: from.milli_cpus.saturating_sub(taken.milli_cpus),
        memory: from.memory.saturating_sub(taken.memory),
        milli_gpus: from.milli_gpus.saturating_sub(taken.milli_gpus),
        named: named.collect(),
    }
}
