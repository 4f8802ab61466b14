//! Where a storm happens: its files, its clock, and what is shared by all who take part.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::chaos::node::book::Book;
use crate::chaos::node::caller::Caller;
use crate::chaos::node::crew::Crew;
use crate::chaos::node::marks::{Kill, Marks, Place};
use crate::chaos::node::workers::Worker;
use crate::chaos::task::SCRIPT;
use crate::door::Door;

/// What is shared by all who take part in a storm.
pub(crate) struct Yard {
    /// The script of the tasks.
    pub(crate) script: PathBuf,
    /// Where tasks write down that they start.
    pub(crate) marks: PathBuf,
    /// A file in here for each job whose tasks may succeed by now.
    pub(crate) allowed: PathBuf,
    crew: Crew,
    token: String,
    /// How many tasks there are to be, and until when.
    tasks: u64,
    length: Duration,
    begun: Instant,
    book: Mutex<Book>,
    kills: Mutex<Vec<Kill>>,
}

impl Yard {
    /// Lays out the files in a folder, for a node that is up.
    pub(crate) fn lay(
        folder: &Path,
        crew: Crew,
        tasks: u64,
        length: Duration,
    ) -> Result<Self, String> {
        let token = fs::read_to_string(&crew.token);
        let token = token.map_err(|cause| format!("{}: {cause}", crew.token.display()))?;
        let (script, allowed) = (folder.join("task.sh"), folder.join("allowed"));
        let laid = fs::write(&script, SCRIPT).and_then(|()| fs::create_dir_all(&allowed));
        laid.map_err(|cause| format!("{}: {cause}", folder.display()))?;
        Ok(Self {
            script,
            marks: folder.join("marks"),
            allowed,
            crew,
            token: token.trim().to_owned(),
            tasks,
            length,
            begun: Instant::now(),
            book: Mutex::default(),
            kills: Mutex::default(),
        })
    }

    /// A caller at the node's JSON door.
    pub(crate) fn door(&self) -> Door {
        Door::new(&self.crew.address, &self.token)
    }

    /// A caller at the node's gRPC door.
    pub(crate) fn caller(&self) -> Result<Caller, String> {
        Caller::start(&self.crew)
    }

    /// A worker of this name.
    pub(crate) fn worker(&self, name: &str) -> Result<Worker, String> {
        Worker::start(&self.crew, &self.marks, name)
    }

    /// How many tasks may be asked for now, so that they are spread over the time; none once there
    /// are enough, or something is wrong.
    pub(crate) fn wanted(&self) -> Option<u64> {
        let share = self.begun.elapsed().as_secs_f64() / self.length.as_secs_f64();
        let by_now = (self.tasks as f64 * share.min(1.0)) as u64;
        let book = self.book();
        if book.tasks >= self.tasks || !book.faults.is_empty() {
            return None;
        }
        Some(by_now.saturating_sub(book.tasks))
    }

    /// Whether the time is over, or something is wrong.
    pub(crate) fn is_over(&self) -> bool {
        self.begun.elapsed() >= self.length || !self.book().faults.is_empty()
    }

    /// What is known of all jobs. What one who panicked left is still in order.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was killed so far.
    pub(crate) fn kills(&self) -> MutexGuard<'_, Vec<Kill>> {
        self.kills.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the node, or the worker of this name, was killed since a place.
    pub(crate) fn killed(&self, from: Place, worker: Option<String>) {
        let until = Marks::place(&self.marks);
        self.kills().push(Kill { from, until, worker });
    }
}
