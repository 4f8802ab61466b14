//! What tasks that have not ended left for their next attempts: the last word of each, and nothing
//! of those that never said any.

use std::collections::BTreeMap;

use bary_model::id::{SpecNo, TaskRange};
use bary_model::payload::Payload;
use serde::{Deserialize, Serialize};

/// The last checkpoint of each task of a job that left one and has not ended.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoints(Option<Box<Left>>);

/// The step and the words, by spec and index.
type Left = BTreeMap<(SpecNo, u32), (u64, Payload)>;

impl Checkpoints {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The step and the words of a task's last checkpoint.
    #[must_use]
    pub fn of(&self, spec: SpecNo, index: u32) -> Option<&(u64, Payload)> {
        self.0.as_ref()?.get(&(spec, index))
    }

    /// The indices of a range that have one, in order.
    pub fn within(&self, range: TaskRange) -> impl Iterator<Item = u32> {
        let (low, high) = ((range.spec, range.first), (range.spec, range.end()));
        let parts = self.0.iter().flat_map(move |left| left.range(low..high));
        parts.map(|((_, index), _)| *index)
    }

    /// All of them: the spec, the index, and what was left.
    pub fn all(&self) -> impl Iterator<Item = (SpecNo, u32, &(u64, Payload))> {
        let all = self.0.iter().flat_map(|left| left.iter());
        all.map(|((spec, index), left)| (*spec, *index, left))
    }

    pub(crate) fn keep(&mut self, spec: SpecNo, index: u32, step: u64, payload: Payload) {
        self.0.get_or_insert_default().insert((spec, index), (step, payload));
    }

    /// Drops those of tasks that have ended.
    pub(crate) fn drop_of(&mut self, range: TaskRange) {
        if self.0.is_none() {
            return;
        }
        let gone: Vec<u32> = self.within(range).collect();
        self.0 = self.0.take().and_then(|mut left| {
            for index in gone {
                left.remove(&(range.spec, index));
            }
            (!left.is_empty()).then_some(left)
        });
    }
}
