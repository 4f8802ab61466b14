//! Which way a waiting node goes over the graph of homes. Work would flow down from homes with more
//! than their share; as only a task's home may grant it, room goes up the same edges instead.

use bary_model::id::{NodeId, ShardId};
use bary_model::time::Span;
use bary_policy::flow::{self, HOMES_MAX, Rule};

use crate::home::Home;
use crate::home::exchange::{Exchange, Neighbour};

/// Where another home is, and how much weight it last said was ready.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) shard: ShardId,
    pub(super) node: NodeId,
    pub(super) ready: u64,
}

impl Exchange {
    /// The other homes, by their shards.
    pub(super) fn sites(&self) -> Vec<Site> {
        let site = |(&shard, one): (&ShardId, &Neighbour)| Site {
            shard,
            node: one.node,
            ready: one.level.ready,
        };
        self.neighbours.iter().map(site).collect()
    }
}

impl Home {
    /// Whether homes send each other anything.
    pub(super) fn trades(&self) -> bool {
        self.policy.flow.rule != Rule::None
    }

    /// The home from which most would flow to this one, where the policy goes by that and the flow
    /// says anything: inside, none where nothing flows here.
    pub(super) fn up_the_flow(&mut self, me: NodeId) -> Option<Option<ShardId>> {
        if self.policy.flow.rule != Rule::Laplacian {
            return None;
        }
        let sites = self.exchange.sites();
        if sites.len() >= HOMES_MAX {
            return None;
        }
        // This home stands last.
        let nodes: Vec<NodeId> = sites.iter().map(|site| site.node).chain([me]).collect();
        let ready = sites.iter().map(|site| site.ready).chain([self.waiting().0]);
        let ready: Vec<f64> = ready.map(|weight| weight as f64).collect();
        let mean = ready.iter().sum::<f64>() / ready.len() as f64;
        // All homes have an equal part of all power, as far as one can know.
        let excess: Vec<f64> = ready.iter().map(|ready| ready - mean).collect();
        let trips = self.trips_between(&nodes)?;
        let last = sites.len();
        let flow = flow::into(last, &excess, mean, &trips, self.policy.flow.threshold)?;
        let uphill = sites.iter().zip(flow).filter(|(_, over)| *over > 0);
        let most = uphill.max_by_key(|(site, over)| (*over, site.shard));
        Some(most.map(|(site, _)| site.shard))
    }

    /// How far homes are from each other by their regions; none where these are not known.
    fn trips_between(&self, nodes: &[NodeId]) -> Option<Vec<Vec<Span>>> {
        let topology = self.topology.as_ref()?;
        let row = |from: NodeId| -> Option<Vec<Span>> {
            nodes.iter().map(|to| topology.way(from, *to)).collect()
        };
        nodes.iter().map(|from| row(*from)).collect()
    }
}
