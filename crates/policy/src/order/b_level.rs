//! The task with the heaviest path below it first: `key = b-level`, the weight of that path with
//! the task itself. Without dependencies it is heaviest-first, as a b-level is then a weight.
//! Its blind spot is that it counts no transfer times and no room: it assumes nodes to be alike.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The task that opens the heaviest path first.
#[derive(Clone, Copy, Debug, Default)]
pub struct BLevel;

impl Order for BLevel {
    fn name(&self) -> &'static str {
        "b-level"
    }

    fn is_within_jobs(&self) -> bool {
        true
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        as_key(task.b_level)
    }
}
