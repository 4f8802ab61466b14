//! One job as events tell of it: what it is, how many of its tasks are how, and the details of
//! those that ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::{Brief, Ended};
use bary_model::id::{JobNo, NodeId, SpecNo, TaskId, TaskRange};
use bary_model::job::Halt;
use bary_model::outcome::{End, Stopped};
use bary_model::roster::Roster;
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span, Wall};

use crate::board::active::{Active, Hold};
use crate::board::ends::{Dropped, Ends, How};

/// A job.
#[derive(Debug)]
pub(crate) struct JobRow {
    pub(crate) no: JobNo,
    pub(crate) brief: Arc<Brief>,
    pub(crate) submitted: Moment,
    /// When the first of its tasks began, as nodes tell that run them now.
    began: Option<Moment>,
    pub(crate) finished: Option<Moment>,
    pub(crate) tasks: u64,
    pub(crate) priority: i32,
    pub(crate) open: bool,
    pub(crate) held: bool,
    /// Before when nothing of it is granted.
    pub(crate) not_before: Option<Wall>,
    /// Whether somebody cancelled it.
    pub(crate) stopping: bool,
    /// Why it was cancelled or held, where somebody said so.
    pub(crate) reason: Option<Box<str>>,
    /// How many of the jobs that it waits for have finished.
    pub(crate) arrived: u32,
    pub(crate) sums: Sums,
    /// Absent once the job is only counted.
    pub(crate) detail: Option<Box<Detail>>,
}

/// What its tasks add up to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    pub(crate) succeeded: u64,
    /// Those that were quarantined are among them.
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
    pub(crate) skipped: u64,
    /// How many ended after they had run.
    pub(crate) ran: u64,
    /// How many attempts failed and were repeated.
    pub(crate) retried: u64,
    /// How many were stopped while they ran.
    pub(crate) stopped: u64,
    /// How many tasks had failed for good when the job was retried.
    pub(crate) failed_before: u64,
    pub(crate) cpu: Span,
    pub(crate) busy: Span,
    /// The most memory that one of them held, in bytes.
    pub(crate) peak_memory: u64,
    /// The exit code of the task that ended last.
    pub(crate) code: i32,
    /// When the first of those that ended began, and the last of them ended.
    pub(crate) span: Option<(Moment, Moment)>,
}

/// What is known of single tasks.
#[derive(Debug, Default)]
pub(crate) struct Detail {
    pub(crate) roster: Roster,
    pub(crate) ends: Ends,
    pub(crate) granted: Active,
    pub(crate) running: Active,
    /// What ran when it was cancelled, as its home has it on record.
    pub(crate) ran: Active,
    /// What running tasks say of themselves.
    pub(crate) said: BTreeMap<TaskId, Word>,
    /// The step of the last checkpoint of tasks that have not ended.
    pub(crate) checkpoints: BTreeMap<TaskId, u64>,
    /// How often attempts of a task failed, of those that did not run to their end.
    pub(crate) failures: BTreeMap<TaskId, u16>,
}

/// What a task says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word {
    /// From 0 to 1.
    pub(crate) progress: f64,
    pub(crate) message: Box<str>,
}

impl Sums {
    /// How many tasks have ended.
    pub(crate) fn ended(&self) -> u64 {
        self.succeeded + self.failed + self.cancelled + self.skipped
    }

    fn span(&mut self, began: Moment, ended: Moment) {
        let (first, last) = self.span.unwrap_or((began, ended));
        self.span = Some((first.min(began), last.max(ended)));
    }

    fn count(&mut self, end: &End, tasks: u64) {
        match end {
            End::Succeeded => self.succeeded += tasks,
            End::Failed(_) | End::Quarantined(_) => self.failed += tasks,
            End::Cancelled => self.cancelled += tasks,
            End::Skipped => self.skipped += tasks,
        }
    }
}

impl JobRow {
    pub(crate) fn new(no: JobNo, brief: Arc<Brief>, submitted: Moment) -> Self {
        let (open, held) = (brief.open, brief.about.held);
        Self {
            no,
            priority: brief.about.priority,
            submitted,
            began: None,
            finished: None,
            tasks: 0,
            open,
            held,
            not_before: brief.about.not_before,
            brief,
            stopping: false,
            reason: None,
            arrived: 0,
            sums: Sums::default(),
            detail: Some(Box::default()),
        }
    }

    pub(crate) fn on_specs(&mut self, specs: &[Arc<TaskSpec>]) {
        self.tasks += specs.iter().map(|spec| u64::from(spec.count)).sum::<u64>();
        if let Some(detail) = &mut self.detail {
            detail.roster.on_specs(specs);
        }
    }

    /// When its first task began, as far as is known. Of a finished job it is what its journal
    /// says, whoever asks after however many restarts.
    pub(crate) fn started(&self) -> Option<Moment> {
        let ended = self.sums.span.map(|(first, _)| first);
        match (self.began, ended) {
            (Some(began), Some(ended)) if self.finished.is_none() => Some(began.min(ended)),
            (began, ended) => ended.or(began),
        }
    }

    /// Its last task has ended. When that was, its journal knows of tasks that ran alone.
    pub(crate) fn on_finished(&mut self, at: Moment) {
        let all_ran = self.sums.cancelled + self.sums.skipped == 0;
        let last = self.sums.span.map(|(_, last)| last).filter(|_| all_ran);
        self.finished = Some(last.unwrap_or(at));
    }

    /// How many of its tasks run.
    pub(crate) fn running(&self) -> u64 {
        self.detail.as_ref().map_or(0, |detail| detail.running.tasks())
    }

    /// How many tasks neither run nor have ended.
    pub(crate) fn waiting(&self) -> u64 {
        self.tasks.saturating_sub(self.sums.ended() + self.running())
    }

    pub(crate) fn on_granted(&mut self, range: TaskRange, node: NodeId, at: Moment) {
        if let Some(detail) = &mut self.detail {
            detail.granted.put(range, Hold { node, at, attempt: 0 });
        }
    }

    /// Tasks began. Nodes tell so by themselves, and the word may come after that of their end;
    /// tells whether it did not.
    pub(crate) fn on_started(&mut self, range: TaskRange, hold: Hold) -> bool {
        let Some(detail) = &mut self.detail else { return false };
        if self.finished.is_some() || detail.ends.find(range.spec, range.first).is_some() {
            return false;
        }
        detail.running.put(range, hold);
        self.began = Some(self.began.map_or(hold.at, |first| first.min(hold.at)));
        true
    }

    /// So much of it ran when it was cancelled; that it ended by that is told next.
    pub(crate) fn on_ran(&mut self, stopped: &Stopped) {
        let Stopped { range, node, attempt, began } = *stopped;
        if let Some(detail) = &mut self.detail {
            detail.ran.put(range, Hold { node, at: began, attempt });
            self.began = Some(self.began.map_or(began, |first| first.min(began)));
        }
    }

    /// What of it runs now.
    pub(crate) fn runs(&self) -> Vec<Stopped> {
        let running = self.detail.iter().flat_map(|detail| detail.running.all());
        let all = running.map(|(spec, first, count, hold)| {
            let range = TaskRange { job: self.no, spec, first, count };
            Stopped { range, node: hold.node, attempt: hold.attempt, began: hold.at }
        });
        all.collect()
    }

    pub(crate) fn on_retracted(&mut self, range: TaskRange) {
        if let Some(detail) = &mut self.detail {
            detail.let_go(range);
        }
    }

    pub(crate) fn on_retrying(&mut self, task: TaskId, attempt: u16) {
        self.sums.retried += 1;
        if let Some(detail) = &mut self.detail {
            detail.let_go(TaskRange::one(task));
            detail.said.remove(&task);
            detail.failures.insert(task, attempt);
        }
    }

    /// Tasks ended after they had run.
    pub(crate) fn on_ended(&mut self, ended: Arc<Ended>) {
        let (tasks, usage) = (u64::from(ended.range.count), ended.usage);
        self.sums.count(&ended.end, tasks);
        self.sums.ran += tasks;
        self.sums.cpu += usage.cpu;
        self.sums.busy += usage.busy;
        self.sums.peak_memory = self.sums.peak_memory.max(usage.peak_memory);
        self.sums.code = ended.end.code();
        self.sums.span(usage.began, usage.began + usage.busy);
        let range = ended.range;
        self.on_gone(range, How::Ran(ended));
    }

    /// Tasks ended without having run to their end. They are given back in parts: those that ran,
    /// each with who ran it, and those that did not.
    pub(crate) fn on_dropped(
        &mut self,
        range: TaskRange,
        dropped: &Dropped,
    ) -> Vec<(TaskRange, Arc<Dropped>)> {
        self.sums.count(&dropped.end, u64::from(range.count));
        // A rule for ending early knows of no runs; what nodes have told of them stands in for it.
        let halted = self.reason.as_deref() == Some(Halt::REASON);
        let ran = |d: &Detail| if halted { d.running.within(range) } else { d.ran.within(range) };
        let ran = self.detail.as_deref().map_or_else(Vec::new, ran);
        let (mut parts, mut first) = (Vec::new(), range.first);
        let mut add = |first: u32, end: u32, ran: Option<Hold>| {
            if first < end {
                let dropped = Arc::new(Dropped { end: dropped.end.clone(), ran, ..*dropped });
                parts.push((range.with(first, end - first), dropped));
            }
        };
        for (part, hold) in ran {
            self.sums.stopped += u64::from(part.count);
            add(first, part.first, None);
            add(part.first, part.end(), Some(hold));
            first = part.end();
        }
        add(first, range.end(), None);
        for (part, dropped) in &parts {
            self.on_gone(*part, How::Dropped(Arc::clone(dropped)));
        }
        parts
    }

    fn on_gone(&mut self, range: TaskRange, how: How) {
        let Some(detail) = &mut self.detail else { return };
        detail.let_go(range);
        detail.roster.on_gone(range.spec, u64::from(range.count));
        detail.said.retain_outside(range);
        detail.checkpoints.retain_outside(range);
        if let How::Ran(_) = how {
            detail.failures.retain_outside(range);
        }
        detail.ends.insert(range, how);
    }

    /// What did not succeed runs once more. What it left behind is handed out.
    pub(crate) fn on_retried(&mut self) -> Vec<How> {
        self.finished = None;
        (self.stopping, self.held, self.not_before) = (false, false, None);
        self.reason = None;
        self.sums.failed_before += std::mem::take(&mut self.sums.failed);
        (self.sums.cancelled, self.sums.skipped) = (0, 0);
        let Some(detail) = &mut self.detail else { return Vec::new() };
        let bad = detail.ends.take_unsuccessful();
        for ((spec, first), piece) in &bad {
            detail.roster.on_again(*spec, u64::from(piece.count));
            let range = TaskRange { job: self.no, spec: *spec, first: *first, count: piece.count };
            detail.failures.retain_outside(range);
        }
        bad.into_iter().map(|(_, piece)| piece.how).collect()
    }

    /// Keeps nothing of single tasks any more. What was kept of ended ones is handed out.
    pub(crate) fn only_count(&mut self) -> Vec<How> {
        let detail = self.detail.take();
        detail.map_or_else(Vec::new, |mut detail| detail.ends.thin())
    }

    /// The job in one word.
    pub(crate) fn state(&self, now: Wall) -> &'static str {
        let sums = &self.sums;
        if self.finished.is_some() {
            return if sums.cancelled > 0 && (self.stopping || sums.failed == 0) {
                "cancelled"
            } else if sums.failed + sums.skipped > 0 {
                "failed"
            } else {
                "succeeded"
            };
        }
        let begun = self.running() > 0 || sums.ended() > 0;
        match () {
            () if self.held => "held",
            () if begun && sums.ended() < self.tasks => "running",
            () if self.open => "open",
            () if self.not_before.is_some_and(|at| at > now) => "scheduled",
            () if begun => "running",
            () => "waiting",
        }
    }

    /// What `bary wait` ends with once it has finished.
    pub(crate) fn exit(&self) -> i32 {
        let sums = &self.sums;
        match sums.failed + sums.cancelled + sums.skipped {
            0 => 0,
            1 if self.tasks == 1 && sums.failed == 1 => sums.code,
            _ => 1,
        }
    }

    /// The share of its tasks that have ended, with what running ones say of themselves.
    pub(crate) fn progress(&self) -> f64 {
        if self.tasks == 0 {
            return 0.0;
        }
        let said = self.detail.iter().flat_map(|detail| detail.said.values());
        let under_way: f64 = said.map(|word| word.progress.clamp(0.0, 1.0)).sum();
        ((self.sums.ended() as f64 + under_way) / self.tasks as f64).min(1.0)
    }

    /// How often tasks of it were started.
    pub(crate) fn attempts(&self) -> u64 {
        self.sums.ran + self.sums.retried + self.sums.stopped + self.running()
    }

    /// How often an attempt failed.
    pub(crate) fn failed_attempts(&self) -> u64 {
        self.sums.retried + self.sums.failed_before + self.sums.failed
    }
}

impl Detail {
    fn let_go(&mut self, range: TaskRange) {
        self.granted.take(range);
        self.running.take(range);
        self.ran.take(range);
    }

    /// Whether all that a task waits for inside its job has ended.
    pub(crate) fn is_ready(&self, no: SpecNo, spec: &TaskSpec, index: u32) -> bool {
        let base = self.roster.base(no);
        spec.after.iter().all(|after| {
            let on = SpecNo(base.0 + after.spec.0);
            let whole = self.roster.left(on) == 0;
            whole || (after.aligned && self.ends.find(on, index).is_some())
        })
    }
}

/// Forgetting what is noted of single tasks.
trait Notes {
    /// Keeps what is of tasks outside a range.
    fn retain_outside(&mut self, range: TaskRange);
}

impl<T> Notes for BTreeMap<TaskId, T> {
    fn retain_outside(&mut self, range: TaskRange) {
        if self.is_empty() {
            return;
        }
        let head = range.head();
        let end = TaskId { index: range.end() - 1, ..head };
        let gone: Vec<TaskId> = self.range(head..=end).map(|(task, _)| *task).collect();
        for task in gone {
            self.remove(&task);
        }
    }
}
