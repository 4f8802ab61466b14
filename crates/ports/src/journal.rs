//! Making records durable: what was appended is durable once its number has been completed.

use bary_model::id::Lsn;

/// Keeps batches of records in order. The record type is the ledger's; journals of later kinds
/// take its encoded form.
pub trait Journal: Send {
    /// Appends a batch. Returns the highest number that is durable by now; a slower journal
    /// completes it later.
    fn append(&mut self, lsn: Lsn) -> Lsn;
}

/// The journal of a process that keeps nothing: what is appended is durable as long as the
/// process is, and no longer. Every acknowledgement under it says `memory`.
#[derive(Debug, Default)]
pub struct MemoryJournal;

impl Journal for MemoryJournal {
    fn append(&mut self, lsn: Lsn) -> Lsn {
        lsn
    }
}
