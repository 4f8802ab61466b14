//! How long each kind of task has taken so far, for tasks of which nobody says how long they take:
//! a mean in which what is newer counts more, by function or program, at speed 1; and how far what
//! was expected by it was off.

use std::collections::BTreeMap;

use bary_model::action::Action;
use bary_model::task::Body;
use bary_model::time::Span;

/// What has been learnt of all kinds.
#[derive(Debug, Default)]
pub struct Learnt {
    kinds: BTreeMap<Box<[u8]>, Mean>,
}

/// What has been learnt of one kind of task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Mean {
    /// How long one should take at speed 1, in seconds.
    pub seconds: f64,
    /// Of how many tasks it was learnt.
    pub tasks: u64,
    /// How many outcomes could be compared with what was expected of them before; tasks that ended
    /// together are one.
    pub predictions: u64,
    /// The sum of how far these were off, each over what it took.
    off: f64,
    /// What was expected when that was last much other than before.
    marked: f64,
}

/// How much of the mean each outcome replaces.
const GAIN: f64 = 0.2;
/// A mean that is so many times what it was, or as much less, is much other.
const MUCH: f64 = 1.5;
/// Kinds that come when there are so many are not learnt.
pub const KINDS_MAX: usize = 10_000;

/// What kind of task a body is: its function's or its program's name; empty where the program is
/// not the same for all its tasks.
#[must_use]
pub fn kind(body: &Body) -> &[u8] {
    match &body.action {
        Action::Function { name, .. } => name.as_bytes(),
        Action::Command { argv } => {
            argv.first().and_then(|word| word.literal_bytes()).unwrap_or(b"")
        }
    }
}

impl Mean {
    /// The mean absolute relative error of what was expected, where anything was.
    #[must_use]
    pub fn error(&self) -> Option<f64> {
        (self.predictions > 0).then(|| self.off / self.predictions as f64)
    }

    fn take_in(&mut self, took: f64, tasks: u32) -> bool {
        self.tasks += u64::from(tasks);
        if self.seconds > 0.0 {
            self.off += (self.seconds - took).abs() / took;
            self.predictions += 1;
            self.seconds += GAIN * (took - self.seconds);
        } else {
            self.seconds = took;
        }
        let other = self.seconds > self.marked * MUCH || self.seconds * MUCH < self.marked;
        if other {
            self.marked = self.seconds;
        }
        other
    }
}

impl Learnt {
    /// Learns that so many tasks kept a slot busy for so long at a speed. Tells whether what is
    /// expected of their kind is now much other than when that was last told.
    pub fn learn(&mut self, body: &Body, tasks: u32, busy: Span, speed: f64) -> bool {
        let took = busy.as_secs_f64() * speed / f64::from(tasks.max(1));
        if took <= 0.0 {
            return false;
        }
        let kind = kind(body);
        if let Some(mean) = self.kinds.get_mut(kind) {
            return mean.take_in(took, tasks);
        }
        let room = self.kinds.len() < KINDS_MAX;
        room && self.kinds.entry(kind.into()).or_default().take_in(took, tasks)
    }

    /// How long a task of this body should take at speed 1, if that has been learnt.
    #[must_use]
    pub fn predict(&self, body: &Body) -> Option<Span> {
        self.kinds.get(kind(body)).map(|mean| Span::from_secs_f64(mean.seconds))
    }

    /// All kinds, by name.
    pub fn kinds(&self) -> impl Iterator<Item = (&[u8], &Mean)> {
        self.kinds.iter().map(|(kind, mean)| (&**kind, mean))
    }

    /// The mean absolute relative error over all kinds, and of how many outcomes.
    #[must_use]
    pub fn error(&self) -> Option<(f64, u64)> {
        let sum = |(off, count), mean: &Mean| (off + mean.off, count + mean.predictions);
        let (off, count) = self.kinds.values().fold((0.0, 0), sum);
        (count > 0).then(|| (off / count as f64, count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(name: &str) -> Body {
        Body::new(Action::Function { name: name.into(), args: Vec::new() })
    }

    #[test]
    fn each_kind_has_a_mean_of_its_own_at_speed_one() {
        let mut learnt = Learnt::default();
        assert_eq!(learnt.predict(&body("f")), None);
        learnt.learn(&body("f"), 4, Span::secs(2), 2.0);
        learnt.learn(&body("g"), 1, Span::secs(9), 1.0);
        assert_eq!(learnt.predict(&body("f")), Some(Span::secs(1)));
        learnt.learn(&body("f"), 1, Span::secs(2), 1.0);
        assert_eq!(learnt.predict(&body("f")), Some(Span::millis(1_200)));
        assert_eq!(learnt.predict(&body("g")), Some(Span::secs(9)));
        let tasks: Vec<u64> = learnt.kinds().map(|(_, mean)| mean.tasks).collect();
        assert_eq!(tasks, [5, 1]);
    }

    #[test]
    fn what_is_much_other_is_told_once() {
        let mut learnt = Learnt::default();
        let mut learn = |seconds| learnt.learn(&body("f"), 1, Span::secs(seconds), 1.0);
        let told = [10, 11, 9, 60, 60, 60].map(&mut learn);
        assert_eq!(told, [true, false, false, true, false, true]);
    }

    #[test]
    fn the_error_is_that_of_what_was_predicted() {
        let mut learnt = Learnt::default();
        learnt.learn(&body("f"), 1, Span::secs(1), 1.0);
        learnt.learn(&body("g"), 1, Span::secs(5), 1.0);
        assert_eq!(learnt.error(), None, "nothing was predicted of the first");
        learnt.learn(&body("f"), 1, Span::secs(2), 1.0);
        assert_eq!(learnt.error(), Some((0.5, 1)));
        let errors: Vec<Option<f64>> = learnt.kinds().map(|(_, mean)| mean.error()).collect();
        assert_eq!(errors, [Some(0.5), None]);
    }
}
