//! Grants are no longer than their limit says.

use bary_ledger::record::Record;

use crate::invariant::{Broken, Invariant, Scene, Settled, hold};

/// Grants are bounded.
#[derive(Debug)]
pub struct Bounds {
    /// Most ranges of one grant.
    pub grant_items_max: usize,
}

impl Invariant for Bounds {
    fn name(&self) -> &'static str {
        "bounds"
    }

    fn settled(&mut self, _: &Scene<'_>, settled: &Settled<'_>) -> Result<(), Broken> {
        if let Record::Granted { items, node } = settled.record {
            let (ranges, most) = (items.len(), self.grant_items_max);
            hold!(
                ranges <= most,
                "{node} was granted {ranges} ranges at once, the limit is {most}"
            );
        }
        Ok(())
    }
}
