//! What follows in the graph when some tasks of a job end: who becomes ready, and who is skipped.

use bary_model::id::{SpecNo, TaskRange};
use bary_model::outcome::End;
use roaring::RoaringBitmap;

use crate::array::runs;
use crate::consequences::Consequences;
use crate::job::{Ending, Job};
use crate::spec::{One, Progress, split_by_bad};

impl Job {
    pub(super) fn tell_dependents(
        &mut self,
        ending: &Ending,
        endings: &mut Vec<Ending>,
        out: &mut Consequences,
    ) {
        let from = ending.range.spec;
        let state = &mut self.specs[from.index()];
        let whole_over = state.left() == 0 && !state.told;
        let whole_good = state.all_succeeded();
        state.told |= whole_over;
        for (next, aligned) in state.dependents.clone() {
            let mut open = Vec::new();
            if let Some(slot) = aligned {
                open = self.arrive(next, slot, ending);
            } else if whole_over {
                let below = &mut self.specs[next.index()];
                below.waits -= 1;
                if !whole_good {
                    below.bad.get_or_insert(from);
                }
                if below.waits == 0 {
                    open = self.arrived(next, 0, self.specs[next.index()].spec.count);
                }
            }
            for (first, count) in open {
                self.open_or_skip(next, (first, count), from, endings, out);
            }
        }
    }

    /// Notes the end of aligned upstream indices; returns the runs that now wait for nothing.
    fn arrive(&mut self, next: SpecNo, slot: u32, ending: &Ending) -> Vec<(u32, u32)> {
        let (first, count) = (ending.range.first, ending.range.count);
        let state = &mut self.specs[next.index()];
        let Progress::Many(array) = &mut state.progress else { return Vec::new() };
        array.arrived[slot as usize].insert_range(first..first + count);
        if !ending.good {
            array.bad.insert_range(first..first + count);
        }
        if state.waits > 0 { Vec::new() } else { self.arrived(next, first, count) }
    }

    /// The runs of a range for which every aligned upstream has ended.
    fn arrived(&self, spec: SpecNo, first: u32, count: u32) -> Vec<(u32, u32)> {
        match &self.specs[spec.index()].progress {
            Progress::Many(array) if !array.arrived.is_empty() => {
                let mut all = RoaringBitmap::new();
                all.insert_range(first..first + count);
                for arrived in &array.arrived {
                    all &= arrived;
                }
                runs(&all)
            }
            _ => vec![(first, count)],
        }
    }

    /// Releases or skips tasks that wait for nothing any more, by what their upstreams came to.
    pub(crate) fn open_or_skip(
        &mut self,
        spec: SpecNo,
        (first, count): (u32, u32),
        because: SpecNo,
        endings: &mut Vec<Ending>,
        out: &mut Consequences,
    ) {
        let state = &self.specs[spec.index()];
        let range = TaskRange { job: self.no, spec, first, count };
        let because = state.bad.unwrap_or(because);
        for (first, count, bad) in split_by_bad(state, first, count) {
            let part = range.with(first, count);
            if self.specs[spec.index()].may_run(bad) {
                self.release(spec, first, count, out);
            } else {
                for (first, count) in self.unended(part) {
                    out.skipped.push((part.with(first, count), because));
                    self.mark(part.with(first, count), &End::Skipped, endings);
                }
            }
        }
    }

    pub(crate) fn unended(&self, range: TaskRange) -> Vec<(u32, u32)> {
        match &self.specs[range.spec.index()].progress {
            Progress::One(One::Ended(_), _) => Vec::new(),
            Progress::One(..) => vec![(range.first, range.count)],
            Progress::Many(array) => array.unended(range.first, range.count),
        }
    }

    /// Makes tasks ready that have not ended meanwhile, by a cancel for instance.
    pub(super) fn release(&mut self, spec: SpecNo, first: u32, count: u32, out: &mut Consequences) {
        let range = TaskRange { job: self.no, spec, first, count };
        let state = &mut self.specs[spec.index()];
        match &mut state.progress {
            Progress::One(one @ One::Blocked, _) => {
                *one = One::Ready;
                out.ready.push(range);
            }
            Progress::One(..) => {}
            Progress::Many(array) if array.left == array.count => out.ready.push(range),
            Progress::Many(_) => {
                let parts = self.unended(range);
                out.ready.extend(parts.iter().map(|&(first, count)| range.with(first, count)));
            }
        }
    }
}
