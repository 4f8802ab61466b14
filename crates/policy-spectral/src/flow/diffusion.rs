//! Rules by which neighbours even out round by round, for comparison: diffusion of first order
//! (Cybenko, 1989; Boillat, 1990) and second order (Muthukrishnan, Ghosh and Schultz, 1998), and
//! dimension exchange, where edges take turns so that each node deals with one other at a time.

use crate::flow::{Course, Flow};
use crate::graph::Graph;

/// Most rounds; a rule stops there however far it is.
pub const ROUNDS_MAX: usize = 200_000;

/// Diffusion of first order: over each edge goes `alpha` of the difference, until what is left of
/// the excess is the `part`th part of it in length.
///
/// # Panics
/// Where there are not as many entries as nodes.
#[must_use]
pub fn first_order(graph: &Graph, excess: &[f64], alpha: f64, part: f64) -> Course {
    run(graph, excess, part, |loads, _| {
        let even = |edge: &crate::graph::Edge| alpha * (loads[edge.a] - loads[edge.b]);
        graph.edges().iter().map(even).collect()
    })
}

/// Diffusion of second order: a round goes on `beta` times as far as one of first order would,
/// less what the round before went; `beta` lies between 1 and 2.
///
/// # Panics
/// Where there are not as many entries as nodes.
#[must_use]
pub fn second_order(graph: &Graph, excess: &[f64], alpha: f64, beta: f64, part: f64) -> Course {
    let mut last = vec![0.0; graph.edges().len()];
    run(graph, excess, part, |loads, round| {
        for (edge, last) in graph.edges().iter().zip(&mut last) {
            let step = alpha * (loads[edge.a] - loads[edge.b]);
            *last = if round == 0 { step } else { beta * step + (beta - 1.0) * *last };
        }
        last.clone()
    })
}

/// Dimension exchange: in each round the edges of one colour are evened out, one colour after the
/// other; no two edges of a colour meet.
///
/// # Panics
/// Where there are not as many entries as nodes.
#[must_use]
pub fn dimension_exchange(graph: &Graph, excess: &[f64], part: f64) -> Course {
    let colours = colours(graph);
    let count = colours.iter().max().map_or(1, |most| most + 1);
    run(graph, excess, part, |loads, round| {
        let even = |(edge, colour): (&crate::graph::Edge, &usize)| {
            let turn = *colour == round % count;
            if turn { (loads[edge.a] - loads[edge.b]) / 2.0 } else { 0.0 }
        };
        graph.edges().iter().zip(&colours).map(even).collect()
    })
}

fn run(
    graph: &Graph,
    excess: &[f64],
    part: f64,
    mut round: impl FnMut(&[f64], usize) -> Vec<f64>,
) -> Course {
    assert_eq!(excess.len(), graph.nodes(), "one entry for each node");
    let square = |loads: &[f64]| loads.iter().map(|load| load * load).sum::<f64>();
    let mut loads = excess.to_vec();
    let goal = part * part * square(&loads);
    let mut course = Course { flow: Flow::none(graph), moved: 0.0, rounds: 0 };
    while square(&loads) > goal && course.rounds < ROUNDS_MAX {
        let step = Flow { over: round(&loads, course.rounds) };
        let given = step.given(graph);
        loads.iter_mut().zip(given).for_each(|(load, given)| *load -= given);
        course.flow.over.iter_mut().zip(&step.over).for_each(|(all, over)| *all += over);
        course.moved += step.work();
        course.rounds += 1;
    }
    course
}

/// A colour for each edge, the first that none of its neighbours has.
fn colours(graph: &Graph) -> Vec<usize> {
    let mut colours = vec![usize::MAX; graph.edges().len()];
    for (at, edge) in graph.edges().iter().enumerate() {
        let ends = graph.near(edge.a).iter().chain(graph.near(edge.b));
        let taken: Vec<usize> = ends.map(|near| colours[near.edge]).collect();
        colours[at] = (0..).find(|colour| !taken.contains(colour)).unwrap_or_default();
    }
    colours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::flow::tests::uneven;

    fn apart(a: &Flow, b: &Flow) -> f64 {
        a.over.iter().zip(&b.over).fold(0.0, |most: f64, (a, b)| most.max((a - b).abs()))
    }

    #[test]
    fn diffusion_ends_in_the_laplacian_flow() {
        // Diekmann, Frommer and Monien (1999): every such scheme moves the same in the end.
        let graph = family::grid(4, 5);
        let b = uneven(20, 5);
        let level = Flow::laplacian(&graph, &b);
        let first = first_order(&graph, &b, 0.2, 1e-9);
        let second = second_order(&graph, &b, 0.2, 1.5, 1e-9);
        assert!(apart(&first.flow, &level) < 1e-3 && apart(&second.flow, &level) < 1e-3);
        assert!(second.rounds < first.rounds && first.moved >= level.work());
    }

    #[test]
    fn no_two_edges_of_a_colour_meet() {
        let graph = family::karate();
        let colours = colours(&graph);
        for node in 0..graph.nodes() {
            let mut here: Vec<usize> = graph.near(node).iter().map(|n| colours[n.edge]).collect();
            here.sort_unstable();
            let all = here.len();
            here.dedup();
            assert_eq!(here.len(), all);
        }
    }

    #[test]
    fn a_rule_that_never_ends_stops_at_the_limit() {
        let course = first_order(&family::path(2), &[1.0, -1.0], 0.0, 0.01);
        assert_eq!((course.rounds, course.moved), (ROUNDS_MAX, 0.0));
    }
}
