//! Granted tasks that have not started, by what they request and what they do.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use bary_model::action::Action;
use bary_model::id::ShardId;
use bary_model::message::GrantItem;
use bary_model::resources::Resources;
use bary_model::task::{Body, Request};
use bary_model::time::Span;

/// Some granted tasks and the home that granted them.
#[derive(Clone, Debug)]
pub(super) struct HeldItem {
    pub(super) home: ShardId,
    pub(super) order: u64,
    pub(super) item: GrantItem,
}

/// Held tasks that request the same and do the same kind of thing.
#[derive(Debug)]
pub(super) struct HeldClass {
    body: Arc<Body>,
    pub(super) request: Request,
    /// The priority of its tasks, their jobs' included.
    pub(super) rank: i32,
    pub(super) queue: VecDeque<HeldItem>,
    pub(super) weight: u64,
    pub(super) tasks: u64,
    /// How often others started before its head, which has no room.
    pub(super) passed_over: u32,
    /// Nanoseconds for a thousandth of weight, as runs have shown it.
    pace: Option<f64>,
}

/// How much of an estimate each run replaces.
const PACE_GAIN: f64 = 0.3;

impl HeldClass {
    /// How long tasks of `weight` thousandths will take, if that can be said.
    pub(super) fn expects(&self, weight: u64) -> Option<Span> {
        self.pace.map(|pace| Span((pace * weight as f64) as u64))
    }

    /// Takes up to `count` tasks off the end of the item at a place.
    fn take_end(&mut self, place: usize, count: u32) -> HeldItem {
        let tail = &mut self.queue[place];
        let range = tail.item.range;
        let count = count.min(range.count);
        let mut part = tail.clone();
        part.item.range = range.with(range.end() - count, count);
        if count == range.count {
            self.queue.remove(place);
        } else {
            tail.item.range.count -= count;
        }
        self.weight -= part.item.weight();
        self.tasks -= u64::from(count);
        part
    }

    pub(super) fn learn(&mut self, weight: u64, busy: Span) {
        if weight > 0 {
            let pace = busy.0 as f64 / weight as f64;
            let old = self.pace.unwrap_or(pace);
            self.pace = Some(old + PACE_GAIN * (pace - old));
        }
    }
}

/// Everything held.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) classes: Vec<HeldClass>,
    last: usize,
    arrivals: u64,
}

impl Held {
    pub(super) fn is_empty(&self) -> bool {
        self.classes.iter().all(|class| class.tasks == 0)
    }

    pub(super) fn weight(&self) -> u64 {
        self.classes.iter().map(|class| class.weight).sum()
    }

    pub(super) fn push_back(&mut self, home: ShardId, item: GrantItem) {
        self.arrivals += 1;
        let class = self.class_of(&item.spec.body, item.rank());
        let class = &mut self.classes[class];
        class.weight += item.weight();
        class.tasks += u64::from(item.range.count);
        class.queue.push_back(HeldItem { home, order: self.arrivals, item });
    }

    /// Holds again what a run returned; it goes before all that is held of its class.
    pub(super) fn push_front(&mut self, home: ShardId, item: GrantItem) {
        let class = self.class_of(&item.spec.body, item.rank());
        let class = &mut self.classes[class];
        class.weight += item.weight();
        class.tasks += u64::from(item.range.count);
        let order = class.queue.front().map_or(self.arrivals, |first| first.order);
        class.queue.push_front(HeldItem { home, order, item });
    }

    /// The class whose head should start next with what is free; heads that have no room are
    /// passed over, but not for ever.
    pub(super) fn next(&mut self, free: &Resources, passed_over_max: u32) -> Option<usize> {
        if !self.any_fits(free) {
            return None;
        }
        let first = self.heads().min()?.2;
        if free.fits(&self.classes[first].request.resources) {
            self.classes[first].passed_over = 0;
            return Some(first);
        }
        let mut heads: Vec<(Reverse<i32>, u64, usize)> = self.heads().collect();
        heads.sort_unstable();
        let mut passed = Vec::new();
        for (.., at) in heads {
            let class = &mut self.classes[at];
            if free.fits(&class.request.resources) {
                class.passed_over = 0;
                for other in passed {
                    let other: &mut HeldClass = &mut self.classes[other];
                    other.passed_over += 1;
                }
                return Some(at);
            }
            if class.passed_over >= passed_over_max {
                return None;
            }
            passed.push(at);
        }
        None
    }

    /// Whether something may start before all that is held, which has no room: none of it has
    /// been passed over too often. It is passed over once more then.
    pub(super) fn pass_over(&mut self, free: &Resources, passed_over_max: u32) -> bool {
        let mut waiting = self.classes.iter().filter(|class| class.tasks > 0);
        let may = !self.any_fits(free) && waiting.all(|class| class.passed_over < passed_over_max);
        if may {
            let waiting = self.classes.iter_mut().filter(|class| class.tasks > 0);
            waiting.for_each(|class| class.passed_over += 1);
        }
        may
    }

    /// The head of each class: the least should start first.
    fn heads(&self) -> impl Iterator<Item = (Reverse<i32>, u64, usize)> {
        self.classes.iter().enumerate().filter_map(|(at, class)| {
            class.queue.front().map(|head| (Reverse(class.rank), head.order, at))
        })
    }

    /// What is held of a shard.
    pub(super) fn of(&self, home: ShardId) -> impl Iterator<Item = &GrantItem> {
        let all = self.classes.iter().flat_map(|class| &class.queue);
        all.filter(move |held| held.home == home).map(|held| &held.item)
    }

    /// Whether anything held would fit into what is free.
    pub(super) fn any_fits(&self, free: &Resources) -> bool {
        let mut open = self.classes.iter().filter(|class| class.tasks > 0);
        open.any(|class| free.fits(&class.request.resources))
    }

    /// Takes up to `count` tasks off the head of a class.
    pub(super) fn take(&mut self, class: usize, count: u32) -> Option<HeldItem> {
        let class = &mut self.classes[class];
        let head = class.queue.front_mut()?;
        let taken = if head.item.range.count <= count {
            class.queue.pop_front()?
        } else {
            let range = head.item.range;
            let mut front = head.clone();
            front.item.range = range.with(range.first, count);
            head.item.range = range.with(range.first + count, range.count - count);
            front
        };
        class.weight -= taken.item.weight();
        class.tasks -= u64::from(taken.item.range.count);
        Some(taken)
    }

    /// Takes up to `weight` thousandths off the cold end of what a home granted and `fits`, at
    /// least one task.
    pub(super) fn take_cold(
        &mut self,
        home: ShardId,
        weight: u64,
        fits: impl Fn(&Request) -> bool,
    ) -> Vec<HeldItem> {
        let mut taken = Vec::new();
        let mut left = weight;
        while let Some((at, place)) = self.coldest(home, &fits) {
            let class = &mut self.classes[at];
            let tail = &class.queue[place];
            let range = tail.item.range;
            let each = tail.item.each().thousandths();
            let fit = u32::try_from(left / each).unwrap_or(u32::MAX);
            let count = if taken.is_empty() { fit.max(1) } else { fit }.min(range.count);
            if count == 0 {
                break;
            }
            let part = class.take_end(place, count);
            left = left.saturating_sub(part.item.weight());
            taken.push(part);
        }
        taken
    }

    /// Takes up to `tasks` of what a home granted, and at most half, off the cold end; none where
    /// fewer than `least` of it wait.
    pub(super) fn take_few(
        &mut self,
        home: ShardId,
        tasks: u32,
        least: u32,
        able: impl Fn(&GrantItem) -> bool,
    ) -> Vec<HeldItem> {
        let waiting: u64 = self.of(home).map(|item| u64::from(item.range.count)).sum();
        let mut taken = Vec::new();
        if waiting < u64::from(least) {
            return taken;
        }
        let mut left = u64::from(tasks).min(waiting / 2).max(1) as u32;
        while left > 0
            && let Some((at, place)) = self.coldest_item(home, &able)
        {
            let class = &mut self.classes[at];
            let part = class.take_end(place, left);
            left -= part.item.range.count;
            taken.push(part);
        }
        taken
    }

    /// As [`Held::coldest`], item by item.
    fn coldest_item(
        &self,
        home: ShardId,
        able: &impl Fn(&GrantItem) -> bool,
    ) -> Option<(usize, usize)> {
        let tails = self.classes.iter().enumerate().filter_map(|(at, class)| {
            let mine = |held: &HeldItem| held.home == home && able(&held.item);
            let place = class.queue.iter().rposition(mine)?;
            Some((Reverse(class.rank), class.queue[place].order, at, place))
        });
        tails.max().map(|(.., at, place)| (at, place))
    }

    /// Takes out what a home granted and `rest` does not leave of it. Other homes number their
    /// jobs alike, so theirs is never asked about.
    pub(super) fn remove(
        &mut self,
        home: ShardId,
        rest: impl Fn(&GrantItem) -> Vec<GrantItem>,
    ) -> Vec<HeldItem> {
        let mut removed = Vec::new();
        for class in &mut self.classes {
            for held in std::mem::take(&mut class.queue) {
                if held.home != home {
                    class.queue.push_back(held);
                    continue;
                }
                let kept = rest(&held.item);
                let kept_tasks: u64 = kept.iter().map(|item| u64::from(item.range.count)).sum();
                let lost = u64::from(held.item.range.count) - kept_tasks;
                class.tasks -= lost;
                class.weight -= held.item.each().times(lost);
                for item in kept {
                    class.queue.push_back(HeldItem { item, ..held.clone() });
                }
                if lost > 0 {
                    removed.push(held);
                }
            }
        }
        removed
    }

    /// Checks what must always hold.
    pub(super) fn check(&self, passed_over_max: u32) {
        for class in &self.classes {
            let tasks: u64 = class.queue.iter().map(|held| u64::from(held.item.range.count)).sum();
            assert_eq!(class.tasks, tasks, "held tasks are counted");
            let weight: u64 = class.queue.iter().map(|held| held.item.weight()).sum();
            assert_eq!(class.weight, weight, "held weight is counted");
            assert!(class.passed_over <= passed_over_max, "nothing is passed over for ever");
        }
    }

    /// The class and the place in it of what a home granted that would start last.
    fn coldest(&self, home: ShardId, fits: &impl Fn(&Request) -> bool) -> Option<(usize, usize)> {
        let open = self.classes.iter().enumerate().filter(|(_, class)| fits(&class.request));
        let tails = open.filter_map(|(at, class)| {
            let place = class.queue.iter().rposition(|held| held.home == home)?;
            Some((Reverse(class.rank), class.queue[place].order, at, place))
        });
        tails.max().map(|(.., at, place)| (at, place))
    }

    pub(super) fn class_of(&mut self, body: &Arc<Body>, rank: i32) -> usize {
        let same = |class: &HeldClass| {
            class.rank == rank && (Arc::ptr_eq(&class.body, body) || class.is_like(body))
        };
        if self.classes.get(self.last).is_some_and(same) {
            return self.last;
        }
        self.last = self.classes.iter().position(same).unwrap_or_else(|| {
            self.classes.push(HeldClass {
                body: Arc::clone(body),
                request: body.request.clone(),
                rank,
                queue: VecDeque::new(),
                weight: 0,
                tasks: 0,
                passed_over: 0,
                pace: None,
            });
            self.classes.len() - 1
        });
        self.last
    }
}

impl HeldClass {
    fn is_like(&self, body: &Body) -> bool {
        self.body.request == body.request
            && self.body.detail == body.detail
            && self.body.timeout == body.timeout
            && self.body.grace == body.grace
            && self.body.heartbeat_timeout == body.heartbeat_timeout
            && program(&self.body.action) == program(&body.action)
    }
}

/// What kind of thing an action does: its program's or its function's name.
fn program(action: &Action) -> (bool, &[u8]) {
    match action {
        Action::Command { argv } => {
            (true, argv.first().and_then(|word| word.literal_bytes()).unwrap_or(b""))
        }
        Action::Function { name, .. } => (false, name.as_bytes()),
    }
}
