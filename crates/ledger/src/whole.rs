//! What is said of a job as a whole: whose it is, and when it may begin.

use std::sync::Arc;

use bary_model::job::About;
use bary_model::time::Wall;

use crate::job::Job;

impl Job {
    /// Before when nothing of it is granted; a retry waits for no time.
    #[must_use]
    pub fn not_before(&self) -> Option<Wall> {
        self.about.not_before.filter(|_| self.generation == 0)
    }

    /// Sets whose it is and when it may begin, as it was submitted.
    pub(crate) fn begin(&mut self, about: &Arc<About>) {
        self.about = Arc::clone(about);
        (self.priority, self.held) = (about.priority, about.held);
    }
}
