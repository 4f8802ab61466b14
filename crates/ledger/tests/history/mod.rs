//! Random histories of a ledger: each record is drawn among those that fit its state.

use std::sync::Arc;

use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::{EndedTasks, Record};
use bary_model::action::Action;
use bary_model::decree::Decree;
use bary_model::id::{Epoch, GrantNo, JobNo, NodeId, ShardId, SpecNo, TaskRange};
use bary_model::inputs::Inputs;
use bary_model::job::{About, JobRef, SubmissionKey};
use bary_model::outcome::{End, Failure, Results, Usage};
use bary_model::payload::Payload;
use bary_model::task::{After, Body, RunIf, TaskSpec, Use};
use bary_model::time::Wall;

/// A ledger, and numbers that decide what happens to it, one after another.
pub(crate) struct History {
    pub(crate) ledger: Ledger,
    numbers: std::vec::IntoIter<u32>,
    /// The records so far, where they alone make the ledger.
    pub(crate) records: Option<Vec<(Wall, Record)>>,
}

impl History {
    /// The beginning of a history that ends with the last number.
    pub(crate) fn new(numbers: Vec<u32>) -> Self {
        Self::of(Ledger::new(ShardId(7)), numbers)
    }

    /// How a ledger's history goes on.
    pub(crate) fn of(ledger: Ledger, numbers: Vec<u32>) -> Self {
        Self { ledger, numbers: numbers.into_iter(), records: None }
    }

    /// Lets one thing happen; false when the numbers are used up.
    pub(crate) fn step(&mut self) -> bool {
        if let Some(record) = self.draw() {
            self.apply(record);
        }
        !self.numbers.as_slice().is_empty()
    }

    fn apply(&mut self, record: Record) {
        let at = Wall(self.ledger.at().0 + self.below(3) as u64 * 20_000_000_000_000);
        self.ledger.pass(at);
        self.ledger.apply(&record, &mut Consequences::default());
        if let Some(records) = &mut self.records {
            records.push((at, record));
        }
    }

    fn below(&mut self, n: usize) -> usize {
        self.numbers.next().unwrap_or(0) as usize % n
    }

    fn draw(&mut self) -> Option<Record> {
        let (jobs, epoch) = (self.ledger.jobs(), self.ledger.epoch());
        if epoch == Epoch(0) || self.below(32) == 0 {
            return Some(Record::Opened { epoch: Epoch(epoch.0 + 1) });
        }
        if jobs == 0 || (jobs < 5 && self.below(24) == 0) {
            if self.below(4) == 0 {
                let upstream = (0..self.below(3)).map(|_| self.elsewhere()).collect();
                self.apply(Record::Awaits { upstream });
            }
            return Some(self.submitted(JobNo(jobs as u32)));
        }
        match self.below(17) {
            0..6 => self.granted(),
            6..11 => self.ended(),
            11 => {
                let (grant, range) = self.held()?;
                Some(Record::Retracted { items: vec![(grant, range)] })
            }
            12 => {
                let (grant, range) = self.held()?;
                let crashed = self.below(2) == 0;
                Some(Record::Failed { task: range.head(), grant, crashed })
            }
            13 => self.cancelled(),
            14 => self.checkpointed(),
            _ => self.of_a_job(),
        }
    }

    fn submitted(&mut self, job: JobNo) -> Record {
        let key = (self.below(2) == 0).then(|| SubmissionKey { key: 9, content: job.0.into() });
        let open = self.below(3) == 0;
        let (name, halt, specs) = ("a".into(), None, self.specs());
        let not_before = (self.below(4) == 0).then_some(Wall(9));
        let (held, priority) = (self.below(4) == 0, self.below(3) as i32 - 1);
        let about = About { not_before, held, priority, ..About::default() }.shared();
        Record::Submitted { job, name, specs, open, halt, key, about }
    }

    /// Something that happens to a whole job.
    fn of_a_job(&mut self) -> Option<Record> {
        let job = JobNo(self.below(self.ledger.jobs()) as u32);
        let (open, over) = self.ledger.job(job).map(|job| (job.open, job.is_over()))?;
        match self.below(11) {
            0 if open => Some(Record::Closed { job }),
            1 if open => Some(Record::Extended { job, specs: self.specs() }),
            2 if !over => Some(Record::Stopping { job, reason: None }),
            2 => Some(Record::Retried { job }),
            3 if over && self.records.is_none() => {
                self.ledger.forget(job);
                None
            }
            4 => {
                let upstream = self.elsewhere();
                Some(Record::Arrived { job, upstream, good: self.below(3) > 0 })
            }
            5 => {
                let reason = (self.below(2) == 0).then(|| "so".into());
                Some(Record::Held { job, held: self.below(2) == 0, reason })
            }
            6 => Some(Record::Prioritised { job, priority: self.below(5) as i32 - 2 }),
            7 if over => Some(Record::Forgotten { job }),
            9 => Some(self.decreed()),
            _ => None,
        }
    }

    /// Something that is decreed.
    fn decreed(&mut self) -> Record {
        let node = ["a", "b"][self.below(2)].into();
        let decree = match self.below(3) {
            0 => Decree::Follow(["gravity", "open"][self.below(2)].into()),
            1 => Decree::Drain { node, drain: self.below(2) == 0 },
            _ => {
                let value = [None, Some("x"), Some("y")][self.below(3)].map(Into::into);
                let labels = (0..self.below(3)).map(|n| (["k", "l"][n].into(), value.clone()));
                Decree::Label { node, labels: labels.collect() }
            }
        };
        Record::Decreed { decree: Box::new(decree) }
    }

    /// A job of another shard, or one that is known of this one.
    fn elsewhere(&mut self) -> JobRef {
        let known = self.ledger.jobs();
        let shard = ShardId(7 + u64::from(known == 0 || self.below(3) > 0));
        let job = if shard == ShardId(7) { self.below(known) } else { self.below(3) };
        JobRef { shard, job: JobNo(job as u32) }
    }

    fn checkpointed(&mut self) -> Option<Record> {
        let (grant, range) = self.held()?;
        let payload = Payload::Inline(vec![self.below(256) as u8].into());
        Some(Record::Checkpointed {
            task: range.head(),
            grant,
            step: self.below(99) as u64,
            payload,
        })
    }

    fn granted(&mut self) -> Option<Record> {
        let mut ready = Vec::new();
        self.ledger.ready(|range| ready.push(range));
        let range = self.part_of_one(&ready)?;
        let grant = GrantNo(self.ledger.last_grant().0 + 1);
        Some(Record::Granted { node: NodeId(grant.0 % 3), items: vec![(grant, range)] })
    }

    fn ended(&mut self) -> Option<Record> {
        let (grant, range) = self.held()?;
        let node = self.ledger.holder(range)?.node;
        let end = match self.below(8) {
            0 => End::Failed(Failure::Exit(1)),
            1 => End::Quarantined(Failure::Signal(9)),
            _ => End::Succeeded,
        };
        let results = if self.below(2) == 0 {
            Results::Nothing
        } else {
            let inline = |index: u32| Payload::Inline(index.to_le_bytes().to_vec().into());
            Results::Each((0..range.count.min(9)).map(inline).collect())
        };
        let (stderr, usage) = (Payload::Empty, Usage::default());
        let ended = EndedTasks { range, grant, node, end, attempt: 1, results, stderr, usage };
        Some(Record::Ended { items: vec![ended] })
    }

    fn cancelled(&mut self) -> Option<Record> {
        let job = JobNo(self.below(self.ledger.jobs()) as u32);
        let specs = self.ledger.job(job)?.specs().len();
        let spec = SpecNo(self.below(specs.max(1) * 4) as u32);
        let count = self.ledger.job(job)?.spec(spec)?.count;
        let range = TaskRange { job, spec, first: 0, count };
        Some(Record::Cancelled { range, running: self.below(2) == 0 })
    }

    /// Some neighbours that one grant holds.
    fn held(&mut self) -> Option<(GrantNo, TaskRange)> {
        let mut held = Vec::new();
        self.ledger.held(|_, range| held.push(range));
        let range = self.part_of_one(&held)?;
        Some((self.ledger.holder(range)?.grant, range))
    }

    /// A part of one of these ranges, often all of it.
    fn part_of_one(&mut self, ranges: &[TaskRange]) -> Option<TaskRange> {
        if ranges.is_empty() {
            return None;
        }
        let range = ranges[self.below(ranges.len())];
        let skipped = if self.below(2) == 0 { 0 } else { self.below(range.count as usize) as u32 };
        let most = range.count - skipped;
        let count = if self.below(2) == 0 { most } else { 1 + self.below(most as usize) as u32 };
        Some(range.with(range.first + skipped, count))
    }

    /// Up to six specs, each of which may wait for those before it.
    fn specs(&mut self) -> Arc<[Arc<TaskSpec>]> {
        let mut specs: Vec<Arc<TaskSpec>> = Vec::new();
        for _ in 0..self.below(7) {
            let count = [1, 1, 4, 4, 9, 70_000][self.below(6)];
            let mut body = Body::new(Action::Function { name: "f".into(), args: Vec::new() });
            let run_if = [RunIf::Success, RunIf::Success, RunIf::Failure, RunIf::Always];
            body.run_if = run_if[self.below(4)];
            body.keep_results = self.below(2) == 0;
            let mut after = Vec::new();
            for (number, other) in specs.iter().enumerate() {
                if self.below(3) == 0 {
                    let aligned = other.count == count && self.below(3) > 0;
                    let spec = SpecNo(number as u32);
                    after.push(After { spec, aligned });
                    body.uses = [Use { spec, name: "up".into(), aligned }].into();
                }
            }
            let rows = Inputs::numbers(3, -1, count.into()).expect("they are in range");
            let inputs = if self.below(2) == 0 { rows } else { Inputs::none() };
            let array = count > 1;
            let plain = TaskSpec::new(Arc::new(body));
            specs.push(Arc::new(TaskSpec { count, array, inputs, after: after.into(), ..plain }));
        }
        specs.into()
    }
}
