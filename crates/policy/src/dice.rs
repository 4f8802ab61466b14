//! Dice that are the same on every machine: xoshiro256++ (Blackman and Vigna, "Scrambled Linear
//! Pseudorandom Number Generators", 2021), seeded by splitmix64 as its authors advise. Each
//! purpose has a stream of its own, so that a new draw for one does not shift another.

use bary_model::mix::{fnv1a, mix};

/// A stream of dice, known whole from its seed and its purpose.
#[derive(Clone, Debug)]
pub struct Dice {
    state: [u64; 4],
}

impl Dice {
    /// The stream that `seed` gives for `purpose`; other purposes have unrelated streams.
    #[must_use]
    pub fn new(mut seed: u64, purpose: &str) -> Self {
        // Both are stirred before they meet, so that near seeds and near names stay apart.
        let mut stir = splitmix64(&mut seed) ^ fnv1a(purpose);
        let state = std::array::from_fn(|_| splitmix64(&mut stir));
        Self { state }
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let drawn = a.wrapping_add(*d).rotate_left(23).wrapping_add(*a);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        drawn
    }

    /// A number from 0 to `n - 1`, each equally likely; `n` must not be 0.
    ///
    /// It takes one draw, and seldom more (Lemire, "Fast Random Integer Generation in an
    /// Interval", 2019).
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no number below zero");
        let uneven = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if wide as u64 >= uneven {
                return (wide >> 64) as u64;
            }
        }
    }

    /// A number from 0 up to, and never, 1, in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// One step of splitmix64 (Steele, Lea and Flood, 2014).
fn splitmix64(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(*state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    fn draws(mut dice: Dice) -> [u64; 4] {
        std::array::from_fn(|_| dice.next_u64())
    }

    #[test]
    fn the_generator_gives_its_authors_numbers() {
        let first = [41_943_041, 58_720_359, 3_588_806_011_781_223, 3_591_011_842_654_386];
        assert_eq!(draws(Dice { state: [1, 2, 3, 4] }), first);
        let mut seed = 1_477_776_061_723_855_037;
        let stirred = [splitmix64(&mut seed), splitmix64(&mut seed)];
        assert_eq!(stirred, [1_985_237_415_132_408_290, 2_979_275_885_539_914_483]);
    }

    #[test]
    fn purposes_and_seeds_have_streams_of_their_own() {
        assert_ne!(draws(Dice::new(7, "steal")), draws(Dice::new(7, "retry")));
        assert_ne!(draws(Dice::new(7, "steal")), draws(Dice::new(8, "steal")));
    }

    #[test]
    fn every_number_below_is_about_equally_likely() {
        let mut dice = Dice::new(1, "even");
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[dice.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
    }

    proptest! {
        #[test]
        fn one_seed_gives_one_stream(seed in any::<u64>(), purpose in "[a-z]{0,8}") {
            prop_assert_eq!(draws(Dice::new(seed, &purpose)), draws(Dice::new(seed, &purpose)));
        }

        #[test]
        fn draws_stay_in_their_ranges(seed in any::<u64>(), n in 1..=u64::MAX) {
            let mut dice = Dice::new(seed, "range");
            prop_assert!(dice.below(n) < n);
            prop_assert!((0.0..1.0).contains(&dice.unit()));
        }
    }
}
