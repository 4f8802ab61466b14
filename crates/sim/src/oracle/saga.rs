//! One job as its durable records tell it, from its submission to the end of its last task.

pub(crate) mod added;
mod upstream;
mod words;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bary_ledger::record::EndedTasks;
use bary_model::id::{Epoch, SpecNo, TaskRange};
use bary_model::job::JobRef;
use bary_model::outcome::End;
use bary_model::payload::Payload;
use bary_model::task::{RunIf, TaskSpec};
use bary_model::time::Wall;

use crate::history::Digest;
use crate::oracle::book::{Ending, Hold};
use crate::oracle::stretches::Stretches;

/// A job. Its tasks are numbered through: those of spec 0 first.
#[derive(Debug)]
pub struct Saga {
    /// Whether specs may be added.
    pub open: bool,
    /// Whether it is being cancelled.
    pub stopping: bool,
    /// Whether nothing of it is granted until it is released.
    pub held: bool,
    /// Before when nothing of it is granted, on the clock of its home.
    pub not_before: Option<Wall>,
    /// What is added to the priority of its tasks.
    pub priority: i32,
    /// Whether it was forgotten.
    pub forgotten: bool,
    /// How often it was retried.
    pub generation: u32,
    /// Whether it had ended well each time that it was retried.
    past: Vec<bool>,
    /// Tasks that have not ended.
    pub left: u64,
    chapters: Vec<Chapter>,
    ends: Stretches<Ending>,
    holds: Stretches<Hold>,
    results: BTreeMap<u64, Digest>,
    /// What tasks that have not ended left last: the step, and a sum of the words.
    words: BTreeMap<u64, (u64, Digest)>,
    /// The jobs that it waits for, and how they ended.
    upstream: Vec<(JobRef, Option<bool>)>,
}

/// Whether what a spec waits for in other shards lets it run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// It waits for nothing there.
    Open,
    /// Some of it has not ended.
    Shut,
    /// All of it has; whether well.
    Passed(bool),
}

/// One spec of a job.
#[derive(Debug)]
struct Chapter {
    spec: Arc<TaskSpec>,
    /// The number of its first task.
    offset: u64,
    /// The number of the first spec of those that it came with.
    batch: u32,
    /// The reign in which it was added.
    epoch: Epoch,
    /// The specs that wait for it.
    dependents: Vec<usize>,
    gate: Gate,
    left: u64,
    succeeded: u64,
}

/// What the graph says of tasks that have not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leave {
    /// Something that they wait for has not ended.
    Waits,
    /// They may run.
    Runs,
    /// They will never run.
    Skips,
}

impl Saga {
    pub(crate) fn new(open: bool, upstream: Vec<JobRef>) -> Self {
        Self {
            open,
            stopping: false,
            held: false,
            not_before: None,
            priority: 0,
            forgotten: false,
            generation: 0,
            past: Vec::new(),
            left: 0,
            chapters: Vec::new(),
            ends: Stretches::default(),
            holds: Stretches::default(),
            results: BTreeMap::new(),
            words: BTreeMap::new(),
            upstream: upstream.into_iter().map(|job| (job, None)).collect(),
        }
    }

    /// Whether every task has ended and none will be added.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.left == 0 && !self.open
    }

    /// Whether every task has succeeded.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.chapters.iter().all(|chapter| chapter.succeeded == u64::from(chapter.spec.count))
    }

    /// How many tasks there are.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        self.chapters.last().map_or(0, |last| last.offset + u64::from(last.spec.count))
    }

    /// Whether all these tasks are there.
    #[must_use]
    pub fn has(&self, range: TaskRange) -> bool {
        let chapter = self.chapters.get(range.spec.index());
        chapter.is_some_and(|chapter| range.end() <= chapter.spec.count && range.count > 0)
    }

    /// The spec of this number.
    #[must_use]
    pub fn spec(&self, spec: SpecNo) -> Option<&Arc<TaskSpec>> {
        self.chapters.get(spec.index()).map(|chapter| &chapter.spec)
    }

    /// The numbers of these tasks, which are there.
    #[must_use]
    pub fn numbers(&self, range: TaskRange) -> Range<u64> {
        let offset = self.chapters[range.spec.index()].offset;
        offset + u64::from(range.first)..offset + u64::from(range.end())
    }

    /// How these tasks ended, piece by piece.
    pub fn ends(&self, range: TaskRange) -> impl Iterator<Item = (Range<u64>, Option<Ending>)> {
        self.ends.over(self.numbers(range))
    }

    /// Who holds these tasks, piece by piece.
    pub fn holds(&self, range: TaskRange) -> impl Iterator<Item = (Range<u64>, Option<Hold>)> {
        self.holds.over(self.numbers(range))
    }

    /// All ends so far, by the tasks' numbers.
    pub fn all_ends(&self) -> impl Iterator<Item = (Range<u64>, Ending)> {
        self.ends.iter()
    }

    /// The first task that has not ended: its spec and index.
    #[must_use]
    pub fn first_open(&self) -> Option<(SpecNo, u64)> {
        let (piece, _) = self.ends.over(0..self.tasks()).find(|(_, end)| end.is_none())?;
        Some(self.place(piece.start))
    }

    pub(crate) fn add(&mut self, specs: &[Arc<TaskSpec>], epoch: Epoch) {
        let batch = self.chapters.len();
        let blocked = self.upstream.iter().any(|(_, end)| end.is_none());
        let bad = self.upstream.iter().any(|(_, end)| *end == Some(false));
        for spec in specs {
            let gate = match (spec.after.is_empty(), blocked, bad) {
                (true, true, _) => Gate::Shut,
                (true, false, true) => Gate::Passed(false),
                _ => Gate::Open,
            };
            let (offset, left) = (self.tasks(), u64::from(spec.count));
            self.left += left;
            let (dependents, batch) = (Vec::new(), batch as u32);
            let (spec, succeeded) = (Arc::clone(spec), 0);
            self.chapters.push(Chapter {
                spec,
                offset,
                batch,
                epoch,
                dependents,
                gate,
                left,
                succeeded,
            });
        }
        for (number, spec) in specs.iter().enumerate() {
            for after in &spec.after {
                self.chapters[batch + after.spec.index()].dependents.push(batch + number);
            }
        }
        if bad && !blocked {
            self.skip_all();
        }
    }

    pub(crate) fn grant(&mut self, range: TaskRange, hold: Hold) {
        self.holds.set(self.numbers(range), hold);
    }

    pub(crate) fn release(&mut self, range: TaskRange) {
        self.holds.clear(self.numbers(range));
    }

    pub(crate) fn ended(&mut self, item: &EndedTasks) {
        let keeps = self.chapters[item.range.spec.index()].spec.body.keep_results;
        if item.end == End::Succeeded && keeps {
            for (number, task) in self.numbers(item.range).zip(item.range.tasks()) {
                let result = item.results.at((task.index - item.range.first) as usize);
                self.results.insert(number, digest(task.index, &result));
            }
        }
        self.end(item.range, Ending::from(&item.end));
    }

    /// Cancels what has not ended; where what runs is left alone, also what nobody holds.
    pub(crate) fn cancel(&mut self, range: TaskRange, running: bool) {
        let chapter = &self.chapters[range.spec.index()];
        let offset = chapter.offset;
        let mut parts = Vec::new();
        for (piece, end) in self.ends.over(self.numbers(range)) {
            let held = self.holds.over(piece).filter(|_| end.is_none());
            parts.extend(held.filter(|(_, hold)| running || hold.is_none()).map(|(part, _)| part));
        }
        for part in parts {
            let count = (part.end - part.start) as u32;
            self.end(range.with((part.start - offset) as u32, count), Ending::Cancelled);
        }
    }

    /// Everything that did not succeed is open again.
    pub(crate) fn retry(&mut self, upstream: Vec<(JobRef, Option<bool>)>) {
        self.past.push(self.is_good());
        self.generation += 1;
        (self.stopping, self.held, self.not_before) = (false, false, None);
        self.upstream = upstream;
        let waited = !self.upstream.is_empty();
        let waits = self.upstream.iter().any(|(_, end)| end.is_none());
        let good = self.upstream.iter().all(|(_, end)| *end == Some(true));
        let again: Vec<_> = self.ends.iter().filter(|(_, end)| *end != Ending::Succeeded).collect();
        for (piece, _) in again {
            self.ends.clear(piece.clone());
            self.left += piece.end - piece.start;
        }
        for chapter in &mut self.chapters {
            chapter.left = u64::from(chapter.spec.count) - chapter.succeeded;
            let gated = waited && chapter.spec.after.is_empty();
            chapter.gate = match (gated, waits) {
                (true, true) => Gate::Shut,
                (true, false) => Gate::Passed(good),
                (false, _) => Gate::Open,
            };
        }
        // What waited for a failure that will not come back is skipped again at once.
        self.skip_all();
    }

    fn skip_all(&mut self) {
        let mut endings = Vec::new();
        for next in 0..self.chapters.len() {
            let (spec, count) = (SpecNo(next as u32), self.chapters[next].spec.count);
            let whole = TaskRange { spec, first: 0, count, ..TaskRange::default() };
            self.skip(next, whole, &mut endings);
        }
        self.follow(endings);
    }

    /// Ends tasks, and skips what will never run because of it.
    fn end(&mut self, range: TaskRange, ending: Ending) {
        self.follow(vec![(range, ending)]);
    }

    fn follow(&mut self, mut endings: Vec<(TaskRange, Ending)>) {
        while let Some((range, ending)) = endings.pop() {
            let mut numbers = self.numbers(range);
            let mut count = 0;
            while let Some(piece) = self.ends.gap(numbers.clone()) {
                count += piece.end - piece.start;
                numbers.start = piece.end;
                self.holds.clear(piece.clone());
                if !self.words.is_empty() {
                    self.words.retain(|number, _| !piece.contains(number));
                }
                self.ends.set(piece, ending);
            }
            let chapter = &mut self.chapters[range.spec.index()];
            self.left -= count;
            chapter.left -= count;
            chapter.succeeded += count * u64::from(ending == Ending::Succeeded);
            for next in chapter.dependents.clone() {
                self.skip(next, range, &mut endings);
            }
        }
    }

    /// Notes which tasks of a spec will not run, now that those `above` ended.
    fn skip(&self, next: usize, above: TaskRange, endings: &mut Vec<(TaskRange, Ending)>) {
        let chapter = &self.chapters[next];
        let mut whole = chapter.spec.after.iter().filter(|after| !after.aligned).peekable();
        let every = whole.peek().is_some();
        if whole.any(|after| self.chapters[(chapter.batch + after.spec.0) as usize].left > 0) {
            return;
        }
        let (first, count) =
            if every { (0, chapter.spec.count) } else { (above.first, above.count) };
        let range = TaskRange { spec: SpecNo(next as u32), first, count, ..above };
        for (part, leave) in self.leave(range) {
            let open = leave == Leave::Skips && self.ends(part).any(|(_, end)| end.is_none());
            if open {
                endings.push((part, Ending::Skipped));
            }
        }
    }

    /// What the graph says of these tasks, piece by piece.
    #[must_use]
    pub fn leave(&self, range: TaskRange) -> Vec<(TaskRange, Leave)> {
        self.leave_given(range, None)
    }

    /// As [`Saga::leave`], where all jobs of other shards have ended, well or not, though it is
    /// not on record here yet.
    #[must_use]
    pub fn leave_given(&self, range: TaskRange, good: Option<bool>) -> Vec<(TaskRange, Leave)> {
        let chapter = &self.chapters[range.spec.index()];
        let gate = match (chapter.gate, good) {
            (Gate::Shut, Some(good)) => Gate::Passed(good),
            (gate, _) => gate,
        };
        // Whether all before ended, and whether all of them succeeded.
        let mut pieces = vec![(range, gate != Gate::Shut, gate != Gate::Passed(false))];
        let free = chapter.spec.after.is_empty() && gate == Gate::Open;
        for after in &chapter.spec.after {
            let above = &self.chapters[(chapter.batch + after.spec.0) as usize];
            if !after.aligned {
                let good = above.succeeded == u64::from(above.spec.count);
                for (_, ended, all_good) in &mut pieces {
                    *ended &= above.left == 0;
                    *all_good &= good;
                }
                continue;
            }
            pieces = self.split(above, &pieces);
        }
        let verdict = |ended: bool, good: bool| match chapter.spec.body.run_if {
            _ if !ended => Leave::Waits,
            RunIf::Success if !good => Leave::Skips,
            RunIf::Failure if good && !free => Leave::Skips,
            _ => Leave::Runs,
        };
        pieces.into_iter().map(|(range, ended, good)| (range, verdict(ended, good))).collect()
    }

    /// Divides pieces by how the same indices of another spec ended.
    fn split(
        &self,
        above: &Chapter,
        pieces: &[(TaskRange, bool, bool)],
    ) -> Vec<(TaskRange, bool, bool)> {
        let mut parts = Vec::new();
        for &(range, ended, good) in pieces {
            let (first, end) = (u64::from(range.first), u64::from(range.end()));
            for (part, how) in self.ends.over(above.offset + first..above.offset + end) {
                let first = (part.start - above.offset) as u32;
                let part = range.with(first, (part.end - part.start) as u32);
                let good = good && how == Some(Ending::Succeeded);
                parts.push((part, ended && how.is_some(), good));
            }
        }
        parts
    }
}

/// One result as it counts in sums.
pub(crate) fn digest(index: u32, result: &Payload) -> Digest {
    let mut sum = Digest::default();
    match result {
        Payload::Empty => sum.add(index, &[]),
        Payload::Inline(bytes) => sum.add(index, bytes),
        Payload::Stored(blob) => sum.add(index, &blob.id.to_le_bytes()),
        Payload::Kept(kept) => sum.add(index, &kept.hash),
    }
    sum
}
