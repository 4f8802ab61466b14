//! The graph of the cluster: asked for where a policy looks at it, and shown to homes.

use bary_policy::topology::Topology;

use crate::effect::Effect;
use crate::engine::Engine;

impl Engine {
    /// Where nodes are in the graph of the cluster, as far as it was found; none where no policy
    /// has looked at it.
    #[must_use]
    pub fn topology(&self) -> Option<&Topology> {
        self.chart.found().map(|topology| &**topology)
    }

    /// Asks for the graph of the cluster where that is due.
    pub(super) fn survey(&mut self) {
        // Only homes place tasks.
        if !self.homes.values().any(|home| home.needs_graph()) {
            return;
        }
        let (limits, now) = (&self.config.limits, self.out.now);
        if let Some(question) = self.chart.question(&self.view, limits, now, &mut self.timers) {
            let (number, nodes) = (question.number, question.nodes);
            self.out.effect(Effect::Plan { number, nodes });
        }
    }

    pub(super) fn on_planned(&mut self, number: u64, topology: Option<Box<Topology>>) {
        if self.chart.answer(number, topology.map(|topology| *topology))
            && let Some(topology) = self.chart.found()
        {
            self.homes.values_mut().for_each(|home| home.on_placed(topology));
        }
    }
}
