//! How surely a member is in trouble: an accrual detector (Hayashibara, Défago, Yared and
//! Katayama, "The phi accrual failure detector", 2004). Phi is the decimal logarithm of the odds
//! against a member. The paper feeds it with heartbeats; here it accrues over probes, since each
//! pair of members in a large cluster exchanges few messages.
//!
//! Only the four basic operations and the square root are used, which every processor rounds the
//! same way, so that a seed gives the same run everywhere.

/// How round trips of one member, or of all of them, are spread. Seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Rhythm {
    mean: f64,
    variance: f64,
    samples: u32,
}

/// How slowly means forget: a sample weighs at least this.
const WEIGHT_MIN: f64 = 1.0 / 64.0;

/// What a late echo weighs against an answer by turn.
const ECHO_SHARE: f64 = 1.0 / 16.0;

/// How many samples of its own a member needs to count as much as all others together.
const PRIOR_SAMPLES: f64 = 4.0;

/// How many answers of its own a member needs before a late one is evidence: until then nobody
/// knows how far away it is.
const OWN_SAMPLES_MIN: u32 = 4;

/// Over how many probes the loss is averaged.
const LOSS_MEMORY: f64 = 64.0;

/// How many samples of anyone it takes before there is any evidence.
const SAMPLES_MIN: u32 = 8;

/// Where phi stops, so that a member that is well again is soon seen to be.
const PHI_MAX: f64 = 32.0;

/// Phi of 1 or more in one probe is evidence against a member, less is for it.
pub(crate) const EVIDENCE: f64 = 1.0;

impl Rhythm {
    /// Takes in a round trip with a share of a sample's weight: exponentially weighted mean and
    /// variance (Finch, "Incremental calculation of weighted mean and variance", 2009).
    fn learn(&mut self, seconds: f64, share: f64) {
        self.samples = self.samples.saturating_add(1);
        let weight = (1.0 / f64::from(self.samples)).max(WEIGHT_MIN) * share;
        let apart = seconds - self.mean;
        self.mean += weight * apart;
        self.variance = (1.0 - weight) * (self.variance + weight * apart * apart);
    }
}

/// What all members' round trips have in common, and how many are lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Climate {
    all: Rhythm,
    loss: f64,
    /// How many of the last few probes gave evidence against someone. If most do, it is this
    /// node that is in trouble (as in Dadgar, Phillips and Currey, "Lifeguard", 2018).
    late: f64,
    deviation_min: f64,
    per_probe_max: f64,
}

/// What is known of one member.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Pulse {
    own: Rhythm,
    /// What has accrued.
    pub(crate) phi: f64,
}

impl Climate {
    /// `deviation_min` in seconds; `per_probe_max` is the most that one probe adds to phi.
    pub(crate) fn new(deviation_min: f64, per_probe_max: f64) -> Self {
        Self { all: Rhythm::default(), loss: 0.05, late: 0.0, deviation_min, per_probe_max }
    }

    /// A member answered after `seconds`. `sample` says whether it was asked by turn; those asked
    /// because they are doubted say nothing about the others.
    pub(crate) fn answered(&mut self, pulse: &mut Pulse, seconds: f64, sample: bool) {
        let (mean, deviation) = self.expected(&pulse.own);
        let evidence = phi((seconds - mean) / deviation).min(self.per_probe_max);
        let is_new = pulse.own.samples < OWN_SAMPLES_MIN;
        self.accrue(pulse, evidence, sample, !is_new);
        // What is far out is learnt as if it were nearer, and from echoes with little weight, as
        // those come often: a lasting change becomes the norm in a quarter of an hour or more.
        let known = self.all.samples > 0;
        let learnt = if known { seconds.min(mean + 2.0 * deviation) } else { seconds };
        let share = if sample || evidence < EVIDENCE { 1.0 } else { ECHO_SHARE };
        pulse.own.learn(if is_new { seconds } else { learnt }, share);
        if sample {
            self.all.learn(learnt, 1.0);
            self.loss -= self.loss / LOSS_MEMORY;
        }
    }

    /// A member's answer did not come.
    pub(crate) fn missed(&mut self, pulse: &mut Pulse, sample: bool) {
        // It may have been lost like others': that is how likely it is if the member is well.
        let evidence = tens_of(1.0 / self.loss.max(0.001)).min(self.per_probe_max);
        self.accrue(pulse, evidence.max(EVIDENCE), sample, true);
        if sample {
            self.loss += (1.0 - self.loss) / LOSS_MEMORY;
        }
    }

    /// `counts` says whether evidence may be held against the member, and not only against this
    /// node itself.
    fn accrue(&mut self, pulse: &mut Pulse, evidence: f64, sample: bool, counts: bool) {
        let against = evidence >= EVIDENCE;
        if self.all.samples < SAMPLES_MIN {
            return;
        }
        let sound = (1.0 - 2.0 * self.late).max(0.0);
        if sample {
            let late = if against { 1.0 } else { 0.0 };
            self.late += (late - self.late) / 4.0;
        }
        if against && counts {
            pulse.phi = (pulse.phi + sound * evidence).min(PHI_MAX);
        } else {
            pulse.phi *= 0.5;
        }
    }

    /// Mean and deviation to expect: the member's own, and everyone's while it has few samples.
    /// A deviation below a quarter of the mean is not believed.
    fn expected(&self, own: &Rhythm) -> (f64, f64) {
        let samples = f64::from(own.samples.min(1_000));
        let share = samples / (samples + PRIOR_SAMPLES);
        let mean = share * own.mean + (1.0 - share) * self.all.mean;
        let apart = own.mean - self.all.mean;
        let between = if own.samples == 0 { 0.0 } else { share * (1.0 - share) * apart * apart };
        let variance = share * own.variance + (1.0 - share) * self.all.variance + between;
        (mean, variance.sqrt().max(mean / 4.0).max(self.deviation_min))
    }
}

/// Phi of an answer that is `y` deviations late: minus the decimal logarithm of the normal
/// distribution's tail, by the logistic approximation `1 / (1 + exp(z))` with
/// `z = y (1.5976 + 0.070566 y^2)`, as Akka computes it, and `ln(1 + exp(z))` by a hyperbola that
/// is at most 0.12 off.
fn phi(y: f64) -> f64 {
    let z = y * (1.5976 + 0.070_566 * y * y);
    let softplus = f64::midpoint(z, (z * z + 1.92).sqrt());
    softplus * std::f64::consts::LOG10_E
}

/// The decimal logarithm of a number from 1 to 2^52, straight between the powers of two.
fn tens_of(number: f64) -> f64 {
    let whole = (number as u64).max(1).ilog2();
    let fraction = number / (1_u64 << whole) as f64 - 1.0;
    (f64::from(whole) + fraction) * std::f64::consts::LOG10_2
}

#[cfg(test)]
mod tests {
    use super::{Climate, EVIDENCE, Pulse, phi, tens_of};

    fn settled() -> (Climate, Pulse) {
        let (mut climate, mut pulse) = (Climate::new(0.000_5, 3.0), Pulse::default());
        for turn in 0..100_u32 {
            climate.answered(&mut pulse, 0.010 + 0.000_1 * f64::from(turn % 10), true);
        }
        (climate, pulse)
    }

    #[test]
    fn phi_follows_the_normal_tail() {
        for (y, exact) in [(0.0, 0.301), (1.0, 0.80), (2.0, 1.64), (3.0, 2.87)] {
            assert!((phi(y) - exact).abs() < 0.1, "{y}: {}", phi(y));
        }
        assert!(phi(-10.0) < 0.02 && phi(6.0) > 8.0);
    }

    #[test]
    fn logarithms_are_close() {
        for (number, exact) in [(1.0, 0.0), (3.0, 0.477), (10.0, 1.0), (1000.0, 3.0)] {
            assert!((tens_of(number) - exact).abs() < 0.03, "{number}: {}", tens_of(number));
        }
    }

    #[test]
    fn a_member_in_step_has_no_phi_and_three_late_answers_raise_it() {
        let (mut climate, mut pulse) = settled();
        assert!(pulse.phi < 0.1, "{}", pulse.phi);
        for _ in 0..3 {
            climate.answered(&mut pulse, 0.100, false);
        }
        assert!(pulse.phi >= 8.0, "{}", pulse.phi);
        for _ in 0..4 {
            climate.answered(&mut pulse, 0.010, true);
        }
        assert!(pulse.phi < 1.0, "{}", pulse.phi);
    }

    #[test]
    fn a_member_far_from_all_others_is_not_suspected() {
        let (mut climate, _) = settled();
        let mut far = Pulse::default();
        for turn in 0..40 {
            climate.answered(&mut far, 0.200 + 0.010 * f64::from(turn % 3), true);
            for _ in 0..5 {
                climate.answered(&mut Pulse::default(), 0.010, true);
            }
            assert!(far.phi < EVIDENCE, "{turn}: {}", far.phi);
        }
        for _ in 0..4 {
            climate.answered(&mut far, 1.0, false);
        }
        assert!(far.phi >= 8.0, "{}", far.phi);
    }

    #[test]
    fn lost_answers_weigh_less_where_many_are_lost() {
        let (mut calm, mut pulse) = settled();
        for _ in 0..3 {
            calm.missed(&mut pulse, false);
        }
        let in_calm = pulse.phi;
        let (mut storm, mut pulse) = settled();
        for turn in 0..600 {
            if turn % 4 == 0 {
                storm.missed(&mut Pulse::default(), true);
            }
            storm.answered(&mut Pulse::default(), 0.010, true);
        }
        for _ in 0..3 {
            storm.missed(&mut pulse, false);
        }
        assert!(in_calm > pulse.phi + 1.0, "{in_calm} and {}", pulse.phi);
    }

    #[test]
    fn a_node_for_which_everyone_is_late_blames_no_one() {
        let (mut climate, mut first) = settled();
        climate.answered(&mut first, 0.100, true);
        for _ in 0..6 {
            climate.answered(&mut Pulse::default(), 0.100, true);
            climate.answered(&mut first, 0.100, false);
        }
        assert!(first.phi < 4.0, "{}", first.phi);
    }
}
