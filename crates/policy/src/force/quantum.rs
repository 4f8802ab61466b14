//! Inspired by tunnelling: below a threshold a node always claims; above it, with probability
//! `e^-((F - T0) / T)`, where `F` is the mended force, `T0` is `theta` times the force at the mean
//! load, and `T` the temperature. Of nodes that claim, the least force has the task; where none
//! does, the least force of all. It is simulated annealing's rule (Metropolis et al., 1953;
//! Kirkpatrick et al., 1983) with the force as energy. Blind spot: what tunnels is worse balance;
//! it only pays where the loads that it sees are old and all would choose the same node.

use crate::dice::Dice;
use crate::force::repulsion::Repulsion;
use crate::force::{Force, Pull};
use crate::parameter::given::Given;
use crate::parameter::table::{TEMPERATURE, THETA};
use crate::view::{NodeView, TaskView};

/// A threshold that some pass by luck.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantum {
    /// The force.
    pub repulsion: Repulsion,
    /// The threshold, as a share of the force at the mean load. Defaults to 1.
    pub theta: f64,
    /// How far above the threshold one node in e still claims, in units of the force.
    /// Defaults to 0.1.
    pub temperature: f64,
}

impl Quantum {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        let (theta, temperature) = (given.number(&THETA), given.number(&TEMPERATURE));
        Self { repulsion: Repulsion::with(given), theta, temperature }
    }

    /// How likely the node claims the task, from 0 to 1.
    #[must_use]
    pub fn chance(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> f64 {
        let threshold = self.theta * self.repulsion.mean(task, node);
        let above = self.repulsion.force(task, node) - threshold;
        if above <= 0.0 { 1.0 } else { exp_of_minus(above / self.temperature) }
    }
}

/// `e^-x` for `x` above 0, to about nine digits. Only additions, products and quotients, each of
/// which is the same on every CPU, as the exponential of a library is not.
fn exp_of_minus(x: f64) -> f64 {
    if x.is_nan() || x > 700.0 {
        return 0.0;
    }
    // e^-x = (e^(-x / 1024))^1024, with five terms of the series for the small exponent.
    let small = -x / 1_024.0;
    let series = 1.0
        + small
            * (1.0 + small / 2.0 * (1.0 + small / 3.0 * (1.0 + small / 4.0 * (1.0 + small / 5.0))));
    (0..10).fold(series, |power, _| power * power)
}

impl Force for Quantum {
    fn name(&self) -> &'static str {
        "quantum"
    }

    fn formula(&self) -> &str {
        "-F, F = G * weight * (load + weight) / capacity; claims at F <= theta * mean F, above it \
         with e^-((F - theta * mean F) / temperature)"
    }

    fn between(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> Pull {
        Pull::rounded(-self.repulsion.force(task, node) * 1e3)
    }

    fn tries(&self) -> bool {
        true
    }

    fn claims(&self, task: &TaskView<'_>, node: &NodeView<'_>, dice: &mut Dice) -> bool {
        dice.unit() < self.chance(task, node)
    }

    fn reason(&self, task: &TaskView<'_>, node: &NodeView<'_>) -> String {
        let (force, chance) = (self.repulsion.force(task, node), self.chance(task, node));
        format!("quantum force {force:.3}, claims with a chance of {chance:.2}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;
    use proptest::prelude::{prop_assert, proptest};

    fn claims(quantum: &Quantum, world: &World, node: usize) -> usize {
        let mut dice = Dice::new(1, "force");
        let (task, node) = (world.task(1.0), world.view(node));
        (0..10_000).filter(|_| quantum.claims(&task, &node, &mut dice)).count()
    }

    #[test]
    fn below_the_threshold_it_always_claims_and_above_by_luck() {
        let mut world = World::default();
        world.node("light").load(10_000);
        world.node("heavy").load(30_000);
        let quantum = Quantum::with(&Given::default());
        assert_eq!(claims(&quantum, &world, 0), 10_000);
        // The force is 0.31, its mean 0.21: e^-1 of 10,000.
        assert!((3_500..3_860).contains(&claims(&quantum, &world, 1)));
    }

    #[test]
    fn an_idle_cluster_starts_and_a_cold_one_never_tunnels() {
        let mut world = World::default();
        world.node("idle");
        assert_eq!(claims(&Quantum::with(&Given::default()), &world, 0), 10_000);
        world.node("heavy").load(90_000);
        let cold = Quantum { temperature: 1e-9, ..Quantum::with(&Given::default()) };
        assert_eq!(claims(&cold, &world, 1), 0);
    }

    proptest! {
        #[test]
        fn the_exponential_is_that_of_the_library_to_nine_digits(x in 0.0..700.0) {
            let (own, library) = (exp_of_minus(x), (-x).exp());
            prop_assert!((own - library).abs() <= 1e-9 * library.max(1e-3), "{own} {library}");
        }
    }
}
