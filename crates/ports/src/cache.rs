//! Results kept of work that gives the same whenever it is given the same.

use bary_model::time::{Span, Wall};
use bytes::Bytes;

/// What a task is called with, as a hash: equal work has equal keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub [u8; 32]);

/// What a task gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its result: for a command what it printed.
    pub output: Bytes,
    /// What it wrote to standard error.
    pub stderr: Bytes,
}

/// Keeps results under keys, as long as it likes: whoever finds none runs the work.
pub trait ResultCache: Send + Sync + std::fmt::Debug {
    /// What is kept under a key, where that is no older than `age`. It is what was kept, byte for
    /// byte, or nothing. May read a disk.
    fn get(&self, key: &Key, age: Span, now: Wall) -> Option<Kept>;

    /// Keeps a result in place of what was kept under its key, or does not. May write a disk.
    fn put(&self, key: &Key, kept: &Kept, now: Wall);

    /// Counts tasks that were answered, and tasks that ran since there was no result for them.
    fn count(&self, hits: u64, misses: u64);
}
