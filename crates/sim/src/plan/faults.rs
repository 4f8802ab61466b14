//! Kinds of faults by name, and how each is drawn.

use std::collections::BTreeSet;

use bary_model::time::{Moment, Span};

use crate::lot::Lot;
use crate::network::Shape;
use crate::plan::{Fault, FaultKind, Plan};

/// The kinds of faults with a line each; the position is the kind's bit.
pub const KINDS: &[(&str, &str)] = &[
    ("loss", "frames are lost"),
    ("twice", "frames arrive twice"),
    ("late", "frames are late and overtaken"),
    ("partition", "two sides do not reach each other"),
    ("one-way", "frames in one direction do not arrive"),
    ("bridge", "two sides that only one node reaches"),
    ("flap", "a partition that comes and goes"),
    ("crash", "a process ends within a step and comes back"),
    ("power", "as crash, and what was not synced is lost or torn"),
    ("death", "a node ends for good"),
    ("pause", "a process stands still and wakes as a zombie"),
    ("jump", "a clock jumps ahead"),
    ("drift", "clocks run fast or slow"),
    ("eio", "a sync fails"),
    ("full", "the disk under a journal is nearly full"),
    ("rot", "a bit of a journal flips"),
    ("slow-disk", "syncs take seconds"),
    ("slow-node", "a node runs and talks slowly"),
    ("false-left", "a node is taken for gone"),
    ("takeover", "another node opens a shard's journal"),
    ("deaf", "clients do not hear replies and repeat"),
    ("fail", "attempts fail"),
    ("hang", "attempts do not end by themselves"),
    ("silent", "attempts show no life"),
    ("lie", "weights say too little or too much"),
    ("poison", "tasks take their node down"),
];

/// Some kinds of faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u32);

/// Why a text names no faults. Nothing was changed; the caller gives another text.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultsError {
    /// There is no such kind.
    #[error("there is no fault {given:?}; there are all, none, or some of {allowed}")]
    Unknown {
        /// What was given.
        given: String,
        /// The kinds, separated by commas.
        allowed: String,
    },
}

impl Faults {
    /// No fault.
    pub const NONE: Self = Self(0);
    /// Every kind.
    pub const ALL: Self = Self((1 << KINDS.len()) - 1);

    /// The kinds that a text names, separated by commas; or `all`, or `none`.
    ///
    /// # Errors
    /// Where a name is unknown.
    pub fn parse(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self::NONE;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            faults.0 |= match name {
                "all" => Self::ALL.0,
                "none" => 0,
                name => Self::bit(name).ok_or_else(|| FaultsError::Unknown {
                    given: name.to_owned(),
                    allowed: KINDS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(","),
                })?,
            };
        }
        Ok(faults)
    }

    /// The names, separated by commas; `none` where there is none.
    #[must_use]
    pub fn text(self) -> String {
        let on = KINDS.iter().filter(|(name, _)| self.has(name)).map(|(name, _)| *name);
        let all: Vec<_> = on.collect();
        if all.is_empty() { "none".to_owned() } else { all.join(",") }
    }

    /// Whether this kind is among them.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        Self::bit(name).is_some_and(|bit| self.0 & bit != 0)
    }

    /// The kinds that a seed draws.
    #[must_use]
    pub fn drawn(seed: u64) -> Self {
        Self::ALL.some(&mut Lot::new(seed, "swarm"))
    }

    /// Some of them: each with an even chance (swarm testing: Groce et al., 2012).
    fn some(self, lot: &mut Lot) -> Self {
        Self(self.0 & lot.below(1 << KINDS.len()) as u32)
    }

    fn bit(name: &str) -> Option<u32> {
        KINDS.iter().position(|(kind, _)| *kind == name).map(|at| 1 << at)
    }
}

impl FaultKind {
    /// What it is called in the event table.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Crash { power: false, .. } => "crash",
            Self::Crash { power: true, .. } => "power",
            Self::Death { .. } => "death",
            Self::Newcomer { .. } => "newcomer",
            Self::Removed { .. } => "removed",
            Self::Pause { .. } => "pause",
            Self::Jump { .. } => "jump",
            Self::Partition { .. } => "partition",
            Self::SyncFails { .. } => "sync-fails",
            Self::Full { .. } => "full",
            Self::Rot { .. } => "rot",
            Self::SlowDisk { .. } => "slow-disk",
            Self::SlowNode { .. } => "slow-node",
            Self::FalseLeft { .. } => "false-left",
            Self::Takeover { .. } => "takeover",
        }
    }
}

/// Draws faults of these kinds into a plan whose nodes are drawn already.
pub(crate) fn draw(plan: &mut Plan, on: Faults, lot: &mut Lot) {
    let span = plan.calm.0.max(1);
    for (name, _) in KINDS.iter().filter(|(name, _)| on.has(name)) {
        for _ in 0..lot.between(1, 4) {
            let at = Moment(lot.below(span));
            if let Some(kind) = one(plan, name, lot) {
                plan.faults.push(Fault { at, kind });
            }
        }
    }
    plan.faults.sort_by_key(|fault| fault.at);
}

/// One fault of a kind; none for kinds that are levels rather than occurrences.
fn one(plan: &Plan, name: &str, lot: &mut Lot) -> Option<FaultKind> {
    let nodes = plan.nodes.len();
    let homes = plan.nodes.iter().filter(|node| node.home).count();
    let (node, shard) = (lot.below(nodes as u64) as usize, lot.below(homes as u64) as usize);
    let lasts = Span::millis(lot.one_of(&[1, 50, 500, 3_000, 15_000]) + lot.below(50));
    let down = Span::millis(lot.one_of(&[0, 10, 500, 2_000, 20_000]) + lot.below(50));
    let after = lot.one_of(&[0, 0, 1, 2, 3, 5, 10, 1_000]);
    Some(match name {
        "partition" => partition(lot, Shape::Symmetric, nodes, lasts),
        "one-way" => partition(lot, Shape::OneWay, nodes, lasts),
        "bridge" => partition(lot, Shape::Bridge(node), nodes, lasts),
        "flap" => {
            let period = Span::millis(lot.one_of(&[20, 400, 2_000]));
            partition(lot, Shape::Flapping(period), nodes, lasts)
        }
        "crash" => FaultKind::Crash { node, after, power: false, down },
        "power" => FaultKind::Crash { node, after, power: true, down },
        // The first node stays, as it has what some tasks need, and for each shard a node does.
        "death" if node > 0 && deaths(plan, node) + homes <= nodes => FaultKind::Death { node },
        "pause" => FaultKind::Pause { node, lasts },
        "jump" => {
            let by = Span::millis(lot.one_of(&[100, 5_000, 60_000, 3_600_000]));
            FaultKind::Jump { node, by }
        }
        "eio" => FaultKind::SyncFails { shard, down },
        "full" => {
            let left = lot.one_of(&[0, 1_000, 20_000]);
            FaultKind::Full { shard, left, lasts }
        }
        "rot" if lot.percent(25) => FaultKind::Rot { shard },
        "slow-disk" => {
            let sync = Span::millis(lot.one_of(&[50, 500, 5_000]));
            FaultKind::SlowDisk { shard, sync, lasts }
        }
        "slow-node" => {
            let lag = Span::millis(lot.one_of(&[0, 10, 300]));
            FaultKind::SlowNode { node, lag, lasts }
        }
        "false-left" => {
            let by = (node + 1 + lot.below(nodes.max(2) as u64 - 1) as usize) % nodes;
            (by != node).then_some(FaultKind::FalseLeft { node, by, lasts })?
        }
        "takeover" => FaultKind::Takeover { shard, by: node },
        _ => return None,
    })
}

/// How many nodes end for good, if this one does too.
pub(super) fn deaths(plan: &Plan, node: usize) -> usize {
    let dead = plan.faults.iter().filter_map(|fault| match fault.kind {
        FaultKind::Death { node } | FaultKind::Removed { node, .. } => Some(node),
        _ => None,
    });
    dead.chain([node]).collect::<BTreeSet<_>>().len()
}

fn partition(lot: &mut Lot, shape: Shape, nodes: usize, lasts: Span) -> FaultKind {
    let first = (0..nodes).map(|_| lot.percent(50)).collect();
    FaultKind::Partition { shape, first, lasts }
}

#[cfg(test)]
mod tests {
    use super::{Faults, KINDS};

    #[test]
    fn names_and_sets_are_one() {
        assert_eq!(Faults::parse("all"), Ok(Faults::ALL));
        assert_eq!(Faults::parse("none"), Ok(Faults::NONE));
        assert_eq!(Faults::parse(&Faults::ALL.text()), Ok(Faults::ALL));
        assert_eq!(Faults::parse("loss, crash").map(Faults::text), Ok("loss,crash".to_owned()));
        assert!(Faults::parse("gloss").is_err());
        assert!(KINDS.iter().all(|(name, _)| Faults::ALL.has(name)));
    }
}
