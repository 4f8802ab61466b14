//! Ending runs early: timeouts, silence, cancels; and giving back what has not begun.

use bary_model::id::{Fence, RunNo, ShardId, TaskId, TaskRange};
use bary_model::message::{GrantItem, Retract, Say};
use bary_model::node::NodeInfo;
use bary_model::payload::Payload;

use crate::effect::{Effect, Why};
use crate::flaw::Flaw;
use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::timers::{Timer, Timers};
use crate::view::View;

impl Runner {
    pub(crate) fn on_timer(&mut self, timer: Timer, out: &mut Outbox, timers: &mut Timers) {
        match timer {
            Timer::Timeout(run) => self.stop(run, Why::Timeout, out, timers),
            Timer::Silence(run) => self.on_silence(run, out, timers),
            Timer::Kill(run) => self.kill(run, out),
            Timer::Flush(home) => self.flush(home, None, out, timers),
            Timer::Pulse(home) => self.on_pulse(home, out, timers),
            Timer::Ask => self.ask_timer = None,
            Timer::Claims => self.on_claims_timer(),
            _ => {}
        }
    }

    pub(crate) fn on_beat(&mut self, run: RunNo, out: &Outbox) {
        if let Some(running) = self.runs.get_mut(&run) {
            running.heard = out.now;
        }
    }

    /// A run is silent too long only if nothing was heard since the timer was set.
    fn on_silence(&mut self, run: RunNo, out: &mut Outbox, timers: &mut Timers) {
        let Some(running) = self.runs.get_mut(&run) else { return };
        let Some(limit) = running.items[0].spec.body.heartbeat_timeout else { return };
        let until = running.heard + limit;
        if until > out.now {
            running.timers.push(timers.set(until, Timer::Silence(run)));
        } else {
            self.stop(run, Why::Silent, out, timers);
        }
    }

    /// Forces a run to end for the reason for which it was asked.
    fn kill(&self, run: RunNo, out: &mut Outbox) {
        if let Some(why) = self.runs.get(&run).and_then(|running| running.stopping) {
            out.effect(Effect::Stop { run, force: true, why });
        }
    }

    /// Asks a run to end, and forces it when its grace is over.
    fn stop(&mut self, run: RunNo, why: Why, out: &mut Outbox, timers: &mut Timers) {
        let Some(running) = self.runs.get_mut(&run) else { return };
        if running.stopping.is_some() {
            return;
        }
        running.stopping = Some(why);
        let grace = running.items[0].spec.body.grace;
        running.timers.push(timers.set(out.now + grace, Timer::Kill(run)));
        out.effect(Effect::Stop { run, force: false, why });
    }

    pub(crate) fn on_retract(
        &mut self,
        home: ShardId,
        retract: Retract,
        view: &View,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        // What was granted before may be meant.
        self.begin_ranks(out, timers);
        match retract {
            Retract::Weight { weight, thief } => {
                let taken = view.info(thief).map_or_else(Vec::new, |thief| {
                    self.held.take_cold(home, weight, |request| thief.can_run(request))
                });
                let mut items: Vec<(Fence, TaskRange)> =
                    taken.into_iter().map(|held| (held.item.fence, held.item.range)).collect();
                if self.flaws.has(Flaw::RetractNotSerialised) {
                    let running = self.runs.values().filter(|run| run.home == home);
                    let begun = running.flat_map(|run| run.items.iter());
                    items.extend(begun.map(|item| (item.fence, item.range)));
                }
                self.say(home, Say::Retracted { items }, out, timers);
            }
            Retract::Few { tasks, least, thief, spared } => {
                let able = |item: &GrantItem| {
                    let kept = spared.iter().any(|range| overlap(item.range, *range));
                    let fits = |thief: &NodeInfo| thief.can_run(&item.spec.body.request);
                    !kept && view.info(thief).is_some_and(fits)
                };
                let taken = self.held.take_few(home, tasks, least, able);
                let items = taken.into_iter().map(|held| (held.item.fence, held.item.range));
                self.say(home, Say::Retracted { items: items.collect() }, out, timers);
            }
            Retract::Unstarted(job) => {
                self.give_back(home, |item| item.range.job == job, out, timers);
            }
            Retract::Everything => self.give_back(home, |_| true, out, timers),
            Retract::Below(rank) => self.give_back(home, |item| item.rank() < rank, out, timers),
            Retract::Tasks(ranges) => self.drop_tasks(home, &ranges, None, out, timers),
            Retract::Stale(items) => {
                for (fence, range) in items {
                    self.drop_tasks(home, &[range], Some(fence), out, timers);
                }
            }
        }
    }

    /// Gives back what was not started of what is meant, and what runs do not begin of it.
    fn give_back(
        &mut self,
        home: ShardId,
        meant: impl Fn(&GrantItem) -> bool,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        for running in self.runs.values_mut().filter(|running| running.home == home) {
            let wanted = running.items.iter().filter(|item| meant(item));
            running.give_back.extend(wanted.map(|item| item.range.job));
            running.give_back.dedup();
        }
        let rest = |item: &GrantItem| if meant(item) { Vec::new() } else { vec![item.clone()] };
        let removed = self.held.remove(home, rest);
        let mut items: Vec<(Fence, TaskRange)> =
            removed.into_iter().map(|held| (held.item.fence, held.item.range)).collect();
        items.extend(self.claims.take_back(home, &meant));
        if !items.is_empty() {
            self.say(home, Say::Retracted { items }, out, timers);
        }
    }

    /// A task of a run has left something for its next attempt: its home hears at once.
    pub(crate) fn on_checkpoint(
        &mut self,
        run: RunNo,
        task: TaskId,
        (step, payload): (u64, Payload),
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let Some(running) = self.runs.get_mut(&run) else { return };
        running.heard = out.now;
        let one = TaskRange::one(task);
        let Some(item) = running.items.iter().find(|item| overlap(item.range, one)) else { return };
        let (home, fence) = (running.home, item.fence);
        self.say(home, Say::Checkpoint { fence, task, step, payload }, out, timers);
    }

    /// Forgets tasks, or only those under one grant: held ones at once, running ones when they
    /// have been stopped.
    fn drop_tasks(
        &mut self,
        home: ShardId,
        ranges: &[TaskRange],
        only: Option<Fence>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let meant = |item: &GrantItem| only.is_none_or(|fence| item.fence == fence);
        self.held.remove(home, |item| {
            if meant(item) { outside(item, ranges) } else { vec![item.clone()] }
        });
        let gone = |item: &GrantItem| meant(item) && covered(item, ranges);
        self.claims.take_back(home, gone);
        let mut hit = Vec::new();
        for (run, running) in self.runs.iter_mut().filter(|(_, running)| running.home == home) {
            if running.items.iter().any(|item| meant(item) && covered(item, ranges)) {
                running.cancelled.extend_from_slice(ranges);
                hit.push(*run);
            }
        }
        for run in hit {
            self.stop(run, Why::Cancel, out, timers);
        }
    }
}

fn overlap(a: TaskRange, b: TaskRange) -> bool {
    a.job == b.job && a.spec == b.spec && a.first < b.end() && b.first < a.end()
}

fn covered(item: &GrantItem, ranges: &[TaskRange]) -> bool {
    ranges.iter().any(|range| overlap(item.range, *range))
}

/// The parts of an item that lie outside all of these ranges.
pub(super) fn outside(item: &GrantItem, ranges: &[TaskRange]) -> Vec<GrantItem> {
    let mut parts = vec![item.range];
    for range in ranges {
        parts = parts.into_iter().flat_map(|part| minus(part, *range)).collect();
    }
    parts.into_iter().map(|range| GrantItem { range, ..item.clone() }).collect()
}

fn minus(part: TaskRange, gone: TaskRange) -> Vec<TaskRange> {
    if !overlap(part, gone) {
        return vec![part];
    }
    let mut left = Vec::new();
    if part.first < gone.first {
        left.push(part.with(part.first, gone.first - part.first));
    }
    if gone.end() < part.end() {
        left.push(part.with(gone.end(), part.end() - gone.end()));
    }
    left
}
