//! Timed runs of two rivals in turn, so that what else the machine does falls on both.

use std::process::{Command, Stdio};
use std::time::Instant;

/// How often each rival runs.
pub(crate) const RUNS: usize = 5;

/// Runs `ours` and `theirs` in turn, `RUNS` times each, and gives each side's seconds.
pub(crate) fn alternate(
    mut ours: impl FnMut() -> Result<f64, String>,
    mut theirs: impl FnMut() -> Result<f64, String>,
) -> Result<(Vec<f64>, Vec<f64>), String> {
    let (mut our_seconds, mut their_seconds) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        our_seconds.push(ours()?);
        their_seconds.push(theirs()?);
    }
    Ok((our_seconds, their_seconds))
}

/// The wall seconds of `command` with `input` on its standard input; its output is thrown away,
/// and a failure of it is an error.
pub(crate) fn seconds(command: &mut Command, input: Stdio) -> Result<f64, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    let begun = Instant::now();
    let status = command.status().map_err(|cause| format!("{program} did not run: {cause}"))?;
    let seconds = begun.elapsed().as_secs_f64();
    if status.success() { Ok(seconds) } else { Err(format!("{program} failed: {status}")) }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{RUNS, alternate};

    #[test]
    fn rivals_run_in_turn() {
        let order = RefCell::new(String::new());
        let run = |letter, seconds| {
            order.borrow_mut().push(letter);
            Ok(seconds)
        };
        let (ours, theirs) = alternate(|| run('a', 1.0), || run('b', 2.0)).expect("both succeed");
        assert_eq!((ours.len(), theirs.len()), (RUNS, RUNS));
        assert_eq!(order.into_inner(), "ab".repeat(RUNS));
    }

    #[test]
    fn a_rival_that_fails_ends_the_trial() {
        assert_eq!(alternate(|| Ok(1.0), || Err("broken".into())), Err("broken".to_owned()));
    }
}
