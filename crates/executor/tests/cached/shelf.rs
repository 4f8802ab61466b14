//! A world for tests of the cache: an executor behind one, its shelf, its calendar, and functions
//! that count their calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bary_executor::cached::desk::Desk;
use bary_executor::cached::{CachedEnds, CachedExecutor};
use bary_executor::config::ExecutorConfig;
use bary_executor::local::LocalExecutor;
use bary_model::id::{RunNo, ShardId, TaskId};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::Outcome;
use bary_model::task::TaskSpec;
use bary_model::time::{Span, Wall};
use bary_ports::cache::{Kept, Key, ResultCache};
use bary_ports::executor::{Completion, Completions, Executor, Start, Stream};
use bary_ports::function::{Call, FunctionError, Functions};
use bary_ports::store::Store;
use bytes::Bytes;

use crate::world::{Blobs, PATIENCE, assert_whole, blocking, item};

pub(crate) const HOUR: Span = Span::secs(3_600);

/// A cache in a map, which may be held up.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub(crate) kept: Mutex<BTreeMap<Key, (Kept, Wall)>>,
    counts: [AtomicU64; 2],
}

impl ResultCache for Shelf {
    fn get(&self, key: &Key, age: Span, now: Wall) -> Option<Kept> {
        let kept = self.kept.lock().expect("no test panics here");
        let (kept, made) = kept.get(key)?;
        (now.since(*made) <= age).then(|| kept.clone())
    }

    fn put(&self, key: &Key, kept: &Kept, now: Wall) {
        self.kept.lock().expect("no test panics here").insert(*key, (kept.clone(), now));
    }

    fn count(&self, hits: u64, misses: u64) {
        self.counts[0].fetch_add(hits, Ordering::SeqCst);
        self.counts[1].fetch_add(misses, Ordering::SeqCst);
    }
}

struct Reports(Mutex<Sender<Completion>>);

impl Completions for Reports {
    fn complete(&self, completion: Completion) {
        // A test that has seen enough drops its end.
        drop(self.0.lock().expect("no test panics here").send(completion));
    }

    fn output(&self, _: ShardId, _task: TaskId, _attempt: u16, _stream: Stream, _bytes: Bytes) {}
}

pub(crate) struct World {
    pub(crate) executor: CachedExecutor,
    pub(crate) seen: Receiver<Completion>,
    pub(crate) store: Arc<Blobs>,
    pub(crate) shelf: Arc<Shelf>,
    pub(crate) today: Arc<AtomicU64>,
    /// How often a function was called.
    pub(crate) calls: Arc<AtomicU64>,
    pub(crate) next: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let (sender, seen) = channel();
        let (store, shelf) = (Arc::new(Blobs::default()), Arc::new(Shelf::default()));
        let today = Arc::new(AtomicU64::new(HOUR.0));
        let calls = Arc::new(AtomicU64::new(0));
        let at = Arc::clone(&today);
        let calendar = Arc::new(move || Wall(at.load(Ordering::SeqCst)));
        let desk =
            Desk::new(Arc::clone(&shelf) as _, Arc::clone(&store) as _, None, Instant::now());
        let desk = Arc::new(desk.with_calendar(calendar));
        let ends = CachedEnds::new(desk, Arc::new(Reports(Mutex::new(sender))));
        let (config, functions) = (ExecutorConfig::default(), functions(&calls));
        let inner =
            LocalExecutor::new(config, functions, Arc::clone(&store) as _, Arc::new(ends.clone()));
        let executor = CachedExecutor::new(Box::new(inner), ends);
        Self { executor, seen, store, shelf, today, calls, next: 0 }
    }

    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn counts(&self) -> [u64; 2] {
        [0, 1].map(|at: usize| self.shelf.counts[at].load(Ordering::SeqCst))
    }

    pub(crate) fn start(&mut self, slot: u32, items: Vec<GrantItem>) -> RunNo {
        self.next += 1;
        let run = RunNo(self.next);
        self.executor.start(Start { run, slot, items: items.into(), budget: Span::secs(1_000) });
        run
    }

    /// How a run of these items ends.
    pub(crate) fn ended(&mut self, slot: u32, items: Vec<GrantItem>) -> Vec<OutcomeItem> {
        let run = self.start(slot, items.clone());
        let outcomes = self.next_end(run);
        assert_whole(&items, &outcomes);
        outcomes
    }

    pub(crate) fn next_end(&self, wanted: RunNo) -> Vec<OutcomeItem> {
        match self.seen.recv_timeout(PATIENCE).expect("the executor reports in time") {
            Completion::Ended { run, items } if run == wanted => items,
            other => panic!("run {wanted:?} was to end, not {other:?}"),
        }
    }

    /// Runs one task: its outcome.
    pub(crate) fn run(&mut self, spec: TaskSpec) -> OutcomeItem {
        self.ended(1, vec![item(spec)]).remove(0)
    }

    /// What one task gave, and whether that was known.
    pub(crate) fn gives(&mut self, spec: TaskSpec) -> (String, bool) {
        let outcome = self.run(spec);
        let Outcome::Succeeded(results) = &outcome.outcome else {
            panic!("it must succeed: {outcome:?}")
        };
        let bytes = self.store.read(&results.at(0)).expect("it can be read");
        (String::from_utf8_lossy(&bytes).into_owned(), outcome.usage.cached)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.executor.close();
    }
}

fn functions(calls: &Arc<AtomicU64>) -> Functions {
    let counted = |calls: &Arc<AtomicU64>, body: fn(&Call) -> Result<Bytes, FunctionError>| {
        let calls = Arc::clone(calls);
        blocking(move |call: &Call| {
            calls.fetch_add(1, Ordering::SeqCst);
            body(call)
        })
    };
    let echo = |call: &Call| Ok(call.arg("", 0).cloned().unwrap_or_default());
    let fail = |_: &Call| Err(FunctionError::new("no luck"));
    let read = |call: &Call| Ok(call.upstream[0].results[0].clone());
    let linger = |call: &Call| {
        while !call.stop.load(Ordering::Relaxed) {
            std::thread::yield_now();
        }
        Ok(Bytes::new())
    };
    Functions::from([
        ("echo".into(), counted(calls, echo)),
        ("fail".into(), counted(calls, fail)),
        ("read".into(), counted(calls, read)),
        ("linger".into(), counted(calls, linger)),
    ])
}
