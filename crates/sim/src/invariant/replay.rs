//! What a journal says after a restart is what it said before, and replaying it gives the very
//! state that the home had. It alone compares with a ledger, which is why the judge calls it.

use std::collections::BTreeMap;

use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId};

use crate::invariant::{Broken, hold};
use crate::oracle::book::Book;

/// Replay gives the state.
#[derive(Debug, Default)]
pub struct Replay {
    records: BTreeMap<ShardId, Vec<Record>>,
}

impl Replay {
    /// The name under which its breaks are reported.
    pub const NAME: &'static str = "replay";

    /// Remembers what became durable.
    pub fn settled(&mut self, shard: ShardId, record: Record) {
        self.records.entry(shard).or_default().push(record);
    }

    /// Compares a ledger, of which everything is durable, with what its records come to.
    ///
    /// # Errors
    /// Where they differ.
    pub fn compare(&self, book: &Book, ledger: &Ledger) -> Result<(), Broken> {
        let shard = ledger.shard();
        let records = self.records.get(&shard).map(Vec::as_slice).unwrap_or_default();
        let mut again = Ledger::replay(shard, records);
        let mut there = ledger.clone();
        there.forget_finished();
        again.forget_finished();
        for no in 0..again.jobs().max(there.jobs()) {
            let job = JobNo(no as u32);
            let same = again.job(job) == there.job(job);
            hold!(same, "job {no} of shard {:x} is not what its records make it", shard.0);
            let (Some(job), Some(saga)) = (there.job(job), book.job(shard, job)) else {
                return Err(Broken(format!("job {no} of shard {:x} is not in the book", shard.0)));
            };
            let (left, known) = (job.left, saga.left);
            hold!(left == known, "job {no} has {left} tasks left, by its records {known}");
        }
        let whole = again == there;
        hold!(whole, "shard {:x} is not what its records make it", shard.0);
        Ok(())
    }
}
