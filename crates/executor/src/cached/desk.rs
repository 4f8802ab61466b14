//! Where runs are looked up and results are put away: a few threads that all executors of a process
//! share, so that no host's thread waits for a disk.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bary_model::time::{Moment, Span, Wall};
use bary_ports::cache::ResultCache;
use bary_ports::store::Store;

use crate::cached::digest::Digests;
use crate::run::locked;

/// Most threads that look up.
const THREADS_MAX: usize = 4;

/// The desk's limits as the documentation lists them: name, default and meaning.
pub const TABLE: &[(&str, &str, &str)] =
    &[("cache_threads_max", "4", "threads that look results up and put them away")];

/// What the calendar says.
pub type Calendar = Arc<dyn Fn() -> Wall + Send + Sync>;

/// A result cache with the threads that use it.
pub struct Desk {
    pub(super) cache: Arc<dyn ResultCache>,
    /// Where results are when they are not in the cache.
    pub(super) store: Arc<dyn Store>,
    /// The directory of jobs.
    pub(super) job: PathBuf,
    pub(super) digests: Digests,
    calendar: Calendar,
    origin: Instant,
    line: Arc<Line>,
}

/// Who waits for a thread: one for each run that is looked up or put away, and so no more than
/// there are slots.
#[derive(Default)]
struct Line {
    state: Mutex<State>,
    come: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

type Job = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Desk").field("cache", &self.cache).finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk over a cache. Commands run in `job` where nothing else is said (as
    /// [`crate::config::ExecutorConfig::cwd`]), and the clock of nodes is zero at `origin`.
    #[must_use]
    pub fn new(
        cache: Arc<dyn ResultCache>,
        store: Arc<dyn Store>,
        job: Option<PathBuf>,
        origin: Instant,
    ) -> Self {
        let calendar = || {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Wall(Span::from(now).0)
        };
        let (job, line) = (job.unwrap_or_default(), Arc::default());
        let (digests, calendar) = (Digests::default(), Arc::new(calendar));
        Self { cache, store, job, digests, calendar, origin, line }
    }

    /// The same by another calendar.
    #[must_use]
    pub fn with_calendar(mut self, calendar: Calendar) -> Self {
        self.calendar = calendar;
        self
    }

    /// The moment of the calendar.
    #[must_use]
    pub fn today(&self) -> Wall {
        (self.calendar)()
    }

    /// The moment on the clock of nodes.
    pub(super) fn now(&self) -> Moment {
        Moment(0) + Span::from(self.origin.elapsed())
    }

    /// Does something on a thread of the desk.
    pub(super) fn give(&self, job: impl FnOnce() + Send + 'static) {
        let mut state = locked(&self.line.state);
        state.waiting.push_back(Box::new(job));
        if state.waiting.len() > state.idle && state.threads < THREADS_MAX {
            let line = Arc::clone(&self.line);
            let named = std::thread::Builder::new().name("bary-cache".into());
            match named.spawn(move || line.serve()) {
                Ok(_) => state.threads += 1,
                // Whoever is there takes it; where nobody is, this thread must.
                Err(_) if state.threads > 0 => {}
                Err(_) => {
                    let job = state.waiting.pop_back();
                    drop(state);
                    job.into_iter().for_each(|job| job());
                    return;
                }
            }
        }
        self.line.come.notify_one();
    }
}

impl Line {
    fn serve(&self) {
        while let Some(job) = self.next() {
            job();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = locked(&self.state);
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self.come.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        locked(&self.line.state).closed = true;
        self.line.come.notify_all();
    }
}
