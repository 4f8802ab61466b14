//! By the task's kind, as published: compute goes by `capability`, communication by `central`, and
//! what is mixed or bound by devices by `m * capability + (1 - m) * central`. Where no closeness is
//! known, capability decides alone. Blind spots: those of its halves; and a kind is what
//! somebody declared, compute where nobody did.

use crate::force::capability::Capability;
use crate::force::central;
use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::MIX;
use crate::view::{NodeView, TaskView};
use bary_model::task::Kind;

/// Two rules and which counts; the unit of its pull is a hundredth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixed {
    /// The rule for compute.
    pub capability: Capability,
    /// The part of capability in what is mixed, from 0 to 1. Defaults to 0.5.
    pub mix: f64,
}

impl Mixed {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { capability: Capability::with(given), mix: given.number(&MIX) }
    }

    /// How much of capability counts for the task at the node.
    fn part(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        match task.request.kind {
            _ if node.scores.is_none() => 1.0,
            Kind::Compute => 1.0,
            Kind::Communication => 0.0,
            Kind::Mixed | Kind::Io => self.mix,
        }
    }
}

impl Force for Mixed {
    fn name(&self) -> &'static str {
        "mixed"
    }

    fn formula(&self) -> &str {
        "by kind: capability for compute, closeness for communication, else half of each"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        let part = self.part(task, node);
        let central = if part < 1.0 { central::left(node) } else { 0.0 };
        Pull::rounded(part * self.capability.left(node) + (1.0 - part) * central)
    }

    fn needs_graph(&self) -> bool {
        true
    }

    fn sees_used(&self) -> bool {
        true
    }

    fn sees_machines(&self) -> bool {
        true
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let part = self.part(task, node) * 100.0;
        let (capability, central) = (self.capability.left(node), central::left(node));
        format!("{part:.0} % by capability {capability:.1}, the rest by closeness {central:.1}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use bary_model::resources::Resources;

    #[test]
    fn each_kind_goes_its_own_way() {
        let mut world = World::default();
        world.node("strong").resources(Resources::cpus(64)).scores(0.2, 0.5);
        world.node("central").resources(Resources::cpus(1)).scores(1.0, 0.0);
        let pulls = [Kind::Compute, Kind::Communication, Kind::Mixed].map(|kind| {
            world.request.kind = kind;
            world.pulls(&Mixed::with(&Given::default()), &world.task(1.0))
        });
        assert_eq!(pulls[0], [42_000, 12_353]);
        assert_eq!(pulls[1], [20_000, 100_000]);
        assert_eq!(pulls[2], [31_000, 56_176]);
    }

    #[test]
    fn without_closeness_capability_decides() {
        let mut world = World::default();
        world.node("strong").resources(Resources::cpus(64));
        world.node("weak").resources(Resources::cpus(1));
        world.request.kind = Kind::Communication;
        let pulls = world.pulls(&Mixed::with(&Given::default()), &world.task(1.0));
        assert_eq!(pulls, [42_000, 12_353]);
    }
}
