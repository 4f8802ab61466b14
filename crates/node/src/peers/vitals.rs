//! How a member is, in figures, as it tells the others with its beats where that has changed: how
//! idle its machine is, how it stands as a leader, and what work it has.

use bary_engine::election::Candidate;
use bary_model::time::Span;
use serde::{Deserialize, Serialize};

use super::load::machine_milli;
use crate::probes::Probed;

/// Shares are told in so many steps, so that what hardly changes is no news.
const STEPS: f64 = 20.0;

/// How a member is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Vitals {
    /// The busy share of its processors, and the used one of its memory, in twentieths.
    busy: u8,
    used: u8,
    /// Its part in the election of a leader.
    term: u64,
    score: u64,
    leads: bool,
    /// The work that it is home of.
    pub(crate) work: Work,
    /// What its machine was found to have; nothing where a release before this one tells.
    #[serde(skip)]
    pub(crate) probed: Probed,
}

/// The work of a member's home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Work {
    /// Tasks that nobody has begun and that could run.
    pub(crate) queued: u64,
    /// Tasks that run.
    pub(crate) running: u64,
    /// Tasks that have ended so far, and how long they kept slots busy, in milliseconds.
    pub(crate) ended: u64,
    pub(crate) busy_ms: u64,
}

impl Vitals {
    /// Those of a machine of which these shares are busy and used.
    pub(super) fn new(busy: f64, used: f64, candidate: Candidate, work: Work) -> Self {
        let probed = Probed::default();
        let step = |share: f64| (share.clamp(0.0, 1.0) * STEPS).round() as u8;
        let Candidate { term, score, leads } = candidate;
        Self { busy: step(busy), used: step(used), term, score, leads, work, probed }
    }

    /// The busy share of its processors, and the used one of its memory.
    pub(crate) fn shares(&self) -> (f64, f64) {
        (f64::from(self.busy) / STEPS, f64::from(self.used) / STEPS)
    }

    /// How fit it is to lead.
    pub(crate) fn score(&self) -> u64 {
        self.score
    }

    /// Its part in the election.
    pub(super) fn candidate(&self) -> Candidate {
        Candidate { term: self.term, score: self.score, leads: self.leads }
    }

    /// It as bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Nothing in it refuses to be written, and a vector takes all. What came later stands last.
        let mut bytes = postcard::to_allocvec(self).unwrap_or_default();
        if self.probed != Probed::default() {
            bytes.extend(postcard::to_allocvec(&self.probed).unwrap_or_default());
        }
        bytes
    }

    /// The vitals that bytes from a member are.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut vitals, rest) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if !rest.is_empty() {
            vitals.probed = postcard::from_bytes(rest).ok()?;
        }
        let may_be = |share: u8| f64::from(share) <= STEPS;
        (may_be(vitals.busy) && may_be(vitals.used)).then_some(vitals)
    }
}

/// How fit a member is to lead, from 0 to 1,000: how near the others are, how idle its machine is,
/// and how long it has been there, up to an hour.
pub(super) fn fitness(trips: &[u32], busy: f64, age: Span) -> u64 {
    /// The way at which nearness is a half.
    const NEAR_US: f64 = 10_000.0;
    let nearness = |trip: &u32| NEAR_US / (NEAR_US + f64::from(*trip));
    let near = match trips.len() {
        0 => 1.0,
        all => trips.iter().map(nearness).sum::<f64>() / all as f64,
    };
    let old = (age.as_secs_f64() / 3_600.0).min(1.0);
    (500.0 * near + 300.0 * (1.0 - busy.clamp(0.0, 1.0)) + 200.0 * old).round() as u64
}

/// The busy share of this machine's processors over the last minute, and the used one of its
/// memory.
pub(crate) fn shares_now() -> (f64, f64) {
    let cores = std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64);
    ((f64::from(machine_milli()) / 1e3 / cores).min(1.0), memory_used())
}

/// The used share of this machine's memory; 0 where the system does not say.
pub(super) fn memory_used() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = |key: &str| {
        let line = text.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse::<f64>().ok()
    };
    match (line("MemTotal:"), line("MemAvailable:")) {
        (Some(all), Some(free)) if all > 0.0 => (1.0 - free / all).clamp(0.0, 1.0),
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use bary_engine::election::Candidate;
    use bary_model::time::Span;
    use proptest::prelude::{any, proptest};

    use super::{Probed, Vitals, Work, fitness};

    proptest! {
        #[test]
        fn vitals_are_read_as_they_were_told(
            shares in any::<[u8; 2]>(),
            numbers in any::<[u64; 6]>(),
            (leads, found) in any::<(bool, [u32; 4])>(),
        ) {
            let [term, score, queued, running, ended, busy_ms] = numbers;
            let share = |at: usize| f64::from(shares[at]) / 255.0;
            let candidate = Candidate { term, score, leads };
            let work = Work { queued, running, ended, busy_ms };
            let [mhz, gpus, gpu_mib, link_mbit] = found;
            let probed = Probed { mhz, gpus, gpu_mib: gpu_mib.into(), link_mbit, resent: 9 };
            let before = Vitals::new(share(0), share(1), candidate, work);
            assert_eq!(Vitals::decode(&before.encode()), Some(before));
            let vitals = Vitals { probed, ..before };
            assert_eq!(Vitals::decode(&vitals.encode()), Some(vitals));
            assert_eq!(vitals.candidate(), candidate);
            assert!((vitals.shares().0 - share(0)).abs() <= 0.026);
        }

        #[test]
        fn no_bytes_make_shares_that_cannot_be(bytes in any::<Vec<u8>>()) {
            if let Some(vitals) = Vitals::decode(&bytes) {
                let (busy, used) = vitals.shares();
                assert!(busy <= 1.0 && used <= 1.0);
            }
        }
    }

    #[test]
    fn who_is_near_idle_and_old_is_fit() {
        let hour = Span::secs(3_600);
        assert_eq!(fitness(&[], 0.0, hour), 1_000);
        assert_eq!(fitness(&[10_000, 10_000], 0.0, hour.times(9)), 750);
        assert_eq!(fitness(&[0], 1.0, Span::ZERO), 500);
    }
}
