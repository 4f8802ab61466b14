//! Holds the reader of a stream back while more of it is pending than a named limit allows, so
//! that an endless stream runs in flat memory.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bary_model::id::SpecNo;

use crate::limits;

/// What of a stream was read and has not ended.
#[derive(Debug)]
pub(crate) struct Gate {
    /// The most bytes that may be pending.
    bytes_max: u64,
    state: Mutex<Pending>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    inputs: u64,
    bytes: u64,
    /// Tasks left and bytes held of each chunk, by its first spec.
    chunks: BTreeMap<SpecNo, (u64, u64)>,
    closed: bool,
}

impl Gate {
    /// A gate for inputs of so many bytes together.
    pub(crate) fn new(bytes_max: u64) -> Self {
        Self { bytes_max, state: Mutex::default(), room: Condvar::new() }
    }

    /// Waits until there is room for a chunk of so many tasks and bytes; false where nothing more
    /// is wanted. A chunk larger than the limit goes in alone.
    pub(crate) fn enter(&self, first: SpecNo, tasks: u64, bytes: u64) -> bool {
        let mut pending = self.lock();
        while !pending.closed && !pending.has_room(tasks, bytes, self.bytes_max) {
            pending = self.room.wait(pending).unwrap_or_else(PoisonError::into_inner);
        }
        if pending.closed {
            return false;
        }
        pending.inputs += tasks;
        pending.bytes += bytes;
        pending.chunks.insert(first, (tasks, bytes));
        true
    }

    /// Notes that so many tasks of a spec have ended.
    pub(crate) fn leave(&self, spec: SpecNo, tasks: u64) {
        let mut pending = self.lock();
        let Some((&first, chunk)) = pending.chunks.range_mut(..=spec).next_back() else { return };
        chunk.0 = chunk.0.saturating_sub(tasks);
        let (left, bytes) = *chunk;
        pending.inputs = pending.inputs.saturating_sub(tasks);
        if left == 0 {
            pending.chunks.remove(&first);
            pending.bytes = pending.bytes.saturating_sub(bytes);
        }
        self.room.notify_all();
    }

    /// Lets the reader go; it reads no more.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.room.notify_all();
    }

    /// Nothing panics while it holds the lock, and each change of it is whole.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn has_room(&self, tasks: u64, bytes: u64, bytes_max: u64) -> bool {
        let fits = self.inputs + tasks <= limits::STREAM_PENDING_INPUTS_MAX
            && self.bytes + bytes <= bytes_max;
        self.inputs == 0 || fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_waits_until_others_have_ended() {
        let gate = Gate::new(100);
        let most = limits::STREAM_PENDING_INPUTS_MAX;
        assert!(gate.enter(SpecNo(0), most * 2, 10), "a large one goes in alone");
        assert!(!gate.lock().has_room(1, 1, 100));
        gate.leave(SpecNo(0), most);
        gate.leave(SpecNo(0), most);
        assert!(gate.lock().has_room(1, 1, 100));
        assert_eq!(gate.lock().bytes, 0);
        assert!(gate.enter(SpecNo(2), 1, 60));
        assert!(!gate.lock().has_room(1, 60, 100), "its bytes are too many");
        gate.close();
        assert!(!gate.enter(SpecNo(1), 1, 1));
    }

    #[test]
    fn tasks_of_any_spec_of_a_chunk_count_for_it() {
        let gate = Gate::new(100);
        assert!(gate.enter(SpecNo(0), 3, 30));
        assert!(gate.enter(SpecNo(3), 2, 20));
        gate.leave(SpecNo(4), 1);
        gate.leave(SpecNo(3), 1);
        let pending = gate.lock();
        assert_eq!((pending.inputs, pending.bytes), (3, 30));
    }
}
