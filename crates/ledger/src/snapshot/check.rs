//! What must hold between the parts of a job that was read back. Whatever passes here can go on:
//! records that fit it are folded in without a panic.

use bary_model::id::{Epoch, GrantNo, JobNo, SpecNo, TaskRange};
use bary_model::outcome::End;
use roaring::RoaringBitmap;

use crate::array::{ArrayState, Holder};
use crate::graph::Dependent;
use crate::job::Job;
use crate::snapshot::RestoreError;
use crate::spec::{One, Progress, SpecState};

/// What is wrong with a spec's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The state is of another kind or number of tasks than the spec.
    #[error("its state is not of the tasks that it has")]
    Shape,
    /// Ends are of no index, of one twice, or not as many as are said to have ended.
    #[error("its ended tasks do not add up")]
    Ends,
    /// A grant is of an ended, waiting or missing index, of a later reign, or never made.
    #[error("a grant of it cannot have been made")]
    Grants,
    /// More crashes than failures, or failures of no index.
    #[error("its failed attempts do not add up")]
    Tries,
    /// Those that it says wait for it are not those that say so.
    #[error("those that wait for it are not those that say so")]
    Dependents,
    /// What it has heard of others is not what they are.
    #[error("it waits for something else than what the others have not told")]
    Waits,
    /// A checkpoint is of no task, or of one that has ended.
    #[error("a checkpoint of it is of no task that may run")]
    Checkpoints,
    /// Results are kept of what did not succeed, or are not kept where they are wanted.
    #[error("its kept results are not those of its succeeded tasks")]
    Kept,
}

/// Checks a job by itself.
///
/// # Errors
/// Where something in it contradicts something else.
pub(crate) fn job(job: &Job, epoch: Epoch, last_grant: GrantNo) -> Result<(), RestoreError> {
    let mut bounds = job.batches.clone();
    bounds.push(job.specs.len() as u32);
    let begins = bounds[0] == 0;
    if !begins || !bounds.is_sorted() {
        return Err(RestoreError::Batches { job: job.no });
    }
    let at = |(spec, fault)| state_error(job.no, spec, fault);
    for (spec, state) in job.specs.iter().enumerate() {
        state.check(epoch, last_grant).map_err(|fault| at((spec, fault)))?;
    }
    if !job.checkpoints.is_empty() && job.checkpoints.all().next().is_none() {
        return Err(state_error(job.no, 0, Fault::Checkpoints));
    }
    for (spec, index, _) in job.checkpoints.all() {
        let one = TaskRange { job: job.no, spec, first: index, count: 1 };
        let state = job.specs.get(spec.index());
        let there = state.is_some_and(|state| match &state.progress {
            Progress::One(..) => index == 0,
            Progress::Many(array) => index < array.count,
        });
        if !there || job.unended(one).is_empty() {
            return Err(state_error(job.no, spec.index(), Fault::Checkpoints));
        }
    }
    adds_up(job)?;
    let alone = |state: &SpecState| state.dependents.is_empty() && state.spec.after.is_empty();
    let news = |state: &SpecState| state.waits > 0 || state.bad.is_some() || state.told;
    if !job.is_blocked() && job.specs.iter().all(|state| alone(state) && !news(state)) {
        return Ok(());
    }
    same_graph(&job.specs, &bounds).map_err(at)?;
    same_news(job).map_err(at)
}

/// Checks the counts of a job's tasks; one that was forgotten has nothing but these.
fn adds_up(job: &Job) -> Result<(), RestoreError> {
    let (mut tasks, mut succeeded, mut failed) = (0, 0, 0);
    for state in &job.specs {
        let (all, good, bad) = state.counts();
        (tasks, succeeded, failed) = (tasks + all, succeeded + good, failed + bad);
    }
    let forgotten = job.specs.is_empty() && job.succeeded.saturating_add(job.failed) <= job.tasks;
    let good = (tasks, succeeded, failed) == (job.tasks, job.succeeded, job.failed);
    if good || forgotten { Ok(()) } else { Err(RestoreError::Counts { job: job.no }) }
}

fn state_error(job: JobNo, spec: usize, fault: Fault) -> RestoreError {
    RestoreError::State { job, spec: SpecNo(spec as u32), fault }
}

/// Checks that who waits for whom is as the specs say; those that are over may have lost theirs.
fn same_graph(specs: &[SpecState], bounds: &[u32]) -> Result<(), (usize, Fault)> {
    let mut lists: Vec<Vec<Dependent>> = vec![Vec::new(); specs.len()];
    for bound in bounds.windows(2) {
        let (base, end) = (bound[0] as usize, bound[1] as usize);
        for (number, state) in specs.iter().enumerate().take(end).skip(base) {
            // What is over waits for nobody, but does again where its job is retried.
            if state.spec.after.iter().any(|after| after.spec.index() >= end - base) {
                return Err((number, Fault::Dependents));
            }
            let mut slot = 0;
            for after in state.spec.after.iter().filter(|_| state.left() > 0) {
                let list = lists[base..end].get_mut(after.spec.index());
                let place = after.aligned.then_some(slot);
                slot += u32::from(after.aligned);
                list.ok_or((number, Fault::Dependents))?.push((SpecNo(number as u32), place));
            }
        }
    }
    for (number, (state, list)) in specs.iter().zip(&lists).enumerate() {
        let is_known = |(next, _): &&Dependent| specs.get(next.index()).is_some();
        let waits = |(next, _): &&Dependent| specs[next.index()].left() > 0;
        let known = state.dependents.iter().all(|next| is_known(&next));
        if !known || !state.dependents.iter().filter(waits).eq(list) {
            return Err((number, Fault::Dependents));
        }
    }
    Ok(())
}

/// Checks that each spec has heard of those it waits for what they are.
fn same_news(job: &Job) -> Result<(), (usize, Fault)> {
    let specs = &job.specs;
    // What waits for no spec of the job waits for the jobs that the whole of it waits for.
    let first = |state: &SpecState| u32::from(job.is_blocked() && state.spec.after.is_empty());
    let mut waits = vec![0; specs.len()];
    let elsewhere = job.upstream.iter().any(|(_, end)| *end == Some(false));
    for (number, state) in specs.iter().enumerate() {
        if state.told != (state.left() == 0 && !state.dependents.is_empty()) {
            return Err((number, Fault::Waits));
        }
        let ended = state.ended();
        for &(next, slot) in &state.dependents {
            match slot {
                None => waits[next.index()] += u32::from(!state.told),
                Some(slot) if specs[next.index()].has_heard(slot, state, &ended) => {}
                Some(_) => return Err((next.index(), Fault::Waits)),
            }
        }
    }
    for (number, state) in specs.iter().enumerate() {
        let blames = |bad: SpecNo| {
            let told = specs.get(bad.index()).filter(|other| other.told);
            told.is_some_and(|other| !other.all_succeeded())
                || (elsewhere && bad.index() == number && state.spec.after.is_empty())
        };
        // What is over need not hear of jobs elsewhere.
        let hears = if state.left() > 0 {
            state.waits == waits[number] + first(state)
        } else {
            state.waits >= waits[number]
        };
        if !hears || !state.bad.is_none_or(blames) {
            return Err((number, Fault::Waits));
        }
    }
    Ok(())
}

impl SpecState {
    /// Checks the state of one spec by itself.
    fn check(&self, epoch: Epoch, last_grant: GrantNo) -> Result<(), Fault> {
        let aligned = self.spec.after.iter().filter(|after| after.aligned).count();
        let made = |holder: &Holder| holder.epoch <= epoch && holder.grant <= last_grant;
        match &self.progress {
            Progress::One(one, tries) => {
                let open = !matches!(one, One::Ended(_));
                if open && (self.spec.count != 1 || aligned != 0) {
                    return Err(Fault::Shape);
                }
                if open && (*one == One::Blocked) != (self.waits > 0) {
                    return Err(Fault::Waits);
                }
                if matches!(one, One::Granted(holder) if !made(holder)) {
                    return Err(Fault::Grants);
                }
                if tries.crashed > tries.failed {
                    return Err(Fault::Tries);
                }
            }
            Progress::Many(array) => {
                let shape = (self.spec.count, aligned) == (array.count, array.arrived.len());
                if array.left > 0 && !shape {
                    return Err(Fault::Shape);
                }
                array.check_read(self.waits > 0, made)?;
            }
        }
        self.check_kept()
    }

    /// How many tasks it has, how many succeeded and how many ran and failed.
    fn counts(&self) -> (u64, u64, u64) {
        let failed = |end: &End| matches!(end, End::Failed(_) | End::Quarantined(_));
        match &self.progress {
            Progress::One(One::Ended(end), _) => {
                (1, u64::from(*end == End::Succeeded), u64::from(failed(end)))
            }
            Progress::One(..) => (1, 0, 0),
            Progress::Many(array) => {
                let bad = array.ended.values().filter(|(_, end)| failed(end));
                let bad = bad.map(|&(count, _)| u64::from(count)).sum();
                (array.count.into(), array.succeeded.len(), bad)
            }
        }
    }

    fn check_kept(&self) -> Result<(), Fault> {
        let wanted = self.left() == 0 || self.kept.is_some() == self.spec.body.keep_results;
        let good = self.kept.as_ref().is_none_or(|kept| {
            kept.fits(|first, count| match &self.progress {
                Progress::One(..) => self.all_succeeded() && (first, count) == (0, 1),
                Progress::Many(array) => array.succeeded.contains_range(first..first + count),
            })
        });
        if wanted && good { Ok(()) } else { Err(Fault::Kept) }
    }

    /// The indices that have ended.
    fn ended(&self) -> RoaringBitmap {
        match &self.progress {
            Progress::One(One::Ended(_), _) => RoaringBitmap::from([0]),
            Progress::One(..) => RoaringBitmap::new(),
            Progress::Many(array) => {
                let mut ended = array.succeeded.clone();
                for (&first, &(count, _)) in &array.ended {
                    ended.insert_range(first..first + count);
                }
                ended
            }
        }
    }

    /// Whether it knows by index which tasks of `other` have ended, and which of them badly.
    fn has_heard(&self, slot: u32, other: &Self, ended: &RoaringBitmap) -> bool {
        let Progress::Many(array) = &self.progress else { return false };
        let heard = array.arrived.get(slot as usize) == Some(ended);
        let as_many = match &other.progress {
            Progress::One(..) => array.count == 1,
            Progress::Many(other) => array.count == other.count,
        };
        let bad = match &other.progress {
            Progress::One(One::Ended(end), _) => *end == End::Succeeded || array.bad.contains(0),
            Progress::One(..) => true,
            Progress::Many(other) => other
                .ended
                .iter()
                .all(|(&first, &(count, _))| array.bad.contains_range(first..first + count)),
        };
        heard && as_many && bad
    }
}

impl ArrayState {
    /// Checks what [`ArrayState::check`] asserts, and that every index is one of the array's.
    fn check_read(&self, waits: bool, made: impl Fn(&Holder) -> bool) -> Result<(), Fault> {
        let inside = |set: &RoaringBitmap| set.max().is_none_or(|max| max < self.count);
        let ended = self.ended.iter().map(|(&first, &(count, _))| (first, count));
        let good = |(first, (count, end)): (&u32, &(u32, End))| {
            *end != End::Succeeded && self.succeeded.range_cardinality(*first..first + count) == 0
        };
        if !self.in_order(ended.clone()) || !self.ended.iter().all(good) {
            return Err(Fault::Ends);
        }
        let failed: u64 = ended.map(|(_, count)| u64::from(count)).sum();
        let all = self.succeeded.len() + failed + u64::from(self.left);
        if self.count == 0 || all != u64::from(self.count) || !inside(&self.succeeded) {
            return Err(Fault::Ends);
        }
        self.check_active(waits, made)?;
        if self.tries.iter().any(|(&i, tries)| i >= self.count || tries.crashed > tries.failed) {
            return Err(Fault::Tries);
        }
        let heard = self.arrived.iter().fold(RoaringBitmap::new(), |all, set| all | set);
        if inside(&heard) && self.bad.is_subset(&heard) { Ok(()) } else { Err(Fault::Waits) }
    }

    /// Checks that what is held has not ended and waits for nothing.
    fn check_active(&self, waits: bool, made: impl Fn(&Holder) -> bool) -> Result<(), Fault> {
        let active = self.active.iter().map(|(&first, &(count, _))| (first, count));
        let may_run = |(first, count): (u32, u32)| {
            let arrived = |set: &RoaringBitmap| set.contains_range(first..first + count);
            let open = self.unended_set(first, count).len() == u64::from(count);
            !waits && open && self.arrived.iter().all(arrived)
        };
        let good = self.in_order(active.clone())
            && self.active.values().all(|(_, holder)| made(holder))
            && active.into_iter().all(may_run);
        if good { Ok(()) } else { Err(Fault::Grants) }
    }

    /// Whether ranges are of the array's indices, one after the other and none empty.
    fn in_order(&self, ranges: impl Iterator<Item = (u32, u32)>) -> bool {
        let mut free = 0;
        for (first, count) in ranges {
            let end = first.checked_add(count).filter(|&end| end <= self.count);
            match end {
                Some(end) if first >= free && count > 0 => free = end,
                _ => return false,
            }
        }
        true
    }
}
