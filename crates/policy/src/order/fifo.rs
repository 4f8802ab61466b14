//! First come, first served: `key = 0`, so only the order of arrival counts.
//! Its blind spot is a heavy task that came last: all other nodes wait for it at the end.

use crate::order::Order;
use crate::view::TaskView;

/// Tasks in the order in which they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fifo;

impl Order for Fifo {
    fn name(&self) -> &'static str {
        "fifo"
    }

    fn key(&self, _task: &TaskView<'_>) -> i64 {
        0
    }
}
