//! When faults have been over for long enough, everything has finished that waits for no job whose
//! shard nobody can open.

use crate::invariant::{Broken, Invariant, Scene, hold};

/// Every task ends.
#[derive(Debug, Default)]
pub struct Liveness;

impl Invariant for Liveness {
    fn name(&self) -> &'static str {
        "liveness"
    }

    fn at_end(&mut self, scene: &Scene<'_>) -> Result<(), Broken> {
        for (shard, there) in scene.book.living() {
            for (no, saga) in there.jobs.iter().enumerate() {
                let Some((spec, index)) = saga.first_open() else { continue };
                if saga.held || scene.book.is_stuck(saga) {
                    continue;
                }
                let left = saga.left;
                hold!(
                    left == 0,
                    "{left} tasks of job {no} of shard {:x} never ended, such as {}[{index}]",
                    shard.0,
                    spec.0,
                );
            }
        }
        Ok(())
    }
}
