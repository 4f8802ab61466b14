//! How long what a task reads takes to a node, by the regions that it lies in: inside a region from
//! all nodes at once, and from another region over one way.

use std::collections::BTreeMap;

use bary_model::id::NodeId;
use bary_model::node::NodeInfo;
use bary_model::time::Span;
use bary_policy::carrying::Carrying;
use bary_policy::view::{NodeView, Timing};

use crate::home::Home;
use crate::home::account::Account;
use crate::home::ready::Entry;
use crate::home::sums::Totals;
use crate::home::whereabouts::Reads;

/// What lies in one region.
#[derive(Clone, Copy, Debug, Default)]
struct Pile {
    total: u64,
    /// The most at one node, that node, and the most at any other.
    most: u64,
    at: NodeId,
    second: u64,
}

/// What a task reads, by region; what lies at nodes of which no region is known is of one.
#[derive(Clone, Debug, Default)]
pub(super) struct Haul(BTreeMap<Option<u32>, Pile>);

impl Haul {
    fn of<'a>(
        bytes: impl Iterator<Item = (&'a NodeId, &'a u64)>,
        region: impl Fn(NodeId) -> Option<u32>,
    ) -> Self {
        let mut piles: BTreeMap<Option<u32>, Pile> = BTreeMap::new();
        for (&node, &bytes) in bytes {
            let pile = piles.entry(region(node)).or_default();
            pile.total = pile.total.saturating_add(bytes);
            if bytes > pile.most {
                (pile.second, pile.most, pile.at) = (pile.most, bytes, node);
            } else {
                pile.second = pile.second.max(bytes);
            }
        }
        Self(piles)
    }
}

/// Where a task would run: at a node, or at one that had the best of some.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'a> {
    /// The node; none where it is no single one, and has nothing of what the task reads.
    pub(super) node: Option<NodeId>,
    /// Where it is in the graph of the cluster.
    pub(super) region: Option<u32>,
    pub(super) info: &'a NodeInfo,
    /// Weight a second of one of its slots, in thousandths.
    pub(super) pace: f64,
    pub(super) tasks: u64,
    pub(super) load: u64,
    pub(super) round_trip: Span,
}

impl Home {
    /// A node as the force sees it for the first task of an entry.
    pub(super) fn seen<'a>(
        &self,
        account: &'a Account,
        entry: &Entry,
        reads: &Reads,
        totals: Totals,
    ) -> NodeView<'a> {
        let node = account.peer.info.id;
        let view = NodeView { bytes_here: reads.at(node), ..account.view(totals) };
        if !self.policy.force.needs_timing() {
            return view;
        }
        NodeView { timing: Some(self.timing(account, entry, reads, totals)), ..view }
    }

    /// What a task reads, where the policy asks how long that takes.
    pub(super) fn haul(&self, bytes: &BTreeMap<NodeId, u64>) -> Haul {
        if !self.policy.force.needs_timing() {
            return Haul::default();
        }
        Haul::of(bytes.iter(), |node| self.region_of(node))
    }

    pub(super) fn region_of(&self, node: NodeId) -> Option<u32> {
        self.topology.as_ref()?.place(node).map(|place| place.region)
    }

    fn timing(&self, account: &Account, entry: &Entry, reads: &Reads, totals: Totals) -> Timing {
        let info = &account.peer.info;
        let node = Some(info.id);
        let place = Spot {
            node,
            region: self.region_of(info.id),
            info,
            // As it has shown, or as its speed says.
            pace: account.pace(Some(self.usual_pace(totals.scale))),
            tasks: account.tasks(),
            load: account.load(),
            round_trip: account.peer.round_trip,
        };
        self.timing_at(&place, entry, reads, totals)
    }

    /// How long a task would take somewhere.
    pub(super) fn timing_at(
        &self,
        spot: &Spot<'_>,
        entry: &Entry,
        reads: &Reads,
        totals: Totals,
    ) -> Timing {
        let slots = f64::from(spot.info.slots.max(1));
        let run = match self.run_time(&entry.spec, totals.scale).as_secs_f64() {
            said if entry.spec.estimate > Span::ZERO => said / spot.info.speed,
            _ => entry.spec.weight.thousandths() as f64 / spot.pace,
        };
        let queued = spot.tasks >= u64::from(spot.info.slots);
        let free = if queued { spot.load as f64 / (spot.pace * slots) } else { 0.0 };
        let (fetch, traffic) = self.fetching(spot, &reads.haul);
        let [free, run] = [free, run].map(Span::from_secs_f64);
        Timing { free, fetch, traffic, run }
    }

    /// How long all that a task reads takes to a node, and what carrying it takes in all.
    fn fetching(&self, spot: &Spot<'_>, haul: &Haul) -> (Span, Span) {
        let Carrying { inside, between, .. } = self.policy.carrying;
        let (mut fetch, mut traffic) = (Span::ZERO, Span::ZERO);
        for (region, pile) in &haul.0 {
            let most = if Some(pile.at) == spot.node { pile.second } else { pile.most };
            let (bytes, rate) = match *region == spot.region {
                true => (most, inside),
                false => (pile.total, between),
            };
            if bytes == 0 {
                continue;
            }
            let carry = Span::from_secs_f64(bytes as f64 / rate.max(1.0));
            fetch = fetch.max(carry + self.way(*region, spot));
            traffic += carry;
        }
        (fetch, traffic)
    }

    /// One way from a region to another, or to this node where regions are not known.
    fn way(&self, from: Option<u32>, spot: &Spot<'_>) -> Span {
        let measured = || {
            let ways = &self.topology.as_ref()?.ways;
            ways.get(from? as usize)?.get(spot.region? as usize).copied()
        };
        let trip = measured().unwrap_or(spot.round_trip);
        Span(trip.0 / 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_a_region_is_one_pile() {
        let bytes = [(NodeId(0), 5), (NodeId(1), 9), (NodeId(2), 7), (NodeId(9), 4)];
        let haul = Haul::of(bytes.iter().map(|(node, bytes)| (node, bytes)), |node| {
            (node.0 < 9).then_some(node.0 as u32 / 2)
        });
        let piles: Vec<_> =
            haul.0.iter().map(|(r, p)| (*r, p.total, p.most, p.at.0, p.second)).collect();
        let known = [(None, 4, 4, 9, 0), (Some(0), 14, 9, 1, 5), (Some(1), 7, 7, 2, 0)];
        assert_eq!(piles, known);
    }
}
