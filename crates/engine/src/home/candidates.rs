//! Which node a task goes to: of those that may have it and that the policy looks at, the one that
//! the force draws it to most.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use bary_model::id::NodeId;
use bary_model::task::Request;
use bary_policy::dice::Dice;
use bary_policy::force::Ideal;
use bary_policy::guard;
use bary_policy::sample::drawn;
use bary_policy::view::{Foresight, NodeView, TaskView};

use crate::home::Home;
use crate::home::field::{Among, Make, Who};
use crate::home::grant::task_view;
use crate::home::haul::Spot;
use crate::home::ready::Entry;
use crate::home::stand::Stand;
use crate::home::sums::Totals;
use crate::home::whereabouts::Reads;

/// A task for which a node is sought.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) entry: Entry,
    reads: Reads,
    known: Foresight,
    totals: Totals,
}

/// The tasks that nodes would have next, those of each make the same.
#[derive(Debug, Default)]
pub(super) struct Next {
    wanted: Vec<Wanted>,
    /// Which of them is for each make.
    of: Vec<Option<usize>>,
}

/// Which nodes may have a task.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bar<'a> {
    /// Those that hold fewer tasks than this.
    pub(super) room: u64,
    /// Those at which it would end by then, in the guard's unit.
    pub(super) latest: Option<f64>,
    /// Those of the region that its job was laid out to have it in.
    pub(super) within: bool,
    /// All but these.
    pub(super) passed: &'a BTreeSet<NodeId>,
}

/// What is sought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The first node by id.
    First,
    /// The node where the task would end soonest, as the guard reckons.
    Soonest,
    /// The node that the force draws it to most.
    Strongest,
}

impl Wanted {
    fn task(&self) -> TaskView<'_> {
        TaskView { known: self.known, ..task_view(&self.entry) }
    }

    /// Whether the layout of its job gives it a region.
    pub(super) fn is_laid_out(&self) -> bool {
        self.reads.within().is_some()
    }
}

impl Next {
    /// The task for a make.
    pub(super) fn of(&self, make: usize) -> Option<&Wanted> {
        self.wanted.get((*self.of.get(make)?)?)
    }

    /// Takes the task for a make out.
    pub(super) fn take(mut self, make: usize) -> Option<Wanted> {
        let at = (*self.of.get(make)?)?;
        Some(self.wanted.swap_remove(at))
    }
}

impl Bar<'_> {
    /// All may have it.
    pub(super) const NONE: Self =
        Self { room: u64::MAX, latest: None, within: false, passed: &BTreeSet::new() };
}

impl Home {
    /// Sees to it that the field shows how nodes stand now.
    pub(super) fn look_around(&mut self) {
        let topology = self.topology.as_ref();
        self.accounts.settle_field(|node| topology?.place(node).map(|place| place.region));
    }

    /// The places of a list of `len` nodes that the policy looks at; none where it looks at all.
    pub(super) fn looked_at(&mut self, len: usize) -> Option<Vec<usize>> {
        let most = self.policy.looks_at(len)?;
        Some(drawn(len, most, &mut self.force_dice))
    }

    /// Of each make, whether its nodes could run this.
    pub(super) fn able_makes(&self, request: &Request) -> Vec<bool> {
        self.accounts.field().able(request)
    }

    pub(super) fn want(&mut self, entry: Entry) -> Wanted {
        let reads = self.reads(&entry);
        let known = self.foresee(&entry, &reads);
        Wanted { reads, known, totals: self.totals(), entry }
    }

    /// What is next for the nodes that are meant.
    pub(super) fn next(&mut self, among: Among) -> Next {
        let mut next = Next::default();
        let mut entries: Vec<Entry> = Vec::new();
        for (number, make) in self.accounts.field().makes(among) {
            let Some(entry) = self.ready.peek(&make.info, None) else { continue };
            let same = |other: &Entry| other.range.head() == entry.range.head();
            let at = entries.iter().position(same).unwrap_or_else(|| {
                entries.push(entry.clone());
                entries.len() - 1
            });
            next.of.resize(number + 1, None);
            next.of[number] = Some(at);
        }
        next.wanted = entries.into_iter().map(|entry| self.want(entry)).collect();
        next
    }

    /// The asking node that the force draws most to what it would have next, but for those that
    /// were passed over.
    pub(super) fn strongest(&mut self, passed: &BTreeSet<NodeId>) -> Option<NodeId> {
        if passed.is_empty() && self.parked.len() == 1 {
            return self.parked.first().copied();
        }
        self.look_around();
        let next = self.next(Among::Waiting);
        let bar = Bar { passed, ..Bar::NONE };
        self.choose(Among::Waiting, |make| Some((next.of(make)?, bar)))
    }

    /// Of the nodes that may have their task, as far as the policy looks at them, the one that the
    /// force draws most.
    pub(super) fn choose<'w>(
        &mut self,
        among: Among,
        of: impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Option<NodeId> {
        // Of a force of which nothing is known every node has to be asked for.
        let unknown = self.policy.force.ideal() == Ideal::Unknown;
        if unknown || self.policy.looks_at(self.accounts.len()).is_some() {
            let able = self.able_among(among, &of);
            if let Some(places) = self.looked_at(able.len()) {
                return self.best_of(places.into_iter().map(|place| able[place]), among, &of);
            } else if unknown {
                return self.best_of(able.into_iter(), among, &of);
            }
        }
        if !self.policy.force.tries() {
            return self.find(Goal::Strongest, among, of).map(|(_, node)| node);
        }
        let mut dice = self.force_dice.clone();
        let chosen = self.first_to_claim(among, &of, &mut dice);
        self.force_dice = dice;
        chosen
    }

    /// The first node by what is sought, and its make.
    pub(super) fn find<'w>(
        &self,
        goal: Goal,
        among: Among,
        of: impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Option<(usize, NodeId)> {
        let found = self.descend(goal, among, &of).next();
        debug_assert_eq!(
            found.map(|(_, node)| node),
            self.scanned(goal, among, &of),
            "a look at few nodes finds what a look at all finds"
        );
        found
    }

    /// Until when a task may end at a node, where the guard says; see [`guard::latest`].
    pub(super) fn latest<'w>(
        &self,
        of: impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Option<f64> {
        let giants = self.policy.giants?;
        let (make, node) = self.find(Goal::Soonest, Among::Met, &of)?;
        let (wanted, _) = of(make)?;
        let soonest = guard::end(&wanted.task(), &self.accounts[&node].view(wanted.totals));
        Some(guard::latest(soonest, giants))
    }
}

impl Home {
    /// The nodes that may have their task, with their makes.
    fn able_among<'w>(
        &self,
        among: Among,
        of: &impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Vec<(usize, NodeId)> {
        let field = self.accounts.field();
        let any_drained = self.drains_any() || !self.gangs.kept.is_empty();
        let mut able = Vec::new();
        for (make, _) in field.makes(among) {
            let Some((wanted, bar)) = of(make) else { continue };
            // Mostly how a node stands says it all.
            let all = !any_drained && !bar.within && bar.latest.is_none() && bar.passed.is_empty();
            let may = |(node, stand): &(NodeId, &Stand)| {
                let exact = || self.exact(Goal::First, *node, among, (wanted, bar)).is_some();
                stand.tasks < bar.room && (all || exact())
            };
            able.extend(field.nodes(make, among).filter(may).map(|(node, _)| (make, node)));
        }
        able
    }

    /// The same as [`Home::find`] by a look at every node.
    fn scanned<'w>(
        &self,
        goal: Goal,
        among: Among,
        of: &impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Option<NodeId> {
        let field = self.accounts.field();
        let all = field.makes(among).flat_map(|(make, _)| {
            field.nodes(make, among).filter_map(move |(node, _)| {
                Some((self.exact(goal, node, among, of(make)?)?, Reverse(node)))
            })
        });
        all.max().map(|(_, Reverse(node))| node)
    }

    fn best_of<'w>(
        &self,
        nodes: impl Iterator<Item = (usize, NodeId)>,
        among: Among,
        of: &impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> Option<NodeId> {
        let mut best: Option<(i64, NodeId)> = None;
        for (make, node) in nodes {
            let score = of(make).and_then(|of| self.exact(Goal::Strongest, node, among, of));
            if let Some(score) = score
                && best.is_none_or(|(other, _)| score > other)
            {
                best = Some((score, node));
            }
        }
        best.map(|(_, node)| node)
    }

    /// In the order of their pulls, the first node that claims; the first of all where none does.
    fn first_to_claim<'w>(
        &self,
        among: Among,
        of: &impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
        dice: &mut Dice,
    ) -> Option<NodeId> {
        let mut first = None;
        for (make, node) in self.descend(Goal::Strongest, among, of) {
            let (wanted, _) = of(make)?;
            let view =
                self.seen(&self.accounts[&node], &wanted.entry, &wanted.reads, wanted.totals);
            if self.policy.force.claims(&wanted.task(), &view, dice) {
                return Some(node);
            }
            first = first.or(Some(node));
        }
        first
    }

    fn descend<'s, 'w: 's>(
        &'s self,
        goal: Goal,
        among: Among,
        of: &'s impl Fn(usize) -> Option<(&'w Wanted, Bar<'w>)>,
    ) -> impl Iterator<Item = (usize, NodeId)> + 's {
        let field = self.accounts.field();
        // What a node has of what is read is not how it stands: those that have some come first.
        let reads = field.makes(among).filter_map(|(make, _)| of(make));
        let first: BTreeSet<NodeId> = reads.flat_map(|(wanted, _)| wanted.reads.nodes()).collect();
        let starts: Vec<NodeId> = first.iter().copied().collect();
        field.descend(among, starts, move |number, make, who| {
            let of = of(number)?;
            match who {
                Who::Best(stand) => self.bound(goal, make, stand, of),
                Who::One(node) if first.contains(&node) => None,
                Who::One(node) | Who::First(node) => self.exact(goal, node, among, of),
            }
        })
    }

    /// What a node scores; none where it may not have the task.
    fn exact(
        &self,
        goal: Goal,
        node: NodeId,
        among: Among,
        (wanted, bar): (&Wanted, Bar<'_>),
    ) -> Option<i64> {
        let account = self.accounts.get(&node)?;
        // One that asks is granted something though it is drained only where that was forgotten.
        let drained = among == Among::Met && self.is_barred(node);
        let outside = bar.within && !wanted.reads.prefers(node);
        let open = account.tasks() < bar.room && !bar.passed.contains(&node);
        if drained || outside || !open {
            return None;
        }
        if goal == Goal::First && bar.latest.is_none() {
            return Some(0);
        }
        let view = self.seen(account, &wanted.entry, &wanted.reads, wanted.totals);
        self.score(goal, wanted, bar, &view)
    }

    /// No less than what any of the nodes scores that stand no better; none where none may have
    /// the task.
    fn bound(
        &self,
        goal: Goal,
        make: &Make,
        stand: &Stand,
        (wanted, bar): (&Wanted, Bar<'_>),
    ) -> Option<i64> {
        let totals = wanted.totals;
        let force = &self.policy.force;
        let ideal = if goal == Goal::Strongest { force.ideal() } else { Ideal::Near };
        if stand.tasks >= bar.room {
            return None;
        }
        if goal == Goal::First && bar.latest.is_none() {
            return Some(0);
        }
        if ideal == Ideal::Unknown {
            return Some(i64::MAX);
        }
        let timing = force.needs_timing().then(|| {
            let spot = Spot {
                node: None,
                region: make.region,
                info: &make.info,
                pace: stand.pace(&make.info, Some(self.usual_pace(totals.scale))),
                tasks: stand.tasks,
                load: stand.load,
                round_trip: stand.trips.0,
            };
            self.timing_at(&spot, &wanted.entry, &wanted.reads, totals)
        });
        let best = |free| {
            let make = (&make.info, make.machine, make.scored);
            let view = stand.view(make, free, ideal, totals);
            let view = NodeView { timing, bytes_here: wanted.reads.nowhere(), ..view };
            self.score(goal, wanted, bar, &view)
        };
        let free = if force.sees_free() { stand.free(&make.info) } else { None };
        let unsaid = if stand.unsaid || free.is_none() { best(None) } else { None };
        unsaid.max(free.as_ref().and_then(|free| best(Some(free))))
    }

    fn score(&self, goal: Goal, wanted: &Wanted, bar: Bar<'_>, view: &NodeView<'_>) -> Option<i64> {
        let task = wanted.task();
        let end = || guard::end(&task, view);
        if bar.latest.is_some_and(|latest| end() > latest) {
            return None;
        }
        Some(match goal {
            Goal::First => 0,
            // Ends are above zero, and then their bits are in their order.
            Goal::Soonest => -(end().to_bits() as i64),
            Goal::Strongest => self.policy.force.between(&task, view).0,
        })
    }
}
