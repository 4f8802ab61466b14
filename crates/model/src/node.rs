//! Nodes as other nodes know them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::machine::Machine;
use crate::resources::Resources;
use crate::task::Request;
use crate::time::Span;

/// What a node says of itself when it joins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Its id.
    pub id: NodeId,
    /// Its name, for people.
    pub name: Box<str>,
    /// Where it is.
    pub region: Box<str>,
    /// All that it has.
    pub resources: Resources,
    /// How many tasks of one core it runs at a time.
    pub slots: u32,
    /// How much weight one of its slots does in the time another's does 1; positive.
    pub speed: f64,
    /// Labels that tasks may ask for.
    pub labels: BTreeMap<Box<str>, Box<str>>,
    /// What kinds of tasks it runs.
    pub offers: Offers,
}

/// What kinds of tasks a node runs. `Default` is commands, and any function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offers {
    /// Whether it runs commands.
    pub commands: bool,
    /// The functions that it runs; any where this is absent.
    pub functions: Option<BTreeSet<Box<str>>>,
}

impl Default for Offers {
    fn default() -> Self {
        Self { commands: true, functions: None }
    }
}

impl Offers {
    /// Whether a task that calls this function, or a command where there is none, runs there.
    #[must_use]
    pub fn has(&self, function: Option<&str>) -> bool {
        match (function, &self.functions) {
            (None, _) => self.commands,
            (Some(_), None) => true,
            (Some(name), Some(functions)) => functions.contains(name),
        }
    }
}

impl NodeInfo {
    /// Whether the node, when it is idle, can run what `request` asks for.
    #[must_use]
    pub fn can_run(&self, request: &Request) -> bool {
        self.resources.fits(&request.resources)
            && self.has_labels(request)
            && self.offers.has(request.function.as_deref())
    }

    /// Whether its labels are as `request` wants them.
    #[must_use]
    pub fn has_labels(&self, request: &Request) -> bool {
        request.labels.iter().all(|rule| {
            let same = self.labels.get(&rule.label).is_some_and(|v| *v == rule.value);
            same != rule.not
        })
    }

    /// Its slots times their speed: what it does in a unit of time.
    #[must_use]
    pub fn power(&self) -> f64 {
        f64::from(self.slots) * self.speed
    }
}

/// How busy a machine is with what no home granted, and how much of its memory is used, in
/// thousandths of what it has; more than all counts as all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// The share of its processors that is busy with anything but tasks of the node.
    pub cpus: u16,
    /// The share of its memory that is used, by whomever.
    pub memory: u16,
}

impl Busy {
    /// The whole of a machine.
    pub const WHOLE: u16 = 1_000;

    /// Of these shares, from 0 to 1; what is less or more counts as that, and NaN as 0.
    #[must_use]
    pub fn of(cpus: f64, memory: f64) -> Self {
        let part = |share: f64| (share.clamp(0.0, 1.0) * f64::from(Self::WHOLE)).round() as u16;
        Self { cpus: part(cpus), memory: part(memory) }
    }
}

/// Another node, and how far away it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// What it says of itself.
    pub info: NodeInfo,
    /// How long a message there and its answer take.
    pub round_trip: Span,
    /// What its machine was measured to be, as far as that has been told.
    pub machine: Machine,
}
