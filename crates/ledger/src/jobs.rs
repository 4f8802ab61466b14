//! Jobs by number. One that was forgotten leaves nothing but whether it was good: two bits and the
//! place of a pointer, and not even that where its neighbours are forgotten too.

use std::ops::Range;

use bary_model::id::JobNo;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::job::Job;

/// How many neighbours share a page.
const PAGE_JOBS: usize = 256;

type Page = Box<[Option<Box<Job>>]>;

/// Neighbours that were forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// The first of them.
    pub first: JobNo,
    /// How many there are.
    pub count: u32,
    /// Whether every task of each of them had succeeded.
    pub good: bool,
}

/// All jobs that are not forgotten, and how many there ever were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    pages: Vec<Option<Page>>,
    /// The number of the next job.
    end: u32,
    /// How many numbers before the end are known to be of jobs that are yet to be put there.
    missing: u32,
    /// Those forgotten jobs that were not good.
    bad: RoaringBitmap,
}

impl Jobs {
    /// The number of the next job.
    pub(crate) fn end(&self) -> usize {
        self.end as usize
    }

    /// A job, where it is not forgotten.
    pub(crate) fn get(&self, no: JobNo) -> Option<&Job> {
        let page = self.pages.get(no.index() / PAGE_JOBS)?.as_deref()?;
        page[no.index() % PAGE_JOBS].as_deref()
    }

    /// The same, to be changed.
    pub(crate) fn get_mut(&mut self, no: JobNo) -> Option<&mut Job> {
        let page = self.pages.get_mut(no.index() / PAGE_JOBS)?.as_deref_mut()?;
        page[no.index() % PAGE_JOBS].as_deref_mut()
    }

    /// A job that must be there.
    ///
    /// # Panics
    /// Where it is not, which only a broken home or journal brings about.
    pub(crate) fn known(&mut self, no: JobNo) -> &mut Job {
        match self.get_mut(no) {
            Some(job) => job,
            None => panic!("job {} is not there", no.0),
        }
    }

    /// Whether a job that was forgotten had been good.
    pub(crate) fn gone(&self, no: JobNo) -> Option<bool> {
        let gone = no.0 < self.end && self.get(no).is_none();
        gone.then(|| !self.bad.contains(no.0))
    }

    /// Puts a job in its place; whether it is a new one, at the end.
    ///
    /// # Panics
    /// Where the place is taken, or beyond the end.
    pub(crate) fn put(&mut self, job: Job) -> bool {
        let (no, is_new) = (job.no, job.no.0 == self.end);
        assert!(is_new || (self.missing > 0 && self.gone(no).is_some()), "jobs leave no gaps");
        if is_new {
            self.end += 1;
        } else {
            self.missing -= 1;
        }
        let page = no.index() / PAGE_JOBS;
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        let empty = || std::iter::repeat_with(|| None).take(PAGE_JOBS).collect();
        let page = self.pages[page].get_or_insert_with(empty);
        page[no.index() % PAGE_JOBS] = Some(Box::new(job));
        is_new
    }

    /// Forgets a job but for how it ended.
    ///
    /// # Panics
    /// Where it is not there, or has not ended.
    pub(crate) fn erase(&mut self, no: JobNo) {
        let job = self.known(no);
        assert!(job.is_over(), "only finished jobs are forgotten");
        if !job.is_good() {
            self.bad.insert(no.0);
        }
        let Some(slot) = self.pages.get_mut(no.index() / PAGE_JOBS) else { return };
        let Some(page) = slot else { return };
        page[no.index() % PAGE_JOBS] = None;
        if page.iter().all(Option::is_none) {
            *slot = None;
        }
    }

    /// Begins after jobs that were forgotten: of the numbers before `end` only these are so, and
    /// the others are put in their places later.
    ///
    /// # Panics
    /// Where there are jobs already, or these contradict themselves.
    pub(crate) fn begin(&mut self, end: JobNo, gone: &[Gone]) {
        assert!(self.end == 0, "what was forgotten comes first");
        self.end = end.0;
        self.missing = end.0;
        let mut next = 0;
        for one in gone {
            let range = range(one);
            assert!(range.start >= next && range.end <= u64::from(end.0), "they overlap");
            next = range.end;
            self.missing -= one.count;
            if !one.good {
                self.bad.insert_range(one.first.0..=one.first.0 + (one.count - 1));
            }
        }
    }

    /// Those that were forgotten, neighbours together.
    pub(crate) fn all_gone(&self) -> Vec<Gone> {
        let mut all: Vec<Gone> = Vec::new();
        let mut add = |numbers: Range<u32>| {
            for no in numbers {
                let good = !self.bad.contains(no);
                match all.last_mut() {
                    Some(last) if last.good == good && last.first.0 + last.count == no => {
                        last.count += 1;
                    }
                    _ => all.push(Gone { first: JobNo(no), count: 1, good }),
                }
            }
        };
        let mut next = 0;
        for job in self.iter() {
            add(next..job.no.0);
            next = job.no.0 + 1;
        }
        add(next..self.end);
        all
    }

    /// Every job, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.pages.iter().flatten().flat_map(|page| page.iter().flatten().map(|job| &**job))
    }

    /// The same, to be changed.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Job> {
        let pages = self.pages.iter_mut().flatten();
        pages.flat_map(|page| page.iter_mut().flatten().map(|job| &mut **job))
    }

    /// Checks what must always hold between records.
    ///
    /// # Panics
    /// Where it does not.
    pub(crate) fn check(&self) {
        assert_eq!(self.missing, 0, "every job that is not forgotten is there");
        self.iter().for_each(Job::check);
    }
}

impl PartialEq for Jobs {
    fn eq(&self, other: &Self) -> bool {
        let Self { pages: _, end, missing, bad } = self;
        (end, missing, bad) == (&other.end, &other.missing, &other.bad)
            && self.iter().eq(other.iter())
    }
}

/// The numbers of some that were forgotten.
pub(crate) fn range(gone: &Gone) -> Range<u64> {
    let first = u64::from(gone.first.0);
    first..first + u64::from(gone.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(no: u32) -> Job {
        Job::new(JobNo(no), "a".into(), false)
    }

    fn gone(first: u32, count: u32, good: bool) -> Gone {
        Gone { first: JobNo(first), count, good }
    }

    #[test]
    fn what_was_forgotten_leaves_how_it_ended() {
        let mut jobs = Jobs::default();
        for no in 0..600 {
            let mut job = job(no);
            job.tasks = u64::from(no == 301);
            assert!(jobs.put(job));
        }
        (0..599).for_each(|no| jobs.erase(JobNo(no)));
        assert_eq!((jobs.gone(JobNo(5)), jobs.gone(JobNo(301))), (Some(true), Some(false)));
        assert_eq!((jobs.gone(JobNo(599)), jobs.gone(JobNo(600))), (None, None));
        assert_eq!(
            jobs.pages.iter().map(Option::is_some).collect::<Vec<_>>(),
            [false, false, true]
        );
        let all = [gone(0, 301, true), gone(301, 1, false), gone(302, 297, true)];
        assert_eq!(jobs.all_gone(), all);
        let mut again = Jobs::default();
        again.begin(JobNo(600), &all);
        assert!(!again.put(job(599)));
        again.check();
        assert_eq!(again.gone(JobNo(301)), Some(false));
        assert_eq!((again.all_gone(), again.end()), (all.to_vec(), 600));
    }

    #[test]
    fn a_forgotten_job_takes_a_fraction_of_a_byte() {
        let mut jobs = Jobs::default();
        for no in 0..100_000 {
            let mut job = job(no);
            job.tasks = u64::from(no % 2 == 0);
            jobs.put(job);
            jobs.erase(JobNo(no));
        }
        let bytes = jobs.pages.len() * size_of::<Option<Page>>() + jobs.bad.serialized_size();
        assert!(bytes < 40_000, "{bytes} bytes");
        assert_eq!((jobs.gone(JobNo(8)), jobs.gone(JobNo(9))), (Some(false), Some(true)));
    }

    #[test]
    #[should_panic(expected = "jobs leave no gaps")]
    fn a_job_that_does_not_follow_is_refused() {
        Jobs::default().put(job(1));
    }
}
