//! Group commit: whatever has come in since the last sync shares the next one.
//!
//! This is all of a journal but its thread: a driver pushes, commits, and passes on what it is
//! told.

use std::collections::VecDeque;

use bary_model::id::Lsn;
use bary_ports::journal::{Completion, Room};
use bytes::Bytes;

use crate::log::{Log, WriteError};

/// A log and the batches that wait for it.
#[derive(Debug)]
pub struct GroupCommit {
    log: Log,
    waiting: VecDeque<(Lsn, Bytes)>,
    waiting_bytes: usize,
    told_room: Room,
    failed: bool,
}

impl GroupCommit {
    /// Around an open log, whose room the caller knows; changes of it are told.
    #[must_use]
    pub fn new(log: Log) -> Self {
        let told_room = log.room();
        Self { log, waiting: VecDeque::new(), waiting_bytes: 0, told_room, failed: false }
    }

    /// The log, for snapshots.
    pub fn log(&mut self) -> &mut Log {
        &mut self.log
    }

    /// How many bytes wait. The driver takes no more than its limit allows.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// Takes a batch for the next commit.
    pub fn push(&mut self, lsn: Lsn, batch: Bytes) {
        if !self.failed {
            self.waiting_bytes += batch.len();
            self.waiting.push_back((lsn, batch));
        }
    }

    /// Writes what waits, syncs once, and tells what came of it. Where the disk is full, the rest
    /// goes on waiting; commit again when a while has passed.
    pub fn commit(&mut self, tell: &mut dyn FnMut(Completion)) {
        if self.failed {
            return;
        }
        if let Err(why) = self.try_commit(tell) {
            self.failed = true;
            self.waiting.clear();
            self.waiting_bytes = 0;
            tell(Completion::Failed { why });
        }
    }

    fn try_commit(&mut self, tell: &mut dyn FnMut(Completion)) -> Result<(), String> {
        if self.log.room() != Room::Ample {
            self.log.make_room().map_err(|error| error.to_string())?;
        }
        let before = self.log.durable();
        while let Some((lsn, batch)) = self.waiting.front() {
            match self.log.write(*lsn, batch) {
                Ok(()) => {}
                Err(WriteError::Full) => break,
                Err(error) => return Err(error.to_string()),
            }
            self.waiting_bytes -= batch.len();
            self.waiting.pop_front();
        }
        let durable = self.log.sync().map_err(|error| error.to_string())?;
        if durable > before {
            tell(Completion::Durable(durable));
        }
        if self.log.room() != self.told_room {
            self.told_room = self.log.room();
            tell(Completion::Room(self.told_room));
        }
        Ok(())
    }
}
