//! Letting tasks through that stand in line: one by one, each only to a node that asks and has
//! room for it now. A line is its home's own: what other homes run on a node it does not see, and
//! a promise holds against its own tasks only.

use std::collections::BTreeMap;
use std::mem::take;

use bary_ledger::job::Job;
use bary_model::event::Cause;
use bary_model::id::NodeId;
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::queue::Discipline;
use bary_policy::queue::easy::{self, Reservation};
use bary_policy::queue::fair;
use bary_policy::view::TaskView;

use crate::home::Home;
use crate::home::account::Account;
use crate::home::grant::{Terms, task_view};
use crate::home::ready::{Entry, Ready};
use crate::home::whereabouts::Reads;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

/// A node that asks, and what is free of it.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) node: NodeId,
    pub(super) free: Resources,
    /// How many more items its grant may have.
    items: usize,
}

impl Room {
    fn fits(&self, need: &Resources) -> bool {
        self.items > 0 && self.free.fits(need)
    }

    pub(super) fn take(&mut self, need: &Resources) {
        self.free.take(need);
        self.items -= 1;
    }
}

/// Room that is kept for the first of the line.
#[derive(Debug)]
struct Promise {
    node: NodeId,
    reservation: Reservation,
}

/// What was let through, by node.
type Admitted = BTreeMap<NodeId, Vec<Entry>>;

impl Home {
    /// Grants asking nodes what the line lets through to them.
    pub(super) fn let_through(&mut self, out: &mut Outbox, timers: &mut Timers) {
        let mut rooms = self.rooms();
        if rooms.is_empty() {
            return;
        }
        let (_, ready_tasks) = self.ready.totals();
        let mut ready = take(&mut self.ready);
        let admitted = if self.policy.queue.discipline == Discipline::Fair {
            self.share_out(&mut ready, &mut rooms)
        } else {
            self.walk_line(&mut ready, &mut rooms, out.now)
        };
        self.ready = ready;
        self.turn_later(out, timers);
        for node in admitted.keys() {
            if let Some(account) = self.accounts.get_mut(node) {
                account.binding = (0, 0);
            }
        }
        for (node, entries) in admitted {
            let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
            let terms = Terms::new(answers, Cause::Asked, ready_tasks);
            self.grant(node, entries, terms, out, timers);
        }
    }

    /// The nodes that ask, with what they have left by the book and by what they say.
    fn rooms(&self) -> Vec<Room> {
        let open = self.parked.iter().filter(|node| !self.is_barred(**node));
        let rooms = open.filter_map(|&node| {
            let account = self.accounts.get(&node)?;
            self.room(account, self.line.free_of(node, &account.peer.info.resources))
        });
        rooms.filter(|room| room.free.milli_cpus > 0).collect()
    }

    /// A node that asks, with what it has left by the book, as far as it does not say that it is
    /// less.
    pub(super) fn room(&self, account: &Account, mut free: Resources) -> Option<Room> {
        let ask = &account.parked.as_ref()?.ask;
        if ask.held > 0 {
            free.milli_cpus = free.milli_cpus.min(ask.free.milli_cpus);
            free.memory = free.memory.min(ask.free.memory);
            free.milli_gpus = free.milli_gpus.min(ask.free.milli_gpus);
        }
        Some(Room { node: account.peer.info.id, free, items: self.limits.grant_items_max })
    }

    /// Goes along the line. The first task without room ends it, or is promised room that no task
    /// behind it may take away.
    fn walk_line(&mut self, ready: &mut Ready, rooms: &mut [Room], now: Moment) -> Admitted {
        let mut admitted = Admitted::new();
        let mut walk = ready.walk(|request| self.somebody_runs(request));
        let mut promise: Option<Promise> = None;
        let mut looks = self.limits.backfill_tasks_max;
        let mut soonest = None;
        while let Some((entry, most)) = ready.at(&walk) {
            let reads = self.reads(&entry);
            let until = self.waits_until(&entry, &reads);
            let placed = self.place(&entry, most, rooms, promise.as_mut(), (&reads, until), now);
            let (all, none) = (placed.len() as u32 == most, placed.is_empty());
            for node in placed {
                if let Some(one) = ready.take_at(&walk, 1) {
                    self.add(&mut admitted, node, one);
                }
            }
            if !all {
                ready.pass(&mut walk);
            }
            // What could go elsewhere and waits for its node keeps nobody waiting.
            let strict = self.policy.queue.discipline != Discipline::Any && until.is_none();
            if !all {
                soonest = [soonest, until].into_iter().flatten().min();
            }
            let blocked = strict && !all && promise.is_none();
            if blocked && self.policy.queue.discipline == Discipline::Easy {
                promise = self.promise(&entry, &admitted, now);
            }
            // Without a promise the first of the line keeps all others waiting.
            if blocked && promise.is_none() || looks == 0 {
                break;
            }
            let waits = promise.is_some() || !strict;
            looks -= usize::from(waits && !all);
            if blocked || !none {
                let mut may = |request: &Request| !waits || self.fits_somewhere(request, rooms);
                ready.narrow(&mut walk, &mut may);
            }
        }
        self.line.next_turn = soonest;
        admitted
    }

    /// The nodes that tasks of an entry go to, one for each, at most `most`; as long as there is
    /// room that is not promised to another.
    fn place(
        &mut self,
        entry: &Entry,
        most: u32,
        rooms: &mut [Room],
        mut promise: Option<&mut Promise>,
        (reads, until): (&Reads, Option<Wall>),
        now: Moment,
    ) -> Vec<NodeId> {
        let mut placed = Vec::new();
        let need = &entry.spec.body.request.resources;
        while placed.len() < most as usize {
            let scale = self.totals().scale;
            let kept = promise.as_ref().map(|promise| promise.node);
            let lets = kept.is_none_or(|node| {
                let end = now + self.expected(&entry.spec, node, scale);
                promise.as_ref().is_some_and(|one| one.reservation.clone().lets_past(need, end))
            });
            let barred =
                |node| !lets && kept == Some(node) || until.is_some() && !reads.prefers(node);
            let Some(at) = self.best_room(entry, reads, rooms, barred) else { break };
            let node = rooms[at].node;
            if let Some(promise) = promise.as_mut().filter(|promise| promise.node == node) {
                let end = now + self.expected(&entry.spec, node, scale);
                promise.reservation.lets_past(need, end);
            }
            rooms[at].take(need);
            self.bind(entry, node);
            placed.push(node);
        }
        placed
    }

    /// Of the nodes with room for a task, but for some, that which the force draws it to.
    pub(super) fn best_room(
        &mut self,
        entry: &Entry,
        reads: &Reads,
        rooms: &[Room],
        barred: impl Fn(NodeId) -> bool,
    ) -> Option<usize> {
        let totals = self.totals();
        let request = &entry.spec.body.request;
        let task = TaskView { known: self.foresee(entry, reads), ..task_view(entry) };
        let fits = |room: &Room| {
            let could = |account: &Account| account.peer.info.can_run(request);
            let fits = !barred(room.node) && room.fits(&request.resources);
            fits && self.accounts.get(&room.node).is_some_and(could)
        };
        let able = (0..rooms.len()).filter(|at| fits(&rooms[*at]));
        let able: Vec<usize> = able.collect();
        let able = match self.looked_at(able.len()) {
            Some(places) => places.into_iter().map(|place| able[place]).collect(),
            None => able,
        };
        let mut best: Option<(i64, usize)> = None;
        for at in able {
            let view = self.seen(&self.accounts[&rooms[at].node], entry, reads, totals);
            let score = self.policy.force.between(&task, &view);
            if best.is_none_or(|(other, _)| score.0 > other) {
                best = Some((score.0, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// Until when a task waits for the node that has most of what it reads, where it still does:
    /// nodes that are there and could run it have less than that one.
    fn waits_until(&self, entry: &Entry, reads: &Reads) -> Option<Wall> {
        let until = entry.since + self.policy.queue.delay;
        let could = |(node, account): (&NodeId, &Account)| {
            reads.prefers(*node)
                && !self.is_drained(*node)
                && account.peer.info.can_run(&entry.spec.body.request)
        };
        let waits = self.policy.queue.delay > Span::ZERO && reads.prefer();
        (waits && self.today < until && self.met().any(could)).then_some(until)
    }

    /// Sees to it that tasks whose wait for their node is over go elsewhere.
    fn turn_later(&mut self, out: &Outbox, timers: &mut Timers) {
        if let Some(key) = self.line.turn.take() {
            timers.unset(key);
        }
        if let Some(until) = self.line.next_turn.take() {
            let at = out.now + until.since(self.today);
            self.line.turn = Some(timers.set(at, Timer::Turn(self.log.shard)));
        }
    }

    pub(super) fn bind(&mut self, entry: &Entry, node: NodeId) {
        if let Some(account) = self.accounts.get_mut(&node) {
            account.binding.0 += entry.spec.weight.thousandths();
            account.binding.1 += 1;
        }
    }

    /// Promises the first of the line the node that has room for it soonest.
    fn promise(&mut self, entry: &Entry, admitted: &Admitted, now: Moment) -> Option<Promise> {
        let request = &entry.spec.body.request;
        let mut ends = self.ends();
        let scale = self.totals().scale;
        let mut free: BTreeMap<NodeId, Resources> = BTreeMap::new();
        for (&node, entries) in admitted {
            let Some(account) = self.accounts.get(&node) else { continue };
            let mut left = self.line.free_of(node, &account.peer.info.resources);
            for one in entries {
                let end = now + self.expected(&one.spec, node, scale);
                let need = &one.spec.body.request.resources;
                for _ in 0..one.range.count {
                    left.take(need);
                    ends.entry(node).or_default().push((end, need.clone()));
                }
            }
            free.insert(node, left);
        }
        let open = self.met().filter(|(node, _)| !self.is_drained(**node));
        let able = open.filter(|(_, account)| account.peer.info.can_run(request));
        let soonest = able.filter_map(|(&node, account)| {
            let all = || self.line.free_of(node, &account.peer.info.resources);
            let free = free.get(&node).cloned().unwrap_or_else(all);
            let mut ends = ends.remove(&node).unwrap_or_default();
            let reservation = easy::reserve(now, &free, &mut ends, &request.resources)?;
            Some(Promise { node, reservation })
        });
        soonest.min_by_key(|promise| (promise.reservation.at, promise.node))
    }

    /// Gives the owner with the least claim its next task, again and again.
    fn share_out(&mut self, ready: &mut Ready, rooms: &mut [Room]) -> Admitted {
        let mut admitted = Admitted::new();
        let all = self.everything();
        let owners = self.line.owners();
        let weights: Vec<u64> =
            owners.into_iter().map(|owner| self.policy.queue.share(owner)).collect();
        let mut shares: Vec<Resources> =
            (0..).zip(&weights).map(|(owner, _)| self.line.share_of(owner)).collect();
        let claim = |share: &Resources, owner: usize| {
            fair::claim(fair::dominant_share(share, &all), weights[owner])
        };
        let mut claims: Vec<u128> =
            shares.iter().enumerate().map(|(owner, share)| claim(share, owner)).collect();
        while let Some((class, entry)) = ready.least(&claims, |request| {
            self.somebody_runs(request) && self.fits_somewhere(request, rooms)
        }) {
            let reads = self.reads(&entry);
            let Some(at) = self.best_room(&entry, &reads, rooms, |_| false) else { break };
            let (node, owner) = (rooms[at].node, entry.owner as usize);
            let need = &entry.spec.body.request.resources;
            rooms[at].take(need);
            self.bind(&entry, node);
            let Some(one) = ready.take_one(class) else { break };
            shares[owner].give(need);
            claims[owner] = claim(&shares[owner], owner);
            self.add(&mut admitted, node, one);
        }
        admitted
    }

    /// All that the nodes have together that may be granted tasks.
    fn everything(&self) -> Resources {
        let mut all = Resources::default();
        for (node, account) in self.met() {
            if !self.is_drained(*node) {
                let more = &account.peer.info.resources;
                for name in more.named.keys() {
                    all.named.entry(name.clone()).or_default();
                }
                all.give(more);
            }
        }
        all
    }

    /// Whether a node that is there could run it when it is idle. What none could blocks nobody.
    fn somebody_runs(&self, request: &Request) -> bool {
        let mut open = self.met().filter(|(node, _)| !self.is_drained(**node));
        open.any(|(_, account)| account.peer.info.can_run(request))
    }

    fn fits_somewhere(&self, request: &Request, rooms: &[Room]) -> bool {
        rooms.iter().any(|room| {
            let account = || self.accounts.get(&room.node);
            room.fits(&request.resources)
                && account().is_some_and(|account| account.peer.info.can_run(request))
        })
    }

    /// Adds a task to what a node is granted. Those that follow each other become one range, but
    /// for those of which one may have left a checkpoint.
    fn add(&self, admitted: &mut Admitted, node: NodeId, one: Entry) {
        let entries = admitted.entry(node).or_default();
        let plain = |job: &Job| job.checkpoints.is_empty();
        if let Some(last) = entries.last_mut()
            && (last.range.job, last.range.spec) == (one.range.job, one.range.spec)
            && last.range.end() == one.range.first
            && self.ledger.job(one.range.job).is_some_and(plain)
        {
            last.range.count += one.range.count;
        } else {
            entries.push(one);
        }
    }
}
