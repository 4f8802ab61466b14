//! What engines want, done in their order; a crash may cut the rest off.

use std::sync::Arc;

use bary_engine::effect::{Effect, Why};
use bary_engine::input::Input;
use bary_model::id::{Lsn, RunNo, ShardId, TaskId};
use bary_model::message::{Frame, GrantItem};
use bary_model::outcome::Outcome;
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};

use crate::freight::Way;
use crate::node::State;
use crate::run::Run;
use crate::shard::Shard;
use crate::store::{Batch, Broken};
use crate::watch::Seen;
use crate::world::World;
use crate::world::due::Due;

/// How long a process whose disk is full is not begun again.
const FULL: Span = Span::millis(100);

impl World<'_> {
    /// Does the effects of a step that is just over; where the node is doomed, only the first.
    pub(super) fn perform(&mut self, node: usize) {
        let mut effects = std::mem::take(&mut self.effects);
        let doom = self.nodes[node].doom.take();
        let done = doom.map_or(usize::MAX, |doom| doom.after as usize);
        for effect in effects.iter_mut().take(done) {
            self.trail.effect(self.now, node, effect);
            if let Some(watch) = &mut self.watch {
                watch.see(self.now, node, Seen::Effect(effect));
            }
            if self.plan.crew.scale.is_some() || self.plan.crew.adaptive.is_some() {
                self.scaling.hear(effect);
            }
            if let Some(ears) = &mut self.ears {
                ears.hear(self.now, node, effect);
            }
            self.do_one(node, effect);
            if self.fallen.is_some() {
                break;
            }
        }
        effects.clear();
        self.effects = effects;
        self.fall();
        if let Some(doom) = doom {
            self.inputs.clear();
            self.crash(node, doom.power, Some(doom.down));
        }
    }

    /// Ends the process whose journal has failed, if one has: as if it had lost its power, since
    /// nobody knows what is durable.
    pub(super) fn fall(&mut self) {
        if let Some((node, down)) = self.fallen.take() {
            self.inputs.clear();
            self.crash(node, true, Some(down));
        }
    }

    /// Does an effect, and takes out of it what goes on living.
    fn do_one(&mut self, node: usize, effect: &mut Effect) {
        match effect {
            Effect::Append { shard, epoch, lsn, at, records } => {
                let records = std::mem::take(records);
                let batch = Batch { epoch: *epoch, lsn: *lsn, at: *at, records };
                self.append(node, *shard, batch);
            }
            Effect::Send { to, frame } => {
                let frame = Frame { body: frame.body.take(), ..*frame };
                self.send(node, to.index(), frame);
            }
            Effect::Start { run, slot, items, budget } => {
                self.start(node, *run, (*slot, Arc::clone(items)), *budget);
            }
            Effect::Stop { run, force, why } => self.stop(node, *run, *force, *why),
            Effect::Lay { shard, job, question } => self.lay(node, (*shard, *job), question),
            Effect::Plan { number, nodes, probes } => self.chart(node, *number, nodes, probes),
            Effect::Gauge => self.gauge(node),
            Effect::Tell(_) => {}
            Effect::Reply { ticket, reply } => self.reply(*ticket, reply),
        }
    }

    fn send(&mut self, from: usize, to: usize, mut frame: Frame) {
        self.tally.sent(&frame);
        if self.plan.wire {
            frame = through_bytes(&frame);
        }
        let [first, second] = self.network.carry(self.now, from, to);
        let Some(first) = first else {
            self.tally.events += 1;
            self.tally.lost += 1;
            self.trail.other(self.now, from, "lost", to as u64);
            return;
        };
        let (from, to) = (from as u32, to as u32);
        if let Some(second) = second {
            let frame = frame.clone();
            self.queue.put(self.now + second, Due::Frame { from, to, frame });
        }
        self.queue.put(self.now + first, Due::Frame { from, to, frame });
    }

    fn append(&mut self, node: usize, id: ShardId, batch: Batch) {
        let Some(at) = self.place_of(id) else { return };
        if self.shards[at].home != Some(node) {
            self.depose_now(node, at);
            return;
        }
        self.shards[at].append(batch);
        self.write(at);
    }

    fn place_of(&self, id: ShardId) -> Option<usize> {
        *self.shard_of.get(Shard::native_of(id)?)?
    }

    /// Writes what waits in a shard's journal and begins a sync; what takes no time is over at
    /// once.
    pub(super) fn write(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        let usual = self.plan.disk.sync;
        match shard.write() {
            Ok(true) if usual == Span::ZERO && shard.slow.is_none() => return self.sync(at),
            Ok(true) => {}
            Ok(false) => return self.tell_room(at),
            Err(why) => return self.fail(at, &why),
        }
        let shard = &mut self.shards[at];
        let takes = match shard.slow {
            Some(slow) => slow,
            None => Span(usual.0 / 2 + self.lots.disk.below(usual.0 * 3 / 2 + 1)),
        };
        let due = Due::Synced { shard: at as u32, term: shard.term };
        self.queue.put(self.now + takes, due);
    }

    pub(super) fn synced(&mut self, at: usize, term: u32) {
        self.tally.events += 1;
        let Some(home) = self.shards[at].home.filter(|_| self.shards[at].term == term) else {
            return;
        };
        self.sync(at);
        self.write(at);
        self.fall();
        if !self.inputs.is_empty() {
            self.step(home);
        }
    }

    /// Syncs what was written and tells the home what is durable now, in its next step.
    fn sync(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        let (id, home) = (shard.id, shard.home);
        match shard.sync() {
            Err(why) => self.fail(at, &why),
            Ok(durable) => {
                if let (Some(home), Some(lsn)) = (home, durable) {
                    self.snapshot(home, at, lsn);
                    self.take(home, Input::Durable { shard: id, lsn });
                }
                self.tell_room(at);
            }
        }
    }

    /// Keeps a snapshot where one is wanted and the engine knows no more than what is durable.
    fn snapshot(&mut self, home: usize, at: usize, lsn: Lsn) {
        let shard = &mut self.shards[at];
        let ledger = self.nodes[home].engine.as_ref().and_then(|engine| engine.ledger(shard.id));
        if let Some(ledger) = ledger
            && self.nodes[home].state == State::Up
            && shard.is_quiet()
            && shard.store.wants_snapshot()
        {
            self.trail.other(self.now, home, "snapshot", lsn.0);
            if let Err(why) = shard.store.snapshot(lsn, ledger) {
                self.fail(at, &why);
            }
        }
    }

    pub(super) fn tell_room(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        if let (Some(home), Some(low)) = (shard.home, shard.room()) {
            let shard = shard.id;
            self.take(home, Input::Room { shard, low });
        }
    }

    /// A shard's disk has failed: its home is doomed, within the step that goes on if one does.
    fn fail(&mut self, at: usize, why: &Broken) {
        let Some(home) = self.shards[at].home else { return };
        self.trail.told(self.now, home, "eio", self.shards[at].id, &why.0);
        // One that finds no space for its log does so again until there is some.
        let least = if self.shards[at].low { FULL } else { Span::ZERO };
        self.fallen = Some((home, self.shards[at].down.max(least)));
    }

    pub(super) fn start(
        &mut self,
        node: usize,
        run: RunNo,
        (slot, items): (u32, Arc<[GrantItem]>),
        budget: Span,
    ) {
        if self.plan.stream.is_some() {
            self.count_waits(&items);
        }
        let plan = self.plan;
        let unit = plan.unit.as_secs_f64() / self.nodes[node].info.speed
            * f64::from(self.nodes[node].slow)
            * self.crowd(node, &items);
        let mut fates = plan.fates;
        if self.calm {
            fates.poison = 0;
        }
        let begins = self.bring(&items, node);
        let deaths = &self.deaths;
        let plain = fates.plain() && plan.efforts.is_none();
        let course = (!plain).then_some(|item: &GrantItem, index: u32| {
            let task = TaskId { index, ..item.range.head() };
            let before = deaths.get(&(item.fence.shard.0, task)).copied().unwrap_or(0);
            let row = item.spec.first_row as usize + index as usize;
            let planned = plan.efforts.as_ref().and_then(|efforts| efforts.get(row).copied());
            fates.course(plan.seed, item, index, before).planned(planned)
        });
        let begun = Run::new((slot, items), (begins, budget), unit, course);
        let (number, life) = (node as u32, self.nodes[node].life);
        if let Some(over) = begun.over().filter(|_| !plan.crew.outside) {
            self.queue.put(over, Due::Over { node: number, life, run });
        }
        if let Some(beats) = begun.beats {
            self.queue.put(self.now + beats, Due::Beat { node: number, life, run });
        }
        self.nodes[node].runs.push((run, begun));
        if self.plan.checkpoints > 0 && self.lots.words.percent(self.plan.checkpoints) {
            self.word_later(node, run, 1);
        }
    }

    /// How many times longer a run takes that begins now, as its machine does other things, too.
    fn crowd(&self, node: usize, items: &[GrantItem]) -> f64 {
        let chores = &self.plan.nodes[node].chores;
        if chores.is_idle() {
            return 1.0;
        }
        let cores = |items: &[GrantItem]| items[0].spec.body.request.resources.milli_cpus;
        let running: u64 = self.nodes[node].runs.iter().map(|(_, run)| cores(run.items())).sum();
        let whole = self.nodes[node].info.resources.milli_cpus.max(1);
        chores.crowds(self.now, running + cores(items), whole)
    }

    /// Tells a node how busy its machine is.
    fn gauge(&mut self, node: usize) {
        let busy = self.plan.nodes[node].chores.measured(self.now, &mut self.lots.gauges);
        let (number, life) = (node as u32, self.nodes[node].life);
        let input = Box::new(Input::Gauged(Some(busy)));
        self.queue.put(self.now, Due::Input { node: number, life, input });
    }

    /// Brings a node what tasks read that are to begin there; tells when they can.
    fn bring(&mut self, items: &[GrantItem], node: usize) -> Moment {
        let plan = self.plan;
        let Some(bandwidth) = &plan.bandwidth else { return self.now };
        let region = |node: usize| plan.nodes[node].region;
        let network = &self.network;
        self.freight.bring(items, node, self.now, |from| {
            let regions = (region(from), region(node));
            let rate = bandwidth[usize::from(regions.0)][usize::from(regions.1)];
            Way { regions, latency: network.latency(from, node), rate }
        })
    }

    /// Lets a run leave a checkpoint a little later, if it still goes on.
    fn word_later(&mut self, node: usize, run: RunNo, step: u64) {
        let after = Span::micros(self.lots.words.below(5_000));
        let (number, life) = (node as u32, self.nodes[node].life);
        self.queue.put(self.now + after, Due::Word { node: number, life, run, step });
    }

    /// A run leaves a checkpoint of its first task, and perhaps another later.
    pub(super) fn word(&mut self, node: usize, life: u32, run: RunNo, step: u64) -> Option<Input> {
        let of = &self.nodes[node];
        let at = of.run_at(run).filter(|_| of.life == life && of.lives())?;
        let task = of.runs[at].1.first();
        if self.lots.words.percent(50) {
            self.word_later(node, run, step + 1);
        }
        let byte = self.lots.words.below(256) as u8;
        let payload = Payload::Inline(vec![byte].into());
        Some(Input::Checkpoint { run, task, step, payload })
    }

    /// How long streamed tasks waited that start for the first time.
    fn count_waits(&mut self, items: &[GrantItem]) {
        for item in items.iter().filter(|item| item.attempt == 1) {
            let of_shard = self.place_of(item.fence.shard);
            let arrived = of_shard.and_then(|at| self.arrived[at].get(item.range.job.index()));
            self.tally.waits.extend(arrived.map(|arrived| self.now.since(*arrived)));
        }
    }

    /// A run that heeds it ends at once; its planned end finds it gone.
    fn stop(&mut self, node: usize, run: RunNo, force: bool, why: Why) {
        let Some(at) = self.nodes[node].run_at(run) else { return };
        if !force && !self.nodes[node].runs[at].1.heeds(self.now) {
            return;
        }
        let (_, stopped) = self.nodes[node].runs.swap_remove(at);
        let input = self.ended(node, run, &stopped, Some(why));
        let (number, life) = (node as u32, self.nodes[node].life);
        let due = Due::Input { node: number, life, input: Box::new(input) };
        self.queue.put(self.now, due);
    }

    /// A run that comes to its own end, if it still goes on.
    pub(super) fn over(&mut self, node: usize, life: u32, run: RunNo) -> Option<Input> {
        let of = &self.nodes[node];
        let at = of.run_at(run).filter(|_| of.life == life && of.lives())?;
        let (_, ended) = self.nodes[node].runs.swap_remove(at);
        if let Some(task) = ended.poison() {
            *self.deaths.entry(task).or_default() += 1;
            self.trail.other(self.now, node, "poison", run.0);
            self.inputs.clear();
            let down = Span::millis(self.lots.process.below(3_000));
            self.crash(node, false, Some(down));
            return None;
        }
        Some(self.ended(node, run, &ended, None))
    }

    fn ended(&mut self, node: usize, run: RunNo, ended: &Run, why: Option<Why>) -> Input {
        let of = &mut self.nodes[node];
        let clock = of.clock;
        let items = ended.outcomes(self.now, why, |at: Moment| clock.shows(at));
        for item in items.iter().filter(|item| item.outcome != Outcome::Returned) {
            of.busy += item.usage.busy;
            self.tally.executed += u64::from(item.range.count);
            self.tally.last_end = self.now;
        }
        if self.plan.bandwidth.is_some() {
            for item in items.iter().filter(|one| matches!(one.outcome, Outcome::Succeeded(_))) {
                let each = ended.output_of(item.range.spec);
                self.freight.made(item.fence.shard.0, item.range, each, node);
            }
        }
        debug_assert!(of.state != State::Down, "runs die with their process");
        Input::Ended { run, items }
    }
}

/// A frame as it is when it has been on a wire.
fn through_bytes(frame: &Frame) -> Frame {
    let mut bytes = Vec::new();
    let written = bary_wire::frame::encode(frame, &mut bytes);
    assert!(written.is_ok(), "a frame of an engine can be encoded: {written:?}");
    match bary_wire::frame::decode(&bytes) {
        Ok(read) => read,
        Err(error) => panic!("what was encoded can be decoded: {error}"),
    }
}
