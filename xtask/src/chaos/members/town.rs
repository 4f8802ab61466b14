//! Where a storm over members happens: its files, its clock, and what is shared by all who take
//! part.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::book::Book;
use super::judge::{Mishap, Place};
use super::storm::Weather;

/// What is shared by all who take part.
pub(crate) struct Town {
    /// Where callers find each member.
    pub(crate) sockets: Vec<PathBuf>,
    /// The script of the tasks.
    pub(crate) script: PathBuf,
    /// Where tasks write down that they start.
    pub(crate) marks: PathBuf,
    weather: Weather,
    begun: Instant,
    book: Mutex<Book>,
    mishaps: Mutex<Vec<Mishap>>,
}

/// What each task is, called as `NAME MILLISECONDS`: it writes down that it started, under which
/// grant, where, and in which job of which home, takes its time, and gives its name.
const SCRIPT: &str = r#"
echo "s $1 $BARY_FENCE $CHAOS_MEMBER $BARY_ATTEMPT" >>"$CHAOS_MARKS"
sleep "0.$2"
echo "$1"
"#;

impl Town {
    /// Lays out the files in a folder.
    pub(crate) fn lay(
        folder: &Path,
        sockets: Vec<PathBuf>,
        weather: Weather,
    ) -> Result<Self, String> {
        let (script, marks) = (folder.join("task.sh"), folder.join("marks"));
        let laid = fs::write(&script, SCRIPT);
        laid.map_err(|cause| format!("{}: {cause}", folder.display()))?;
        let (book, mishaps) = (Mutex::default(), Mutex::default());
        Ok(Self { sockets, script, marks, weather, begun: Instant::now(), book, mishaps })
    }

    /// How many tasks may be asked for now, so that they are spread over the time; none once there
    /// are enough, or something is wrong.
    pub(crate) fn wanted(&self) -> Option<u64> {
        let Weather { tasks, length, .. } = self.weather;
        let share = self.begun.elapsed().as_secs_f64() / length.as_secs_f64();
        let by_now = (tasks as f64 * share.min(1.0)) as u64;
        let book = self.book();
        if book.tasks >= tasks || !book.faults.is_empty() {
            return None;
        }
        Some(by_now.saturating_sub(book.tasks))
    }

    /// Whether the time is over, or something is wrong.
    pub(crate) fn is_over(&self) -> bool {
        self.begun.elapsed() >= self.weather.length || !self.book().faults.is_empty()
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
    pub(crate) fn place(&self) -> Place {
        fs::metadata(&self.marks).map_or(0, |about| about.len())
    }
}
