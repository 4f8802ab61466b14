//! Weighted dominant-resource fairness (Ghodsi et al., NSDI 2011): an owner's dominant share is
//! the largest part that it has of any resource; the owner whose dominant share over its weight
//! is smallest goes next. Its blind spot: shares are of this moment. Who used little until now
//! has nothing saved up, and a long task is not taken back when others come.

use bary_model::resources::Resources;

/// How many parts a whole is counted in.
const WHOLE: u128 = 1 << 40;

/// The dominant share of who uses `used` of `all`, in 2^40ths; what nobody has counts nothing.
#[must_use]
pub fn dominant_share(used: &Resources, all: &Resources) -> u64 {
    let part = |used: u64, all: u64| {
        let parts = (u128::from(used) * WHOLE).checked_div(u128::from(all)).unwrap_or(0);
        u64::try_from(parts).unwrap_or(u64::MAX)
    };
    let named = used.named.iter().map(|(name, used)| {
        let all = all.named.get(name).copied().unwrap_or(0);
        part(*used, all)
    });
    let own = [
        part(used.milli_cpus, all.milli_cpus),
        part(used.memory, all.memory),
        part(used.milli_gpus, all.milli_gpus),
    ];
    named.chain(own).max().unwrap_or(0)
}

/// What decides who goes next, the least first: a dominant share over a weight in thousandths,
/// which is at least 1.
#[must_use]
pub fn claim(share: u64, weight: u64) -> u128 {
    u128::from(share) * 1_000_000 / u128::from(weight.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(cpus: u32, gib: u64) -> Resources {
        Resources { memory: gib << 30, ..Resources::cpus(cpus) }
    }

    #[test]
    fn the_dominant_share_is_that_of_the_scarcest_resource() {
        let all = amount(9, 18);
        assert_eq!(dominant_share(&amount(3, 12), &all), ((2 * WHOLE) / 3) as u64);
        assert_eq!(dominant_share(&amount(6, 2), &all), ((2 * WHOLE) / 3) as u64);
        assert_eq!(dominant_share(&amount(0, 0), &all), 0);
        let gpu = Resources { milli_gpus: 1_000, ..Resources::default() };
        assert_eq!(dominant_share(&gpu, &all), 0, "nobody has any");
    }

    #[test]
    fn who_weighs_twice_as_much_may_have_twice_as_much() {
        let all = amount(9, 18);
        let (one, two) = (dominant_share(&amount(3, 0), &all), dominant_share(&amount(6, 0), &all));
        assert_eq!(claim(two, 2_000), claim(one, 1_000));
        assert!(claim(two, 1_999) > claim(one, 1_000));
    }
}
