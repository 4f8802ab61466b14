//! One job: its specs with their states, and what follows when one of their tasks ends.

mod follow;

use std::sync::Arc;

use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, SpecNo, TaskRange};
use bary_model::job::{About, Halt, JobRef, SubmissionKey};
use bary_model::message::Upstream;
use bary_model::outcome::{End, Results};
use bary_model::task::TaskSpec;

use crate::array::{Holder, Tries, runs};
use crate::checkpoint::Checkpoints;
use crate::consequences::Consequences;
use crate::graph;
use crate::spec::{One, Progress, SpecState, spent};

/// A job of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub(crate) no: JobNo,
    /// Its name.
    pub name: Box<str>,
    /// Whether specs may still be added.
    pub open: bool,
    /// When it ends early, if it may.
    pub halt: Option<Halt>,
    /// The key under which it was submitted, if it has one; whether that is still remembered, the
    /// ledger knows.
    pub key: Option<SubmissionKey>,
    /// Whose it is, as it was submitted.
    pub about: Arc<About>,
    /// What is added to the priority of each of its tasks.
    pub priority: i32,
    /// Whether nothing of it is granted until it is released.
    pub held: bool,
    /// What its tasks have left for their next attempts.
    pub checkpoints: Checkpoints,
    /// Whether it is being cancelled: what comes back of it does not run again.
    pub stopping: bool,
    /// How often what did not succeed of it was run once more.
    pub generation: u32,
    /// The jobs that it waits for, and whether each succeeded where it has finished.
    pub(crate) upstream: Vec<(JobRef, Option<bool>)>,
    /// Tasks that were submitted.
    pub tasks: u64,
    /// Tasks that have not ended.
    pub left: u64,
    /// Tasks that succeeded.
    pub succeeded: u64,
    /// Tasks that ran and failed for good.
    pub failed: u64,
    pub(crate) specs: Vec<SpecState>,
    /// The number of the first spec of each batch; what a spec says of others counts from there.
    pub(crate) batches: Vec<u32>,
}

/// Whose end a spec hears of.
pub(crate) struct Ending {
    range: TaskRange,
    good: bool,
}

impl Job {
    pub(crate) fn new(no: JobNo, name: Box<str>, open: bool) -> Self {
        Self {
            no,
            name,
            open,
            halt: None,
            key: None,
            about: About::default().shared(),
            priority: 0,
            held: false,
            checkpoints: Checkpoints::default(),
            stopping: false,
            generation: 0,
            upstream: Vec::new(),
            tasks: 0,
            left: 0,
            succeeded: 0,
            failed: 0,
            specs: Vec::new(),
            batches: Vec::new(),
        }
    }

    /// Adds specs; what they wait for is among themselves. What is ready at once is told.
    pub(crate) fn add(&mut self, specs: &Arc<[Arc<TaskSpec>]>, out: &mut Consequences) {
        let first = self.specs.len();
        self.batches.push(first as u32);
        let dependents = graph::dependents(specs);
        self.specs.reserve(specs.len());
        for (spec, mut below) in specs.iter().zip(dependents) {
            for (number, _) in &mut below {
                number.0 += first as u32;
            }
            self.left += u64::from(spec.count);
            self.tasks += u64::from(spec.count);
            self.specs.push(SpecState::new(spec, below));
        }
        let (blocked, mut endings) = (self.is_blocked(), Vec::new());
        for (offset, spec) in specs.iter().enumerate() {
            let spec_no = SpecNo((first + offset) as u32);
            if spec.after.is_empty() && blocked {
                self.specs[spec_no.index()].waits += 1;
            } else if spec.after.is_empty() && self.has_bad_upstream() {
                self.specs[spec_no.index()].bad = Some(spec_no);
                let all = (0, spec.count);
                self.open_or_skip(spec_no, all, spec_no, &mut endings, out);
            } else if spec.after.is_empty() {
                self.release(spec_no, 0, spec.count, out);
            }
        }
        if !endings.is_empty() {
            self.spread(endings, out);
        }
    }

    /// The specs, in order of their numbers.
    pub fn specs(&self) -> impl ExactSizeIterator<Item = &Arc<TaskSpec>> {
        self.specs.iter().map(|state| &state.spec)
    }

    /// The spec of this number, if there is one.
    #[must_use]
    pub fn spec(&self, spec: SpecNo) -> Option<&Arc<TaskSpec>> {
        self.specs.get(spec.index()).map(|state| &state.spec)
    }

    /// Whether this grant is the current one of all these tasks.
    #[must_use]
    pub fn is_current(&self, range: TaskRange, epoch: Epoch, grant: GrantNo) -> bool {
        let holder = self.holder(range);
        holder.is_some_and(|holder| holder.grant == grant && holder.epoch == epoch)
    }

    /// The parts of a range that are held under this grant.
    pub(crate) fn current(&self, range: TaskRange, epoch: Epoch, grant: GrantNo) -> Vec<TaskRange> {
        match self.specs.get(range.spec.index()).map(|state| &state.progress) {
            Some(Progress::Many(array)) => {
                let held = array.held(range.first, range.count).into_iter();
                let same = held.filter(|(.., one)| one.grant == grant && one.epoch == epoch);
                same.map(|(first, count, _)| range.with(first, count)).collect()
            }
            Some(Progress::One(..)) if self.is_current(range, epoch, grant) => vec![range],
            _ => Vec::new(),
        }
    }

    /// Who holds all of these tasks under one grant, if somebody does.
    pub(crate) fn holder(&self, range: TaskRange) -> Option<Holder> {
        match self.specs.get(range.spec.index()).map(|state| &state.progress) {
            Some(Progress::One(One::Granted(holder), _)) if range.count == 1 => Some(*holder),
            Some(Progress::Many(array)) => array.holder(range.first, range.count),
            _ => None,
        }
    }

    /// Whether a task is ready or waits: it has not ended and nobody holds it.
    #[must_use]
    pub fn is_open(&self, spec: SpecNo, index: u32) -> bool {
        match self.specs.get(spec.index()).map(|state| &state.progress) {
            Some(Progress::One(one, _)) => matches!(one, One::Ready | One::Blocked),
            Some(Progress::Many(array)) => {
                array.holder(index, 1).is_none() && !array.unended(index, 1).is_empty()
            }
            None => false,
        }
    }

    /// Whether a spec still waits for the end of others as a whole.
    #[must_use]
    pub fn awaits_specs(&self, spec: SpecNo) -> bool {
        self.specs.get(spec.index()).is_some_and(|state| state.waits > 0 && state.left() > 0)
    }

    /// Whether any spec waits for this one.
    #[must_use]
    pub fn is_awaited(&self, spec: SpecNo) -> bool {
        !self.specs[spec.index()].dependents.is_empty()
    }

    /// How often a task was tried and failed.
    #[must_use]
    pub fn tries(&self, spec: SpecNo, index: u32) -> Tries {
        match &self.specs[spec.index()].progress {
            Progress::One(_, tries) => *tries,
            Progress::Many(array) => array.tries(index),
        }
    }

    /// The results that a task reads, in the order of its body's uses.
    #[must_use]
    pub fn upstream(&self, spec: SpecNo, index: u32) -> Vec<Upstream> {
        let batch = self.batches.partition_point(|&first| first <= spec.0);
        let base = self.batches[batch - 1];
        let reads = self.specs[spec.index()].spec.body.uses.iter().map(|one| {
            let only = one.aligned.then_some(index);
            let from = self.specs.get(base as usize + one.spec.index());
            let kept = from.and_then(|state| state.kept.as_ref());
            let name = || Upstream { name: one.name.clone(), ..Upstream::default() };
            kept.map_or_else(name, |kept| kept.upstream(&one.name, only))
        });
        reads.collect()
    }

    pub(crate) fn grant(&mut self, range: TaskRange, holder: Holder) {
        match &mut self.specs[range.spec.index()].progress {
            Progress::One(one, _) => {
                assert!(matches!(one, One::Ready), "only ready tasks are granted");
                *one = One::Granted(holder);
            }
            Progress::Many(array) => array.grant(range.first, range.count, holder),
        }
    }

    /// Takes tasks out of their grant; they are ready again, which the caller tells.
    pub(crate) fn release_grant(&mut self, range: TaskRange) {
        match &mut self.specs[range.spec.index()].progress {
            Progress::One(one, _) => *one = One::Ready,
            Progress::Many(array) => array.release(range.first, range.count),
        }
    }

    pub(crate) fn try_failed(&mut self, range: TaskRange, crashed: bool) {
        self.release_grant(range);
        match &mut self.specs[range.spec.index()].progress {
            Progress::One(_, tries) => {
                tries.failed = tries.failed.saturating_add(1);
                tries.crashed = tries.crashed.saturating_add(u16::from(crashed));
            }
            Progress::Many(array) => array.try_failed(range.first, crashed),
        }
    }

    pub(crate) fn keep(&mut self, range: TaskRange, results: &Results, node: NodeId) {
        if let Some(kept) = &mut self.specs[range.spec.index()].kept {
            kept.keep(range.first, range.count, results, node);
        }
    }

    /// Ends granted tasks for good and tells what follows.
    pub(crate) fn end(&mut self, range: TaskRange, end: &End, out: &mut Consequences) {
        if let Progress::Many(array) = &mut self.specs[range.spec.index()].progress {
            array.release(range.first, range.count);
        }
        self.settle(range, end, out);
    }

    /// Cancels what has not ended in a range: all of it, or only what nobody holds.
    pub(crate) fn cancel(&mut self, range: TaskRange, running: bool, out: &mut Consequences) {
        let mut parts = Vec::new();
        let Some(state) = self.specs.get_mut(range.spec.index()) else { return };
        match &mut state.progress {
            Progress::One(One::Ended(_), _) => {}
            Progress::One(One::Granted(_), _) if !running => {}
            Progress::One(one, _) => {
                if let One::Granted(holder) = one {
                    out.stopped.push((*holder, range));
                }
                parts.push(range);
            }
            Progress::Many(array) => {
                let held = array.held(range.first, range.count);
                let mut open = array.unended_set(range.first, range.count);
                for (low, n, holder) in held {
                    if running {
                        out.stopped.push((holder, range.with(low, n)));
                        array.release(low, n);
                    } else {
                        open.remove_range(low..low + n);
                    }
                }
                parts.extend(runs(&open).into_iter().map(|(f, c)| range.with(f, c)));
            }
        }
        for part in parts {
            out.cancelled.push(part);
            self.settle(part, &End::Cancelled, out);
        }
    }

    /// Records an end and follows the graph until nothing more ends by itself.
    pub(crate) fn settle(&mut self, range: TaskRange, end: &End, out: &mut Consequences) {
        let mut endings = Vec::new();
        self.mark(range, end, &mut endings);
        self.spread(endings, out);
    }

    /// Follows what ended through the graph.
    pub(crate) fn spread(&mut self, mut endings: Vec<Ending>, out: &mut Consequences) {
        while let Some(ending) = endings.pop() {
            self.tell_dependents(&ending, &mut endings, out);
        }
        self.tell_if_over(out);
    }

    /// Tells that the job has finished, where it has.
    pub(crate) fn tell_if_over(&self, out: &mut Consequences) {
        if self.is_over() {
            out.finished.push(self.no);
        }
    }

    /// Whether every task has ended and none will be added.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left == 0 && !self.open
    }

    pub(crate) fn forget(&mut self) {
        assert!(self.is_over(), "only finished jobs are forgotten");
        (self.specs, self.batches) = (Vec::new(), Vec::new());
    }

    /// Tells of the tasks that nodes hold, and who holds them.
    pub(crate) fn held(&self, tell: &mut impl FnMut(Holder, TaskRange)) {
        for (number, state) in self.specs.iter().enumerate() {
            let (job, spec) = (self.no, SpecNo(number as u32));
            let range = TaskRange { job, spec, first: 0, count: 1 };
            match &state.progress {
                Progress::One(One::Granted(holder), _) => tell(*holder, range),
                Progress::One(..) => {}
                Progress::Many(array) => {
                    for (first, count, holder) in array.held(0, array.count) {
                        tell(holder, range.with(first, count));
                    }
                }
            }
        }
    }

    /// Tells of the tasks that may be granted now.
    pub(crate) fn ready(&self, tell: &mut impl FnMut(TaskRange)) {
        for (number, state) in self.specs.iter().enumerate() {
            let (job, spec) = (self.no, SpecNo(number as u32));
            let range = TaskRange { job, spec, first: 0, count: 1 };
            match &state.progress {
                Progress::One(One::Ready, _) => tell(range),
                Progress::One(..) => {}
                Progress::Many(array) if state.waits == 0 && array.left > 0 => {
                    for (first, count) in array.ready() {
                        tell(range.with(first, count));
                    }
                }
                Progress::Many(_) => {}
            }
        }
    }

    pub(crate) fn check(&self) {
        for state in &self.specs {
            if let Progress::Many(array) = &state.progress {
                array.check();
            }
        }
        let left: u64 = self.specs.iter().map(|state| u64::from(state.left())).sum();
        assert_eq!(left, self.left, "what is left adds up");
    }

    pub(crate) fn mark(&mut self, range: TaskRange, end: &End, endings: &mut Vec<Ending>) {
        let state = &mut self.specs[range.spec.index()];
        match &mut state.progress {
            Progress::One(one, _) => *one = One::Ended(end.clone()),
            Progress::Many(array) => array.end(range.first, range.count, end),
        }
        self.left -= u64::from(range.count);
        self.checkpoints.drop_of(range);
        match end {
            End::Succeeded => self.succeeded += u64::from(range.count),
            End::Failed(_) | End::Quarantined(_) => self.failed += u64::from(range.count),
            End::Cancelled | End::Skipped => {}
        }
        if state.spec.inputs.rows() > 0 && state.all_succeeded() {
            // Nothing runs of it any more: its inputs need not be held.
            state.spec = spent();
        }
        if !state.dependents.is_empty() {
            endings.push(Ending { range, good: *end == End::Succeeded });
        }
    }
}
