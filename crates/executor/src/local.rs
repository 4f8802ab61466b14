//! The executor of a node of this machine: threads, futures and processes behind one port.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use bary_model::action::Action;
use bary_model::id::RunNo;
use bary_ports::executor::{Completions, Executor, Start, Stop, StopReason};
use bary_ports::function::{Function, Functions};
use bary_ports::store::Store;

use crate::beside::Beside;
use crate::config::ExecutorConfig;
use crate::future::Futures;
use crate::process::Commands;
use crate::run::{Phase, Run, locked};
use crate::shared::{Live, Shared};
use crate::slot::Slot;

/// Runs the tasks of one node.
///
/// Each slot has a thread, made at its first run. Commands and functions that block run there;
/// functions that return futures share one more thread. Making an executor makes this process
/// the one to which orphans of its commands fall (Linux), so that they can be killed and reaped:
/// with their command, or when an executor closes while no command of this process runs. Commands
/// and all they start are known by their limit on file locks, which nothing enforces and which is
/// lower than this process's; other children of this process are left alone. It also raises this
/// process's soft limit on open files to the hard one; commands get the former limit.
pub struct LocalExecutor {
    shared: Arc<Shared>,
    /// By the index of the thread; slots are given to them in turn.
    slots: Vec<Option<Slot>>,
    futures: Option<Futures>,
    closing: bool,
}

impl std::fmt::Debug for LocalExecutor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LocalExecutor").field("node", &self.shared.config.node).finish()
    }
}

impl LocalExecutor {
    /// An executor that knows these functions, keeps results in `store` and reports to
    /// `completions`. The configuration has been checked.
    #[must_use]
    pub fn new(
        config: ExecutorConfig,
        functions: Functions,
        store: Arc<dyn Store>,
        completions: Arc<dyn Completions>,
    ) -> Self {
        let commands = Commands::new(&config);
        let shared = Shared {
            config,
            functions,
            store,
            completions,
            commands,
            live: Mutex::default(),
            abandoned: AtomicU32::new(0),
            no_beat: Arc::new(|| ()),
        };
        Self { shared: Arc::new(shared), slots: Vec::new(), futures: None, closing: false }
    }

    /// What starts commands beside those of this executor.
    #[must_use]
    pub fn beside(&self) -> Beside {
        Beside::new(&self.shared)
    }

    /// How many threads were given up on and have not come back.
    #[must_use]
    pub fn abandoned(&self) -> u32 {
        self.shared.abandoned.load(Ordering::Relaxed)
    }

    fn is_future(&self, start: &Start) -> bool {
        let action = start.items.first().map(|item| &item.spec.body.action);
        let Some(Action::Function { name, .. }) = action else { return false };
        matches!(self.shared.functions.get(name), Some(Function::Async(_)))
    }

    /// Gives a run to the thread of its slot, made if need be; where there can be none, to any.
    fn give(&mut self, run: &Arc<Run>) {
        let most = self.shared.config.threads_max.max(1);
        let index = (run.start.slot.saturating_sub(1) % most) as usize;
        if self.slots.len() <= index {
            self.slots.resize_with(index + 1, || None);
        }
        if self.slots[index].is_none() {
            self.slots[index] = Slot::new(&self.shared, index).ok();
        }
        let there = (index..self.slots.len()).chain(0..index);
        let found = there.into_iter().find_map(|n| Some((n, self.slots.get(n)?.as_ref()?)));
        let thread = found.map(|(n, _)| n);
        locked(&self.shared.live).insert(run.no(), Live { run: Arc::clone(run), thread });
        match found {
            Some((_, slot)) => slot.start(Arc::clone(run)),
            // Not one thread can be had: the run ends with everything returned.
            None => self.shared.finish(run),
        }
    }

    fn give_future(&mut self, run: &Arc<Run>) -> bool {
        if self.futures.is_none() {
            self.futures = Futures::new(&self.shared).ok();
        }
        let Some(futures) = &self.futures else { return false };
        let live = Live { run: Arc::clone(run), thread: None };
        locked(&self.shared.live).insert(run.no(), live);
        futures.start(Arc::clone(run))
    }

    fn stop_live(&mut self, live: &Live, stop: Stop) {
        let hard = matches!(stop, Stop::Kill(_));
        let phase = live.run.ask(stop, |group| self.shared.commands.signal(group, hard));
        let Some(index) = live.thread else {
            if hard {
                live.run.killed.notify_one();
            }
            return;
        };
        let Some(Some(slot)) = self.slots.get_mut(index) else { return };
        slot.thread().unpark();
        let most = self.shared.config.abandoned_threads_max;
        if hard
            && phase == Phase::Calling
            && (self.closing || self.shared.abandoned.load(Ordering::Relaxed) < most)
        {
            slot.give_up(&self.shared, index, &live.run);
        }
    }
}

impl Executor for LocalExecutor {
    fn start(&mut self, start: Start) {
        let is_future = self.is_future(&start);
        let run = Arc::new(Run::new(start));
        if !(is_future && self.give_future(&run)) {
            self.give(&run);
        }
    }

    fn stop(&mut self, run: RunNo, stop: Stop) {
        let live = locked(&self.shared.live).get(&run).cloned();
        if let Some(live) = live {
            self.stop_live(&live, stop);
        }
    }

    fn close(&mut self) {
        self.closing = true;
        let live: Vec<Live> = locked(&self.shared.live).values().cloned().collect();
        for live in &live {
            self.stop_live(live, Stop::Kill(StopReason::Cancel));
        }
        for slot in self.slots.drain(..).flatten() {
            slot.close();
        }
        if let Some(futures) = self.futures.take() {
            futures.close();
        }
        self.shared.commands.close();
        self.closing = false;
    }
}

impl Drop for LocalExecutor {
    fn drop(&mut self) {
        self.close();
    }
}
