//! Who may append to a log that several nodes can reach: the last that opened it.
//!
//! A log on a disk of its own needs none of this, because the disk has one owner at a time.

use bary_model::id::Epoch;

/// An append by a reign that has been superseded. Nothing was appended; the writer stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("epoch {} was superseded by epoch {}", late.0, reigns.0)]
pub struct Superseded {
    /// The epoch of the writer.
    pub late: Epoch,
    /// The epoch that reigns.
    pub reigns: Epoch,
}

/// The rule, kept where the log is kept: an append and its question are one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fence {
    reigns: Epoch,
}

impl Fence {
    /// A reign begins. Two that race for one epoch cannot both win.
    ///
    /// # Errors
    /// Where the epoch is not above every one before; nothing was changed.
    pub fn open(&mut self, epoch: Epoch) -> Result<(), Superseded> {
        if epoch <= self.reigns {
            return Err(Superseded { late: epoch, reigns: self.reigns });
        }
        self.reigns = epoch;
        Ok(())
    }

    /// Whether a writer of this epoch may append now.
    ///
    /// # Errors
    /// Where another epoch reigns.
    pub fn admit(&self, epoch: Epoch) -> Result<(), Superseded> {
        if epoch == self.reigns {
            return Ok(());
        }
        Err(Superseded { late: epoch, reigns: self.reigns })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fence, Superseded};
    use bary_model::id::Epoch;

    #[test]
    fn only_the_last_that_opened_may_append() {
        let mut fence = Fence::default();
        fence.open(Epoch(1)).expect("the first reign");
        fence.admit(Epoch(1)).expect("it reigns");
        fence.open(Epoch(3)).expect("a later reign");
        let late = Superseded { late: Epoch(1), reigns: Epoch(3) };
        assert_eq!(fence.admit(Epoch(1)), Err(late));
        assert_eq!(late.to_string(), "epoch 1 was superseded by epoch 3");
        assert!(fence.open(Epoch(3)).is_err(), "an epoch is opened once");
        assert!(fence.admit(Epoch(4)).is_err(), "and a reign begins by opening");
        fence.admit(Epoch(3)).expect("it reigns");
    }
}
