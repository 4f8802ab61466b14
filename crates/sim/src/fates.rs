//! What becomes of attempts: drawn from the task's name and the attempt, so that it is the same
//! wherever and whenever the attempt is made.

use bary_model::message::GrantItem;
use bary_model::outcome::Failure;
use bary_model::time::Span;

use crate::lot::Lot;

/// How often attempts go wrong, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fates {
    /// Attempts that fail.
    pub fails: u64,
    /// Whether these always end with a code, and not in ways after which no attempt is made.
    pub exits: bool,
    /// Attempts that do not end by themselves, nor when they are asked; only where the task's
    /// timeout is below `hang_max`.
    pub hangs: u64,
    /// The least timeout with which no attempt hangs.
    pub hang_max: Span,
    /// Attempts that show no life.
    pub silent: u64,
    /// Tasks that take their node down the first times they run.
    pub poison: u64,
    /// Whether weights lie: an attempt takes from a hundredth to ten times what they say.
    pub lies: bool,
}

/// How one attempt fares.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// How many hundredths more or less it takes than its weight says; 0 for what it says.
    effort: i32,
    /// How many times longer it takes besides, where a plan says so.
    planned: Option<f64>,
    /// How it fails, if it does.
    pub(crate) failure: Option<Box<Failure>>,
    /// It does not end by itself, and not when it is asked either.
    pub(crate) hangs: bool,
    /// It shows no life.
    pub(crate) silent: bool,
    /// It takes its node down.
    pub(crate) poison: bool,
}

impl Course {
    /// The same of a task of which the plan says how long it takes.
    pub(crate) fn planned(self, planned: Option<f64>) -> Self {
        Self { planned, ..self }
    }

    /// How many times longer it takes than its weight says.
    pub(crate) fn effort(&self) -> f64 {
        (1.0 + f64::from(self.effort) / 100.0) * self.planned.unwrap_or(1.0)
    }
}

impl Default for Fates {
    fn default() -> Self {
        let hang_max = Self::HANG_MAX;
        Self { fails: 0, exits: false, hangs: 0, hang_max, silent: 0, poison: 0, lies: false }
    }
}

impl Fates {
    /// In drawn worlds, tasks whose timeout is longer never hang, or a run would take hours.
    pub const HANG_MAX: Span = Span::secs(10);
    /// How often a poison task takes a node down before it lets go.
    pub const POISON_MAX: u64 = 2;

    /// Whether nothing ever goes wrong.
    #[must_use]
    pub fn plain(&self) -> bool {
        self.fails + self.hangs + self.silent + self.poison == 0 && !self.lies
    }

    /// What becomes of an attempt. `deaths` is how often the task took a node down before.
    pub(crate) fn course(&self, seed: u64, item: &GrantItem, index: u32, deaths: u64) -> Course {
        let task = key(seed, item, index);
        let attempt = task.wrapping_mul(PRIME) ^ u64::from(item.attempt);
        let mut lot = Lot::new(attempt, "fate");
        let mut course = Course::default();
        if self.lies {
            course.effort = lot.one_of(&[-99, -70, 0, 0, 200, 900]);
        }
        if lot.percent(self.fails) {
            let drawn = failure(&mut lot);
            course.failure = Some(Box::new(if self.exits { Failure::Exit(1) } else { drawn }));
        }
        course.hangs = item.spec.body.timeout < self.hang_max && lot.percent(self.hangs);
        course.silent = lot.percent(self.silent);
        if self.poison > 0 {
            let mut lot = Lot::new(task, "poison");
            let kills = if lot.percent(self.poison) { lot.between(1, Self::POISON_MAX) } else { 0 };
            course.poison = deaths < kills;
            course.hangs &= !course.poison;
        }
        course
    }
}

const PRIME: u64 = 0x0100_0000_01b3;

fn key(seed: u64, item: &GrantItem, index: u32) -> u64 {
    let range = item.range;
    let key = seed ^ item.fence.shard.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let parts = [range.job.0, range.spec.0, index];
    parts.iter().fold(key, |key, part| key.wrapping_mul(PRIME) ^ u64::from(*part))
}

fn failure(lot: &mut Lot) -> Failure {
    match lot.below(8) {
        0 => Failure::NotStarted("no such program".into()),
        1 | 2 => Failure::Signal(11),
        3 => Failure::Panicked("on purpose".into()),
        _ => Failure::Exit(1),
    }
}
