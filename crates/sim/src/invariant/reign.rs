//! One home reigns over a shard at a time as far as its journal says: epochs only rise, nothing
//! is granted in one that is not on record, and nothing that a deposed home wrote becomes durable.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn, NodeId, ShardId};

use crate::history::Fact;
use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// One home at a time.
#[derive(Debug, Default)]
pub struct Reigns {
    /// Who opened the journal last, and how far it was written then.
    writers: BTreeMap<ShardId, (NodeId, Lsn)>,
    /// The reign and number of the last durable batch.
    last: BTreeMap<ShardId, (Epoch, Lsn)>,
}

impl Invariant for Reigns {
    fn name(&self) -> &'static str {
        "reign"
    }

    fn on(&mut self, scene: &Scene<'_>, fact: &Fact<'_>) -> Result<(), Broken> {
        match fact {
            Fact::Opened { shard, next } => {
                self.writers.insert(*shard, (scene.node, *next));
            }
            Fact::Appended { shard, epoch, records, .. }
                if records.iter().any(|record| matches!(record, Record::Granted { .. })) =>
            {
                let reign = self.last.get(shard).copied().unwrap_or_default().0;
                hold!(*epoch <= reign, "a grant of epoch {}, which is not on record", epoch.0);
            }
            _ => {}
        }
        Ok(())
    }

    fn settled(&mut self, scene: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        let Settled { shard, epoch, lsn, record } = *settled;
        let (reign, last) = self.last.get(&shard).copied().unwrap_or_default();
        hold!(
            lsn == last || lsn.0 == last.0 + 1,
            "batch {} follows {} in a journal",
            lsn.0,
            last.0
        );
        match record {
            Record::Opened { epoch: new } => {
                hold!(*new > reign, "epoch {} was opened after epoch {}", new.0, reign.0);
                hold!(*new == epoch, "epoch {} was opened in epoch {}", new.0, epoch.0);
            }
            _ => hold!(epoch == reign, "a batch of epoch {} in the reign of {}", epoch.0, reign.0),
        }
        self.last.insert(shard, (epoch, lsn));
        if let Some(&(writer, next)) = self.writers.get(&shard) {
            let late = lsn >= next && writer != scene.node;
            hold!(!late, "batch {} of {} is durable, but {writer} reigns", lsn.0, scene.node);
        }
        Ok(())
    }
}
