//! The journal of a home whose shard is replicated: a batch is durable once a majority of the
//! members that keep a copy has it on disk.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bary_model::id::Lsn;
use bary_ports::journal::{Completion, Journal};
use bary_replica::group::GroupError;
use bary_replica::limits::ENTRY_BYTES_MAX;
use bary_replica::proposal::Proposal;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::part::Part;
use crate::journal::{Before, JOURNAL_QUEUE_BYTES_MAX};

/// What a home is told that another one has followed.
pub(crate) const DEPOSED: &str = "another member has taken over the shard of this one";

/// The writing end.
pub(crate) struct ReplicatedJournal {
    batches: UnboundedSender<(Lsn, Bytes)>,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Bytes of batches that were not agreed on yet; see [`JOURNAL_QUEUE_BYTES_MAX`].
    waiting: AtomicUsize,
    durable: AtomicU64,
}

impl ReplicatedJournal {
    /// That of a reign of this member, which goes on after this batch. `before` is done before
    /// anything is proposed, and `told` hears what comes of it.
    pub(crate) fn start(
        (part, reign): (Arc<Part>, u64),
        last: Lsn,
        before: Before,
        told: UnboundedSender<Completion>,
        on: &Handle,
    ) -> Self {
        let (batches, coming) = unbounded_channel();
        let state = Arc::new(State::default());
        state.durable.store(last.0, Ordering::Relaxed);
        let proposer = Proposer { part, reign, state: Arc::clone(&state), told };
        drop(on.spawn(proposer.run(coming, before)));
        Self { batches, state }
    }
}

impl Journal for ReplicatedJournal {
    fn append(&mut self, lsn: Lsn, encode: &mut dyn FnMut(&mut Vec<u8>)) -> Lsn {
        let mut batch = Vec::new();
        encode(&mut batch);
        self.state.waiting.fetch_add(batch.len(), Ordering::Relaxed);
        // One that has failed has said so.
        drop(self.batches.send((lsn, batch.into())));
        Lsn(self.state.durable.load(Ordering::Acquire))
    }

    fn is_full(&self) -> bool {
        self.state.waiting.load(Ordering::Relaxed) >= JOURNAL_QUEUE_BYTES_MAX
    }
}

/// Has the group agree on what comes, in its order.
struct Proposer {
    part: Arc<Part>,
    reign: u64,
    state: Arc<State>,
    told: UnboundedSender<Completion>,
}

impl Proposer {
    async fn run(self, mut coming: UnboundedReceiver<(Lsn, Bytes)>, before: Before) {
        let before = Arc::new(Mutex::new(before));
        while let Some((first, batch)) = coming.recv().await {
            let (mut bytes, mut batches) = (batch.len(), vec![batch]);
            while bytes < ENTRY_BYTES_MAX
                && let Ok((_, batch)) = coming.try_recv()
            {
                bytes += batch.len();
                batches.push(batch);
            }
            let last = Lsn(first.0 + batches.len() as u64 - 1);
            // What the batches refer to.
            let sync = Arc::clone(&before);
            let sync = move || sync.lock().unwrap_or_else(PoisonError::into_inner)();
            let synced = tokio::task::spawn_blocking(sync).await;
            let why = match synced.map_err(io::Error::other).flatten() {
                Ok(()) => self.propose(first, batches).await.err(),
                Err(cause) => Some(format!("a result cannot be kept: {cause}")),
            };
            // A home that has ended wants to know nothing.
            if let Some(why) = why {
                drop(self.told.send(Completion::Failed { why }));
                return;
            }
            self.state.waiting.fetch_sub(bytes, Ordering::Relaxed);
            self.state.durable.store(last.0, Ordering::Release);
            drop(self.told.send(Completion::Durable(last)));
        }
    }

    async fn propose(&self, first: Lsn, batches: Vec<Bytes>) -> Result<(), String> {
        let proposal = Proposal::Batches { reign: self.reign, first, batches };
        match self.part.group.propose(proposal).await {
            Ok(_) => Ok(()),
            Err(GroupError::NotLeader | GroupError::Deposed) => Err(DEPOSED.to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
