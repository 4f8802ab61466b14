//! So many nodes that the work which arrives is kept up with, and what waits has begun within a
//! target: `wanted = ceil(offered + backlog / target)`, by Little's law (1961): a backlog of `B`
//! seconds of work is gone in `target` if `B / target` nodes do nothing else. Blind spot: it trusts
//! what the last interval brought, so it follows every burst, one start-up too late.

use bary_model::time::Span;

use crate::scale::{Rule, ScaleView, divided};

/// A target for how long tasks wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Within how long what waits shall have begun; longer than a node takes to start, or nodes
    /// are added that come too late. Not zero. Defaults to 2 minutes.
    pub target: Span,
}

impl Default for Wait {
    fn default() -> Self {
        Self { target: Span::secs(120) }
    }
}

impl Rule for Wait {
    fn name(&self) -> &'static str {
        "wait"
    }

    fn wanted(&self, view: &ScaleView) -> (u64, String) {
        let extra = divided(view.backlog.0.saturating_mul(1_000), self.target.0);
        let wanted = view.offered.saturating_add(extra).div_ceil(1_000);
        let why = format!(
            "work for {:.1} nodes arrives, and {:.0} s of it wait and shall have begun in {:.0} s",
            view.offered as f64 / 1e3,
            view.backlog.as_secs_f64(),
            self.target.as_secs_f64(),
        );
        (wanted, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::tests::view;

    #[test]
    fn what_arrives_and_what_waits_add_up() {
        let rule = Wait { target: Span::secs(60) };
        let wanted = |busy, queued| rule.wanted(&view(busy, busy, queued)).0;
        assert_eq!([wanted(0, 0), wanted(4, 0), wanted(4, 6), wanted(4, 7)], [0, 4, 5, 6]);
    }

    #[test]
    fn a_longer_target_wants_fewer() {
        let at = |seconds| Wait { target: Span::secs(seconds) }.wanted(&view(4, 4, 100)).0;
        assert!(at(600) < at(60) && at(60) < at(6));
    }
}
