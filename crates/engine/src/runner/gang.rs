//! Ranks of gangs: they start at once, all that a grant has, or are given back. None is ever held,
//! as others would wait for it meanwhile, and perhaps it for them.

use std::sync::Arc;

use bary_model::id::ShardId;
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Outcome, Usage};
use bary_model::payload::Payload;

use crate::outbox::Outbox;
use crate::runner::Runner;
use crate::timers::Timers;

impl Runner {
    /// Starts the ranks of each grant, or gives all of them back where there is no room for one.
    pub(super) fn begin_ranks(&mut self, out: &mut Outbox, timers: &mut Timers) {
        if self.ranks.is_empty() {
            return;
        }
        // What is held already goes first where it fits.
        self.fill(out, timers);
        for (home, ranks) in std::mem::take(&mut self.ranks) {
            self.begin_or_return(home, ranks, out, timers);
        }
    }

    fn begin_or_return(
        &mut self,
        home: ShardId,
        ranks: Vec<GrantItem>,
        out: &mut Outbox,
        timers: &mut Timers,
    ) {
        let most = self.limits.passed_over_max;
        if self.has_room_for(&ranks) && self.held.pass_over(&self.free, most) {
            for item in ranks {
                let class = self.held.class_of(&item.spec.body, item.rank());
                self.start(class, home, Arc::new([item]), out, timers);
            }
            return;
        }
        let returned = ranks.into_iter().map(|item| OutcomeItem {
            fence: item.fence,
            range: item.range,
            outcome: Outcome::Returned,
            stderr: Payload::Empty,
            usage: Usage::default(),
        });
        self.report(home, returned.collect(), true, out, timers);
    }

    fn has_room_for(&self, ranks: &[GrantItem]) -> bool {
        let mut free = self.free.clone();
        let runs = self.limits.runs_max.saturating_sub(self.runs.len());
        ranks.len() <= runs
            && ranks.iter().all(|item| {
                let need = &item.spec.body.request.resources;
                let fits = free.fits(need);
                if fits {
                    free.take(need);
                }
                fits
            })
    }
}
