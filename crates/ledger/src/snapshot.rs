//! A ledger at one moment, to be written down so that the records before it need not be kept.
//! Arrays stay sets and ranges. What is read back is held against itself before it is believed.

use std::sync::Arc;

use bary_model::decree::Decrees;
use bary_model::id::{Epoch, GrantNo, JobNo, ShardId, SpecNo};
use bary_model::job::{About, Halt, JobRef, SubmissionKey};
use bary_model::task::TaskSpec;
use bary_model::time::Wall;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoints;
use crate::graph::Dependent;
use crate::job::Job;
use crate::jobs::{self, Gone};
use crate::kept::Kept;
use crate::keys::Used;
use crate::ledger::Ledger;
use crate::snapshot::check::Fault;
use crate::spec::{Progress, SpecState, spent};

pub mod check;

/// All that a ledger knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The shard.
    pub shard: ShardId,
    /// The reign of whoever opened it last.
    pub epoch: Epoch,
    /// The latest moment of the calendar that is on record.
    pub at: Wall,
    /// The number of the last grant.
    pub last_grant: GrantNo,
    /// The keys that are remembered, in the order in which they were used.
    pub keys: Vec<Used>,
    /// What holds for the shard as a whole, and for nodes.
    pub decrees: Decrees,
    /// The jobs that were forgotten, neighbours together, in order of their numbers.
    pub gone: Vec<Gone>,
    /// The others, in order of theirs.
    pub jobs: Vec<JobSnapshot>,
}

/// All that a ledger knows of a job; one whose specs are kept no longer has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSnapshot {
    /// Its name.
    pub name: Box<str>,
    /// Whether specs may still be added.
    pub open: bool,
    /// When it ends early, if it may.
    pub halt: Option<Halt>,
    /// The key under which it was submitted, if it has one.
    pub key: Option<SubmissionKey>,
    /// Whose it is, as it was submitted.
    pub about: Arc<About>,
    /// What is added to the priority of each of its tasks.
    pub priority: i32,
    /// Whether it is held.
    pub held: bool,
    /// What its tasks have left for their next attempts.
    pub checkpoints: Checkpoints,
    /// Whether it is being cancelled.
    pub stopping: bool,
    /// How often what did not succeed of it was run once more.
    pub generation: u32,
    /// The jobs that it waits for, and whether each succeeded where it has finished.
    pub upstream: Vec<(JobRef, Option<bool>)>,
    /// Tasks that were submitted.
    pub tasks: u64,
    /// Tasks that succeeded.
    pub succeeded: u64,
    /// Tasks that ran and failed for good.
    pub failed: u64,
    /// The number of the first spec of each batch.
    pub batches: Vec<u32>,
    /// The specs, in order of their numbers.
    #[serde(with = "bary_model::sharing::specs")]
    pub specs: Arc<[Arc<TaskSpec>]>,
    /// How far each of them is; as many as there are specs.
    pub states: Vec<SpecSnapshot>,
}

/// How far a spec is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpecSnapshot {
    dependents: Box<[Dependent]>,
    progress: Progress,
    kept: Option<Box<Kept>>,
    waits: u32,
    bad: Option<SpecNo>,
    told: bool,
}

/// Why a snapshot is no ledger. Nothing was made; the snapshot is damaged or of a stranger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// Forgotten jobs that overlap, or leave places for more jobs than there are.
    #[error("the jobs that were forgotten are not between the others")]
    Numbers,
    /// Specs without states, or states without specs.
    #[error("job {} has {specs} specs, but states of {states}", .job.0)]
    Uneven {
        /// The job.
        job: JobNo,
        /// How many specs it has.
        specs: usize,
        /// How many states.
        states: usize,
    },
    /// Batches that do not begin with the first spec, or do not follow each other.
    #[error("the batches of job {} do not divide its specs", .job.0)]
    Batches {
        /// The job.
        job: JobNo,
    },
    /// Counts of tasks that are not those of the states.
    #[error("the tasks of job {} do not add up", .job.0)]
    Counts {
        /// The job.
        job: JobNo,
    },
    /// A state that cannot be, by itself or beside the others.
    #[error("spec {} of job {}: {fault}", .spec.0, .job.0)]
    State {
        /// The job.
        job: JobNo,
        /// The spec.
        spec: SpecNo,
        /// What is wrong with it.
        fault: Fault,
    },
}

impl Ledger {
    /// All that it knows, as large as what is not over: sets of indices are made small first.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        // Awaits belong to one batch, and no snapshot is taken inside one.
        let Self { shard, epoch, at, jobs, last_grant, keys, decrees, awaits: _ } = self;
        let (shard, epoch, at, last_grant) = (*shard, *epoch, *at, *last_grant);
        let (jobs, keys) = (jobs.iter().map(Job::snapshot).collect(), keys.all().collect());
        let (decrees, gone) = (decrees.clone(), self.jobs.all_gone());
        Snapshot { shard, epoch, at, last_grant, keys, decrees, gone, jobs }
    }

    /// The ledger that a snapshot is of.
    ///
    /// # Errors
    /// Where the snapshot contradicts itself.
    pub fn restore(snapshot: Snapshot) -> Result<Self, RestoreError> {
        let Snapshot { shard, epoch, at, last_grant, keys, decrees, gone, jobs } = snapshot;
        let mut ledger = Self { epoch, at, last_grant, decrees, ..Self::new(shard) };
        keys.into_iter().for_each(|used| ledger.keys.remember(used));
        let mut numbers = numbers(&gone, jobs.len())?;
        let all = jobs.len() as u64 + gone.iter().map(|one| u64::from(one.count)).sum::<u64>();
        ledger.jobs.begin(JobNo(all as u32), &gone);
        for job in jobs {
            let Some(no) = numbers.next() else { return Err(RestoreError::Numbers) };
            let job = job.restore(no)?;
            check::job(&job, epoch, last_grant)?;
            ledger.jobs.put(job);
        }
        Ok(ledger)
    }
}

/// The numbers of so many jobs, between those that were forgotten.
fn numbers(gone: &[Gone], jobs: usize) -> Result<impl Iterator<Item = JobNo>, RestoreError> {
    let (mut next, mut all) = (0, jobs as u64);
    for one in gone {
        let range = jobs::range(one);
        if range.start < next || range.is_empty() {
            return Err(RestoreError::Numbers);
        }
        next = range.end;
        all += u64::from(one.count);
    }
    if next > all || all > u64::from(u32::MAX) {
        return Err(RestoreError::Numbers);
    }
    let mut gone = gone.iter().map(jobs::range).peekable();
    let free = (0..all).filter(move |no| {
        while gone.next_if(|range| range.end <= *no).is_some() {}
        !gone.peek().is_some_and(|range| range.contains(no))
    });
    Ok(free.map(|no| JobNo(no as u32)))
}

impl Job {
    fn snapshot(&self) -> JobSnapshot {
        // Numbers follow from the order, and what is left from the states.
        let Self {
            no: _,
            name,
            open,
            halt,
            key,
            about,
            priority,
            held,
            checkpoints,
            stopping,
            generation,
            upstream,
            tasks,
            left: _,
            succeeded,
            failed,
            specs,
            batches,
        } = self;
        JobSnapshot {
            name: name.clone(),
            open: *open,
            halt: *halt,
            key: *key,
            about: Arc::clone(about),
            priority: *priority,
            held: *held,
            checkpoints: checkpoints.clone(),
            stopping: *stopping,
            generation: *generation,
            upstream: upstream.clone(),
            tasks: *tasks,
            succeeded: *succeeded,
            failed: *failed,
            batches: batches.clone(),
            specs: specs.iter().map(|state| Arc::clone(&state.spec)).collect(),
            states: specs.iter().map(SpecState::snapshot).collect(),
        }
    }
}

impl JobSnapshot {
    fn restore(self, no: JobNo) -> Result<Job, RestoreError> {
        let Self {
            name,
            open,
            halt,
            key,
            about,
            priority,
            held,
            checkpoints,
            stopping,
            generation,
            upstream,
            tasks,
            succeeded,
            failed,
            batches,
            specs,
            states,
        } = self;
        if specs.len() != states.len() {
            let (specs, states) = (specs.len(), states.len());
            return Err(RestoreError::Uneven { job: no, specs, states });
        }
        let states = specs.iter().zip(states).map(|(spec, state)| state.restore(spec));
        let specs: Vec<SpecState> = states.collect();
        let left = specs.iter().map(|state| u64::from(state.left())).sum();
        Ok(Job {
            no,
            name,
            open,
            halt,
            key,
            about,
            priority,
            held,
            checkpoints,
            stopping,
            generation,
            upstream,
            tasks,
            left,
            succeeded,
            failed,
            specs,
            batches,
        })
    }
}

impl SpecState {
    fn snapshot(&self) -> SpecSnapshot {
        let Self { spec: _, dependents, progress, kept, waits, bad, told } = self;
        let mut progress = progress.clone();
        if let Progress::Many(array) = &mut progress {
            array.compact();
        }
        SpecSnapshot {
            dependents: dependents.clone(),
            progress,
            kept: kept.clone(),
            waits: *waits,
            bad: *bad,
            told: *told,
        }
    }
}

impl SpecSnapshot {
    fn restore(self, spec: &Arc<TaskSpec>) -> SpecState {
        let Self { dependents, progress, kept, waits, bad, told } = self;
        let spec = Arc::clone(spec);
        let mut state = SpecState { spec, dependents, progress, kept, waits, bad, told };
        if state.left() == 0 && *state.spec == *spent() {
            // There may be very many of these: they share one again.
            state.spec = spent();
        }
        state
    }
}
