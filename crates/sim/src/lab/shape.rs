//! The tasks of one seed as they are drawn, before any policy has placed one: the same for every
//! policy, so that only policies differ.

use std::sync::Arc;

use bary_model::time::Moment;
use bary_model::weight::Weight;

use crate::lab::workload::Need;

/// All that there is to do.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// The jobs, in the order of their arrival.
    pub jobs: Vec<Arrival>,
    /// The tasks of all jobs, one job's after another's.
    pub tasks: Vec<Piece>,
    /// Whether any task really weighs something else than it says.
    pub errs: bool,
}

/// A job that arrives.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When.
    pub at: Moment,
    /// At the home of this node.
    pub home: usize,
    /// Whose it is.
    pub owner: u32,
    /// Its tasks: the first, and how many.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// A task.
#[derive(Clone, Debug)]
pub struct Piece {
    /// What it is said to weigh.
    pub weight: Weight,
    /// What it really weighs, in units.
    pub real: f64,
    /// The tasks of its job that it waits for, counted from the job's first.
    pub after: Box<[u32]>,
    /// What it needs.
    pub need: Need,
    /// What it runs, where tasks that run the same can be told.
    pub function: Arc<str>,
    /// How many bytes it leaves, which each task that waits for it reads.
    pub output: u64,
    /// How many tasks its gang has, which is its job; 0 where it is of none.
    pub gang: u16,
}

impl Piece {
    /// A task of one core that waits for nothing and weighs what it says.
    #[must_use]
    pub fn plain(weight: Weight) -> Self {
        let need = Need { milli_cpus: 1_000, memory: 0, gpus: 0 };
        let (after, function) = (Box::default(), Arc::default());
        Self { weight, real: weight.units(), after, need, function, output: 0, gang: 0 }
    }
}

impl Load {
    /// The tasks of a job.
    #[must_use]
    pub fn tasks_of(&self, job: &Arrival) -> &[Piece] {
        &self.tasks[job.first as usize..(job.first + job.count) as usize]
    }
}

/// What the longest path of a job's tasks really weighs. A task may stand before one that it waits
/// for; none waits for itself, however far around.
pub(crate) fn longest_path(tasks: &[Piece]) -> f64 {
    let mut waits: Vec<usize> = tasks.iter().map(|task| task.after.len()).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    for (number, task) in tasks.iter().enumerate() {
        task.after.iter().for_each(|before| below[*before as usize].push(number));
    }
    let mut ready: Vec<usize> = (0..tasks.len()).filter(|number| waits[*number] == 0).collect();
    let mut begins = vec![0.0_f64; tasks.len()];
    let mut longest = 0.0_f64;
    while let Some(number) = ready.pop() {
        let end = begins[number] + tasks[number].real;
        longest = longest.max(end);
        for next in &below[number] {
            begins[*next] = begins[*next].max(end);
            waits[*next] -= 1;
            if waits[*next] == 0 {
                ready.push(*next);
            }
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(real: f64, after: &[u32]) -> Piece {
        let after = after.into();
        Piece { real, after, ..Piece::plain(Weight::ONE) }
    }

    #[test]
    fn the_longest_path_is_found_in_whichever_order_tasks_stand() {
        let tasks = [task(1.0, &[2]), task(2.0, &[0]), task(4.0, &[]), task(3.0, &[2])];
        assert!((longest_path(&tasks) - 7.0).abs() < 1e-12);
        assert!(longest_path(&[]).abs() < 1e-12);
    }
}
