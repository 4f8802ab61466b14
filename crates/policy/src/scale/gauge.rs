//! Turns what is counted at each look into what rules see, and keeps what has to be known from one
//! look to the next. The simulator and a cluster's leader both decide by it, so that they decide
//! alike. Blind spot: work is known by how long tasks took so far.

use bary_model::time::{Moment, Span};

use crate::scale::bounds::Bounds;
use crate::scale::recent::Recent;
use crate::scale::{Change, Rule, ScaleView, decide};

/// What is counted at a look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// The moment.
    pub now: Moment,
    /// Nodes that are there or on their way, without those that are leaving.
    pub nodes: u32,
    /// How many of them run something.
    pub busy: u32,
    /// Tasks that were submitted and have not ended.
    pub open: u64,
    /// How many of those run.
    pub running: u64,
    /// Tasks submitted so far.
    pub tasks: u64,
    /// How heavy they are, all together. It never grows less.
    pub weight: u64,
    /// How many seconds so much as one of that keeps an average node busy.
    pub unit: f64,
}

/// What is known from one look to the next.
#[derive(Clone, Debug, Default)]
pub struct Gauge {
    /// What the rule wanted lately.
    recent: Recent,
    /// The weight at the last look, and when that was.
    seen: u64,
    looked: Moment,
    /// How many nodes the work that arrives keeps busy, on average.
    offered: f64,
    added: Option<Moment>,
    removed: Option<Moment>,
}

impl Gauge {
    /// One that begins to look at a moment, at which so much weight had come, and takes it that
    /// nodes were taken away just then: it knows nothing of what was before.
    #[must_use]
    pub fn since(now: Moment, weight: u64) -> Self {
        Self { seen: weight, looked: now, removed: Some(now), ..Self::default() }
    }

    /// What a rule comes to within its bounds; how much work arrives is measured over `window`.
    /// What it says is taken for done.
    pub fn look(
        &mut self,
        rule: &dyn Rule,
        bounds: &Bounds,
        counted: &Counted,
        window: Span,
    ) -> Change {
        let view = self.view(counted, window);
        let change = decide(rule, bounds, &view, &mut self.recent);
        (self.seen, self.looked) = (counted.weight, counted.now);
        if change.add > 0 {
            self.added = Some(counted.now);
        }
        if change.remove > 0 {
            self.removed = Some(counted.now);
        }
        change
    }

    fn view(&mut self, counted: &Counted, window: Span) -> ScaleView {
        let Counted { now, nodes, busy, open, running, tasks, weight, unit } = *counted;
        // How long so much weight keeps an average node busy.
        let busy_for = |weight: f64| Span::from_secs_f64((weight * unit * 1e3).round() / 1e3);
        let each = weight as f64 / tasks.max(1) as f64;
        let queued = open.saturating_sub(running);
        let past = now.since(self.looked).as_secs_f64().max(1e-9);
        let came = busy_for(weight.saturating_sub(self.seen) as f64).as_secs_f64() / past;
        let part = (past / window.as_secs_f64().max(past)).min(1.0);
        self.offered += (came - self.offered) * part;
        ScaleView {
            now,
            nodes,
            busy,
            queued,
            backlog: busy_for(queued as f64 * each),
            offered: (self.offered * 1e3).round() as u64,
            each: busy_for(each),
            added: self.added,
            removed: self.removed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scale::wait::Wait;

    fn at(seconds: u64) -> Moment {
        Moment(0) + Span::secs(seconds)
    }

    /// Tasks of ten seconds each on nodes of one slot, of which five came each second.
    fn counted(seconds: u64) -> Counted {
        let tasks = 5 * seconds;
        Counted {
            now: at(seconds),
            nodes: 10,
            busy: 10,
            open: 30,
            running: 10,
            tasks,
            weight: tasks * 10_000,
            unit: 1e-3,
        }
    }

    #[test]
    fn what_arrives_and_what_waits_are_told_in_nodes() {
        let mut gauge = Gauge::since(at(100), counted(100).weight);
        let view = gauge.view(&counted(110), Span::secs(10));
        assert_eq!((view.queued, view.backlog), (20, Span::secs(200)));
        assert_eq!((view.offered, view.each), (50_000, Span::secs(10)));
        let mut slow = Gauge::since(at(100), counted(100).weight);
        assert_eq!(
            slow.view(&counted(110), Span::secs(100)).offered,
            5_000,
            "a tenth of it counts"
        );
    }

    #[test]
    fn one_that_has_just_begun_adds_at_once_and_takes_nothing_away() {
        let bounds = Bounds { most: 50, steady: Span::ZERO, ..Bounds::default() };
        let rule = Wait { target: Span::secs(20) };
        let mut gauge = Gauge::since(at(100), counted(100).weight);
        let change = gauge.look(&rule, &bounds, &counted(100), Span::secs(600));
        assert_eq!((change.add, change.remove), (0, 0), "{}", change.reason);
        let more = Counted { open: 500, ..counted(101) };
        assert!(gauge.look(&rule, &bounds, &more, Span::secs(600)).add > 0);
        let idle = |seconds| Counted { open: 0, running: 0, busy: 0, ..counted(100) }.at(seconds);
        let mut gauge = Gauge::since(at(100), counted(100).weight);
        let pause = bounds.pause_remove.as_secs_f64() as u64;
        let early = gauge.look(&rule, &bounds, &idle(99 + pause), Span::secs(1));
        assert_eq!(early.remove, 0, "{}", early.reason);
        assert!(gauge.look(&rule, &bounds, &idle(100 + pause), Span::secs(1)).remove > 0);
    }

    impl Counted {
        fn at(self, seconds: u64) -> Self {
            Self { now: at(seconds), ..self }
        }
    }
}
