//! The network of one process: messages go from inbox to inbox, at once or after a latency.
//!
//! Order between two nodes is kept. A message is lost where nobody has joined under its target,
//! or where more are on their way than the limit; the newest is lost then, and counted.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::thread::JoinHandle;

use bary_model::id::NodeId;
use bary_model::message::Frame;
use bary_model::time::Span;
use bary_ports::transport::{Inbox, Transport};

use crate::count::{Counter, MessageCounts};
use crate::delay::{DelayLine, Parcel};

/// How long a message from one node to another takes.
pub type Latency = dyn Fn(NodeId, NodeId) -> Span + Send + Sync;

/// A network between nodes of one process. Dropping it loses what is on its way.
pub struct Network {
    shared: Arc<Shared>,
}

struct Shared {
    latency: Box<Latency>,
    in_flight_max: usize,
    inboxes: RwLock<BTreeMap<NodeId, Arc<dyn Inbox>>>,
    counter: Counter,
    line: DelayLine,
    /// Delivers what takes time; started with the first such message.
    courier: OnceLock<Courier>,
}

/// The thread that delivers, until it is joined; none where it could not be had.
type Courier = Option<Mutex<Option<JoinHandle<()>>>>;

/// Sends for one node of the network.
struct MemoryTransport {
    node: NodeId,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Network").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

impl Network {
    /// The most messages on their way at a time where nobody says: a million.
    pub const IN_FLIGHT_MAX: usize = 1_000_000;

    /// A network in which `latency` says how long a message takes, one way. What takes no time is
    /// delivered before sending returns, on the sender's thread.
    #[must_use]
    pub fn new(latency: impl Fn(NodeId, NodeId) -> Span + Send + Sync + 'static) -> Self {
        Self::with_limit(latency, Self::IN_FLIGHT_MAX)
    }

    /// The same, with at most so many messages on their way at a time.
    #[must_use]
    pub fn with_limit(
        latency: impl Fn(NodeId, NodeId) -> Span + Send + Sync + 'static,
        in_flight_max: usize,
    ) -> Self {
        let shared = Shared {
            latency: Box::new(latency),
            in_flight_max,
            inboxes: RwLock::default(),
            counter: Counter::default(),
            line: DelayLine::default(),
            courier: OnceLock::new(),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Messages to `node` go to `inbox` from now on.
    pub fn join(&self, node: NodeId, inbox: Arc<dyn Inbox>) {
        let mut inboxes = self.shared.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        inboxes.insert(node, inbox);
    }

    /// Messages to `node` are lost from now on.
    pub fn leave(&self, node: NodeId) {
        let mut inboxes = self.shared.inboxes.write().unwrap_or_else(PoisonError::into_inner);
        inboxes.remove(&node);
    }

    /// What `node` sends with.
    #[must_use]
    pub fn transport(&self, node: NodeId) -> Box<dyn Transport> {
        Box::new(MemoryTransport { node, shared: Arc::clone(&self.shared) })
    }

    /// Hands a frame that came from elsewhere to a node of this process.
    pub fn deliver(&self, from: NodeId, to: NodeId, frame: Frame) {
        self.shared.deliver(Parcel { from, to, frame });
    }

    /// Counts a frame that leaves this process another way.
    pub fn count(&self, frame: &Frame) {
        self.shared.counter.sent(frame);
    }

    /// How many messages were sent so far, by kind.
    #[must_use]
    pub fn counts(&self) -> MessageCounts {
        self.shared.counter.read()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.shared.line.close();
        let courier = self.shared.courier.get().and_then(Option::as_ref);
        let thread = courier.and_then(|c| c.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(thread) = thread else { return };
        // An inbox may hold the last handle; the courier that dropped it ends by itself.
        if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
            // The panic of an inbox was printed where it happened.
            self.shared.counter.lost();
        }
    }
}

impl Transport for MemoryTransport {
    fn send(&mut self, to: NodeId, frame: Frame) {
        let (from, shared) = (self.node, &self.shared);
        if from != to {
            shared.counter.sent(&frame);
        }
        let latency = (shared.latency)(from, to);
        let parcel = Parcel { from, to, frame };
        let is_slow = latency > Span::ZERO;
        if !(is_slow || shared.courier.get().is_some() && shared.line.has_seen(from, to)) {
            return shared.deliver(parcel);
        }
        let has_courier = Shared::start_courier(shared);
        if !(has_courier && shared.line.send(parcel, latency.to_std(), shared.in_flight_max)) {
            shared.counter.lost();
        }
    }
}

impl Shared {
    fn deliver(&self, parcel: Parcel) {
        let inboxes = self.inboxes.read().unwrap_or_else(PoisonError::into_inner);
        let inbox = inboxes.get(&parcel.to).cloned();
        drop(inboxes);
        match inbox {
            Some(inbox) => inbox.deliver(parcel.from, parcel.frame),
            None => self.counter.lost(),
        }
    }

    /// Starts the courier, once; false where no thread can be had, so that messages are lost.
    fn start_courier(shared: &Arc<Self>) -> bool {
        let start = || -> io::Result<JoinHandle<()>> {
            let shared = Arc::clone(shared);
            std::thread::Builder::new()
                .name("bary-network".into())
                .spawn(move || shared.line.serve(&|parcel| shared.deliver(parcel)))
        };
        let courier =
            shared.courier.get_or_init(|| start().ok().map(|thread| Mutex::new(Some(thread))));
        courier.is_some()
    }
}
