//! Leaves out of a log what counts no more: the records of jobs that were forgotten, and their
//! results. A thread of its own reads the log twice and writes what is left beside it, while the
//! log goes on; the log then only takes that over, which is one change of a name.
//!
//! A crash at any point leaves the log as it was, or as it is to be.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bary_disk::file::{FileDisk, OpenError};
use bary_journal::prepared::{DRAFT, STATE_AT, Sum};
use bary_journal::reading;
use bary_journal::recovery::{Entry, OpenError as LogOpenError};
use bary_ledger::record::Record;
use bary_ledger::survey::Survey;
use bary_model::id::{Epoch, Lsn, ShardId};
use bary_model::payload::{BlobRef, Kept, Payload};
use bary_model::time::Wall;
use bary_wire::batch::Batch;
use bary_wire::codec::{DecodeError, EncodeError};
use bary_wire::past;

use crate::state::batches;

/// A log of which something may be left out.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    /// The directory of the log.
    pub(crate) dir: &'a Path,
    pub(crate) shard: ShardId,
    /// The last batch that is looked at, which must be durable.
    pub(crate) until: Lsn,
    /// How many bytes all batches up to that one take, those that were compacted before included.
    pub(crate) bytes: u64,
    /// How many bytes of results nobody reads any more.
    pub(crate) results: u64,
}

/// What stands beside a log, to be taken over by it.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) lsn: Lsn,
    pub(crate) bytes: u64,
    /// Results that nobody can ask for once that is done.
    pub(crate) unread: Vec<BlobRef>,
    /// The same of results that members of a cluster keep.
    pub(crate) unread_elsewhere: Vec<Kept>,
}

/// Why nothing was prepared. The log is as it was.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CompactError {
    /// Somebody wants the end.
    #[error("it was stopped")]
    Stopped,
    /// The log cannot be read.
    #[error("the journal cannot be read: {0}")]
    Read(#[from] LogOpenError),
    /// A batch cannot be read.
    #[error("a batch cannot be read: {0}")]
    Decode(#[from] DecodeError),
    /// A batch cannot be written.
    #[error("a batch cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// The system refused.
    #[error("the journal cannot be compacted: {0}")]
    Refused(#[from] io::Error),
}

/// How many bytes are written at a time.
const PIECE_BYTES: usize = 1 << 20;

/// Writes what still counts of a log beside it, where that is no more than half of it, or no more
/// than the results that are given back by it.
pub(crate) fn prepare(
    source: &Source<'_>,
    stop: &AtomicBool,
) -> Result<Option<Prepared>, CompactError> {
    let mut survey = Survey::new(source.shard);
    read(source, stop, &mut |batch| {
        survey.take_in(batch.epoch, batch.at.unwrap_or_default(), &batch.records);
        Ok(true)
    })?;
    let mut survivors = survey.finish();
    if !survivors.leaves_out() {
        return Ok(None);
    }
    let mut draft = Draft::begin(source.dir)?;
    let most = (source.bytes / 2).max(source.results);
    let mut results = Results::default();
    let at = Some(survivors.at()).filter(|at| *at > Wall(0));
    draft.add(Epoch(0), at, &[survivors.begin()])?;
    let worth = read(source, stop, &mut |batch| {
        let Batch { epoch, at, records } = batch;
        let (mut kept, mut left) = survivors.divide(epoch, records);
        results.see(&mut kept, false);
        results.see(&mut left, true);
        if !kept.is_empty() {
            draft.add(epoch, at, &kept)?;
        }
        Ok(draft.bytes() <= most)
    })?;
    if !worth {
        return Ok(None);
    }
    let bytes = draft.finish(source.shard.0, source.until)?;
    let (unread, unread_elsewhere) = results.unread();
    Ok(Some(Prepared { lsn: source.until, bytes, unread, unread_elsewhere }))
}

/// Shows every batch up to the last one that is wanted, until `each` has seen enough; whether it
/// has not.
fn read(
    source: &Source<'_>,
    stop: &AtomicBool,
    each: &mut dyn FnMut(Batch) -> Result<bool, CompactError>,
) -> Result<bool, CompactError> {
    let disk = FileDisk::peek(source.dir).map_err(|error| match error {
        OpenError::Failed { cause, .. } => cause,
        // To look is open to everybody.
        OpenError::InUse { .. } => io::ErrorKind::ResourceBusy.into(),
    })?;
    let mut outcome = Ok(true);
    let read = reading::read(&disk, &mut |entry| {
        let last = match entry {
            Entry::Batch { lsn, .. } | Entry::Snapshot { lsn, .. } => lsn >= source.until,
        };
        for batch in batches(&entry) {
            outcome = match batch {
                _ if stop.load(Ordering::Relaxed) => Err(CompactError::Stopped),
                Ok(batch) => each(batch),
                Err(error) => Err(error.into()),
            };
            if !matches!(outcome, Ok(true)) {
                return ControlFlow::Break(());
            }
        }
        if last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    match read {
        Ok(_) | Err(LogOpenError::Stopped) => outcome,
        Err(error) => outcome.and_then(|_| Err(error.into())),
    }
}

/// The file in which what is kept is written; it goes where it is not finished.
struct Draft {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    sum: Sum,
    whole: bool,
}

impl Draft {
    fn begin(dir: &Path) -> io::Result<Self> {
        let path = dir.join(DRAFT);
        let mut file = File::create(&path)?;
        file.seek(SeekFrom::Start(STATE_AT as u64))?;
        let mut buffer = Vec::new();
        past::begin(&mut buffer);
        Ok(Self { path, file, buffer, sum: Sum::default(), whole: false })
    }

    fn bytes(&self) -> u64 {
        self.sum.bytes() + self.buffer.len() as u64
    }

    fn add(
        &mut self,
        epoch: Epoch,
        at: Option<Wall>,
        records: &[Record],
    ) -> Result<(), CompactError> {
        past::add(epoch, at, records, &mut self.buffer)?;
        if self.buffer.len() >= PIECE_BYTES { Ok(self.flush()?) } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sum.take_in(&self.buffer);
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self, log: u64, lsn: Lsn) -> io::Result<u64> {
        self.flush()?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.sum.header(log, lsn))?;
        self.file.sync_all()?;
        self.whole = true;
        Ok(self.sum.bytes())
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.whole {
            // Opening the log removes it, too.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// The results that records refer to, and whether any that is kept does.
#[derive(Default)]
struct Results {
    left: BTreeMap<u64, (BlobRef, bool)>,
    left_elsewhere: BTreeMap<Kept, bool>,
}

impl Results {
    fn see(&mut self, records: &mut [Record], unread: bool) {
        for record in records {
            let seen: Result<(), std::convert::Infallible> = record.payloads(|payload| {
                match payload {
                    Payload::Stored(blob) => {
                        let known = self.left.entry(blob.id).or_insert((*blob, unread));
                        known.1 &= unread;
                    }
                    Payload::Kept(kept) => {
                        *self.left_elsewhere.entry(**kept).or_insert(unread) &= unread;
                    }
                    Payload::Empty | Payload::Inline(_) => {}
                }
                Ok(())
            });
            let Ok(()) = seen;
        }
    }

    fn unread(self) -> (Vec<BlobRef>, Vec<Kept>) {
        let unread = self.left.into_values().filter(|(_, unread)| *unread);
        let elsewhere = self.left_elsewhere.into_iter().filter(|(_, unread)| *unread);
        (unread.map(|(blob, _)| blob).collect(), elsewhere.map(|(kept, _)| kept).collect())
    }
}

#[cfg(test)]
mod tests {
    use bary_model::id::{GrantNo, TaskId};

    use super::*;

    #[test]
    fn only_what_no_kept_record_names_is_given_back() {
        let elsewhere =
            |id| Kept { member: 5, blob: BlobRef { id, len: 300 }, hash: [id as u8; 32] };
        let naming = |payload| {
            let (task, grant) = (TaskId::default(), GrantNo(1));
            Record::Checkpointed { task, grant, step: 1, payload }
        };
        let kept = |id| naming(Payload::Kept(Box::new(elsewhere(id))));
        let own = |id| naming(Payload::Stored(BlobRef { id, len: 300 }));
        let mut results = Results::default();
        results.see(&mut [kept(1), own(1), kept(2), own(2)], true);
        results.see(&mut [kept(2), own(2), kept(3)], false);
        results.see(&mut [kept(3), kept(4)], true);
        let (unread, unread_elsewhere) = results.unread();
        assert_eq!(unread, [BlobRef { id: 1, len: 300 }]);
        assert_eq!(unread_elsewhere, [elsewhere(1), elsewhere(4)]);
    }
}
