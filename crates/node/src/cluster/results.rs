//! Where large results are kept.

use std::sync::Arc;

use bary_ports::store::Store;
use bary_store::durable::DurableStore;
use bary_store::spill::SpillStore;

use crate::cluster::{Cluster, Durability};
use crate::options::Membership;
use crate::peers::blobs::Blobs;
use crate::state::State;

/// Where large results are kept.
#[derive(Clone, Debug)]
pub(super) enum Results {
    /// As long as the process lives.
    Passing(Arc<SpillStore>),
    /// In a state.
    Lasting(Arc<DurableStore>),
    /// In a state, and in those of the other members of a cluster.
    Shared(Arc<DurableStore>, Arc<Blobs>),
}

impl Results {
    /// Those of a state, which may be one of a member of a cluster.
    pub(super) fn of(state: &State, member: Option<&Membership>) -> std::io::Result<Self> {
        let store = Arc::clone(&state.store);
        let Some(Membership(peers)) = member else { return Ok(Self::Lasting(store)) };
        let releases = Arc::clone(&state.releases);
        let blobs = peers.blobs(Arc::clone(&store), releases, &state.dir)?;
        Ok(Self::Shared(store, blobs))
    }

    pub(super) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Passing(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Lasting(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Shared(_, blobs) => Arc::clone(blobs) as Arc<dyn Store>,
        }
    }

    /// Those of a member of a cluster.
    pub(super) fn blobs(&self) -> Option<&Arc<Blobs>> {
        match self {
            Self::Shared(_, blobs) => Some(blobs),
            Self::Passing(_) | Self::Lasting(_) => None,
        }
    }

    pub(super) fn durability(&self) -> Durability {
        match self {
            Self::Passing(_) => Durability::Memory,
            Self::Lasting(_) | Self::Shared(..) => Durability::Disk,
        }
    }

    /// Lets nobody wait for space any more.
    pub(super) fn give_up(&self) {
        match self {
            Self::Lasting(store) | Self::Shared(store, _) => store.give_up(),
            Self::Passing(_) => {}
        }
    }
}

impl Cluster {
    /// Where large results are kept.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        self.results.store()
    }

    /// The results of this member and of others as they are read, where it is in a cluster.
    pub(crate) fn blobs(&self) -> Option<Arc<Blobs>> {
        self.results.blobs().cloned()
    }
}
