//! A shard and its journal, shared by all nodes: whoever opens it fences the one who wrote before.
//! Appends are gathered while a sync goes on, and written together for the next.

use bary_ledger::ledger::Ledger;
use bary_model::id::{Lsn, ShardId};
use bary_model::time::Span;

use crate::lot::Lot;
use crate::plan::Keeping;
use crate::store::{Batch, Broken, Store};

/// A shard.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) id: ShardId,
    /// The node that made it.
    pub(crate) native: usize,
    /// The node that opened it last, if that still lives.
    pub(crate) home: Option<usize>,
    /// The node that opened it last.
    pub(crate) last: usize,
    /// Counts openings and crashes; a sync that began before the last of them is nobody's.
    pub(crate) term: u32,
    pub(crate) store: Store,
    waiting: Vec<Batch>,
    syncing: Option<Lsn>,
    /// Whether the next sync fails.
    pub(crate) fails: bool,
    /// How long its home is down when a sync has failed.
    pub(crate) down: Span,
    /// Whether it was refused by one who wanted to open it: it stays closed.
    pub(crate) closed: bool,
    /// How long a sync takes, where it is slow.
    pub(crate) slow: Option<Span>,
    /// Whether its disk is said to be nearly full, and what its home was told last.
    pub(crate) low: bool,
    pub(crate) told_low: bool,
}

impl Shard {
    pub(crate) fn new(native: usize, keeping: Keeping) -> Self {
        Self {
            id: ShardId(native as u64 + 1),
            native,
            home: None,
            last: native,
            term: 0,
            store: Store::new(keeping),
            waiting: Vec::new(),
            syncing: None,
            fails: false,
            down: Span::ZERO,
            closed: false,
            slow: None,
            low: false,
            told_low: false,
        }
    }

    /// The node that made a shard, which the shard's id tells.
    pub(crate) fn native_of(id: ShardId) -> Option<usize> {
        usize::try_from(id.0).ok()?.checked_sub(1)
    }

    /// Takes a batch in; it is written when the sync that goes on is over.
    pub(crate) fn append(&mut self, batch: Batch) {
        self.waiting.push(batch);
    }

    /// Writes what waits, if something does and no sync goes on. Whether a sync has to follow.
    pub(crate) fn write(&mut self) -> Result<bool, Broken> {
        if self.syncing.is_some() || self.waiting.is_empty() {
            return Ok(false);
        }
        self.syncing = self.store.write(&mut self.waiting)?;
        Ok(self.syncing.is_some())
    }

    /// Syncs what was written; the last batch that is durable then.
    pub(crate) fn sync(&mut self) -> Result<Option<Lsn>, Broken> {
        self.store.sync(std::mem::take(&mut self.fails))?;
        Ok(self.syncing.take())
    }

    /// Whether nothing waits to be written or synced.
    pub(crate) fn is_quiet(&self) -> bool {
        self.waiting.is_empty() && self.syncing.is_none()
    }

    /// What its home should be told of its room, where that is new.
    pub(crate) fn room(&mut self) -> Option<bool> {
        let low = self.low || self.store.is_low();
        let new = low != self.told_low;
        self.told_low = low;
        new.then_some(low)
    }

    /// Its home is gone, or fenced. What was not written is lost; with the power, what was not
    /// synced may be too.
    pub(crate) fn cut_off(&mut self, power: bool, lot: &mut Lot) {
        self.term += 1;
        self.home = None;
        self.waiting.clear();
        self.syncing = None;
        self.store.cut_off(power, lot);
    }

    /// Opens it: what the journal says, and the number of the next batch.
    pub(crate) fn recover(&mut self) -> Result<(Ledger, Lsn), Broken> {
        self.told_low = false;
        let recovered = self.store.recover(self.id);
        self.closed |= recovered.is_err();
        recovered
    }
}
