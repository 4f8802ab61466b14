//! The ranks of a gang are granted in one batch, all or none, so that no two attempts of one mix;
//! and they succeed in one batch, all or none.

use std::collections::{BTreeMap, BTreeSet};

use bary_ledger::record::Record;
use bary_model::id::{Lsn, ShardId, TaskRange};
use bary_model::outcome::End;

use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// What of gangs a batch was seen to do, by gang: the ranks.
type Ranks = BTreeMap<TaskRange, BTreeSet<u32>>;

/// The last batch of a shard, as far as it is about gangs.
#[derive(Debug, Default)]
struct Batch {
    lsn: Lsn,
    granted: Ranks,
    succeeded: Ranks,
}

/// Gangs begin together and end together.
#[derive(Debug, Default)]
pub struct Gangs(BTreeMap<ShardId, Batch>);

impl Batch {
    fn judged(&self) -> Result<(), Broken> {
        for (ranks, what) in [(&self.granted, "was granted"), (&self.succeeded, "succeeded")] {
            for (gang, some) in ranks {
                let (part, all) = (some.len(), gang.count);
                hold!(part == all as usize, "of the gang {gang:?} only {part} of {all} {what}");
            }
        }
        Ok(())
    }

    /// Adds what a record is about, where it is about gangs.
    fn add(ranks: &mut Ranks, scene: &Scene<'_>, shard: ShardId, range: TaskRange) {
        let spec = scene.book.job(shard, range.job).and_then(|saga| saga.spec(range.spec));
        let Some(spec) = spec.filter(|spec| spec.gang > 0) else { return };
        for task in range.tasks() {
            if let Some(gang) = spec.gang_of(task) {
                ranks.entry(gang).or_default().insert(task.index);
            }
        }
    }
}

impl Invariant for Gangs {
    fn name(&self) -> &'static str {
        "gang"
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        let shard = settled.shard;
        let batch = self.0.entry(shard).or_default();
        if batch.lsn != settled.lsn {
            batch.judged()?;
            *batch = Batch { lsn: settled.lsn, ..Batch::default() };
        }
        match settled.record {
            Record::Granted { items, .. } => {
                for (_, range) in items {
                    Batch::add(&mut batch.granted, scene, shard, *range);
                }
            }
            Record::Ended { items } => {
                for item in items.iter().filter(|item| item.end == End::Succeeded) {
                    Batch::add(&mut batch.succeeded, scene, shard, item.range);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn at_end(&mut self, _scene: &Scene<'_>) -> Result<(), Broken> {
        self.0.values().try_for_each(Batch::judged)
    }
}
