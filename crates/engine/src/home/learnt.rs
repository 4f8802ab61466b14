//! How long each kind of task has taken so far, for tasks of which nobody says how long they take:
//! a mean in which what is newer counts more, by function or program, at speed 1.

use std::collections::BTreeMap;

use bary_model::action::Action;
use bary_model::task::Body;
use bary_model::time::Span;

/// What has been learnt, and how far predictions were off.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    seconds: BTreeMap<Box<[u8]>, f64>,
    /// The sum of relative errors, and how many predictions there were.
    errors: (f64, u64),
}

/// How much of the mean each outcome replaces.
const GAIN: f64 = 0.2;
/// Kinds that come when there are so many are not learnt.
const KINDS_MAX: usize = 10_000;

/// What kind of task a body is: its function's or its program's name.
fn kind(body: &Body) -> &[u8] {
    match &body.action {
        Action::Function { name, .. } => name.as_bytes(),
        Action::Command { argv } => {
            argv.first().and_then(|word| word.literal_bytes()).unwrap_or(b"")
        }
    }
}

impl Learnt {
    /// Learns that so many tasks kept a slot busy for so long at a speed.
    pub(super) fn learn(&mut self, body: &Body, tasks: u32, busy: Span, speed: f64) {
        let took = busy.as_secs_f64() * speed / f64::from(tasks.max(1));
        if took <= 0.0 {
            return;
        }
        let kind = kind(body);
        if let Some(mean) = self.seconds.get_mut(kind) {
            self.errors.0 += (*mean - took).abs() / took;
            self.errors.1 += 1;
            *mean += GAIN * (took - *mean);
        } else if self.seconds.len() < KINDS_MAX {
            self.seconds.insert(kind.into(), took);
        }
    }

    /// How long a task of this body should take at speed 1, if that has been learnt.
    pub(super) fn predict(&self, body: &Body) -> Option<Span> {
        self.seconds.get(kind(body)).map(|seconds| Span::from_secs_f64(*seconds))
    }

    /// The mean absolute relative error of what was predicted, and of how many outcomes.
    pub(crate) fn error(&self) -> Option<(f64, u64)> {
        let (sum, count) = self.errors;
        (count > 0).then(|| (sum / count as f64, count))
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
    }

    #[test]
    fn the_error_is_that_of_what_was_predicted() {
        let mut learnt = Learnt::default();
        learnt.learn(&body("f"), 1, Span::secs(1), 1.0);
        assert_eq!(learnt.error(), None, "nothing was predicted of the first");
        learnt.learn(&body("f"), 1, Span::secs(2), 1.0);
        assert_eq!(learnt.error(), Some((0.5, 1)));
    }
}
