//! Whether a number is prime, by Miller and Rabin's test with bases that leave no doubt in 64
//! bits (Sinclair, 2011).

use bary_ports::function::{Call, FunctionResult};
use bytes::Bytes;

use super::need;

const BASES: [u64; 7] = [2, 325, 9_375, 28_178, 450_775, 9_780_504, 1_795_265_022];

pub(super) fn prime_check(call: &Call) -> FunctionResult {
    let n: u64 = need(call, "n", 0)?;
    Ok(Bytes::from_static(if is_prime(n) { b"true" } else { b"false" }))
}

fn is_prime(n: u64) -> bool {
    if n < 4 {
        return n > 1;
    }
    if n.is_multiple_of(2) {
        return false;
    }
    let twos = (n - 1).trailing_zeros();
    let odd = (n - 1) >> twos;
    BASES.iter().all(|&base| base.is_multiple_of(n) || passes(base % n, odd, twos, n))
}

fn passes(base: u64, odd: u64, twos: u32, n: u64) -> bool {
    let mut x = power(base, odd, n);
    if x == 1 || x == n - 1 {
        return true;
    }
    for _ in 1..twos {
        x = times(x, x, n);
        if x == n - 1 {
            return true;
        }
    }
    false
}

fn power(mut base: u64, mut exponent: u64, n: u64) -> u64 {
    let mut result = 1;
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = times(result, base, n);
        }
        base = times(base, base, n);
        exponent /= 2;
    }
    result
}

fn times(a: u64, b: u64, n: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(n)) as u64
}

#[cfg(test)]
mod tests {
    use super::is_prime;

    #[test]
    fn it_agrees_with_trial_division() {
        for n in 0..10_000_u64 {
            let divided = n > 1 && (2..n).take_while(|d| d * d <= n).all(|d| n % d != 0);
            assert_eq!(is_prime(n), divided, "{n}");
        }
    }

    #[test]
    fn large_numbers_are_exact() {
        assert!(is_prime(18_446_744_073_709_551_557), "the largest prime of 64 bits");
        assert!(!is_prime(3_825_123_056_546_413_051), "a strong pseudoprime to nine bases");
    }
}
