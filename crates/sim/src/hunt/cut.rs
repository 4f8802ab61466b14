//! What can be left out of a plan, by name: small enough that a list of cuts and a seed are a
//! whole plan, and plain enough to be typed.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bary_engine::limits::Limits;
use bary_model::task::TaskSpec;
use bary_model::time::Span;

use crate::plan::chores::Chores;
use crate::plan::{
    Act, FaultKind, JobPlan, Plan, gangs, machines, moves, placing, protocols, steering, ties,
};

/// One thing that is left out. Numbers are positions in the whole plan, before any cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cut {
    /// All nodes but the first so many, with what happens to them.
    Nodes(usize),
    /// A fault.
    Fault(usize),
    /// A job.
    Job(usize),
    /// What a job's client does after so many acts.
    Acts(usize, usize),
    /// The specs of a job's submission after the first so many.
    Specs(usize, usize),
    /// The indices of a job's specs: halved so often, down to 1.
    Half(usize, u32),
    /// A level or a setting: it is as in a calm world.
    Level(usize),
}

/// Makes one level as in a calm world.
type Calming = fn(&mut Plan);

/// The levels by name.
const LEVELS: &[(&str, Calming)] = &[
    ("loss", |plan| plan.network.loss = 0),
    ("twice", |plan| plan.network.twice = 0),
    ("late", |plan| plan.network.late = 0),
    ("deaf", |plan| plan.deaf = 0),
    ("drift", |plan| plan.nodes.iter_mut().for_each(|node| node.drift = 0)),
    ("chores", |plan| plan.nodes.iter_mut().for_each(|node| node.chores = Chores::default())),
    ("machines", machines::leave_out),
    ("sync", |plan| plan.disk.sync = Span::ZERO),
    ("fails", |plan| plan.fates.fails = 0),
    ("hangs", |plan| plan.fates.hangs = 0),
    ("silent", |plan| plan.fates.silent = 0),
    ("poison", |plan| plan.fates.poison = 0),
    ("lies", |plan| plan.fates.lies = false),
    ("changes", |plan| plan.changes.clear()),
    ("stream", |plan| plan.stream = None),
    ("policy", |plan| "gravity".clone_into(&mut plan.policy)),
    ("limits", |plan| plan.limits = Limits::default()),
    ("waits", |plan| plan.jobs.iter_mut().for_each(|job| job.after.clear())),
    ("permits", ties::free),
    ("steering", steering::leave_alone),
    ("gossip", |plan| plan.presence = None),
    ("hosts", tame),
    ("decrees", |plan| plan.decrees.clear()),
    ("protocols", protocols::leave_out),
    ("placing", placing::leave_out),
    ("gangs", gangs::leave_out),
    ("moves", moves::leave_out),
];

/// Why a text is no cut. Nothing was changed; the caller gives another text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` cannot be left out; write fault.3, job.0, acts.0.1, nodes.2 or a level: {levels}"
)]
pub struct CutError {
    /// What was given.
    pub given: String,
    /// The levels, separated by commas.
    pub levels: String,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nodes(keep) => write!(f, "nodes.{keep}"),
            Self::Fault(fault) => write!(f, "fault.{fault}"),
            Self::Job(job) => write!(f, "job.{job}"),
            Self::Acts(job, keep) => write!(f, "acts.{job}.{keep}"),
            Self::Specs(job, keep) => write!(f, "specs.{job}.{keep}"),
            Self::Half(job, times) => write!(f, "half.{job}.{times}"),
            Self::Level(level) => f.write_str(LEVELS[*level].0),
        }
    }
}

impl FromStr for Cut {
    type Err = CutError;

    fn from_str(text: &str) -> Result<Self, CutError> {
        let names = || LEVELS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        let wrong = || CutError { given: text.to_owned(), levels: names().join(", ") };
        if let Some(level) = names().iter().position(|name| *name == text) {
            return Ok(Self::Level(level));
        }
        let mut parts = text.split('.');
        let name = parts.next().unwrap_or_default();
        let numbers = parts.map(|part| part.parse::<usize>().map_err(|_| wrong()));
        match (name, &numbers.collect::<Result<Vec<_>, _>>()?[..]) {
            ("nodes", &[keep]) if keep > 0 => Ok(Self::Nodes(keep)),
            ("fault", &[fault]) => Ok(Self::Fault(fault)),
            ("job", &[job]) => Ok(Self::Job(job)),
            ("acts", &[job, keep]) => Ok(Self::Acts(job, keep)),
            ("specs", &[job, keep]) => Ok(Self::Specs(job, keep)),
            ("half", &[job, times @ 0..32]) => Ok(Self::Half(job, times as u32)),
            _ => Err(wrong()),
        }
    }
}

impl Cut {
    /// Every level there is.
    pub(crate) fn levels() -> impl Iterator<Item = Self> {
        (0..LEVELS.len()).map(Self::Level)
    }
}

/// Leaves all of these out of a plan.
pub(crate) fn apply(plan: &mut Plan, cuts: &[Cut]) {
    // Levels come first, as one of them puts other jobs in place.
    for cut in cuts {
        if let Cut::Level(level) = cut {
            LEVELS[*level].1(plan);
        }
    }
    // What only a node could run that goes must be able to run on another.
    if cuts.iter().any(|cut| matches!(cut, Cut::Nodes(_))) {
        tame(plan);
    }
    for cut in cuts {
        match cut {
            Cut::Acts(job, keep) => on(plan, *job, |job| job.then.truncate(*keep)),
            Cut::Specs(job, keep) => on(plan, *job, |job| specs(job, *keep)),
            Cut::Half(job, times) => on(plan, *job, |job| halve(job, *times)),
            Cut::Level(_) | Cut::Nodes(_) | Cut::Fault(_) | Cut::Job(_) => {}
        }
    }
    let mut place = 0..;
    plan.faults.retain(|_| place.next().is_none_or(|at| !cuts.contains(&Cut::Fault(at))));
    jobs(plan, |at, _| !cuts.contains(&Cut::Job(at)));
    let keep = cuts.iter().filter_map(|cut| match cut {
        Cut::Nodes(keep) => Some(*keep),
        _ => None,
    });
    if let Some(keep) = keep.min().filter(|keep| *keep < plan.nodes.len()) {
        nodes(plan, keep);
    }
}

/// Lets every task ask for what the first node has.
fn tame(plan: &mut Plan) {
    if let Some(jobs) = plan.tame.take() {
        plan.jobs = jobs;
    }
}

fn on(plan: &mut Plan, job: usize, act: impl FnOnce(&mut JobPlan)) {
    if let Some(job) = plan.jobs.get_mut(job) {
        act(job);
    }
}

/// Keeps these jobs; those that stay wait no longer for those that go.
fn jobs(plan: &mut Plan, keep: impl Fn(usize, &JobPlan) -> bool) {
    let kept: Vec<bool> = plan.jobs.iter().enumerate().map(|(at, job)| keep(at, job)).collect();
    let place = |at: usize| kept[..at].iter().filter(|kept| **kept).count();
    for job in &mut plan.jobs {
        job.after.retain(|at| kept[*at]);
        job.after.iter_mut().for_each(|at| *at = place(*at));
    }
    let mut all = kept.iter();
    plan.jobs.retain(|_| all.next().is_none_or(|kept| *kept));
}

/// Keeps the first nodes, and what happens to them alone.
fn nodes(plan: &mut Plan, keep: usize) {
    plan.nodes.truncate(keep);
    jobs(plan, |_, job| job.home < keep);
    plan.changes.retain(|(_, node, _)| *node < keep);
    plan.drains.retain(|drain| drain.asked.max(drain.node) < keep);
    plan.decrees.retain(|decree| decree.home < keep);
    plan.faults.retain_mut(|fault| match &mut fault.kind {
        FaultKind::Partition { first, .. } => {
            first.truncate(keep);
            true
        }
        FaultKind::Crash { node, .. }
        | FaultKind::Death { node }
        | FaultKind::Newcomer { node }
        | FaultKind::Removed { node, .. }
        | FaultKind::Pause { node, .. }
        | FaultKind::Jump { node, .. }
        | FaultKind::SlowNode { node, .. } => *node < keep,
        FaultKind::SyncFails { shard, .. }
        | FaultKind::Full { shard, .. }
        | FaultKind::Rot { shard }
        | FaultKind::SlowDisk { shard, .. } => *shard < keep,
        FaultKind::FalseLeft { node, by, .. } => (*node).max(*by) < keep,
        FaultKind::Takeover { shard, by } => (*shard).max(*by) < keep,
    });
}

/// Keeps the first specs, where none of them waits for one that goes.
fn specs(job: &mut JobPlan, keep: usize) {
    let kept = &job.spec.specs[..keep.min(job.spec.specs.len())];
    let waits = kept.iter().any(|spec| spec.after.iter().any(|after| after.spec.index() >= keep));
    if !waits {
        job.spec.specs = kept.into();
    }
}

/// Halves all arrays of a job so often.
fn halve(job: &mut JobPlan, times: u32) {
    let smaller = |specs: &Arc<[Arc<TaskSpec>]>| -> Arc<[Arc<TaskSpec>]> {
        let each = specs.iter().map(|spec| {
            let count = (spec.count >> times).max(1);
            // What does not come out even is no gang any more.
            let gang = if count.checked_rem(spec.gang.into()) == Some(0) { spec.gang } else { 0 };
            Arc::new(TaskSpec { count, gang, ..TaskSpec::clone(spec) })
        });
        each.collect()
    };
    job.spec.specs = smaller(&job.spec.specs);
    for (_, act) in &mut job.then {
        if let Act::Extend(specs) = act {
            *specs = smaller(specs);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, apply};
    use crate::plan::Plan;

    #[test]
    fn jobs_that_stay_wait_for_the_same_jobs_as_before() {
        let waits = |plan: &Plan| plan.jobs.iter().any(|job| job.after.len() > 1);
        let whole = (0..200).map(Plan::of).find(waits).expect("some plan has such a job");
        let at = whole.jobs.iter().position(|job| job.after.len() > 1).expect("it has one");
        let gone = whole.jobs[at].after[0];
        let mut plan = whole.clone();
        apply(&mut plan, &[Cut::Job(gone)]);
        let key = |plan: &Plan, at: usize| plan.jobs[at].spec.key.map(|key| key.key);
        let awaited = |plan: &Plan, at: usize| -> Vec<_> {
            plan.jobs[at].after.iter().map(|before| key(plan, *before)).collect()
        };
        assert_eq!(key(&plan, at - 1), key(&whole, at));
        assert_eq!(awaited(&plan, at - 1), awaited(&whole, at)[1..]);
    }

    #[test]
    fn a_cut_parses_from_what_it_shows() {
        let mut all: Vec<Cut> = Cut::levels().collect();
        all.extend([Cut::Nodes(2), Cut::Fault(3), Cut::Job(0), Cut::Acts(1, 0)]);
        all.extend([Cut::Specs(2, 1), Cut::Half(0, 4)]);
        for cut in all {
            assert_eq!(cut.to_string().parse(), Ok(cut));
        }
        for wrong in ["nodes.0", "fault", "fault.x", "job.1.2", "half.0.40", "loud", ""] {
            assert!(wrong.parse::<Cut>().is_err(), "{wrong}");
        }
    }
}
