//! What a home knows of one node: what it was granted, how fast it is, whether it asks.

use bary_model::id::NodeId;
use bary_model::message::Ask;
use bary_model::node::Peer;
use bary_model::time::{Moment, Span};
use bary_policy::view::NodeView;

/// One node as its home sees it.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) peer: Peer,
    /// The ask that waits for work, if one does.
    pub(crate) parked: Option<Ask>,
    /// Weight granted and not ended, in thousandths.
    pub(crate) load: u64,
    /// Tasks granted and not ended.
    pub(crate) tasks: u64,
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
    /// Weight per second of busy slots (thousandths), as outcomes show it.
    pace: Option<f64>,
}

/// Outcomes with less busy time than this say little of a node's pace.
const PACE_SPAN_MIN: Span = Span::micros(100);
/// How much of the estimate each outcome replaces.
const PACE_GAIN: f64 = 0.2;

impl Account {
    pub(crate) fn new(peer: Peer) -> Self {
        Self {
            peer,
            parked: None,
            load: 0,
            tasks: 0,
            granted: 0,
            thief: None,
            bare: true,
            fails: 0,
            steals: 0,
            rests: None,
            told: false,
            pace: None,
        }
    }

    pub(crate) fn granted(&mut self, weight: u64, tasks: u64) {
        self.load += weight;
        self.tasks += tasks;
        self.granted += tasks;
        self.bare = false;
    }

    /// Takes back what was counted while binding; the grant counts it again.
    pub(crate) fn ungranted(&mut self, weight: u64, tasks: u64) {
        self.ended(weight, tasks);
        self.granted -= tasks;
    }

    pub(crate) fn ended(&mut self, weight: u64, tasks: u64) {
        self.load = self.load.saturating_sub(weight);
        self.tasks = self.tasks.saturating_sub(tasks);
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

    /// Weight not started, estimated: all but one average task for each slot.
    pub(crate) fn backlog(&self) -> u64 {
        let running = u64::from(self.peer.info.slots).min(self.tasks);
        let mean = self.load.checked_div(self.tasks).unwrap_or(0);
        if self.bare { 0 } else { self.load.saturating_sub(mean * running) }
    }

    /// Its slots times the pace they have shown, or the speed it declares until then.
    pub(crate) fn power(&self, scale: Option<f64>) -> f64 {
        let info = &self.peer.info;
        let measured = self.pace.map(|pace| pace * f64::from(info.slots));
        measured.unwrap_or_else(|| info.power() * scale.unwrap_or(1.0))
    }

    /// The node as a policy sees it.
    pub(crate) fn view(&self, totals: Totals) -> NodeView<'_> {
        let power = self.power(totals.scale);
        NodeView {
            info: &self.peer.info,
            load: self.load,
            mean_load: (totals.load as f64 * power / totals.power) as u64,
            granted: self.granted,
            round_trip: self.peer.round_trip,
            power,
        }
    }
}

/// What all nodes of a home add up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    /// Weight granted and not ended, in thousandths.
    pub(crate) load: u64,
    /// Power of all nodes.
    pub(crate) power: f64,
    /// What a unit of declared speed has come to, over the nodes that have shown it.
    pub(crate) scale: Option<f64>,
}

impl Totals {
    pub(crate) fn of<'a>(accounts: impl Iterator<Item = &'a Account> + Clone) -> Self {
        let (mut sum, mut known) = (0.0, 0_u32);
        for pace in accounts.clone().filter_map(Account::pace_per_speed) {
            sum += pace;
            known += 1;
        }
        let scale = (known > 0).then(|| sum / f64::from(known));
        let load = accounts.clone().map(|account| account.load).sum();
        Self { load, power: accounts.map(|account| account.power(scale)).sum(), scale }
    }
}
