//! Ready tasks, grouped by what they request, so that matching costs classes, not tasks.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::id::{JobNo, TaskRange};
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::task::{Body, Request, TaskSpec};
use bary_model::time::Wall;
use bary_model::weight::Weight;
use bary_policy::order::fair_share::Turns;

use crate::home::class::Class;

/// Ready tasks of one spec.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The order's key; higher first.
    pub(crate) key: i64,
    /// Its place before any key, lower first: its job where jobs go as they came, or 0.
    pub(crate) line: u32,
    /// Its priority, its job's included.
    pub(crate) rank: i32,
    pub(crate) range: TaskRange,
    pub(crate) spec: Arc<TaskSpec>,
    /// Whose it is, as the line numbers owners; 0 where owners do not count.
    pub(crate) owner: u32,
    /// When it became ready.
    pub(crate) since: Wall,
    /// How much of an answer each of its tasks takes up: its weight, or what was learnt.
    pub(crate) worth: Worth,
}

/// An amount of work, and whether it is a guess, though the policy goes by what was learnt. The
/// greatest weight needs 30 bits, so that both fit the four bytes that an entry has for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worth(u32);

impl Worth {
    const GUESSED: u32 = 1 << 31;

    pub(crate) fn new(weight: Weight, guessed: bool) -> Self {
        Self(weight.thousandths() as u32 | if guessed { Self::GUESSED } else { 0 })
    }

    /// It in thousandths.
    pub(super) fn thousandths(self) -> u64 {
        u64::from(self.0 & !Self::GUESSED)
    }

    fn is_guessed(self) -> bool {
        self.0 & Self::GUESSED != 0
    }
}

impl Entry {
    pub(super) fn weight(&self) -> u64 {
        self.spec.weight.times(u64::from(self.range.count))
    }

    pub(super) fn whole_worth(&self) -> u64 {
        self.worth.thousandths() * u64::from(self.range.count)
    }

    /// How many items of a grant it makes: each index that reads its own upstream is one.
    pub(super) fn items(&self) -> u32 {
        let each = self.spec.body.uses.iter().any(|one| one.aligned);
        if each { self.range.count } else { 1 }
    }

    /// Splits `count` tasks off the front; none where that is all of them.
    pub(super) fn split(&mut self, count: u32) -> Option<Self> {
        if count == self.range.count {
            return None;
        }
        let front = Self { range: self.range.with(self.range.first, count), ..self.clone() };
        self.range = self.range.with(self.range.first + count, self.range.count - count);
        Some(front)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The greater entry goes first: by its place in line, then by key, then the earlier task.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_key = || self.key.cmp(&other.key);
        other.line.cmp(&self.line).then_with(by_key).then_with(|| other.range.cmp(&self.range))
    }
}

/// How much one answer holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portion {
    /// What its tasks may be worth, in thousandths; one task may be worth more.
    pub(crate) quota: u64,
    /// Of tasks of which nothing was learnt it holds no more than make it so many.
    pub(crate) guesses_max: u32,
    /// Most items.
    pub(crate) items_max: usize,
    /// What must not be handed out ahead of its start, where there is such.
    pub(crate) floor: Option<Floor>,
}

impl Portion {
    /// One task, whatever it weighs.
    pub(crate) const ONE: Self =
        Self { quota: 0, guesses_max: u32::MAX, items_max: 1, floor: None };
}

/// Something that still waits for others would go before all tasks of lower keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Floor {
    /// Its key.
    pub(crate) key: i64,
    /// Its place before any key.
    pub(crate) line: u32,
    /// Of tasks with lower keys, an answer holds no more than make it so many.
    pub(crate) tasks: u32,
}

/// All ready tasks of a home.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    pub(super) classes: Vec<Class>,
    last: usize,
    /// Entries that arrived since the last look, not yet sorted.
    fresh: Vec<Entry>,
    /// How many more tasks may be granted under each limit; none where it is not named.
    pub(super) permitted: BTreeMap<Box<str>, u32>,
    /// Whose turn it is, where owners take turns.
    pub(super) turns: Option<Turns>,
}

/// Past this many, classes without tasks are forgotten.
const CLASSES_KEPT_MAX: usize = 256;

impl Ready {
    pub(crate) fn extend(&mut self, entries: impl IntoIterator<Item = Entry>) {
        self.fresh.extend(entries);
    }

    /// The weight and number of tasks that `node` could run.
    pub(crate) fn for_node(&mut self, node: &NodeInfo) -> (u64, u64) {
        self.settle();
        let open = self.classes.iter().filter(|class| node.can_run(&class.request));
        open.map(|class| class.open(&self.permitted))
            .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// What all that `node` could run is worth, in thousandths, over its weight; 1 where nothing
    /// was learnt.
    pub(crate) fn worth_per_weight(&mut self, node: &NodeInfo) -> f64 {
        self.settle();
        let able = self.classes.iter().filter(|class| node.can_run(&class.request));
        let sum = |(worth, weight): (u64, u64), one: &Class| {
            (worth.saturating_add(one.worth), weight + one.weight)
        };
        let (worth, weight) = able.fold((0, 0), sum);
        if worth == weight { 1.0 } else { worth as f64 / weight.max(1) as f64 }
    }

    /// Sets how many more tasks may be granted under a limit.
    pub(crate) fn permit(&mut self, name: &str, tasks: u32) {
        if tasks == 0 {
            self.permitted.remove(name);
        } else {
            self.permitted.insert(name.into(), tasks);
        }
    }

    /// The limits under which tasks are ready: name, most at a time, and how many are ready.
    pub(crate) fn permits(&mut self) -> Vec<(Box<str>, u32, u64)> {
        self.settle();
        if self.classes.iter().all(|class| class.body.permit.is_none()) {
            return Vec::new();
        }
        let mut sums: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
        for class in self.classes.iter().filter(|class| class.tasks > 0) {
            if let Some(permit) = &class.body.permit {
                let sum = sums.entry(&permit.name).or_insert((permit.most, 0));
                *sum = (sum.0.min(permit.most), sum.1 + class.tasks);
            }
        }
        sums.into_iter().map(|(name, (most, tasks))| (name.into(), most, tasks)).collect()
    }

    /// The weight and number of all ready tasks.
    pub(crate) fn totals(&mut self) -> (u64, u64) {
        self.settle();
        let open = self.classes.iter().map(|class| class.open(&self.permitted));
        open.fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    /// What is ready: how many tasks of each request may be granted now.
    pub(crate) fn wanted(&mut self) -> Vec<(Request, u64)> {
        self.settle();
        let open = self.classes.iter().map(|class| (class, class.open(&self.permitted).1));
        let open = open.filter(|(_, tasks)| *tasks > 0);
        open.map(|(class, tasks)| (class.request.clone(), tasks)).collect()
    }

    /// The weight of all ready tasks.
    pub(crate) fn weight(&mut self) -> u64 {
        self.totals().0
    }

    pub(crate) fn is_empty(&mut self) -> bool {
        self.settle();
        self.classes.iter().all(|class| class.open(&self.permitted).1 == 0)
    }

    /// The first task that `node` could run, where `free` limits it to what is free.
    pub(crate) fn peek(&mut self, node: &NodeInfo, free: Option<&Resources>) -> Option<&Entry> {
        self.settle();
        let class = self.best(node, free)?;
        self.classes[class].lane.head()
    }

    /// Takes tasks for `node` in order until their weight reaches the quota, at least one task.
    pub(crate) fn take(
        &mut self,
        node: &NodeInfo,
        free: Option<&Resources>,
        portion: Portion,
    ) -> Vec<Entry> {
        self.settle();
        let mut taken = Vec::new();
        let (mut left, mut room, mut tasks) = (portion.quota, portion.items_max, 0);
        while room > 0 {
            let Some(class) = self.best(node, free) else { break };
            let permit = self.classes[class].body.permit.clone();
            let permitted =
                permit.as_ref().map_or(u32::MAX, |permit| self.permitted_of(&permit.name));
            let head = self.classes[class].lane.head();
            let lower = |floor: &Floor| {
                let below = |head: &Entry| {
                    (Reverse(head.line), head.key) < (Reverse(floor.line), floor.key)
                };
                head.is_some_and(below)
            };
            let below = portion.floor.filter(lower);
            let most = below.map_or(u32::MAX, |floor| floor.tasks.saturating_sub(tasks));
            let most = most.min(permitted);
            let guess = head.is_some_and(|head| head.worth.is_guessed());
            let guesses = if guess { portion.guesses_max.saturating_sub(tasks) } else { most };
            let most = most.min(guesses);
            let must = taken.is_empty();
            // One task may be more than what is left until the turn is another's.
            let one = head.map_or(0, |head| head.worth.thousandths());
            let turn = self.left_in_turn(class, node, free);
            let quota = turn.map_or(left, |turn| left.min(turn.max(one)));
            let Some(entry) = self.classes[class].take(quota, must, room, most) else { break };
            if let Some(turns) = &mut self.turns {
                turns.take(entry.owner, entry.weight());
            }
            if let Some(permit) = permit {
                self.permit(&permit.name, permitted - entry.range.count);
            }
            left = left.saturating_sub(entry.whole_worth());
            room -= entry.items() as usize;
            tasks = tasks.saturating_add(entry.range.count);
            taken.push(entry);
        }
        taken
    }

    /// Makes ready again what was just taken and goes to nobody.
    pub(super) fn put_back(&mut self, entries: Vec<Entry>) {
        for entry in &entries {
            if let Some(permit) = &entry.spec.body.permit {
                let left = self.permitted_of(&permit.name);
                self.permit(&permit.name, left + entry.range.count);
            }
            if let Some(turns) = &mut self.turns {
                turns.give_back(entry.owner, entry.weight());
            }
        }
        self.extend(entries);
    }

    pub(super) fn permitted_of(&self, name: &str) -> u32 {
        self.permitted.get(name).copied().unwrap_or(0)
    }

    /// Takes everything out, in no order that matters.
    pub(crate) fn drain(&mut self) -> Vec<TaskRange> {
        self.settle();
        let classes = std::mem::take(&mut self.classes);
        let entries = classes.into_iter().flat_map(|class| class.lane.into_entries());
        entries.map(|entry| entry.range).collect()
    }

    /// Takes out the tasks of a job.
    pub(crate) fn remove(&mut self, job: JobNo) -> Vec<TaskRange> {
        self.settle();
        let mut removed = Vec::new();
        for class in self.classes.iter_mut().filter(|class| class.tasks > 0) {
            class.remove(job, &mut removed);
        }
        removed
    }

    /// The task that goes first of all that may be granted now, with its priority.
    pub(super) fn head(&mut self) -> Option<(i32, &Entry)> {
        self.settle();
        let open = self.classes.iter().filter(|class| class.open(&self.permitted).1 > 0);
        let heads = open.filter_map(|class| Some((class.rank, class.lane.head()?)));
        heads.max_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.cmp(b.1)))
    }

    /// The class whose head goes first among those that `node` could run.
    fn best(&self, node: &NodeInfo, free: Option<&Resources>) -> Option<usize> {
        let ranked = self.open(node, free).filter_map(|(at, class)| {
            Some((at, (class.rank, Reverse(self.turn_of(class))), class.lane.head()?))
        });
        ranked.max_by(|a, b| a.1.cmp(&b.1).then_with(|| a.2.cmp(b.2))).map(|(at, ..)| at)
    }

    /// The classes of which `node` could run something now.
    pub(super) fn open(
        &self,
        node: &NodeInfo,
        free: Option<&Resources>,
    ) -> impl Iterator<Item = (usize, &Class)> {
        self.classes.iter().enumerate().filter(move |(_, class)| {
            class.open(&self.permitted).1 > 0
                && node.can_run(&class.request)
                && free.is_none_or(|free| free.fits(&class.request.resources))
        })
    }

    /// Sorts what arrived into its classes.
    pub(super) fn settle(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        if self.classes.len() > CLASSES_KEPT_MAX {
            self.classes.retain(|class| class.tasks > 0);
            self.last = 0;
        }
        let fresh = std::mem::take(&mut self.fresh);
        let mut bulk: Vec<Vec<Entry>> = Vec::new();
        for entry in fresh {
            let class = self.class_of(&entry.spec.body, (entry.rank, entry.owner));
            bulk.resize_with(bulk.len().max(class + 1), Vec::new);
            bulk[class].push(entry);
        }
        for (class, entries) in bulk.into_iter().enumerate() {
            self.classes[class].add(entries);
        }
    }

    fn class_of(&mut self, body: &Arc<Body>, (rank, owner): (i32, u32)) -> usize {
        let same = |class: &Class| {
            (class.rank, class.owner) == (rank, owner)
                && (Arc::ptr_eq(&class.body, body)
                    || (class.request == body.request && class.body.permit == body.permit))
        };
        if self.classes.get(self.last).is_some_and(same) {
            return self.last;
        }
        self.last = self.classes.iter().position(same).unwrap_or_else(|| {
            self.classes.push(Class::new(body, rank, owner));
            self.classes.len() - 1
        });
        self.last
    }
}
