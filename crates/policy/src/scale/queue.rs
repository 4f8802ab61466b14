//! So many nodes that each has its share of what runs and waits: `wanted = ceil((busy + queued) /
//! per_node)`, as Kubernetes' horizontal pod autoscaler and KEDA divide a metric by its target.
//! Blind spot: it counts tasks, not how long they take, so ten long ones look like ten short ones;
//! and where nothing waits, it sees nothing of what is about to come.

use crate::scale::{Rule, ScaleView, divided};

/// Tasks per node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// How many tasks a node shall have, those that it runs included, in thousandths; at least
    /// what it runs at a time. More is cheaper and waits longer. Defaults to 2 for nodes of one
    /// slot.
    pub per_node: u64,
}

impl Default for Queue {
    fn default() -> Self {
        Self { per_node: 2_000 }
    }
}

impl Rule for Queue {
    fn name(&self) -> &'static str {
        "queue"
    }

    fn wanted(&self, view: &ScaleView) -> (u64, String) {
        let tasks = u64::from(view.busy).saturating_add(view.queued);
        let wanted = divided(tasks.saturating_mul(1_000), self.per_node);
        let each = self.per_node as f64 / 1e3;
        (wanted, format!("{tasks} tasks at {each} a node want {wanted} nodes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::tests::view;

    #[test]
    fn tasks_are_shared_out() {
        let wanted = |busy, queued| Queue::default().wanted(&view(busy, busy, queued)).0;
        assert_eq!([wanted(0, 0), wanted(4, 0), wanted(4, 5), wanted(10, 90)], [0, 2, 5, 50]);
    }

    #[test]
    fn it_does_not_see_how_long_tasks_take() {
        let short = view(4, 4, 10);
        let long = ScaleView { backlog: short.backlog.times(1_000), ..short };
        assert_eq!(Queue::default().wanted(&short), Queue::default().wanted(&long));
    }
}
