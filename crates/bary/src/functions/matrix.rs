//! One block of the product of two matrices that are made from a seed, so that no task needs
//! another's data. Entries are small whole numbers: every sum is exact.

use bary_ports::function::{Call, FunctionError, FunctionResult};
use bytes::Bytes;
use serde_json::json;

use super::{need, or};

pub(super) fn matrix_multiply(call: &Call) -> FunctionResult {
    let n: usize = need(call, "n", 0)?;
    let block: usize = need(call, "block", 1)?;
    let index: usize = need(call, "index", 2)?;
    let seed: u64 = or(call, "seed", 3, 0)?;
    let values: bool = or(call, "values", 4, false)?;
    if block == 0 || n == 0 || !n.is_multiple_of(block) {
        return Err(FunctionError::new(format!("blocks of {block} do not divide {n} evenly")));
    }
    let across = n / block;
    if index >= across * across {
        let last = across * across - 1;
        return Err(FunctionError::new(format!("block {index} of blocks 0 to {last}")));
    }
    let (row, col) = (index / across, index % across);
    let product = product(n, block, (row, col), seed);
    let sum: i64 = product.iter().flatten().sum();
    let squares: i64 = product.iter().flatten().map(|v| v * v).sum();
    let mut result = json!({ "row": row, "col": col, "sum": sum, "squares": squares });
    if values {
        result["values"] = json!(product);
    }
    Ok(Bytes::from(result.to_string()))
}

/// The block at (row, col), by rows of the second factor, which the cache likes.
fn product(n: usize, block: usize, (row, col): (usize, usize), seed: u64) -> Vec<Vec<i64>> {
    let mut result = vec![vec![0_i64; block]; block];
    let right: Vec<Vec<i64>> =
        (0..n).map(|k| (0..block).map(|j| entry(seed, 1, k, col * block + j)).collect()).collect();
    for (i, line) in result.iter_mut().enumerate() {
        for (k, right) in right.iter().enumerate() {
            let left = entry(seed, 0, row * block + i, k);
            for (value, factor) in line.iter_mut().zip(right) {
                *value += left * factor;
            }
        }
    }
    result
}

/// An entry from -8 to 8, from the seed and its place alone (splitmix64's mixing function).
fn entry(seed: u64, matrix: u64, row: usize, col: usize) -> i64 {
    let place = (matrix << 60) ^ ((row as u64) << 30) ^ col as u64;
    let mut z = (seed ^ place).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) % 17) as i64 - 8
}

#[cfg(test)]
mod tests {
    use super::{entry, product};

    #[test]
    fn the_blocks_are_those_of_the_direct_product() {
        let (n, block, seed) = (12, 4, 7);
        for row in 0..n / block {
            for col in 0..n / block {
                let part = product(n, block, (row, col), seed);
                for (i, line) in part.iter().enumerate() {
                    for (j, value) in line.iter().enumerate() {
                        let (r, c) = (row * block + i, col * block + j);
                        let direct: i64 =
                            (0..n).map(|k| entry(seed, 0, r, k) * entry(seed, 1, k, c)).sum();
                        assert_eq!(*value, direct, "({r}, {c})");
                    }
                }
            }
        }
    }
}
