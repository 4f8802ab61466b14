//! What of a log still counts, so that the rest need not be kept: all but the records of jobs that
//! were forgotten. A log is read twice, first to survey it, then to keep what survives, and what
//! is kept makes the same ledger as the whole log did.

use bary_model::id::{Epoch, GrantNo, JobNo, ShardId};
use bary_model::job::JobRef;
use bary_model::outcome::End;
use bary_model::time::Wall;
use serde::{Deserialize, Serialize};

use crate::jobs::Gone;
use crate::keys::{Keys, Used};
use crate::record::Record;

/// What stands for all records that were left out of a log. It comes before those that were kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bygone {
    /// The number of the last grant.
    pub last_grant: GrantNo,
    /// The number of the next job.
    pub next: JobNo,
    /// The jobs before it that were forgotten, in order.
    pub gone: Vec<Gone>,
    /// The keys of all jobs before it that are remembered, in the order in which they were used.
    pub keys: Vec<Used>,
}

/// A log on its way through the first reading.
#[derive(Debug)]
pub struct Survey {
    shard: ShardId,
    epoch: Epoch,
    at: Wall,
    last_grant: GrantNo,
    jobs: Vec<Facts>,
    /// How many jobs there were when the log began.
    before: usize,
    awaits: Vec<JobRef>,
    keys: Keys,
}

/// What matters of a job.
#[derive(Clone, Debug, Default)]
struct Facts {
    tasks: u64,
    succeeded: u64,
    fate: Fate,
    /// Whether what did not succeed was run once more, which asked how its upstream had ended.
    retried: bool,
    upstream: Box<[JobNo]>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Fate {
    #[default]
    Kept,
    /// It was forgotten.
    Forgotten,
    /// It was left out before, and had been good, or not.
    Gone(bool),
}

impl Survey {
    /// Nothing read so far of the log of a shard.
    #[must_use]
    pub fn new(shard: ShardId) -> Self {
        Self {
            shard,
            epoch: Epoch(0),
            at: Wall(0),
            last_grant: GrantNo(0),
            jobs: Vec::new(),
            before: 0,
            awaits: Vec::new(),
            keys: Keys::default(),
        }
    }

    /// Reads a batch. One of a reign that was over is passed over.
    pub fn take_in(&mut self, epoch: Epoch, at: Wall, records: &[Record]) {
        if epoch < self.epoch {
            return;
        }
        if at > self.at {
            self.at = at;
            self.keys.pass(at);
        }
        records.iter().for_each(|record| self.fold(record));
    }

    fn fold(&mut self, record: &Record) {
        match record {
            Record::Opened { epoch } => self.epoch = *epoch,
            Record::Bygone { bygone } => self.begin(bygone),
            Record::Awaits { upstream } => self.awaits = upstream.clone(),
            Record::Submitted { .. } => self.submit(record),
            Record::Extended { job, specs } => {
                self.job(*job).tasks += specs.iter().map(|spec| u64::from(spec.count)).sum::<u64>();
            }
            Record::Retried { job } => self.job(*job).retried = true,
            Record::Forgotten { job } => self.job(*job).fate = Fate::Forgotten,
            Record::Granted { items, .. } => {
                let last = items.iter().map(|(grant, _)| *grant).max();
                self.last_grant = self.last_grant.max(last.unwrap_or_default());
            }
            Record::Ended { items } => {
                for item in items.iter().filter(|item| item.end == End::Succeeded) {
                    self.job(item.range.job).succeeded += u64::from(item.range.count);
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, bygone: &Bygone) {
        self.last_grant = bygone.last_grant;
        self.jobs = vec![Facts::default(); bygone.next.index()];
        self.before = self.jobs.len();
        for Gone { first, count, good } in &bygone.gone {
            let gone = self.jobs.iter_mut().skip(first.index()).take(*count as usize);
            gone.for_each(|job| job.fate = Fate::Gone(*good));
        }
        bygone.keys.iter().for_each(|used| self.keys.remember(*used));
    }

    fn submit(&mut self, record: &Record) {
        let Record::Submitted { job, specs, key, about, .. } = record else { return };
        let own = std::mem::take(&mut self.awaits).into_iter();
        let own = own.filter(|one| one.shard == self.shard).map(|one| one.job);
        let (tasks, upstream) =
            (specs.iter().map(|spec| u64::from(spec.count)).sum(), own.collect());
        *self.job(*job) = Facts { tasks, upstream, ..Facts::default() };
        if let Some(key) = key.filter(|_| job.index() >= self.before) {
            self.keys.remember(Used::of(self.shard, key, *job, self.at, about));
        }
    }

    fn job(&mut self, no: JobNo) -> &mut Facts {
        if self.jobs.len() <= no.index() {
            self.jobs.resize(no.index() + 1, Facts::default());
        }
        &mut self.jobs[no.index()]
    }

    /// What survives.
    #[must_use]
    pub fn finish(self) -> Survivors {
        let stays = self.stay();
        let mut gone: Vec<Gone> = Vec::new();
        for (no, (job, stays)) in self.jobs.iter().zip(&stays).enumerate() {
            let no = JobNo(no as u32);
            let good = match job.fate {
                Fate::Gone(good) => good,
                Fate::Kept | Fate::Forgotten => job.tasks == job.succeeded,
            };
            match gone.last_mut() {
                _ if *stays => {}
                Some(last) if last.good == good && last.first.0 + last.count == no.0 => {
                    last.count += 1;
                }
                _ => gone.push(Gone { first: no, count: 1, good }),
            }
        }
        let (last_grant, next) = (self.last_grant, JobNo(self.jobs.len() as u32));
        let bygone = Bygone { last_grant, next, gone, keys: self.keys.all().collect() };
        Survivors { at: self.at, epoch: Epoch(0), stays, bygone }
    }

    /// Which jobs stay: those that are not forgotten, and those whose end one of them asked for
    /// again when it was retried, as it may have been another then.
    fn stay(&self) -> Vec<bool> {
        let mut stays: Vec<bool> = self.jobs.iter().map(|job| job.fate == Fate::Kept).collect();
        let mut left: Vec<usize> = (0..stays.len()).filter(|no| stays[*no]).collect();
        while let Some(no) = left.pop() {
            let job = &self.jobs[no];
            for upstream in job.upstream.iter().filter(|_| job.retried) {
                let no = upstream.index();
                let forgotten = self.jobs.get(no).is_some_and(|job| job.fate == Fate::Forgotten);
                if forgotten && !stays[no] {
                    stays[no] = true;
                    left.push(no);
                }
            }
        }
        stays
    }
}

/// What of a surveyed log is kept, for the second reading.
#[derive(Debug)]
pub struct Survivors {
    at: Wall,
    epoch: Epoch,
    stays: Vec<bool>,
    bygone: Bygone,
}

impl Survivors {
    /// The latest moment of the calendar in what was surveyed; the kept log begins at it.
    #[must_use]
    pub fn at(&self) -> Wall {
        self.at
    }

    /// Whether anything is left out that was not before.
    #[must_use]
    pub fn leaves_out(&self) -> bool {
        self.stays.contains(&false)
    }

    /// What comes before all batches that are kept.
    #[must_use]
    pub fn begin(&self) -> Record {
        Record::Bygone { bygone: Box::new(self.bygone.clone()) }
    }

    /// What is kept of a batch, and what is not. Batches are given in their order.
    pub fn divide(&mut self, epoch: Epoch, records: Vec<Record>) -> (Vec<Record>, Vec<Record>) {
        if epoch < self.epoch {
            return (Vec::new(), records);
        }
        let (mut kept, mut left, mut awaits) = (Vec::new(), Vec::new(), None);
        for record in records {
            match record {
                Record::Opened { epoch } => {
                    self.epoch = epoch;
                    kept.push(record);
                }
                Record::Bygone { .. } => {}
                Record::Awaits { .. } => awaits = Some(record),
                Record::Submitted { job, .. } if self.stays(job) => {
                    kept.extend(awaits.take());
                    kept.push(record);
                }
                record => self.part(record, &mut kept, &mut left),
            }
        }
        (kept, left)
    }

    fn stays(&self, job: JobNo) -> bool {
        self.stays.get(job.index()).copied().unwrap_or(true)
    }

    /// Divides one record, which may be about several jobs.
    fn part(&self, record: Record, kept: &mut Vec<Record>, left: &mut Vec<Record>) {
        match record {
            Record::Granted { node, items } => {
                let (stay, go) = self.parts(items, |item| item.1.job);
                let granted = |items| Record::Granted { node, items };
                put(kept, stay, granted);
                put(left, go, granted);
            }
            Record::Retracted { items } => {
                let (stay, go) = self.parts(items, |item| item.1.job);
                put(kept, stay, |items| Record::Retracted { items });
                put(left, go, |items| Record::Retracted { items });
            }
            Record::Ended { items } => {
                let (stay, go) = self.parts(items, |item| item.range.job);
                put(kept, stay, |items| Record::Ended { items });
                put(left, go, |items| Record::Ended { items });
            }
            record => {
                let stays = record.of_job().is_none_or(|job| self.stays(job));
                if stays { kept.push(record) } else { left.push(record) }
            }
        }
    }

    fn parts<T>(&self, items: Vec<T>, job: impl Fn(&T) -> JobNo) -> (Vec<T>, Vec<T>) {
        items.into_iter().partition(|item| self.stays(job(item)))
    }
}

fn put<T>(into: &mut Vec<Record>, items: Vec<T>, record: impl Fn(Vec<T>) -> Record) {
    if !items.is_empty() {
        into.push(record(items));
    }
}
