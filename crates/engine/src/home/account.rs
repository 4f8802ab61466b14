//! What a home knows of one node: what it was granted, how fast it is, whether it asks.

use std::collections::BTreeMap;

use bary_model::digest::Digest;
use bary_model::id::{Epoch, GrantNo, Incarnation, NodeId, ShardId, TaskRange};
use bary_model::message::Ask;
use bary_model::node::Peer;
use bary_model::resources::Resources;
use bary_model::time::{Moment, Span};
use bary_policy::steal::Victim;
use bary_policy::view::{GraphScores, NodeView};

use crate::home::field::Among;
use crate::home::gauge::Gauge;
use crate::home::stand::{self, Stand};
use crate::home::sums::Totals;
use crate::timers::TimerKey;

/// One node as its home sees it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) peer: Peer,
    /// The labels that it says of itself; those of `peer` are what its home goes by.
    pub(crate) labels: BTreeMap<Box<str>, Box<str>>,
    /// The ask that waits for work, if one does.
    pub(crate) parked: Option<Parked>,
    /// An ask that came by another home and waits for a session.
    pub(crate) awaited: Option<Parked>,
    /// What it was granted and has not ended.
    pub(crate) holding: Holding,
    /// How far the conversation with it is.
    pub(crate) session: Session,
    /// When its silence will be judged, where it holds something.
    pub(crate) lease: Option<TimerKey>,
    /// Weight and number of tasks that are being bound to it and not granted yet.
    pub(crate) binding: (u64, u64),
    /// Tasks granted so far.
    pub(crate) granted: u64,
    /// A retract is under way, for this thief.
    pub(crate) thief: Option<NodeId>,
    /// It had nothing unstarted when it was last asked, and got nothing since.
    pub(crate) bare: bool,
    /// How often in a row a steal for it brought nothing.
    pub(crate) fails: u32,
    /// How often it stole something since it last ended something.
    pub(crate) steals: u32,
    /// Until when it waits before it may steal again, if it does.
    pub(crate) rests: Option<Moment>,
    /// Whether it knows that there is work that nobody has been granted.
    pub(crate) told: bool,
    /// Where it is in the graph of the cluster, where that was found.
    pub(crate) scores: Option<GraphScores>,
    /// How busy its machine is with other things, where it was asked.
    pub(crate) gauge: Gauge,
    /// Weight per second of busy slots (thousandths), as outcomes show it.
    pace: Option<f64>,
}

/// An ask that waits for work.
#[derive(Clone, Debug)]
pub(crate) struct Parked {
    pub(crate) ask: Ask,
    /// The numbers of the node's asks, each with the home it was meant for; asks of one node that
    /// meet here are one.
    pub(crate) asked: Vec<(ShardId, u64)>,
    /// How often the ask has moved from home to home.
    pub(crate) hops: u8,
}

impl Parked {
    /// This ask and one of the same node that waited before as one. They may have come by
    /// different ways, so that either may be the later one; an ask for any work covers one for
    /// what fits beside something.
    pub(crate) fn and(mut self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        if other.ask.held == 0 && self.ask.held > 0 {
            self.ask = other.ask;
        }
        for (shard, number) in other.asked {
            match self.asked.iter_mut().find(|(other, _)| *other == shard) {
                Some((_, known)) => *known = number.max(*known),
                None => self.asked.push((shard, number)),
            }
        }
        self
    }

    /// Whether the node asked the home of this shard itself.
    pub(crate) fn is_for(&self, shard: ShardId) -> bool {
        self.asked.iter().any(|(asked, _)| *asked == shard)
    }

    /// What is left of it where `last` is the last ask that the node made of this shard itself. One
    /// before that says of a state that the node is in no longer, and may have been answered.
    pub(crate) fn without_former(mut self, shard: ShardId, last: u64) -> Option<Self> {
        self.asked.retain(|(asked, number)| *asked != shard || *number == last);
        (!self.asked.is_empty()).then_some(self)
    }

    /// What is left of it when the node's ask of one shard is void.
    fn without(mut self, shard: ShardId) -> Option<Self> {
        self.asked.retain(|(other, _)| *other != shard);
        (!self.asked.is_empty()).then_some(self)
    }
}

/// What a node holds of a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// Which tasks, and how many.
    pub(crate) digest: Digest,
    /// Their weight, in thousandths.
    pub(crate) weight: u64,
}

impl Holding {
    pub(crate) fn add(&mut self, epoch: Epoch, grant: GrantNo, range: TaskRange, weight: u64) {
        self.digest.add(epoch, grant, range);
        self.weight += weight;
    }

    pub(crate) fn remove(&mut self, epoch: Epoch, grant: GrantNo, range: TaskRange, weight: u64) {
        self.digest.remove(epoch, grant, range);
        self.weight = self.weight.saturating_sub(weight);
    }

    pub(crate) fn tasks(&self) -> u64 {
        self.digest.tasks
    }
}

/// The conversation of a home with a node, between one Hello and the next break.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Session {
    /// Whether the node has said what it holds since the last break.
    pub(crate) open: bool,
    /// The number of the last request for its list, where it is not answered.
    pub(crate) relisted: Option<u64>,
    /// How many such requests there were.
    pub(crate) relists: u64,
    /// The number of the last ask that came from the node itself since the last break; none is 0.
    pub(crate) asked: u64,
    /// The life of the node that spoke last.
    pub(crate) life: Incarnation,
    /// The last batch of outcomes that was taken in in that life.
    pub(crate) batch: u64,
    /// The last that is durable, and the last that the node has heard is.
    pub(crate) settled: u64,
    /// See `settled`.
    pub(crate) told: u64,
    /// Whether it will be told by a timer.
    pub(crate) telling: bool,
}

/// Outcomes with less busy time than this say little of a node's pace.
const PACE_SPAN_MIN: Span = Span::micros(100);
/// How much of the estimate each outcome replaces.
const PACE_GAIN: f64 = 0.2;

impl Account {
    pub(crate) fn new(peer: Peer) -> Self {
        Self {
            labels: peer.info.labels.clone(),
            peer,
            parked: None,
            awaited: None,
            holding: Holding::default(),
            session: Session::default(),
            lease: None,
            binding: (0, 0),
            granted: 0,
            thief: None,
            bare: true,
            fails: 0,
            steals: 0,
            rests: None,
            told: false,
            scores: None,
            gauge: Gauge::Unasked,
            pace: None,
        }
    }

    /// Learns what the node says of itself now. How fast it was says nothing of another speed.
    pub(crate) fn meet(&mut self, peer: &Peer) {
        if self.peer.info.speed != peer.info.speed {
            self.pace = None;
        }
        self.labels.clone_from(&peer.info.labels);
        self.peer = peer.clone();
        // It may be another life of the node, which has heard nothing.
        self.told = false;
    }

    /// Weight granted and not ended, and what is being bound at this moment, in thousandths.
    pub(crate) fn load(&self) -> u64 {
        self.holding.weight + self.binding.0
    }

    /// Tasks granted and not ended, and those being bound at this moment.
    pub(crate) fn tasks(&self) -> u64 {
        self.holding.tasks() + self.binding.1
    }

    /// Whether it should be told that this home has work, as it neither knows nor waits for it; and
    /// whether it holds some.
    pub(crate) fn untold(&self, shard: ShardId) -> Option<bool> {
        let waits = || self.parked.as_ref().is_some_and(|parked| parked.is_for(shard));
        (!self.told && !waits()).then(|| self.holding.tasks() > 0)
    }

    /// Ends the session: what was said in it counts no longer.
    /// Asks of other homes that waited here go on waiting for the next one; tells whether there
    /// are any.
    pub(crate) fn break_off(&mut self, shard: ShardId) -> bool {
        (self.session.open, self.session.asked) = (false, 0);
        // Word of what is durable may be lost with it.
        self.session.told = 0;
        (self.thief, self.told, self.gauge) = (None, false, Gauge::Unasked);
        if let Some(foreign) = self.parked.take().and_then(|parked| parked.without(shard)) {
            self.awaited = Some(foreign.and(self.awaited.take()));
        }
        self.awaited.is_some()
    }

    /// Learns from tasks of `weight` thousandths that kept slots busy for `busy`.
    pub(crate) fn learn(&mut self, weight: u64, busy: Span) {
        if busy < PACE_SPAN_MIN {
            return;
        }
        let pace = weight as f64 / busy.as_secs_f64();
        let old = self.pace.unwrap_or(pace);
        self.pace = Some(old + PACE_GAIN * (pace - old));
    }

    /// How far the node's pace is from what it says of itself: weight per second and speed.
    pub(crate) fn pace_per_speed(&self) -> Option<f64> {
        self.pace.map(|pace| pace / self.peer.info.speed)
    }

    /// Whether it can be stolen from: it is there, and nobody is at it already.
    pub(crate) fn is_open_to_thieves(&self) -> bool {
        self.session.open && self.thief.is_none() && self.backlog() > 0
    }

    /// What a thief finds there.
    pub(crate) fn as_victim(&self) -> Victim {
        let (node, round_trip) = (self.peer.info.id, self.peer.round_trip);
        Victim { node, backlog: self.backlog(), queued: self.queued(), round_trip }
    }

    /// Weight not started, estimated: all but one average task for each slot.
    pub(crate) fn backlog(&self) -> u64 {
        let (load, tasks) = (self.load(), self.holding.tasks());
        let running = u64::from(self.peer.info.slots).min(tasks);
        let mean = load.checked_div(tasks).unwrap_or(0);
        if self.bare { 0 } else { load.saturating_sub(mean * running) }
    }

    /// Weight per second of one of its slots (thousandths): as shown, or as its speed says where
    /// nodes have shown what a unit of it comes to, or else a unit of weight a second.
    pub(crate) fn pace(&self, scale: Option<f64>) -> f64 {
        stand::pace(self.pace, &self.peer.info, scale)
    }

    /// Its slots times the pace they have shown, or the speed it declares until then.
    pub(crate) fn power(&self, scale: Option<f64>) -> f64 {
        stand::power(self.pace, &self.peer.info, scale)
    }

    /// How many tasks have not started, estimated: all but one for each slot.
    pub(crate) fn queued(&self) -> u64 {
        let running = u64::from(self.peer.info.slots);
        if self.bare { 0 } else { self.tasks().saturating_sub(running) }
    }

    /// What nothing uses, as its ask says; all of it where it holds nothing.
    fn free(&self) -> Option<&Resources> {
        let asks = self.parked.as_ref().map(|parked| &parked.ask.free);
        asks.or_else(|| (self.tasks() == 0).then_some(&self.peer.info.resources))
    }

    /// How it stands, where it is one of those that are meant.
    pub(crate) fn stand(&self, among: Among) -> Option<Stand> {
        let meant = match among {
            Among::Met => self.session.open,
            Among::Waiting => self.parked.is_some(),
        };
        let free = self.free().map(|free| [free.milli_cpus, free.memory, free.milli_gpus]);
        let trip = self.peer.round_trip;
        let scores = self.scores.map(|scores| (scores.closeness, scores.fiedler.abs()));
        let used = self.gauge.used();
        meant.then(|| Stand {
            least: self.peer.info.id,
            load: self.load(),
            granted: self.granted + self.binding.1,
            tasks: self.tasks(),
            trips: (trip, trip),
            pace: self.pace,
            unshown: self.pace.is_none(),
            free,
            unsaid: free.is_none(),
            scores: scores.unwrap_or_default(),
            used: used.map(|used| (used.cpu, used.memory)),
            ungauged: used.is_none(),
        })
    }

    /// The node as a policy sees it.
    pub(crate) fn view(&self, totals: Totals) -> NodeView<'_> {
        let power = self.power(totals.scale);
        NodeView {
            info: &self.peer.info,
            machine: self.peer.machine,
            load: self.load(),
            mean_load: totals.mean_load(power),
            granted: self.granted + self.binding.1,
            tasks: self.tasks(),
            round_trip: self.peer.round_trip,
            power,
            free: self.free(),
            used: self.gauge.used(),
            bytes_here: None,
            scores: self.scores,
            timing: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_asks_of_a_shard_only_the_last_counts() {
        let room = Ask { number: 28, free: Resources::default(), held: 0 };
        let ask = |asked| Parked { ask: room.clone(), asked, hops: 1 };
        let (mine, other) = (ShardId(3), ShardId(4));
        let left = |parked: Parked| parked.without_former(mine, 28).map(|parked| parked.asked);
        assert_eq!(left(ask(vec![(mine, 28)])), Some(vec![(mine, 28)]));
        assert_eq!(left(ask(vec![(mine, 27)])), None);
        assert_eq!(left(ask(vec![(mine, 27), (other, 9)])), Some(vec![(other, 9)]));
    }
}
