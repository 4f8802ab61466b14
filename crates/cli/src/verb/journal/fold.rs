//! Makes a ledger of a journal, as opening does, and says where that fails.

use std::panic::{self, AssertUnwindSafe};

use bary_journal::inspect::Sight;
use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::id::{Lsn, ShardId};
use bary_model::time::Wall;
use bary_wire::batch::{self, Batch};
use bary_wire::past;

/// A ledger, as far as it could be made.
#[derive(Debug)]
pub(crate) struct Fold {
    pub(crate) ledger: Ledger,
    /// The last batch in the snapshot that the ledger was made from.
    base: Lsn,
    segment: u64,
    pub(crate) records: u64,
    /// When the first batch was written that says so.
    pub(crate) first: Option<Wall>,
    /// Batches of reigns that were over.
    pub(crate) late: u64,
    pub(crate) damaged_snapshots: u64,
    /// What is wrong and where; nothing is folded after it.
    pub(crate) fault: Option<String>,
}

/// Tasks by their states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tasks {
    pub(crate) all: u64,
    pub(crate) succeeded: u64,
    pub(crate) failed: u64,
    /// Cancelled or skipped.
    pub(crate) dropped: u64,
    /// Granted to a node.
    pub(crate) held: u64,
    pub(crate) ready: u64,
    /// Waiting for others.
    pub(crate) blocked: u64,
}

impl Fold {
    pub(crate) fn new() -> Self {
        Self {
            ledger: Ledger::new(ShardId(0)),
            base: Lsn(0),
            segment: 0,
            records: 0,
            first: None,
            late: 0,
            damaged_snapshots: 0,
            fault: None,
        }
    }

    /// Takes in one thing that lies in the files.
    pub(crate) fn see(&mut self, sight: Sight<'_>) {
        match sight {
            Sight::Snapshot { lsn, state: Some(state) } => self.restore(lsn, state),
            Sight::Snapshot { state: None, .. } => self.damaged_snapshots += 1,
            Sight::Segment { number, .. } => self.segment = number,
            Sight::Batch { offset, lsn, batch, in_order: true, .. } => {
                if let Err(fault) = self.batch(lsn, batch) {
                    let segment = self.segment;
                    let at = format!("segment {segment}, offset {offset}: batch {}", lsn.0);
                    self.fault.get_or_insert_with(|| format!("{at} {fault}"));
                }
            }
            _ => {}
        }
    }

    /// Snapshots come first, the newest last: each stands for the batches up to one.
    fn restore(&mut self, lsn: Lsn, state: &[u8]) {
        (self.ledger, self.base) = (Ledger::new(self.ledger.shard()), lsn);
        let folded = past::read(state).map_err(|error| error.to_string());
        let folded = folded.and_then(|mut batches| {
            batches.try_for_each(|batch| self.take_in(&batch.map_err(|error| error.to_string())?))
        });
        if let Err(fault) = folded {
            self.fault = Some(format!("snapshot {}: {fault}", lsn.0));
        }
    }

    fn batch(&mut self, lsn: Lsn, bytes: &[u8]) -> Result<(), String> {
        let batch = batch::decode(bytes).map_err(|error| format!("cannot be read: {error}"))?;
        if lsn <= self.base || self.fault.is_some() {
            return Ok(());
        }
        self.take_in(&batch)
    }

    fn take_in(&mut self, batch: &Batch) -> Result<(), String> {
        self.records += batch.records.len() as u64;
        if self.first.is_none() {
            self.first = batch.at;
        }
        if batch.epoch < self.ledger.epoch() {
            self.late += 1;
            return Ok(());
        }
        self.ledger.pass(batch.at.unwrap_or_default());
        for (number, record) in batch.records.iter().enumerate() {
            self.apply(record)
                .map_err(|why| format!("has a record ({}) that cannot be: {why}", number + 1))?;
        }
        Ok(())
    }

    /// A record that does not fit makes the ledger panic, since its home never writes one.
    fn apply(&mut self, record: &Record) -> Result<(), String> {
        let mut out = Consequences::default();
        let ledger = &mut self.ledger;
        quietly(|| ledger.apply(record, &mut out))
    }

    /// Holds the ledger against itself.
    pub(crate) fn check(&mut self) {
        if self.fault.is_none() {
            let checked = quietly(|| self.ledger.check());
            self.fault = checked.err().map(|why| format!("the ledger contradicts itself: {why}"));
        }
    }

    pub(crate) fn tasks(&self) -> Tasks {
        let mut tasks = Tasks::default();
        self.ledger.held(|_, range| tasks.held += u64::from(range.count));
        self.ledger.ready(|range| tasks.ready += u64::from(range.count));
        let mut open = 0;
        for (no, job) in self.ledger.numbers().zip(&self.ledger.snapshot().jobs) {
            let all: u64 = job.specs.iter().map(|spec| u64::from(spec.count)).sum();
            tasks.all += all.max(job.succeeded + job.failed);
            tasks.succeeded += job.succeeded;
            tasks.failed += job.failed;
            let Some(job) = self.ledger.job(no) else { continue };
            for (spec, number) in job.specs().zip(0..) {
                let spec_no = bary_model::id::SpecNo(number);
                let indices = 0..spec.count;
                open += indices.filter(|&index| job.is_open(spec_no, index)).count() as u64;
            }
        }
        tasks.blocked = open.saturating_sub(tasks.ready);
        let known = tasks.succeeded + tasks.failed + tasks.held + open;
        tasks.dropped = tasks.all.saturating_sub(known);
        tasks
    }
}

impl Tasks {
    /// Each state's name and how many tasks are in it.
    pub(crate) fn each(&self) -> [(&'static str, u64); 6] {
        [
            ("succeeded", self.succeeded),
            ("failed", self.failed),
            ("dropped", self.dropped),
            ("held", self.held),
            ("ready", self.ready),
            ("blocked", self.blocked),
        ]
    }
}

/// Calls something that may panic; what it said then. Nothing is printed meanwhile.
fn quietly(call: impl FnOnce()) -> Result<(), String> {
    let shown = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let called = panic::catch_unwind(AssertUnwindSafe(call));
    panic::set_hook(shown);
    called.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        text.unwrap_or("it does not fit the state").to_owned()
    })
}
