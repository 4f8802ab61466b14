//! How evenly work falls in real time: tasks that sleep for as long as they weigh.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::bench::bary::{Scratch, number, program, told};
use crate::bench::figure::{Bound, Row, median};
use crate::bench::trial::RUNS;
use crate::process::printed;
use crate::repo::Repo;

const TASKS: usize = 1_000;

/// Ten equal nodes, then eight of four speeds; everything is submitted at one of them.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let equal = sleeps(&bary, (1.0, 10.0), &["--nodes", "10", "-j", "1"])?;
    let speeds = ["--nodes", "8", "-j", "1", "--speeds", "0.5,1,2,4"];
    let unequal = sleeps(&bary, (1.0, 10.0), &speeds)?;
    let row =
        |figure, runs, unit, bound| Row { figure, runs, unit, bound: Some(bound), peer: None };
    Ok(vec![
        row("balance, 10 nodes", each(&equal, "balance")?, "%", Bound::AtLeast(99.5)),
        row("messages per task", each(&equal, "messages_per_task")?, "", Bound::AtMost(0.6)),
        row("duplicates", each(&equal, "duplicates")?, "", Bound::AtMost(0.0)),
        row("makespan over bound", ratios(&equal)?, "", Bound::AtMost(1.05)),
        row("balance, four speeds", each(&unequal, "balance")?, "%", Bound::AtLeast(99.0)),
        row("makespan over bound, four speeds", ratios(&unequal)?, "", Bound::AtMost(1.05)),
    ])
}

/// A thousand tasks of 5 to 50 ms on four slots of one node, against the ideal: their sum over
/// four. The peer is a pool of four processes of Python, where there is Python.
pub(crate) fn makespan(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let found = sleeps(&bary, (0.5, 5.0), &["-j", "4"])?;
    let ideal = seconds((0.5, 5.0)).iter().sum::<f64>() / 4.0;
    let runs = each(&found, "makespan_seconds")?.iter().map(|real| real / ideal).collect();
    let peer = pool(ideal).ok().map(|ratio| ("process pool", ratio));
    let bound = Some(Bound::AtMost(1.012));
    Ok(vec![Row { figure: "makespan over ideal", runs, unit: "", bound, peer }])
}

/// Weights drawn evenly between two bounds, always the same ones; ten milliseconds each.
fn weights((low, high): (f64, f64)) -> Vec<f64> {
    let mut state = 1_u64;
    let draws = (0..TASKS).map(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * (state >> 33) as f64 / f64::from(1_u32 << 31)
    });
    draws.map(|weight| (weight * 1e3).round() / 1e3).collect()
}

fn seconds(range: (f64, f64)) -> Vec<f64> {
    weights(range).iter().map(|weight| weight / 100.0).collect()
}

fn sleeps(bary: &PathBuf, range: (f64, f64), cluster: &[&str]) -> Result<Vec<Value>, String> {
    let lines = weights(range).into_iter().map(|w| format!("{w:.3} {:.5}", w / 100.0));
    let file = Scratch::lines(lines)?;
    let mut words = vec!["map", "-o", "json"];
    words.extend(cluster);
    words.extend(["--colsep", " ", "--weight", "{1}", "-a", file.word()]);
    words.extend(["--function", "sleep", "--", "{2}"]);
    (0..RUNS).map(|_| told(bary, &words)).collect()
}

fn each(found: &[Value], key: &str) -> Result<Vec<f64>, String> {
    found.iter().map(|told| number(told, key)).collect()
}

fn ratios(found: &[Value]) -> Result<Vec<f64>, String> {
    let (real, bound) = (each(found, "makespan_seconds")?, each(found, "bound_seconds")?);
    Ok(real.iter().zip(bound).map(|(real, bound)| real / bound).collect())
}

const POOL: &str = "
import sys, time
from concurrent.futures import ProcessPoolExecutor
if __name__ == '__main__':
    spans = [float(s) for s in sys.argv[1].split()]
    with ProcessPoolExecutor(4) as pool:
        list(pool.map(time.sleep, [0.0] * 8))
        begun = time.time()
        for done in [pool.submit(time.sleep, s) for s in spans]:
            done.result()
        print(time.time() - begun)
";

fn pool(ideal: f64) -> Result<f64, String> {
    let spans: Vec<String> = seconds((0.5, 5.0)).iter().map(ToString::to_string).collect();
    let once = || {
        let mut python = Command::new("python3");
        python.args(["-c", POOL, &spans.join(" ")]);
        let text = String::from_utf8_lossy(&printed(python)?).trim().to_owned();
        text.parse::<f64>().map_err(|cause| format!("python3: {cause}"))
    };
    let runs: Vec<f64> = (0..RUNS).map(|_| once()).collect::<Result<_, _>>()?;
    Ok(median(&runs) / ideal)
}
