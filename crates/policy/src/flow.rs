//! How room goes between homes that have work and homes that have none. Greedy sends it to whoever
//! draws most. Level flow solves L x = b over the graph of homes, with b what each has above its
//! share, and sends room against the flow w (x_u - x_v), from home to home (Hu, Blake and Emerson,
//! 1998): less travels far, and no way is crowded. It rests where all homes are equally far from
//! each other, as greedy does as well there, and where all are near their shares.

use bary_model::time::Span;

use crate::parameter::given::Given;
use crate::parameter::network::{FLOW, FLOW_THRESHOLD};
use crate::trip;

/// Which way room goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Homes send each other nothing; nodes are told of work that waits.
    None,
    /// To the home that draws most.
    #[default]
    Greedy,
    /// Along the level flow, where that says anything; greedily otherwise.
    Laplacian,
}

impl Rule {
    /// The words for them in a policy's text; the first is the usual one.
    pub const WORDS: &[&str] = &["greedy", "laplacian", "none"];

    fn of(word: &str) -> Self {
        match word {
            "none" => Self::None,
            "laplacian" => Self::Laplacian,
            _ => Self::Greedy,
        }
    }
}

/// How homes trade room.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow {
    /// The rule. Defaults to greedy.
    pub rule: Rule,
    /// How far a home is from its share, as a part of the mean share, before room flows. Defaults
    /// to 0.3.
    pub threshold: f64,
}

impl Flow {
    /// As the parameters say.
    #[must_use]
    pub fn with(given: &Given) -> Self {
        Self { rule: Rule::of(given.word(&FLOW)), threshold: given.number(&FLOW_THRESHOLD) }
    }
}

/// Most homes over which a flow is found; of more, room goes greedily.
pub const HOMES_MAX: usize = 64;

/// How much work flows from each home to home `me`, in the unit of `excess`, negative where it
/// flows away; `excess` is what each has above its share, and `trips` how far each is from each
/// other. None where all are near their shares, equally far from each other, or too many.
///
/// # Panics
/// Where there is not a row of `trips` for each home.
#[must_use]
pub fn into(
    me: usize,
    excess: &[f64],
    mean: f64,
    trips: &[Vec<Span>],
    threshold: f64,
) -> Option<Vec<i64>> {
    let homes = excess.len();
    let most = excess.iter().fold(0.0, |most: f64, one| most.max(one.abs()));
    if !(2..=HOMES_MAX).contains(&homes) || most <= threshold * mean || is_flat(trips) {
        return None;
    }
    let weights = joined(trips);
    let x = potentials(&weights, excess);
    let over = |home: usize| (weights[home][me] * (x[home] - x[me])).round() as i64;
    Some((0..homes).map(over).collect())
}

/// Whether all are equally far from each other.
fn is_flat(trips: &[Vec<Span>]) -> bool {
    let mut far = (0..trips.len()).flat_map(|a| (0..a).map(move |b| trips[a][b]));
    let Some(first) = far.next() else { return true };
    !far.any(|other| trip::differ(first, other))
}

/// How strongly homes are joined, 1/RTT in 1/ms: those between which no other lies that is nearer
/// to both (Toussaint, "The relative neighbourhood graph", 1980), so that what goes far goes over
/// those on its way.
fn joined(trips: &[Vec<Span>]) -> Vec<Vec<f64>> {
    let homes = trips.len();
    let weight = |a: usize, b: usize| {
        let between =
            |c: usize| c != a && c != b && trips[a][c] < trips[a][b] && trips[c][b] < trips[a][b];
        if a == b || (0..homes).any(between) { 0.0 } else { 1e6 / trips[a][b].0.max(1_000) as f64 }
    };
    (0..homes).map(|a| (0..homes).map(|b| weight(a, b)).collect()).collect()
}

/// L x = b by conjugate gradients (Hestenes and Stiefel, 1952); only differences of x mean
/// anything.
fn potentials(weights: &[Vec<f64>], b: &[f64]) -> Vec<f64> {
    let homes = b.len();
    let apply = |x: &[f64]| -> Vec<f64> {
        let row = |a: usize| (0..homes).map(|c| weights[a][c] * (x[a] - x[c])).sum();
        (0..homes).map(row).collect()
    };
    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let mean = b.iter().sum::<f64>() / homes as f64;
    let mut x = vec![0.0; homes];
    let mut rest: Vec<f64> = b.iter().map(|b| b - mean).collect();
    let mut way = rest.clone();
    let mut size = dot(&rest, &rest);
    let enough = 1e-18 * size;
    for _ in 0..4 * homes {
        let image = apply(&way);
        let along = dot(&way, &image);
        if size <= enough || along <= 0.0 {
            break;
        }
        let step = size / along;
        for at in 0..homes {
            x[at] += step * way[at];
            rest[at] -= step * image[at];
        }
        let next = dot(&rest, &rest);
        for at in 0..homes {
            way[at] = rest[at] + next / size * way[at];
        }
        size = next;
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    /// Homes along a line, ten milliseconds from each other.
    fn line(homes: usize) -> Vec<Vec<Span>> {
        let trip = |a: usize, b: usize| Span::millis(10 * a.abs_diff(b) as u64);
        (0..homes).map(|a| (0..homes).map(|b| trip(a, b)).collect()).collect()
    }

    #[test]
    fn along_a_line_work_flows_from_neighbour_to_neighbour() {
        let excess = [3_000.0, -1_000.0, -1_000.0, -1_000.0];
        let into = |me| into(me, &excess, 1_000.0, &line(4), 0.3);
        assert_eq!(into(1), Some(vec![3_000, 0, -2_000, 0]));
        assert_eq!(into(3), Some(vec![0, 0, 1_000, 0]), "from its neighbour only");
    }

    #[test]
    fn nothing_flows_where_all_are_even_or_equally_far() {
        let even = [10.0, -10.0, 0.0];
        assert_eq!(into(0, &even, 1_000.0, &line(3), 0.3), None);
        let near = vec![vec![Span::millis(1); 3]; 3];
        assert_eq!(into(0, &[900.0, -900.0, 0.0], 100.0, &near, 0.3), None);
        assert_eq!(into(0, &[900.0], 100.0, &line(1), 0.3), None);
    }

    proptest! {
        #[test]
        fn what_flows_into_a_home_is_what_it_lacks(
            excess in vec(-1e6..1e6, 2..12_usize),
            places in vec(0..1_000_u64, 12),
        ) {
            let homes = excess.len();
            let mean = excess.iter().sum::<f64>() / homes as f64;
            let excess: Vec<f64> = excess.iter().map(|one| one - mean).collect();
            let trip = |a: usize, b: usize| Span::millis(1 + places[a].abs_diff(places[b]));
            let trips: Vec<Vec<Span>> =
                (0..homes).map(|a| (0..homes).map(|b| trip(a, b)).collect()).collect();
            for me in 0..homes {
                let Some(flow) = into(me, &excess, 1.0, &trips, 0.0) else { continue };
                let sum: i64 = flow.iter().sum();
                prop_assert!((sum as f64 + excess[me]).abs() < homes as f64 + 1.0, "{flow:?}");
            }
        }
    }
}
