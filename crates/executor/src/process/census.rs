//! Which commands run in this process, over all its executors, and by which brands.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use super::brand::Brand;
use crate::leftover::Family;
use crate::run::locked;

static RUNNING: Mutex<Running> =
    Mutex::new(Running { commands: 0, next: 0, brands: BTreeSet::new() });

/// What runs now.
pub(crate) struct Running {
    commands: u64,
    /// How many brands were given.
    next: u64,
    /// The values that are on a command now.
    brands: BTreeSet<u64>,
}

/// One command, counted from before it is started until its tree is gone.
pub(crate) struct Counted {
    /// By what it is known; none where the limit has no room for one more.
    pub(crate) brand: Option<Brand>,
}

impl Counted {
    /// Counts a command of this family, and gives it a brand that no other command has now.
    pub(crate) fn new(family: Family) -> Self {
        let mut running = locked(&RUNNING);
        running.commands += 1;
        let tries = (running.brands.len() as u64 + 1).min(Brand::count());
        let mut fresh = None;
        for _ in 0..tries {
            fresh = Brand::new(family, running.next);
            running.next = running.next.wrapping_add(1);
            fresh = fresh.filter(|brand| running.brands.insert(brand.value()));
            if fresh.is_some() {
                break;
            }
        }
        Self { brand: fresh }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut running = locked(&RUNNING);
        running.commands -= 1;
        if let Some(brand) = self.brand {
            running.brands.remove(&brand.value());
        }
    }
}

/// Whether any command runs.
pub(crate) fn any() -> bool {
    locked(&RUNNING).commands > 0
}

/// Keeps commands from starting while it lives; none where one runs.
pub(crate) fn silence() -> Option<MutexGuard<'static, Running>> {
    Some(locked(&RUNNING)).filter(|running| running.commands == 0)
}

#[cfg(test)]
mod tests {
    use super::Counted;
    use crate::leftover::Family;

    #[test]
    fn commands_that_run_at_once_have_different_brands() {
        let all: Vec<Counted> = (0..2_000).map(|_| Counted::new(Family::NONE)).collect();
        let mut values: Vec<u64> =
            all.iter().filter_map(|counted| Some(counted.brand?.value())).collect();
        assert_eq!(values.len(), all.len());
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), all.len());
    }
}
