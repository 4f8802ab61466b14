//! What a job will take on given nodes with each policy, by living it in virtual time. Weights
//! are all that is known of how long tasks run.

use bary_model::id::NodeId;
use bary_model::job::JobSpec;
use bary_model::node::NodeInfo;
use bary_model::time::{Moment, Span};

use crate::plan::ready::ACQUAINTED_MAX;
use crate::plan::world::even;
use crate::plan::{JobPlan, NodePlan, Plan};
use crate::report::Verdict;
use crate::world;

/// When the job is submitted: all nodes have met by then.
const ZERO: Moment = Moment(1_000_000_000);

/// What is foretold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// How long the job takes.
    pub makespan: Span,
    /// How evenly nodes are busy, as in every report.
    pub balance: f64,
    /// Messages between nodes.
    pub messages: u64,
}

/// Why nothing is foretold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutlookError {
    /// No node can run some task.
    #[error("no node can run every task of the job: {name} needs more than any has")]
    Room {
        /// The task, or its position.
        name: String,
    },
    /// There are more tasks than are simulated.
    #[error("the job has {tasks} tasks, more than scenario_tasks_max = {most}")]
    Tasks {
        /// How many.
        tasks: u64,
        /// How many there may be.
        most: u64,
    },
    /// The simulated run did not come to its end.
    #[error("with {policy} the simulated job did not end")]
    Endless {
        /// The policy.
        policy: String,
    },
}

/// Lives a job on nodes that are one millisecond apart; the first is its home. A unit of weight
/// takes `unit` at speed 1.
///
/// # Errors
/// Where some task fits no node, there are too many, or the run did not end.
pub fn outlook(
    job: &JobSpec,
    nodes: &[NodeInfo],
    unit: Span,
    policy: &str,
    seed: u64,
) -> Result<Outlook, OutlookError> {
    let most = super::limits::TASKS_MAX;
    if job.tasks() > most {
        return Err(OutlookError::Tasks { tasks: job.tasks(), most });
    }
    for (number, spec) in job.specs.iter().enumerate() {
        if !nodes.iter().any(|node| node.can_run(&spec.body.request)) {
            let unnamed = || format!("task {number}");
            let name = Some(&*spec.name).filter(|name| !name.is_empty());
            return Err(OutlookError::Room { name: name.map_or_else(unnamed, str::to_owned) });
        }
    }
    let mut plan = Plan::plain(1, 1, 0, policy);
    plan.seed = seed;
    plan.nodes = nodes.iter().enumerate().map(|(id, info)| node(id, info)).collect();
    plan.acquainted = plan.nodes.len() <= ACQUAINTED_MAX;
    plan.network = even(Span::millis(1));
    plan.unit = unit;
    let mut spec = job.clone();
    // It is foretold as if it began now and nobody waited.
    (spec.about.held, spec.about.not_before, spec.key) = (false, None, None);
    plan.jobs = vec![JobPlan::new(ZERO, 0, spec)];
    let report = world::run(&plan, None, None);
    if report.unfinished > 0 || !matches!(report.verdict, Verdict::Rest | Verdict::Late) {
        return Err(OutlookError::Endless { policy: policy.to_owned() });
    }
    Ok(Outlook {
        makespan: (Moment(0) + report.makespan).since(ZERO),
        balance: report.balance,
        messages: report.messages.iter().sum(),
    })
}

fn node(id: usize, info: &NodeInfo) -> NodePlan {
    let info = NodeInfo { id: NodeId(id as u64), ..info.clone() };
    NodePlan { info, region: 0, home: id == 0, drift: 0 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bary_model::task::TaskSpec;

    use super::*;
    use crate::plan::ready::{function, job};
    use crate::plan::world::node as one;

    #[test]
    fn eight_equal_tasks_take_two_turns_on_four_nodes_and_what_fits_nowhere_is_told() {
        let nodes: Vec<NodeInfo> = (0..4).map(|id| one(id, 1, 1.0, true).info).collect();
        let body = Arc::new(function("work"));
        let spec = |count| TaskSpec { count, array: true, ..TaskSpec::new(Arc::clone(&body)) };
        let told = outlook(&job(vec![spec(8)]), &nodes, Span::secs(1), "gravity", 1);
        let took = told.map(|told| told.makespan.as_secs_f64());
        assert!(took.as_ref().is_ok_and(|took| (2.0..2.1).contains(took)), "{took:?}");
        let mut large = function("work");
        large.request.resources.milli_cpus = 9_000;
        let large = job(vec![TaskSpec::new(Arc::new(large))]);
        let told = outlook(&large, &nodes, Span::secs(1), "gravity", 1);
        assert_eq!(told, Err(OutlookError::Room { name: "task 0".into() }));
    }
}
