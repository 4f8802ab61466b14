//! When it was in the world that a node's clock, which drifts and jumps, showed some time.

use bary_model::time::Moment;

use crate::clock::Clock;
use crate::plan::{FaultKind, Plan};

/// The clocks of all nodes over a whole run.
#[derive(Debug)]
pub(crate) struct Dials {
    /// For each node its clock from each jump on, the last first; nothing where all are right.
    nodes: Vec<Vec<(Moment, Clock)>>,
}

impl Dials {
    /// The clocks of a plan.
    pub(crate) fn new(plan: &Plan) -> Self {
        let jumps = |fault: &FaultKind| matches!(fault, FaultKind::Jump { .. });
        let right = plan.nodes.iter().all(|node| node.drift == 0)
            && !plan.faults.iter().any(|fault| jumps(&fault.kind));
        if right {
            return Self { nodes: Vec::new() };
        }
        let begun = |drift| vec![(Moment(0), Clock::new(drift))];
        let mut nodes: Vec<_> = plan.nodes.iter().map(|node| begun(node.drift)).collect();
        let mut faults: Vec<_> = plan.faults.iter().collect();
        faults.sort_by_key(|fault| fault.at);
        for fault in faults {
            let FaultKind::Jump { node, by } = fault.kind else { continue };
            let mut clock = nodes[node][0].1;
            clock.jump(fault.at, by);
            nodes[node].insert(0, (fault.at, clock));
        }
        Self { nodes }
    }

    /// The moment of the world at which a node's clock showed this.
    pub(crate) fn world(&self, node: usize, shown: Moment) -> Moment {
        let Some(clocks) = self.nodes.get(node) else { return shown };
        let of = |(since, clock): &(Moment, Clock)| {
            (clock.shows(*since) <= shown).then(|| clock.when(*since, shown))
        };
        clocks.iter().find_map(of).unwrap_or(shown)
    }
}
