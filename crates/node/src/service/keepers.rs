//! Who keeps the jobs of this home, as those who ask about nodes are told.

use bary_api::v1::NodeStatus;

use crate::peers::blobs::copying::Lacking;
use crate::service::Inner;

/// The members that keep the jobs of a home, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// How many are to, the home included; 0 where it is in no cluster.
    pub(super) replicas: u32,
    pub(super) kept_by: Vec<String>,
    /// Those of them that are not there.
    pub(super) away: Vec<String>,
    /// Large results that fewer members have than are to.
    pub(super) lacking: Lacking,
}

impl Inner {
    /// Who keeps the jobs of this home.
    pub(super) fn kept(&self) -> Kept {
        let Some(peers) = self.cluster.peers() else { return Kept::default() };
        let Some(keepers) = self.cluster.keepers() else {
            let kept_by = vec![peers.own_name().to_owned()];
            return Kept { replicas: 1, kept_by, ..Kept::default() };
        };
        let name = |member: &u64| {
            peers.member_name(*member).unwrap_or_else(|| "a member that is not known".to_owned())
        };
        let mut kept_by: Vec<String> = keepers.members.iter().map(name).collect();
        let is_away =
            |member: &&u64| **member != peers.me() && peers.away_words(**member).is_some();
        let mut away: Vec<String> = keepers.members.iter().filter(is_away).map(name).collect();
        kept_by.sort_unstable();
        away.sort_unstable();
        let replicas = u32::try_from(keepers.wanted).unwrap_or(u32::MAX);
        let lacking = self.board.keeping().map(|keeping| keeping.lacking()).unwrap_or_default();
        Kept { replicas, kept_by, away, lacking }
    }

    /// Says of the nodes of this home's member who keeps its jobs, and of all nodes where their
    /// members are reached, and for whom they stand in. Others know it of their own.
    pub(super) fn say_keepers(&self, nodes: &mut [(u64, NodeStatus)]) {
        let (kept, home) = (self.kept(), self.board.read().home.clone());
        for (member, node) in nodes {
            if *node.member == *home && node.kind == "node" {
                let Kept { replicas, kept_by, away, lacking } = kept.clone();
                (node.replicas, node.kept_by, node.keepers_away) = (replicas, kept_by, away);
                node.results_lacking = lacking.results;
                node.results_lacking_bytes = lacking.bytes;
                node.results_lacking_why = lacking.why.into();
            }
            let Some(peers) = self.cluster.peers() else { continue };
            node.addresses = peers.addresses_of(*member);
            if node.state != "down" {
                node.stands_in_for = peers.stood_in_by(*member);
            }
        }
    }
}

/// Adds who keeps the jobs of a node's member, where only another home has told it.
pub(super) fn add(node: &mut NodeStatus, told: &NodeStatus) {
    if node.replicas == 0 {
        node.replicas = told.replicas;
        (node.kept_by, node.keepers_away) = (told.kept_by.clone(), told.keepers_away.clone());
        node.results_lacking = told.results_lacking;
        node.results_lacking_bytes = told.results_lacking_bytes;
        node.results_lacking_why = told.results_lacking_why.clone();
    }
}
