//! The thread that puts the lines of a log on the disk: at once where nothing was written of late,
//! and then every 200 ms as long as there is something. It sleeps while nothing is written.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use bary_identity::audit::Entry;

use super::files::Files;
use super::{AppendError, Need};

/// How long after a sync there is none.
const PAUSE: Duration = Duration::from_millis(200);

/// The files of a log and their thread, which ends with it.
#[derive(Debug)]
pub(super) struct Syncer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to sync again, and when it is over.
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    files: Files,
    /// Whether something was written since the last sync began.
    is_dirty: bool,
    is_over: bool,
}

impl Syncer {
    pub(super) fn start(files: Files) -> io::Result<Self> {
        let state = Mutex::new(State { files, is_dirty: true, is_over: false });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let thread = Builder::new().name("bary-audit".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || shared.run()
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn append(&self, entry: &Entry<'_>) -> Result<u64, AppendError> {
        let mut state = self.shared.lock();
        let number = state.files.append(entry)?;
        if !std::mem::replace(&mut state.is_dirty, true) {
            self.shared.changed.notify_one();
        }
        Ok(number)
    }

    pub(super) fn make_sure(&self, need: Need) -> Result<(), AppendError> {
        self.shared.lock().files.make_sure(need)
    }

    pub(super) fn sync(&self) -> Result<(), AppendError> {
        self.shared.sync()
    }

    pub(super) fn bound(&self, bytes_max: u64) {
        self.shared.lock().files.bound(bytes_max);
    }

    /// What `look` finds in the files as they are now.
    pub(super) fn files<T>(&self, look: impl FnOnce(&Files) -> T) -> T {
        look(&self.shared.lock().files)
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        // A panic of the thread has been told by its hook.
        let _told = self.thread.take().map(JoinHandle::join);
    }
}

impl Shared {
    fn run(&self) {
        loop {
            let waits = |state: &mut State| !state.is_dirty && !state.is_over;
            let state = self.changed.wait_while(self.lock(), waits);
            let is_done = !state.unwrap_or_else(PoisonError::into_inner).is_dirty;
            // What went wrong is told to all who write from now on.
            if is_done || self.sync().is_err() {
                return;
            }
            let paused = self.changed.wait_timeout_while(self.lock(), PAUSE, |s| !s.is_over);
            drop(paused.unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Waits for the disk, while others go on writing.
    fn sync(&self) -> Result<(), AppendError> {
        let mut state = self.lock();
        state.files.hold()?;
        state.is_dirty = false;
        let file = state.files.file();
        drop(state);
        file.sync_data().map_err(|cause| self.lock().files.give_up(&cause))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
