//! How much memory `bary` holds while its only task sleeps, and with a huge array pending.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::bench::bary::{program, repeated};
use crate::bench::figure::{Bound, Row};
use crate::repo::Repo;

/// Reads the resident memory once a first task has ended and a second one sleeps.
pub(crate) fn run(repo: &Repo) -> Result<Vec<Row>, String> {
    let bary = program(repo)?;
    let idle = repeated(|| resident(&bary, &["1"]))?;
    let pending = repeated(|| resident(&bary, &["1000000000"]))?;
    let bound = Some(Bound::AtMost(20.0));
    Ok(vec![
        Row {
            figure: "idle",
            runs: idle,
            unit: "MiB",
            bound,
            peer: Some(("hq server, as recorded", 14.1)),
        },
        Row { figure: "10⁹ tasks pending", runs: pending, unit: "MiB", bound, peer: None },
    ])
}

/// Each task prints its number and then sleeps, so that the first line tells that the node is up
/// and all else is waiting.
fn resident(bary: &Path, count: &[&str]) -> Result<f64, String> {
    let array = format!("1-{}", count.concat());
    let mut command = Command::new(bary);
    command.args(["map", "-j", "1", "--line-buffer", "--array", &array, "--shell"]);
    command.args(["--", "echo {}; exec sleep 60"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|cause| format!("bary did not run: {cause}"))?;
    let found = read_after_first_byte(&mut child);
    child.kill().map_err(|cause| cause.to_string())?;
    child.wait().map_err(|cause| cause.to_string())?;
    found
}

fn read_after_first_byte(child: &mut Child) -> Result<f64, String> {
    let mut out = child.stdout.take().ok_or("no output to read")?;
    out.read_exact(&mut [0]).map_err(|cause| format!("no first byte: {cause}"))?;
    let path = format!("/proc/{}/status", child.id());
    let text = std::fs::read_to_string(&path).map_err(|cause| format!("{path}: {cause}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{path} has no VmRSS"))
}
