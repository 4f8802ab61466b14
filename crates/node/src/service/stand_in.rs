//! The service over another member's shard, for which this one stands in.

use std::sync::Arc;
use std::time::SystemTime;

use crate::access::Access;
use crate::board::Board;
use crate::board::clock::{self, Clock};
use crate::replicas::Reign;
use crate::service::options::ServiceOptions;
use crate::service::{OpenError, Parts, Service};
use crate::state::State;

impl Service {
    /// Opens the shard of another member, for which this one's `primary` is to stand in, and goes
    /// on with what is in it. Only other members reach it. Blocks while it recalls what happened.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn stand_in(
        options: &ServiceOptions,
        primary: &Self,
        reign: Reign,
        home: &str,
    ) -> Result<Self, OpenError> {
        let mut options = options.clone();
        let board = Board::since(SystemTime::now(), &options.board);
        let (part, on) = (Arc::clone(&reign.part), reign.on.clone());
        let mut recall = |event| board.recall(event);
        let state = State::open_for(part.copy.dir(), part.home, &mut recall)?;
        board.write().clock = Clock::since(state.origin());
        let decrees = state.ledger().decrees().clone();
        // What this member was told to follow is no matter of another's home.
        options.policy_chosen = false;
        options.settle_policy(&decrees)?;
        board.write().decrees = decrees;
        let still = Arc::clone(&state.still);
        let policy = options.cluster.policy.clone();
        let started = primary.cluster().stand_in(state, reign, home, policy)?;
        let (access, _) = Access::in_memory(clock::now())?;
        let (cache, audit) = (Arc::clone(&primary.0.cache), primary.0.audit.clone());
        let (home, dir) = (Some(home.into()), None);
        let parts = Parts { home, started, cache, board, access, audit, dir, still };
        let service = Self::run(&options, parts)?;
        // It ends with the service.
        drop(on.spawn(service.learn_runs(Some(Arc::clone(primary.board())))));
        Ok(service)
    }
}
