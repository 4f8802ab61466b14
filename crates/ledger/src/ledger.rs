//! A shard's ledger: records in, consequences out.

use std::collections::BTreeMap;

use bary_model::id::{Epoch, Fence, GrantNo, JobNo, ShardId, TaskRange};
use bary_model::job::{JobRef, SubmissionKey};
use bary_model::outcome::End;

use crate::array::Holder;
use crate::consequences::Consequences;
use crate::job::Job;
use crate::record::Record;

/// The jobs of one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    pub(crate) shard: ShardId,
    pub(crate) epoch: Epoch,
    pub(crate) jobs: Vec<Job>,
    pub(crate) last_grant: GrantNo,
    /// What the job that is submitted next waits for.
    pub(crate) awaits: Vec<JobRef>,
    /// Under which keys jobs were submitted; the oldest are forgotten past a limit.
    pub(crate) keys: BTreeMap<u128, JobNo>,
}

/// Most submission keys that a ledger remembers; a submission repeated after so many others
/// counts as new.
pub const KEYS_MAX: usize = 1_000_000;

impl Ledger {
    /// An empty ledger; `Record::Opened` begins its first reign.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        let (epoch, jobs, last_grant) = (Epoch(0), Vec::new(), GrantNo(0));
        Self { shard, epoch, jobs, last_grant, awaits: Vec::new(), keys: BTreeMap::new() }
    }

    /// The ledger that all records of a journal make.
    ///
    /// # Panics
    /// As [`Ledger::apply`].
    #[must_use]
    pub fn replay<'a>(shard: ShardId, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut ledger = Self::new(shard);
        let mut out = Consequences::default();
        for record in records {
            ledger.apply(record, &mut out);
            out = Consequences::default();
        }
        ledger
    }

    /// The job that was submitted under this key, and the key as it was given then.
    #[must_use]
    pub fn submitted(&self, key: SubmissionKey) -> Option<(JobNo, SubmissionKey)> {
        let job = *self.keys.get(&key.key)?;
        Some((job, self.job(job)?.key?))
    }

    pub(crate) fn remember(&mut self, key: SubmissionKey, job: JobNo) {
        self.keys.insert(key.key, job);
        if self.keys.len() > KEYS_MAX {
            // A tenth at a time, so that each submission costs little.
            let mut jobs: Vec<JobNo> = self.keys.values().copied().collect();
            let (_, &mut last, _) = jobs.select_nth_unstable(KEYS_MAX / 10);
            self.keys.retain(|_, job| *job > last);
        }
    }

    /// The shard.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// The reign of whoever opened it last.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The number of the last grant; the next is one more.
    #[must_use]
    pub fn last_grant(&self) -> GrantNo {
        self.last_grant
    }

    /// The job of this number, if there is one.
    #[must_use]
    pub fn job(&self, job: JobNo) -> Option<&Job> {
        self.jobs.get(job.index())
    }

    /// How many jobs there are; the next job has this number.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.jobs.len()
    }

    /// The fence of a grant made in this reign.
    #[must_use]
    pub fn fence(&self, grant: GrantNo) -> Fence {
        Fence { shard: self.shard, epoch: self.epoch, grant }
    }

    /// Whether an outcome under this fence is accepted: it names the current grant of its tasks,
    /// whichever epoch reigns now.
    #[must_use]
    pub fn accepts(&self, fence: Fence, range: TaskRange) -> bool {
        let job = self.jobs.get(range.job.index());
        fence.shard == self.shard
            && job.is_some_and(|job| job.is_current(range, fence.epoch, fence.grant))
    }

    /// The parts of a range whose current grant is the one that a fence names.
    #[must_use]
    pub fn current(&self, fence: Fence, range: TaskRange) -> Vec<TaskRange> {
        let job = self.jobs.get(range.job.index()).filter(|_| fence.shard == self.shard);
        job.map_or_else(Vec::new, |job| job.current(range, fence.epoch, fence.grant))
    }

    /// Forgets what a finished job was made of; nothing more can happen to it.
    ///
    /// # Panics
    /// Where the job has not finished.
    pub fn forget(&mut self, job: JobNo) {
        if let Some(job) = self.jobs.get_mut(job.index()) {
            job.forget();
        }
    }

    /// Forgets what every finished job was made of.
    pub fn forget_finished(&mut self) {
        self.jobs.iter_mut().filter(|job| job.is_over()).for_each(Job::forget);
    }

    /// Tells of all tasks that nodes hold, and who holds them.
    pub fn held(&self, mut tell: impl FnMut(Holder, TaskRange)) {
        self.jobs.iter().for_each(|job| job.held(&mut tell));
    }

    /// Tells of all tasks that may be granted now.
    pub fn ready(&self, mut tell: impl FnMut(TaskRange)) {
        self.jobs.iter().for_each(|job| job.ready(&mut tell));
    }

    /// Who holds all of these tasks under one grant, if somebody does.
    #[must_use]
    pub fn holder(&self, range: TaskRange) -> Option<Holder> {
        self.jobs.get(range.job.index())?.holder(range)
    }

    /// The jobs that one waits for, and how each ended as far as is known: those of the same shard
    /// as they are now, as they may have been run once more themselves.
    fn upstream_news(&self, job: JobNo) -> Vec<(JobRef, Option<bool>)> {
        let upstream = self.jobs[job.index()].upstream.iter();
        let now = upstream.map(|&(one, known)| match self.jobs.get(one.job.index()) {
            Some(job) if one.shard == self.shard => (one, job.is_over().then(|| job.is_good())),
            _ => (one, known),
        });
        now.collect()
    }

    /// Checks what must always hold.
    ///
    /// # Panics
    /// Where it does not.
    pub fn check(&self) {
        self.jobs.iter().for_each(Job::check);
    }

    /// Makes a job of the record of its submission.
    fn submit(&mut self, record: &Record, out: &mut Consequences) {
        let Record::Submitted { job: no, name, specs, open, halt, key, about } = record else {
            return;
        };
        assert_eq!(no.index(), self.jobs.len(), "jobs are numbered without gaps");
        let mut job = Job::new(*no, name.clone(), *open);
        (job.halt, job.key) = (*halt, *key);
        job.begin(about);
        let awaits = std::mem::take(&mut self.awaits);
        job.upstream = awaits.into_iter().map(|job| (job, None)).collect();
        job.add(specs, out);
        job.tell_if_over(out);
        self.jobs.push(job);
        if let Some(key) = key {
            self.remember(*key, *no);
        }
    }

    /// Folds one record in; what follows is added to `out`.
    ///
    /// # Panics
    /// Where the record does not fit the state, which only a broken home or journal brings about.
    pub fn apply(&mut self, record: &Record, out: &mut Consequences) {
        match record {
            Record::Opened { epoch } => {
                assert!(*epoch > self.epoch, "an epoch is higher than all before");
                self.epoch = *epoch;
            }
            Record::Submitted { .. } => self.submit(record, out),
            Record::Extended { job, specs } => self.jobs[job.index()].add(specs, out),
            Record::Closed { job } => {
                let closed = &mut self.jobs[job.index()];
                closed.open = false;
                closed.tell_if_over(out);
            }
            Record::Awaits { upstream } => self.awaits = upstream.clone(),
            Record::Arrived { job, upstream, good } => {
                self.jobs[job.index()].arrive_from(*upstream, *good, out);
            }
            Record::Stopping { job, .. } => self.jobs[job.index()].stopping = true,
            Record::Held { job, held, .. } => self.jobs[job.index()].held = *held,
            Record::Prioritised { job, priority } => {
                self.jobs[job.index()].priority = *priority;
            }
            Record::Forgotten { job } => self.jobs[job.index()].erase(),
            Record::Checkpointed { task, step, payload, .. } => {
                let job = &mut self.jobs[task.job.index()];
                job.checkpoints.keep(task.spec, task.index, *step, payload.clone());
            }
            Record::Retried { job } => {
                let news = self.upstream_news(*job);
                self.jobs[job.index()].retry(news, out);
            }
            Record::Granted { node, items } => {
                for &(grant, range) in items {
                    self.last_grant = self.last_grant.max(grant);
                    let holder = Holder { node: *node, epoch: self.epoch, grant };
                    self.jobs[range.job.index()].grant(range, holder);
                }
            }
            Record::Retracted { items } => {
                for &(_, range) in items {
                    self.jobs[range.job.index()].release_grant(range);
                    out.ready.push(range);
                }
            }
            Record::Failed { task, crashed, .. } => {
                let range = TaskRange::one(*task);
                self.jobs[task.job.index()].try_failed(range, *crashed);
                out.ready.push(range);
            }
            Record::Ended { items } => {
                for item in items {
                    let job = &mut self.jobs[item.range.job.index()];
                    if item.end == End::Succeeded {
                        job.keep(item.range, &item.results, item.node);
                    }
                    job.end(item.range, &item.end, out);
                }
            }
            Record::Cancelled { range, running } => {
                self.jobs[range.job.index()].cancel(*range, *running, out);
            }
        }
    }
}
