//! Waits for some seconds, divided by the node's speed: work whose length is known exactly.

use std::time::{Duration, Instant};

use bary_ports::function::{Call, FunctionError, FunctionResult};
use bytes::Bytes;

use super::need;

/// How long it waits before it looks whether it should end.
const LOOK: Duration = Duration::from_millis(100);

pub(super) fn sleep(call: &Call) -> FunctionResult {
    let seconds: f64 = need(call, "seconds", 0)?;
    let refuse = |_| FunctionError::new(format!("cannot sleep for {seconds} seconds"));
    let whole = Duration::try_from_secs_f64(seconds / call.speed).map_err(refuse)?;
    let end = Instant::now() + whole;
    while !call.is_stopped() {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Bytes::new());
        }
        std::thread::sleep(left.min(LOOK));
        (call.beat)();
    }
    Err(FunctionError::new("stopped before its time was over"))
}
