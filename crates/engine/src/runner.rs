//! What this node holds and has room for: it starts what it was granted, in order, and reports.

mod ask;
mod batch;
mod claims;
mod early;
mod gang;
mod gauge;
mod held;
mod report;
mod reserve;
mod session;
mod start;
mod stop;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use bary_model::id::{JobNo, RunNo, ShardId, TaskRange};
use bary_model::message::{Grant, GrantItem};
use bary_model::node::NodeInfo;
use bary_model::resources::Resources;
use bary_model::time::{Moment, Wall};
use bary_policy::preset::Policy;

use crate::effect::Why;
use crate::flaw::Flaws;
use crate::limits::Limits;
use crate::outbox::Outbox;
use crate::runner::ask::Choice;
use crate::runner::claims::Claims;
use crate::runner::held::Held;
use crate::runner::reserve::Reservations;
use crate::runner::session::Session;
use crate::sorted::Sorted;
use crate::timers::{TimerKey, Timers};
use crate::view::View;

/// The half of a node that runs tasks.
#[derive(Debug)]
pub(crate) struct Runner {
    info: NodeInfo,
    limits: Limits,
    free: Resources,
    free_slots: FreeSlots,
    held: Held,
    /// Ranks of gangs that were granted in this step, grant by grant.
    ranks: Vec<(ShardId, Vec<GrantItem>)>,
    runs: Sorted<RunNo, Running>,
    last_run: u64,
    flaws: Flaws,
    /// The conversation with each home that was heard of.
    sessions: Sorted<ShardId, Session>,
    /// Sessions that may have to begin anew, as something would be lost otherwise.
    broken: BTreeSet<ShardId>,
    /// Items of outcomes that homes have not answered.
    unsettled: u64,
    ask_timer: Option<TimerKey>,
    reservations: Reservations,
    claims: Claims,
    /// The calendar's moment at which this engine's clock began.
    calendar: Wall,
    /// The home to ask next, as it was last found.
    choice: Option<Choice>,
    /// Homes that asked how busy this machine is, while it is being measured.
    gauging: BTreeSet<ShardId>,
}

/// One run that goes on.
#[derive(Debug)]
struct Running {
    home: ShardId,
    slot: u32,
    class: usize,
    items: Arc<[GrantItem]>,
    expected_end: Option<Moment>,
    heard: Moment,
    timeout: TimerKey,
    /// The other timers that are about it.
    timers: Vec<TimerKey>,
    /// Why it was asked to end, if it was.
    stopping: Option<Why>,
    /// Tasks of it that were cancelled, so that they are not held again when returned.
    cancelled: Vec<TaskRange>,
    /// Jobs of which the home wants back what the run does not begin.
    give_back: Vec<JobNo>,
}

impl Running {
    /// What it takes of the node while it runs.
    fn used(&self) -> &Resources {
        &self.items[0].spec.body.request.resources
    }
}

/// What a node asks for; the greater covers the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// Something that fits beside what it holds.
    Beside,
    /// Anything: it holds nothing, or will have started it by the time the answer comes.
    Work,
}

/// Slots by number, the lowest free one first. There are as many as runs at a time.
#[derive(Debug, Default)]
struct FreeSlots {
    returned: BinaryHeap<Reverse<u32>>,
    used: u32,
}

impl FreeSlots {
    fn take(&mut self) -> u32 {
        self.returned.pop().map_or_else(
            || {
                self.used += 1;
                self.used
            },
            |Reverse(slot)| slot,
        )
    }

    fn give(&mut self, slot: u32) {
        self.returned.push(Reverse(slot));
    }
}

impl Runner {
    pub(crate) fn new(info: NodeInfo, limits: Limits, flaws: Flaws, calendar: Wall) -> Self {
        Self {
            free: info.resources.clone(),
            info,
            limits,
            free_slots: FreeSlots::default(),
            held: Held::default(),
            ranks: Vec::new(),
            runs: Sorted::default(),
            last_run: 0,
            flaws,
            sessions: Sorted::default(),
            broken: BTreeSet::new(),
            unsettled: 0,
            ask_timer: None,
            reservations: Reservations::default(),
            claims: Claims::default(),
            calendar,
            choice: None,
            gauging: BTreeSet::new(),
        }
    }

    /// Holds what a home granted until there is room for it.
    pub(crate) fn on_grant(
        &mut self,
        home: ShardId,
        grant: Grant,
        out: &Outbox,
        timers: &mut Timers,
    ) {
        self.on_settled(home, grant.settled);
        for (asked, number) in grant.answers {
            if let Some(session) = self.sessions.get_mut(&asked)
                && number == session.asks
            {
                session.open = None;
                self.choice = None;
            }
        }
        if !self.reservations.is_empty() {
            let tasks = grant.items.iter().map(|item| item.range.count).sum();
            self.reservations.use_up(home, tasks);
            self.choice = None;
        }
        let (ranks, items): (Vec<GrantItem>, Vec<GrantItem>) =
            grant.items.into_iter().partition(|item| item.seat.is_some());
        for item in items {
            self.held.push_back(home, item);
        }
        if !ranks.is_empty() {
            self.ranks.push((home, ranks));
        }
        self.pulse_later(home, out, timers);
    }

    /// Does what a change of state calls for: start, report, ask.
    pub(crate) fn settle(
        &mut self,
        view: &View,
        policy: &Policy,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        self.begin_ranks(out, timers);
        self.mend(out, timers);
        self.claim_all(view, out, timers);
        self.fill(out, timers);
        self.ask_or_flush(view, policy, out, timers);
        if policy.queue.is_line() {
            // Room that a home does not know of keeps a whole line waiting.
            self.flush_all(out, timers);
        }
    }

    /// Whether nothing runs and nothing is held.
    pub(crate) fn is_idle(&self) -> bool {
        self.runs.is_empty() && self.held.is_empty() && self.claims.waiting().next().is_none()
    }

    /// Checks what must always hold.
    pub(crate) fn check(&self, view: &View, policy: &Policy) {
        self.check_choice(view, policy);
        assert!(self.info.resources.fits(&self.free), "a node never has more than it has");
        let used = self.runs.values().fold(self.free.clone(), |mut sum, run| {
            sum.give(run.used());
            sum
        });
        assert_eq!(used, self.info.resources, "what runs and what is free is all there is");
        self.held.check(self.limits.passed_over_max);
    }
}
