//! What all slots of an executor share: its configuration, its ports and its live runs.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bary_model::id::RunNo;
use bary_model::payload::Payload;
use bary_model::time::Moment;
use bary_ports::executor::{Completion, Completions};
use bary_ports::function::Functions;
use bary_ports::store::Store;

use crate::config::ExecutorConfig;
use crate::process::Commands;
use crate::run::{Run, locked};

/// Where a live run is.
#[derive(Clone)]
pub(crate) struct Live {
    pub(crate) run: Arc<Run>,
    /// The index of its slot's thread; none for futures.
    pub(crate) thread: Option<usize>,
}

/// What all slots of an executor share.
pub(crate) struct Shared {
    pub(crate) config: ExecutorConfig,
    pub(crate) functions: Functions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) completions: Arc<dyn Completions>,
    pub(crate) commands: Commands,
    pub(crate) live: Mutex<BTreeMap<RunNo, Live>>,
    /// Threads given up on whose function has not returned.
    pub(crate) abandoned: AtomicU32,
    /// What functions without a heartbeat timeout are given as `Call::beat`.
    pub(crate) no_beat: Arc<dyn Fn() + Send + Sync>,
}

impl Shared {
    /// An instant on the node's clock.
    pub(crate) fn moment(&self, at: Instant) -> Moment {
        let since = at.saturating_duration_since(self.config.origin);
        Moment(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(crate) fn now(&self) -> Moment {
        self.moment(Instant::now())
    }

    /// Reports the end of a run, unless whoever gave up on it has done so.
    pub(crate) fn finish(&self, run: &Run) {
        if let Some(items) = run.finish() {
            locked(&self.live).remove(&run.no());
            self.completions.complete(Completion::Ended { run: run.no(), items });
        }
    }

    /// Shows that a run is alive.
    pub(crate) fn beat(&self, run: &Run) {
        run.beat(&*self.completions, self.now());
    }

    /// Forgets bytes that nobody wants any more.
    pub(crate) fn release(&self, unwanted: &Payload) {
        self.store.release_payload(unwanted);
    }
}
