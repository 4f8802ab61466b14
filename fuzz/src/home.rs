//! Jobs of strangers inside the engine: what the codec lets through must do no harm there.

use bary_api::spec;
use bary_wire::batch::{self, Batch};

use crate::world::World;

/// How many steps two engines go with a job.
const STEPS: u32 = 24;

/// Any bytes are no job, or one that two engines refuse or run, and that leaves them whole.
///
/// # Panics
/// Where they are not.
pub fn submission(bytes: &[u8]) {
    let Ok(job) = spec::decode(bytes) else { return };
    let mut world = World::new();
    world.submit(job);
    world.live(STEPS);
    world.check();
    for batch in &world.batches {
        let mut written = Vec::new();
        let Batch { epoch, at, records } = batch;
        batch::encode(*epoch, *at, records, &mut written).expect("a home wrote them");
        assert_eq!(batch::decode(&written).as_ref(), Ok(batch));
    }
}
