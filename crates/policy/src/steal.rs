//! What an idle node takes from a loaded one, and from which. The home moves the tasks: it takes
//! back grants that were not started and grants them anew.

pub mod half;
pub mod none;
pub mod wait;

use std::fmt::Debug;
use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::dice::Dice;
use crate::view::NodeView;

/// A node that could be stolen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Which one.
    pub node: NodeId,
    /// The weight granted to it that it has not started, in thousandths.
    pub backlog: u64,
    /// How long a message from the thief to it and its answer take.
    pub round_trip: Span,
}

/// A rule for who steals how much from whom.
pub trait Steal: Send + Sync + Debug {
    /// The name under which people choose it.
    fn name(&self) -> &'static str;

    /// How much of `backlog` moves, in thousandths of weight and never more than there is; 0
    /// means that it is left alone.
    fn amount(&self, backlog: u64, thief_power: f64, victim_power: f64) -> u64;

    /// Whom `thief` steals from, if from anyone; never itself, and never one without backlog.
    fn victim(&self, thief: &NodeView<'_>, victims: &[Victim], dice: &mut Dice) -> Option<NodeId>;
}

/// Every way of stealing there is, as it is where nothing is configured.
#[must_use]
pub fn all() -> Vec<Arc<dyn Steal>> {
    vec![Arc::new(half::Half::default()), Arc::new(none::NoSteal)]
}
