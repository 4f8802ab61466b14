//! Asking for work: when this node is about to run dry, of the home that attracts it most.

use bary_model::id::ShardId;
use bary_model::message::Ask;
use bary_model::mix::rendezvous;
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;
use bary_policy::pull;

use crate::outbox::Outbox;
use crate::runner::session::Session;
use crate::runner::{Need, Runner};
use crate::timers::{Timer, Timers};
use crate::view::{HomeView, View};

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
            let open = self.sessions.iter().filter(|(_, session)| !session.outgoing.is_empty());
            let homes: Vec<ShardId> = open.map(|(shard, _)| *shard).collect();
            for home in homes {
                self.flush(home, None, out, timers);
            }
        }
    }

    fn ask(&mut self, home: ShardId, need: Need, out: &mut Outbox, timers: &mut Timers) {
        // A session that begins with this ask forgets the asks before it.
        self.greet(home, out, timers);
        let Some(session) = self.sessions.get_mut(&home) else { return };
        session.asks += 1;
        session.open = Some(need);
        session.asked = out.now;
        let (free, held) = match need {
            Need::Beside => (self.free.clone(), self.held.weight()),
            Need::Work => (self.info.resources.clone(), 0),
        };
        let ask = Ask { number: session.asks, free, held };
        self.flush(home, Some(ask), out, timers);
    }

    /// A home that has nothing does not answer: where another may have work, it is asked when
    /// an answer should have come.
    fn look_again(
        &mut self,
        asked: ShardId,
        view: &View,
        policy: &Policy,
        out: &Outbox,
        timers: &mut Timers,
    ) {
        let wait = round_trip(view, asked).times(2) + self.limits.ask_ahead_min;
        if self.home_to_ask(view, policy).is_some() {
            self.wake_at(out.now + wait, timers);
        }
    }

    /// A home that still looks for what fits beside something, while nothing is held any more:
    /// it would never give what needs the whole node.
    fn home_to_correct(&self) -> Option<ShardId> {
        let room = self.has_room() && self.held.is_empty();
        let beside = |session: &Session| room && session.open == Some(Need::Beside);
        self.sessions.iter().find(|(_, session)| beside(session)).map(|(home, _)| *home)
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
    fn home_to_ask(&self, view: &View, policy: &Policy) -> Option<ShardId> {
        let need = if self.held.is_empty() { Need::Work } else { Need::Beside };
        // An ask for little is asked again when more is needed; one for work covers both.
        let open = |home: &ShardId| {
            let session = self.sessions.get(home);
            session.is_some_and(|session| session.open.is_some_and(|open| open >= need))
        };
        // The home where it waits sends its ask on to others that have work. So it asks another as
        // well only when that one calls for nodes, or has said since that something is ready.
        let waits = view.homes.keys().filter(|home| open(home));
        let asked = waits.filter_map(|home| Some(self.sessions.get(home)?.asked)).max();
        let worth = |home: &HomeView| {
            let news = home.calls || asked < Some(home.heard);
            asked.is_none() || home.ready > 0 && news
        };
        let power = self.info.power();
        let closed = view.homes.iter().filter(|(shard, home)| !open(shard) && worth(home));
        let drawn = closed.map(|(shard, home)| {
            let (ready, distance) = (home.ready, view.round_trip(home.node));
            (pull::attraction(ready, power, distance, &policy.pull), ready, *shard)
        });
        // From afar little work attracts like none, but it is work. Nodes that have to wait spread
        // over the homes there are.
        let best = drawn.max_by_key(|(pull, ready, home)| {
            (*ready > 0, *pull, rendezvous(home.0, view.me), *home)
        });
        best.map(|(.., home)| home)
    }

    /// What this node needs of a home, now or within the lead; none while it has enough.
    fn need(
        &mut self,
        home: ShardId,
        view: &View,
        policy: &Policy,
        now: Moment,
        timers: &mut Timers,
    ) -> Option<Need> {
        if self.has_room() && !self.held.any_fits(&self.free) {
            return Some(if self.held.is_empty() { Need::Work } else { Need::Beside });
        }
        let round_trip = round_trip(view, home);
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

/// How long a message to a home and its answer take.
fn round_trip(view: &View, home: ShardId) -> Span {
    view.homes.get(&home).map_or(Span::ZERO, |home| view.round_trip(home.node))
}
