//! Matching asks and ready tasks, and making grants of the matches.

use std::collections::BTreeSet;
use std::sync::Arc;

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::job::Job;
use bary_ledger::record::Record;
use bary_model::event::{Cause, EventKind};
use bary_model::gang::Seat;
use bary_model::id::{Fence, GrantNo, NodeId, ShardId, TaskId, TaskRange};
use bary_model::message::{Grant, GrantItem, Say, Upstream};
use bary_model::resources::Resources;
use bary_model::task::TaskSpec;
use bary_model::time::Span;
use bary_policy::preset::Binding;
use bary_policy::view::{Foresight, TaskView};

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::account::Parked;
use crate::home::reach::Seeking;
use crate::home::ready::{Entry, Floor, Portion};
use crate::home::sums::Totals;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// What a grant answers, and why it is made.
pub(super) struct Terms {
    pub(super) answers: Vec<(ShardId, u64)>,
    pub(super) cause: Cause,
    /// How many tasks were ready for the node.
    pub(super) ready_tasks: u64,
    /// Where the ranks of a gang meet, and which attempt of theirs it is.
    pub(super) seat: Option<(Seat, u16)>,
}

impl Terms {
    pub(super) fn new(answers: Vec<(ShardId, u64)>, cause: Cause, ready_tasks: u64) -> Self {
        Self { answers, cause, ready_tasks, seat: None }
    }
}

impl Home {
    /// Hands ready tasks to whoever has room, until there are none of either.
    pub(crate) fn serve(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.opening.is_some() {
            return;
        }
        self.part_gangs(out, timers);
        self.gauge(out, timers);
        self.form_gangs(true, out, timers);
        if !self.ready.is_empty() {
            match self.policy.binding {
                _ if self.policy.queue.is_line() => self.let_through(out, timers),
                Binding::Push => self.push_out(out, timers),
                Binding::Pull | Binding::Open => self.answer_asks(out, timers),
                Binding::Sample => self.sample(out, timers),
                Binding::Claims => self.announce(out, timers),
            }
            self.form_gangs(false, out, timers);
        }
        self.make_way(out);
        match (!self.is_waiting(), self.exchange.is_alone()) {
            (true, _) => {
                self.keep_quiet(timers);
                self.release_all(out);
            }
            (false, _) if self.keeps_to_few() => {}
            (false, true) => self.spread_the_word(Seeking::Anywhere, out),
            // Nodes that wait at other homes are sought there first.
            (false, false) => self.spread_later(out, timers),
        }
        self.trade(out, timers);
        self.tell_keepers(out, timers);
        self.remind_later(out, timers);
        self.watch_stragglers(out, timers);
    }

    fn spread_later(&mut self, out: &Outbox, timers: &mut Timers) {
        if self.word.is_none() {
            let at = out.now + self.limits.word_delay;
            self.word = Some(timers.set(at, Timer::Word(self.log.shard)));
        }
    }

    fn keep_quiet(&mut self, timers: &mut Timers) {
        if let Some(key) = self.word.take() {
            timers.unset(key);
        }
    }

    /// Tells nodes that neither wait here nor know it that there is work: they may wait at
    /// another home, and would never ask this one.
    pub(super) fn spread_the_word(&mut self, how: Seeking, out: &mut Outbox) {
        let (ready, _) = self.waiting();
        if ready == 0 || self.keeps_to_few() {
            return;
        }
        let reach = self.reach(how);
        // One that has work from here asks here when it runs dry.
        for node in self.accounts.untold(self.exchange.is_alone()) {
            if self.is_drained(node) {
                continue;
            }
            if let Some(account) = self.accounts.get_mut(&node)
                && reach.is_none_or(|reach| account.peer.round_trip <= reach)
            {
                account.told = true;
                // Not before a grant that said that nothing was left.
                self.log.say_when_durable(node, Say::Load { ready }, out);
            }
        }
    }

    /// Answers parked asks, the one that the force draws the next task to first.
    pub(super) fn answer_asks(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let mut passed: BTreeSet<NodeId> =
            self.gangs.kept.iter().filter(|node| self.parked.contains(node)).copied().collect();
        passed.iter().for_each(|node| self.accounts.leave_out(*node));
        while passed.len() < self.parked.len() && !self.ready.is_empty() {
            let Some(node) = self.strongest(&passed) else { break };
            self.answer(node, Cause::Asked, out, timers);
            if self.parked.contains(&node) {
                passed.insert(node);
                self.accounts.leave_out(node);
            }
        }
        for node in passed {
            self.accounts.book(&node);
        }
    }

    /// Gives an asking node its share of what is ready, if it can run any of it.
    pub(super) fn answer(
        &mut self,
        node: NodeId,
        cause: Cause,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        // The epoch of a reign that is not on record yet may be minted again, and nobody is served
        // out of turn where tasks stand in line.
        if self.opening.is_some() || self.policy.queue.is_line() || self.is_kept(node) {
            return;
        }
        let totals = self.totals();
        let Some(account) = self.accounts.get(&node) else { return };
        let Some(Parked { ask, asked, .. }) = account.parked.clone() else { return };
        let info = account.peer.info.clone();
        let power = account.power(totals.scale);
        // A node that still holds something asks for what fits beside it; an empty one waits
        // until what it is given fits.
        let free: Option<Resources> = (ask.held > 0).then_some(ask.free);
        let (weight, ready_tasks) = self.ready.for_node(&info);
        let quota = self.quota(node, weight, power, totals);
        let quota = (quota as f64 * self.ready.worth_per_weight(&info)) as u64;
        let near = self.is_within_reach(node);
        let floor = self.floor(node, free.as_ref());
        // Of what nobody knows a node gets one for each slot: soon somebody will.
        let (guesses_max, items_max) = (info.slots.max(1), self.limits.grant_items_max);
        let portion = Portion { quota, guesses_max, items_max, floor };
        let taken = self.take_for(node, cause, free.as_ref(), portion);
        if taken.is_empty() {
            return;
        }
        self.unpark(node);
        self.exchange.served.note(near);
        if let Some(account) = self.accounts.get_mut(&node) {
            account.fails = 0;
        }
        self.grant(node, taken, Terms::new(asked, cause, ready_tasks), out, timers);
    }

    /// What waits in the job of the next task for a node and would go before ready tasks. Nearby
    /// nodes ask again as soon as they have room; far ones are given as much as they can start.
    fn floor(&mut self, node: NodeId, free: Option<&Resources>) -> Option<Floor> {
        let account = self.accounts.get(&node)?;
        let near = account.peer.round_trip == Span::ZERO;
        let entry = self.ready.peek(&account.peer.info, free)?;
        let room = account.peer.info.resources.times(&entry.spec.body.request.resources);
        let room = u32::try_from(room).unwrap_or(u32::MAX).max(1);
        let no = entry.range.job;
        let job = self.ledger.job(no)?;
        let levels = self.levels.get_mut(&no)?;
        let (spec, level) = levels.looming(job)?;
        let (rank, successors) = (levels.rank(spec), levels.successors(spec));
        let known = Foresight { rank, successors, ..Foresight::default() };
        let spec = job.spec(spec)?;
        let key = self.policy.order.key(&TaskView {
            weight: self.worth(spec),
            b_level: level,
            sequence: 0,
            request: &spec.body.request,
            known,
        });
        Some(Floor { key, line: self.place_of(no), tasks: if near { 1 } else { room } })
    }

    /// Grants taken entries to a node: on record first, then on their way.
    pub(super) fn grant(
        &mut self,
        node: NodeId,
        taken: Vec<Entry>,
        terms: Terms,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let Terms { answers, cause, ready_tasks, seat } = terms;
        let considered = self.consider(&taken[0], node, cause, ready_tasks);
        let mut items = Vec::with_capacity(taken.len());
        let mut rests = false;
        let mut last = self.ledger.last_grant().0;
        for entry in taken {
            rests |= self.rests(&entry);
            self.note_rank(entry.rank);
            self.grant_items(entry, &mut last, &mut items);
        }
        if let Some((seat, attempt)) = seat {
            items.iter_mut().for_each(|item| (item.seat, item.attempt) = (Some(seat), attempt));
        }
        let recorded = items.iter().map(|item| (item.fence.grant, item.range)).collect();
        let ranges: Arc<[TaskRange]> = items.iter().map(|item| item.range).collect();
        let open = self.policy.binding == Binding::Open && seat.is_none();
        let holder = if open { NodeId::ANY } else { node };
        let record = Record::Granted { node: holder, items: recorded };
        self.commit(record, &mut Consequences::default());
        let epoch = self.log.epoch;
        let (ready, _) = self.waiting();
        let mut settled = 0;
        let holding = match self.accounts.get_mut(&node) {
            Some(account) if !open => &mut account.holding,
            _ => self.strangers.entry(holder).or_default(),
        };
        for item in &items {
            holding.add(epoch, item.fence.grant, item.range, item.weight());
        }
        for item in &items {
            let held = Holder { node: holder, epoch, grant: item.fence.grant };
            self.book(held, item.range, out.now);
            self.use_room(holder, item.range);
            if item.spec.body.permit.is_some() {
                self.use_permits(item.range);
            }
            if open {
                self.open.granted(epoch, item.fence.grant, item.range.count);
                self.open.claim(item.fence, node);
            }
        }
        if let Some(account) = self.accounts.get_mut(&node) {
            account.granted += items.iter().map(|item| u64::from(item.range.count)).sum::<u64>();
            account.bare = false;
            // A node that waits at another home meanwhile would have to be told again.
            account.told = ready > 0 && self.exchange.is_alone();
            account.session.told = account.session.settled;
            settled = account.session.settled;
        }
        self.watch_lease(node, out, timers);
        let last = GrantNo(last);
        self.log.tell(EventKind::Granted { node, ranges, last, considered }, out);
        let say = Say::Grant(Grant { items, answers, ready, settled });
        if rests {
            self.log.say_when_durable(node, say, out);
        } else {
            self.log.say(node, say, out);
        }
    }

    /// Whether a grant of this waits until the outcomes that it rests on are durable.
    pub(super) fn rests(&self, entry: &Entry) -> bool {
        let awaits = |job: &Job| job.awaits_jobs();
        !entry.spec.after.is_empty() || self.ledger.job(entry.range.job).is_some_and(awaits)
    }

    /// An entry as grant items: one, or one for each index where each reads its own upstream.
    pub(super) fn grant_items(&self, entry: Entry, last: &mut u64, items: &mut Vec<GrantItem>) {
        let parts = entry.items();
        let size = entry.range.count / parts;
        for part in 0..parts {
            *last += 1;
            let range = entry.range.with(entry.range.first + part * size, size);
            items.extend(self.grant_item(&entry, range, self.ledger.fence(GrantNo(*last))));
        }
    }

    /// Some tasks of an entry as one item under a grant.
    pub(super) fn grant_item(
        &self,
        entry: &Entry,
        range: TaskRange,
        fence: Fence,
    ) -> Option<GrantItem> {
        let job = self.ledger.job(range.job)?;
        let told = range.count == 1 && !self.flaws.has(Flaw::CheckpointForgotten);
        Some(GrantItem {
            fence,
            range,
            spec: Arc::clone(&entry.spec),
            attempt: job.tries(range.spec, range.first).failed + 1,
            upstream: upstream(job, &entry.spec, range.head()),
            urgent: job.is_awaited(range.spec),
            priority: job.priority,
            checkpoint: job.checkpoints.of(range.spec, range.first).filter(|_| told).cloned(),
            seat: None,
        })
    }

    pub(super) fn totals(&mut self) -> Totals {
        self.accounts.totals()
    }
}

/// What a task reads of others' results.
fn upstream(job: &Job, spec: &TaskSpec, task: TaskId) -> Option<Arc<[Upstream]>> {
    (!spec.body.uses.is_empty()).then(|| job.upstream(task.spec, task.index).into())
}

/// A ready entry as a policy sees it.
pub(super) fn task_view(entry: &Entry) -> TaskView<'_> {
    TaskView {
        weight: entry.spec.weight,
        b_level: u64::try_from(entry.key).unwrap_or(0),
        sequence: u64::from(entry.range.spec.0),
        request: &entry.spec.body.request,
        known: Foresight::default(),
    }
}
