//! What a driver looks at before it ends a node: whether anything is under way, and whether those
//! who should know of what has ended do.

use crate::engine::Engine;

impl Engine {
    /// Whether this node runs nothing and holds nothing.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.runner.is_idle()
    }

    /// Whether all outcomes of this node are on their way to homes that are there.
    #[must_use]
    pub fn has_reported(&self) -> bool {
        self.runner.has_reported()
    }

    /// Whether the homes of other members that are there have said of all outcomes of this node
    /// that they are durable. One that leaves before would have its last tasks run again.
    #[must_use]
    pub fn has_settled_elsewhere(&self) -> bool {
        self.runner.has_settled_elsewhere(self.out.me)
    }
}
