//! The task whose owner's turn comes first: `key = -turn`, the virtual time at which start-time
//! fair queueing would start it (Goyal, Vin and Cheng, 1996): an owner's tasks follow each other
//! at a distance of weight over share, so that owners with equal shares advance alike, however
//! many tasks each has. The home says when turns come; a task without one is first. Blind spots:
//! the makespan, and resources other than work; `queue=fair` counts those.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The owner that is farthest behind first.
#[derive(Clone, Copy, Debug, Default)]
pub struct FairShare;

/// When the next task of an owner may start, who had a turn at `turn` with a task of `weight`
/// thousandths and whose share weighs `share` thousandths, at least 1.
#[must_use]
pub fn next_turn(turn: u64, weight: u64, share: u64) -> u64 {
    let distance = u128::from(weight) * 1_000 / u128::from(share.max(1));
    turn.saturating_add(u64::try_from(distance).unwrap_or(u64::MAX))
}

impl Order for FairShare {
    fn name(&self) -> &'static str {
        "fair-share"
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        -as_key(task.known.turn.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::Foresight;
    use crate::world::World;

    #[test]
    fn an_owner_with_twice_the_share_has_two_turns_for_one() {
        let world = World::default();
        let mut tasks = Vec::new();
        for (owner, share) in [("ann", 2_000), ("bob", 1_000)] {
            let mut turn = 0;
            for _ in 0..6 {
                let known = Foresight { turn: Some(turn), ..Foresight::default() };
                tasks.push((FairShare.key(&TaskView { known, ..world.task(1.0) }), owner));
                turn = next_turn(turn, 1_000, share);
            }
        }
        tasks.sort_by_key(|(key, owner)| (std::cmp::Reverse(*key), *owner));
        let first: Vec<&str> = tasks.iter().take(9).map(|(_, owner)| *owner).collect();
        assert_eq!(first.iter().filter(|owner| **owner == "ann").count(), 6, "{first:?}");
    }
}
