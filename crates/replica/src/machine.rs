//! What becomes of what was agreed on: batches go into the journal, in their order and once.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{Stream, StreamExt};
use openraft::storage::{EntryResponder, RaftSnapshotBuilder, RaftStateMachine};
use openraft::type_config::alias::{LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf};
use openraft::{EntryPayload, OptionalSend};
use serde::{Deserialize, Serialize};

use crate::copy::Copy;
use crate::packed::Packed;
use crate::proposal::{Proposal, Taken, Types};
use crate::store::{MARK, Store};

/// How far a journal is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Mark {
    applied: Option<LogIdOf<Types>>,
    members: StoredMembershipOf<Types>,
    reign: u64,
}

/// A journal as the group sees it. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Machine(Arc<Inner>);

struct Inner {
    copy: Arc<dyn Copy>,
    store: Store,
    dir: PathBuf,
    mark: Mutex<Mark>,
    packed: AtomicU64,
}

impl Machine {
    /// The journal of a directory, which is as far as its log says.
    pub(crate) fn open(copy: Arc<dyn Copy>, store: Store, dir: PathBuf) -> io::Result<Self> {
        let mark = Mutex::new(store.one(MARK)?.unwrap_or_default());
        Ok(Self(Arc::new(Inner { copy, store, dir, mark, packed: AtomicU64::new(0) })))
    }

    fn mark(&self) -> MutexGuard<'_, Mark> {
        // It is changed in whole steps, so that a panic leaves it good.
        self.0.mark.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the last reign that this journal has heard of.
    pub(crate) fn reign(&self) -> u64 {
        self.mark().reign
    }

    /// Takes one thing that was agreed on. Batches that the journal has already are those that it
    /// took before it was closed.
    fn take(&self, number: u64, proposal: Proposal) -> io::Result<Taken> {
        let (reign, first, batches) = match proposal {
            Proposal::Reign => {
                self.mark().reign = number;
                return Ok(Taken(true));
            }
            Proposal::Batches { reign, first, batches } => (reign, first, batches),
        };
        if reign != self.mark().reign {
            return Ok(Taken(false));
        }
        for (lsn, batch) in (first.0..).zip(&batches) {
            let next = self.0.copy.next();
            if lsn == next.0 {
                self.0.copy.append(next, batch)?;
            } else if lsn > next.0 {
                let text = format!("batch {lsn} came where {} was to come", next.0);
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
        }
        Ok(Taken(true))
    }

    /// A file for a whole journal of another member; another one each time.
    pub(crate) fn incoming(&self, reign: u64) -> Packed {
        Packed::incoming(self.file(), reign)
    }

    fn file(&self) -> PathBuf {
        let number = self.0.packed.fetch_add(1, Ordering::Relaxed);
        self.0.dir.join(format!("packed-{number}"))
    }

    /// The whole journal, which is packed when it is sent. It is as far at least as is told.
    async fn pack(&self) -> io::Result<SnapshotOf<Types, Packed>> {
        let machine = self.clone();
        let marking = move || {
            let mark = machine.mark().clone();
            machine.0.copy.sync()?;
            machine.0.store.put(MARK, &mark)?;
            let meta = SnapshotMetaOf::<Types> {
                last_log_id: mark.applied,
                last_membership: mark.members,
            };
            let copy = Arc::clone(&machine.0.copy);
            let snapshot = Packed::outgoing(machine.file(), mark.reign, copy);
            Ok(SnapshotOf::<Types, Packed> { meta, snapshot })
        };
        tokio::task::spawn_blocking(marking).await.map_err(io::Error::other)?
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    type SnapshotData = Packed;

    async fn build_snapshot(&mut self) -> io::Result<SnapshotOf<Types, Packed>> {
        self.pack().await
    }
}

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = Packed;
    type SnapshotBuilder = Self;

    async fn applied_state(
        &mut self,
    ) -> io::Result<(Option<LogIdOf<Types>>, StoredMembershipOf<Types>)> {
        let mark = self.mark();
        Ok((mark.applied, mark.members.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> io::Result<()>
    where
        Strm: Stream<Item = io::Result<EntryResponder<Types>>> + Unpin + OptionalSend,
    {
        while let Some(entry) = entries.next().await {
            let (entry, responder) = entry?;
            let taken = match entry.payload {
                EntryPayload::Blank => Taken(true),
                EntryPayload::Membership(members) => {
                    self.mark().members =
                        StoredMembershipOf::<Types>::new(Some(entry.log_id), members);
                    Taken(true)
                }
                EntryPayload::Normal(proposal) => {
                    let machine = self.clone();
                    let taking = tokio::task::spawn_blocking(move || {
                        machine.take(entry.log_id.index, proposal)
                    });
                    taking.await.map_err(io::Error::other)??
                }
            };
            self.mark().applied = Some(entry.log_id);
            if let Some(responder) = responder {
                responder.send(taken);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<Types>,
        packed: Packed,
    ) -> io::Result<()> {
        let machine = self.clone();
        let mark = Mark {
            applied: meta.last_log_id,
            members: meta.last_membership.clone(),
            reign: packed.reign(),
        };
        let unpacking = move || {
            machine.0.copy.unpack(packed.path())?;
            machine.0.store.put(MARK, &mark)?;
            *machine.mark() = mark;
            Ok(())
        };
        tokio::task::spawn_blocking(unpacking).await.map_err(io::Error::other)?
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<SnapshotOf<Types, Packed>>> {
        if self.mark().applied.is_none() {
            return Ok(None);
        }
        self.pack().await.map(Some)
    }
}
