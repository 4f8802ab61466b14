//! Where a storm over members happens: its files, its clock, and what is shared by all who take
//! part.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::book::Book;
use super::judge::{Mishap, Place};
use super::resident::Resident;

/// How many tasks are asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    per_second: f64,
    /// Most of them in all.
    tasks_max: u64,
}

impl Flow {
    /// So many, spread over a time.
    pub(crate) fn over(tasks: u64, length: Duration) -> Self {
        Self { per_second: tasks as f64 / length.as_secs_f64(), tasks_max: tasks }
    }

    /// So many a second, until the town is closed.
    pub(crate) fn steady(per_second: f64) -> Self {
        Self { per_second, tasks_max: u64::MAX }
    }
}

/// What is shared by all who take part.
pub(crate) struct Town {
    /// Where callers find each member.
    pub(crate) sockets: Vec<PathBuf>,
    /// The script of the tasks.
    pub(crate) script: PathBuf,
    /// Where tasks write down that they start.
    pub(crate) marks: PathBuf,
    flow: Flow,
    begun: Instant,
    closed: AtomicBool,
    book: Mutex<Book>,
    mishaps: Mutex<Vec<Mishap>>,
}

/// What each task is, called as `NAME MILLISECONDS BYTES`: it writes down that it started, under
/// which grant, where, and in which job of which home, takes its time, and gives its name, or so
/// many bytes of it.
const SCRIPT: &str = r#"
echo "s $1 $BARY_FENCE $CHAOS_MEMBER $BARY_ATTEMPT" >>"$CHAOS_MARKS"
sleep "0.$2"
if [ "$3" = 0 ]; then echo "$1"; else yes "$1" | head -c "$3"; echo; fi
"#;

impl Town {
    /// Lays out the files in a folder.
    pub(crate) fn lay(folder: &Path, members: &[Resident], flow: Flow) -> Result<Self, String> {
        let (script, marks) = (folder.join("task.sh"), folder.join("marks"));
        let laid = fs::write(&script, SCRIPT);
        laid.map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let sockets = members.iter().map(Resident::socket).collect();
        let (book, mishaps, closed) = (Mutex::default(), Mutex::default(), AtomicBool::new(false));
        Ok(Self { sockets, script, marks, flow, begun: Instant::now(), closed, book, mishaps })
    }

    /// How many tasks may be asked for now, so that they are spread over the time; none once there
    /// are enough, or something is wrong.
    pub(crate) fn wanted(&self) -> Option<u64> {
        let Flow { per_second, tasks_max } = self.flow;
        let by_now = (per_second * self.begun.elapsed().as_secs_f64()) as u64;
        let book = self.book();
        let is_enough = book.tasks >= tasks_max || self.closed.load(Ordering::Relaxed);
        if is_enough || !book.faults.is_empty() {
            return None;
        }
        Some(by_now.min(tasks_max).saturating_sub(book.tasks))
    }

    /// Wants no more tasks from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// Whether something is wrong.
    pub(crate) fn is_troubled(&self) -> bool {
        !self.book().faults.is_empty()
    }

    /// Notes that something goes wrong from here on; its number.
    pub(crate) fn begins(&self, what: String) -> usize {
        let from = self.place();
        let mut mishaps = self.mishaps();
        mishaps.push(Mishap { what, from, until: None });
        mishaps.len() - 1
    }

    /// Notes that a mishap is over, and what it left behind has come.
    pub(crate) fn is_over(&self, mishap: usize) {
        let until = self.place();
        self.mishaps()[mishap].until = Some(until);
    }

    /// What is known of all jobs. What one who panicked left is still in order.
    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What went wrong so far, and where in the file of marks.
    pub(crate) fn mishaps(&self) -> MutexGuard<'_, Vec<Mishap>> {
        self.mishaps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much was written down by now.
    fn place(&self) -> Place {
        fs::metadata(&self.marks).map_or(0, |about| about.len())
    }
}
