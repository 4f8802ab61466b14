//! Judges a world from outside: only what goes into engines and comes out of them is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Reply, Request};
use bary_engine::limits::Limits;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{JobNo, TaskId, TaskRange};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::node::NodeInfo;
use bary_model::outcome::{End, Outcome};
use bary_model::task::{RunIf, TaskSpec};

use super::stage::Stage;
use crate::hands::result;
use crate::world::Seen;

/// What is known of one job.
#[derive(Default)]
struct Trace {
    specs: Vec<Arc<TaskSpec>>,
    /// The number of the first spec of the batch that each spec came with.
    base: Vec<u32>,
    ends: Vec<Vec<Option<End>>>,
    left: u64,
    finished: bool,
    /// A hard cancel was acknowledged.
    dead: bool,
}

/// How often a task was executed, and how those executions ended.
#[derive(Default)]
struct Executions {
    succeeded: u32,
    failed: u32,
    crashed: u32,
}

/// Everything seen so far, told apart by home.
pub(super) struct Oracle {
    jobs: BTreeMap<(usize, JobNo), Trace>,
    cancelled: BTreeSet<(usize, JobNo)>,
    tickets: BTreeMap<u64, (JobNo, bool)>,
    executions: BTreeMap<(usize, TaskId), Executions>,
    /// Tasks that run somewhere right now.
    running: BTreeSet<(usize, TaskId)>,
    stages: Vec<Stage>,
    pub(super) records: Vec<Vec<Record>>,
}

impl Oracle {
    pub(super) fn new(nodes: &[NodeInfo], limits: &Limits) -> Self {
        Self {
            jobs: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            tickets: BTreeMap::new(),
            executions: BTreeMap::new(),
            running: BTreeSet::new(),
            stages: nodes.iter().map(|node| Stage::new(node, limits)).collect(),
            records: nodes.iter().map(|_| Vec::new()).collect(),
        }
    }

    pub(super) fn see(&mut self, node: usize, seen: &Seen<'_>) {
        match seen {
            Seen::Input(Input::Request { ticket, request: Request::Cancel { job, running } }) => {
                self.tickets.insert(*ticket, (*job, *running));
                self.cancelled.insert((node, *job));
            }
            Seen::Input(Input::Ended { run, items }) => {
                for item in items {
                    self.executed(item);
                }
                self.stages[node].ended(*run, items);
            }
            Seen::Input(Input::Received { from, frame }) => {
                if let Some((_, message)) = &frame.body {
                    self.stages[node].received(*from, &message.say);
                }
            }
            Seen::Effect(Effect::Start { run, slot, items, .. }) => {
                for item in items {
                    self.started(item);
                }
                self.stages[node].started(*run, *slot, items);
            }
            Seen::Effect(Effect::Send { frame, .. }) => {
                if let Some((_, message)) = &frame.body {
                    self.stages[node].sent(&message.say);
                }
            }
            Seen::Effect(Effect::Tell(event)) => self.told(node, &event.kind),
            Seen::Effect(Effect::Reply { ticket, reply }) => self.replied(node, *ticket, reply),
            Seen::Effect(Effect::Append { records, .. }) => {
                records.iter().for_each(|record| self.recorded(node, record));
                self.records[node].extend(records.iter().cloned());
            }
            _ => {}
        }
    }

    /// Specs are known from their record on: their tasks may start before it is durable.
    fn recorded(&mut self, home: usize, record: &Record) {
        let (Record::Submitted { job, specs, .. } | Record::Extended { job, specs }) = record
        else {
            return;
        };
        let trace = self.jobs.entry((home, *job)).or_default();
        let base = trace.specs.len() as u32;
        for spec in specs.iter() {
            trace.specs.push(Arc::clone(spec));
            trace.base.push(base);
            trace.ends.push(vec![None; spec.count as usize]);
            trace.left += u64::from(spec.count);
        }
    }

    fn replied(&mut self, node: usize, ticket: u64, reply: &Reply) {
        assert!(
            !matches!(reply, Reply::Refused(why) if !why.to_string().contains("no open job")),
            "everything that is drawn can be done: {reply:?}"
        );
        if let (Some((job, true)), Reply::Done) = (self.tickets.get(&ticket), reply) {
            let trace = self.jobs.get_mut(&(node, *job)).expect("a cancelled job is there");
            trace.dead = true;
            assert_eq!(trace.left, 0, "a hard cancel ends every task first");
        }
    }

    fn told(&mut self, home: usize, kind: &EventKind) {
        match kind {
            EventKind::Submitted { job, first, specs } => {
                let known = &self.jobs[&(home, *job)].specs[first.index()..];
                assert!(known.iter().zip(specs.iter()).all(|(a, b)| Arc::ptr_eq(a, b)));
            }
            EventKind::Ended(ended) => {
                let trace = self.end(home, ended.range, &ended.end);
                assert!(!trace.dead, "I5: {:?} ended after a hard cancel", ended.range);
                let spec = &trace.specs[ended.range.spec.index()];
                assert!(ended.attempt <= spec.body.retries + 1, "attempts are bounded");
            }
            EventKind::Dropped { range, end, .. } => {
                self.end(home, *range, end);
                let cancelled = self.cancelled.contains(&(home, range.job));
                assert!(*end == End::Skipped || cancelled, "{range:?} was never cancelled");
                for task in range.tasks().filter(|_| *end == End::Skipped) {
                    let trace = &self.jobs[&(home, task.job)];
                    assert!(!trace.may_run(task), "I3: {task:?} was skipped for nothing");
                }
            }
            EventKind::Superseded { range, .. } => {
                let cancelled = self.cancelled.contains(&(home, range.job));
                assert!(cancelled, "{range:?} superseded without a cancel");
            }
            EventKind::Finished { job } => {
                let trace = self.jobs.get_mut(&(home, *job)).expect("a job is told before its end");
                assert_eq!(trace.left, 0, "I10: {job:?} finished before its tasks");
                assert!(!trace.finished, "I1: {job:?} finished twice");
                trace.finished = true;
            }
            _ => {}
        }
    }

    fn end(&mut self, home: usize, range: TaskRange, end: &End) -> &Trace {
        let trace = self.jobs.get_mut(&(home, range.job)).expect("a job is told before its tasks");
        for task in range.tasks() {
            let slot = &mut trace.ends[range.spec.index()][task.index as usize];
            assert!(slot.is_none(), "I1: {task:?} of {home} ended as {slot:?} and as {end:?}");
            *slot = Some(end.clone());
        }
        trace.left -= u64::from(range.count);
        trace
    }

    fn started(&mut self, item: &GrantItem) {
        let home = home_of(item.fence);
        let trace = &self.jobs[&(home, item.range.job)];
        for task in item.range.tasks() {
            assert!(self.running.insert((home, task)), "I2: {task:?} runs twice at a time");
            assert!(trace.may_run(task), "I3: {task:?} of {home} started too early");
        }
        let base = trace.base[item.range.spec.index()];
        for (at, one) in item.spec.body.uses.iter().enumerate() {
            let given = item.upstream.as_ref().map(|all| &all[at]).expect("uses are given");
            let ends = &trace.ends[(base + one.spec.0) as usize];
            let keeps = trace.specs[(base + one.spec.0) as usize].body.keep_results;
            let wanted: Vec<u32> = (0..ends.len() as u32)
                .filter(|index| keeps && (!one.aligned || *index == item.range.first))
                .filter(|index| ends[*index as usize] == Some(End::Succeeded))
                .collect();
            assert_eq!(given.indices, wanted, "{:?} reads what succeeded", item.range);
            let results: Vec<_> = wanted.into_iter().map(result).collect();
            assert_eq!(given.results, results, "{:?} reads the results", item.range);
        }
    }

    fn executed(&mut self, item: &OutcomeItem) {
        let home = home_of(item.fence);
        for task in item.range.tasks() {
            assert!(self.running.remove(&(home, task)), "{task:?} ran");
            let count = self.executions.entry((home, task)).or_default();
            match &item.outcome {
                Outcome::Succeeded(_) => count.succeeded += 1,
                Outcome::Failed { failure, .. } => {
                    count.failed += 1;
                    count.crashed += u32::from(failure.is_crash());
                    assert!(count.crashed <= 3, "{task:?} should be quarantined");
                }
                Outcome::Stopped | Outcome::Returned => {}
            }
            assert!(count.succeeded <= 1, "I2: {task:?} of {home} ran to its end twice");
            let retries = self.jobs[&(home, task.job)].specs[task.spec.index()].body.retries;
            assert!(count.failed <= u32::from(retries) + 1, "I2: {task:?} was tried too often");
        }
    }

    /// What must be true when nothing more will happen.
    pub(super) fn at_rest(&self) {
        for ((home, job), trace) in &self.jobs {
            for (spec, ends) in trace.ends.iter().enumerate() {
                let lost = ends.iter().position(Option::is_none);
                assert_eq!(lost, None, "I1: spec {spec} of {job:?} of {home} lost this index");
            }
            assert!(trace.finished, "I1: {job:?} of {home} has not finished");
        }
        assert!(self.running.is_empty(), "nothing runs at rest");
        self.stages.iter().for_each(Stage::at_rest);
    }

    pub(super) fn jobs(&self) -> usize {
        self.jobs.len()
    }
}

impl Trace {
    /// Whether all that a task waits for has ended in a way that lets it run.
    fn may_run(&self, task: TaskId) -> bool {
        let spec = &self.specs[task.spec.index()];
        let base = self.base[task.spec.index()];
        let mut good = true;
        for after in &spec.after {
            let ends = &self.ends[(base + after.spec.0) as usize];
            let one = task.index as usize;
            let ends = if after.aligned { &ends[one..=one] } else { &ends[..] };
            if ends.iter().any(Option::is_none) {
                return false;
            }
            good &= ends.iter().all(|end| *end == Some(End::Succeeded));
        }
        match spec.body.run_if {
            _ if spec.after.is_empty() => true,
            RunIf::Success => good,
            RunIf::Failure => !good,
            RunIf::Always => true,
        }
    }
}

/// The node whose home granted under this fence.
pub(super) fn home_of(fence: bary_model::id::Fence) -> usize {
    (fence.shard.0 - 1) as usize
}
