//! What nodes tell of their runs. Those of this member tell it by themselves and at once, while
//! homes tell only what is durable: a start whose grant has not been told waits for that. Other
//! members are asked.

use bary_model::id::{GrantNo, NodeId, RunNo, ShardId, TaskId, TaskRange};
use bary_model::time::Moment;
use bary_transport::mesh::runs::Runs;

use crate::board::active::Hold;
use crate::board::books::Books;
use crate::board::job::Word;
use crate::board::ring::What;
use crate::listener::Began;

impl Books {
    /// What nodes tell of their runs.
    pub(crate) fn on_runs(&mut self, node: NodeId, at: Moment, began: Vec<Began>, over: &[RunNo]) {
        self.nodes.on_runs(node, began.len(), over.len());
        for Began { run, items } in began {
            for (fence, range, attempt) in items {
                let hold = Hold { node, at, attempt };
                if !self.is_of(fence.shard) {
                    self.guests.on_began((node, run), fence.shard, (range, attempt));
                    continue;
                }
                if fence.grant > self.granted {
                    self.early.entry(fence.grant).or_default().push((range, hold));
                } else {
                    self.on_began(range, hold);
                }
            }
        }
        over.iter().for_each(|run| self.guests.on_over(node, *run));
    }

    /// Whether what is told of a shard's tasks belongs here: other members' tasks run here too.
    pub(crate) fn is_of(&self, shard: ShardId) -> bool {
        self.shard.is_none_or(|own| shard == own)
    }

    /// All grants up to this one have been told.
    pub(super) fn on_told(&mut self, last: GrantNo) {
        self.granted = self.granted.max(last);
        while let Some(first) = self.early.first_entry().filter(|one| *one.key() <= last) {
            for (range, hold) in first.remove() {
                self.on_began(range, hold);
            }
        }
    }

    fn on_began(&mut self, range: TaskRange, hold: Hold) {
        let mut begins = false;
        self.on_row(range.job, |row| begins = row.on_started(range, hold));
        let Hold { node, at, attempt } = hold;
        if begins {
            self.note(at, Some(range.job), What::Started { node, attempt, range });
        }
    }

    /// Which tasks run at another member; whether any of that is news. What it was not granted, or
    /// has failed since, does not count.
    pub(crate) fn on_far_runs(&mut self, member: u64, runs: &[Runs]) -> bool {
        let (now, mut is_news) = (self.clock.now(), false);
        for Runs { range, attempt, age } in runs {
            let detail = self.job(range.job).and_then(|row| row.detail.as_deref());
            let Some(detail) = detail else { continue };
            let end = TaskId { index: range.end(), ..range.head() };
            let has_failed = |(_, failed): (_, &u16)| failed >= attempt;
            if detail.failures.range(range.head()..end).any(has_failed) {
                continue;
            }
            let mut held = detail.granted.within(*range);
            held.retain(|(part, hold)| {
                hold.node.member() == member && detail.running.within(*part).is_empty()
            });
            let age = u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
            let at = Moment(now.0.saturating_sub(age));
            for (part, Hold { node, .. }) in held {
                is_news = true;
                self.on_began(part, Hold { node, at, attempt: *attempt });
            }
        }
        is_news
    }

    /// What a running task says of itself.
    pub(crate) fn on_said(&mut self, task: TaskId, word: Word) {
        self.on_row(task.job, |row| {
            let Some(detail) = &mut row.detail else { return };
            if detail.running.find(task).is_some() {
                detail.said.insert(task, word);
            }
        });
    }
}
