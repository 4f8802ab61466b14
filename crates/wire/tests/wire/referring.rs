//! What only later versions know: distances, how busy machines are, what refers to bytes that a
//! member of a cluster keeps, and gangs.

use std::sync::Arc;

use bary_ledger::record::Record;
use bary_model::gang::Seat;
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, ShardId, TaskId, TaskRange};
use bary_model::message::{Grant, GrantItem, Say};
use bary_model::node::Busy;
use bary_model::payload::{BlobRef, Kept, Payload};
use bary_model::task::TaskSpec;
use bary_model::time::{Moment, Span};

fn elsewhere() -> Payload {
    let blob = BlobRef { id: 1 << 41, len: 1 << 30 };
    Payload::Kept(Box::new(Kept { member: 1 << 50, blob, hash: [7; 32] }))
}

/// A record that readers of version 4 do not know.
pub(crate) fn referring() -> Vec<Record> {
    let (task, grant) = (TaskId::default(), GrantNo(2));
    vec![Record::Checkpointed { task, grant, step: 4, payload: elsewhere() }]
}

/// What is said that readers of version 5 do not know.
pub(crate) fn referred() -> Vec<Say> {
    let fence = Fence { shard: ShardId(40), epoch: Epoch(3), grant: GrantNo(2) };
    vec![Say::Checkpoint { fence, task: TaskId::default(), step: 4, payload: elsewhere() }]
}

/// What readers of version 3 do not know.
pub(crate) fn measured() -> Vec<Say> {
    vec![
        Say::Survey { number: 3, peers: vec![NodeId(1), NodeId(700)] },
        Say::Distances { number: 3, trips: vec![(NodeId(700), Span::millis(90))] },
        Say::Probe { at: Moment(1 << 40) },
        Say::Echo { at: Moment(1 << 40) },
    ]
}

/// What readers of version 4 do not know.
pub(crate) fn gauged() -> Vec<Say> {
    vec![Say::Gauge, Say::Busy(Some(Busy { cpus: 250, memory: 1_000 })), Say::Busy(None)]
}

/// What readers of version 6 do not know: of these items the first as a rank of a gang.
pub(crate) fn ganged(mut items: Vec<GrantItem>) -> Say {
    let first = &mut items[0];
    first.range = TaskRange { first: 1, count: 1, ..first.range };
    first.spec = Arc::new(TaskSpec { gang: 2, ..TaskSpec::clone(&first.spec) });
    first.seat = Some(Seat { first: NodeId(700), port: 29_511 });
    Say::Grant(Grant { items, answers: vec![(ShardId(40), 4)], ready: 9, settled: 3 })
}
