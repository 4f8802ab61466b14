//! Whose turn it is among ready tasks, where owners take turns.

use bary_model::node::NodeInfo;
use bary_model::resources::Resources;

use crate::home::class::Class;
use crate::home::ready::Ready;

impl Ready {
    /// When the next task of a class starts, in the virtual time of its owners' turns.
    pub(super) fn turn_of(&self, class: &Class) -> u64 {
        self.turns.as_ref().map_or(0, |turns| turns.of(class.owner))
    }

    /// How much of a class goes before the turn is another owner's, where owners take turns and
    /// `node` could run something of another.
    pub(super) fn left_in_turn(
        &self,
        class: usize,
        node: &NodeInfo,
        free: Option<&Resources>,
    ) -> Option<u64> {
        let turns = self.turns.as_ref()?;
        let Class { owner, rank, .. } = self.classes[class];
        let others = self.open(node, free).map(|(_, class)| class);
        let others = others.filter(|class| class.owner != owner && class.rank == rank);
        let until = others.map(|class| turns.of(class.owner)).min()?;
        Some(turns.before(owner, until))
    }
}
