//! Starting runs: one command at a time on a slot, short functions several at a time.

use std::sync::Arc;

use bary_model::action::Action;
use bary_model::id::{RunNo, ShardId};
use bary_model::message::GrantItem;
use bary_model::time::Span;

use crate::effect::Effect;
use crate::outbox::Outbox;
use crate::runner::{Runner, Running};
use crate::timers::{Timer, Timers};

impl Runner {
    /// Starts whatever there is room for.
    pub(super) fn fill(&mut self, out: &mut Outbox, timers: &mut Timers) {
        while self.runs.len() < self.limits.runs_max
            && let Some(class) = self.held.next(&self.free, self.limits.passed_over_max)
        {
            let Some((home, items)) = self.take_run(class) else { break };
            self.start(class, home, items, out, timers);
        }
    }

    /// Takes the tasks of one run off a class: as many as should take `run_span`, and never more
    /// than a fair part of what is held, so that slots end together.
    fn take_run(&mut self, class: usize) -> Option<(ShardId, Arc<[GrantItem]>)> {
        let wanted = self.run_size(class);
        let first = self.held.take(class, wanted)?;
        let home = first.home;
        let mut left = wanted - first.item.range.count.min(wanted);
        if left == 0 {
            return Some((home, Arc::new([first.item])));
        }
        let mut items = vec![first.item];
        while left > 0 {
            let same_home = |held: &super::held::HeldItem| held.home == home;
            if !self.held.classes[class].queue.front().is_some_and(same_home) {
                break;
            }
            let Some(next) = self.held.take(class, left) else { break };
            left -= next.item.range.count;
            items.push(next.item);
        }
        Some((home, items.into()))
    }

    fn run_size(&self, class: usize) -> u32 {
        let class = &self.held.classes[class];
        let Some(head) = class.queue.front() else { return 1 };
        let body = &head.item.spec.body;
        let Some(each) = class.expects(head.item.each().thousandths()) else { return 1 };
        if body.detail {
            return 1;
        }
        let span = match body.action {
            Action::Command { .. } => self.limits.command_run_span,
            Action::Function { .. } => self.limits.run_span,
        };
        let by_time = span.0 / each.0.max(1);
        let at_once = self.info.resources.times(&class.request.resources).max(1);
        let by_share = class.tasks / at_once.saturating_mul(2);
        by_time.min(by_share).clamp(1, u64::from(self.limits.run_tasks_max)) as u32
    }

    pub(super) fn start(
        &mut self,
        class: usize,
        home: ShardId,
        items: Arc<[GrantItem]>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        self.last_run += 1;
        let run = RunNo(self.last_run);
        let slot = self.free_slots.take();
        let body = &items[0].spec.body;
        self.free.take(&body.request.resources);
        // A run of several goes on for its budget and then one task more.
        let several = items.len() > 1 || items[0].range.count > 1;
        let budget = if several { self.limits.run_span.times(4) } else { Span::ZERO };
        let timeout = timers.set(out.now + body.timeout + budget, Timer::Timeout(run));
        let mut keys = Vec::new();
        if let Some(silence) = body.heartbeat_timeout {
            keys.push(timers.set(out.now + silence + budget, Timer::Silence(run)));
        }
        let weight = items.iter().map(GrantItem::weight).sum();
        let expected_end = self.held.classes[class].expects(weight).map(|span| out.now + span);
        let running = Running {
            home,
            slot,
            class,
            items: Arc::clone(&items),
            expected_end,
            heard: out.now,
            timeout,
            timers: keys,
            stopping: None,
            cancelled: Vec::new(),
            give_back: Vec::new(),
        };
        self.runs.insert(run, running);
        out.effect(Effect::Start { run, slot, items, budget });
    }
}
