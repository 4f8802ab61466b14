//! What is to happen, by its moment: a heap with four children a node, whose entries are one
//! number each, so that four children share a cache line. What happens lies beside it in slots
//! that are used again.

use bary_model::time::Moment;

/// How many low bits of an entry say the slot: so many events may be due at a time.
const SLOT_BITS: u32 = 24;
/// Children of each entry of the heap.
const ARITY: usize = 4;

/// Things to happen in the order of their moments; those of one moment in the order in which
/// they were put.
#[derive(Debug)]
pub(crate) struct Queue<T> {
    /// Moment, then sequence, then slot.
    heap: Vec<u128>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    sequence: u64,
}

impl<T> Queue<T> {
    pub(crate) fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    /// Puts something that is to happen at `at`.
    ///
    /// # Panics
    /// Where more than 16 million things are due at a time.
    pub(crate) fn put(&mut self, at: Moment, what: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(what);
                slot
            }
            None => {
                self.slots.push(Some(what));
                self.slots.len() as u32 - 1
            }
        };
        assert!(slot < 1 << SLOT_BITS, "too many events are due at a time");
        self.sequence += 1;
        let entry =
            u128::from(at.0) << 64 | u128::from(self.sequence << SLOT_BITS | u64::from(slot));
        self.heap.push(entry);
        self.rise(self.heap.len() - 1);
    }

    /// The next thing and its moment, left where it is.
    pub(crate) fn peek(&self) -> Option<(Moment, &T)> {
        let entry = *self.heap.first()?;
        let what = self.slots[slot_of(entry)].as_ref()?;
        Some((moment_of(entry), what))
    }

    /// Takes the next thing out.
    pub(crate) fn pop(&mut self) -> Option<(Moment, T)> {
        let entry = *self.heap.first()?;
        let last = self.heap.pop()?;
        if !self.heap.is_empty() {
            self.heap[0] = last;
            self.sink();
        }
        let slot = slot_of(entry);
        self.free.push(slot as u32);
        self.slots[slot].take().map(|what| (moment_of(entry), what))
    }

    fn rise(&mut self, mut at: usize) {
        let entry = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.heap[parent] <= entry {
                break;
            }
            self.heap[at] = self.heap[parent];
            at = parent;
        }
        self.heap[at] = entry;
    }

    /// Sends the hole at the root down to a leaf and lets the entry rise from there: the entry
    /// came from a leaf, so this compares less than stopping it on its way.
    fn sink(&mut self) {
        let entry = self.heap[0];
        let len = self.heap.len();
        let mut at = 0;
        loop {
            let first = at * ARITY + 1;
            if first >= len {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + ARITY).min(len) {
                if self.heap[child] < self.heap[least] {
                    least = child;
                }
            }
            self.heap[at] = self.heap[least];
            at = least;
        }
        self.heap[at] = entry;
        self.rise(at);
    }
}

fn slot_of(entry: u128) -> usize {
    (entry as u64 & ((1 << SLOT_BITS) - 1)) as usize
}

fn moment_of(entry: u128) -> Moment {
    Moment((entry >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::Queue;
    use bary_model::time::Moment;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    proptest! {
        #[test]
        fn things_come_by_moment_and_then_as_they_were_put(
            acts in proptest::collection::vec((any::<bool>(), 0..20_u64), 0..400)
        ) {
            let mut queue = Queue::new();
            let mut plain: Vec<(u64, usize)> = Vec::new();
            for (number, (pops, at)) in acts.into_iter().enumerate() {
                if pops {
                    let least = plain.iter().min().copied();
                    plain.retain(|one| Some(*one) != least);
                    let popped = queue.pop().map(|(at, what): (Moment, usize)| (at.0, what));
                    prop_assert_eq!(popped, least);
                } else {
                    queue.put(Moment(at), number);
                    plain.push((at, number));
                }
                prop_assert_eq!(queue.heap.len(), plain.len());
            }
        }
    }
}
