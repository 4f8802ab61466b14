//! Keeping the books within their limits: what is forgotten first, and what is released by that.

use bary_model::event::Ended;
use bary_model::id::{JobNo, SpecNo};
use bary_model::outcome::Results;
use bary_model::payload::Payload;

use crate::board::books::Books;
use crate::board::ends::How;

/// A place among the ended tasks of all jobs.
pub(crate) type Place = (JobNo, SpecNo, u32);

impl Books {
    /// Payloads that nobody can ask for any more, to be released.
    pub(crate) fn take_unread(&mut self) -> Vec<Payload> {
        std::mem::take(&mut self.unread)
    }

    /// A finished job that is too many, the oldest: its home is to forget it.
    pub(crate) fn take_surplus(&mut self) -> Option<JobNo> {
        self.has_surplus().then(|| self.kept.pop_front()).flatten()
    }

    /// Whether there are more finished jobs than are kept.
    pub(crate) fn has_surplus(&self) -> bool {
        self.kept.len() > self.kept_max
    }

    /// Finished jobs that were kept for long enough by now, at most so many: their home is to
    /// forget them.
    pub(crate) fn take_old(&mut self, most: usize) -> Vec<JobNo> {
        let (now, mut old) = (self.clock.now(), Vec::new());
        while let Some(&job) = self.kept.front().filter(|_| old.len() < most) {
            let row = self.job(job);
            let finished = row.and_then(|row| row.finished);
            if finished.is_some_and(|at| now.since(at) < self.kept_span) {
                break;
            }
            self.kept.pop_front();
            // One that runs again is kept anew when it has finished.
            old.extend(finished.map(|_| job));
        }
        old
    }

    /// Keeps the details of ended tasks within their limit: the oldest finished job becomes counts
    /// only; where none has finished, those that go on keep only how each of their tasks ended.
    pub(super) fn bound(&mut self) {
        while self.pieces > self.pieces_max {
            let Some(oldest) = self.finished.pop_front() else {
                self.thin();
                return;
            };
            let mut gone = Vec::new();
            let mut pieces = 0;
            self.on_row(oldest, |row| {
                if row.finished.is_some() {
                    pieces = row.detail.as_ref().map_or(0, |detail| detail.ends.len() as u64);
                    gone = row.only_count();
                }
            });
            self.pieces -= pieces;
            gone.iter().for_each(|how| self.release(how));
        }
    }

    fn thin(&mut self) {
        let (mut gone, mut pieces) = (Vec::new(), 0);
        for row in self.jobs.iter_mut() {
            if let Some(detail) = &mut row.detail {
                gone.append(&mut detail.ends.thin());
                pieces += detail.ends.len() as u64;
            }
        }
        self.pieces = pieces;
        // Ends that cannot be joined take little; half as many again may come before the next look.
        self.pieces_max = self.pieces_max.max(pieces + pieces / 2);
        gone.iter().for_each(|how| self.release(how));
    }

    /// Ended tasks are kept no longer.
    pub(super) fn let_go(&mut self, gone: &[How]) {
        self.pieces = self.pieces.saturating_sub(gone.len() as u64);
        gone.iter().for_each(|how| self.release(how));
    }

    /// Results that are to be kept at so many members.
    pub(crate) fn take_wanted(&mut self) -> Vec<(Payload, u8)> {
        std::mem::take(&mut self.wanted)
    }

    /// Large results of whatever job are to be kept at several members from now on.
    pub(crate) fn want_all(&mut self) {
        self.wants_all = true;
    }

    /// Large results from a place on, with at how many members their jobs say that they are to be:
    /// of at most so many ended tasks and jobs, and where to go on, if anywhere.
    pub(crate) fn large(&self, from: Place, most: usize) -> (Vec<(Payload, u8)>, Option<Place>) {
        let (mut found, mut looked) = (Vec::new(), 0);
        for row in self.jobs_from(from.0) {
            let (spec, first) = if row.no == from.0 { (from.1, from.2) } else { (SpecNo(0), 0) };
            let ends = row.detail.as_deref().map(|detail| detail.ends.from(spec, first));
            looked += 1;
            for ((spec, first), piece) in ends.into_iter().flatten() {
                if looked >= most {
                    return (found, Some((row.no, spec, first)));
                }
                looked += 1;
                if let How::Ran(ended) = &piece.how {
                    let copies = row.brief.about.copies;
                    found.extend(large(ended).map(|payload| (payload.clone(), copies)));
                }
            }
        }
        (found, None)
    }

    /// What tasks gave is to be kept at so many members, where it is large.
    pub(super) fn want(&mut self, ended: &Ended, copies: u8) {
        self.wanted.extend(large(ended).map(|payload| (payload.clone(), copies)));
    }

    pub(super) fn release(&mut self, how: &How) {
        let How::Ran(ended) = how else { return };
        self.unread.extend(large(ended).cloned());
    }
}

/// What tasks gave and printed that is too large to ride along.
fn large(ended: &Ended) -> impl Iterator<Item = &Payload> {
    let results = match &ended.results {
        Results::Each(each) => each.as_slice(),
        Results::Nothing => &[],
    };
    let all = [&ended.stderr].into_iter().chain(results);
    all.filter(|payload| matches!(payload, Payload::Stored(_) | Payload::Kept(_)))
}
