//! The home of a shard: it alone grants its tasks and accepts their outcomes.

pub(crate) mod account;
mod accounts;
mod admit;
mod bounded;
mod candidates;
mod checkpoint;
mod claims;
mod class;
mod decree;
mod exchange;
mod explain;
mod field;
mod flow;
mod follow;
mod form;
mod gang;
mod gate;
mod gather;
mod gauge;
mod grant;
mod guarded;
mod halt;
mod haul;
mod hear;
mod kind;
mod lane;
mod layout;
mod learning;
mod levels;
mod line;
mod mates;
mod offer;
mod open;
mod outcome;
mod permits;
mod place;
mod push;
mod ranks;
mod reach;
mod ready;
mod recover;
mod remind;
mod requests;
mod sampling;
mod seek;
mod session;
mod stand;
mod steal;
mod steer;
mod straggler;
mod sums;
mod turns;
mod walk;
mod watch;
mod whereabouts;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bary_ledger::array::Holder;
use bary_ledger::consequences::Consequences;
use bary_ledger::ledger::Ledger;
use bary_ledger::record::Record;
use bary_model::event::Ended;
use bary_model::id::{Epoch, JobNo, Lsn, NodeId, ShardId, TaskId, TaskRange};
use bary_model::machine::Machine;
use bary_model::time::{Moment, Wall};
use bary_policy::dice::Dice;
use bary_policy::preset::Policy;
use bary_policy::topology::Topology;

use crate::counts::Counts;
use crate::effect::Effect;
use crate::flaw::{Flaw, Flaws};
use crate::home::account::Holding;
use crate::home::accounts::Accounts;
use crate::home::bounded::Moves;
use crate::home::claims::Offers;
use crate::home::exchange::Exchange;
use crate::home::gang::Gangs;
use crate::home::gate::Gates;
use crate::home::layout::Layouts;
use crate::home::learning::Learning;
use crate::home::levels::Levels;
use crate::home::line::Line;
use crate::home::open::OpenGrants;
use crate::home::permits::Permits;
use crate::home::ready::Ready;
use crate::home::sampling::Sampling;
use crate::home::watch::Watches;
use crate::home::whereabouts::Whereabouts;
use crate::limits::Limits;
use crate::log::Log;
use crate::outbox::Outbox;
use crate::timers::{Attempt, TimerKey, Timers};

/// The deciding half of a shard's home.
#[derive(Debug)]
pub(crate) struct Home {
    ledger: Ledger,
    log: Log,
    limits: Limits,
    flaws: Flaws,
    policy: Policy,
    ready: Ready,
    accounts: Accounts,
    /// What nodes hold that this home has not met in its reign.
    strangers: BTreeMap<NodeId, Holding>,
    /// Nodes that left; they have to say what they hold when they come back.
    departed: BTreeSet<NodeId>,
    /// Nodes that are granted nothing.
    drained: BTreeSet<NodeId>,
    /// Jobs of which nothing is granted.
    gates: Gates,
    gangs: Gangs,
    /// The calendar's moment at which this engine's clock began.
    calendar: Wall,
    /// What the calendar says in this step.
    today: Wall,
    /// The least priority of what was granted since all of lower priority was last taken back.
    least_granted: Option<i32>,
    /// The highest priority of what may have to go ahead of what was granted.
    ahead: Option<i32>,
    /// Room for the events of a batch of outcomes; empty between batches.
    events: Vec<Ended>,
    /// Batches of outcomes that wait to be durable, with the number of their node.
    settling: VecDeque<(Lsn, NodeId, u64)>,
    /// The batch that opened this reign; nothing is granted before it is durable.
    opening: Option<Lsn>,
    /// Nodes to ask for the list of what they hold once that batch is durable.
    unlisted: BTreeSet<NodeId>,
    /// Nodes whose asks wait here.
    parked: BTreeSet<NodeId>,
    exchange: Exchange,
    watches: Watches,
    open: OpenGrants,
    line: Line,
    whereabouts: Whereabouts,
    layouts: Layouts,
    /// The graph of the cluster, as it was found last.
    topology: Option<Arc<Topology>>,
    moves: Moves,
    sampling: Sampling,
    offers: Offers,
    counts: Counts,
    learning: Learning,
    permits: Permits,
    /// When nodes are told of work that other homes brought nobody for.
    word: Option<TimerKey>,
    /// When tasks are pushed though not all nodes have answered.
    gathering: Option<TimerKey>,
    /// When nodes are told again of work that waits.
    reminder: Option<TimerKey>,
    /// When nodes are asked again how busy they are.
    gauging: Option<TimerKey>,
    /// Whether submissions are refused, as the disk under the journal is nearly full.
    low: bool,
    /// Bottom levels of the specs of jobs that have dependencies.
    levels: BTreeMap<JobNo, Levels>,
    specs_held: u64,
    force_dice: Dice,
    steal_dice: Dice,
    retry_dice: Dice,
}

/// What a home is made of besides its ledger.
#[derive(Clone, Debug)]
pub(crate) struct HomeConfig {
    pub(crate) seed: u64,
    pub(crate) policy: Policy,
    pub(crate) limits: Limits,
    pub(crate) flaws: Flaws,
    pub(crate) calendar: Wall,
    pub(crate) drained: BTreeSet<NodeId>,
}

impl Home {
    /// Opens a reign over what a journal's records make. Only this mints an epoch.
    pub(crate) fn open(
        mut ledger: Ledger,
        next: Lsn,
        config: HomeConfig,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> Self {
        let HomeConfig { seed, policy, limits, flaws, calendar, drained } = config;
        let today = calendar + out.now.since(Moment(0));
        let epoch = Epoch(ledger.epoch().0 + 1);
        let opened = Record::Opened { epoch };
        ledger.pass(today);
        ledger.apply(&opened, &mut Consequences::default());
        let shard = ledger.shard();
        let mut log = Log::new(shard, epoch, next);
        log.hasty = flaws.has(Flaw::EarlyAcknowledgement);
        log.record(opened);
        let mut home = Self {
            opening: Some(log.rests_on()),
            ledger,
            log,
            limits,
            flaws,
            policy,
            ready: Ready::default(),
            accounts: Accounts::new(shard),
            strangers: BTreeMap::new(),
            departed: BTreeSet::new(),
            drained,
            gates: Gates::default(),
            gangs: Gangs::new(seed),
            calendar,
            today,
            least_granted: None,
            ahead: None,
            events: Vec::new(),
            settling: VecDeque::new(),
            low: false,
            unlisted: BTreeSet::new(),
            parked: BTreeSet::new(),
            exchange: Exchange::default(),
            watches: Watches::default(),
            open: OpenGrants::default(),
            line: Line::default(),
            whereabouts: Whereabouts::default(),
            layouts: Layouts::default(),
            topology: None,
            moves: Moves::default(),
            sampling: Sampling::new(seed),
            offers: Offers::default(),
            counts: Counts::default(),
            learning: Learning::default(),
            permits: Permits::default(),
            word: None,
            gathering: None,
            reminder: None,
            gauging: None,
            levels: BTreeMap::new(),
            specs_held: 0,
            force_dice: Dice::new(seed, "force"),
            steal_dice: Dice::new(seed, "steal"),
            retry_dice: Dice::new(seed, "retry"),
        };
        home.accounts.look_at_machines(home.policy.force.sees_machines());
        home.line_up(out.now);
        home.recover(out, timers);
        home
    }

    pub(crate) fn shard(&self) -> ShardId {
        self.log.shard
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// What it takes the machine of a node to be.
    pub(crate) fn machine(&self, node: NodeId) -> Option<Machine> {
        self.accounts.get(&node).map(|account| account.peer.machine)
    }

    /// Batches are durable: promises leave, and the reign begins if it was waiting for that.
    pub(crate) fn on_durable(&mut self, lsn: Lsn, out: &mut Outbox, timers: &mut Timers) {
        self.log.on_durable(lsn, out);
        if self.opening.is_some_and(|opened| opened <= self.log.durable()) {
            self.opening = None;
            for node in std::mem::take(&mut self.unlisted) {
                self.relist(node, out);
            }
            self.watch(out, timers);
            self.serve(out, timers);
        }
        self.settle(out, timers);
    }

    /// Whether it reigns, on record, since an earlier reign ended that still speaks.
    pub(crate) fn has_ended(&self, epoch: Epoch) -> bool {
        epoch < self.log.epoch && self.opening.is_none()
    }

    pub(crate) fn on_room(&mut self, low: bool) {
        self.low = low;
    }

    /// A step begins: what is put on record in it is written now.
    pub(crate) fn begin(&mut self, now: Moment) {
        self.today = self.calendar + now.since(Moment(0));
    }

    pub(crate) fn close(&mut self, effects: &mut Vec<Effect>) {
        self.log.close(self.ledger.at(), effects);
    }

    /// A task whose back-off is over may have been cancelled meanwhile, or even retried since.
    fn still_waits(&self, task: TaskId, failed: Attempt) -> bool {
        self.ledger.job(task.job).is_some_and(|job| {
            let tries = || job.tries(task.spec, task.index).failed;
            job.generation == failed.generation
                && job.is_open(task.spec, task.index)
                && tries() == failed.failed
        })
    }

    /// Writes a record and folds it in; what follows is added to `then`.
    fn commit(&mut self, record: Record, then: &mut Consequences) {
        self.ledger.pass(self.today);
        self.ledger.apply(&record, then);
        self.log.record(record);
    }

    /// Books that a node holds tasks no longer.
    fn holds_no_longer(&mut self, holder: Holder, range: TaskRange) {
        let weight = self.weight(range);
        self.free_permits(range);
        self.line.ended(holder, range.count);
        self.free_room(holder.node, range);
        if let Some(account) = self.accounts.book(&holder.node) {
            account.holding.remove(holder.epoch, holder.grant, range, weight);
        } else if let Some(holding) = self.strangers.get_mut(&holder.node) {
            holding.remove(holder.epoch, holder.grant, range, weight);
        }
    }

    /// The weight of some tasks, in thousandths.
    fn weight(&self, range: TaskRange) -> u64 {
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        spec.map_or(0, |spec| spec.weight.times(u64::from(range.count)))
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self) {
        self.ledger.check();
        let mut held: BTreeMap<NodeId, Holding> = BTreeMap::new();
        // Ranks that wait for their gang's end have ended at their nodes.
        self.ledger.held(|holder, range| {
            if !self.gangs.is_done(range) {
                let holding = held.entry(holder.node).or_default();
                holding.add(holder.epoch, holder.grant, range, self.weight(range));
            }
        });
        let accounts = self.accounts.iter().map(|(node, account)| (node, &account.holding));
        for (node, holding) in accounts.chain(&self.strangers) {
            let held = held.remove(node).unwrap_or_default();
            assert_eq!(*holding, held, "a node's account is what the ledger says it holds");
        }
        assert!(held.is_empty(), "every holder is known: {held:?}");
        self.accounts.check();
        self.line.check(&self.ledger, |range| self.gangs.is_done(range));
    }
}
