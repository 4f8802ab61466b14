//! Asking for work: when this node is about to run dry, of the home that attracts it most.

use bary_model::id::NodeId;
use bary_model::message::Ask;
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;
use bary_policy::pull;

use crate::outbox::Outbox;
use crate::runner::{AskState, Need, Runner};
use crate::timers::{Timer, Timers};
use crate::view::View;

/// How long it takes at least until a node looks again whether it is about to run dry.
const LOOK_MIN: Span = Span::micros(100);

impl Runner {
    /// Asks where there is room; a node without work also reports all that it held back.
    pub(super) fn ask_or_flush(
        &mut self,
        view: &View,
        policy: &Policy,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if let Some(home) = self.home_to_ask(view, policy)
            && let Some(need) = self.need(home, view, policy, out.now, timers)
        {
            self.ask(home, need, out, timers);
            self.look_again(home, view, policy, out, timers);
        }
        while let Some(home) = self.home_to_correct() {
            self.ask(home, Need::Work, out, timers);
        }
        if self.is_idle() {
            let homes: Vec<NodeId> = self.outcomes.keys().copied().collect();
            for home in homes {
                self.flush(home, None, out, timers);
            }
        }
    }

    fn ask(&mut self, home: NodeId, need: Need, out: &mut Outbox, timers: &mut Timers) {
        let state = self.asks.entry(home).or_default();
        state.number += 1;
        state.open = Some(need);
        let (free, held) = match need {
            Need::Beside => (self.free.clone(), self.held.weight()),
            Need::Work => (self.info.resources.clone(), 0),
        };
        let ask = Ask { number: state.number, free, held };
        self.flush(home, Some(ask), out, timers);
    }

    /// A home that has nothing does not answer: where another may have work, it is asked when
    /// an answer should have come.
    fn look_again(
        &mut self,
        asked: NodeId,
        view: &View,
        policy: &Policy,
        out: &Outbox,
        timers: &mut Timers,
    ) {
        if self.home_to_ask(view, policy).is_some() {
            let wait = view.round_trip(asked).times(2) + self.limits.ask_ahead_min;
            self.wake_at(out.now + wait, timers);
        }
    }

    /// A home that still looks for what fits beside something, while nothing is held any more:
    /// it would never give what needs the whole node.
    fn home_to_correct(&self) -> Option<NodeId> {
        let room = self.has_room() && self.held.is_empty();
        let beside = |state: &AskState| room && state.open == Some(Need::Beside);
        self.asks.iter().find(|(_, state)| beside(state)).map(|(home, _)| *home)
    }

    fn has_room(&self) -> bool {
        self.free.milli_cpus > 0 && self.runs.len() < self.limits.runs_max
    }

    fn wake_at(&mut self, at: Moment, timers: &mut Timers) {
        if let Some(key) = self.ask_timer.take() {
            timers.unset(key);
        }
        self.ask_timer = Some(timers.set(at, Timer::Ask));
    }

    /// The home with the strongest pull of those that have not been asked; where none is known
    /// to have work, one to wait at.
    fn home_to_ask(&self, view: &View, policy: &Policy) -> Option<NodeId> {
        let now = if self.held.is_empty() { Need::Work } else { Need::Beside };
        // An ask for little is asked again when more is needed; one for work covers both.
        let open = |home: &NodeId| {
            self.asks.get(home).is_some_and(|state| state.open.is_some_and(|need| need >= now))
        };
        let power = self.info.power();
        let closed = view.homes.iter().filter(|(home, _)| !open(home));
        let drawn = closed.map(|(home, ready)| {
            (pull::attraction(*ready, power, view.round_trip(*home), &policy.pull), *ready, *home)
        });
        // From afar little work attracts like none, but it is work.
        let (_, ready, home) =
            drawn.max_by_key(|(pull, ready, home)| (*ready > 0, *pull, *home))?;
        let waits_somewhere = view.homes.keys().any(open);
        (ready > 0 || !waits_somewhere).then_some(home)
    }

    /// What this node needs of a home, now or within the lead; none while it has enough.
    fn need(
        &mut self,
        home: NodeId,
        view: &View,
        policy: &Policy,
        now: Moment,
        timers: &mut Timers,
    ) -> Option<Need> {
        if self.has_room() && !self.held.any_fits(&self.free) {
            return Some(if self.held.is_empty() { Need::Work } else { Need::Beside });
        }
        let round_trip = view.round_trip(home);
        if round_trip < self.limits.ask_ahead_min {
            return None;
        }
        let dry = self.dry_at(now)?;
        let lead = pull::asks_ahead(round_trip, &policy.pull);
        if dry <= now + lead {
            return Some(Need::Work);
        }
        self.wake_at(Moment(dry.0 - lead.0).max(now + LOOK_MIN), timers);
        None
    }

    /// When the first slot will find nothing to start, as far as runs have shown. One that is
    /// overdue is thought to take as long again as it is late, so that looks at it grow rare.
    fn dry_at(&self, now: Moment) -> Option<Moment> {
        let first = self.runs.values().map(|run| run.expected_end).min()??;
        let mut held = Span::ZERO;
        for class in self.held.classes.iter().filter(|class| class.weight > 0) {
            held += class.expects(class.weight)?;
        }
        let slots = u64::from(self.info.slots).max(1);
        let late = now.since(first);
        Some(first.max(now) + late + Span(held.0 / slots))
    }
}
