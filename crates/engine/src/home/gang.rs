//! Gangs that are ready, wait for some of their ranks, or have fallen apart. What is known here
//! follows from the ledger, but for the outcomes of ranks that count once all of their gang have
//! ended well: a home that is opened again runs such a gang once more.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use bary_model::id::{GrantNo, JobNo, NodeId, TaskId, TaskRange};
use bary_model::message::OutcomeItem;
use bary_model::resources::Resources;
use bary_model::time::{Span, Wall};
use bary_policy::dice::Dice;

use crate::home::ready::Entry;
use crate::timers::TimerKey;

/// The gangs of a home. A gang is named by the range of its tasks.
#[derive(Debug)]
pub(super) struct Gangs {
    /// Whole gangs that are ready, in order; one entry is of any number of them.
    pub(super) ready: BTreeSet<Turn>,
    /// Ranks that are ready while others of their gang are not.
    parts: BTreeMap<TaskRange, BTreeSet<u32>>,
    /// Gangs of which a rank has come back while others were held.
    broken: BTreeMap<TaskRange, Fall>,
    /// Ranks that have ended well while others of their gang have not ended.
    done: BTreeMap<TaskId, (NodeId, OutcomeItem)>,
    /// Gangs that have fallen apart without a failure of their own, and until when they rest.
    rests: BTreeMap<TaskRange, Rest>,
    /// Nodes that had no room for ranks that they were granted, likewise.
    shy: BTreeMap<NodeId, Rest>,
    /// The first gang in order that has found no room, where there is one.
    pub(super) want: Option<Want>,
    /// Nodes that are granted nothing else, so that it finds room.
    pub(super) kept: BTreeSet<NodeId>,
    /// What nodes use by this home's book, while gangs are ready.
    pub(super) used: Option<BTreeMap<NodeId, Resources>>,
    /// Weight and number of ready tasks of gangs for which there are nodes enough.
    pub(super) open: (u64, u64),
    /// When gangs are looked at again.
    pub(super) timer: Option<TimerKey>,
    /// Counts the attempts of gangs.
    pub(super) formed: u64,
    pub(super) dice: Dice,
}

/// Gangs in their order: the greater goes first.
#[derive(Clone, Debug)]
pub(super) struct Turn(pub(super) Entry);

/// A gang that has fallen apart.
#[derive(Debug, Default)]
struct Fall {
    /// Who was told to stop what it holds of it, under which grant.
    told: BTreeSet<(NodeId, GrantNo)>,
    /// Whether somebody may have to be told.
    news: bool,
    /// Whether one of its ranks failed: it then waits for the back-off of that one.
    failed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Rest {
    falls: u32,
    until: Wall,
}

impl Rest {
    /// Twice as long as the one before, less a lot.
    fn after(
        before: Option<Self>,
        (base, most): (Span, Span),
        today: Wall,
        dice: &mut Dice,
    ) -> Self {
        let falls = before.map_or(0, |rest| rest.falls);
        let wait = base.times(1 << falls.min(16)).min(most);
        let by_lot = Span((wait.0 as f64 * (0.5 + dice.unit() / 2.0)) as u64);
        Self { falls: falls + 1, until: today + by_lot }
    }
}

/// A gang that waits for room, and what is done for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) gang: TaskRange,
    /// How many of its ranks found room when that was last tried.
    pub(super) placed: u32,
    /// Since when it was waited for without keeping nodes.
    pub(super) since: Wall,
    /// Until when nodes are kept for it, where they are.
    pub(super) until: Option<Wall>,
    /// How often they were.
    pub(super) times: u32,
}

impl Gangs {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            ready: BTreeSet::new(),
            parts: BTreeMap::new(),
            broken: BTreeMap::new(),
            done: BTreeMap::new(),
            rests: BTreeMap::new(),
            shy: BTreeMap::new(),
            want: None,
            kept: BTreeSet::new(),
            used: None,
            open: (0, 0),
            timer: None,
            formed: 0,
            dice: Dice::new(seed, "gang"),
        }
    }

    /// Takes in tasks of a spec with gangs of `size` that became ready: gives what makes gangs that
    /// are whole, those that lie one after the other as one range.
    pub(super) fn gather(&mut self, range: TaskRange, size: u32) -> Vec<TaskRange> {
        let mut whole = Vec::new();
        let (mut at, end) = (range.first, range.end());
        while at < end {
            let first = at - at % size;
            let last = end - end % size;
            if at == first && last > at {
                whole.push(range.with(at, last - at));
                at = last;
                continue;
            }
            let gang = range.with(first, size);
            let until = end.min(first + size);
            let part = self.parts.entry(gang).or_default();
            part.extend(at..until);
            if part.len() == size as usize {
                self.parts.remove(&gang);
                whole.push(gang);
            }
            at = until;
        }
        whole
    }

    /// A gang is whole again; tells whether it fell apart without a failure of its own.
    pub(super) fn mended(&mut self, gang: TaskRange) -> bool {
        self.broken.remove(&gang).is_some_and(|fall| !fall.failed)
    }

    /// Lets a gang rest that fell apart: for longer each time, and by lot, so that gangs of two
    /// homes do not take nodes from each other again and again.
    pub(super) fn rest(&mut self, gang: TaskRange, (base, most): (Span, Span), today: Wall) {
        let before = self.rests.get(&gang).copied();
        self.rests.insert(gang, Rest::after(before, (base, most), today, &mut self.dice));
    }

    /// Until when a gang rests, where it does.
    pub(super) fn rests_until(&self, gang: TaskRange, today: Wall) -> Option<Wall> {
        self.rests.get(&gang).map(|rest| rest.until).filter(|until| *until > today)
    }

    /// A node had no room for a rank: what this home knows of it is not all that there is. It is
    /// left alone for a while.
    pub(super) fn refused(&mut self, node: NodeId, (base, most): (Span, Span), today: Wall) {
        let before = self.shy.get(&node).copied();
        if before.is_none_or(|rest| rest.until <= today) {
            self.shy.insert(node, Rest::after(before, (base, most), today, &mut self.dice));
        }
    }

    /// Until when a node is left alone, where it is.
    pub(super) fn shy_until(&self, node: NodeId, today: Wall) -> Option<Wall> {
        self.shy.get(&node).map(|rest| rest.until).filter(|until| *until > today)
    }

    /// A rank of a gang came back while others are held.
    pub(super) fn fall(&mut self, gang: TaskRange, failed: bool) {
        let fall = self.broken.entry(gang).or_default();
        fall.news = true;
        fall.failed |= failed;
    }

    pub(super) fn is_broken(&self, gang: TaskRange) -> bool {
        self.broken.contains_key(&gang)
    }

    /// Gangs that have fallen apart and of which somebody may have to be told.
    pub(super) fn news(&mut self) -> Vec<TaskRange> {
        let all = self.broken.iter_mut();
        all.filter_map(|(gang, fall)| std::mem::take(&mut fall.news).then_some(*gang)).collect()
    }

    /// Notes that a node is told to stop a rank; tells whether it was not told before.
    pub(super) fn tell(&mut self, gang: TaskRange, node: NodeId, grant: GrantNo) -> bool {
        self.broken.get_mut(&gang).is_some_and(|fall| fall.told.insert((node, grant)))
    }

    /// What a node was told may have been lost.
    pub(super) fn forget_told(&mut self, node: NodeId) {
        for fall in self.broken.values_mut() {
            fall.told.retain(|(told, _)| *told != node);
            fall.news = true;
        }
    }

    /// A rank has ended well; gives the outcomes of all ranks once all have.
    pub(super) fn end_well(
        &mut self,
        gang: TaskRange,
        from: NodeId,
        item: &OutcomeItem,
    ) -> Vec<(NodeId, OutcomeItem)> {
        self.done.insert(item.range.head(), (from, item.clone()));
        self.shy.remove(&from);
        if !gang.tasks().all(|task| self.done.contains_key(&task)) {
            return Vec::new();
        }
        self.rests.remove(&gang);
        gang.tasks().filter_map(|task| self.done.remove(&task)).collect()
    }

    /// Whether a task has ended well and waits for others of its gang.
    pub(super) fn is_done(&self, range: TaskRange) -> bool {
        !self.done.is_empty() && self.done.contains_key(&range.head())
    }

    /// Takes the outcome of a rank back that had ended well.
    pub(super) fn undo(&mut self, task: TaskId) -> Option<(NodeId, OutcomeItem)> {
        if self.done.is_empty() { None } else { self.done.remove(&task) }
    }

    /// Takes out what is ready of a job, or of all.
    pub(super) fn take_out(&mut self, job: Option<JobNo>) -> Vec<TaskRange> {
        let meant = |range: &TaskRange| job.is_none_or(|job| range.job == job);
        let whole = self.ready.extract_if(.., |turn| meant(&turn.0.range));
        let mut ranges: Vec<TaskRange> = whole.map(|turn| turn.0.range).collect();
        for (gang, part) in self.parts.extract_if(.., |gang, _| meant(gang)) {
            ranges.extend(part.into_iter().map(|first| gang.with(first, 1)));
        }
        ranges
    }

    /// Nothing of a job will run any more.
    pub(super) fn forget(&mut self, job: JobNo) {
        self.broken.retain(|gang, _| gang.job != job);
        self.rests.retain(|gang, _| gang.job != job);
        self.done.retain(|task, _| task.job != job);
    }

    /// Takes the gang that goes first of an entry out.
    pub(super) fn take(&mut self, turn: &Turn) {
        if self.ready.remove(turn) {
            let mut rest = turn.0.clone();
            if rest.split(size(&rest)).is_some() {
                self.ready.insert(Turn(rest));
            }
        }
    }
}

/// How many tasks are one gang of an entry.
fn size(entry: &Entry) -> u32 {
    u32::from(entry.spec.gang)
}

impl Turn {
    /// The gang that goes first of its entry.
    pub(super) fn gang(&self) -> TaskRange {
        self.0.range.with(self.0.range.first, size(&self.0))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Turn {}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rank.cmp(&other.0.rank).then_with(|| self.0.cmp(&other.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u32, count: u32) -> TaskRange {
        TaskRange { first, count, ..TaskRange::default() }
    }

    #[test]
    fn only_whole_gangs_are_ready() {
        let mut gangs = Gangs::new(1);
        assert_eq!(gangs.gather(range(0, 12), 4), [range(0, 12)]);
        assert_eq!(gangs.gather(range(2, 7), 4), [range(4, 4)], "and parts of two others wait");
        assert_eq!(gangs.gather(range(0, 2), 4), [range(0, 4)]);
        assert_eq!(gangs.gather(range(10, 2), 4), []);
        assert_eq!(gangs.gather(range(9, 1), 4), [range(8, 4)]);
        assert_eq!(gangs.gather(range(21, 1), 4), []);
        assert_eq!(gangs.take_out(None), [range(21, 1)]);
    }

    #[test]
    fn who_was_told_is_told_again_only_where_that_may_be_lost() {
        let mut gangs = Gangs::new(1);
        let (gang, node, grant) = (range(0, 4), NodeId(3), GrantNo(7));
        gangs.fall(gang, false);
        assert_eq!(gangs.news(), [gang]);
        assert!(gangs.tell(gang, node, grant) && !gangs.tell(gang, node, grant));
        assert_eq!(gangs.news(), []);
        gangs.forget_told(node);
        assert_eq!(gangs.news(), [gang]);
        assert!(gangs.tell(gang, node, grant));
        assert!(gangs.mended(gang) && !gangs.is_broken(gang));
    }
}
