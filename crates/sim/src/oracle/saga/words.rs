//! What tasks of a job gave to others, and left for their next attempts.

use bary_model::id::{SpecNo, TaskRange};
use bary_model::payload::Payload;

use crate::history::Digest;
use crate::oracle::saga::{Saga, digest};

impl Saga {
    /// A task has left something.
    pub(crate) fn leave_word(&mut self, task: TaskRange, step: u64, payload: &Payload) {
        let number = self.numbers(task).start;
        self.words.insert(number, (step, digest(0, payload)));
    }

    /// What tasks that have not ended left last: the spec, the index, and the step with the words.
    pub fn all_words(&self) -> impl Iterator<Item = (SpecNo, u32, (u64, Digest))> {
        self.words.iter().map(|(number, word)| {
            let (spec, index) = self.place(*number);
            (spec, index as u32, *word)
        })
    }

    /// The sum of the results that tasks of `range` read of the `from`-th spec that they came
    /// with; aligned ones read what their own index gave.
    #[must_use]
    pub fn results(&self, range: TaskRange, from: SpecNo, aligned: bool) -> Digest {
        let spec = self.chapters[range.spec.index()].batch + from.0;
        let above = &self.chapters[spec as usize];
        let all = above.offset..above.offset + u64::from(above.spec.count);
        let wanted = if aligned {
            above.offset + u64::from(range.first)..above.offset + u64::from(range.end())
        } else {
            all
        };
        let mut sum = Digest::default();
        self.results.range(wanted).for_each(|(_, one)| sum.join(*one));
        sum
    }

    /// The spec and index of the task of this number, which is there.
    pub(super) fn place(&self, number: u64) -> (SpecNo, u64) {
        let spec = self.chapters.partition_point(|chapter| chapter.offset <= number) - 1;
        (SpecNo(spec as u32), number - self.chapters[spec].offset)
    }
}
