//! What each shard's journal holds for good: batches count when they are reported durable, or
//! when whoever opens the journal next finds them in it. What a crash took with it never counted.

use std::collections::BTreeMap;

use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn, NodeId, ShardId};
use bary_model::time::Wall;

use crate::invariant::{Broken, hold};

/// A batch as its home wrote it.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) node: NodeId,
    pub(crate) epoch: Epoch,
    pub(crate) lsn: Lsn,
    pub(crate) wall: Wall,
    pub(crate) records: Vec<Record>,
}

/// One journal as it is known from outside.
#[derive(Debug, Default)]
struct Pages {
    /// Who opened it last.
    writer: Option<NodeId>,
    /// The last batch that counts.
    settled: Lsn,
    /// What was written and does not count yet, by node and number.
    pending: BTreeMap<(NodeId, Lsn), Batch>,
    /// What deposed homes went on to write.
    stale: BTreeMap<(NodeId, Lsn), Batch>,
}

/// All journals.
#[derive(Debug, Default)]
pub(crate) struct Chronicle {
    shards: BTreeMap<ShardId, Pages>,
}

impl Chronicle {
    /// Notes what a home wrote.
    pub(crate) fn appended(&mut self, shard: ShardId, batch: Batch) -> Result<(), Broken> {
        let pages = self.shards.entry(shard).or_default();
        let (node, lsn) = (batch.node, batch.lsn);
        if pages.writer.is_some_and(|writer| writer != node) {
            // It was deposed and does not know it yet; its writing must never count.
            pages.stale.insert((node, lsn), batch);
            return Ok(());
        }
        let before = pages.pending.range((node, Lsn(0))..(node, lsn)).next_back();
        let last = before.map_or(pages.settled, |((_, last), _)| *last);
        let twice = pages.pending.insert((node, lsn), batch).is_some();
        hold!(!twice, "{node} wrote batch {} twice", lsn.0);
        hold!(lsn.0 <= last.0 + 1, "{node} wrote batch {} after {}", lsn.0, last.0);
        Ok(())
    }

    /// The batches that count from now on because their home was told that they are durable.
    pub(crate) fn durable(&mut self, shard: ShardId, node: NodeId, lsn: Lsn) -> Vec<Batch> {
        let pages = self.shards.entry(shard).or_default();
        let mut batches = take(&mut pages.pending, node, lsn);
        batches.extend(take(&mut pages.stale, node, lsn));
        pages.settled = batches.last().map_or(pages.settled, |last| pages.settled.max(last.lsn));
        batches
    }

    /// The batches that count from now on because a journal was opened and had them. All others
    /// are gone.
    pub(crate) fn opened(
        &mut self,
        shard: ShardId,
        node: NodeId,
        next: Lsn,
    ) -> Result<Vec<Batch>, Broken> {
        let pages = self.shards.entry(shard).or_default();
        pages.writer = Some(node);
        pages.stale.retain(|(of, _), _| *of != node);
        let settled = pages.settled;
        hold!(
            settled < next,
            "the journal of shard {:x} ends before batch {}, but batch {} was durable",
            shard.0,
            next.0,
            settled.0,
        );
        let mut batches: Vec<Batch> = std::mem::take(&mut pages.pending).into_values().collect();
        batches.retain(|batch| settled < batch.lsn && batch.lsn < next);
        batches.sort_by_key(|batch| (batch.lsn, batch.epoch));
        let missing = next.0 - 1 - settled.0;
        let found = batches.len() as u64;
        pages.settled = Lsn(next.0 - 1);
        hold!(
            found == missing,
            "batches {} to {} are in the journal of shard {:x}, but only {found} were written",
            settled.0 + 1,
            next.0 - 1,
            shard.0,
        );
        Ok(batches)
    }

    /// Whether a shard has batches that do not count yet.
    pub(crate) fn is_waiting(&self, shard: ShardId) -> bool {
        self.shards.get(&shard).is_some_and(|pages| !pages.pending.is_empty())
    }
}

/// Takes the batches of a node up to one out.
fn take(of: &mut BTreeMap<(NodeId, Lsn), Batch>, node: NodeId, lsn: Lsn) -> Vec<Batch> {
    let keys: Vec<_> = of.range((node, Lsn(0))..=(node, lsn)).map(|(key, _)| *key).collect();
    keys.iter().filter_map(|key| of.remove(key)).collect()
}
