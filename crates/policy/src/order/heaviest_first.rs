//! The heaviest ready task first: `key = weight`. With a node taking a task whenever it has
//! room this is Graham's LPT, within 4/3 of the shortest makespan when no task waits for another.
//! Its blind spot is a light task that many others wait for, and it trusts declared weights.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The heaviest task first.
#[derive(Clone, Copy, Debug, Default)]
pub struct HeaviestFirst;

impl Order for HeaviestFirst {
    fn name(&self) -> &'static str {
        "heaviest-first"
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        as_key(task.weight.thousandths())
    }
}
