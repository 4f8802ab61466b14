//! What has come of a run so far: outcomes in order, neighbours of a kind as one range.

use bary_model::id::{ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::time::Span;

/// The outcomes of a run and where it is: the next task is at `offset` of item `item`.
#[derive(Debug, Default)]
pub struct Report {
    outcomes: Vec<OutcomeItem>,
    item: usize,
    offset: u32,
    /// Whether the last outcome may take in the next success.
    open: bool,
}

/// How one task ended.
#[derive(Debug)]
pub struct Ended {
    /// What it gave, or why it failed.
    pub end: Result<(), Failure>,
    /// Its result, or what it printed before it failed.
    pub output: Payload,
    /// What it wrote to standard error.
    pub stderr: Payload,
    /// When it ran and what it used.
    pub usage: Usage,
}

impl Report {
    /// Whether every task has its outcome.
    #[must_use]
    pub fn is_whole(&self, items: &[GrantItem]) -> bool {
        self.item >= items.len()
    }

    /// The task that is next, or under way, and the home of its job.
    #[must_use]
    pub fn next(&self, items: &[GrantItem]) -> Option<(ShardId, TaskId)> {
        let GrantItem { fence, range, .. } = items.get(self.item)?;
        Some((fence.shard, TaskId { index: range.first + self.offset, ..range.head() }))
    }

    /// Records how the next task ended.
    pub fn push(&mut self, items: &[GrantItem], ended: Ended) {
        if self.open && ended.end.is_ok() && ended.stderr.is_empty() && self.join(&ended) {
            return self.advance(items, 1);
        }
        let Some(item) = items.get(self.item) else { return };
        let alone = item.spec.body.detail || ended.end.is_err() || !ended.stderr.is_empty();
        let outcome = match ended.end {
            Ok(()) if ended.output.is_empty() => Outcome::Succeeded(Results::Nothing),
            Ok(()) => Outcome::Succeeded(Results::Each(vec![ended.output])),
            Err(failure) => Outcome::Failed { failure, output: ended.output },
        };
        self.put(items, 1, outcome, ended.stderr, ended.usage);
        self.open &= !alone;
    }

    /// Records a success that gave nothing where it makes the last outcome longer and is not the
    /// last of its item.
    pub fn push_nothing(&mut self, items: &[GrantItem], busy: Span) -> bool {
        let Some(item) = items.get(self.item) else { return false };
        if !self.open || self.offset + 1 >= item.range.count {
            return false;
        }
        let Some(last) = self.outcomes.last_mut() else { return false };
        if !matches!(last.outcome, Outcome::Succeeded(Results::Nothing)) {
            return false;
        }
        last.range.count += 1;
        last.usage.busy += busy;
        self.offset += 1;
        true
    }

    /// Records that the next task was stopped since it was cancelled.
    pub fn push_stopped(&mut self, items: &[GrantItem], stderr: Payload, usage: Usage) {
        self.put(items, 1, Outcome::Stopped, stderr, usage);
        self.open = false;
    }

    /// Records that all further tasks were not begun.
    pub fn return_rest(&mut self, items: &[GrantItem]) {
        while let Some(item) = items.get(self.item) {
            let left = item.range.count - self.offset;
            self.put(items, left, Outcome::Returned, Payload::Empty, Usage::default());
        }
    }

    /// The outcomes, in order.
    #[must_use]
    pub fn take(&mut self) -> Vec<OutcomeItem> {
        std::mem::take(&mut self.outcomes)
    }

    fn join(&mut self, ended: &Ended) -> bool {
        let Some(last) = self.outcomes.last_mut() else { return false };
        match &mut last.outcome {
            Outcome::Succeeded(Results::Nothing) if ended.output.is_empty() => {}
            Outcome::Succeeded(Results::Each(each)) => each.push(ended.output.clone()),
            _ => return false,
        }
        last.range.count += 1;
        last.usage.busy += ended.usage.busy;
        last.usage.cpu += ended.usage.cpu;
        last.usage.peak_memory = last.usage.peak_memory.max(ended.usage.peak_memory);
        true
    }

    fn put(
        &mut self,
        items: &[GrantItem],
        count: u32,
        outcome: Outcome,
        stderr: Payload,
        usage: Usage,
    ) {
        let Some(item) = items.get(self.item) else { return };
        let range = item.range.with(item.range.first + self.offset, count);
        self.outcomes.push(OutcomeItem { fence: item.fence, range, outcome, stderr, usage });
        self.open = true;
        self.advance(items, count);
    }

    fn advance(&mut self, items: &[GrantItem], count: u32) {
        self.offset += count;
        if items.get(self.item).is_some_and(|item| self.offset >= item.range.count) {
            self.item += 1;
            self.offset = 0;
            self.open = false;
        }
    }
}
