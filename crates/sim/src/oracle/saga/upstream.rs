//! What a job waits for in other shards, and what it is to those that wait for it.

use bary_model::job::JobRef;

use crate::oracle::saga::{Gate, Saga};

impl Saga {
    /// Whether it has ended so, now or before it was retried.
    #[must_use]
    pub fn has_ended(&self, good: bool) -> bool {
        self.is_over() && self.is_good() == good || self.past.contains(&good)
    }

    /// The jobs that it waits for, and how those ended that did.
    #[must_use]
    pub fn upstream(&self) -> &[(JobRef, Option<bool>)] {
        &self.upstream
    }

    /// A job of another shard has ended; after the last one, what may never run is skipped.
    pub(crate) fn arrive(&mut self, upstream: JobRef, good: bool) {
        let waited = self.upstream.iter_mut().find(|(job, end)| *job == upstream && end.is_none());
        let Some((_, end)) = waited else { return };
        *end = Some(good);
        if self.upstream.iter().any(|(_, end)| end.is_none()) {
            return;
        }
        let good = self.upstream.iter().all(|(_, end)| *end == Some(true));
        for chapter in self.chapters.iter_mut().filter(|chapter| chapter.gate == Gate::Shut) {
            chapter.gate = Gate::Passed(good);
        }
        self.skip_all();
    }
}
