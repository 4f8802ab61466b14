//! What tasks of other members' jobs do here: which of them run, and the last part of what they
//! print. Their homes ask for it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use bary_model::id::{NodeId, RunNo, ShardId, TaskId, TaskRange};
use bary_ports::executor::Stream;
use bary_transport::mesh::output::{ANSWER_BYTES_MAX, Heard, Printed, Prints, Wanted};
use bary_transport::mesh::runs::{RUNS_MAX, Runs};
use bytes::Bytes;
use tokio::sync::watch;

use crate::board::Board;
use crate::board::limits::BoardLimits;
use crate::board::tails::Tails;

/// The tasks of other members' jobs that run here, and their output.
#[derive(Debug)]
pub(crate) struct Guests {
    tails: BTreeMap<ShardId, Tails>,
    /// The tasks of their runs.
    runs: BTreeMap<(NodeId, RunNo), Vec<Guest>>,
    tail_bytes_max: usize,
    bytes_max: usize,
    /// How often something was printed.
    news: watch::Sender<u64>,
}

/// Tasks of another member's job that began together.
#[derive(Clone, Copy, Debug)]
struct Guest {
    shard: ShardId,
    range: TaskRange,
    attempt: u16,
    since: Instant,
}

impl Guests {
    /// None so far.
    pub(crate) fn new(limits: &BoardLimits) -> Self {
        let (tail_bytes_max, bytes_max) = (limits.far_tail_bytes_max, limits.tails_bytes_max);
        let (tails, runs, news) = (BTreeMap::new(), BTreeMap::new(), watch::Sender::new(0));
        Self { tails, runs, tail_bytes_max, bytes_max, news }
    }

    /// A run of theirs began. What one before of the same tasks printed counts no more.
    pub(crate) fn on_began(
        &mut self,
        run: (NodeId, RunNo),
        shard: ShardId,
        (range, attempt): (TaskRange, u16),
    ) {
        if let Some(tails) = self.tails.get_mut(&shard) {
            tails.forget_all(range);
        }
        let guest = Guest { shard, range, attempt, since: Instant::now() };
        self.runs.entry(run).or_default().push(guest);
    }

    /// Which tasks of a shard run here.
    pub(crate) fn runs(&self, of: ShardId) -> Vec<Runs> {
        let all = self.runs.values().flatten().filter(|guest| guest.shard == of);
        let runs = all.map(|guest| {
            let Guest { range, attempt, since, .. } = *guest;
            Runs { range, attempt, age: since.elapsed() }
        });
        runs.take(RUNS_MAX).collect()
    }

    /// The node that runs a task of a shard here.
    pub(crate) fn node_of(&self, of: ShardId, task: TaskId) -> Option<NodeId> {
        let holds = |Guest { shard, range, .. }: &Guest| {
            let is_its = (*shard, range.job, range.spec) == (of, task.job, task.spec);
            is_its && (range.first..range.end()).contains(&task.index)
        };
        self.runs.iter().find(|(_, guests)| guests.iter().any(holds)).map(|((node, _), _)| *node)
    }

    /// A run is over: what it printed goes to its home with its end.
    pub(crate) fn on_over(&mut self, node: NodeId, run: RunNo) {
        for Guest { shard, range, .. } in self.runs.remove(&(node, run)).unwrap_or_default() {
            let Some(tails) = self.tails.get_mut(&shard) else { continue };
            tails.forget_all(range);
            if tails.is_empty() {
                self.tails.remove(&shard);
            }
        }
    }

    /// A task of theirs printed something.
    pub(crate) fn push(
        &mut self,
        (shard, task): (ShardId, TaskId),
        attempt: u16,
        stream: Stream,
        bytes: Bytes,
    ) {
        // All together have room once: each shard gets what the others leave.
        let others = self.tails.iter().filter(|(other, _)| **other != shard);
        let taken: usize = others.map(|(_, tails)| tails.bytes()).sum();
        let room = self.bytes_max.saturating_sub(taken);
        let new = || Tails::new(self.tail_bytes_max, room);
        let tails = self.tails.entry(shard).or_insert_with(new);
        tails.hold(room);
        tails.push(task, attempt, stream, bytes);
        self.news.send_modify(|news| *news += 1);
    }

    /// What is new of the tasks that are wanted.
    pub(crate) fn printed(&self, wanted: &Wanted) -> Vec<Printed> {
        let Some(tails) = self.tails.get(&wanted.shard) else { return Vec::new() };
        let is_wanted = |task: &TaskId| {
            let holds = |range: &TaskRange| {
                range.spec == task.spec && (range.first..range.end()).contains(&task.index)
            };
            wanted.ranges.is_empty() || wanted.ranges.iter().any(holds)
        };
        let heard = |task: &TaskId| wanted.heard.get(task).copied().unwrap_or_default();
        let all: BTreeSet<TaskId> = tails
            .of_job(wanted.job)
            .filter(|(task, tail)| is_wanted(task) && tail.has_news(heard(task)))
            .map(|(task, _)| task)
            .collect();
        // Each gets its share of the answer, so that one that prints much hides no other.
        let share = (ANSWER_BYTES_MAX / all.len().max(1)).max(1);
        let told = all.into_iter().take(ANSWER_BYTES_MAX).filter_map(|task| {
            let (from, pieces) = tails.of(task)?.since(heard(&task), share);
            Some(Printed { task, from, pieces })
        });
        told.collect()
    }
}

impl Prints for Board {
    fn runs(&self, shard: ShardId) -> Vec<Runs> {
        self.read().guests.runs(shard)
    }

    fn printed(&self, wanted: &Wanted) -> Vec<Printed> {
        self.read().guests.printed(wanted)
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.read().guests.news.subscribe()
    }
}

impl Board {
    /// Takes in what tasks of this member's jobs print at another; whether any of it was of a task
    /// that the other holds.
    pub(crate) fn hear(&self, member: u64, printed: Vec<Printed>) -> bool {
        let (mut books, mut of_use) = (self.write(), false);
        for one in printed {
            let detail = books.job(one.task.job).and_then(|row| row.detail.as_deref());
            let hold = detail.and_then(|detail| detail.granted.find(one.task));
            if hold.is_some_and(|hold| hold.node.member() == member) {
                of_use = true;
                let share = books.far_tail_bytes_max;
                books.tails.take_in(one, share);
            }
        }
        drop(books);
        self.on_change();
        of_use
    }
}

impl Board {
    /// Takes in which of this member's tasks run at another.
    pub(crate) fn hear_runs(&self, member: u64, runs: &[Runs]) {
        if self.write().on_far_runs(member, runs) {
            self.on_change();
        }
    }
}

/// How far a task was heard, where that was of this attempt.
pub(crate) fn of_attempt(heard: Heard, attempt: u16) -> Heard {
    if heard.attempt == attempt { heard } else { Heard { attempt, ..Heard::default() } }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bary_model::id::{JobNo, SpecNo};

    use super::*;

    const HOME: ShardId = ShardId(5);

    fn guests() -> Guests {
        let limits =
            BoardLimits { far_tail_bytes_max: 8, tails_bytes_max: 12, ..BoardLimits::default() };
        Guests::new(&limits)
    }

    fn task(index: u32) -> TaskId {
        TaskId { job: JobNo(1), spec: SpecNo(0), index }
    }

    fn wanted(ranges: &[(u32, u32)], heard: &[(TaskId, Heard)]) -> Wanted {
        let (job, spec) = (JobNo(1), SpecNo(0));
        let range = |&(first, count): &(u32, u32)| TaskRange { job, spec, first, count };
        Wanted {
            shard: HOME,
            job,
            ranges: ranges.iter().map(range).collect(),
            heard: heard.iter().copied().collect(),
            wait: Duration::ZERO,
        }
    }

    fn text(printed: &[Printed]) -> Vec<(u32, u64, u64, String)> {
        let each = printed.iter().map(|one| {
            let bytes: Vec<u8> = one.pieces.iter().flat_map(|(_, bytes)| bytes.to_vec()).collect();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            (one.task.index, one.from.out, one.from.err, text)
        });
        each.collect()
    }

    #[test]
    fn who_asks_hears_what_is_new_of_what_he_wants() {
        let mut guests = guests();
        guests.push((HOME, task(1)), 1, Stream::Out, "abc".into());
        guests.push((HOME, task(1)), 1, Stream::Err, "E".into());
        guests.push((HOME, task(2)), 1, Stream::Out, "xy".into());
        guests.push((ShardId(6), task(1)), 1, Stream::Out, "zz".into());
        let all = guests.printed(&wanted(&[], &[]));
        assert_eq!(text(&all), [(1, 0, 0, "abcE".into()), (2, 0, 0, "xy".into())]);
        assert_eq!(text(&guests.printed(&wanted(&[(2, 4)], &[]))), [(2, 0, 0, "xy".into())]);
        let heard = (task(1), Heard { attempt: 1, out: 2, err: 0 });
        let new = guests.printed(&wanted(&[(1, 1)], &[heard]));
        assert_eq!(text(&new), [(1, 2, 0, "cE".into())]);
        let all = (task(1), Heard { attempt: 1, out: 3, err: 1 });
        assert_eq!(guests.printed(&wanted(&[(1, 1)], &[all])), []);
        let before = (task(1), Heard { attempt: 0, out: 3, err: 1 });
        assert_eq!(guests.printed(&wanted(&[(1, 1)], &[before])).len(), 1, "it begins anew");
    }

    #[test]
    fn what_is_not_kept_is_passed_over_and_an_end_forgets_the_rest() {
        let (mut guests, run) = (guests(), RunNo(4));
        let range = TaskRange { job: JobNo(1), spec: SpecNo(0), first: 1, count: 1 };
        guests.on_began((NodeId(1), run), HOME, (range, 2));
        guests.on_began((NodeId(1), RunNo(5)), ShardId(6), (range, 1));
        let runs = guests.runs(HOME);
        assert_eq!(runs.iter().map(|it| (it.range, it.attempt)).collect::<Vec<_>>(), [(range, 2)]);
        for letters in ["abcd", "efgh", "ijkl"] {
            guests.push((HOME, task(1)), 1, Stream::Out, letters.into());
        }
        let heard = (task(1), Heard { attempt: 1, out: 2, err: 0 });
        let new = guests.printed(&wanted(&[], &[heard]));
        assert_eq!(text(&new), [(1, 4, 0, "efghijkl".into())]);
        guests.push((ShardId(6), task(1)), 1, Stream::Out, "123456".into());
        assert_eq!(guests.tails.values().map(Tails::bytes).sum::<usize>(), 8, "one limit for all");
        guests.on_over(NodeId(2), run);
        assert!(!guests.printed(&wanted(&[], &[])).is_empty(), "that was another node's");
        guests.on_over(NodeId(1), run);
        assert_eq!((guests.runs(HOME), guests.runs(ShardId(6)).len()), (Vec::new(), 1));
        guests.on_over(NodeId(1), RunNo(5));
        assert!(guests.printed(&wanted(&[], &[])).is_empty() && guests.runs.is_empty());
    }
}
