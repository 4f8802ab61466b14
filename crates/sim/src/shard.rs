//! A shard's journal on a disk that a crash may tear, shared by all nodes: whoever opens it
//! fences the one who wrote before. Appends are gathered while a sync goes on, and written
//! together by the next.

use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn, ShardId};
use bary_model::time::Span;

use crate::lot::Lot;

/// What an engine appended at a time.
#[derive(Debug)]
struct Batch {
    epoch: Epoch,
    lsn: Lsn,
    records: Vec<Record>,
}

/// A shard and its journal.
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
    /// Whether batches are kept at all.
    keeps: bool,
    written: Vec<Batch>,
    /// How many of the written batches are synced.
    synced: usize,
    waiting: Vec<Batch>,
    waits: Option<Lsn>,
    syncing: Option<Lsn>,
    /// Whether the next sync fails, and how long its home is down then.
    pub(crate) fails: Option<Span>,
    /// Whether a bit of it flipped.
    pub(crate) rotten: bool,
    /// How long a sync takes, where it is slow.
    pub(crate) slow: Option<Span>,
    /// Whether its disk is nearly full.
    pub(crate) low: bool,
}

impl Shard {
    pub(crate) fn new(native: usize, keeps: bool) -> Self {
        Self {
            id: ShardId(native as u64 + 1),
            native,
            home: None,
            last: native,
            term: 0,
            keeps,
            written: Vec::new(),
            synced: 0,
            waiting: Vec::new(),
            waits: None,
            syncing: None,
            fails: None,
            rotten: false,
            slow: None,
            low: false,
        }
    }

    /// Takes a batch in; it is written when the sync that goes on is over.
    pub(crate) fn append(&mut self, epoch: Epoch, lsn: Lsn, records: Vec<Record>) {
        self.waits = Some(lsn);
        if self.keeps {
            self.waiting.push(Batch { epoch, lsn, records });
        }
    }

    /// Writes what waits, if something does and no sync goes on. Whether a sync began.
    pub(crate) fn write(&mut self) -> bool {
        if self.syncing.is_some() || self.waits.is_none() {
            return false;
        }
        self.syncing = self.waits.take();
        self.written.append(&mut self.waiting);
        true
    }

    /// The sync that went on is over: all that was written is durable.
    pub(crate) fn sync(&mut self) -> Option<Lsn> {
        self.synced = self.written.len();
        self.syncing.take()
    }

    /// Its home is gone, or fenced. What was not written is lost; with the power, what was not
    /// synced may be too, from some batch on.
    pub(crate) fn cut_off(&mut self, power: bool, lot: &mut Lot) {
        self.term += 1;
        self.home = None;
        self.waiting.clear();
        (self.waits, self.syncing) = (None, None);
        if power {
            let unsynced = (self.written.len() - self.synced) as u64;
            self.written.truncate(self.synced + lot.below(unsynced + 1) as usize);
        }
    }

    /// What the journal says, and the number of the next batch. What is read is synced first.
    pub(crate) fn recover(&mut self) -> (Ledger, Lsn) {
        self.synced = self.written.len();
        let mut reign = Epoch(0);
        let mut records: Vec<&Record> = Vec::new();
        for batch in &self.written {
            for record in &batch.records {
                if let Record::Opened { epoch } = record {
                    reign = reign.max(*epoch);
                }
            }
            if batch.epoch >= reign {
                records.extend(&batch.records);
            }
        }
        let next = self.written.last().map_or(1, |batch| batch.lsn.0 + 1);
        (Ledger::replay(self.id, records), Lsn(next))
    }
}
