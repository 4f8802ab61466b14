//! How many functions that do nothing a second `bary map` runs: as one array, and as tasks that
//! each are a spec of their own. Start and end of the process are included.

use crate::bench::bary::{Scratch, program, repeated, wall};
use crate::bench::figure::{Bound, Row};
use crate::repo::Repo;

const TASKS: u32 = 1_000_000;

/// One array of a million.
pub(crate) fn array(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let words = ["map", "-q", "-j", "2", "--array", "1-1_000_000", "--function", "noop"];
    let seconds = repeated(|| wall(&bary, &words))?;
    Ok(vec![row("no-op functions, one array", &seconds, 1e6)])
}

/// A million distinct tasks from a million lines.
pub(crate) fn distinct(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let lines = Scratch::lines((1..=TASKS).map(|input| input.to_string()))?;
    let words = ["map", "-q", "-j", "2", "--distinct", "-a", lines.word(), "--function", "noop"];
    let seconds = repeated(|| wall(&bary, &words))?;
    Ok(vec![row("no-op functions, distinct tasks", &seconds, 3e5)])
}

fn row(figure: &'static str, seconds: &[f64], bound: f64) -> Row {
    let runs = seconds.iter().map(|seconds| f64::from(TASKS) / seconds).collect();
    // Measured on two such cores with its workers' chunk size at 100; see the benchmarks' page.
    let peer = Some(("process pool, as recorded", 533_000.0));
    Row { figure, runs, unit: "1/s", bound: Some(Bound::AtLeast(bound)), peer }
}
