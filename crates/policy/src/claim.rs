//! Who claims what of tasks that were announced to all. By the published rule a node claims while
//! `G * load * weight / (d + 1)^2 < 0.8 * mean load * weight`, which with `d = 1` is `load < 3.2 *
//! mean load`: weight cancels, and where nobody has any load nobody claims. By zones each task has
//! an owner (weighted rendezvous hashing; Schindelhauer and Schomaker, 2005), who claims up to a
//! share of how far it is below the water level; the rest falls to who would end it soonest (LPT;
//! Graham, 1969). Blind spot: nodes see loads as they were last told.

use bary_model::claim::{ClaimRule, Rival};
use bary_model::id::NodeId;
use bary_model::mix::rendezvous;

/// Whether a node with this load, in thousandths, claims one more task by the published rule;
/// `mean` is the mean load of all, and `floor` what a mean task weighs.
#[must_use]
pub fn claims(rule: ClaimRule, load: u64, mean: u64, floor: u64) -> bool {
    // load / 4 < 0.8 * mean, in whole numbers.
    let (force, threshold) = (u128::from(load) * 5, |mean: u64| u128::from(mean) * 16);
    match rule {
        ClaimRule::Written => force < threshold(mean),
        ClaimRule::Started => force <= threshold(mean.max(floor)),
        ClaimRule::Zones => false,
    }
}

/// In whose zone a task is: each node has as much as its power is of all.
#[must_use]
pub fn zone(task: u64, rivals: &[Rival]) -> Option<NodeId> {
    let drawn = rivals.iter().map(|rival| {
        let weight = rival.power as f64 / minus_ln(rendezvous(task, rival.node) >> 11 | 1);
        (weight.round() as u64, rival.node)
    });
    drawn.max().map(|(_, node)| node)
}

/// How much weight a node is below the level to which all would be filled by `weight` more, if it
/// flowed to where load over power is lowest.
#[must_use]
pub fn deficit(me: NodeId, weight: u64, rivals: &[Rival]) -> u64 {
    let mut sorted: Vec<&Rival> = rivals.iter().collect();
    let depth = |rival: &Rival| rival.load as f64 / rival.power as f64;
    sorted.sort_by(|a, b| depth(a).total_cmp(&depth(b)).then(a.node.cmp(&b.node)));
    let (mut filled, mut power) = (weight as f64, 0.0);
    let mut level = 0.0;
    for (at, rival) in sorted.iter().enumerate() {
        filled += rival.load as f64;
        power += rival.power as f64;
        level = filled / power;
        if sorted.get(at + 1).is_none_or(|next| level <= depth(next)) {
            break;
        }
    }
    let mine = rivals.iter().find(|rival| rival.node == me);
    mine.map_or(0, |mine| (mine.power as f64 * level - mine.load as f64).max(0.0).round() as u64)
}

/// Who would end each of these weights soonest, one after the other; loads grow by it.
#[must_use]
pub fn soonest(weights: &[u64], rivals: &[Rival]) -> Vec<Option<NodeId>> {
    let mut rivals = rivals.to_vec();
    let mut given = Vec::with_capacity(weights.len());
    for weight in weights {
        // a/b < c/d without a division: loads and powers are below 2^64.
        let ends = |rival: &Rival| u128::from(rival.load.saturating_add(*weight));
        let best = rivals.iter_mut().min_by(|a, b| {
            let (left, right) = (ends(a) * u128::from(b.power), ends(b) * u128::from(a.power));
            left.cmp(&right).then(a.node.cmp(&b.node))
        });
        given.push(best.map(|best| {
            best.load = best.load.saturating_add(*weight);
            best.node
        }));
    }
    given
}

/// The logarithm of `2^53 / bits`, for `bits` from 1 below 2^53: `2 artanh((1 - m) / (1 + m))` of
/// the mantissa, by eight terms of the series. The library's logarithm may differ between machines.
fn minus_ln(bits: u64) -> f64 {
    let zeros = bits.leading_zeros();
    let mantissa = (bits << zeros) as f64 / (1_u128 << 64) as f64;
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let square = z * z;
    let series = (0..8).rev().fold(0.0, |sum, k| sum * square + 1.0 / f64::from(2 * k + 1));
    let exponent = f64::from(zeros) - 11.0;
    exponent * std::f64::consts::LN_2 - 2.0 * z * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    fn rivals(all: &[(u64, u64)]) -> Vec<Rival> {
        let node = |number: usize| NodeId(number as u64);
        let each = all.iter().enumerate();
        each.map(|(at, &(power, load))| Rival { node: node(at), power, load }).collect()
    }

    #[test]
    fn as_written_nobody_begins_and_mended_everybody_does() {
        assert!(!claims(ClaimRule::Written, 0, 0, 5_000));
        assert!(claims(ClaimRule::Started, 0, 0, 5_000));
        assert!(claims(ClaimRule::Started, 16_000, 0, 5_000));
        assert!(!claims(ClaimRule::Started, 16_001, 0, 5_000));
        assert!(claims(ClaimRule::Written, 3_199, 1_000, 0));
        assert!(!claims(ClaimRule::Written, 3_200, 1_000, 0));
    }

    #[test]
    fn zones_are_as_large_as_powers() {
        let all = rivals(&[(1, 0), (3, 0)].map(|(power, load)| (power << 20, load)));
        let of_second = (0..10_000).filter(|task| zone(mixed(*task), &all) == Some(NodeId(1)));
        let count = of_second.count();
        assert!((7_300..7_700).contains(&count), "{count}");
    }

    fn mixed(task: u64) -> u64 {
        bary_model::mix::mix(task)
    }

    #[test]
    fn water_fills_the_deepest_first() {
        let all = rivals(&[(1, 0), (1, 4_000), (2, 20_000)]);
        assert_eq!([0, 1, 2].map(|n| deficit(NodeId(n), 6_000, &all)), [5_000, 1_000, 0]);
        assert_eq!(deficit(NodeId(0), 3_000, &all), 3_000);
    }

    #[test]
    fn the_heaviest_go_where_they_end_soonest() {
        let all = rivals(&[(1, 0), (2, 0)]);
        let given: Vec<u64> =
            soonest(&[6, 4, 2], &all).into_iter().flatten().map(|node| node.0).collect();
        assert_eq!(given, [1, 0, 1]);
    }

    proptest! {
        #[test]
        fn deficits_take_in_all_the_weight(
            weight in 0..1_000_000_u64,
            all in vec((1..1_000_u64, 0..1_000_000_u64), 1..20),
        ) {
            let all = rivals(&all);
            let sum: u64 = all.iter().map(|one| deficit(one.node, weight, &all)).sum();
            prop_assert!(sum.abs_diff(weight) <= all.len() as u64, "{sum} of {weight}");
        }
    }
}
