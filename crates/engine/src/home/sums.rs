//! What the accounts of a home's nodes add up to, kept as they change.

use crate::home::account::Account;

/// What accounts add up to. Whole numbers, so that the order of changes does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    load: u64,
    /// How many nodes have shown their pace, and what a unit of declared speed has come to there.
    known: u32,
    pace: u128,
    /// Power shown, and power declared where none was shown.
    shown: u128,
    declared: u128,
}

/// What all nodes of a home add up to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Totals {
    /// Weight granted and not ended, in thousandths.
    pub(crate) load: u64,
    /// Power of all nodes.
    pub(crate) power: f64,
    /// What a unit of declared speed has come to, over the nodes that have shown it.
    pub(crate) scale: Option<f64>,
}

impl Totals {
    /// The load that a node of a power would have if all loads were spread evenly.
    pub(crate) fn mean_load(&self, power: f64) -> u64 {
        (self.load as f64 * power / self.power) as u64
    }
}

/// How many parts of one are counted.
const PARTS: f64 = (1_u64 << 40) as f64;
/// More than this counts as this, so that sums over all nodes there can be never overflow.
const MOST: f64 = (1_u64 << 56) as f64;

fn parts(number: f64) -> u128 {
    (number.min(MOST) * PARTS) as u128
}

fn number(parts: u128) -> f64 {
    parts as f64 / PARTS
}

impl Sums {
    pub(super) fn of(account: &Account) -> Self {
        let load = account.load();
        let power = parts(account.power(None));
        match account.pace_per_speed() {
            Some(pace) => Self { load, known: 1, pace: parts(pace), shown: power, declared: 0 },
            None => Self { load, declared: power, ..Self::default() },
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.load += other.load;
        self.known += other.known;
        self.pace += other.pace;
        self.shown += other.shown;
        self.declared += other.declared;
    }

    pub(super) fn remove(&mut self, other: Self) {
        self.load -= other.load;
        self.known -= other.known;
        self.pace -= other.pace;
        self.shown -= other.shown;
        self.declared -= other.declared;
    }

    /// What a unit of declared speed has come to.
    pub(super) fn scale(self) -> Option<f64> {
        (self.known > 0).then(|| number(self.pace) / f64::from(self.known))
    }

    pub(super) fn totals(self) -> Totals {
        let scale = self.scale();
        let power = number(self.shown) + number(self.declared) * scale.unwrap_or(1.0);
        Totals { load: self.load, power, scale }
    }
}
