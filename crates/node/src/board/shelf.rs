//! Jobs by number. Those at the beginning that are forgotten take no room, however many there were.

use std::collections::VecDeque;

use bary_model::id::JobNo;

use crate::board::job::JobRow;

/// All jobs that are not forgotten, and how many there ever were.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    rows: VecDeque<Option<Box<JobRow>>>,
    /// How many forgotten ones came before the first.
    gone: usize,
}

impl Shelf {
    /// A job, where it is not forgotten.
    pub(crate) fn job(&self, no: JobNo) -> Option<&JobRow> {
        self.rows.get(no.index().checked_sub(self.gone)?)?.as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn job_mut(&mut self, no: JobNo) -> Option<&mut JobRow> {
        self.rows.get_mut(no.index().checked_sub(self.gone)?)?.as_deref_mut()
    }

    /// The number after that of the last job.
    pub(crate) fn end(&self) -> JobNo {
        JobNo((self.gone + self.rows.len()) as u32)
    }

    /// Every job from a number on.
    pub(crate) fn from(&self, no: JobNo) -> impl Iterator<Item = &JobRow> {
        let skipped = no.index().saturating_sub(self.gone).min(self.rows.len());
        self.rows.range(skipped..).filter_map(|row| row.as_deref())
    }

    /// Every job, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut JobRow> {
        self.rows.iter_mut().filter_map(|row| row.as_deref_mut())
    }

    /// Adds a job, whose number is not below the end.
    pub(crate) fn add(&mut self, row: JobRow) {
        let Some(ahead) = row.no.index().checked_sub(self.end().index()) else { return };
        self.rows.extend(std::iter::repeat_with(|| None).take(ahead));
        self.rows.push_back(Some(Box::new(row)));
    }

    /// Takes a job out for good.
    pub(crate) fn take(&mut self, no: JobNo) -> Option<Box<JobRow>> {
        let row = self.rows.get_mut(no.index().checked_sub(self.gone)?)?.take();
        while self.rows.front().is_some_and(Option::is_none) {
            self.rows.pop_front();
            self.gone += 1;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bary_model::event::Brief;
    use bary_model::job::About;
    use bary_model::time::Moment;

    use super::*;

    #[test]
    fn numbers_stay_when_jobs_go() {
        let about = About::default().shared();
        let brief = Brief { name: "a".into(), about, open: false, upstream: Box::default() };
        let brief = Arc::new(brief);
        let mut shelf = Shelf::default();
        for no in [0, 1, 3] {
            shelf.add(JobRow::new(JobNo(no), Arc::clone(&brief), Moment(0)));
        }
        let numbers =
            |shelf: &Shelf, from| shelf.from(JobNo(from)).map(|row| row.no.0).collect::<Vec<_>>();
        assert_eq!((numbers(&shelf, 0), numbers(&shelf, 2)), (vec![0, 1, 3], vec![3]));
        assert!(shelf.take(JobNo(1)).is_some() && shelf.take(JobNo(1)).is_none());
        assert!(shelf.take(JobNo(0)).is_some());
        assert_eq!((shelf.gone, shelf.end(), numbers(&shelf, 0)), (3, JobNo(4), vec![3]));
        assert!(shelf.job(JobNo(0)).is_none() && shelf.job_mut(JobNo(3)).is_some());
        assert!(shelf.take(JobNo(3)).is_some());
        assert_eq!((shelf.end(), numbers(&shelf, 0)), (JobNo(4), vec![]));
    }
}
