//! The lightest ready task first: `key = -weight`. It gives the lowest mean time to a result.
//! Its blind spot is the makespan: the heaviest tasks start when the other nodes are done.

use crate::order::{Order, as_key};
use crate::view::TaskView;

/// The lightest task first.
#[derive(Clone, Copy, Debug, Default)]
pub struct LightestFirst;

impl Order for LightestFirst {
    fn name(&self) -> &'static str {
        "lightest-first"
    }

    fn key(&self, task: &TaskView<'_>) -> i64 {
        -as_key(task.weight.thousandths())
    }
}
