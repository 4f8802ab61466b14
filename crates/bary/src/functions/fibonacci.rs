//! Fibonacci numbers, exact, by fast doubling: F(2k) = F(k)(2F(k+1) - F(k)).

use bary_ports::function::{Call, FunctionError, FunctionResult};
use bytes::Bytes;
use num_bigint::BigUint;

use super::need;

/// The highest index computed; its number has 209 thousand digits.
const INDEX_MAX: u32 = 1_000_000;

pub(super) fn fibonacci(call: &Call) -> FunctionResult {
    let n: u32 = need(call, "n", 0)?;
    if n > INDEX_MAX {
        return Err(FunctionError::new(format!("fibonacci goes to {INDEX_MAX}, not to {n}")));
    }
    Ok(Bytes::from(number(n).to_string()))
}

fn number(n: u32) -> BigUint {
    let (mut low, mut high) = (BigUint::from(0_u8), BigUint::from(1_u8));
    for bit in (0..32 - n.leading_zeros()).rev() {
        let even = &low * ((&high << 1_u8) - &low);
        let odd = &low * &low + &high * &high;
        (low, high) = if n >> bit & 1 == 1 { (odd.clone(), even + odd) } else { (even, odd) };
    }
    low
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn the_first_and_a_large_one_are_right() {
        let first: Vec<String> = (0..10).map(|n| number(n).to_string()).collect();
        assert_eq!(first, ["0", "1", "1", "2", "3", "5", "8", "13", "21", "34"]);
        assert_eq!(number(100).to_string(), "354224848179261915075");
    }
}
