//! Priority classes and nothing else: `key = 0` inside a class. Classes are strict under every
//! order, so this one says in a policy's name that nothing but them and arrival is to count.
//! Its blind spot is starvation: a class that never runs dry keeps all lower ones waiting.

use crate::order::Order;
use crate::view::TaskView;

/// Only priority classes, and arrival inside a class.
#[derive(Clone, Copy, Debug, Default)]
pub struct Priority;

impl Order for Priority {
    fn name(&self) -> &'static str {
        "priority"
    }

    fn key(&self, _task: &TaskView<'_>) -> i64 {
        0
    }
}
