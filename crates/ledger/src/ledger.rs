//! A shard's ledger: records in, consequences out.

use bary_model::id::{Epoch, Fence, GrantNo, JobNo, NodeId, ShardId, TaskRange};
use bary_model::outcome::End;

use crate::array::Holder;
use crate::consequences::Consequences;
use crate::job::Job;
use crate::record::Record;

/// The jobs of one shard.
#[derive(Clone, Debug, PartialEq)]
pub struct Ledger {
    shard: ShardId,
    epoch: Epoch,
    jobs: Vec<Job>,
    last_grant: GrantNo,
}

impl Ledger {
    /// An empty ledger; `Record::Opened` begins its first reign.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        Self { shard, epoch: Epoch(0), jobs: Vec::new(), last_grant: GrantNo(0) }
    }

    /// The ledger that all records of a journal make; finished jobs are forgotten.
    ///
    /// # Panics
    /// As [`Ledger::apply`].
    #[must_use]
    pub fn replay<'a>(shard: ShardId, records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut ledger = Self::new(shard);
        let mut out = Consequences::default();
        for record in records {
            ledger.apply(record, &mut out);
            for job in std::mem::take(&mut out).finished {
                ledger.forget(job);
            }
        }
        ledger
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

    /// Forgets what a finished job was made of; nothing more can happen to it.
    ///
    /// # Panics
    /// Where the job has not finished.
    pub fn forget(&mut self, job: JobNo) {
        if let Some(job) = self.jobs.get_mut(job.index()) {
            job.forget();
        }
    }

    /// Tells of all tasks that nodes hold, and which node holds them.
    pub fn held(&self, mut tell: impl FnMut(NodeId, TaskRange)) {
        self.jobs.iter().for_each(|job| job.held(&mut tell));
    }

    /// Checks what must always hold.
    ///
    /// # Panics
    /// Where it does not.
    pub fn check(&self) {
        self.jobs.iter().for_each(Job::check);
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
            Record::Submitted { job, name, specs, open } => {
                assert_eq!(job.index(), self.jobs.len(), "jobs are numbered without gaps");
                self.jobs.push(Job::new(*job, name.clone(), *open));
                let job = &mut self.jobs[job.index()];
                job.add(specs, out);
                job.tell_if_over(out);
            }
            Record::Extended { job, specs } => self.jobs[job.index()].add(specs, out),
            Record::Closed { job } => {
                let closed = &mut self.jobs[job.index()];
                closed.open = false;
                closed.tell_if_over(out);
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
