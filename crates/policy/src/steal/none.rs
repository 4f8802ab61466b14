//! No stealing: what a node was granted stays there. Right where moving a task costs more than
//! waiting for it. Blind spot: a node that turns out slow keeps its queue to the end.

use bary_model::id::NodeId;

use crate::dice::Dice;
use crate::steal::{Steal, Victim};
use crate::view::NodeView;

/// Nobody steals.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSteal;

impl Steal for NoSteal {
    fn name(&self) -> &'static str {
        "none"
    }

    fn amount(&self, _victim: &Victim, _thief_power: f64, _victim_power: f64) -> u64 {
        0
    }

    fn victim(&self, _thief: &NodeView<'_>, _all: &[Victim], _dice: &mut Dice) -> Option<NodeId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::time::Span;

    #[test]
    fn nobody_is_stolen_from() {
        let mut world = World::default();
        world.node("thief");
        let rich = Victim { node: NodeId(1), backlog: 9_000, queued: 9, round_trip: Span::ZERO };
        assert_eq!(NoSteal.victim(&world.view(0), &[rich], &mut Dice::new(1, "steal")), None);
        assert_eq!(NoSteal.amount(&rich, 4.0, 1.0), 0);
    }
}
