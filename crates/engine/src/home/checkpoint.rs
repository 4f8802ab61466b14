//! Checkpoints: what a task leaves for its next attempt is on record as soon as it is heard, and
//! the next grant of the task says it. Only the current grant of a task may leave one.

use bary_ledger::consequences::Consequences;
use bary_ledger::record::Record;
use bary_model::event::EventKind;
use bary_model::id::{Fence, NodeId, TaskId, TaskRange};
use bary_model::payload::Payload;

use crate::home::Home;
use crate::outbox::Outbox;

impl Home {
    /// A task has left something for its next attempt.
    pub(super) fn on_checkpoint(
        &mut self,
        node: NodeId,
        (fence, task): (Fence, TaskId),
        step: u64,
        payload: Payload,
        out: &mut Outbox,
    ) {
        if !self.ledger.accepts(fence, TaskRange::one(task)) {
            return;
        }
        let grant = fence.grant;
        let record = Record::Checkpointed { task, grant, step, payload: payload.clone() };
        self.commit(record, &mut Consequences::default());
        self.log.tell(EventKind::Checkpointed { task, node, step, payload }, out);
    }

    /// Tasks in parts, so that one that has left a checkpoint is alone, as it is told its own.
    pub(super) fn by_checkpoint(&self, range: TaskRange) -> Vec<TaskRange> {
        let alone = || vec![range];
        let Some(job) = self.ledger.job(range.job) else { return alone() };
        if range.count == 1 || job.checkpoints.is_empty() {
            return alone();
        }
        let (mut parts, mut at) = (Vec::new(), range.first);
        for index in job.checkpoints.within(range) {
            if index > at {
                parts.push(range.with(at, index - at));
            }
            parts.push(range.with(index, 1));
            at = index + 1;
        }
        if at < range.end() {
            parts.push(range.with(at, range.end() - at));
        }
        parts
    }
}
