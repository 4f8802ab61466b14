//! Pi by Monte Carlo: the share of random points of a square that fall into its circle. Gives
//! the estimate and how many points it rests on, so that averages can be weighted.

use bary_policy::dice::Dice;
use bary_ports::function::{Call, FunctionError, FunctionResult};
use bytes::Bytes;
use serde_json::json;

use super::{need, or};

/// After so many points it looks whether it should end.
const LOOK: u64 = 1 << 20;

pub(super) fn monte_carlo_pi(call: &Call) -> FunctionResult {
    let iterations: u64 = need(call, "iterations", 0)?;
    let seed: u64 = or(call, "seed", 1, 0)?;
    if iterations == 0 {
        return Err(FunctionError::new("iterations must be at least 1"));
    }
    let mut dice = Dice::new(seed, "monte_carlo_pi");
    let mut inside = 0_u64;
    for point in 0..iterations {
        let (x, y) = (dice.unit(), dice.unit());
        inside += u64::from(x * x + y * y <= 1.0);
        if point % LOOK == 0 {
            if call.is_stopped() {
                return Err(FunctionError::new("stopped before the last point"));
            }
            (call.beat)();
        }
    }
    let value = 4.0 * inside as f64 / iterations as f64;
    Ok(Bytes::from(json!({ "value": value, "samples": iterations }).to_string()))
}
