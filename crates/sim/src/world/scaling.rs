//! Nodes that join and leave at a rule's word, and tasks that are made while there is room.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_model::event::EventKind;
use bary_model::id::{JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};
use bary_policy::scale::gauge::{Counted, Gauge};

use crate::node::{Node, State};
use crate::plan::ready::{function, job, spec};
use crate::plan::scaling::AdaptivePlan;
use crate::world::World;
use crate::world::due::Due;
use crate::world::work::NOBODY;

/// What is counted for rules, and what they have asked for.
#[derive(Debug, Default)]
pub(super) struct Scaling {
    /// Tasks and weight submitted, and ended or dropped.
    came: (u64, u64),
    went: (u64, u64),
    /// The weight of a task of each spec that is not over, and how many are left.
    weights: BTreeMap<(ShardId, JobNo, SpecNo), (u64, u64)>,
    /// What is known from one look of the rule to the next.
    gauge: Gauge,
    /// Nodes that are about to join, and that are about to leave.
    coming: BTreeSet<usize>,
    leaving: BTreeSet<usize>,
    /// Since when each node has been paid for, and how long all that are not any more were.
    since: Vec<Option<Moment>>,
    paid: Span,
    /// How often nodes were added or taken away.
    pub(super) changes: u64,
    /// Tasks made.
    made: u32,
}

/// How many cores a task of a spec takes, at least one.
fn cores(spec: &TaskSpec) -> u64 {
    spec.body.request.resources.milli_cpus.div_ceil(1_000).max(1)
}

impl Scaling {
    /// Counts what a home tells.
    pub(super) fn hear(&mut self, effect: &Effect) {
        let Effect::Tell(event) = effect else { return };
        match &event.kind {
            EventKind::Submitted { job, first, specs, .. } => {
                for (number, spec) in (first.0..).zip(&**specs) {
                    self.came.0 += u64::from(spec.count);
                    // A task of several cores is as much work as so many tasks of one.
                    let weight = spec.weight.thousandths() * cores(spec);
                    self.came.1 += weight * u64::from(spec.count);
                    let one = (weight, u64::from(spec.count));
                    self.weights.insert((event.shard, *job, SpecNo(number)), one);
                }
            }
            EventKind::Ended(ended) => self.over(event.shard, ended.range),
            EventKind::Dropped { range, .. } => self.over(event.shard, *range),
            _ => {}
        }
    }

    fn over(&mut self, shard: ShardId, range: TaskRange) {
        let key = (shard, range.job, range.spec);
        let count = u64::from(range.count);
        let Some((weight, left)) = self.weights.get_mut(&key) else { return };
        self.went.0 += count;
        self.went.1 += *weight * count;
        *left = left.saturating_sub(count);
        if *left == 0 {
            self.weights.remove(&key);
        }
    }

    fn open(&self) -> u64 {
        self.came.0.saturating_sub(self.went.0)
    }

    fn pay(&mut self, node: usize, now: Moment) {
        if let Some(since) = self.since[node].take() {
            self.paid += now.since(since);
        }
    }

    /// How long all nodes were paid for, up to a moment.
    pub(super) fn paid(&self, until: Moment) -> Span {
        let going = self.since.iter().flatten().map(|since| until.since(*since));
        going.fold(self.paid, |sum, span| sum + span)
    }
}

impl World<'_> {
    /// Begins to look, where there is a rule; nodes that are there are paid for.
    pub(super) fn begin_scaling(&mut self) {
        let there = |node: usize| self.nodes[node].lives() && self.nodes[node].info.slots > 0;
        let since = (0..self.nodes.len()).map(|node| there(node).then_some(Moment(0)));
        self.scaling.since = since.collect();
        if let Some(scale) = &self.plan.crew.scale {
            self.queue.put(Moment(0) + scale.every, Due::Look);
        }
        if let Some(adaptive) = &self.plan.crew.adaptive {
            self.queue.put(adaptive.from, Due::Make);
        }
    }

    /// Whether anything is still to be done, or to come.
    fn goes_on(&self) -> bool {
        let submitted = self.clients.iter().all(|client| client.stage() > 0);
        self.scaling.open() > 0 || !submitted || self.to_come > 0 || self.makes(self.now)
    }

    /// The rule looks, and is obeyed.
    pub(super) fn look(&mut self) {
        self.tally.events += 1;
        let Some(scale) = self.plan.crew.scale.clone() else { return };
        self.write_off();
        self.see_off();
        let counted = self.counted();
        let change = self.scaling.gauge.look(&*scale.rule, &scale.bounds, &counted, scale.window);
        if change.add + change.remove > 0 {
            self.trail.other(self.now, 0, "scales", u64::from(change.add + change.remove));
            self.scaling.changes += 1;
        }
        if change.add > 0 {
            self.call(change.add as usize, scale.start_up);
        }
        if change.remove > 0 {
            self.dismiss(change.remove as usize);
            self.see_off();
        }
        if self.goes_on() {
            self.queue.put(self.now + scale.every, Due::Look);
        }
    }

    fn counted(&self) -> Counted {
        let scaling = &self.scaling;
        let stays =
            |node: &usize| scaling.since[*node].is_some() && !scaling.leaving.contains(node);
        let nodes = (0..self.nodes.len()).filter(stays);
        let (mut count, mut busy, mut running, mut power) = (0, 0, 0_u64, 0.0);
        for node in nodes {
            let node = &self.nodes[node];
            count += 1;
            busy += u32::from(!node.runs.is_empty());
            running += node.runs.len() as u64;
            power += node.info.power();
        }
        for node in &scaling.leaving {
            running += self.nodes[*node].runs.len() as u64;
        }
        let power = if count > 0 { power / f64::from(count) } else { 1.0 };
        let (tasks, weight) = scaling.came;
        let unit = self.plan.unit.as_secs_f64() / 1e3 / power;
        let (now, open) = (self.now, scaling.open());
        Counted { now, nodes: count, busy, open, running, tasks, weight, unit }
    }

    /// Keeps nodes that were about to leave, and calls others.
    fn call(&mut self, mut count: usize, start_up: Span) {
        while count > 0
            && let Some(node) = self.scaling.leaving.pop_first()
        {
            self.drain_node(node, false);
            count -= 1;
        }
        let free = |node: &usize| {
            self.nodes[*node].state == State::Absent && !self.scaling.coming.contains(node)
        };
        let called: Vec<usize> = (0..self.nodes.len()).filter(free).take(count).collect();
        for node in called {
            self.scaling.coming.insert(node);
            self.scaling.since[node] = Some(self.now);
            self.queue.put(self.now + start_up, Due::Boot { node: node as u32 });
        }
    }

    /// A node that was called joins, if it is still wanted.
    pub(super) fn boot(&mut self, node: usize) {
        self.tally.events += 1;
        if self.scaling.coming.remove(&node) {
            self.join(node);
        }
    }

    /// Pays no longer for nodes that ended for good.
    fn write_off(&mut self) {
        for node in 0..self.nodes.len() {
            if self.nodes[node].state == State::Dead {
                self.scaling.leaving.remove(&node);
                self.scaling.pay(node, self.now);
            }
        }
    }

    /// Sends nodes away, but no homes: first those that have not joined yet, then those that run
    /// nothing, and of equal ones the last.
    fn dismiss(&mut self, mut count: usize) {
        while count > 0
            && let Some(node) = self.scaling.coming.pop_last()
        {
            self.scaling.pay(node, self.now);
            count -= 1;
        }
        let (scaling, plan) = (&self.scaling, self.plan);
        let stays = |node: &usize| {
            let there = scaling.since[*node].is_some() && !scaling.leaving.contains(node);
            there && !plan.nodes[*node].home
        };
        let mut nodes: Vec<usize> = (0..self.nodes.len()).filter(stays).collect();
        nodes.sort_by_key(|node| (self.nodes[*node].runs.is_empty(), *node));
        for node in nodes.into_iter().rev().take(count) {
            self.scaling.leaving.insert(node);
            self.drain_node(node, true);
        }
    }

    /// Lets those leave that were told to and have nothing left to do.
    fn see_off(&mut self) {
        let done = |node: &&usize| {
            let engine = self.nodes[**node].engine.as_ref();
            engine.is_none_or(|engine| engine.is_idle() && engine.has_reported())
        };
        let gone: Vec<usize> = self.scaling.leaving.iter().filter(done).copied().collect();
        for node in gone {
            self.scaling.leaving.remove(&node);
            self.scaling.pay(node, self.now);
            self.leave(node);
            self.drain_node(node, false);
        }
    }

    fn drain_node(&mut self, node: usize, drain: bool) {
        for at in 0..self.shards.len() {
            if let Some(home) = self.shards[at].home {
                let node = NodeId(node as u64);
                let request = Box::new(Request::Drain { node, drain });
                self.give(home, Input::Request { ticket: NOBODY, request });
            }
        }
    }

    /// Whether tasks are made at this moment or later.
    fn makes(&self, at: Moment) -> bool {
        let more = |plan: &AdaptivePlan| at <= plan.until && self.scaling.made < plan.tasks_max;
        self.plan.crew.adaptive.as_ref().is_some_and(more)
    }

    /// Makes tasks until there is no room left for one, at all homes in turn.
    pub(super) fn make(&mut self) {
        self.tally.events += 1;
        let Some(adaptive) = self.plan.crew.adaptive else { return };
        let there = |node: &&Node| node.lives() && node.info.slots > 0;
        let capacity = self.nodes.iter().filter(there).count() as u64 * adaptive.capacity;
        let mut left = adaptive.tasks_max.saturating_sub(self.scaling.made);
        let body = Arc::new(function("work"));
        // What is made now counts, though its home tells of it only when it is durable.
        let mut load = self.scaling.came.1.saturating_sub(self.scaling.went.1);
        while left > 0 {
            let Some(weight) = adaptive.rule.next(load, capacity) else { break };
            let number = self.scaling.made;
            let home = self.shards.get(number as usize % self.shards.len().max(1));
            let Some(home) = home.and_then(|shard| shard.home) else { break };
            let first_row = adaptive.first_row + u64::from(number);
            let made = TaskSpec { first_row, ..spec(1, weight.thousandths(), &body) };
            let request = Box::new(Request::Submit(job(vec![made])));
            self.give(home, Input::Request { ticket: NOBODY, request });
            load += weight.thousandths();
            self.scaling.made += 1;
            left -= 1;
        }
        if self.makes(self.now + adaptive.every) {
            self.queue.put(self.now + adaptive.every, Due::Make);
        }
    }
}
