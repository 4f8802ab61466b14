//! Searches the parameters of a policy by successive halving (Jamieson and Talwalkar,
//! Non-stochastic best arm identification and hyperparameter optimization, 2016): many texts live
//! few seeds, the better half of them as many again, and so on until two are left. It goes twice:
//! over the whole ranges, and close around the best. Texts of a round live the same seeds.

use std::ops::Range;

use crate::lab::compare::Middle;
use crate::lab::knob::{Knob, placed};

/// A text that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The policy.
    pub text: String,
    /// Where its knobs stand; nothing of the policy as it was given.
    pub places: Vec<f64>,
    /// What it came to with each seed; those that were left early have fewer.
    pub values: Vec<f64>,
}

impl Tried {
    /// The middle of its runs.
    #[must_use]
    pub fn middle(&self) -> Middle {
        Middle::of(self.values.iter().copied())
    }
}

/// What came of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// All that was tried; the first is the policy as it was given.
    pub tried: Vec<Tried>,
    /// The position of the best, which lived as many seeds as any.
    pub best: usize,
    /// How many runs were spent.
    pub runs: u64,
    /// How many seeds the best lived; they are the first ones.
    pub seeds: u32,
}

/// How much smaller the ranges are when it goes around the best.
const CLOSE: f64 = 0.25;
/// How many places are looked at, for each text that is wanted, before a range is given up.
const LOOKS: usize = 8;

/// Tries at most `most` texts, the policy as it was given among them, which stays to the end. `run`
/// lives texts with seeds by number, and gives what each text comes to with each; less is better.
///
/// # Errors
/// Whatever `run` fails with.
pub fn search<E>(
    policy: &str,
    knobs: &[Knob],
    most: usize,
    mut run: impl FnMut(&[String], Range<u32>) -> Result<Vec<Vec<f64>>, E>,
) -> Result<Found, E> {
    let given = Tried { text: policy.to_owned(), places: Vec::new(), values: Vec::new() };
    let mut found = Found { tried: vec![given], best: 0, runs: 0, seeds: 0 };
    let first = most.max(2) - most / 3;
    let whole = vec![(0.0, 1.0); knobs.len()];
    draw(policy, knobs, &whole, first, &mut found.tried);
    let all = (0..found.tried.len()).collect();
    halve(&mut found, all, &mut run)?;
    if found.best == 0 || found.tried.len() >= most {
        return Ok(found);
    }
    let close = |place: &f64| {
        let low = (place - CLOSE / 2.0).clamp(0.0, 1.0 - CLOSE);
        (low, low + CLOSE)
    };
    let around: Vec<(f64, f64)> = found.tried[found.best].places.iter().map(close).collect();
    let new = found.tried.len();
    draw(policy, knobs, &around, most, &mut found.tried);
    let all = [0, found.best].into_iter().chain(new..found.tried.len()).collect();
    halve(&mut found, all, &mut run)?;
    Ok(found)
}

/// Halves these texts, but for the given one, until one other is left.
fn halve<E>(
    found: &mut Found,
    mut left: Vec<usize>,
    run: &mut impl FnMut(&[String], Range<u32>) -> Result<Vec<Vec<f64>>, E>,
) -> Result<(), E> {
    let mut seeds = 1;
    loop {
        live(found, &left, seeds, run)?;
        found.seeds = found.seeds.max(seeds);
        let over =
            |at: &usize| Middle::of(found.tried[*at].values.iter().copied().take(seeds as usize));
        // Of equals the first stays, so that nothing changes for nothing.
        left.sort_by(|a, b| over(a).median.total_cmp(&over(b).median).then(a.cmp(b)));
        if left.len() <= 2 {
            break;
        }
        let keep = left.len().div_ceil(2).max(2);
        let rest = left.split_off(keep);
        if rest.contains(&0) {
            left.pop();
            left.push(0);
        }
        seeds *= 2;
    }
    found.best = left[0];
    // Who is compared in the end has lived the same seeds.
    let (best, seeds) = (found.best, found.seeds);
    live(found, &[0, best], seeds, run)
}

/// Lets texts live until each has lived so many seeds; those that have the same number live
/// together.
fn live<E>(
    found: &mut Found,
    texts: &[usize],
    seeds: u32,
    run: &mut impl FnMut(&[String], Range<u32>) -> Result<Vec<Vec<f64>>, E>,
) -> Result<(), E> {
    loop {
        let lived = |at: &usize| found.tried[*at].values.len() as u32;
        let Some(least) = texts.iter().map(lived).min().filter(|least| *least < seeds) else {
            return Ok(());
        };
        let mut behind: Vec<usize> =
            texts.iter().copied().filter(|at| lived(at) == least).collect();
        behind.sort_unstable();
        behind.dedup();
        let next = texts.iter().map(lived).filter(|lived| *lived > least).min();
        let until = next.map_or(seeds, |next| next.min(seeds));
        let names: Vec<String> = behind.iter().map(|at| found.tried[*at].text.clone()).collect();
        let values = run(&names, least..until)?;
        found.runs += names.len() as u64 * u64::from(until - least);
        for (at, mut values) in behind.into_iter().zip(values) {
            // A run that told nothing is as bad as can be.
            values.resize((until - least) as usize, f64::INFINITY);
            found.tried[at].values.append(&mut values);
        }
    }
}

/// Draws texts of these ranges until there are `most`, spread evenly: the additive recurrence of
/// the generalised golden ratio (Roberts, The unreasonable effectiveness of quasirandom sequences,
/// 2018), which needs no dice.
fn draw(policy: &str, knobs: &[Knob], ranges: &[(f64, f64)], most: usize, tried: &mut Vec<Tried>) {
    let steps = steps(ranges.len());
    let mut places = vec![0.5; ranges.len()];
    for _ in 0..most * LOOKS {
        if tried.len() >= most {
            return;
        }
        let spread = ranges.iter().zip(&places);
        let spread: Vec<f64> = spread.map(|((low, high), at)| low + (high - low) * at).collect();
        let text = placed(policy, knobs, &spread);
        let new = text.filter(|text| tried.iter().all(|one| one.text != *text));
        if let Some(text) = new {
            tried.push(Tried { text, places: spread, values: Vec::new() });
        }
        for (place, step) in places.iter_mut().zip(&steps) {
            *place = (*place + step).fract();
        }
    }
}

/// How far each dimension goes at a time: powers of one over the root of `x^(n+1) = x + 1`.
fn steps(dimensions: usize) -> Vec<f64> {
    let (mut low, mut high) = (1.0_f64, 2.0_f64);
    for _ in 0..50 {
        let middle = f64::midpoint(low, high);
        let power = (0..=dimensions).fold(1.0, |power, _| power * middle);
        if power > middle + 1.0 {
            high = middle;
        } else {
            low = middle;
        }
    }
    let mut step = 1.0;
    (0..dimensions)
        .map(|_| {
            step /= low;
            step
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::lab::knob::knob;

    fn knobs() -> [Knob; 2] {
        ["alpha=0.1..1", "ahead=1..4"].map(|text| knob("gravity", text).expect("gravity has it"))
    }

    fn value(text: &str, key: &str, usual: f64) -> f64 {
        let found = text.split(',').find_map(|part| part.strip_prefix(&format!("{key}=")));
        found.and_then(|value| value.parse().ok()).unwrap_or(usual)
    }

    /// A bowl whose bottom is at alpha 0.3 and ahead 2, with noise that each seed has of its own.
    fn bowl(text: &str, seed: u32) -> f64 {
        let (alpha, ahead) = (value(text, "alpha", 0.9), value(text, "ahead", 3.5));
        let noise = f64::from(seed.wrapping_mul(2_654_435_761) >> 16) / 65_536.0 - 0.5;
        (alpha - 0.3).powi(2) + (ahead / 4.0 - 0.5).powi(2) + 0.2 * noise
    }

    fn searched(most: usize) -> Found {
        let run = |texts: &[String], seeds: Range<u32>| {
            let each =
                texts.iter().map(|text| seeds.clone().map(|seed| bowl(text, seed)).collect());
            Ok::<_, Infallible>(each.collect())
        };
        let Ok(found) = search("gravity", &knobs(), most, run);
        found
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl_of_two_parameters() {
        let found = searched(40);
        let best = &found.tried[found.best].text;
        let far = [value(best, "alpha", 9.0) - 0.3, value(best, "ahead", 9.0) / 4.0 - 0.5];
        assert!(far.iter().all(|far| far.abs() < 0.15), "{best}");
        assert!(found.tried.len() <= 40);
    }

    #[test]
    fn it_spends_less_than_all_texts_with_all_seeds_would() {
        let found = searched(40);
        let all = found.tried.len() as u64 * u64::from(found.seeds);
        assert!(found.runs * 3 < all, "{} of {all} runs", found.runs);
        let lived: usize = found.tried.iter().map(|one| one.values.len()).sum();
        assert_eq!(lived as u64, found.runs);
    }

    #[test]
    fn the_given_policy_and_the_best_have_lived_the_same_seeds() {
        for most in [2, 3, 5, 16, 33] {
            let found = searched(most);
            let lived = |at: usize| found.tried[at].values.len();
            assert_eq!(lived(0), lived(found.best));
            assert_eq!(lived(0), found.seeds as usize);
            assert!(found.tried.len() <= most, "{most}");
        }
    }

    #[test]
    fn what_nothing_betters_stays_as_it_was() {
        let run = |texts: &[String], seeds: Range<u32>| {
            Ok::<_, Infallible>(vec![vec![1.0; seeds.len()]; texts.len()])
        };
        let Ok(found) = search("gravity", &knobs(), 20, run);
        assert_eq!(found.tried[found.best].text, "gravity");
    }

    #[test]
    fn places_fill_their_ranges_evenly() {
        let mut tried = Vec::new();
        draw("gravity", &knobs(), &[(0.0, 1.0), (0.0, 1.0)], 20, &mut tried);
        let low = tried.iter().filter(|one| one.places[0] < 0.5).count();
        assert!((8..=12).contains(&low), "{low} of {}", tried.len());
    }
}
