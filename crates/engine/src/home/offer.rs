//! Putting tasks among those that are ready, and sorting them anew.

use bary_ledger::job::Job;
use bary_model::id::{JobNo, TaskRange};
use bary_policy::view::{Foresight, TaskView};

use crate::home::Home;
use crate::home::ready::{Entry, Worth};

impl Home {
    pub(super) fn make_ready(&mut self, range: TaskRange) {
        self.note_falls(range);
        if let Some(range) = self.gates.admit(range) {
            self.offer(range);
        }
    }

    /// Puts tasks among those that are ready; one that has left a checkpoint is put there alone.
    pub(super) fn offer(&mut self, range: TaskRange) {
        self.meet_owner(range.job);
        let gang = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(size) = gang.map(|spec| u32::from(spec.gang)).filter(|size| *size > 0) {
            return self.offer_gangs(range, size);
        }
        let kept = |job: &Job| range.count > 1 && !job.checkpoints.is_empty();
        if self.ledger.job(range.job).is_some_and(kept) {
            for part in self.by_checkpoint(range) {
                self.ready.extend(self.entry(part));
            }
        } else {
            self.ready.extend(self.entry(range));
        }
    }

    /// Notes the owner of a job, where owners count.
    pub(super) fn meet_owner(&mut self, job: JobNo) {
        let job = self.ledger.job(job);
        if let Some(owner) = self.line.meet(job)
            && let (Some(job), Some(turns)) = (job, &mut self.ready.turns)
        {
            turns.set_share(owner, self.policy.queue.share(&job.about.owner));
        }
    }

    pub(super) fn entry(&self, range: TaskRange) -> Option<Entry> {
        let job = self.ledger.job(range.job)?;
        let spec = job.spec(range.spec)?;
        let levels = self.levels.get(&range.job);
        let weight = self.worth(spec);
        let own = weight.thousandths();
        let b_level = levels.and_then(|levels| levels.get(range.spec)).unwrap_or(own);
        let successors = levels.map_or(0, |levels| levels.successors(range.spec));
        let view = TaskView {
            weight,
            b_level,
            sequence: u64::from(range.spec.0),
            request: &spec.body.request,
            known: Foresight {
                rank: self.rank(range, spec),
                successors,
                ..self.expects(job, spec)
            },
        };
        let (key, spec) = (self.policy.order.key(&view), spec.clone());
        let rank = spec.body.priority.saturating_add(job.priority);
        let (owner, since) = (self.line.owner_of(job), self.today);
        let worth = Worth::new(weight, self.is_guessed(&spec));
        let line = self.place_of(range.job);
        Some(Entry { key, line, rank, range, spec, owner, since, worth })
    }

    /// Where a job's tasks stand before their keys count; see [`Entry::line`].
    pub(super) fn place_of(&self, job: JobNo) -> u32 {
        if self.policy.by_job { job.0 } else { 0 }
    }

    /// Sorts all ready tasks anew under the present order.
    pub(super) fn reorder(&mut self) {
        let mut ranges: Vec<TaskRange> = self.ready.drain();
        ranges.extend(self.gangs.take_out(None));
        for range in ranges {
            self.make_ready(range);
        }
    }
}
