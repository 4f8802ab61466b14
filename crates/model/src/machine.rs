//! What the machine of a node was measured to be, beyond what the node says of itself.

use serde::{Deserialize, Serialize};

/// What does not change by the second, in whole numbers; 0 where it is not known.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Machine {
    /// The frequency of its processors, in MHz.
    pub mhz: u32,
    /// The memory of the GPUs that the node offers, in MiB.
    pub gpu_mib: u32,
    /// How fast its network may be, in Mbit/s.
    pub link_mbit: u32,
    /// Which part of what it sends is lost, in thousandths; 0 also where none is.
    pub lost: u16,
}

impl Machine {
    /// All that is sent is lost.
    pub const LOST_MAX: u16 = 1_000;

    /// The same in steps: frequency in hundreds, the network and what it loses in two digits. So
    /// machines that hardly differ are equal, and what hardly changes is no news.
    #[must_use]
    pub fn rounded(self) -> Self {
        let Self { mhz, gpu_mib, link_mbit, lost } = self;
        // What is known stays known.
        let least = if mhz == 0 { 0 } else { 100 };
        let mhz = (mhz.saturating_add(50) / 100 * 100).max(least);
        let lost = two_digits(lost.min(Self::LOST_MAX).into()) as u16;
        Self { mhz, gpu_mib, link_mbit: two_digits(link_mbit), lost }
    }
}

/// Of the memory of so many GPUs, in MiB, what so many thousandths of one offer.
#[must_use]
pub fn offered_mib(mib: u64, gpus: u32, milli_gpus: u64) -> u32 {
    let whole = u64::from(gpus.max(1)) * 1_000;
    let part = u128::from(mib) * u128::from(milli_gpus.min(whole)) / u128::from(whole);
    u32::try_from(part).unwrap_or(u32::MAX)
}

/// A number of which only the first two digits are kept, the second one rounded.
fn two_digits(number: u32) -> u32 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    let rounded = (u64::from(number) + u64::from(unit) / 2) / u64::from(unit) * u64::from(unit);
    u32::try_from(rounded).unwrap_or(number / unit * unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::*;

    #[test]
    fn of_the_memory_of_all_gpus_those_count_that_are_offered() {
        assert_eq!(offered_mib(48 << 10, 3, 1_500), 24 << 10);
        assert_eq!(offered_mib(48 << 10, 2, 9_000), 48 << 10, "there are no more");
        assert_eq!(offered_mib(48 << 10, 0, 500), 24 << 10, "their number is not known");
        assert_eq!(offered_mib(48 << 10, 2, 0), 0);
        assert_eq!(offered_mib(u64::MAX, 1, 1_000), u32::MAX);
    }

    #[test]
    fn what_hardly_differs_is_the_same() {
        let found = |mhz, link_mbit, lost| Machine { mhz, gpu_mib: 24_564, link_mbit, lost };
        assert_eq!(found(3_701, 10_049, 3).rounded(), found(3_700, 10_000, 3));
        assert_eq!(found(3_650, 2_550, 104).rounded(), found(3_700, 2_600, 100));
        assert_eq!(found(20, 7, 9_999).rounded(), found(100, 7, 1_000), "what is known stays so");
        assert_eq!(Machine::default().rounded(), Machine::default());
        assert_eq!(found(u32::MAX, u32::MAX, 0).rounded().link_mbit, 4_200_000_000);
    }

    proptest! {
        #[test]
        fn what_is_rounded_is_near_and_stays_so(
            mhz in 100..u32::MAX - 99,
            link_mbit: u32,
            lost: u16,
        ) {
            let rounded = Machine { mhz, gpu_mib: 0, link_mbit, lost }.rounded();
            assert_eq!(rounded.rounded(), rounded);
            assert!(rounded.mhz.abs_diff(mhz) <= 50);
            assert!(u64::from(rounded.link_mbit.abs_diff(link_mbit)) * 10 <= u64::from(link_mbit));
        }
    }
}
