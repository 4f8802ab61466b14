//! A shard's ledger: records in, consequences out.

use bary_model::decree::Decrees;
use bary_model::id::{Epoch, Fence, GrantNo, JobNo, ShardId, TaskRange};
use bary_model::job::{JobRef, SubmissionKey};
use bary_model::outcome::End;
use bary_model::time::Wall;

use crate::array::Holder;
use crate::consequences::Consequences;
use crate::job::Job;
use crate::jobs::{Gone, Jobs};
use crate::keys::{Keys, Used};
use crate::record::Record;
use crate::survey::Bygone;

/// The jobs of one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    pub(crate) shard: ShardId,
    pub(crate) epoch: Epoch,
    /// The latest moment of the calendar that is on record.
    pub(crate) at: Wall,
    pub(crate) jobs: Jobs,
    pub(crate) last_grant: GrantNo,
    /// What the job that is submitted next waits for.
    pub(crate) awaits: Vec<JobRef>,
    /// Under which keys jobs were submitted.
    pub(crate) keys: Keys,
    /// What holds for the shard as a whole, and for nodes.
    pub(crate) decrees: Decrees,
}

impl Ledger {
    /// An empty ledger; `Record::Opened` begins its first reign.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        let (epoch, at, jobs, last_grant) = (Epoch(0), Wall(0), Jobs::default(), GrantNo(0));
        let (awaits, keys, decrees) = (Vec::new(), Keys::default(), Decrees::default());
        Self { shard, epoch, at, jobs, last_grant, awaits, keys, decrees }
    }

    /// The ledger that all records of a journal make, each with the moment of the calendar at
    /// which it was written.
    ///
    /// # Panics
    /// As [`Ledger::apply`].
    #[must_use]
    pub fn replay<'a>(
        shard: ShardId,
        records: impl IntoIterator<Item = (Wall, &'a Record)>,
    ) -> Self {
        let mut ledger = Self::new(shard);
        let mut out = Consequences::default();
        for (at, record) in records {
            ledger.pass(at);
            ledger.apply(record, &mut out);
            out = Consequences::default();
        }
        ledger
    }

    /// The job that was submitted under this key, and the key as it was given then; nothing where
    /// that is too long ago by now.
    #[must_use]
    pub fn submitted(&self, key: SubmissionKey, now: Wall) -> Option<(JobNo, SubmissionKey)> {
        self.keys.find(key.key, now.max(self.at))
    }

    /// The records that follow were written at this moment of the calendar, or later. A clock that
    /// was set back changes nothing.
    pub fn pass(&mut self, at: Wall) {
        if at > self.at {
            self.at = at;
            self.keys.pass(at);
        }
    }

    /// The latest moment of the calendar at which a record is known to have been written; 0 where
    /// none is.
    #[must_use]
    pub fn at(&self) -> Wall {
        self.at
    }

    /// The shard.
    #[must_use]
    pub fn shard(&self) -> ShardId {
        self.shard
    }

    /// What holds for the shard as a whole, and for nodes.
    #[must_use]
    pub fn decrees(&self) -> &Decrees {
        &self.decrees
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

    /// The job of this number, if there is one that is not forgotten.
    #[must_use]
    pub fn job(&self, job: JobNo) -> Option<&Job> {
        self.jobs.get(job)
    }

    /// Of a job that was forgotten, whether all its tasks had succeeded.
    #[must_use]
    pub fn gone(&self, job: JobNo) -> Option<bool> {
        self.jobs.gone(job)
    }

    /// How many jobs there ever were; the next job has this number.
    #[must_use]
    pub fn jobs(&self) -> usize {
        self.jobs.end()
    }

    /// The jobs that are not forgotten, by number.
    pub fn numbers(&self) -> impl Iterator<Item = JobNo> {
        self.jobs.iter().map(|job| job.no)
    }

    /// Those that were forgotten, neighbours together.
    #[must_use]
    pub fn all_gone(&self) -> Vec<Gone> {
        self.jobs.all_gone()
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
        let job = self.jobs.get(range.job);
        fence.shard == self.shard
            && job.is_some_and(|job| job.is_current(range, fence.epoch, fence.grant))
    }

    /// The parts of a range whose current grant is the one that a fence names.
    #[must_use]
    pub fn current(&self, fence: Fence, range: TaskRange) -> Vec<TaskRange> {
        let job = self.jobs.get(range.job).filter(|_| fence.shard == self.shard);
        job.map_or_else(Vec::new, |job| job.current(range, fence.epoch, fence.grant))
    }

    /// Forgets what a finished job was made of; nothing more can happen to it.
    ///
    /// # Panics
    /// Where the job has not finished.
    pub fn forget(&mut self, job: JobNo) {
        if let Some(job) = self.jobs.get_mut(job) {
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
        self.jobs.get(range.job)?.holder(range)
    }

    /// The jobs that one waits for, and how each ended as far as is known: those of the same shard
    /// as they are now, as they may have been run once more themselves.
    fn upstream_news(&self, job: JobNo) -> Vec<(JobRef, Option<bool>)> {
        let upstream = self.jobs.get(job).into_iter().flat_map(|job| &job.upstream);
        let now = upstream.map(|&(one, known)| match self.jobs.get(one.job) {
            _ if one.shard != self.shard => (one, known),
            Some(job) => (one, job.is_over().then(|| job.is_good())),
            None => (one, self.jobs.gone(one.job).or(known)),
        });
        now.collect()
    }

    /// Checks what must always hold.
    ///
    /// # Panics
    /// Where it does not.
    pub fn check(&self) {
        self.jobs.check();
    }

    /// Begins after what was left out of the log.
    fn begin(&mut self, bygone: &Bygone) {
        let Bygone { last_grant, next, gone, keys } = bygone;
        self.last_grant = *last_grant;
        self.jobs.begin(*next, gone);
        keys.iter().for_each(|used| self.keys.remember(*used));
    }

    /// Makes a job of the record of its submission.
    fn submit(&mut self, record: &Record, out: &mut Consequences) {
        let Record::Submitted { job: no, name, specs, open, halt, key, about } = record else {
            return;
        };
        let mut job = Job::new(*no, name.clone(), *open);
        (job.halt, job.key) = (*halt, *key);
        job.begin(about);
        let awaits = std::mem::take(&mut self.awaits);
        job.upstream = awaits.into_iter().map(|job| (job, None)).collect();
        job.add(specs, out);
        job.tell_if_over(out);
        // The keys of jobs before the log's beginning were told then.
        if self.jobs.put(job)
            && let Some(key) = key
        {
            self.keys.remember(Used::of(self.shard, *key, *no, self.at, about));
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
            Record::Extended { job, specs } => self.jobs.known(*job).add(specs, out),
            Record::Closed { job } => {
                let closed = self.jobs.known(*job);
                closed.open = false;
                closed.tell_if_over(out);
            }
            Record::Awaits { upstream } => self.awaits = upstream.clone(),
            Record::Arrived { job, upstream, good } => {
                self.jobs.known(*job).arrive_from(*upstream, *good, out);
            }
            Record::Stopping { job, .. } => self.jobs.known(*job).stopping = true,
            Record::Held { job, held, .. } => self.jobs.known(*job).held = *held,
            Record::Prioritised { job, priority } => {
                self.jobs.known(*job).priority = *priority;
            }
            Record::Forgotten { job } => self.jobs.erase(*job),
            Record::Bygone { bygone } => self.begin(bygone),
            Record::Decreed { decree } => self.decrees.take_in(decree),
            Record::Ran { .. } => {}
            Record::Checkpointed { task, step, payload, .. } => {
                let job = self.jobs.known(task.job);
                job.checkpoints.keep(task.spec, task.index, *step, payload.clone());
            }
            Record::Retried { job } => {
                let news = self.upstream_news(*job);
                self.jobs.known(*job).retry(news, out);
            }
            Record::Granted { node, items } => {
                for &(grant, range) in items {
                    self.last_grant = self.last_grant.max(grant);
                    let holder = Holder { node: *node, epoch: self.epoch, grant };
                    self.jobs.known(range.job).grant(range, holder);
                }
            }
            Record::Retracted { items } => {
                for &(_, range) in items {
                    self.jobs.known(range.job).release_grant(range);
                    out.ready.push(range);
                }
            }
            Record::Failed { task, crashed, .. } => {
                let range = TaskRange::one(*task);
                self.jobs.known(task.job).try_failed(range, *crashed);
                out.ready.push(range);
            }
            Record::Ended { items } => {
                for item in items {
                    let job = self.jobs.known(item.range.job);
                    if item.end == End::Succeeded {
                        job.keep(item.range, &item.results, item.node);
                    }
                    job.end(item.range, &item.end, out);
                }
            }
            Record::Cancelled { range, running } => {
                self.jobs.known(range.job).cancel(*range, *running, out);
            }
        }
    }
}
