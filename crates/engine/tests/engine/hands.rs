//! Hands for engines in virtual time: runs that take as long as their tasks weigh, fail, hang or
//! stay silent as they are told, and return what their budget leaves over.

use bary_model::id::TaskId;
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Outcome, Results, Usage};
use bary_model::payload::Payload;
use bary_model::time::{Moment, Span};

use bary_engine::effect::Why;

/// What becomes of one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    /// How many times longer it takes than its weight says.
    pub(crate) effort: f64,
    /// How it fails, if it does.
    pub(crate) failure: Option<Failure>,
    /// It does not end by itself, and not when it is asked either.
    pub(crate) hangs: bool,
    /// It shows no life.
    pub(crate) silent: bool,
}

impl Course {
    /// As long as the weight says, and then a failure if there is one.
    pub(crate) fn of(failure: Option<Failure>) -> Self {
        Self { effort: 1.0, failure, hangs: false, silent: false }
    }
}

/// One task of a run: when it ends, if it is begun at all.
#[derive(Debug)]
struct Part {
    item: usize,
    index: u32,
    began: Moment,
    until: Option<Moment>,
    course: Course,
}

/// One run that goes on.
#[derive(Debug)]
pub(crate) struct Run {
    items: Vec<GrantItem>,
    parts: Vec<Part>,
    /// How many of the parts the budget lets begin.
    begun: usize,
    pub(crate) beats: Option<Span>,
}

impl Run {
    /// Plans a run: its tasks one after another, as far as its budget goes.
    pub(crate) fn new(
        items: Vec<GrantItem>,
        now: Moment,
        budget: Span,
        span_of: impl Fn(&GrantItem) -> f64,
        fate: &dyn Fn(&GrantItem, TaskId) -> Course,
    ) -> Self {
        let (mut at, mut begun, mut parts) = (Some(now), 0, Vec::new());
        for (item, granted) in items.iter().enumerate() {
            for task in granted.range.tasks() {
                let course = fate(granted, task);
                let began = at.unwrap_or(now);
                if at.is_some_and(|at| parts.is_empty() || at < now + budget) {
                    begun += 1;
                    let busy = Span::from_secs_f64(span_of(granted) * course.effort);
                    at = at.filter(|_| !course.hangs).map(|at| at + busy);
                }
                parts.push(Part { item, index: task.index, began, until: at, course });
            }
        }
        let silence = items[0].spec.body.heartbeat_timeout;
        let silent = parts[..begun].iter().any(|part| part.course.silent);
        let beats = silence.filter(|_| !silent).map(|silence| Span(silence.0 / 2));
        Self { items, parts, begun, beats }
    }

    /// When it is over by itself, if ever.
    pub(crate) fn over(&self) -> Option<Moment> {
        self.parts[self.begun - 1].until
    }

    /// Whether it heeds a request to end.
    pub(crate) fn heeds(&self, now: Moment) -> bool {
        self.current(now).is_none_or(|part| !part.course.hangs)
    }

    fn current(&self, now: Moment) -> Option<&Part> {
        self.parts[..self.begun].iter().find(|part| part.until.is_none_or(|until| until > now))
    }

    /// How its tasks ended: neighbours that ended alike in one item, as executors report them.
    pub(crate) fn outcomes(&self, now: Moment, why: Option<Why>) -> Vec<OutcomeItem> {
        let mut outcomes: Vec<OutcomeItem> = Vec::new();
        let stopped = self.current(now).map(|part| (part.item, part.index));
        let mut over = false;
        for (at, part) in self.parts.iter().enumerate() {
            let hit = stopped == Some((part.item, part.index));
            let returned = over || at >= self.begun;
            let outcome = match why {
                _ if returned => Outcome::Returned,
                Some(why) if hit => cut_off(why),
                _ => self.natural(part),
            };
            over |= hit;
            let mut busy = Span::ZERO;
            if !returned {
                busy = part.until.map_or(now, |until| until.min(now)).since(part.began);
            }
            self.add(&mut outcomes, part, outcome, busy);
        }
        outcomes
    }

    fn natural(&self, part: &Part) -> Outcome {
        match &part.course.failure {
            Some(failure) => Outcome::Failed { failure: failure.clone(), output: Payload::Empty },
            None if self.items[part.item].spec.body.keep_results => {
                Outcome::Succeeded(Results::Each(vec![result(part.index)]))
            }
            None => Outcome::Succeeded(Results::Nothing),
        }
    }

    fn add(&self, outcomes: &mut Vec<OutcomeItem>, part: &Part, outcome: Outcome, busy: Span) {
        let item = &self.items[part.item];
        if let Some(last) = outcomes.last_mut()
            && last.fence == item.fence
            && last.range.end() == part.index
            && last.range.spec == item.range.spec
            && !item.spec.body.detail
        {
            let joined = match (&mut last.outcome, &outcome) {
                (Outcome::Succeeded(Results::Each(all)), Outcome::Succeeded(more)) => {
                    all.push(more.at(0));
                    true
                }
                (Outcome::Succeeded(_), Outcome::Succeeded(_))
                | (Outcome::Returned, Outcome::Returned) => true,
                _ => false,
            };
            if joined {
                last.range.count += 1;
                last.usage.busy += busy;
                return;
            }
        }
        let usage = Usage { began: part.began, busy, ..Usage::default() };
        let range = item.range.with(part.index, 1);
        let (fence, stderr) = (item.fence, Payload::Empty);
        outcomes.push(OutcomeItem { fence, range, outcome, stderr, usage });
    }
}

fn cut_off(why: Why) -> Outcome {
    let failure = match why {
        Why::Cancel => return Outcome::Stopped,
        Why::Timeout => Failure::TimedOut,
        Why::Silent => Failure::Silent,
    };
    Outcome::Failed { failure, output: Payload::Empty }
}

/// What the task of this index gives, where results are kept.
pub(crate) fn result(index: u32) -> Payload {
    Payload::Inline(index.to_le_bytes().to_vec().into())
}
