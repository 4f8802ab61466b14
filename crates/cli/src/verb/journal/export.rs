//! `bary journal export`: a journal as a history that `bary sim judge` reads.
//!
//! A journal knows what was decided and when that was written, not what was started: the time of a
//! fact is the number of its batch, `wall` is when the batch was written, and starts are absent. A
//! large result is there by reference.

use std::borrow::Cow;

use bary_journal::inspect::Sight;
use bary_ledger::record::Record;
use bary_model::id::{Incarnation, Lsn, NodeId, ShardId};
use bary_model::time::Moment;
use bary_sim::history::{Entry, Fact};
use bary_wire::batch;

use super::Place;
use super::fold::Fold;
use crate::args::Face;
use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::screen::{PrintError, Screen};
use crate::verb;

/// The node that the journal is of.
const NODE: NodeId = NodeId(0);

/// Exports a journal.
pub(crate) fn run(place: &Place, face: Face) -> Result<Exit, Complaint> {
    // What is wrong is said before anything is printed.
    let looked = place.look(Fold::new, Fold::see)?;
    if let Some(fault) = looked.fault.or(looked.seen.fault) {
        return Err(place.damaged(&fault));
    }
    let (shard, last) = (ShardId(looked.summary.id), looked.summary.last);
    let mut history = History { shard, last, next: Lsn(1), gap: None, lines: Lines::new(face) };
    let read = bary_journal::inspect::inspect(&place.disk, &mut |sight| history.see(sight));
    read.map_err(|error| place.damaged(&error.to_string()))?;
    let Lines { mut screen, failed, .. } = history.lines;
    failed.map_or(Ok(()), Err).and_then(|()| screen.flush()).map_err(verb::printing)?;
    if history.next.0 <= last.0 {
        let from = history.next.0;
        let why =
            format!("batches {from} to {} were removed while it was read; export again", last.0);
        return Err(place.damaged(&why));
    }
    if let Some(gap) = history.gap
        && !face.is_quiet()
    {
        let from = gap.0 + 1;
        screen.note(&format!(
            "bary: a snapshot stands for the batches before {from}, so that this history has no \
             beginning and cannot be judged"
        ));
    }
    Ok(Exit::OK)
}

/// The facts of a journal, as they are found.
struct History {
    shard: ShardId,
    last: Lsn,
    /// The batch that comes next.
    next: Lsn,
    /// The last batch that is in a snapshot only.
    gap: Option<Lsn>,
    lines: Lines,
}

impl History {
    fn see(&mut self, sight: Sight<'_>) {
        let Sight::Batch { lsn, batch, in_order: true, .. } = sight else { return };
        if self.next == Lsn(1) && lsn > self.next {
            (self.gap, self.next) = (Some(Lsn(lsn.0 - 1)), lsn);
        }
        // What is not next, a segment that is in use has lost or grown meanwhile.
        if lsn != self.next || lsn > self.last {
            return;
        }
        // It was read before; what has changed since shows as a batch that is missing.
        let Ok(batch) = batch::decode(batch) else { return };
        self.next = Lsn(lsn.0 + 1);
        let shard = self.shard;
        if let Some(Record::Opened { epoch }) = batch.records.first() {
            if lsn > Lsn(1) {
                self.put(lsn, Fact::Crashed);
            }
            self.put(lsn, Fact::Began { incarnation: Incarnation(epoch.0) });
            self.put(lsn, Fact::Opened { shard, next: lsn });
        }
        let (epoch, wall) = (batch.epoch, batch.at);
        let records = Cow::Borrowed(&batch.records[..]);
        self.put(lsn, Fact::Appended { shard, epoch, lsn, wall, records });
        self.put(lsn, Fact::Durable { shard, lsn });
    }

    fn put(&mut self, lsn: Lsn, fact: Fact<'_>) {
        let entry = Entry { at: Moment(lsn.0), node: NODE, fact };
        self.lines.put(&entry.line());
    }
}

/// Lines to standard output, until that takes no more.
struct Lines {
    screen: Screen,
    failed: Option<PrintError>,
}

impl Lines {
    fn new(face: Face) -> Self {
        Self { screen: Screen::new(face), failed: None }
    }

    fn put(&mut self, line: &str) {
        if self.failed.is_none() {
            self.failed = self.screen.out(format!("{line}\n").as_bytes()).err();
        }
    }
}
