//! What is seen of a run from outside: where and when each task ran, and what homes took back.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_engine::effect::Effect;
use bary_engine::input::{Input, Request};
use bary_model::id::RunNo;
use bary_model::message::{GrantItem, OutcomeItem, Retract, Say};
use bary_model::outcome::Outcome;
use bary_model::time::{Moment, Span};
use bary_model::weight::Weight;

use crate::lab::dial::Dials;
use crate::lab::shape::{Arrival, Load, Piece};
use crate::plan::Plan;
use crate::tally::Tally;
use crate::watch::{Seen, Watch};

/// The row of tasks that are none of the load's.
pub(crate) const GREETING_ROW: u64 = u64::MAX / 2;

/// What a run looked like.
#[derive(Debug)]
pub struct Log {
    /// Each task's last end, by its number.
    pub tasks: Vec<Fate>,
    /// Ends of tasks beyond the first of each.
    pub repeated: u64,
    /// How often a home asked a node for tasks that it had not started.
    pub steals: u64,
    /// How often the node gave some.
    pub stolen: u64,
    /// How many tasks were given back so.
    pub moved: u64,
    /// Attempts that did not succeed.
    pub failed: u64,
    /// How long each node's slots were busy, all added up.
    pub busy: Vec<Span>,
    /// Tasks that were made while there was room: when, at which home, and what.
    pub made: Vec<(Moment, usize, Weight)>,
    /// From which number on tasks are made.
    drawn: u64,
    /// What was sent since the load's time began.
    pub(crate) sent: Tally,
    /// When the load's time begins.
    zero: Moment,
    /// What the nodes' clocks showed when.
    dials: Dials,
    runs: BTreeMap<(usize, RunNo), Arc<[GrantItem]>>,
}

/// How a task fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// When it began.
    pub start: Moment,
    /// When it ended; no time after the start where it never did.
    pub end: Moment,
    /// Where.
    pub node: u32,
    /// On which slot.
    pub slot: u32,
    /// How often it was run to its end.
    pub ends: u32,
}

impl Log {
    /// A log of nothing yet; the load's time begins at `zero` of the world's, and at most `makes`
    /// tasks are made beyond the load's.
    #[must_use]
    pub fn new(load: &Load, makes: usize, plan: &Plan, zero: Moment) -> Self {
        Self {
            tasks: vec![Fate::default(); load.tasks.len() + makes],
            made: Vec::new(),
            drawn: load.tasks.len() as u64,
            repeated: 0,
            steals: 0,
            stolen: 0,
            moved: 0,
            failed: 0,
            sent: Tally::default(),
            zero,
            busy: vec![Span::ZERO; plan.nodes.len()],
            dials: Dials::new(plan),
            runs: BTreeMap::new(),
        }
    }

    /// How many tasks have not succeeded.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.tasks.iter().filter(|task| task.ends == 0).count() as u64
    }

    /// Leaves out the room for tasks that were not made, and gives the load with those that were.
    #[must_use]
    pub fn completed(&mut self, load: &Load) -> Option<Load> {
        if self.tasks.len() == load.tasks.len() {
            return None;
        }
        self.tasks.truncate(load.tasks.len() + self.made.len());
        let mut load = load.clone();
        for (at, home, weight) in &self.made {
            let (home, first) = (*home, load.tasks.len() as u32);
            load.jobs.push(Arrival { at: *at, home, owner: 0, first, count: 1 });
            load.tasks.push(Piece::plain(*weight));
        }
        load.jobs.sort_by_key(|job| job.at);
        Some(load)
    }

    fn asked(&mut self, at: Moment, node: usize, request: &Request) {
        let Request::Submit(job) = request else { return };
        if let [spec] = &job.specs[..]
            && self.tasks.len() as u64 > self.drawn
            && spec.first_row >= self.drawn
            && spec.first_row != GREETING_ROW
        {
            self.made.push((Moment(at.since(self.zero).0), node, spec.weight));
        }
    }

    fn ended(&mut self, node: usize, run: RunNo, items: &[OutcomeItem]) {
        let Some(granted) = self.runs.remove(&(node, run)) else { return };
        for item in items.iter().filter(|item| item.outcome != Outcome::Returned) {
            let of = granted.iter().find(|one| {
                one.fence == item.fence
                    && (one.range.job, one.range.spec) == (item.range.job, item.range.spec)
            });
            let Some(of) = of else { continue };
            if of.spec.first_row == GREETING_ROW {
                continue;
            }
            self.busy[node] += item.usage.busy;
            if !matches!(item.outcome, Outcome::Succeeded(_)) {
                self.failed += u64::from(item.range.count);
                continue;
            }
            let began = self.dials.world(node, item.usage.began).since(self.zero);
            let each = Span(item.usage.busy.0 / u64::from(item.range.count.max(1)));
            for step in 0..item.range.count {
                let number = of.spec.first_row as usize + (item.range.first + step) as usize;
                let Some(task) = self.tasks.get_mut(number) else { continue };
                self.repeated += u64::from(task.ends > 0);
                if task.ends == 0 {
                    let start = Moment(began.0) + each.times(u64::from(step));
                    let (end, slot) = (start + each, item.usage.slot);
                    *task = Fate { start, end, node: node as u32, slot, ends: 0 };
                }
                task.ends += 1;
            }
        }
    }
}

impl Watch for Log {
    fn see(&mut self, at: Moment, node: usize, seen: Seen<'_>) {
        match seen {
            Seen::Effect(Effect::Start { run, items, .. }) => {
                self.runs.insert((node, *run), Arc::clone(items));
            }
            Seen::Input(Input::Request { request, .. }) => self.asked(at, node, request),
            Seen::Input(Input::Ended { run, items }) => self.ended(node, *run, items),
            Seen::Effect(Effect::Send { frame, .. }) if at >= self.zero => {
                self.sent.sent(frame);
                if let Some((_, message)) = &frame.body {
                    self.said(&message.say);
                }
            }
            Seen::Crashed { .. } | Seen::Dead => self.runs.retain(|(of, _), _| *of != node),
            _ => {}
        }
    }
}

impl Log {
    fn said(&mut self, say: &Say) {
        match say {
            Say::Retract(Retract::Weight { .. }) => self.steals += 1,
            Say::Retracted { items } if !items.is_empty() => {
                self.stolen += 1;
                self.moved += items.iter().map(|(_, range)| u64::from(range.count)).sum::<u64>();
            }
            _ => {}
        }
    }
}
