//! A trace: jobs in the order of their file, each a graph of tasks.

use std::sync::Arc;

use bary_model::time::Span;
use bary_model::weight::Weight;

/// Work that was done, or is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What it is called; empty where nobody says.
    pub name: Box<str>,
    /// How long a unit of weight takes at speed 1; never zero.
    pub unit: Span,
    /// The jobs, in the order of their file, which need not be that of their arrivals.
    pub jobs: Vec<Job>,
}

/// What was submitted at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What it is called; need not be unique.
    pub name: Box<str>,
    /// Whose it is; empty where nobody says.
    pub owner: Arc<str>,
    /// When it came, from the trace's beginning.
    pub arrival: Span,
    /// Its tasks; what they wait for are positions in this list.
    pub tasks: Box<[Task]>,
}

/// One task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// What it is called; unique in its job where it is not empty.
    pub name: Box<str>,
    /// What it runs, where tasks that run the same can be told; empty otherwise.
    pub function: Arc<str>,
    /// How long it ran, or runs, at speed 1.
    pub run: Span,
    /// How long its user said that it would run.
    pub estimate: Option<Span>,
    /// How much work its user said that it is, in the trace's unit.
    pub weight: Option<Weight>,
    /// Thousandths of processors that it holds while it runs.
    pub milli_cpus: u64,
    /// Bytes of memory that it holds while it runs; 0 where nobody says.
    pub memory: u64,
    /// Bytes that it reads from outside the trace.
    pub input: u64,
    /// Bytes that it leaves, all of which each task that waits for it reads.
    pub output: u64,
    /// The tasks that end before it begins: ascending positions in its job, no circle.
    pub after: Box<[u32]>,
}

impl Trace {
    /// How long a unit of weight takes where a format does not say: a second.
    pub const UNIT: Span = Span::secs(1);

    /// How many tasks all its jobs have.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.jobs.iter().map(|job| job.tasks.len()).sum()
    }
}

impl Task {
    /// A task of one processor that runs so long, waits for none and moves nothing.
    #[must_use]
    pub fn new(run: Span) -> Self {
        Self {
            name: Box::default(),
            function: Arc::default(),
            run,
            estimate: None,
            weight: None,
            milli_cpus: 1_000,
            memory: 0,
            input: 0,
            output: 0,
            after: Box::default(),
        }
    }
}

/// The weight of so long a time; what weighs too little or too much is the least or the most.
#[must_use]
pub fn weight_of(run: Span, unit: Span) -> Weight {
    let thousandths = u128::from(run.0) * 1_000 / u128::from(unit.0.max(1));
    let most = u128::from(Weight::MAX.thousandths());
    let held = thousandths.clamp(u128::from(Weight::MIN.thousandths()), most) as u64;
    Weight::try_from(held).unwrap_or(Weight::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_its_time_over_the_unit_and_never_none() {
        assert_eq!(weight_of(Span::millis(1_500), Span::secs(1)).thousandths(), 1_500);
        assert_eq!(weight_of(Span::ZERO, Span::secs(1)), Weight::MIN);
        assert_eq!(weight_of(Span(u64::MAX), Span(1)), Weight::MAX);
    }
}
