//! What refers to bytes that a member of a cluster keeps.

use bary_ledger::record::Record;
use bary_model::id::{Epoch, Fence, GrantNo, ShardId, TaskId};
use bary_model::message::Say;
use bary_model::payload::{BlobRef, Kept, Payload};

fn elsewhere() -> Payload {
    let blob = BlobRef { id: 1 << 41, len: 1 << 30 };
    Payload::Kept(Box::new(Kept { member: 1 << 50, blob, hash: [7; 32] }))
}

/// A record that readers of version 4 do not know.
pub(crate) fn referring() -> Vec<Record> {
    let (task, grant) = (TaskId::default(), GrantNo(2));
    vec![Record::Checkpointed { task, grant, step: 4, payload: elsewhere() }]
}

/// What is said that readers of version 4 do not know.
pub(crate) fn referred() -> Vec<Say> {
    let fence = Fence { shard: ShardId(40), epoch: Epoch(3), grant: GrantNo(2) };
    vec![Say::Checkpoint { fence, task: TaskId::default(), step: 4, payload: elsewhere() }]
}
