//! What this node may claim of what homes announced, and what it has claimed. It decides by the
//! rule that came with the announcement, tells all who heard of it, and waits before it starts
//! anything for as long as another's claim of the same may take to arrive.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bary_model::claim::{Announce, Claim, ClaimRule, Rival};
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, ShardId, TaskRange};
use bary_model::message::{GrantItem, Message, OutcomeItem, Say};
use bary_model::mix::{mix, rendezvous};
use bary_model::time::{Moment, Span, Wall};
use bary_policy::claim;

use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::timers::{Timer, TimerKey, Timers};
use crate::view::View;

/// A grant by its name.
type Key = (ShardId, Epoch, GrantNo);

/// What is announced and claimed.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// By the first of their grants.
    batches: BTreeMap<Key, Batch>,
    mine: BTreeMap<Key, Mine>,
    timer: Option<(Moment, TimerKey)>,
    /// Whether something has changed by which more may be claimed or started.
    news: bool,
}

/// Tasks that were announced together.
#[derive(Debug)]
struct Batch {
    rule: ClaimRule,
    share: u32,
    /// All who heard of them, with their loads as they were last told.
    rivals: Vec<Rival>,
    /// What nobody has claimed, as far as is known.
    left: BTreeMap<GrantNo, GrantItem>,
    /// The order in which this node walks the list by the published rule; its end comes first.
    walk: Vec<GrantNo>,
    /// What a mean task weighs.
    mean: u64,
    /// Whether the zones were claimed.
    zoned: bool,
    /// When the next round begins.
    next: Moment,
    /// How long until every other claim of the same round is heard.
    settle: Span,
    /// How many rounds in a row brought this node nothing: each doubles the wait for the next.
    idle: u32,
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

    fn batch_of(&mut self, key: Key) -> Option<&mut Batch> {
        let (first, batch) = self.batches.range_mut(..=key).next_back()?;
        ((first.0, first.1) == (key.0, key.1)).then_some(batch)
    }

    /// A node has said how much it holds.
    fn hear(&mut self, shard: ShardId, node: NodeId, load: u64) {
        for (_, batch) in self.batches.iter_mut().filter(|(key, _)| key.0 == shard) {
            batch.set_load(node, load);
        }
    }
}

fn key_of(fence: Fence) -> Key {
    (fence.shard, fence.epoch, fence.grant)
}

/// What a task is in draws that all nodes make alike.
fn draw_of(key: Key) -> u64 {
    mix(key.0.0 ^ mix(key.2.0 ^ u64::from(key.1.0) << 40))
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
        let (zoned, next) = (false, out.now + Span(settle.0.saturating_sub(near.0) / 2));
        let batch = Batch { rule, share, rivals, left, walk, mean, zoned, next, settle, idle: 0 };
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
        for (key, batch) in &mut batches {
            let me = out.me;
            batch.set_load(me, load);
            match batch.rule {
                ClaimRule::Zones if batch.next <= out.now => {
                    let taken = batch.round(*key, me, view);
                    batch.idle = if taken.is_empty() { (batch.idle + 1).min(16) } else { 0 };
                    batch.next = out.now + batch.settle.times(1 << batch.idle);
                    self.claim(*key, batch, taken, out, timers);
                }
                ClaimRule::Zones => {}
                ClaimRule::Written | ClaimRule::Started => {
                    while let Some(item) = batch.by_force(me) {
                        self.claim(*key, batch, vec![item], out, timers);
                    }
                }
            }
            load = batch.load_of(me).unwrap_or(load);
        }
        batches.retain(|_, batch| !batch.left.is_empty());
        self.claims.batches.append(&mut batches);
        self.start_settled(out.now);
        self.claim_again(out, timers);
    }

    /// Takes tasks for its own and tells all who heard of them.
    fn claim(
        &mut self,
        batch: Key,
        of: &mut Batch,
        items: Vec<GrantItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        if items.is_empty() {
            return;
        }
        let (home, epoch, _) = batch;
        let at = self.calendar + out.now.since(Moment(0));
        let weight: u64 = items.iter().map(GrantItem::weight).sum();
        let load = of.load_of(out.me).unwrap_or(0).saturating_add(weight);
        of.set_load(out.me, load);
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
        self.claims.hear(shard, from, claim.load);
        for &(grant, range) in &claim.items {
            let key = (shard, epoch, grant);
            if let Some(batch) = self.claims.batch_of(key) {
                batch.left.remove(&grant);
            }
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

impl Batch {
    fn load_of(&self, node: NodeId) -> Option<u64> {
        let at = self.rivals.binary_search_by_key(&node, |rival| rival.node).ok()?;
        Some(self.rivals[at].load)
    }

    fn set_load(&mut self, node: NodeId, load: u64) {
        if let Ok(at) = self.rivals.binary_search_by_key(&node, |rival| rival.node) {
            self.rivals[at].load = load;
        }
    }

    /// The next task of the walk, where the published rule lets this node claim it.
    fn by_force(&mut self, me: NodeId) -> Option<GrantItem> {
        let load = |rival: &Rival| u128::from(rival.load);
        let mean = self.rivals.iter().map(load).sum::<u128>() / self.rivals.len().max(1) as u128;
        let mean = u64::try_from(mean).unwrap_or(u64::MAX);
        let own = self.load_of(me)?;
        if !claim::claims(self.rule, own, mean, self.mean) {
            return None;
        }
        while let Some(grant) = self.walk.pop() {
            if let Some(item) = self.left.remove(&grant) {
                return Some(item);
            }
        }
        None
    }

    /// What this node claims in a round: of its zone first, and then what it would end soonest.
    fn round(&mut self, batch: Key, me: NodeId, view: &View) -> Vec<GrantItem> {
        let mut order: Vec<(Reverse<u64>, GrantNo)> =
            self.left.iter().map(|(grant, item)| (Reverse(item.weight()), *grant)).collect();
        order.sort_unstable();
        let weights: Vec<u64> = order.iter().map(|(Reverse(weight), _)| *weight).collect();
        let mut taken = Vec::new();
        if std::mem::replace(&mut self.zoned, true) {
            let there: Vec<Rival> =
                self.rivals.iter().filter(|one| view.info(one.node).is_some()).copied().collect();
            let given = claim::soonest(&weights, &there);
            let mine = order.iter().zip(given).filter(|(_, node)| *node == Some(me));
            taken.extend(mine.map(|((_, grant), _)| *grant));
        } else {
            let all: u64 = weights.iter().sum();
            let deficit = claim::deficit(me, all, &self.rivals);
            let mut room = u128::from(deficit) * u128::from(self.share) / 1_000_000;
            for (Reverse(weight), grant) in order {
                let key = (batch.0, batch.1, grant);
                let fits = u128::from(weight) <= room;
                if fits && claim::zone(draw_of(key), &self.rivals) == Some(me) {
                    room -= u128::from(weight);
                    taken.push(grant);
                }
            }
        }
        taken.iter().filter_map(|grant| self.left.remove(grant)).collect()
    }
}
