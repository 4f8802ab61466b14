//! How fast programs that do nothing can be started and reaped, two at a time: `bary map` against
//! `xargs` with the same inputs, in turn.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::bench::bary::{Scratch, program};
use crate::bench::figure::{Bound, Row, median};
use crate::bench::trial::{alternate, seconds};
use crate::repo::Repo;

const INPUTS: u32 = 3_000;
const PROGRAM: &str = "/bin/true";

/// Measures both rates and our share of theirs.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let inputs = Scratch::lines((1..=INPUTS).map(|input| input.to_string()))?;
    let (ours, theirs) = alternate(
        || {
            let mut command = Command::new(&bary);
            command.args(["map", "-j", "2", "--unordered", "--", PROGRAM]);
            seconds(&mut command, open(&inputs.0)?)
        },
        || {
            let mut command = Command::new("xargs");
            command.args(["-P", "2", "-n", "1", PROGRAM]);
            seconds(&mut command, open(&inputs.0)?)
        },
    )?;
    Ok(rows(&ours, &theirs))
}

fn open(inputs: &Path) -> Result<Stdio, String> {
    let file = File::open(inputs).map_err(|cause| format!("{}: {cause}", inputs.display()))?;
    Ok(Stdio::from(file))
}

fn rows(ours: &[f64], theirs: &[f64]) -> Vec<Row> {
    let rates = |seconds: &[f64]| -> Vec<f64> {
        seconds.iter().map(|seconds| f64::from(INPUTS) / seconds).collect()
    };
    let shares = ours.iter().zip(theirs).map(|(ours, theirs)| theirs / ours).collect();
    let peer = Some(("xargs", median(&rates(theirs))));
    let bound = Some(Bound::AtLeast(1.0));
    vec![
        Row { figure: "programs", runs: rates(ours), unit: "1/s", bound: None, peer },
        Row { figure: "share of xargs' rate", runs: shares, unit: "", bound, peer: None },
    ]
}

#[cfg(test)]
mod tests {
    use super::{median, rows};

    #[test]
    fn the_share_is_of_rates_and_not_of_times() {
        let rows = rows(&[2.0, 2.0, 2.0], &[1.0, 1.0, 1.0]);
        assert!((median(&rows[0].runs) - 1_500.0).abs() < 1e-9);
        assert!((median(&rows[1].runs) - 0.5).abs() < 1e-9);
        assert!(rows[0].peer.is_some_and(|(_, rate)| (rate - 3_000.0).abs() < 1e-9));
    }
}
