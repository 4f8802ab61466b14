//! Asking for work: when this node is about to run dry, of the home that attracts it most.

use std::cmp::Reverse;

use bary_model::id::ShardId;
use bary_model::message::Ask;
use bary_model::mix::rendezvous;
use bary_model::time::{Moment, Span};
use bary_policy::preset::Policy;
use bary_policy::pull::{self, NEAR, PullConfig};

use crate::outbox::Outbox;
use crate::runner::session::Session;
use crate::runner::{Need, Runner};
use crate::timers::{Timer, Timers};
use crate::view::{HomeView, View};

/// How long it takes at least until a node looks again whether it is about to run dry.
const LOOK_MIN: Span = Span::micros(100);

/// Which home draws this node most, and when that was so. It also depends on what homes were asked
/// for: whoever changes that forgets the choice.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice {
    home: Option<ShardId>,
    need: Need,
    /// How much of the view had changed.
    changes: u64,
    pull: PullConfig,
}

impl Choice {
    fn holds(&self, runner: &Runner, view: &View, policy: &Policy) -> bool {
        (self.changes, self.need) == (view.changes, runner.least_need()) && self.pull == policy.pull
    }
}

impl Runner {
    /// Asks where there is room; a node without work also reports all that it held back.
    pub(super) fn ask_or_flush(
        &mut self,
        view: &View,
        policy: &Policy,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if self.may_need(view)
            && let Some(home) = self.home_to_ask(view, policy)
            && let Some(need) = self.need(home, view, policy, out.now, timers)
        {
            self.ask(home, need, out, timers);
            self.look_again(home, view, policy, out, timers);
        }
        while let Some(home) = self.home_to_correct() {
            self.ask(home, Need::Work, out, timers);
        }
        if self.is_idle() {
            self.flush_all(out, timers);
        }
    }

    /// Reports all that was held back.
    pub(super) fn flush_all(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let open = self.sessions.iter().filter(|(_, session)| !session.outgoing.is_empty());
        let homes: Vec<ShardId> = open.map(|(shard, _)| *shard).collect();
        for home in homes {
            self.flush(home, None, out, timers);
        }
    }

    fn ask(&mut self, home: ShardId, need: Need, out: &mut Outbox, timers: &mut Timers) {
        // A session that begins with this ask forgets the asks before it.
        self.greet(home, out, timers);
        let Some(session) = self.sessions.get_mut(&home) else { return };
        session.asks += 1;
        session.open = Some(need);
        session.asked = out.now;
        self.choice = None;
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

    /// The home to ask, found anew where something has changed of which it depends.
    fn home_to_ask(&mut self, view: &View, policy: &Policy) -> Option<ShardId> {
        let choice = self.choice.filter(|choice| choice.holds(self, view, policy));
        let choice = choice.unwrap_or_else(|| self.choose(view, policy));
        self.choice = Some(choice);
        choice.home
    }

    /// Checks that what was found last is what would be found now.
    pub(super) fn check_choice(&self, view: &View, policy: &Policy) {
        if let Some(choice) = self.choice.filter(|choice| choice.holds(self, view, policy)) {
            let home = self.choose(view, policy).home;
            assert_eq!(choice.home, home, "the home to ask is the one that draws most");
        }
    }

    /// What is wanted at least of a home that is asked.
    fn least_need(&self) -> Need {
        if self.held.is_empty() { Need::Work } else { Need::Beside }
    }

    fn choose(&self, view: &View, policy: &Policy) -> Choice {
        let (need, changes, pull) = (self.least_need(), view.changes, policy.pull);
        Choice { home: self.strongest(need, view, &pull), need, changes, pull }
    }

    /// The home with the strongest pull of those that have not been asked; where none is known
    /// to have work, one to wait at.
    fn strongest(&self, need: Need, view: &View, pull: &PullConfig) -> Option<ShardId> {
        // An ask for little is asked again when more is needed; one for work covers both.
        let open = |session: &&Session| session.open.is_some_and(|open| open >= need);
        // The home where it waits sends its ask on to others that have work. So it asks another as
        // well only when that one calls for nodes, or has said since that something is ready.
        let waits = self.homes(view).filter_map(|(.., session)| session.filter(open));
        let asked = waits.map(|session| session.asked).max();
        // A home nearby sends an ask on where it is worth the way; one far away is asked where
        // there is no other, or where it calls.
        let distance = |home: &HomeView| pull::nearness(view.round_trip(home.node), pull);
        let local = view.homes.values().any(|home| distance(home) <= NEAR);
        let worth = |home: &HomeView| {
            let news = home.calls || asked <= Some(home.heard);
            let may = home.calls || !local || distance(home) <= NEAR;
            may && (asked.is_none() || home.ready > 0 && news)
        };
        let closed = self
            .homes(view)
            .filter(|(_, home, session)| !session.is_some_and(|one| open(&one)) && worth(home));
        let power = self.info.power();
        let drawn = closed.map(|(shard, home, _)| {
            let distance = view.round_trip(home.node);
            let drawn = || pull::attraction(home.ready, power, distance, pull);
            ((home.ready > 0).then(drawn), Reverse(pull::nearness(distance, pull)), shard)
        });
        // From afar little work attracts like none, but it is work. Nodes that have to wait spread
        // over the homes that are about as near as the nearest.
        let spread = |shard: ShardId| (rendezvous(shard.0, view.me), shard);
        let rank = |one: &(Option<u64>, Reverse<u32>, ShardId)| (one.0, one.1, spread(one.2));
        drawn.max_by(|a, b| rank(a).cmp(&rank(b))).map(|(.., shard)| shard)
    }

    /// The homes that have been heard of, each with what was said to it.
    fn homes<'a>(
        &'a self,
        view: &'a View,
    ) -> impl Iterator<Item = (ShardId, &'a HomeView, Option<&'a Session>)> {
        let mut sessions = self.sessions.iter().peekable();
        view.homes.iter().map(move |(shard, home)| {
            while sessions.next_if(|(other, _)| *other < shard).is_some() {}
            let session = sessions.peek().filter(|(other, _)| *other == shard);
            (*shard, home, session.map(|(_, session)| *session))
        })
    }

    /// Whether there is any home of which something may be needed: room is left for what is not
    /// held, or a home is so far that it may have to be asked ahead.
    fn may_need(&self, view: &View) -> bool {
        let far = |home: &HomeView| view.round_trip(home.node) >= self.limits.ask_ahead_min;
        self.is_short() || view.homes.values().any(far) && !self.runs.is_empty()
    }

    /// Whether there is room for which nothing is held.
    fn is_short(&self) -> bool {
        self.has_room() && !self.held.any_fits(&self.free)
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
        if self.is_short() {
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
