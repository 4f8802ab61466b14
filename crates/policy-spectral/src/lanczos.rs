//! A few of the smallest eigenvalues of a large sparse Laplacian with their vectors, without a
//! matrix: Lanczos' iteration with full reorthogonalisation (Lanczos 1950; Parlett, "The symmetric
//! eigenvalue problem", 1998). It gives nothing rather than a doubt: where it does not converge, or
//! eigenvalues coincide, the caller decomposes the whole matrix.

use bary_policy::dice::Dice;
use faer::{Mat, Side};

/// Most steps; what has not converged by then is too ill-conditioned for it.
const STEPS_MAX: usize = 400;
/// After so many steps it is looked for the first time whether it has converged, and then each time
/// that there are half as many again: a look costs the cube of the steps.
const LOOK: usize = 40;
/// How many products are summed side by side.
const LANES: usize = 8;
/// A pair has converged when its residual is below this part of the largest eigenvalue.
const EXACT: f64 = 1e-13;

/// Eigenvalues with their unit vectors.
pub(crate) type Pairs = Vec<(f64, Vec<f64>)>;

/// The `count` smallest pairs of a positive semi-definite matrix beyond its kernel, which is all
/// multiples of the unit vector `still`; no eigenvalue is above `most`. None where that is not
/// certain, or two values are nearer than `near`.
pub(crate) fn smallest(
    apply: impl Fn(&[f64]) -> Vec<f64>,
    still: &[f64],
    count: usize,
    (most, near): (f64, f64),
) -> Option<Pairs> {
    let mut dice = Dice::new(1, "lanczos");
    let mut found = ground(&apply, &[still], count + 1, most, &mut dice)?;
    // A second run away from what was found shows what a first may have missed: another vector of
    // the same eigenvalue.
    let mut known: Vec<&[f64]> = found.iter().map(|(_, vector)| vector.as_slice()).collect();
    known.push(still);
    let next = ground(&apply, &known, 1, most, &mut dice)?.pop()?;
    let (last, _) = found.pop()?;
    let missed = next.0 < last + near;
    let apart = found.windows(2).all(|two| two[1].0 - two[0].0 > near);
    let closed = found.last().is_none_or(|one| last - one.0 > near);
    (!missed && apart && closed).then_some(found)
}

/// The `count` smallest pairs on the complement of some orthonormal vectors.
fn ground(
    apply: &impl Fn(&[f64]) -> Vec<f64>,
    without: &[&[f64]],
    count: usize,
    most: f64,
    dice: &mut Dice,
) -> Option<Pairs> {
    let nodes = without.first()?.len();
    let mut vector: Vec<f64> = (0..nodes).map(|_| dice.unit() - 0.5).collect();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    let steps = STEPS_MAX.min(nodes.saturating_sub(without.len()));
    let mut look = LOOK;
    while basis.len() < steps {
        clear(&mut vector, without, &basis);
        let length = dot(&vector, &vector).sqrt();
        if !basis.is_empty() {
            beside.push(length);
        }
        if length <= EXACT * most {
            // The space is used up: some eigenvalues have several vectors.
            return None;
        }
        vector.iter_mut().for_each(|entry| *entry /= length);
        let image = apply(&vector);
        diagonal.push(dot(&image, &vector));
        basis.push(std::mem::replace(&mut vector, image));
        if basis.len() == look || basis.len() == steps {
            look += look / 2;
            let mut rest = vector.clone();
            clear(&mut rest, without, &basis);
            let rest = dot(&rest, &rest).sqrt();
            if let Some(pairs) = converged(&diagonal, &beside, rest, (count, most), &basis) {
                return Some(pairs);
            }
        }
    }
    None
}

/// Takes out of a vector what it has of others, twice, so that rounding leaves nothing.
fn clear(vector: &mut [f64], without: &[&[f64]], basis: &[Vec<f64>]) {
    for _ in 0..2 {
        for other in without.iter().copied().chain(basis.iter().map(Vec::as_slice)) {
            let along = dot(vector, other);
            vector.iter_mut().zip(other).for_each(|(entry, other)| *entry -= along * other);
        }
    }
}

/// In eight sums side by side, which is faster than one and the same everywhere.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sums, mut rest) = ([0.0; LANES], 0.0);
    let (a, b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in a.remainder().iter().zip(b.remainder()) {
        rest += a * b;
    }
    for (a, b) in a.zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// The pairs as far as the small matrix shows them, where all of them have converged.
fn converged(
    diagonal: &[f64],
    beside: &[f64],
    rest: f64,
    (count, most): (usize, f64),
    basis: &[Vec<f64>],
) -> Option<Pairs> {
    let steps = diagonal.len();
    if steps < count {
        return None;
    }
    let small = Mat::from_fn(steps, steps, |row, column| match row.abs_diff(column) {
        0 => diagonal[row],
        1 => beside[row.min(column)],
        _ => 0.0,
    });
    let found = small.self_adjoint_eigen(Side::Lower).ok()?;
    let exact = |at: usize| (rest * found.U()[(steps - 1, at)]).abs() <= EXACT * most;
    if !(0..count).all(exact) {
        return None;
    }
    let pair = |at: usize| {
        let mut vector = vec![0.0; basis[0].len()];
        for (row, other) in basis.iter().enumerate() {
            let part = found.U()[(row, at)];
            vector.iter_mut().zip(other).for_each(|(entry, other)| *entry += part * other);
        }
        (found.S().column_vector()[at], vector)
    };
    Some((0..count).map(pair).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family;
    use crate::laplacian::apply;
    use std::f64::consts::PI;

    fn even(nodes: usize) -> Vec<f64> {
        vec![1.0 / (nodes as f64).sqrt(); nodes]
    }

    #[test]
    fn a_path_has_its_known_values_and_vectors() {
        let path = family::path(60);
        let pairs = smallest(|x| apply(&path, x), &even(60), 4, (4.0, 1e-7));
        let pairs = pairs.expect("all values of a path are apart");
        for (at, (value, vector)) in pairs.iter().enumerate() {
            assert!((value - (2.0 - 2.0 * (PI * (at + 1) as f64 / 60.0).cos())).abs() < 1e-11);
            let image = apply(&path, vector);
            assert!(image.iter().zip(vector).all(|(i, v)| (i - value * v).abs() < 1e-11));
        }
    }

    #[test]
    fn where_values_coincide_it_says_nothing() {
        let (cycle, whole) = (family::cycle(60), family::complete(60));
        assert!(smallest(|x| apply(&cycle, x), &even(60), 2, (4.0, 1e-7)).is_none());
        assert!(smallest(|x| apply(&whole, x), &even(60), 2, (60.0, 1e-7)).is_none());
        let square = family::grid(20, 20);
        assert!(smallest(|x| apply(&square, x), &even(400), 1, (8.0, 1e-7)).is_none());
    }
}
