//! Dice from one seed: splitmix64 (Steele, Lea and Flood, 2014). foca draws from them through the
//! traits of the rand crate.

use std::convert::Infallible;

use bary_model::mix::mix;

/// A stream of dice, known whole from its seed and stream number.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    /// Stream `stream` of `seed`; the streams are unrelated.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        Self { state: mix(seed ^ mix(stream.wrapping_add(1))) }
    }

    /// The next 64 bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// A number below `n`, which must not be 0; uneven by less than one part in 2^32.
    pub(crate) fn below(&mut self, n: u32) -> u32 {
        (((self.draw() >> 32) * u64::from(n)) >> 32) as u32
    }
}

impl rand_core::TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.draw() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.draw())
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for chunk in to.chunks_mut(8) {
            chunk.copy_from_slice(&self.draw().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Dice;

    #[test]
    fn one_seed_gives_one_stream_and_streams_differ() {
        let draws = |mut dice: Dice| -> [u64; 4] { std::array::from_fn(|_| dice.draw()) };
        assert_eq!(draws(Dice::new(7, 0)), draws(Dice::new(7, 0)));
        assert_ne!(draws(Dice::new(7, 0)), draws(Dice::new(7, 1)));
        assert_ne!(draws(Dice::new(7, 0)), draws(Dice::new(8, 0)));
    }

    #[test]
    fn numbers_below_are_about_equally_likely() {
        let mut dice = Dice::new(1, 0);
        let mut seen = [0_u32; 5];
        for _ in 0..50_000 {
            seen[dice.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|n| (9_500..10_500).contains(n)), "{seen:?}");
    }
}
