//! A graph of tasks as placement sees it: how long each takes, and how many bytes go from one to
//! another. Checked when it is made: no task waits for itself, directly or by others.

use bary_policy::layout::Link;

use crate::graph::{EDGES_MAX, Graph, GraphError, NODES_MAX};

/// Why there is no such graph of tasks. Nothing was made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DagError {
    /// There are too many tasks.
    #[error("{tasks} tasks are more than {NODES_MAX}")]
    TooManyTasks {
        /// How many.
        tasks: usize,
    },
    /// There are too many edges.
    #[error("there are more than {EDGES_MAX} edges")]
    TooManyEdges,
    /// A task's work is not a number, not finite, or negative.
    #[error("task {task} takes {work} ms; that is finite and not negative")]
    Work {
        /// The task.
        task: usize,
        /// Its work.
        work: f64,
    },
    /// An edge ends outside.
    #[error("edge {from}-{to} leads out of the {tasks} tasks")]
    Outside {
        /// From which task.
        from: usize,
        /// To which.
        to: usize,
        /// How many there are.
        tasks: usize,
    },
    /// A task waits for itself.
    #[error("task {task} waits for itself, directly or by others")]
    Circle {
        /// One of the tasks that do.
        task: usize,
    },
}

/// Tasks and what goes between them.
#[derive(Clone, Debug, PartialEq)]
pub struct Dag {
    work: Vec<f64>,
    links: Vec<Link>,
    /// An order in which nobody stands before what he waits for.
    order: Vec<usize>,
    /// The links into each task, and out of it.
    into: Vec<Vec<usize>>,
    out: Vec<Vec<usize>>,
}

impl Dag {
    /// Tasks that take `work` milliseconds each on a node of speed 1.
    ///
    /// # Errors
    /// Where a task's work or a link is none, or there are too many.
    pub fn new(work: Vec<f64>, links: Vec<Link>) -> Result<Self, DagError> {
        let tasks = work.len();
        if tasks > NODES_MAX {
            return Err(DagError::TooManyTasks { tasks });
        }
        if links.len() > EDGES_MAX {
            return Err(DagError::TooManyEdges);
        }
        let bad = |work: &f64| !work.is_finite() || *work < 0.0;
        if let Some(task) = work.iter().position(bad) {
            return Err(DagError::Work { task, work: work[task] });
        }
        let (mut into, mut out) = (vec![Vec::new(); tasks], vec![Vec::new(); tasks]);
        for (at, &Link { from, to, .. }) in links.iter().enumerate() {
            if from >= tasks || to >= tasks {
                return Err(DagError::Outside { from, to, tasks });
            }
            into[to].push(at);
            out[from].push(at);
        }
        let mut dag = Self { work, links, order: Vec::new(), into, out };
        dag.order = dag.sorted()?;
        Ok(dag)
    }

    fn sorted(&self) -> Result<Vec<usize>, DagError> {
        let mut waits: Vec<usize> = self.into.iter().map(Vec::len).collect();
        let mut order: Vec<usize> = (0..self.work.len()).filter(|&task| waits[task] == 0).collect();
        let mut at = 0;
        while let Some(&task) = order.get(at) {
            at += 1;
            for link in &self.out[task] {
                let to = self.links[*link].to;
                waits[to] -= 1;
                if waits[to] == 0 {
                    order.push(to);
                }
            }
        }
        match waits.iter().position(|waits| *waits > 0) {
            Some(task) => Err(DagError::Circle { task }),
            None => Ok(order),
        }
    }

    /// How long each task takes on a node of speed 1, in milliseconds.
    #[must_use]
    pub fn work(&self) -> &[f64] {
        &self.work
    }

    /// What goes between tasks.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The links into a task.
    ///
    /// # Panics
    /// Where there is no such task.
    pub fn into(&self, task: usize) -> impl Iterator<Item = &Link> {
        self.into[task].iter().map(|at| &self.links[*at])
    }

    /// The links out of a task.
    ///
    /// # Panics
    /// Where there is no such task.
    pub fn out(&self, task: usize) -> impl Iterator<Item = &Link> {
        self.out[task].iter().map(|at| &self.links[*at])
    }

    /// For each task the longest way from its start to the end of all, where a link takes what
    /// `delay` says, in milliseconds.
    #[must_use]
    pub fn b_levels(&self, delay: impl Fn(&Link) -> f64) -> Vec<f64> {
        let mut levels = vec![0.0; self.work.len()];
        for &task in self.order.iter().rev() {
            let below = self.out(task).map(|link| delay(link) + levels[link.to]);
            levels[task] = self.work[task] + below.fold(0.0, f64::max);
        }
        levels
    }

    /// The undirected graph that joins tasks by the bytes between them.
    ///
    /// # Errors
    /// None that a `Dag` has not been held against; see [`GraphError`].
    pub fn joined(&self) -> Result<Graph, GraphError> {
        let links = self.links.iter().map(|link| (link.from, link.to, link.bytes as f64));
        Graph::new(self.work.len(), links)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(from: usize, to: usize) -> Link {
        Link { from, to, bytes: 10 }
    }

    #[test]
    fn the_longest_way_counts_work_and_delays() {
        let links = vec![link(0, 1), link(0, 2), link(1, 3), link(2, 3)];
        let dag = Dag::new(vec![1.0, 5.0, 2.0, 1.0], links).expect("a diamond");
        assert_eq!(dag.b_levels(|_| 0.0), [7.0, 6.0, 3.0, 1.0]);
        assert_eq!(dag.b_levels(|link| if link.to == 2 { 9.0 } else { 0.0 })[0], 13.0);
    }

    #[test]
    fn what_is_no_graph_of_tasks_is_refused() {
        let circle = Dag::new(vec![1.0; 3], vec![link(0, 1), link(1, 2), link(2, 1)]);
        assert_eq!(circle, Err(DagError::Circle { task: 1 }));
        let itself = Dag::new(vec![1.0], vec![link(0, 0)]);
        assert_eq!(itself, Err(DagError::Circle { task: 0 }));
        let outside = Dag::new(vec![1.0], vec![link(0, 1)]);
        assert_eq!(outside, Err(DagError::Outside { from: 0, to: 1, tasks: 1 }));
        assert!(Dag::new(vec![f64::NAN], Vec::new()).is_err());
        assert!(Dag::new(vec![-1.0], Vec::new()).is_err());
    }
}
