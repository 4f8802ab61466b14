//! Jobs of which nothing is granted for now: held ones, ones whose time has not come, and ones that
//! are being laid out. What
//! becomes ready of them waits here, out of sight of everything that looks for ready tasks.
//! That a job is held, and when it may begin, is on record; which tasks wait here follows from it.

use std::collections::BTreeMap;

use bary_model::id::{JobNo, TaskRange};
use bary_model::job::{About, Deadline};
use bary_model::time::{Moment, Wall};

use crate::home::Home;
use crate::outbox::Outbox;
use crate::timers::{Timer, TimerKey, Timers};

/// The jobs that are shut.
#[derive(Debug, Default)]
pub(super) struct Gates(BTreeMap<JobNo, Gate>);

#[derive(Debug, Default)]
struct Gate {
    held: bool,
    /// When its time comes, where it has not.
    due: Option<TimerKey>,
    /// When it waits no longer for its layout, where it does.
    laying: Option<TimerKey>,
    /// What would be ready.
    behind: Vec<TaskRange>,
}

impl Gates {
    /// Keeps ready tasks where their job is shut; gives them back where it is not.
    pub(super) fn admit(&mut self, range: TaskRange) -> Option<TaskRange> {
        if self.0.is_empty() {
            return Some(range);
        }
        let Some(gate) = self.0.get_mut(&range.job) else { return Some(range) };
        gate.behind.push(range);
        None
    }

    /// Whether nothing of a job is granted now.
    pub(super) fn is_shut(&self, job: JobNo) -> bool {
        self.0.contains_key(&job)
    }

    /// Shuts a job until it is released; tells whether it was open before.
    pub(super) fn hold(&mut self, job: JobNo) -> bool {
        let open = !self.is_shut(job);
        self.0.entry(job).or_default().held = true;
        open
    }

    /// Shuts a job until it is laid out.
    pub(super) fn lay(&mut self, job: JobNo, until: TimerKey) {
        self.0.entry(job).or_default().laying = Some(until);
    }

    /// A job is laid out, or will not be; gives the timer back that it waited for.
    pub(super) fn laid(&mut self, job: JobNo) -> Option<TimerKey> {
        self.0.get_mut(&job).and_then(|gate| gate.laying.take())
    }

    /// What waits behind the gate of a job that is neither held nor before its time any more.
    fn open(&mut self, job: JobNo) -> Vec<TaskRange> {
        let shut = |gate: &Gate| gate.held || gate.due.is_some() || gate.laying.is_some();
        if self.0.get(&job).is_none_or(shut) {
            return Vec::new();
        }
        self.0.remove(&job).map_or_else(Vec::new, |gate| gate.behind)
    }
}

impl Home {
    /// Shuts a job that is held, or whose time has not come, before anything of it is ready.
    pub(super) fn shut(&mut self, job: JobNo, out: &Outbox, timers: &mut Timers) {
        let Some(known) = self.ledger.job(job) else { return };
        let due = known.not_before().and_then(|at| self.moment_of(at, out.now));
        if known.held {
            self.gates.hold(job);
        }
        if let Some(at) = due {
            let timer = timers.set(at, Timer::Due(self.log.shard, job));
            self.gates.0.entry(job).or_default().due = Some(timer);
        }
    }

    /// Whether no task of a job may begin anywhere: it is shut, or being cancelled softly.
    pub(super) fn begins_nothing(&self, job: JobNo) -> bool {
        self.gates.is_shut(job) || self.is_stopping(job)
    }

    /// What is said of a job as it is put on record: a deadline as a moment of the calendar.
    pub(super) fn on_record(&self, mut about: About) -> About {
        if let Some(Deadline::After(span)) = about.deadline {
            about.deadline = Some(Deadline::At(self.today + span));
        }
        about
    }

    /// When a moment of the calendar comes, where it has not come yet.
    fn moment_of(&self, at: Wall, now: Moment) -> Option<Moment> {
        let today = self.calendar + now.since(Moment(0));
        (at > today).then(|| now + at.since(today))
    }

    /// The time of a job has come.
    pub(super) fn on_due(&mut self, job: JobNo, out: &mut Outbox, timers: &mut Timers) {
        if let Some(gate) = self.gates.0.get_mut(&job) {
            gate.due = None;
            self.open_gate(job, out, timers);
        }
    }

    /// A job is held no longer.
    pub(super) fn release(&mut self, job: JobNo, out: &mut Outbox, timers: &mut Timers) {
        if let Some(gate) = self.gates.0.get_mut(&job) {
            gate.held = false;
            self.open_gate(job, out, timers);
        }
    }

    pub(super) fn open_gate(&mut self, job: JobNo, out: &mut Outbox, timers: &mut Timers) {
        for range in self.gates.open(job) {
            self.make_ready(range);
        }
        self.serve(out, timers);
    }

    /// Nothing of a job will be ready any more, or all of it is judged anew.
    pub(super) fn forget_gate(&mut self, job: JobNo, timers: &mut Timers) {
        if let Some(gate) = self.gates.0.remove(&job) {
            gate.due.into_iter().chain(gate.laying).for_each(|key| timers.unset(key));
        }
    }
}
