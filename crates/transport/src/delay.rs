//! Messages on their way: a heap by the time they are due, and a thread that delivers them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bary_model::id::NodeId;
use bary_model::message::Frame;

/// A message on its way.
pub(crate) struct Parcel {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) frame: Frame,
}

/// The messages on their way.
#[derive(Default)]
pub(crate) struct DelayLine {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    heap: BinaryHeap<Reverse<Due>>,
    /// When the last message between two nodes is due: none may arrive before it.
    last: BTreeMap<(NodeId, NodeId), Instant>,
    sent: u64,
    closed: bool,
}

struct Due {
    at: Instant,
    /// Messages that are due at once arrive in the order in which they were sent.
    order: u64,
    parcel: Parcel,
}

impl DelayLine {
    /// Takes a message that is due after `delay`; false where `most` are on their way already.
    pub(crate) fn send(&self, parcel: Parcel, delay: Duration, most: usize) -> bool {
        let mut state = self.state();
        if state.heap.len() >= most || state.closed {
            return false;
        }
        let pair = (parcel.from, parcel.to);
        let due = Instant::now() + delay;
        let at = state.last.get(&pair).map_or(due, |&last| last.max(due));
        state.last.insert(pair, at);
        let order = state.sent;
        state.sent += 1;
        let is_next = state.heap.peek().is_none_or(|Reverse(next)| at < next.at);
        state.heap.push(Reverse(Due { at, order, parcel }));
        drop(state);
        if is_next {
            self.wake.notify_one();
        }
        true
    }

    /// Whether a message between two nodes ever came here, so that one may be on its way.
    pub(crate) fn has_seen(&self, from: NodeId, to: NodeId) -> bool {
        self.state().last.contains_key(&(from, to))
    }

    /// Delivers messages when they are due, until the line is closed.
    pub(crate) fn serve(&self, deliver: &dyn Fn(Parcel)) {
        let mut due = Vec::new();
        while self.wait(&mut due) {
            due.drain(..).for_each(deliver);
        }
    }

    /// Makes the serving thread end. What is on its way is lost.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.wake.notify_all();
    }

    /// Waits for messages that are due; false once the line is closed.
    fn wait(&self, due: &mut Vec<Parcel>) -> bool {
        let mut state = self.state();
        loop {
            if state.closed {
                return false;
            }
            let now = Instant::now();
            while state.heap.peek().is_some_and(|Reverse(next)| next.at <= now) {
                due.extend(state.heap.pop().map(|Reverse(next)| next.parcel));
            }
            if !due.is_empty() {
                return true;
            }
            state = match state.heap.peek() {
                None => self.wake.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Reverse(next)) => {
                    let left = next.at - now;
                    let waited = self.wake.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What the lock guards is changed in whole steps, so that a panic leaves it good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}
