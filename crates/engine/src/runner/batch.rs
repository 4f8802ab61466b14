//! Tasks that a home announced together, and which of them a node claims in a round. All who heard
//! of them keep the same list and loads, and so find alike what falls to each.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bary_model::claim::{Claim, ClaimRule, Rival};
use bary_model::id::{Epoch, Fence, GrantNo, NodeId, ShardId};
use bary_model::message::GrantItem;
use bary_model::mix::mix;
use bary_model::time::{Moment, Span};
use bary_policy::claim;

use crate::view::View;

/// What nodes are expected to claim of what a home announced, in one round over several batches.
pub(super) type Expected = BTreeMap<(ShardId, NodeId), u64>;

/// A grant by its name.
pub(super) type Key = (ShardId, Epoch, GrantNo);

/// Tasks that were announced together.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) rule: ClaimRule,
    pub(super) share: u32,
    /// All who heard of them, with their loads as they were last told.
    pub(super) rivals: Vec<Rival>,
    /// What nobody has claimed, as far as is known.
    pub(super) left: BTreeMap<GrantNo, GrantItem>,
    /// The order in which this node walks the list by the published rule; its end comes first.
    pub(super) walk: Vec<GrantNo>,
    /// What a mean task weighs.
    pub(super) mean: u64,
    /// How many tasks the last round left; none before the zones were claimed.
    pub(super) round: Option<usize>,
    /// When the next round begins.
    pub(super) next: Moment,
    /// How long until every other claim of the same round is heard.
    pub(super) settle: Span,
    /// How many rounds in a row brought nobody anything: each doubles the wait for the next.
    pub(super) idle: u32,
    /// Claims of the round that this node is about to begin itself.
    pub(super) later: Vec<(NodeId, Claim)>,
}

/// The name of a grant.
pub(super) fn key_of(fence: Fence) -> Key {
    (fence.shard, fence.epoch, fence.grant)
}

/// What a task is in draws that all nodes make alike.
pub(super) fn draw_of(key: Key) -> u64 {
    mix(key.0.0 ^ mix(key.2.0 ^ u64::from(key.1.0) << 40))
}

impl Batch {
    fn load_of(&self, node: NodeId) -> Option<u64> {
        let at = self.rivals.binary_search_by_key(&node, |rival| rival.node).ok()?;
        Some(self.rivals[at].load)
    }

    /// Another node has claimed tasks. Whoever begins a round a little sooner is heard before this
    /// node begins it: that counts afterwards, so that all find from the same list who claims what.
    pub(super) fn hear(&mut self, from: NodeId, claim: &Claim, now: Moment) {
        if self.round.is_some() && now + Span(self.settle.0 / 2) >= self.next {
            self.later.push((from, claim.clone()));
        } else {
            self.strike_out(from, claim);
        }
    }

    fn strike_out(&mut self, from: NodeId, claim: &Claim) {
        self.set_load(from, claim.load);
        for (grant, _) in &claim.items {
            self.left.remove(grant);
        }
    }

    /// What a node is heard to hold.
    pub(super) fn set_load(&mut self, node: NodeId, load: u64) {
        if let Ok(at) = self.rivals.binary_search_by_key(&node, |rival| rival.node) {
            self.rivals[at].load = load;
        }
    }

    /// The next task of the walk, where the published rule lets this node claim it.
    pub(super) fn by_force(&mut self, me: NodeId) -> Option<GrantItem> {
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

    /// What this node claims in a round: of its zone first, as far as its own load lets it, and
    /// then what it would end soonest. That every node has to find alike, so the loads are those
    /// that all have heard, this node's own included.
    pub(super) fn round(
        &mut self,
        batch: Key,
        (me, load): (NodeId, u64),
        view: &View,
        expected: &mut Expected,
    ) -> Vec<GrantItem> {
        let mut order: Vec<(Reverse<u64>, GrantNo)> =
            self.left.iter().map(|(grant, item)| (Reverse(item.weight()), *grant)).collect();
        order.sort_unstable();
        let taken = if self.round.is_some() {
            self.soonest(batch.0, me, &order, view, expected)
        } else {
            self.of_zone(batch, (me, load), &order)
        };
        let waits = taken.is_empty() && self.round == Some(self.left.len());
        self.idle = if waits { (self.idle + 1).min(15) } else { 0 };
        let taken = taken.iter().filter_map(|grant| self.left.remove(grant)).collect();
        self.round = Some(self.left.len());
        for (from, claim) in std::mem::take(&mut self.later) {
            self.strike_out(from, &claim);
        }
        taken
    }

    fn of_zone(
        &self,
        batch: Key,
        (me, load): (NodeId, u64),
        order: &[(Reverse<u64>, GrantNo)],
    ) -> Vec<GrantNo> {
        let all: u64 = order.iter().map(|(Reverse(weight), _)| *weight).sum();
        let mut rivals = self.rivals.clone();
        rivals.iter_mut().filter(|rival| rival.node == me).for_each(|own| own.load = load);
        let deficit = claim::deficit(me, all, &rivals);
        let mut room = u128::from(deficit) * u128::from(self.share) / 1_000_000;
        let mut taken = Vec::new();
        for (Reverse(weight), grant) in order {
            let (key, weight) = ((batch.0, batch.1, *grant), u128::from(*weight));
            if weight <= room && claim::zone(draw_of(key), &self.rivals) == Some(me) {
                room -= weight;
                taken.push(*grant);
            }
        }
        taken
    }

    fn soonest(
        &self,
        home: ShardId,
        me: NodeId,
        order: &[(Reverse<u64>, GrantNo)],
        view: &View,
        expected: &mut Expected,
    ) -> Vec<GrantNo> {
        let weights: Vec<u64> = order.iter().map(|(Reverse(weight), _)| *weight).collect();
        let there = self.rivals.iter().filter(|one| view.info(one.node).is_some());
        let beside = |rival: &Rival| {
            let more = expected.get(&(home, rival.node)).copied().unwrap_or(0);
            Rival { load: rival.load.saturating_add(more), ..*rival }
        };
        let given = claim::soonest(&weights, &there.map(beside).collect::<Vec<_>>());
        for (node, weight) in given.iter().zip(&weights) {
            if let Some(node) = node {
                *expected.entry((home, *node)).or_default() += weight;
            }
        }
        let mine = order.iter().zip(given).filter(|(_, node)| *node == Some(me));
        mine.map(|((_, grant), _)| *grant).collect()
    }
}
