//! What an idle node takes from a loaded one, and from which. The home moves the tasks: it takes
//! back grants that were not started and grants them anew.

pub mod bounded;
pub mod half;
pub mod none;
pub mod three;
pub mod wait;

use std::fmt::Debug;
use std::sync::Arc;

use bary_model::id::NodeId;
use bary_model::time::Span;

use crate::dice::Dice;
use crate::parameter::given::Given;
use crate::view::NodeView;

/// A node that could be stolen from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Victim {
    /// Which one.
    pub node: NodeId,
    /// The weight granted to it that it has not started, in thousandths.
    pub backlog: u64,
    /// How many tasks that is.
    pub queued: u64,
    /// How long a message from the thief to it and its answer take.
    pub round_trip: Span,
}

/// The limits that a rule sets to queues and steals. `Default` is none: any number of tasks wait
/// at a node, idle nodes begin, and a steal takes what [`Steal::amount`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How many tasks that have not started a node holds at most.
    pub queue_max: u64,
    /// Who begins.
    pub starts: Starts,
    /// How many tasks wait at least at a node that is stolen from; at least 1.
    pub queued_min: u64,
    /// How many tasks one steal takes at most; at least 1.
    pub tasks_max: u64,
    /// How often one task is stolen at most; at least 1.
    pub times_max: u32,
}

/// Who begins a steal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starts {
    /// A node that has nothing to do.
    Idle,
    /// A node at which so many tasks wait, or more: it seeks another that takes some.
    Crowded {
        /// How many; at least 1.
        queued: u64,
    },
}

impl Default for Bounds {
    fn default() -> Self {
        let (queue_max, tasks_max) = (u64::MAX, u64::MAX);
        Self { queue_max, starts: Starts::Idle, queued_min: 1, tasks_max, times_max: u32::MAX }
    }
}

impl Bounds {
    /// Whether a node at which `queued` tasks wait seeks another that takes some of them.
    #[must_use]
    pub fn is_crowded(&self, queued: u64) -> bool {
        matches!(self.starts, Starts::Crowded { queued: enough } if queued >= enough)
    }

    /// How many tasks one steal moves at most from a node at which `victim_queued` wait to one at
    /// which `thief_queued` do: never more than there are or than the thief's queue holds.
    #[must_use]
    pub fn tasks(&self, victim_queued: u64, thief_queued: u64) -> u64 {
        if victim_queued < self.queued_min {
            return 0;
        }
        let room = self.queue_max.saturating_sub(thief_queued);
        self.tasks_max.min(victim_queued).min(room)
    }
}

/// A rule for who steals how much from whom.
pub trait Steal: Send + Sync + Debug {
    /// The name under which people choose it.
    fn name(&self) -> &'static str;

    /// How much of a victim's backlog moves, in thousandths of weight and never more than there
    /// is; 0 means that it is left alone.
    fn amount(&self, victim: &Victim, thief_power: f64, victim_power: f64) -> u64;

    /// Whom `thief` steals from, if from anyone; never itself, and never one without backlog.
    fn victim(&self, thief: &NodeView<'_>, victims: &[Victim], dice: &mut Dice) -> Option<NodeId>;

    /// The limits that it sets; a home keeps them where it knows the numbers.
    fn bounds(&self) -> Bounds {
        Bounds::default()
    }
}

/// The ways of stealing there are, by name.
pub const NAMES: &[&str] = &["half", "none", "three", "bounded"];

/// The way of stealing of a name with its parameters; none where there is no such way.
#[must_use]
pub fn named(name: &str, given: &Given) -> Option<Arc<dyn Steal>> {
    Some(match name {
        "half" => Arc::new(half::Half::with(given)),
        "none" => Arc::new(none::NoSteal),
        "three" => Arc::new(three::Three::with(given)),
        "bounded" => Arc::new(bounded::Bounded::with(given)),
        _ => return None,
    })
}

/// Every way of stealing there is, as it is where nothing is configured.
#[must_use]
pub fn all() -> Vec<Arc<dyn Steal>> {
    NAMES.iter().filter_map(|name| named(name, &Given::default())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, proptest};

    #[test]
    fn every_name_has_its_way() {
        let names: Vec<&str> = all().iter().map(|steal| steal.name()).collect();
        assert_eq!(names, NAMES);
        assert!(named("all", &Given::default()).is_none());
    }

    proptest! {
        #[test]
        fn a_steal_never_exceeds_the_backlog_or_the_bounds(
            backlog in any::<u64>(),
            queued in any::<u64>(),
            held in any::<u64>(),
            thief in any::<f64>(),
            power in any::<f64>(),
        ) {
            let victim = Victim { node: NodeId(1), backlog, queued, round_trip: Span::ZERO };
            for steal in all() {
                prop_assert!(steal.amount(&victim, thief, power) <= backlog, "{}", steal.name());
                let bounds = steal.bounds();
                let tasks = bounds.tasks(queued, held);
                prop_assert!(tasks <= queued.min(bounds.tasks_max).min(bounds.queue_max));
            }
        }
    }
}
