//! Forming gangs: all ranks of one are granted in one step, or none is. A gang goes when it is next
//! by the order and the nodes that ask have room for all of it. Where it waits for long, nodes that
//! it needs are kept idle for it; with other homes around only for a while, as two gangs that each
//! have half of the nodes would otherwise wait for each other for ever.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bary_model::event::Cause;
use bary_model::gang::{PORTS, Seat};
use bary_model::id::{NodeId, TaskRange};
use bary_model::message::Retract;
use bary_model::mix::mix;
use bary_model::resources::Resources;
use bary_model::task::Request;
use bary_model::time::{Span, Wall};

use crate::flaw::Flaw;
use crate::home::Home;
use crate::home::admit::Room;
use crate::home::gang::{Turn, Want};
use crate::home::grant::Terms;
use crate::home::line::{give, less, many};
use crate::home::ready::Entry;
use crate::outbox::Outbox;
use crate::timers::{Timer, Timers};

impl Home {
    /// Forms gangs: `ahead` those that go before all single tasks, otherwise any. Notes which nodes
    /// are kept for the first that finds no room.
    pub(super) fn form_gangs(&mut self, ahead: bool, out: &mut Outbox, timers: &mut Timers) {
        if self.gangs.ready.is_empty() {
            self.disband(timers);
            return;
        }
        self.open_book();
        self.gangs.kept.clear();
        let mut rooms = self.gang_rooms();
        let head =
            if ahead { self.ready.head().map(|(rank, one)| (rank, one.clone())) } else { None };
        let looks = self.limits.gangs_looked_max;
        let turns: Vec<Turn> = self.gangs.ready.iter().rev().take(looks).cloned().collect();
        let (mut waits, mut next, mut open) = (false, self.next_shy(), (0, 0));
        for Turn(mut entry) in turns {
            if !self.has_nodes_for(&entry) {
                continue;
            }
            loop {
                let turn = Turn(entry.clone());
                let gang = turn.gang();
                if let Some(until) = self.gangs.rests_until(gang, self.today) {
                    next = soonest(next, until);
                    break;
                }
                if head.as_ref().is_some_and(|(rank, one)| !self.goes_before(&turn, *rank, one)) {
                    break;
                }
                if !self.form(&turn, &mut rooms, out, timers) {
                    if !waits {
                        let changes = self.wait_for_room(&turn, &mut rooms, out);
                        next = changes.map_or(next, |at| soonest(next, at));
                    }
                    waits = true;
                    break;
                }
                if entry.split(gang.count).is_none() {
                    entry.range.count = 0;
                    break;
                }
            }
            let weight = entry.spec.weight.times(u64::from(entry.range.count));
            open = (open.0 + weight, open.1 + u64::from(entry.range.count));
        }
        self.gangs.open = open;
        if !waits && head.is_none() {
            self.gangs.want = None;
        }
        self.look_at_gangs_at(next, out, timers);
    }

    /// No gang is ready.
    fn disband(&mut self, timers: &mut Timers) {
        if self.gangs.used.take().is_some() {
            self.gangs.kept.clear();
            (self.gangs.want, self.gangs.open) = (None, (0, 0));
            self.gangs.timer.take().into_iter().for_each(|key| timers.unset(key));
        }
    }

    /// Whether a gang goes before this single task: by the order, or as it has waited for long and
    /// is no less urgent.
    fn goes_before(&self, turn: &Turn, rank: i32, one: &Entry) -> bool {
        let kept = |want: Want| want.gang == turn.gang() && want.until.is_some();
        let long = self.gangs.want.is_some_and(kept);
        turn.0.rank > rank || turn.0.rank == rank && (long || turn.0 > *one)
    }

    /// Whether all nodes that are here could have room for a gang of these at a time.
    fn has_nodes_for(&self, entry: &Entry) -> bool {
        let mut left = u64::from(entry.spec.gang);
        let request = &entry.spec.body.request;
        let mut able = self.accounts.iter().filter(|(node, _)| !self.is_drained(**node));
        able.any(|(_, account)| {
            let info = &account.peer.info;
            let room =
                if info.can_run(request) { self.room_in(&info.resources, request) } else { 0 };
            left = left.saturating_sub(room);
            left == 0
        })
    }

    /// How many ranks a grant may have that go into so much room.
    fn room_in(&self, free: &Resources, request: &Request) -> u64 {
        let most = self.limits.grant_items_max.min(self.limits.runs_max) as u64;
        free.times(&request.resources).min(most)
    }

    /// The nodes that ask, with what they have left by the book and by what they say.
    fn gang_rooms(&self) -> Vec<Room> {
        let open = self.parked.iter().filter(|node| !self.is_drained(**node));
        let open = open.filter(|node| self.gangs.shy_until(**node, self.today).is_none());
        let rooms = open.filter_map(|&node| {
            let account = self.accounts.get(&node)?;
            let used = self.gangs.used.as_ref().and_then(|used| used.get(&node));
            let all = &account.peer.info.resources;
            let free = used.map_or_else(|| all.clone(), |used| less(all, used));
            self.room(account, free)
        });
        rooms.collect()
    }

    /// Grants a gang where the nodes that ask have room for all of it.
    fn form(
        &mut self,
        turn: &Turn,
        rooms: &mut Vec<Room>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> bool {
        let (gang, entry) = (turn.gang(), &turn.0);
        let able = |room: &&Room| {
            let account = self.accounts.get(&room.node);
            account.is_some_and(|one| one.peer.info.can_run(&entry.spec.body.request))
        };
        let request = &entry.spec.body.request;
        let each = rooms.iter().filter(able).map(|room| self.room_in(&room.free, request));
        let found = each.fold(0_u64, u64::saturating_add).min(u64::from(gang.count)) as u32;
        if let Some(want) = self.gangs.want.as_mut().filter(|want| want.gang == gang) {
            want.placed = found;
        }
        let parts = self.flaws.has(Flaw::GangByParts) && found > 0;
        if found < gang.count && !parts {
            return false;
        }
        self.gangs.take(turn);
        let placed = self.place_ranks(entry, gang.with(gang.first, found), rooms);
        self.grant_ranks(gang, placed, out, timers);
        rooms.retain(|room| self.parked.contains(&room.node));
        true
    }

    /// The node for each rank: that which the force draws it to, of those with room for it.
    fn place_ranks(
        &mut self,
        entry: &Entry,
        ranks: TaskRange,
        rooms: &mut [Room],
    ) -> Vec<(NodeId, Entry)> {
        let reads = self.reads(entry);
        let mut placed = Vec::with_capacity(ranks.count as usize);
        for task in ranks.tasks() {
            let Some(at) = self.best_room(entry, &reads, rooms, |_| false) else { break };
            let node = rooms[at].node;
            rooms[at].take(&entry.spec.body.request.resources);
            self.bind(entry, node);
            placed.push((node, Entry { range: TaskRange::one(task), ..entry.clone() }));
        }
        for (node, _) in &placed {
            if let Some(account) = self.accounts.get_mut(node) {
                account.binding = (0, 0);
            }
        }
        placed
    }

    /// Grants ranks: to each node its own, all of them in this step.
    fn grant_ranks(
        &mut self,
        gang: TaskRange,
        placed: Vec<(NodeId, Entry)>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let Some(&(first, _)) = placed.first() else { return };
        self.gangs.formed += 1;
        let (base, count) = PORTS;
        let lot = mix(self.log.shard.0 ^ u64::from(self.log.epoch.0) << 32);
        let at = lot.wrapping_add(self.gangs.formed) % u64::from(count);
        let attempt = self.tries_of(gang).0.saturating_add(1);
        let seat = Some((Seat { first, port: base + at as u16 }, attempt));
        let ready_tasks = u64::from(gang.count);
        let mut by_node: BTreeMap<NodeId, Vec<Entry>> = BTreeMap::new();
        for (node, entry) in placed {
            by_node.entry(node).or_default().push(entry);
        }
        for (node, entries) in by_node {
            let answers = self.unpark(node).map_or_else(Vec::new, |parked| parked.asked);
            let terms = Terms { answers, cause: Cause::Asked, ready_tasks, seat };
            self.grant(node, entries, terms, out, timers);
        }
    }

    /// A gang finds no room: what is done for it changes at the time that is given. Where nodes are
    /// kept for it they leave the rooms.
    fn wait_for_room(
        &mut self,
        turn: &Turn,
        rooms: &mut Vec<Room>,
        out: &mut Outbox,
    ) -> Option<Wall> {
        let (gang, today) = (turn.gang(), self.today);
        let new = Want { gang, placed: 0, since: today, until: None, times: 0 };
        let mut want = self.gangs.want.filter(|want| want.gang == gang).unwrap_or(new);
        if want.until.is_some_and(|until| until <= today) {
            (want.since, want.until, want.times) = (today, None, want.times + 1);
        }
        if want.until.is_none() && want.since + self.limits.gang_patience <= today {
            let most = self.limits.gang_keep_max;
            let some = self.limits.gang_patience.times(1 << want.times.min(16));
            let span = if self.exchange.is_alone() { most } else { some.min(most) };
            let by_lot = span.as_secs_f64() * (1.0 + self.gangs.dice.unit());
            want.until = Some(today + Span::from_secs_f64(by_lot));
            // What nodes have not begun would have to end first otherwise.
            self.want_back(&Retract::Everything, out);
        }
        self.gangs.want = Some(want);
        if want.until.is_some() {
            self.keep_nodes(turn, rooms);
        }
        Some(want.until.unwrap_or(want.since + self.limits.gang_patience))
    }

    /// Keeps as many of the nodes that ask as could have room for a gang, those first that have
    /// most room now.
    fn keep_nodes(&mut self, turn: &Turn, rooms: &mut Vec<Room>) {
        let request = &turn.0.spec.body.request;
        let mut able: Vec<(Reverse<u64>, NodeId, u64)> = rooms
            .iter()
            .filter_map(|room| {
                let info = &self.accounts.get(&room.node)?.peer.info;
                let whole = self.room_in(&info.resources, request);
                let now = self.room_in(&room.free, request);
                info.can_run(request).then_some((Reverse(now), room.node, whole))
            })
            .collect();
        able.sort_unstable();
        let mut left = u64::from(turn.0.spec.gang);
        for (_, node, whole) in able {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(whole);
            self.gangs.kept.insert(node);
        }
        rooms.retain(|room| !self.gangs.kept.contains(&room.node));
    }

    /// When the first of the nodes that are left alone for a while may be tried again.
    fn next_shy(&self) -> Option<Wall> {
        let shy = self.parked.iter().filter_map(|node| self.gangs.shy_until(*node, self.today));
        shy.min()
    }

    fn look_at_gangs_at(&mut self, next: Option<Wall>, out: &Outbox, timers: &mut Timers) {
        self.gangs.timer.take().into_iter().for_each(|key| timers.unset(key));
        if let Some(next) = next.filter(|_| !self.gangs.ready.is_empty()) {
            let at = out.now + next.since(self.today);
            self.gangs.timer = Some(timers.set(at, Timer::Gang(self.log.shard)));
        }
    }

    pub(super) fn on_gang_timer(&mut self, out: &mut Outbox, timers: &mut Timers) {
        self.gangs.timer = None;
        self.serve(out, timers);
    }

    /// Whether a node is granted nothing but the gang that it is kept for.
    pub(super) fn is_kept(&self, node: NodeId) -> bool {
        !self.gangs.kept.is_empty() && self.gangs.kept.contains(&node)
    }

    /// Whether a node is granted no single tasks now.
    pub(super) fn is_barred(&self, node: NodeId) -> bool {
        self.is_drained(node) || self.is_kept(node)
    }

    /// Whether anything is ready that some nodes could run.
    pub(super) fn is_waiting(&mut self) -> bool {
        self.gangs.open.1 > 0 || !self.ready.is_empty()
    }

    /// The weight and number of tasks that are ready, those of gangs included.
    pub(super) fn waiting(&mut self) -> (u64, u64) {
        let (weight, tasks) = self.ready.totals();
        (weight + self.gangs.open.0, tasks + self.gangs.open.1)
    }
}

impl Home {
    /// Begins to keep the book of what nodes use, which gangs are placed by.
    fn open_book(&mut self) {
        if self.gangs.used.is_some() {
            return;
        }
        self.gangs.used = Some(BTreeMap::new());
        let mut held = Vec::new();
        self.ledger.held(|holder, range| held.push((holder.node, range)));
        for (node, range) in held {
            if !self.gangs.is_done(range) {
                self.use_room(node, range);
            }
        }
    }

    /// Books that a node was granted tasks.
    pub(super) fn use_room(&mut self, node: NodeId, range: TaskRange) {
        let Some(used) = self.gangs.used.as_mut().filter(|_| node != NodeId::ANY) else { return };
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(spec) = spec {
            let need = many(&spec.body.request.resources, range.count);
            give(used.entry(node).or_default(), &need);
        }
    }

    /// Books that a node has them no longer.
    pub(super) fn free_room(&mut self, node: NodeId, range: TaskRange) {
        let Some(used) = &mut self.gangs.used else { return };
        let spec = self.ledger.job(range.job).and_then(|job| job.spec(range.spec));
        if let Some(spec) = spec
            && let Some(used) = used.get_mut(&node)
        {
            *used = less(used, &many(&spec.body.request.resources, range.count));
        }
    }
}

fn soonest(one: Option<Wall>, other: Wall) -> Option<Wall> {
    Some(one.map_or(other, |one| one.min(other)))
}
