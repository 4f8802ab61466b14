//! Makes a case that breaks as small as it gets within a number of tries: whole groups are left
//! out first, then halves of them, then each alone (delta debugging: Zeller and Hildebrandt,
//! 2002). What is left is what the break needs.

use crate::hunt::case::Case;
use crate::hunt::cut::Cut;
use crate::hunt::{Finding, run};
use crate::plan::Plan;

/// A case with fewer parts that breaks in the same way.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The case.
    pub case: Case,
    /// What is found in it.
    pub finding: Finding,
    /// How many runs that took.
    pub tries: u32,
}

/// A case that is being made smaller.
struct Shrinking {
    best: Case,
    finding: Finding,
    tries: u32,
    tries_max: u32,
}

/// Shrinks a case in which this was found, with at most so many further runs.
#[must_use]
pub fn shrink(case: &Case, finding: &Finding, tries_max: u32) -> Shrunk {
    let whole = case.plan();
    let mut work = Shrinking { best: case.clone(), finding: finding.clone(), tries: 0, tries_max };
    for keep in [1, 2, 3, 4, 6].into_iter().filter(|keep| *keep < whole.nodes.len()) {
        if work.attempt(&[Cut::Nodes(keep)]) {
            break;
        }
    }
    work.halves(&(0..whole.faults.len()).map(Cut::Fault).collect::<Vec<_>>());
    work.halves(&(0..whole.jobs.len()).map(Cut::Job).collect::<Vec<_>>());
    work.halves(&Cut::levels().collect::<Vec<_>>());
    for job in 0..whole.jobs.len() {
        work.job(&whole, job);
    }
    work.halves(&(0..whole.faults.len()).map(Cut::Fault).collect::<Vec<_>>());
    work.best.without.sort_unstable();
    Shrunk { case: work.best, finding: work.finding, tries: work.tries }
}

impl Shrinking {
    /// Tries what is best so far with these cuts too; whether it still breaks in the same way.
    fn attempt(&mut self, cuts: &[Cut]) -> bool {
        if self.tries >= self.tries_max {
            return false;
        }
        let mut case = self.best.clone();
        case.without.extend_from_slice(cuts);
        self.tries += 1;
        match run(&case.plan()).finding {
            Some(found) if found.is_like(&self.finding) => {
                (self.best, self.finding) = (case, found);
                true
            }
            _ => false,
        }
    }

    /// Leaves out as many of these as can be.
    fn halves(&mut self, cuts: &[Cut]) {
        let left: Vec<Cut> =
            cuts.iter().filter(|cut| !self.best.without.contains(cut)).copied().collect();
        if left.is_empty() || self.attempt(&left) || left.len() == 1 {
            return;
        }
        let (first, second) = left.split_at(left.len() / 2);
        self.halves(first);
        self.halves(second);
    }

    /// Makes one job smaller.
    fn job(&mut self, whole: &Plan, job: usize) {
        if self.best.without.contains(&Cut::Job(job)) {
            return;
        }
        let plan = &whole.jobs[job];
        for keep in 0..plan.then.len() {
            if self.attempt(&[Cut::Acts(job, keep)]) {
                break;
            }
        }
        for keep in [1, 2, 3, 5, 8].into_iter().filter(|keep| *keep < plan.spec.specs.len()) {
            if self.attempt(&[Cut::Specs(job, keep)]) {
                break;
            }
        }
        let largest = plan.spec.specs.iter().map(|spec| spec.count).max().unwrap_or(1);
        for times in (1..=largest.ilog2()).rev() {
            if self.attempt(&[Cut::Half(job, times)]) {
                break;
            }
        }
    }
}
