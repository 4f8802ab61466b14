//! What the items of grants and outcomes add up to, and parts of them.

use crate::id::TaskRange;
use crate::message::{GrantItem, OutcomeItem};
use crate::outcome::{Outcome, Usage};
use crate::time::Span;
use crate::weight::Weight;

impl GrantItem {
    /// The weight of all its tasks, in thousandths.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.spec.weight.times(u64::from(self.range.count))
    }

    /// Its priority: higher starts first.
    #[must_use]
    pub fn rank(&self) -> i32 {
        self.spec.body.priority.saturating_add(self.priority)
    }

    /// The weight of each of its tasks.
    #[must_use]
    pub fn each(&self) -> Weight {
        self.spec.weight
    }
}

impl OutcomeItem {
    /// The same for a part of its tasks; what they used is shared out evenly.
    #[must_use]
    pub fn part(&self, part: TaskRange) -> Self {
        let from = part.first - self.range.first;
        let outcome = match &self.outcome {
            Outcome::Succeeded(all) => Outcome::Succeeded(all.part(from, part.count)),
            other => other.clone(),
        };
        let (some, all) = (f64::from(part.count), f64::from(self.range.count));
        let share = |whole: Span| Span((whole.0 as f64 * some / all) as u64);
        let usage =
            Usage { busy: share(self.usage.busy), cpu: share(self.usage.cpu), ..self.usage };
        Self { range: part, outcome, usage, ..self.clone() }
    }
}
