//! How many commands run in this process, over all its executors.

use std::sync::{Mutex, MutexGuard};

use crate::run::locked;

static RUNNING: Mutex<u64> = Mutex::new(0);

/// One command, counted from before it is started until its tree is gone.
pub(crate) struct Counted(());

impl Counted {
    pub(crate) fn new() -> Self {
        *locked(&RUNNING) += 1;
        Self(())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        *locked(&RUNNING) -= 1;
    }
}

/// Whether any command runs.
pub(crate) fn any() -> bool {
    *locked(&RUNNING) > 0
}

/// Keeps commands from starting while it lives; none where one runs.
pub(crate) fn silence() -> Option<MutexGuard<'static, u64>> {
    Some(locked(&RUNNING)).filter(|running| **running == 0)
}
