//! A disk that fails to sync: nothing is acknowledged after it, and what was before is still true
//! when the state is opened again.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use bary_disk::file::FileDisk;
use bary_model::action::Action;
use bary_model::event::{Event, EventKind};
use bary_model::id::{JobNo, TaskId};
use bary_model::job::JobSpec;
use bary_model::task::{Body, TaskSpec};
use bary_node::cluster::{Cluster, RequestError};
use bary_node::listener::{Listener, News};
use bary_node::options::{ClusterOptions, NodeOptions};
use bary_node::state::State;
use bary_policy::preset;
use bary_ports::disk::{Disk, DiskError, Listed};
use bary_ports::function::{Call, Function, Functions};
use bytes::Bytes;

/// A disk that loses what was not synced when a sync fails, as systems do.
struct Failing {
    disk: FileDisk,
    fails: Arc<AtomicBool>,
    /// What was there before each write that is not synced: its file, its place, its bytes.
    unsynced: Vec<(String, u64, Vec<u8>)>,
}

impl Failing {
    fn new(disk: FileDisk, fails: &Arc<AtomicBool>) -> Self {
        Self { disk, fails: Arc::clone(fails), unsynced: Vec::new() }
    }
}

impl Disk for Failing {
    fn names(&self) -> Result<Vec<Listed>, DiskError> {
        self.disk.names()
    }

    fn read_at(&self, name: &str, offset: u64, into: &mut [u8]) -> Result<usize, DiskError> {
        self.disk.read_at(name, offset, into)
    }

    fn create(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.disk.create(name, len)
    }

    fn write_at(&mut self, name: &str, offset: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let mut before = vec![0; bytes.len()];
        self.disk.read_at(name, offset, &mut before)?;
        self.unsynced.push((name.to_owned(), offset, before));
        self.disk.write_at(name, offset, bytes)
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        if self.fails.load(Ordering::SeqCst) {
            while let Some((name, offset, before)) = self.unsynced.pop() {
                self.disk.write_at(&name, offset, &before)?;
            }
            let cause = std::io::Error::other("the device does not answer");
            return Err(DiskError::Failed { act: "sync", name: name.to_owned(), cause });
        }
        self.unsynced.retain(|(of, ..)| of != name);
        self.disk.sync(name)
    }

    fn sync_names(&mut self) -> Result<(), DiskError> {
        self.disk.sync_names()
    }

    fn truncate(&mut self, name: &str, len: u64) -> Result<(), DiskError> {
        self.disk.truncate(name, len)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.disk.rename(from, to)
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.disk.remove(name)
    }
}

/// Functions that count their calls; one of them waits until a gate is open.
#[derive(Clone, Default)]
struct Hall {
    gate: Arc<(Mutex<bool>, Condvar)>,
    calls: Arc<AtomicU32>,
}

impl Hall {
    fn open(&self) {
        *self.gate.0.lock().expect("no test panics here") = true;
        self.gate.1.notify_all();
    }

    fn functions(&self) -> Functions {
        let counts = Arc::clone(&self.calls);
        let count = move |_: &Call| {
            counts.fetch_add(1, Ordering::SeqCst);
            Ok(Bytes::new())
        };
        let gate = Arc::clone(&self.gate);
        let wait = move |_: &Call| {
            let shut = gate.0.lock().expect("no test panics here");
            drop(gate.1.wait_while(shut, |open| !*open).expect("no test panics here"));
            Ok(Bytes::new())
        };
        let named = |name: &str, function| (name.into(), Function::Blocking(function));
        Functions::from([named("count", Arc::new(count)), named("wait", Arc::new(wait))])
    }
}

fn options(hall: &Hall) -> ClusterOptions {
    let policy = preset::parse("gravity").expect("it is the default");
    let mut options = ClusterOptions::new(vec![NodeOptions::local("n0", 2)], policy);
    options.functions = hall.functions();
    options
}

fn job(function: &str, count: u32) -> JobSpec {
    let body = Body::new(Action::Function { name: function.into(), args: Vec::new() });
    let spec = TaskSpec { count, array: true, ..TaskSpec::new(Arc::new(body)) };
    let name: Box<str> = function.into();
    JobSpec::new(name, [Arc::new(spec)])
}

/// Every task that events tell the end of.
fn ended(events: &[Event]) -> Vec<TaskId> {
    let ranges = events.iter().filter_map(|event| match &event.kind {
        EventKind::Ended(ended) => Some(ended.range),
        _ => None,
    });
    ranges.flat_map(|range| range.tasks()).collect()
}

/// Hears events until one of them says that the job has finished.
fn until_finished(listener: &mut Listener, wanted: JobNo) -> Vec<Event> {
    let mut heard = Vec::new();
    for news in listener.by_ref() {
        let News::Events(events) = news else { continue };
        let over =
            |event: &Event| matches!(event.kind, EventKind::Finished { job } if job == wanted);
        let finished = events.iter().any(over);
        heard.extend(events);
        if finished {
            return heard;
        }
    }
    panic!("job {wanted:?} never finished: {heard:?}");
}

fn reopened(dir: &Path) -> (State, Vec<Event>) {
    let mut events = Vec::new();
    let state = State::open(dir, &mut |event| events.push(event)).expect("it is sound");
    (state, events)
}

#[test]
fn after_a_failed_sync_nothing_is_told_and_what_was_told_is_true() {
    let directory = tempfile::tempdir().expect("there is room");
    let (hall, fails) = (Hall::default(), Arc::new(AtomicBool::new(false)));
    let on = |disk| Box::new(Failing::new(disk, &fails)) as Box<dyn Disk>;
    let state = State::open_on(directory.path(), on, &mut drop).expect("it is new");
    let (cluster, mut listener) = Cluster::resume(options(&hall), state).expect("it starts");
    let first = cluster.submit(job("count", 100)).expect("there is room");
    let told = ended(&until_finished(&mut listener, first));
    assert_eq!(told.len(), 100);
    let second = cluster.submit(job("wait", 4)).expect("there is room");
    fails.store(true, Ordering::SeqCst);
    hall.open();
    // A job may begin before it is accepted, so that this one is of those that are not counted.
    assert_eq!(cluster.submit(job("wait", 1)), Err(RequestError::Stopped));
    cluster.kill_now();
    let after: Vec<News> = listener.collect();
    let failed = |news: &News| matches!(news, News::Failed(why) if why.contains("does not answer"));
    assert_eq!(after.iter().filter(|news| failed(news)).count(), 1, "{after:?}");
    for news in &after {
        let News::Events(events) = news else { continue };
        assert_eq!(ended(events), [], "nothing is told of what is not durable");
    }
    drop(cluster);

    let (state, recalled) = reopened(directory.path());
    assert_eq!(ended(&recalled), told, "what was told is true");
    assert_eq!(state.ledger().jobs(), 2, "and so is what was accepted; no more was");
    let (cluster, mut listener) = Cluster::resume(options(&hall), state).expect("it starts");
    assert_eq!(ended(&until_finished(&mut listener, second)).len(), 4);
    cluster.stop();
    drop(cluster);
    assert_eq!(ended(&reopened(directory.path()).1).len(), 104);
    assert_eq!(hall.calls.load(Ordering::SeqCst), 100, "what had ended did not run again");
}
