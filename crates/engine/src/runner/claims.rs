//! What this node may claim of what homes announced, and what it has claimed. It decides by the
//! rule that came with the announcement, tells all who heard of it, and waits before it starts
//! anything for as long as another's claim of the same may take to arrive.

use std::collections::BTreeMap;

use bary_model::claim::{Announce, Claim, ClaimRule};
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, ShardId, TaskRange};
use bary_model::message::{GrantItem, Message, OutcomeItem, Say};
use bary_model::mix::rendezvous;
use bary_model::time::{Moment, Span, Wall};
use bary_policy::claim;

use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::runner::batch::{Batch, Expected, Key, draw_of, key_of};
use crate::runner::early::Early;
use crate::timers::{Timer, TimerKey, Timers};
use crate::view::View;

/// What is announced and claimed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// By the first of their grants.
    batches: BTreeMap<Key, Batch>,
    mine: BTreeMap<Key, Mine>,
    early: Early,
    timer: Option<(Moment, TimerKey)>,
    /// Whether something has changed by which more may be claimed or started.
    news: bool,
}

/// What this node has claimed.
#[derive(Debug)]
struct Mine {
    range: TaskRange,
    at: Wall,
    /// In whose zone it is, where there are any.
    zone: Option<Option<NodeId>>,
    others: Vec<NodeId>,
    /// The task, and until when it is not started.
    waits: Option<(GrantItem, Moment)>,
}

impl Claims {
    pub(super) fn is_empty(&self) -> bool {
        self.mine.is_empty() && self.batches.is_empty()
    }

    /// Tasks that were claimed and wait.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (ShardId, &GrantItem)> {
        self.mine.iter().filter_map(|(key, mine)| Some((key.0, &mine.waits.as_ref()?.0)))
    }

    /// Nothing that a home announced counts any more.
    pub(super) fn forget(&mut self, home: ShardId) {
        self.batches.retain(|(shard, ..), _| *shard != home);
        self.early.forget(home);
    }

    /// Takes out what waits of a home and is meant.
    pub(super) fn take_back(
        &mut self,
        home: ShardId,
        meant: impl Fn(&GrantItem) -> bool,
    ) -> Vec<(Fence, TaskRange)> {
        let gone = self.mine.extract_if(.., |(shard, ..), mine| {
            *shard == home && mine.waits.as_ref().is_some_and(|(item, _)| meant(item))
        });
        gone.filter_map(|(_, mine)| Some((mine.waits.as_ref()?.0.fence, mine.range))).collect()
    }

    /// Outcomes of claimed tasks are known.
    pub(super) fn ended(&mut self, items: &[OutcomeItem]) {
        if !self.is_empty() {
            self.news = true;
            for item in items {
                self.mine.remove(&key_of(item.fence));
            }
        }
    }

    /// Another node has claimed tasks.
    fn hear(&mut self, shard: ShardId, from: NodeId, claim: &Claim, now: Moment) {
        for (_, batch) in self.batches.iter_mut().filter(|(key, _)| key.0 == shard) {
            batch.hear(from, claim, now);
        }
    }
}

impl Runner {
    /// A home announces tasks.
    pub(crate) fn on_announce(
        &mut self,
        home: ShardId,
        announce: Announce,
        view: &View,
        out: &Outbox,
    ) {
        let Announce { rule, share, items, mut rivals } = announce;
        rivals.sort_unstable_by_key(|rival| rival.node);
        let known: usize = self.claims.batches.values().map(|batch| batch.left.len()).sum();
        let Some(first) = items.first().map(|item| key_of(item.fence)) else { return };
        let last = items.iter().map(|item| item.fence.grant).max().unwrap_or_default();
        let early = self.claims.early.announced(home, first.1, last);
        if known + items.len() > self.limits.offers_known_max {
            // Others may claim them; what nobody claims is announced again.
            return;
        }
        let weight: u64 = items.iter().map(GrantItem::weight).sum();
        let mean = weight / items.len() as u64;
        let far = rivals.iter().map(|rival| view.round_trip(rival.node)).max();
        let settle = far.unwrap_or_default().max(self.limits.claim_settle_min);
        let mut walk: Vec<GrantNo> = items.iter().map(|item| item.fence.grant).collect();
        walk.sort_by_key(|grant| rendezvous(draw_of((home, first.1, *grant)), out.me));
        let able = items.into_iter().filter(|item| self.info.can_run(&item.spec.body.request));
        let left = able.map(|item| (item.fence.grant, item)).collect();
        // Who hears early waits for those who hear late, so that rounds are the same for all.
        let near = self.sessions.get(&home).map_or(Span::ZERO, |one| view.round_trip(one.node));
        let next = out.now + Span(settle.0.saturating_sub(near.0) / 2);
        let mut batch = Batch {
            rule,
            share,
            rivals,
            left,
            walk,
            mean,
            round: None,
            next,
            settle,
            idle: 0,
            later: Vec::new(),
        };
        early.iter().for_each(|(node, claim)| batch.hear(*node, claim, out.now));
        self.claims.batches.insert(first, batch);
        self.claims.news = true;
    }

    /// Claims what falls to this node of all that it has heard of.
    pub(super) fn claim_all(&mut self, view: &View, out: &mut Outbox, timers: &mut Timers) {
        if !std::mem::take(&mut self.claims.news) {
            return;
        }
        let mut load = self.load();
        let mut batches = std::mem::take(&mut self.claims.batches);
        let (mut expected, mut told) = (Expected::default(), BTreeMap::new());
        for (key, batch) in &mut batches {
            let me = out.me;
            match batch.rule {
                ClaimRule::Zones if batch.next <= out.now => {
                    let taken = batch.round(*key, (me, load), view, &mut expected);
                    // Twice as long as the farthest claim usually takes, as some take longer.
                    batch.next = out.now + batch.settle.times(2 << batch.idle);
                    if !taken.is_empty() {
                        load = self.claim(*key, batch, load, taken, out, timers);
                        told.insert(key.0, load);
                    }
                }
                ClaimRule::Zones => {}
                ClaimRule::Written | ClaimRule::Started => {
                    batch.set_load(me, load);
                    while let Some(item) = batch.by_force(me) {
                        load = self.claim(*key, batch, load, vec![item], out, timers);
                        batch.set_load(me, load);
                    }
                }
            }
        }
        batches.retain(|_, batch| !batch.left.is_empty());
        for (key, batch) in &mut batches {
            // As it was told to the others.
            told.get(&key.0).into_iter().for_each(|load| batch.set_load(out.me, *load));
        }
        self.claims.batches.append(&mut batches);
        self.start_settled(out.now);
        self.claim_again(out, timers);
    }

    /// Takes tasks for its own beside the `load` that it has, and tells all who heard of them.
    /// Gives the load that it has then.
    fn claim(
        &mut self,
        batch: Key,
        of: &Batch,
        load: u64,
        items: Vec<GrantItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) -> u64 {
        let (home, epoch, _) = batch;
        let at = self.calendar + out.now.since(Moment(0));
        let weight: u64 = items.iter().map(GrantItem::weight).sum();
        let load = load.saturating_add(weight);
        let named = items.iter().map(|item| (item.fence.grant, item.range)).collect();
        let claim = Claim { items: named, at, load };
        let home_at = self.sessions.get(&home).map(|session| session.node);
        let others: Vec<NodeId> = of.rivals.iter().map(|rival| rival.node).collect();
        let zones = of.rule == ClaimRule::Zones;
        for item in items {
            let (key, range) = (key_of(item.fence), item.range);
            let zone = zones.then(|| claim::zone(draw_of(key), &of.rivals));
            let until = out.now + of.settle;
            let mine = Mine { range, at, zone, others: Vec::new(), waits: Some((item, until)) };
            self.claims.mine.insert(key, mine);
        }
        self.say(home, Say::Claim(claim.clone()), out, timers);
        let me = out.me;
        for node in others.into_iter().filter(|node| *node != me && Some(*node) != home_at) {
            let say = Say::Claim(claim.clone());
            out.send(node, Message { shard: home, epoch, say });
        }
        self.pulse_later(home, out, timers);
        load
    }

    /// Another node has claimed tasks. Who claims what this node has claimed too is told so where
    /// its claim is the worse one; where it is the better one, this node gives way.
    pub(crate) fn on_claim(
        &mut self,
        from: NodeId,
        (shard, epoch): (ShardId, Epoch),
        claim: &Claim,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let (mut lost, mut won) = (Vec::new(), Vec::new());
        self.claims.news |= !self.claims.is_empty();
        self.claims.hear(shard, from, claim, out.now);
        self.claims.early.keep(from, (shard, epoch), claim, self.limits.offers_known_max);
        for &(grant, range) in &claim.items {
            let key = (shard, epoch, grant);
            let Some(mine) = self.claims.mine.get_mut(&key) else { continue };
            if mine.is_before(draw_of(key), out.me, from, claim.at) {
                if !mine.others.contains(&from) {
                    mine.others.push(from);
                    won.push((mine.at, grant, range));
                }
            } else {
                self.claims.mine.remove(&key).into_iter().for_each(|mine| lost.push((key, mine)));
            }
        }
        let load = self.load();
        for (at, grant, range) in won {
            let say = Say::Claim(Claim { items: vec![(grant, range)], at, load });
            out.send(from, Message { shard, epoch, say });
        }
        self.give_way(shard, lost, out, timers);
    }

    /// Gives up claims that another's go before, but for what has been started.
    fn give_way(
        &mut self,
        home: ShardId,
        lost: Vec<(Key, Mine)>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let mut items = Vec::new();
        for ((shard, epoch, grant), mine) in lost {
            let fence = Fence { shard, epoch, grant };
            let removed = self.held.remove(home, |item| {
                if item.fence == fence { Vec::new() } else { vec![item.clone()] }
            });
            if mine.waits.is_some() || !removed.is_empty() {
                items.push((fence, mine.range));
            }
        }
        if !items.is_empty() {
            self.say(home, Say::Yield { items }, out, timers);
        }
    }

    /// Holds what has been claimed for long enough.
    fn start_settled(&mut self, now: Moment) {
        for ((home, ..), mine) in &mut self.claims.mine {
            if let Some((item, _)) = mine.waits.take_if(|(_, until)| *until <= now) {
                self.held.push_back(*home, item);
            }
        }
    }

    /// Looks again when something that was claimed may start, or a round begins.
    fn claim_again(&mut self, out: &Outbox, timers: &mut Timers) {
        let waits = self.claims.mine.values().filter_map(|mine| Some(mine.waits.as_ref()?.1));
        let rounds = self.claims.batches.values().filter(|one| one.rule == ClaimRule::Zones);
        let next = waits.chain(rounds.map(|batch| batch.next)).min();
        if self.claims.timer.is_some_and(|(at, _)| Some(at) == next) {
            return;
        }
        if let Some((_, key)) = self.claims.timer.take() {
            timers.unset(key);
        }
        self.claims.timer = next.map(|at| (at, timers.set(at.max(out.now), Timer::Claims)));
    }

    pub(super) fn on_claims_timer(&mut self) {
        self.claims.timer = None;
        self.claims.news = true;
    }

    /// All weight that this node holds, runs or has claimed, in thousandths.
    fn load(&self) -> u64 {
        let runs = self.runs.values().flat_map(|run| run.items.iter()).map(GrantItem::weight);
        let waiting = self.claims.waiting().map(|(_, item)| item.weight());
        self.held.weight() + runs.sum::<u64>() + waiting.sum::<u64>()
    }
}

impl Mine {
    /// Whether this claim goes before another of the same task: by zone and then by lot where there
    /// are zones, and else the earlier one, and of two at one moment that of the smaller node.
    fn is_before(&self, draw: u64, me: NodeId, other: NodeId, at: Wall) -> bool {
        match self.zone {
            Some(zone) if zone == Some(me) => true,
            Some(zone) if zone == Some(other) => false,
            Some(_) => (rendezvous(draw, me), me) < (rendezvous(draw, other), other),
            None => (self.at, me) < (at, other),
        }
    }
}
