//! Why a grant went where it went: the same force, asked about every node.

use std::sync::Arc;

use bary_model::event::{Candidate, Cause, Considered};
use bary_model::id::NodeId;
use bary_policy::view::TaskView;

use crate::home::Home;
use crate::home::grant::task_view;
use crate::home::ready::Entry;

impl Home {
    /// Every node with its score for the first task of a grant, where decisions are explained.
    pub(super) fn consider(
        &mut self,
        entry: &Entry,
        chosen: NodeId,
        cause: Cause,
        ready: u64,
    ) -> Option<Arc<Considered>> {
        if !self.limits.explain {
            return None;
        }
        let totals = self.totals();
        let reads = self.reads(entry);
        let task = TaskView { known: self.foresee(entry, &reads), ..task_view(entry) };
        let layout = self.layout_in_words(entry);
        let candidates = self.accounts.iter().map(|(&node, account)| {
            let view = self.seen(account, entry, &reads, totals);
            let force = &self.policy.force;
            let score = force.between(&task, &view).0;
            let asks = account.parked.is_some() || node == chosen;
            let short = view.info.resources.shortages(&task.request.resources);
            let reason = match short.first() {
                Some(short) => format!("out of the question: {short}"),
                None if !view.info.has_labels(task.request) => {
                    "out of the question: its labels differ".to_owned()
                }
                None if !view.info.offers.has(task.request.function.as_deref()) => {
                    let what = task.request.function.as_deref();
                    what.map_or_else(
                        || "out of the question: it runs no commands".to_owned(),
                        |name| format!("out of the question: it does not offer `{name}`"),
                    )
                }
                None if self.is_drained(node) => "out of the question: drained".to_owned(),
                None if cause != Cause::Pushed && !asks => {
                    let idle = "did not ask: it had no room, or waits at another home";
                    format!("{idle}; {}", force.reason(&task, &view))
                }
                None => force.reason(&task, &view),
            };
            let reason = match &layout {
                Some(layout) if reads.prefers(node) => format!("{reason}; {layout}"),
                Some(layout) => format!("{reason}; {layout}, elsewhere"),
                None => reason,
            };
            Candidate { node, score, reason: reason.into() }
        });
        Some(Arc::new(Considered { cause, candidates: candidates.collect(), ready }))
    }
}
