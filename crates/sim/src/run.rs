//! What an executor does in virtual time: runs that take as long as their tasks weigh, fail, hang
//! or stay silent as they are told, and return what their budget leaves over. Tasks of a range
//! that fare alike are planned as one part, so that a million of them cost no more than one.

use std::sync::Arc;

use bary_engine::effect::Why;
use bary_model::id::{SpecNo, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};

use crate::fates::Course;

/// Tasks of one item, one after another, that fare alike.
#[derive(Debug)]
struct Part {
    item: u32,
    first: u32,
    count: u32,
    began: Moment,
    /// How long each of them takes.
    each: Span,
    course: Course,
}

/// One run that goes on.
#[derive(Debug)]
pub(crate) struct Run {
    slot: u32,
    items: Arc<[GrantItem]>,
    parts: Vec<Part>,
    /// How many of the parts the budget lets begin.
    begun: usize,
    /// How often it shows life, where that is asked for and it does.
    pub(crate) beats: Option<Span>,
}

/// A run as it is being planned.
struct Planning {
    parts: Vec<Part>,
    begun: usize,
    /// When the next task begins; none after one that does not end.
    at: Option<Moment>,
    limit: Moment,
}

impl Run {
    /// Plans a run that begins now: its tasks one after another, as far as its budget goes.
    /// `unit` is how long one unit of weight takes, in seconds; `course_of` says how a task
    /// fares, or nothing where all tasks of all items are plain.
    pub(crate) fn new(
        (slot, items): (u32, Arc<[GrantItem]>),
        (now, budget): (Moment, Span),
        unit: f64,
        mut course_of: Option<impl FnMut(&GrantItem, u32) -> Course>,
    ) -> Self {
        let parts = Vec::with_capacity(items.len());
        let mut plan = Planning { parts, begun: 0, at: Some(now), limit: now + budget };
        for (number, item) in (0..).zip(&*items) {
            let busy = item.each().units() * unit;
            let range = item.range;
            match &mut course_of {
                None => plan.add(number, (range.first, range.count), busy, Course::default()),
                Some(course_of) => {
                    for index in range.first..range.end() {
                        let course = course_of(item, index);
                        let busy = busy * course.effort();
                        plan.add(number, (index, 1), busy, course);
                    }
                }
            }
        }
        let Planning { parts, begun, .. } = plan;
        let silence = items[0].spec.body.heartbeat_timeout;
        let silent = parts[..begun].iter().any(|part| part.course.silent);
        let beats = silence.filter(|_| !silent).map(|silence| Span((silence.0 / 2).max(1)));
        Self { slot, items, parts, begun, beats }
    }

    /// What it runs, one after another.
    pub(crate) fn items(&self) -> &[GrantItem] {
        &self.items
    }

    /// Its first task, which is begun.
    pub(crate) fn first(&self) -> TaskId {
        self.items[0].range.head()
    }

    /// When it began.
    pub(crate) fn began(&self) -> Moment {
        self.parts[0].began
    }

    /// How many bytes the result of each task of a spec has that it runs, as far as that is said.
    pub(crate) fn output_of(&self, spec: SpecNo) -> u64 {
        let item = self.items.iter().find(|item| item.range.spec == spec);
        item.map_or(0, |item| item.spec.output)
    }

    /// When it is over by itself, if ever.
    pub(crate) fn over(&self) -> Option<Moment> {
        self.parts[self.begun - 1].until()
    }

    /// The task with which it takes its node down when it is over, if it does; with its shard.
    pub(crate) fn poison(&self) -> Option<(u64, TaskId)> {
        let last = &self.parts[self.begun - 1];
        let item = &self.items[last.item as usize];
        let task = TaskId { index: last.first, ..item.range.head() };
        last.course.poison.then_some((item.fence.shard.0, task))
    }

    /// Whether it heeds a request to end.
    pub(crate) fn heeds(&self, now: Moment) -> bool {
        let begun = &self.parts[..self.begun];
        let current = begun.iter().find(|part| part.until().is_none_or(|until| until > now));
        current.is_none_or(|part| !part.course.hangs)
    }

    /// How its tasks ended: by themselves, or because it was stopped now. `clock` turns a moment
    /// of the world into one of its node.
    pub(crate) fn outcomes(
        &self,
        now: Moment,
        why: Option<Why>,
        clock: impl Fn(Moment) -> Moment,
    ) -> Vec<OutcomeItem> {
        let mut told = Told { run: self, items: Vec::with_capacity(self.items.len()), clock };
        let mut over = false;
        for (number, part) in self.parts.iter().enumerate() {
            if over || number >= self.begun {
                told.returned(part, part.first, part.count);
                continue;
            }
            let done = match why {
                Some(_) => part.done(now),
                None => part.count,
            };
            told.ended(part, done);
            if let Some(why) = why.filter(|_| done < part.count) {
                over = true;
                told.cut_off(part, part.first + done, now, why);
                told.returned(part, part.first + done + 1, part.count - done - 1);
            }
        }
        told.items
    }
}

impl Planning {
    fn add(&mut self, item: u32, (first, count): (u32, u32), busy: f64, course: Course) {
        let each = Span::from_secs_f64(busy);
        let begun = match self.at {
            Some(at) => self.affordable(at, each, count),
            None => 0,
        };
        let began = self.at.unwrap_or(self.limit);
        if begun > 0 {
            let ends = !course.hangs;
            let fatal = course.poison;
            let part = Part { item, first, count: begun, began, each, course: course.clone() };
            self.at = part.until().filter(|_| ends && !fatal);
            self.parts.push(part);
            self.begun = self.parts.len();
        }
        if begun < count {
            self.at = None;
            let (first, count) = (first + begun, count - begun);
            self.parts.push(Part { item, first, count, began, each, course });
        }
    }

    /// How many tasks may begin before the limit; the first of a run always may.
    fn affordable(&self, at: Moment, each: Span, count: u32) -> u32 {
        let room = self.limit.since(at).0;
        let begin = match each.0 {
            0 if room > 0 => u64::from(count),
            each => room.div_ceil(each.max(1)),
        };
        let least = u64::from(self.parts.is_empty());
        begin.max(least).min(u64::from(count)) as u32
    }
}

impl Part {
    fn until(&self) -> Option<Moment> {
        let all = self.each.times(u64::from(self.count));
        (!self.course.hangs).then(|| self.began + all)
    }

    /// How many of its tasks have ended by themselves.
    fn done(&self, now: Moment) -> u32 {
        match self.until() {
            Some(until) if until <= now => self.count,
            Some(_) => (now.since(self.began).0 / self.each.0.max(1)) as u32,
            None => 0,
        }
    }
}

/// Outcomes as they are gathered; neighbours that ended alike become one item.
struct Told<'a, C> {
    run: &'a Run,
    items: Vec<OutcomeItem>,
    clock: C,
}

impl<C: Fn(Moment) -> Moment> Told<'_, C> {
    fn ended(&mut self, part: &Part, count: u32) {
        let detail = self.run.items[part.item as usize].spec.body.detail;
        let steps = if detail { count } else { u32::from(count > 0) };
        for step in 0..steps {
            let count = if detail { 1 } else { count };
            let began = part.began + part.each.times(u64::from(step));
            let outcome = self.natural(part, part.first + step, count);
            let busy = part.each.times(u64::from(count));
            self.add(part, (part.first + step, count), outcome, (began, busy));
        }
    }

    fn natural(&self, part: &Part, first: u32, count: u32) -> Outcome {
        match &part.course.failure {
            Some(failure) => {
                Outcome::Failed { failure: (**failure).clone(), output: Payload::Empty }
            }
            None if self.run.items[part.item as usize].spec.body.keep_results => {
                Outcome::Succeeded(Results::Each((first..first + count).map(result).collect()))
            }
            None => Outcome::Succeeded(Results::Nothing),
        }
    }

    fn cut_off(&mut self, part: &Part, index: u32, now: Moment, why: Why) {
        let failure = match why {
            Why::Cancel => None,
            Why::Timeout => Some(Failure::TimedOut),
            Why::Silent => Some(Failure::Silent),
        };
        let outcome = failure.map_or(Outcome::Stopped, |failure| Outcome::Failed {
            failure,
            output: Payload::Empty,
        });
        let began = part.began + part.each.times(u64::from(index - part.first));
        let began = began.min(now);
        self.add(part, (index, 1), outcome, (began, now.since(began)));
    }

    fn returned(&mut self, part: &Part, first: u32, count: u32) {
        if count > 0 {
            self.add(part, (first, count), Outcome::Returned, (part.began, Span::ZERO));
        }
    }

    fn add(
        &mut self,
        part: &Part,
        (first, count): (u32, u32),
        outcome: Outcome,
        (began, busy): (Moment, Span),
    ) {
        let item = &self.run.items[part.item as usize];
        if let Some(last) = self.items.last_mut()
            && last.fence == item.fence
            && (last.range.spec, last.range.end()) == (item.range.spec, first)
            && last.range.job == item.range.job
            && !item.spec.body.detail
            && join(&mut last.outcome, &outcome)
        {
            last.range.count += count;
            last.usage.busy += busy;
            return;
        }
        let began = (self.clock)(began);
        let usage = Usage { began, busy, slot: self.run.slot, ..Usage::default() };
        let (fence, range) = (item.fence, item.range.with(first, count));
        self.items.push(OutcomeItem { fence, range, outcome, stderr: Payload::Empty, usage });
    }
}

/// Adds an outcome to that of the neighbours before it, where they ended alike.
fn join(last: &mut Outcome, next: &Outcome) -> bool {
    match (last, next) {
        (Outcome::Succeeded(Results::Each(all)), Outcome::Succeeded(Results::Each(more))) => {
            all.extend_from_slice(more);
            true
        }
        (Outcome::Succeeded(Results::Nothing), Outcome::Succeeded(Results::Nothing))
        | (Outcome::Returned, Outcome::Returned) => true,
        _ => false,
    }
}

/// What the task of this index gives, where results are kept.
#[must_use]
pub fn result(index: u32) -> Payload {
    Payload::Inline(index.to_le_bytes().to_vec().into())
}
