//! When it pays to even out what nodes hold: load is uneven enough, the graph is one where ways
//! matter, and what is gained is more than the moves cost.

use bary_model::time::Span;

use crate::flow::excess;
use crate::flow::whole::{self, Move};
use crate::graph::Graph;

/// The rule's parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rebalance {
    /// How far a node has to be from its share, as a part of the mean share.
    pub threshold: f64,
    /// How long one task takes over a link of weight 1.
    pub move_span: Span,
}

impl Default for Rebalance {
    /// The threshold that the HIDRS document gives, and moves of a millisecond.
    fn default() -> Self {
        Self { threshold: 0.3, move_span: Span::millis(1) }
    }
}

/// Why nothing is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// There are fewer than two nodes, no tasks, or nobody who could run them.
    Nothing,
    /// All are near their shares.
    Even,
    /// All are one hop from all, or from one: there idle nodes asking does as well.
    Flat,
    /// The moves take longer than they save.
    Dear,
}

impl Rebalance {
    /// What to move, where each node holds so many tasks of about `task` each and does `powers` of
    /// them at a time.
    ///
    /// # Errors
    /// Why nothing is moved.
    ///
    /// # Panics
    /// Where there are not as many tasks or powers as nodes.
    pub fn moves(
        &self,
        graph: &Graph,
        tasks: &[u64],
        powers: &[f64],
        task: Span,
    ) -> Result<Vec<Move>, Rest> {
        match uneven(tasks, powers) {
            None => return Err(Rest::Nothing),
            Some(uneven) if uneven <= self.threshold => return Err(Rest::Even),
            Some(_) => {}
        }
        if graph.is_flat() {
            return Err(Rest::Flat);
        }
        let moves = whole::moves(graph, tasks, powers);
        let saved = (last(tasks, powers) - last(&after(tasks, &moves), powers)) * task.0 as f64;
        let taken = self.takes(graph, &moves);
        // Compared as whole microseconds or less, so that no last bit decides.
        if saved.round() <= taken.round() { Err(Rest::Dear) } else { Ok(moves) }
    }

    /// How long the busiest link is busy.
    fn takes(&self, graph: &Graph, moves: &[Move]) -> f64 {
        let mut busy = vec![0.0; graph.edges().len()];
        for step in moves {
            let link = graph.near(step.from).iter().find(|near| near.node == step.to);
            if let Some(near) = link {
                busy[near.edge] += step.tasks as f64 * self.move_span.0 as f64 / near.weight;
            }
        }
        busy.into_iter().fold(0.0, f64::max)
    }
}

/// How far the node that is furthest from its share of the tasks is from it, as a part of the mean
/// share; nothing where there are fewer than two nodes, no tasks, or nobody who could run them.
///
/// # Panics
/// Where there are not as many powers as tasks.
#[must_use]
pub fn uneven(tasks: &[u64], powers: &[f64]) -> Option<f64> {
    let loads: Vec<f64> = tasks.iter().map(|tasks| *tasks as f64).collect();
    let (all, power) = (loads.iter().sum::<f64>(), powers.iter().sum::<f64>());
    if loads.len() < 2 || all <= 0.0 || power <= 0.0 {
        return None;
    }
    let furthest = excess(&loads, powers).iter().fold(0.0, |most: f64, b| most.max(b.abs()));
    Some(furthest * loads.len() as f64 / all)
}

/// When the last node is through, in tasks of a node of power 1; never, where one has tasks and no
/// power.
fn last(tasks: &[u64], powers: &[f64]) -> f64 {
    let through = |(tasks, power): (&u64, &f64)| match tasks {
        0 => 0.0,
        tasks => *tasks as f64 / power.max(0.0),
    };
    tasks.iter().zip(powers).map(through).fold(0.0, f64::max)
}

fn after(tasks: &[u64], moves: &[Move]) -> Vec<u64> {
    let mut have = tasks.to_vec();
    for step in moves {
        have[step.from] -= step.tasks;
        have[step.to] += step.tasks;
    }
    have
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;

    const TASK: Span = Span::millis(50);

    fn told(graph: &Graph, tasks: &[u64], rule: Rebalance) -> Result<u64, Rest> {
        let powers = vec![1.0; tasks.len()];
        let moves = rule.moves(graph, tasks, &powers, TASK);
        moves.map(|moves| moves.iter().map(|step| step.tasks).sum())
    }

    #[test]
    fn a_row_with_a_hot_end_is_evened_out() {
        assert_eq!(told(&family::path(4), &[40, 0, 0, 0], Rebalance::default()), Ok(60));
    }

    #[test]
    fn what_is_nearly_even_stays_until_the_threshold_is_lower() {
        let tasks = [12, 10, 10, 8];
        let graph = family::path(4);
        assert_eq!(told(&graph, &tasks, Rebalance::default()), Err(Rest::Even));
        let keen = Rebalance { threshold: 0.1, ..Rebalance::default() };
        assert!(told(&graph, &tasks, keen).is_ok());
    }

    #[test]
    fn nothing_is_moved_where_all_are_near_or_moves_are_dear() {
        let tasks = [40, 0, 0, 0];
        let rule = Rebalance::default();
        assert_eq!(told(&family::complete(4), &tasks, rule), Err(Rest::Flat));
        assert_eq!(told(&family::star(4), &tasks, rule), Err(Rest::Flat));
        let dear = Rebalance { move_span: Span::millis(500), ..rule };
        assert_eq!(told(&family::path(4), &tasks, dear), Err(Rest::Dear));
        assert_eq!(told(&family::path(4), &[0; 4], rule), Err(Rest::Nothing));
    }

    #[test]
    fn who_can_run_nothing_is_relieved_of_all() {
        let (tasks, powers) = ([9, 0, 0, 0], [0.0, 1.0, 2.0, 0.0]);
        let moves = Rebalance::default().moves(&family::path(4), &tasks, &powers, TASK);
        assert_eq!(moves.map(|moves| after(&tasks, &moves)), Ok(vec![0, 3, 6, 0]));
    }
}
