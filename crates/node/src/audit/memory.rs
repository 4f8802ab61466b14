//! A log that is lost with the process: the last lines, the older ones forgotten.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bary_identity::audit::chain::Chain;
use bary_identity::audit::{Entry, Line};

/// How many lines are remembered.
pub(super) const LINES_MAX: usize = 10_000;

/// The lines that are remembered.
#[derive(Debug, Default)]
pub(super) struct Memory {
    chain: Chain,
    lines: VecDeque<Line>,
}

/// The memory for one to look at or to change, which it is never half of.
pub(super) fn lock(memory: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    memory.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    pub(super) fn append(&mut self, entry: &Entry<'_>) -> u64 {
        if self.lines.len() == LINES_MAX {
            self.lines.pop_front();
        }
        let (line, _) = self.chain.append(entry);
        self.lines.push_back(line);
        self.chain.number()
    }

    /// At most so many of the lines after a number.
    pub(super) fn page(&self, after: u64, most: usize) -> Vec<Line> {
        let from = self.lines.partition_point(|line| line.number <= after);
        self.lines.iter().skip(from).take(most).cloned().collect()
    }
}
