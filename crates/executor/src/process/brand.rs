//! The brand: a limit that a command's whole tree inherits and no process of it can take off.
//!
//! A process that leaves its group and clears its environment keeps its limits. Each command gets
//! its own value of one that the kernel no longer enforces, lower than this process's. Children
//! that the program around us starts have the limit of this process and are never taken for ours.
//!
//! A value is `family 30 bits, command 20 bits, nested 12 bits`. The family tells whose command it
//! was when the process that started it is gone; nested values are for runs inside the command.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use super::kernel;
use crate::leftover::Family;

/// One command's value of the limit; values down to the next command's are of runs inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brand(u64);

/// Above all brands, and below what counts as unlimited.
const HIGHEST: u64 = 1 << 62;

/// How many brands a run of ours inside a command has for its own commands.
const STRIDE: u64 = 1 << 12;

/// How many commands of one family can be told apart at a time.
const NUMBERS: u64 = 1 << 20;

impl Brand {
    /// The `number`-th brand of a family, modulo how many there are; none where the limit has no
    /// room for one. A run inside a command has few, and they do not tell its family.
    pub(crate) fn new(family: Family, number: u64) -> Option<Self> {
        match own()? {
            HIGHEST.. => {
                let command = family.number() * NUMBERS + number % NUMBERS;
                Some(Self(command * STRIDE + STRIDE - 1))
            }
            nested => Some(Self(nested - 1 - number % (nested - 1).min(STRIDE - 1))),
        }
    }

    /// How many different ones a family has in this process.
    pub(crate) fn count() -> u64 {
        own().map_or(0, |own| if own >= HIGHEST { NUMBERS } else { (own - 1).min(STRIDE - 1) })
    }

    /// The value of the limit.
    pub(crate) fn value(self) -> u64 {
        self.0
    }

    /// Whether a process carries this brand, or one of a run inside its command.
    pub(crate) fn is_on(self, pid: i32) -> bool {
        let stride = own().map_or(1, |own| if own >= HIGHEST { STRIDE } else { 1 });
        kernel::brand(pid).is_some_and(|brand| brand <= self.0 && brand + stride > self.0)
    }
}

/// The brands of all commands of a family that are not inside another run's command.
pub(crate) fn range(family: Family) -> RangeInclusive<u64> {
    let first = family.number() * NUMBERS * STRIDE;
    first..=first + NUMBERS * STRIDE - 1
}

/// Whether a process carries any brand: a command or what one has left behind.
pub(crate) fn is_branded(pid: i32) -> bool {
    own().is_some_and(|own| kernel::brand(pid).is_some_and(|brand| brand < own))
}

/// Whether this value of the limit is a brand of some process.
pub(crate) fn is_brand(value: u64) -> bool {
    value < HIGHEST
}

fn own() -> Option<u64> {
    static OWN: OnceLock<Option<u64>> = OnceLock::new();
    *OWN.get_or_init(|| kernel::brand(0).filter(|&own| own > 1))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Brand, HIGHEST, is_brand, range};
    use crate::leftover::Family;

    #[test]
    fn families_share_no_brand_and_a_family_has_many() {
        let here = Path::new("/");
        let families = [Family::NONE, Family::of_state(1, here), Family::of_state(2, here)];
        for (at, family) in families.iter().enumerate() {
            let own = range(*family);
            assert!(*own.end() < HIGHEST && is_brand(*own.end()));
            for number in 0..1_000.min(Brand::count()) {
                let brand = Brand::new(*family, number).expect("the limit has room");
                assert!(own.contains(&brand.value()), "{brand:?} of {own:?}");
                assert_ne!(Brand::new(*family, number + 1), Some(brand));
            }
            assert!(families[..at].iter().all(|other| range(*other).end() != own.end()));
        }
    }
}
