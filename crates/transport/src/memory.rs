//! A network inside one process. Messages between two nodes keep their order; none is lost
//! unless the delay line is full, which is counted.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use bary_model::id::NodeId;
use bary_model::message::Message;
use bary_model::time::Span;
use bary_ports::transport::{Inbox, Transport};

/// Most messages under way at a time; more are lost, and counted as lost.
pub const UNDER_WAY_MAX: usize = 1 << 20;

/// How many messages went between nodes, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Words that a home has work.
    pub loads: u64,
    /// Asks without outcomes.
    pub asks: u64,
    /// Batches of grants.
    pub grants: u64,
    /// Batches of outcomes, with or without an ask.
    pub outcomes: u64,
    /// Requests to give work back.
    pub retracts: u64,
    /// Answers to them.
    pub retracted: u64,
    /// Messages lost because too many were under way.
    pub lost: u64,
}

impl Counts {
    /// All messages that were sent.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.loads + self.asks + self.grants + self.outcomes + self.retracts + self.retracted
    }

    fn count(&mut self, message: &Message) {
        let counter = match message {
            Message::Load { .. } => &mut self.loads,
            Message::Ask(_) => &mut self.asks,
            Message::Grant(_) => &mut self.grants,
            Message::Outcomes { .. } => &mut self.outcomes,
            Message::Retract(_) => &mut self.retracts,
            Message::Retracted { .. } => &mut self.retracted,
        };
        *counter += 1;
    }
}

/// The nodes of one process and the ways between them.
#[derive(Clone, Debug)]
pub struct Network {
    ways: Arc<Ways>,
}

type Latency = dyn Fn(NodeId, NodeId) -> Span + Send + Sync;

struct Ways {
    latency: Box<Latency>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    inboxes: BTreeMap<NodeId, Arc<dyn Inbox>>,
    counts: Counts,
    /// When the last message of each pair arrives, so that none overtakes it.
    last: BTreeMap<(NodeId, NodeId), Instant>,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    sent: u64,
    carrier: bool,
}

struct UnderWay {
    at: Instant,
    number: u64,
    from: NodeId,
    to: NodeId,
    message: Message,
}

impl Network {
    /// A network without nodes; `latency` tells how long a message from one node to another takes.
    pub fn new(latency: impl Fn(NodeId, NodeId) -> Span + Send + Sync + 'static) -> Self {
        let latency = Box::new(latency);
        let ways = Ways { latency, state: Mutex::default(), changed: Condvar::new() };
        Self { ways: Arc::new(ways) }
    }

    /// Adds a node, whose messages arrive at `inbox`.
    pub fn join(&self, node: NodeId, inbox: Arc<dyn Inbox>) {
        self.ways.lock().inboxes.insert(node, inbox);
    }

    /// The sending side of a node.
    #[must_use]
    pub fn transport(&self, node: NodeId) -> Box<dyn Transport> {
        Box::new(Way { me: node, ways: Arc::clone(&self.ways) })
    }

    /// How many messages were sent so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.ways.lock().counts
    }
}

struct Way {
    me: NodeId,
    ways: Arc<Ways>,
}

impl Transport for Way {
    fn send(&mut self, to: NodeId, message: Message) {
        let delay = (self.ways.latency)(self.me, to);
        let mut state = self.ways.lock();
        state.counts.count(&message);
        if delay == Span::ZERO {
            let inbox = state.inboxes.get(&to).cloned();
            drop(state);
            if let Some(inbox) = inbox {
                inbox.deliver(self.me, message);
            }
            return;
        }
        if state.under_way.len() >= UNDER_WAY_MAX {
            state.counts.lost += 1;
            return;
        }
        let pair = (self.me, to);
        let earliest = Instant::now() + delay.to_std();
        let at = state.last.get(&pair).map_or(earliest, |last| earliest.max(*last));
        state.last.insert(pair, at);
        state.sent += 1;
        let number = state.sent;
        state.under_way.push(Reverse(UnderWay { at, number, from: self.me, to, message }));
        self.ways.carry(&mut state);
        drop(state);
        self.ways.changed.notify_one();
    }
}

impl Ways {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread that delivers delayed messages, once. It ends with the network.
    fn carry(self: &Arc<Self>, state: &mut State) {
        if state.carrier {
            return;
        }
        let ways = Arc::downgrade(self);
        let thread = std::thread::Builder::new().name("bary-network".into());
        state.carrier = thread.spawn(move || carry(&ways)).is_ok();
    }

    /// Waits until the next message is due or something changed; then takes what is due.
    fn due(&self) -> Vec<UnderWay> {
        let mut state = self.lock();
        let wait = state.under_way.peek().map_or(IDLE, |Reverse(next)| {
            next.at.saturating_duration_since(Instant::now()).min(IDLE)
        });
        if !wait.is_zero() {
            let waited = self.changed.wait_timeout(state, wait);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let now = Instant::now();
        let mut due = Vec::new();
        while state.under_way.peek().is_some_and(|Reverse(next)| next.at <= now) {
            due.extend(state.under_way.pop().map(|Reverse(message)| message));
        }
        due
    }
}

/// How long the carrier waits at most before it looks whether the network is still there.
const IDLE: std::time::Duration = std::time::Duration::from_millis(100);

fn carry(ways: &Weak<Ways>) {
    while let Some(ways) = ways.upgrade() {
        for sent in ways.due() {
            let inbox = ways.lock().inboxes.get(&sent.to).cloned();
            if let Some(inbox) = inbox {
                inbox.deliver(sent.from, sent.message);
            }
        }
    }
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ways").finish_non_exhaustive()
    }
}

impl PartialEq for UnderWay {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for UnderWay {}

impl PartialOrd for UnderWay {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UnderWay {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    struct Door(Mutex<Sender<(NodeId, u64)>>);

    impl Inbox for Door {
        fn deliver(&self, from: NodeId, message: Message) {
            if let Message::Load { ready } = message {
                let door = self.0.lock().expect("no test panics with the lock");
                door.send((from, ready)).expect("the test listens");
            }
        }
    }

    #[test]
    fn messages_of_a_pair_arrive_in_order_with_and_without_delay() {
        for delay in [Span::ZERO, Span::micros(200)] {
            let network = Network::new(move |_, _| delay);
            let (door, arrived) = channel();
            network.join(NodeId(1), Arc::new(Door(Mutex::new(door))));
            let mut way = network.transport(NodeId(0));
            for ready in 0..1_000 {
                way.send(NodeId(1), Message::Load { ready });
            }
            for ready in 0..1_000 {
                assert_eq!(arrived.recv(), Ok((NodeId(0), ready)));
            }
            assert_eq!(network.counts().loads, 1_000);
            assert_eq!(network.counts().total(), 1_000);
        }
    }
}
