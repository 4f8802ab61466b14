//! What became of a job: how its tasks ended and what they gave, as a fold of its events.

use std::collections::BTreeMap;
use std::sync::Arc;

use bary_model::event::{Event, EventKind};
use bary_model::id::JobNo;
use bary_model::outcome::End;
use bary_model::payload::Payload;
use bary_model::task::TaskSpec;
use bary_ports::store::{Store, StoreError};
use bytes::Bytes;

/// A job that has ended.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// How many tasks succeeded.
    pub succeeded: u64,
    /// Why tasks failed: the spec's name, the index, and how it ended.
    pub failed: Vec<(Box<str>, u32, End)>,
    /// How many tasks were skipped or cancelled.
    pub dropped: u64,
    specs: Vec<Arc<TaskSpec>>,
    results: BTreeMap<(Box<str>, u32), Bytes>,
}

impl Done {
    /// Folds an event in; tells whether the job is over.
    pub(crate) fn fold(
        &mut self,
        job: JobNo,
        event: Event,
        store: &dyn Store,
    ) -> Result<bool, StoreError> {
        match event.kind {
            EventKind::Submitted { job: of, specs, .. } if of == job => {
                self.specs.extend(specs.iter().cloned());
            }
            EventKind::Ended(ended) if ended.range.job == job => {
                let spec = &self.specs[ended.range.spec.index()];
                if ended.end == End::Succeeded {
                    self.succeeded += u64::from(ended.range.count);
                } else {
                    let name = spec.name.clone();
                    self.failed.push((name, ended.range.first, ended.end.clone()));
                }
                for (offset, index) in (ended.range.first..ended.range.end()).enumerate() {
                    let payload = ended.results.at(offset);
                    if payload != Payload::Empty {
                        let bytes = store.read(&payload)?;
                        self.results.insert((spec.name.clone(), index), bytes);
                    }
                }
            }
            EventKind::Dropped { range, .. } if range.job == job => {
                self.dropped += u64::from(range.count);
            }
            EventKind::Finished { job: of } => return Ok(of == job),
            _ => {}
        }
        Ok(false)
    }

    /// Whether every task succeeded.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.failed.is_empty() && self.dropped == 0
    }

    /// What the only or first task of a spec gave, as text.
    #[must_use]
    pub fn result(&self, name: &str) -> Option<String> {
        self.result_at(name, 0).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// What the task at `index` of a spec gave; none where it gave nothing.
    #[must_use]
    pub fn result_at(&self, name: &str, index: u32) -> Option<&Bytes> {
        self.results.get(&(name.into(), index))
    }
}
