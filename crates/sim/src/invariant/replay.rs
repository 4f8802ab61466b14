//! What a journal says after a restart is what it said before, and replaying it gives the very
//! state that the home had. It alone compares with a ledger, which is why the judge calls it.

use std::collections::BTreeMap;

use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::id::{JobNo, ShardId};
use bary_model::time::Wall;

use crate::invariant::{Broken, hold};
use crate::oracle::book::Book;

/// Replay gives the state.
#[derive(Debug, Default)]
pub struct Replay {
    records: BTreeMap<ShardId, Vec<(Wall, Record)>>,
}

impl Replay {
    /// The name under which its breaks are reported.
    pub const NAME: &'static str = "replay";

    /// Remembers what became durable, and when it was written.
    pub fn settled(&mut self, shard: ShardId, at: Wall, record: Record) {
        self.records.entry(shard).or_default().push((at, record));
    }

    /// Compares a ledger, of which everything is durable, with what its records come to.
    ///
    /// # Errors
    /// Where they differ.
    pub fn compare(&self, book: &Book, ledger: &Ledger) -> Result<(), Broken> {
        let shard = ledger.shard();
        let records = self.records.get(&shard).map(Vec::as_slice).unwrap_or_default();
        let records = records.iter().map(|(at, record)| (*at, record));
        let mut again = Ledger::replay(shard, records);
        let mut there = ledger.clone();
        there.forget_finished();
        again.forget_finished();
        for no in 0..again.jobs().max(there.jobs()) {
            let job = JobNo(no as u32);
            let same = again.job(job) == there.job(job);
            hold!(same, "job {no} of shard {:x} is not what its records make it", shard.0);
            let Some(saga) = book.job(shard, job) else {
                return Err(Broken(format!("job {no} of shard {:x} is not in the book", shard.0)));
            };
            let gone = saga.forgotten.then(|| saga.is_good());
            hold!(there.gone(job) == gone, "whether job {no} was forgotten is not what it was");
            let Some(job) = there.job(job) else { continue };
            let (left, known) = (job.left, saga.left);
            hold!(left == known, "job {no} has {left} tasks left, by its records {known}");
        }
        if let Some(known) = book.shard(shard) {
            let decrees = there.decrees();
            let same = decrees.policy == known.policy
                && (&decrees.drained, &decrees.labels) == (&known.drained, &known.labels);
            hold!(same, "what holds by decree is {decrees:?}, by its records something else");
        }
        let whole = again == there;
        hold!(whole, "shard {:x} is not what its records make it", shard.0);
        Ok(())
    }
}
