//! What else the machine of a node does, besides the tasks that it was granted: it keeps
//! processors busy and memory full, and tasks that do not find a processor idle share one.

use bary_model::node::Busy;
use bary_model::time::{Moment, Span};
use bary_policy::preset;

use crate::lot::Lot;
use crate::plan::Plan;

/// What a machine does besides, in turns. `Default` is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chores {
    /// How busy it is in each turn; nothing where there is none.
    pub turns: Vec<Busy>,
    /// How long a turn is; the first one never ends where this is zero.
    pub each: Span,
    /// By how much a measurement is off: the deviation of a normal error, in thousandths.
    pub noise: u16,
}

impl Chores {
    /// Whether it does nothing else.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.turns.iter().all(|turn| *turn == Busy::default())
    }

    /// How busy it is with that at a moment.
    #[must_use]
    pub fn at(&self, now: Moment) -> Busy {
        let turn = now.0.checked_div(self.each.0).unwrap_or(0);
        let turn = turn.checked_rem(self.turns.len() as u64);
        turn.map_or_else(Busy::default, |turn| self.turns[turn as usize])
    }

    /// What is measured of it then.
    pub(crate) fn measured(&self, now: Moment, lot: &mut Lot) -> Busy {
        let Busy { cpus, memory } = self.at(now);
        if self.noise == 0 {
            return Busy { cpus, memory };
        }
        let mut off = |part: u16| {
            // Twelve even draws make a normal one, nearly.
            let sum: u64 = (0..12).map(|_| lot.below(1_001)).sum();
            let error = (sum as i64 - 6_000) * i64::from(self.noise) / 1_000;
            (i64::from(part) + error).clamp(0, i64::from(Busy::WHOLE)) as u16
        };
        Busy { cpus: off(cpus), memory: off(memory) }
    }

    /// How many times longer a task takes that begins now, where tasks keep so many of a machine's
    /// processors busy with it, all in thousandths.
    pub(crate) fn crowds(&self, now: Moment, tasks: u64, whole: u64) -> f64 {
        let others = u64::from(self.at(now).cpus) * whole / u64::from(Busy::WHOLE);
        ((tasks + others) as f64 / whole as f64).max(1.0)
    }
}

/// Draws some for half of the plans in which somebody looks at that.
pub(crate) fn draw(plan: &mut Plan, lot: &mut Lot) {
    let changes = plan.changes.iter().map(|(.., policy)| policy);
    let mut policies = changes.chain([&plan.policy]).filter_map(|text| preset::parse(text).ok());
    if !policies.any(|policy| policy.force.sees_used()) || !lot.percent(50) {
        return;
    }
    for node in &mut plan.nodes {
        let mut share = || lot.one_of(&[0, 300, 1_000]);
        let turns = [0; 2].map(|_| Busy { cpus: share(), memory: share() }).to_vec();
        node.chores = Chores { turns, each: Span::millis(lot.one_of(&[50, 5_000])), noise: 50 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn half() -> Chores {
        let turns = vec![Busy::of(0.5, 0.1), Busy::default()];
        Chores { turns, each: Span::secs(10), noise: 0 }
    }

    #[test]
    fn it_is_as_busy_as_its_turn_says() {
        let at = |seconds: u64| half().at(Moment(0) + Span::secs(seconds)).cpus;
        assert_eq!([at(0), at(9), at(10), at(20)], [500, 500, 0, 500]);
        assert_eq!(Chores { each: Span::ZERO, ..half() }.at(Moment(1 << 60)).cpus, 500);
        assert_eq!(Chores::default().at(Moment(7)), Busy::default());
    }

    #[test]
    fn tasks_that_find_no_processor_idle_share_one() {
        let times = |tasks| half().crowds(Moment(0), tasks, 4_000);
        assert_eq!([times(1_000), times(2_000), times(4_000)], [1.0, 1.0, 1.5]);
    }

    #[test]
    fn a_measurement_is_off_by_its_noise() {
        let mut lot = Lot::new(7, "chores");
        let noisy = Chores { noise: 100, ..half() };
        let errors: Vec<f64> = (0..1_000)
            .map(|_| f64::from(noisy.measured(Moment(0), &mut lot).cpus) - 500.0)
            .collect();
        let mean = errors.iter().sum::<f64>() / 1e3;
        let deviation = (errors.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / 1e3).sqrt();
        assert!(mean.abs() < 12.0, "{mean}");
        assert!((90.0..110.0).contains(&deviation), "{deviation}");
        assert_eq!(half().measured(Moment(0), &mut lot).cpus, 500);
    }
}
