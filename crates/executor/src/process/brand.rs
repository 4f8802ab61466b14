//! The brand: a limit that a command's whole tree inherits and no process of it can take off.
//!
//! A process that leaves its group and clears its environment keeps its limits. Each command gets
//! its own value of one that the kernel no longer enforces, lower than this process's. Children
//! that the program around us starts have the limit of this process and are never taken for ours.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::kernel;

/// One command's value of the limit; values down to the next command's are of runs inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Brand(u64);

/// The highest brand, so that branding starts below what counts as unlimited.
const HIGHEST: u64 = 1 << 62;

/// How many brands a run of ours inside a command has for its own commands.
const STRIDE: u64 = 1 << 20;

impl Brand {
    /// The brand of the next command; none where the limit has no room for one.
    pub(crate) fn next() -> Option<Self> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let (highest, stride) = (own()?.min(HIGHEST), stride()?);
        // Numbers come round after so many commands that the first are long gone.
        let number = MADE.fetch_add(1, Ordering::Relaxed).checked_rem(highest / stride - 1)?;
        Some(Self(highest - stride * (number + 1)))
    }

    /// The value of the limit.
    pub(crate) fn value(self) -> u64 {
        self.0
    }

    /// Whether a process carries this brand, or one of a run inside its command.
    pub(crate) fn is_on(self, pid: i32) -> bool {
        let Some(stride) = stride() else { return false };
        kernel::brand(pid).is_some_and(|brand| brand <= self.0 && brand + stride > self.0)
    }
}

/// Whether a process carries any brand: a command or what one has left behind.
pub(crate) fn is_branded(pid: i32) -> bool {
    own().is_some_and(|own| kernel::brand(pid).is_some_and(|brand| brand < own))
}

fn own() -> Option<u64> {
    static OWN: OnceLock<Option<u64>> = OnceLock::new();
    *OWN.get_or_init(|| kernel::brand(0).filter(|&own| own > 1))
}

fn stride() -> Option<u64> {
    own().map(|own| if own >= HIGHEST { STRIDE } else { 1 })
}
