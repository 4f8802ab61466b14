//! What can be seen of a world from outside. Whoever judges a run is built on this, so that what
//! engines think of themselves is never taken for what they did.

use bary_engine::effect::Effect;
use bary_engine::engine::Engine;
use bary_engine::input::Input;
use bary_ledger::ledger::Ledger;
use bary_model::id::{Incarnation, Lsn, ShardId};
use bary_model::time::Moment;

/// One thing that happened at a node.
#[derive(Debug)]
pub enum Seen<'a> {
    /// Its engine is about to be given this.
    Input(&'a Input),
    /// Its engine wanted this, and it is being done; what a crash cut off is not seen.
    Effect(&'a Effect),
    /// Its process ended with all that it ran.
    Crashed {
        /// Whether the machine lost its power too, and with it what was not synced.
        power: bool,
    },
    /// It crashed and will never be back.
    Dead,
    /// Its process is there (again), with an empty engine.
    Restarted {
        /// Its new life.
        incarnation: Incarnation,
    },
    /// It opened a shard's journal and read it; whoever wrote before is fenced from now on.
    Recovered {
        /// The shard.
        shard: ShardId,
        /// What the journal says, as it is about to be given to the engine.
        ledger: &'a Ledger,
        /// The number of the next batch.
        next: Lsn,
    },
    /// It could not open a shard's journal, which stays closed for good: it is corrupt.
    Refused {
        /// The shard.
        shard: ShardId,
    },
    /// All faults are over, told once with node 0; from here on everything must end in time.
    Calm,
    /// Nothing will happen any more; told for each node that has an engine.
    Rest(&'a Engine),
}

/// Sees all that happens in a world, in its order.
pub trait Watch {
    /// Told at each occurrence: the world's time, the node's number, and what.
    fn see(&mut self, at: Moment, node: usize, seen: Seen<'_>);

    /// Told just before a node's engine decides. Whoever has a clock of its own can measure so how
    /// long deciding takes; the world has none.
    fn begins(&mut self, _node: usize) {}

    /// Told just after.
    fn ends(&mut self, _node: usize) {}
}
