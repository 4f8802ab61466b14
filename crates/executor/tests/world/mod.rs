//! A world for tests: an executor, what it reports, and tasks in a few words.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bary_executor::config::ExecutorConfig;
use bary_executor::local::LocalExecutor;
use bary_model::action::{Action, Arg};
use bary_model::id::{Fence, RunNo, ShardId, TaskId, TaskRange};
use bary_model::message::{GrantItem, OutcomeItem};
use bary_model::outcome::{Failure, Outcome, Results};
use bary_model::payload::{BlobRef, Payload};
use bary_model::task::{Body, TaskSpec};
use bary_model::template::Template;
use bary_model::time::Span;
use bary_ports::executor::{Completion, Completions, Executor, Start, Stream};
use bary_ports::function::{Call, Function, FunctionFuture, FunctionResult, Functions};
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

/// How long a test waits for something that must happen before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What an executor reports, in the order in which it does.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A completion.
    Completion(Completion),
    /// Output that was handed on.
    Output(Stream, Bytes),
}

struct Reports(Mutex<Sender<Seen>>);

impl Reports {
    fn send(&self, seen: Seen) {
        // A test that has seen enough drops its end.
        drop(self.0.lock().expect("no test panics here").send(seen));
    }
}

impl Completions for Reports {
    fn complete(&self, completion: Completion) {
        self.send(Seen::Completion(completion));
    }

    fn output(&self, _: ShardId, _task: TaskId, _attempt: u16, stream: Stream, bytes: Bytes) {
        self.send(Seen::Output(stream, bytes));
    }
}

/// Keeps every blob in memory, until it is said to be full.
#[derive(Default)]
pub(crate) struct Blobs {
    pub(crate) full: AtomicBool,
    blobs: Mutex<HashMap<u64, Bytes>>,
    next: AtomicU64,
}

impl Store for Blobs {
    fn put(&self, bytes: &[u8]) -> Result<BlobRef, StoreError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(StoreError::Full { limit: 0 });
        }
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let bytes = Bytes::copy_from_slice(bytes);
        let blob = BlobRef { id, len: bytes.len() as u64 };
        self.blobs.lock().expect("no test panics here").insert(id, bytes);
        Ok(blob)
    }

    fn get(&self, blob: BlobRef) -> Result<Bytes, StoreError> {
        let blobs = self.blobs.lock().expect("no test panics here");
        blobs.get(&blob.id).cloned().ok_or(StoreError::Missing(blob.id))
    }

    fn release(&self, blob: BlobRef) {
        self.blobs.lock().expect("no test panics here").remove(&blob.id);
    }
}

/// An executor and what it reports.
pub(crate) struct World {
    pub(crate) executor: LocalExecutor,
    pub(crate) seen: Receiver<Seen>,
    pub(crate) store: Arc<Blobs>,
    next: u64,
}

impl World {
    pub(crate) fn new(functions: Functions) -> Self {
        Self::with(ExecutorConfig::default(), functions)
    }

    pub(crate) fn with(config: ExecutorConfig, functions: Functions) -> Self {
        let (sender, seen) = channel();
        let store = Arc::new(Blobs::default());
        let reports = Arc::new(Reports(Mutex::new(sender)));
        let executor = LocalExecutor::new(config, functions, Arc::clone(&store) as _, reports);
        Self { executor, seen, store, next: 0 }
    }

    /// Starts a run of these items on a slot.
    pub(crate) fn start(&mut self, slot: u32, items: Vec<GrantItem>, budget: Span) -> RunNo {
        self.next += 1;
        let run = RunNo(self.next);
        self.executor.start(Start { run, slot, items: items.into(), budget });
        run
    }

    /// Starts one spec on slot 1.
    pub(crate) fn start_spec(&mut self, spec: TaskSpec) -> RunNo {
        self.start(1, vec![item(spec)], Span::secs(1_000))
    }

    /// The next thing that is reported.
    pub(crate) fn next(&self) -> Seen {
        self.seen.recv_timeout(PATIENCE).expect("the executor reports in time")
    }

    /// The outcomes of the next run that ends, whatever comes before.
    pub(crate) fn ended(&self) -> (RunNo, Vec<OutcomeItem>) {
        loop {
            if let Seen::Completion(Completion::Ended { run, items }) = self.next() {
                return (run, items);
            }
        }
    }

    /// The outcome of a spec of one task.
    pub(crate) fn outcome(&mut self, spec: TaskSpec) -> OutcomeItem {
        let run = self.start_spec(spec);
        let (ended, mut items) = self.ended();
        assert_eq!(ended, run);
        assert_eq!(items.len(), 1, "one task has one outcome: {items:?}");
        items.remove(0)
    }

    /// The bytes of a payload.
    pub(crate) fn read(&self, payload: &Payload) -> Bytes {
        self.store.read(payload).expect("what was reported can be read")
    }

    /// What a task of one printed to standard output; it must have succeeded.
    pub(crate) fn output(&mut self, spec: TaskSpec) -> Vec<u8> {
        let item = self.outcome(spec);
        match &item.outcome {
            Outcome::Succeeded(results) => self.read(&results.at(0)).to_vec(),
            other => panic!("the command failed: {other:?} {:?}", self.read(&item.stderr)),
        }
    }

    /// Why a task of one failed.
    pub(crate) fn failure(&mut self, spec: TaskSpec) -> Failure {
        match self.outcome(spec).outcome {
            Outcome::Failed { failure, .. } => failure,
            other => panic!("the task must fail: {other:?}"),
        }
    }
}

/// A spec of one task.
pub(crate) fn spec(action: Action) -> TaskSpec {
    TaskSpec::new(Arc::new(Body::new(action)))
}

/// A command of literal words.
pub(crate) fn command(words: &[&str]) -> TaskSpec {
    command_of(words.iter().map(|word| word.as_bytes()))
}

/// A command of words that may be any bytes.
pub(crate) fn command_of<'a>(words: impl Iterator<Item = &'a [u8]>) -> TaskSpec {
    spec(Action::Command { argv: words.map(Template::literal).collect() })
}

/// A command for the shell.
pub(crate) fn shell(text: &str) -> TaskSpec {
    command(&["/bin/sh", "-c", text])
}

/// A function with literal arguments, for so many indices.
pub(crate) fn function(name: &str, args: &[&str], count: u32) -> TaskSpec {
    let arg = |text: &&str| Arg { name: None, value: Template::literal(text) };
    let args = args.iter().map(arg).collect();
    TaskSpec { count, ..spec(Action::Function { name: name.into(), args }) }
}

/// The spec with its body changed.
pub(crate) fn with(spec: TaskSpec, change: impl FnOnce(&mut Body)) -> TaskSpec {
    let mut body = (*spec.body).clone();
    change(&mut body);
    TaskSpec { body: Arc::new(body), ..spec }
}

/// All tasks of a spec, as a home grants them.
pub(crate) fn item(spec: TaskSpec) -> GrantItem {
    let range = TaskRange { count: spec.count, ..TaskRange::default() };
    let spec = Arc::new(spec);
    let (fence, upstream, checkpoint, seat) = (Fence::default(), None, None, None);
    let (attempt, urgent, priority) = (1, false, 0);
    GrantItem { fence, range, spec, attempt, upstream, urgent, priority, checkpoint, seat }
}

/// A function that blocks.
pub(crate) fn blocking(
    function: impl Fn(&Call) -> FunctionResult + Send + Sync + 'static,
) -> Function {
    Function::Blocking(Arc::new(function))
}

/// A function that returns a future.
pub(crate) fn future(
    function: impl Fn(Call) -> FunctionFuture + Send + Sync + 'static,
) -> Function {
    Function::Async(Arc::new(function))
}

/// Checks that the outcomes cover the tasks of the items once each, in order.
pub(crate) fn assert_whole(items: &[GrantItem], outcomes: &[OutcomeItem]) {
    let granted: Vec<TaskId> = items.iter().flat_map(|item| item.range.tasks()).collect();
    let reported: Vec<TaskId> = outcomes.iter().flat_map(|item| item.range.tasks()).collect();
    assert_eq!(granted, reported);
    for outcome in outcomes {
        if let Outcome::Succeeded(Results::Each(each)) = &outcome.outcome {
            assert_eq!(each.len() as u32, outcome.range.count);
        }
    }
}
