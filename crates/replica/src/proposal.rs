//! What is agreed on: who reigns, and the batches of each reign.

use std::fmt;

use bary_model::id::Lsn;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// One thing to agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Proposal {
    /// A reign begins, whose number is that of this entry: batches of those before are not taken
    /// any more.
    Reign,
    /// Batches of a reign, in their order.
    Batches {
        /// The reign.
        reign: u64,
        /// The number of the first.
        first: Lsn,
        /// Each as the journal takes it.
        batches: Vec<Bytes>,
    },
}

impl fmt::Display for Proposal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reign => f.write_str("a reign"),
            Self::Batches { reign, first, batches } => {
                write!(f, "{} batches from {} of reign {reign}", batches.len(), first.0)
            }
        }
    }
}

/// Whether what was agreed on counts: batches of a reign that is over do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken(pub bool);

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "taken" } else { "not taken" })
    }
}

openraft::declare_raft_types!(
    /// The types of the group.
    pub(crate) Types:
        D = Proposal,
        R = Taken,
        NodeId = u64,
        Node = openraft::EmptyNode,
        LeaderId = openraft::impls::leader_id_std::LeaderId<Self::Term, Self::NodeId>,
);
