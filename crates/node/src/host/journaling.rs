//! What a host writes into its journal, and what comes of that.

use std::sync::atomic::Ordering;

use bary_engine::input::Input;
use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn};
use bary_model::time::Wall;
use bary_ports::journal::{Completion as Journaled, Room};
use bary_wire::batch;

use crate::host::Host;
use crate::listener::News;

impl Host {
    pub(super) fn on_journaled(&mut self, journaled: Journaled, inputs: &mut Vec<Input>) {
        let shard = self.shard;
        match journaled {
            Journaled::Durable(lsn) => inputs.push(self.durable(lsn)),
            Journaled::Room(room) => {
                inputs.push(Input::Room { shard, low: room != Room::Ample });
                let before = std::mem::replace(&mut self.state.room, room);
                if (before == Room::Ample) != (room == Room::Ample) {
                    self.state.waiting.push_back(News::DiskLow(room != Room::Ample));
                    self.offer_news();
                }
                if (before == Room::None) != (room == Room::None) {
                    self.tell_full(room == Room::None);
                }
            }
            Journaled::Failed { why } => self.fail(why),
        }
    }

    pub(super) fn tell_full(&mut self, full: bool) {
        self.state.waiting.push_back(if full { News::DiskFull } else { News::DiskFree });
        self.offer_news();
    }

    /// Ends everything at once: nobody knows what is durable, so that nothing more is told.
    fn fail(&mut self, why: String) {
        self.state.killed = true;
        self.state.waiting.push_back(News::Failed(why));
    }

    fn durable(&mut self, lsn: Lsn) -> Input {
        self.state.durable = self.state.durable.max(lsn);
        Input::Durable { shard: self.shard, lsn }
    }

    /// Has records mean the same to all members, where others keep the journal as well.
    pub(super) fn name(&self, records: &mut [Record]) {
        let Some(blobs) = &self.shared else { return };
        for record in records {
            let named: Result<(), std::convert::Infallible> = record.payloads(|payload| {
                blobs.name(payload);
                Ok(())
            });
            let Ok(()) = named;
        }
    }

    /// Appends a batch; says so where it is durable at once.
    pub(super) fn append(
        &mut self,
        epoch: Epoch,
        lsn: Lsn,
        at: Wall,
        records: &[Record],
    ) -> Option<Input> {
        let mut encoded = Ok(());
        let durable = self.journal.append(lsn, &mut |bytes| {
            encoded = batch::encode(epoch, Some(at), records, bytes);
        });
        self.state.appended = lsn;
        let forgets = |record: &&Record| matches!(record, Record::Forgotten { .. });
        let forgotten = records.iter().filter(forgets).count() as u64;
        self.state.forgotten.fetch_add(forgotten, Ordering::Relaxed);
        if let Err(error) = encoded {
            self.fail(format!("batch {} cannot be written: {error}", lsn.0));
            return None;
        }
        (durable >= lsn).then(|| self.durable(durable))
    }
}
