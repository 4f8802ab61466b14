//! Making records durable: what was appended is durable once its number has been completed.

use bary_model::id::Lsn;

/// How much a journal can still take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Room {
    /// Anything.
    #[default]
    Ample,
    /// Outcomes, cancels and other small ends; the home refuses new jobs.
    Low,
    /// Nothing: what was appended waits, and nothing is acknowledged until there is space.
    None,
}

/// What a journal says later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Completion {
    /// All batches up to this one are durable.
    Durable(Lsn),
    /// How much room there is has changed.
    Room(Room),
    /// The journal has failed and does nothing more. Nobody knows which of the batches that were
    /// not completed are durable: the engine is dropped and made again from what can be read.
    Failed {
        /// What to tell the user, one line.
        why: String,
    },
}

/// Makes batches durable, in their order. What it completes later it tells whoever made it:
/// numbers only rise, and nothing comes after [`Completion::Failed`].
pub trait Journal: Send {
    /// Takes a batch, numbered one more than the one before; `encode` adds its bytes to a buffer,
    /// and is called by journals that keep bytes. Gives the last batch that is durable by now,
    /// this one where it is durable at once. Never waits for a disk.
    fn append(&mut self, lsn: Lsn, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Lsn;

    /// Whether as much waits to be durable as the journal's named limit allows. Nothing more is
    /// appended then until something has been completed.
    fn is_full(&self) -> bool;
}

/// The journal of a process that keeps nothing: what is appended is durable as long as the
/// process is, and no longer. Every acknowledgement under it says `memory`.
#[derive(Debug, Default)]
pub struct MemoryJournal;

impl Journal for MemoryJournal {
    fn append(&mut self, lsn: Lsn, _encode: &mut dyn FnMut(&mut Vec<u8>)) -> Lsn {
        lsn
    }

    fn is_full(&self) -> bool {
        false
    }
}
