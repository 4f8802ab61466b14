//! How long tasks take by function or program, as far as they have run, and how far off that was
//! as a prediction. Homes whose policy goes by it learn the same from the same outcomes.

use bary_model::event::Ended;
use bary_model::outcome::End;
use bary_model::task::Body;
use bary_policy::learnt::Learnt;

use crate::options::NodeOptions;

/// What has been learnt of run times.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    pub(crate) learnt: Learnt,
    /// How fast the nodes are that a cluster is started with; others have speed 1.
    speeds: Vec<f64>,
}

impl Learning {
    /// Nothing so far, on these nodes.
    pub(crate) fn on(nodes: &[NodeOptions]) -> Self {
        let speeds = nodes.iter().map(|node| node.speed).collect();
        Self { learnt: Learnt::default(), speeds }
    }

    /// Learns from tasks that ended, unless they failed or were not run at all.
    pub(crate) fn on_ended(&mut self, body: &Body, ended: &Ended) {
        if ended.end != End::Succeeded || ended.usage.cached {
            return;
        }
        let speed = self.speeds.get(ended.node.index()).copied().unwrap_or(1.0);
        self.learnt.learn(body, ended.range.count, ended.usage.busy, speed);
    }
}
