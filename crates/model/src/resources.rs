//! What tasks ask for and nodes have: cores, memory, GPUs and named, countable things.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of each resource. Cores and GPUs are in thousandths, so that tasks may share one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Resources {
    /// Cores in thousandths.
    pub milli_cpus: u64,
    /// Memory in bytes.
    pub memory: u64,
    /// GPUs in thousandths.
    pub milli_gpus: u64,
    /// Named, countable resources such as licences.
    pub named: BTreeMap<Box<str>, u64>,
}

/// One resource of which more is needed than there is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shortage {
    /// The resource: `cpus`, `memory`, `gpus` or a user's name.
    pub what: Box<str>,
    /// The amount needed, in the unit that a user writes.
    pub needed: f64,
    /// The amount there is.
    pub there: f64,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if &*self.what != MEMORY {
            let (needed, there) = (self.needed, self.there);
            return write!(f, "needs {needed} {}, the largest node has {there}", self.what);
        }
        let (mut needed, mut there) = (size(self.needed), size(self.there));
        if needed == there {
            (needed, there) = (format!("{} bytes", self.needed), format!("{} bytes", self.there));
        }
        write!(f, "needs {needed} of memory, the largest node has {there}")
    }
}

/// What memory is called in a shortage.
const MEMORY: &str = "memory";

/// Bytes in the largest unit of which there is one, with a decimal where it is not whole.
fn size(bytes: f64) -> String {
    const UNITS: [&str; 7] = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let (mut amount, mut unit) = (bytes, 0);
    while amount >= 1_024.0 && unit + 1 < UNITS.len() {
        amount /= 1_024.0;
        unit += 1;
    }
    let shown = format!("{amount:.1}");
    format!("{} {}", shown.strip_suffix(".0").unwrap_or(&shown), UNITS[unit])
}

impl Resources {
    /// Whole cores and nothing else.
    #[must_use]
    pub fn cpus(cpus: u32) -> Self {
        Self { milli_cpus: u64::from(cpus) * 1_000, ..Self::default() }
    }

    /// Whether `self` is enough for `need`.
    #[must_use]
    pub fn fits(&self, need: &Self) -> bool {
        self.milli_cpus >= need.milli_cpus
            && self.memory >= need.memory
            && self.milli_gpus >= need.milli_gpus
            && (need.named.is_empty() || self.has_named(need))
    }

    fn has_named(&self, need: &Self) -> bool {
        need.named.iter().all(|(name, &n)| self.named.get(name).copied().unwrap_or(0) >= n)
    }

    /// How many times `need` fits; `u64::MAX` where it needs nothing.
    #[must_use]
    pub fn times(&self, need: &Self) -> u64 {
        let mut times = u64::MAX;
        let mut bound = |there: u64, needed: u64| {
            if let Some(fit) = there.checked_div(needed) {
                times = times.min(fit);
            }
        };
        bound(self.milli_cpus, need.milli_cpus);
        bound(self.memory, need.memory);
        bound(self.milli_gpus, need.milli_gpus);
        for (name, &needed) in &need.named {
            bound(self.named.get(name).copied().unwrap_or(0), needed);
        }
        times
    }

    /// Takes `used` away; the caller has checked that it fits.
    pub fn take(&mut self, used: &Self) {
        assert!(self.fits(used), "a node must never run above its resources");
        self.milli_cpus -= used.milli_cpus;
        self.memory -= used.memory;
        self.milli_gpus -= used.milli_gpus;
        for (name, &n) in &used.named {
            if let Some(there) = self.named.get_mut(name) {
                *there -= n;
            }
        }
    }

    /// Gives `used` back.
    pub fn give(&mut self, used: &Self) {
        self.milli_cpus += used.milli_cpus;
        self.memory += used.memory;
        self.milli_gpus += used.milli_gpus;
        for (name, &n) in &used.named {
            if let Some(there) = self.named.get_mut(name) {
                *there += n;
            }
        }
    }

    /// The resources of which `need` asks more than there is, each with both amounts.
    #[must_use]
    pub fn shortages(&self, need: &Self) -> Vec<Shortage> {
        let mut short = Vec::new();
        let mut compare = |what: &str, needed: u64, there: u64, unit: f64| {
            if needed > there {
                let (needed, there) = (needed as f64 / unit, there as f64 / unit);
                short.push(Shortage { what: what.into(), needed, there });
            }
        };
        compare("gpus", need.milli_gpus, self.milli_gpus, 1e3);
        compare("cpus", need.milli_cpus, self.milli_cpus, 1e3);
        compare(MEMORY, need.memory, self.memory, 1.0);
        for (name, &needed) in &need.named {
            compare(name, needed, self.named.get(name).copied().unwrap_or(0), 1.0);
        }
        short
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_and_giving_back_changes_nothing() {
        let mut node = Resources::cpus(4);
        node.named.insert("licence".into(), 2);
        let whole = node.clone();
        let mut need = Resources { milli_cpus: 500, ..Resources::default() };
        need.named.insert("licence".into(), 1);
        assert_eq!(node.times(&need), 2);
        node.take(&need);
        assert_ne!(node, whole);
        node.give(&need);
        assert_eq!(node, whole);
    }

    #[test]
    fn a_shortage_names_the_resource_and_both_amounts() {
        let need = Resources { milli_gpus: 8_000, ..Resources::cpus(1) };
        let short = Resources::cpus(2).shortages(&need);
        assert_eq!(short.len(), 1);
        assert_eq!(short[0].to_string(), "needs 8 gpus, the largest node has 0");
    }

    #[test]
    fn memory_is_told_with_its_unit() {
        let node = Resources { memory: (8 << 30) - 1, ..Resources::default() };
        let told = |bytes: u64| {
            let need = Resources { memory: bytes, ..Resources::default() };
            node.shortages(&need).iter().map(ToString::to_string).collect::<String>()
        };
        assert_eq!(told(100 << 40), "needs 100 TiB of memory, the largest node has 8 GiB");
        assert_eq!(told(3 << 32), "needs 12 GiB of memory, the largest node has 8 GiB");
        let alike = "needs 8589934592 bytes of memory, the largest node has 8589934591 bytes";
        assert_eq!(told(8 << 30), alike);
    }
}
