//! A job of one task, as invariants that count attempts are tried with.

use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::id::{Epoch, GrantNo, JobNo, Lsn, NodeId, ShardId, TaskId};
use bary_model::task::{Body, TaskSpec};
use bary_model::time::Moment;

use crate::invariant::{Broken, Invariant, Scene, Settled};
use crate::oracle::book::Book;
use crate::plan::ready::{function, job};

/// The records of a task's attempts that failed in these ways.
pub(super) fn failures(failed: &[bool]) -> impl Iterator<Item = Record> {
    let (task, grant) = (TaskId::default(), GrantNo::default());
    failed.iter().map(move |crashed| Record::Failed { task, grant, crashed: *crashed })
}

/// Judges what became of a task that may be retried so often.
pub(super) fn judged(
    judge: &mut impl Invariant,
    retries: u16,
    records: impl IntoIterator<Item = Record>,
) -> Result<(), Broken> {
    let body = Body { retries, ..function("f") };
    let spec = job(vec![TaskSpec::new(Arc::new(body))]);
    let submitted = Record::Submitted {
        job: JobNo(0),
        name: spec.name,
        specs: spec.specs,
        open: false,
        halt: None,
        key: None,
        about: Arc::default(),
    };
    let mut book = Book::default();
    book.settle(ShardId(1), &submitted);
    records.into_iter().try_for_each(|record| {
        let scene = Scene { at: Moment(0), node: NodeId(0), own: None, book: &book };
        let (shard, epoch, lsn) = (ShardId(1), Epoch(1), Lsn(1));
        judge.settled(&scene, &Settled { shard, epoch, lsn, record: &record })
    })
}
