//! What every run must hold, one invariant a file. Each is a fold over what was seen: it asks the
//! book what is durable, keeps what it needs itself, and looks into no engine.
//!
//! The audit chain has no invariant here, because nothing writes one.

use std::fmt;

use bary_ledger::record::Record;
use bary_model::id::{Epoch, Lsn, NodeId, ShardId};
use bary_model::time::{Moment, Span};

use crate::history::Fact;
use crate::oracle::book::Book;

pub mod attempts;
pub mod bounds;
pub mod cancel;
pub mod count;
pub mod decree;
pub mod dependency;
pub mod drain;
pub mod durable;
pub mod execution;
pub mod farewell;
pub mod fence;
pub mod gang;
pub mod gate;
pub mod limit;
pub mod liveness;
pub mod once;
pub mod priority;
pub mod reign;
pub mod replay;
pub mod retract;
pub mod room;
#[cfg(test)]
mod trial;
pub mod word;

/// Where and when something was seen, and what was durable just before.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// When.
    pub at: Moment,
    /// At which node.
    pub node: NodeId,
    /// The shard that requests to the node are about.
    pub own: Option<ShardId>,
    /// What is durable.
    pub book: &'a Book,
}

/// A record that has become durable; the book does not have it yet.
#[derive(Clone, Copy, Debug)]
pub struct Settled<'a> {
    /// The shard.
    pub shard: ShardId,
    /// The reign in which it was written.
    pub epoch: Epoch,
    /// The batch that it came in.
    pub lsn: Lsn,
    /// The record.
    pub record: &'a Record,
}

/// What does not hold, in words: the facts that contradict each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken(pub String);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that every run must hold.
pub trait Invariant {
    /// Its short name, as breaks are reported under it.
    fn name(&self) -> &'static str;

    /// Judges what was seen.
    ///
    /// # Errors
    /// Where it does not hold any more.
    fn on(&mut self, _scene: &Scene<'_>, _fact: &Fact<'_>) -> Result<(), Broken> {
        Ok(())
    }

    /// Judges what became durable.
    ///
    /// # Errors
    /// Where it does not hold any more.
    fn settled(&mut self, _scene: &Scene<'_>, _settled: &Settled<'_>) -> Result<(), Broken> {
        Ok(())
    }

    /// Judges what is left when faults have been over for long enough and nothing moves.
    ///
    /// # Errors
    /// Where it does not hold.
    fn at_end(&mut self, _scene: &Scene<'_>) -> Result<(), Broken> {
        Ok(())
    }
}

/// Fails with these words unless the condition is met.
macro_rules! hold {
    ($met:expr, $($words:tt)+) => {
        if !$met {
            return Err($crate::invariant::Broken(format!($($words)+)));
        }
    };
}
pub(crate) use hold;

/// All of them, for nodes that grant at most so many ranges at a time.
#[must_use]
pub fn all(rules: &Rules) -> Vec<Box<dyn Invariant>> {
    let mut all: Vec<Box<dyn Invariant>> = vec![
        Box::new(durable::Durable::default()),
        Box::new(once::Once::default()),
        Box::new(liveness::Liveness),
        Box::new(fence::Fenced),
        Box::new(execution::Executions::new(rules.open)),
        Box::new(dependency::Dependencies::default()),
        Box::new(room::Room::default()),
        Box::new(limit::LimitsKept::new(rules.open)),
        Box::new(cancel::Cancels::default()),
        Box::new(reign::Reigns::default()),
        Box::new(count::Counts::default()),
        Box::new(bounds::Bounds { grant_items_max: rules.grant_items_max }),
        Box::new(retract::Retracts::new(rules.open)),
        Box::new(attempts::Attempts::default()),
        Box::new(gate::Gates::new(rules)),
        Box::new(drain::Drains::default()),
        Box::new(decree::Decreed::default()),
        Box::new(word::Words::new(rules.open)),
        Box::new(gang::Gangs::default()),
        Box::new(farewell::Farewells::default()),
    ];
    if rules.ranked {
        all.push(Box::new(priority::Priorities::new(rules.open)));
    }
    all
}

/// What the invariants have to know of how a run was set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Most ranges of one grant.
    pub grant_items_max: usize,
    /// Whether a grant is for any holder, so that tasks may run more than once.
    pub open: bool,
    /// How far clocks may have jumped ahead, in all; the longest where that is not known.
    pub ahead: Span,
    /// By how many millionths the fastest clock runs fast.
    pub fast: u32,
    /// Whether some tasks are more urgent than others, as far as is known.
    pub ranked: bool,
}
