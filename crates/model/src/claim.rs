//! What nodes say to each other where they share out tasks themselves: a home announces, and they
//! claim.

use serde::{Deserialize, Serialize};

use crate::id::{GrantNo, NodeId, TaskRange};
use crate::message::GrantItem;
use crate::sharing::grants;
use crate::time::Wall;

/// By which rule nodes claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ClaimRule {
    /// The published rule, word for word: a node claims where its force is below the threshold.
    Written,
    /// The published rule with `<=`, and never below what a mean task makes.
    Started,
    /// Each task has a zone; what zones leave over falls to who would end it soonest.
    Zones,
}

/// Tasks that may be claimed, and what is known of who may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announce {
    /// How to decide.
    pub rule: ClaimRule,
    /// The share of its deficit that a node claims in its own zone, in millionths.
    pub share: u32,
    /// The tasks, each under a grant of its own.
    #[serde(with = "grants")]
    pub items: Vec<GrantItem>,
    /// Who hears of them, in order.
    pub rivals: Vec<Rival>,
}

/// A node that hears of tasks, as their home sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rival {
    /// Which one.
    pub node: NodeId,
    /// Weight that it gets done, in a unit that is the same for all; at least 1.
    pub power: u64,
    /// Weight granted to it or claimed by it that has not ended, in thousandths.
    pub load: u64,
}

/// Tasks that a node takes for its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What is claimed, each under the grant that was announced.
    pub items: Vec<(GrantNo, TaskRange)>,
    /// When, by the calendar of who claims: the earlier claim is the better one.
    pub at: Wall,
    /// All weight that it holds, these tasks included, in thousandths.
    pub load: u64,
}
